"""How lift changes when the wall moves, as arrows for ParaView; then less drag at the same lift, and what of it the panel method confirms."""

from __future__ import annotations

from pathlib import Path

import geoop
from geoop.mesh.primitives import naca4
from geoop.mesh.section_shapes import Bumps
from geoop.truth.panels.derivatives import panel_derivatives


def main(quick: bool = False, out: Path = Path("out"), model: str | Path = "airfoil-potential") -> dict[str, float]:
    section, point = naca4("2412", 100 if quick else 200), geoop.OperatingPoint(velocity=60.0, alpha=3.0, reference_length=1.0)
    shape = Bumps(section, upper=(0.15, 0.4, 0.7), lower=(0.15, 0.4, 0.7))
    truth = panel_derivatives(section, point, shape.jacobian(shape.start))["CL"]
    numbers = {"panels": float(truth[2])}
    if model != "panels":
        gradient = geoop.shape_gradient(geoop.load(model), geoop.Case(section, point), "CL")
        print(gradient)
        print("written:", gradient.write(out / "lift_gradient.vtp", smoothing=0.02))
        numbers["model"] = float(gradient.to_parameters(shape.jacobian(shape.start))[2])
        print("dCL per chord of a bump at 70 % of the upper side:", numbers)

    found = geoop.optimise(
        {
            "model": model,
            "section": {"naca": "2412", "points": 80 if quick else 160},
            "condition": {"velocity": 60.0, "reynolds": 3e6, "alpha": 3.0},
            "objective": {"minimise": "CD"},
            "variables": {"upper": [0.2, 0.6], "lower": [0.2, 0.6], "alpha": [0.0, 6.0]} if quick else {"alpha": [-2.0, 8.0]},
            "constraints": {"CL": 0.6, "max_thickness": 0.115, "CM_min": -0.07},
            "solver": {"iterations": 4 if quick else 20},
        },
        out / "optimised",
    )
    print(found)
    return {
        **numbers,
        "before": found.start.truth["CD"],
        "after": found.best.truth["CD"],
        "CL": found.best.truth["CL"],
        "files": float(len(list((out / "optimised").iterdir()))),
    }


if __name__ == "__main__":
    main()
