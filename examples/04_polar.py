"""A polar: one geometry, many angles of attack, encoded once per angle; beside it the panel method on the same section."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import geoop
from geoop.io.paraview import write_series
from geoop.studies.plots.pictures import pressure_plot
from geoop.truth.panels.system import panel_flow

MESHES = Path(__file__).parent.parent / "meshes"


def main(quick: bool = False, out: Path = Path("out"), checkpoint: Path | None = None) -> dict[str, np.ndarray]:
    surrogate = geoop.load(checkpoint or out / "run" / "best.safetensors")
    section = geoop.read(MESHES / "naca2412.dat")
    points = [geoop.OperatingPoint(velocity=60.0, alpha=alpha) for alpha in np.linspace(-4.0, 8.0, 3 if quick else 13)]
    results = surrogate.predict_many(section, points)
    predicted = np.array([geoop.forces(result).CL for result in results])
    panels = np.array([panel_flow(section, point).lift_coefficient for point in points])
    for point, cl, truth in zip(points, predicted, panels, strict=True):
        print(f"alpha {point.alpha:5.1f} deg   CL {cl:7.4f}   panel method {truth:7.4f}")
    alphas = [point.alpha for point in points]
    write_series(geoop.Series(alphas, tuple(result.case for result in results), "alpha [deg]"), out / "polar.pvd")
    pressure_plot({f"alpha {r.case.operating_point.alpha:g} deg": r.case for r in results[:: max(1, len(results) // 3)]}, out / "polar_cp.png")
    return {"alpha": np.array(alphas), "CL": predicted, "panels": panels}


if __name__ == "__main__":
    main()
