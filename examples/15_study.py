"""A study in five minutes: sections and a flap by angles of attack, with drag, confidence and the panel method beside the prediction.

The same as a file: ``geoop study examples/study.toml``. Interrupted, it goes on where it stopped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import geoop
from geoop.results.shipped import shipped_models

MESHES = Path(__file__).parent.parent / "meshes"


def main(quick: bool = False, out: Path = Path("out"), model: str | None = None) -> dict[str, float]:
    known = model or ("airfoil-potential" if "airfoil-potential" in shipped_models() else "panels")
    done = geoop.study(
        model=known,
        geometry=[MESHES / "naca2412.dat", {"naca": ["0012"], "flap": {"hinge": 0.75, "deflection": [-10, 0, 10]}}],
        alpha="-4:8:4" if quick else "-4:12:2",
        velocity=60.0,
        conditions={"reynolds": 3e6},
        settings={"compare": "panels", "drag": "boundary layer", "surface_only": quick, "report": not quick},
        output=out / "study",
    )
    print(done)
    alpha, lift = (done.column(name, "naca2412") for name in ("alpha [deg]", "CL"))
    for row in done.rows:
        text = "".join(f"{name} {row[name]:8.4f}   " for name in ("CL", "CD", "CM") if row.get(name) is not None)
        print(f"{row['geometry']:18s} alpha {row['alpha [deg]']:5.1f} deg   {text}{row['level']}")
    by_flap = [done.column("CL", f"naca0012_flap{deflection}").mean() for deflection in ("-10", "+0", "+10")]
    return {
        "cases": len(done.rows),
        "failed": len(done.failed),
        "lift slope [1/rad]": float(np.polyfit(np.radians(alpha), lift, 1)[0]),
        "flap effectiveness [1/rad]": float((by_flap[2] - by_flap[0]) / np.radians(20.0)),
        "largest difference of CL from the panel method": float(np.abs(done.column("CL") - done.column("CL panels")).max()),
        "least CD": float(np.nanmin(done.column("CD"))),
    }


if __name__ == "__main__":
    main()
