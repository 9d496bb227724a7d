"""An operator on a region: a source goes in, the solution comes out, anywhere, beside the control that a sceptic would run."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

import geoop
from geoop.baselines.ridge import Ridge
from geoop.models.presets import PRESETS
from geoop.models.transolver import Transolver
from geoop.results.metrics import relative_l2
from geoop.train.settings import FitSettings


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    # -div((1 + u^2) grad u) = s f, u = 0 on the boundary of random star-shaped regions
    data = geoop.generate("nonlinear-poisson", out / ("stars-small" if quick else "stars"), n=32 if quick else 800)
    settings = FitSettings(epochs=20, batch=4, domain_points=300) if quick else FitSettings(minutes=10.0)
    surrogate = geoop.fit(
        data,
        out / ("run-stars-small" if quick else "run-stars"),
        quantities=("solution",),
        inputs=("source",),
        model=partial(Transolver, **PRESETS["Transolver"]["small"]),
        settings=settings,
    )
    ridge = Ridge(inputs=("source",)).fit(data.cases("train"), ("solution",))
    errors = {"operator": [], "ridge": []}
    for case in data.cases("test"):
        truth = case.field("solution").values
        errors["operator"].append(relative_l2(surrogate.predict(case)["solution"], truth))
        errors["ridge"].append(relative_l2(ridge.predict(case)["solution"].values, truth))
    numbers = {name: float(np.mean(values)) for name, values in errors.items()}
    print("mean relative L2 over", len(errors["ridge"]), "test cases:", ", ".join(f"{name} {100 * e:.1f} %" for name, e in numbers.items()))

    case = data.cases("test")[0]
    result = surrogate.predict(case)
    print(result.verdict)
    print("written:", result.write(out / "star.vtu"))
    middle = case.mesh.points.mean(axis=0, keepdims=True)
    numbers["in the middle"] = float(result.at(middle)["solution"][0])  # the field is continuous: ask anywhere
    numbers["outside"] = float(result.at(middle + 100.0)["solution"][0])  # where there is no region there is no field
    return numbers


if __name__ == "__main__":
    main()
