"""Controls on public data that nobody here wrote: surface pressure of RANS sections, Poisson's equation around a moving hole."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator

from geoop.baselines.baseline import AbstractBaseline
from geoop.baselines.gaussian_process_modes import GaussianProcessModes
from geoop.baselines.kernel_ridge import KernelRidge
from geoop.baselines.mean_field import MeanField
from geoop.baselines.nearest_shape import NearestShape
from geoop.baselines.ridge import Ridge
from geoop.io.collecting.choices import Choices
from geoop.io.collecting.collect import survey
from geoop.mesh.case import Case
from geoop.results.metrics import relative_l2
from geoop.results.surface_pressure import PressureScores, pressure_scores

ROOT = Path(__file__).resolve().parent.parent
FOLDS = 5
CP, INVISCID = "pressure_coefficient", "inviscid_pressure_coefficient"
OVER = {"beyond": {CP: INVISCID}}
#: Fitted on some cases, answers at the points of another.
Fit = Callable[[Sequence[Case]], Callable[[Case], np.ndarray]]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with airfrans_surface and holed_poisson")
    parser.add_argument("--only", choices=("sections", "holes"), help="one of the two sets")
    arguments = parser.parse_args(argv)
    if arguments.only != "holes":
        sections(cases_of(arguments.data / "airfrans_surface"))
    if arguments.only != "sections":
        holes(*with_parameters(arguments.data / "holed_poisson"))


def cases_of(folder: Path) -> list[Case]:
    """All cases of a published set in the order of the file."""
    found = survey(folder, choices=Choices())
    splits = list(found.plan.splits.values())
    if "fold-0" in found.plan.splits:  # case k is in fold k mod 5
        names = [own[k] for k in range(len(splits[0])) for own in splits if k < len(own)]
    else:
        names = sorted(name for own in splits for name in own)
    return [found.read(name) for name in names]


def with_parameters(folder: Path) -> tuple[list[Case], dict[str, list[float]]]:
    """Cases, and the place of the hole by name: what no model is told."""
    hidden = survey(folder, choices=Choices()).plan.parameters
    cases = cases_of(folder)
    return cases, {case.name: [float(value) for value in hidden[case.name].values()] for case in cases}


def crossed(cases: Sequence[Case], fit: Fit) -> tuple[list[np.ndarray], float]:
    """For each case the answer of what was fitted on the other folds, and the seconds of all fits."""
    answers: list[np.ndarray] = [np.zeros(0)] * len(cases)
    seconds = 0.0
    for fold in range(FOLDS):
        started = time.perf_counter()
        predict = fit([case for k, case in enumerate(cases) if k % FOLDS != fold])
        seconds += time.perf_counter() - started
        for k in range(fold, len(cases), FOLDS):
            answers[k] = predict(cases[k])
    return answers, seconds


def control(make: Callable[[], AbstractBaseline], quantity: str) -> Fit:
    """A baseline as a :data:`Fit`."""

    def fit(train: Sequence[Case]) -> Callable[[Case], np.ndarray]:
        fitted = make().fit(train, [quantity])
        return lambda case: fitted.predict(case)[quantity].values

    return fit


def sections(cases: Sequence[Case]) -> dict[str, PressureScores]:
    """Table of the controls on the surface pressure; the folds and the metric are those of the data's own description."""
    floor = SurfaceFloor(cases)
    rows: dict[str, Fit] = {
        "panel method as it is": lambda train: lambda case: case.field(INVISCID).values,
        "floor of the transfer": lambda train: floor,
        "mean field": control(MeanField, CP),
        "nearest shape": control(NearestShape, CP),
        "ridge": control(Ridge, CP),
        "kernel ridge": control(KernelRidge, CP),
        "Gaussian process on modes": control(GaussianProcessModes, CP),
        "mean field over the panel method": control(partial(MeanField, **OVER), CP),
        "ridge over the panel method": control(partial(Ridge, **OVER), CP),
        "kernel ridge over the panel method": control(partial(KernelRidge, **OVER), CP),
        "Gaussian process over the panel method": control(partial(GaussianProcessModes, **OVER), CP),
        "kernel ridge over and of the panel method": control(partial(KernelRidge, **OVER, inputs=(INVISCID,)), CP),
    }
    print(f"airfrans_surface: {len(cases)} sections, {FOLDS} folds\n")
    print("| predictor | seconds | mean (95 %) | median | worst case | share of the worst five | Cp RMSE by length |")
    print("| --- " * 7 + "|")
    found = {}
    for name, fit in rows.items():
        answers, seconds = crossed(cases, fit)
        found[name] = scores = pressure_scores(cases, answers)
        row = scores.row()
        interval = f"{row['mean']:.2e} ({row['low']:.1e} to {row['high']:.1e})"
        print(
            f"| {name} | {seconds:.0f} | {interval} | {row['median']:.2e} | {row['worst']:.1e} | {100 * row['share_of_worst']:.0f} % | {row['rmse']:.4f} |",
            flush=True,
        )
    print()
    return found


class SurfaceFloor:
    """The true pressure brought to the vector of the baselines and back."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.fitted = MeanField().fit(cases, [CP])

    def __call__(self, case: Case) -> np.ndarray:
        return self.fitted.floor(case)[CP].values


def holes(cases: Sequence[Case], hidden: dict[str, list[float]]) -> dict[str, np.ndarray]:
    """Table of the controls around the moving hole: relative L2 of the solution at the points."""
    u = "solution"
    oracle = partial(GaussianProcessModes, hidden)
    rows: dict[str, Fit] = {
        "mean field": control(MeanField, u),
        "nearest shape": control(NearestShape, u),
        "ridge": control(Ridge, u),
        "kernel ridge": control(KernelRidge, u),
        "Gaussian process on modes": control(GaussianProcessModes, u),
        "ORACLE: Gaussian process on the place of the hole": control(oracle, u),
        "ORACLE: quintic radial basis functions of the place": partial(quintic, hidden=hidden),
    }
    print(f"holed_poisson: {len(cases)} places of the hole, {FOLDS} folds\n\n| predictor | seconds | mean relative L2 | median | worst |")
    print("| --- " * 5 + "|")
    found = {}
    for name, fit in rows.items():
        answers, seconds = crossed(cases, fit)
        found[name] = errors = np.array([relative_l2(own, case.field(u).values) for own, case in zip(answers, cases, strict=True)])
        print(f"| {name} | {seconds:.0f} | {errors.mean():.2e} | {np.median(errors):.2e} | {errors.max():.1e} |", flush=True)
    print()
    return found


def quintic(train: Sequence[Case], *, hidden: dict[str, list[float]]) -> Callable[[Case], np.ndarray]:
    """Interpolation of the solution at every node in the two parameters: phi(r) = -r^5 with quadratic polynomials."""
    values = np.array([case.field("solution").values for case in train])
    surface = RBFInterpolator(np.array([hidden[case.name] for case in train]), values, kernel="quintic")
    return lambda case: surface(np.array([hidden[case.name]]))[0]


if __name__ == "__main__":
    main()
