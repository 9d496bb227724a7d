"""Train the default model on generated flows, predict a section it has never seen, and write it for ParaView."""

from __future__ import annotations

from pathlib import Path

import geoop
from geoop.results.evaluation import evaluate
from geoop.train.settings import FitSettings

MESHES = Path(__file__).parent.parent / "meshes"


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    data = geoop.generate("kt-airfoils", out / ("kt-fit-small" if quick else "kt-airfoils"), n=40 if quick else 500)
    settings = FitSettings(epochs=12, batch=4, validate_every=6) if quick else FitSettings(minutes=10)
    surrogate = geoop.fit(data, out / ("run-small" if quick else "run"), settings=settings, progress=not quick)

    case = geoop.Case(geoop.read(MESHES / "naca2412.dat"), geoop.OperatingPoint(velocity=60.0, alpha=4.0))
    result = surrogate.predict(case)
    forces = geoop.forces(result, reference_length=1.0)
    print(forces)
    print("verdict", result.verdict)
    print("written:", result.write(out / "naca2412.vtu"))
    print("half a chord above the section:", result.at([[0.5, 0.5]]))

    scores = evaluate(surrogate, data, "test").scores
    print(scores)
    return {"CL": forces.CL, "velocity": float(scores.row("velocity").l2.mean())}


if __name__ == "__main__":
    main()
