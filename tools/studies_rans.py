"""Section ``rans``: surface pressure of 100 real RANS sections in five folds, by the recipe of ``airfoil-rans-surface`` and by its controls.

Folds and metric are those of the data's own description (../shared/data/README.md). The weights that are shipped were trained on all 100 cases: no row is of
them. Every row is of predictors that were trained on four folds and asked on the fifth, all five in turn; what was chosen was chosen within folds 1 to 4, so
the column "fold 0" stands for itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from rans_surface import CP, DISPLACED, FOLDS, INVISCID, SEEDS, cases, member
from scipy.stats import spearmanr

import geoop
from geoop.baselines.baseline import AbstractBaseline
from geoop.baselines.gaussian_process_modes import GaussianProcessModes
from geoop.baselines.kernel_ridge import KernelRidge
from geoop.io.dataset import Dataset
from geoop.mesh.case import Case
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.results.confidence.conformal import conformal_quantile
from geoop.results.section_solutions import PUBLISHED_DENSITY, with_solutions
from geoop.results.surface_pressure import PressureScores, pressure_scores

Row = dict[str, Any]
Once = Callable[[str, Callable[[], Row]], Row]
Answers = dict[str, np.ndarray]

COMMAND = "tools/benchmark studies --sections rans"
GAUSSIAN = "Gaussian process on modes, geometry only"
CONTROLS: dict[str, Callable[[], AbstractBaseline]] = {
    GAUSSIAN: GaussianProcessModes,
    "kernel ridge over and of the panel method": partial(KernelRidge, beyond={CP: INVISCID}, inputs=(INVISCID,)),
    "kernel ridge over the displaced panel method, of the panel method": partial(KernelRidge, beyond={CP: DISPLACED}, inputs=(INVISCID,)),
}
SHIPPED = f"mean of {len(SEEDS)} LowRankOperators over and of the displaced panel method"
#: Nominal coverage of the errors that are stated with a prediction.
COVERAGE = 0.9


def measure(output: Path, once: Once) -> None:
    """All rows, from the trainings of the model that is shipped: they lie beside ``output`` in models/."""
    rows_of(output.parent / "models" / "airfoil-rans-surface", once)


def rows_of(folder: Path, once: Once) -> None:
    """All rows; what was trained and answered under a folder is not trained again."""
    data = cases(folder)
    order = [data.case(data.splits[f"fold-{k % FOLDS}"][k // FOLDS]) for k in range(len(data))]
    gaussian = answers(folder, GAUSSIAN, partial(crossed, data, CONTROLS[GAUSSIAN]))
    wins = scores(order, gaussian["answers"])
    for name, key in (("panel method alone, in the file's numbers", INVISCID), ("displaced panel method alone, in the file's numbers", DISPLACED)):
        found = {case.name: case.fields[key].values / PUBLISHED_DENSITY for case in order}
        once(f"rans/five folds/{name}", lambda found=found: row(order, found, wins))
    for name, make in CONTROLS.items():
        found = answers(folder, name, partial(crossed, data, make))
        once(f"rans/five folds/{name}", lambda found=found: row(order, found["answers"], wins, found))
    members = [answers(folder, f"member {seed}", partial(of_member, folder, data, seed)) for seed in SEEDS]
    for seed, found in zip(SEEDS, members, strict=True):
        once(
            f"rans/five folds/LowRankOperator over and of the displaced panel method, seed {seed}", lambda f=found: row(order, f["answers"], wins, f)
        )
    once(f"rans/five folds/{SHIPPED}", lambda: row(order, mean([f["answers"] for f in members]), wins, total(members)))
    once("rans/agreement/panel method of geoop and of the file", lambda: agreement(folder, data))
    once("rans/stated errors/five folds", lambda: stated(order, mean([f["answers"] for f in members])))


def crossed(data: Dataset, make: Callable[[], AbstractBaseline]) -> Row:
    """Answers of a classical baseline on every fold, fitted on all cases of the others."""
    started, found = process_time(), {}
    for fold in range(FOLDS):
        fitted = make().fit([data.case(name) for k in range(FOLDS) if k != fold for name in data.splits[f"fold-{k}"]], [CP])
        found |= {case.name: fitted.predict(case)[CP].values for case in data.cases(f"fold-{fold}")}
    return {"answers": found, "seconds": process_time() - started}


def of_member(folder: Path, data: Dataset, seed: int) -> Row:
    """Answers of one member on every fold, trained on the others."""
    found, seconds, parameters = {}, 0.0, 0
    for fold in range(FOLDS):
        surrogate = member(folder, seed, fold)
        found |= {case.name: surrogate.predict(case, surface_only=True)[CP] for case in data.cases(f"fold-{fold}")}
        seconds += float(surrogate.about["training_seconds"]) + float(surrogate.about["preparation_seconds"])
        parameters = sum(p.numel() for p in surrogate.model.parameters())
    return {"answers": found, "seconds": seconds, "parameters": parameters}


def answers(folder: Path, name: str, make: Callable[[], Row]) -> Row:
    """What a predictor answered, kept in a file of its own: too large for a row."""
    path = folder / "answers" / f"{name}.json"
    if not path.exists():
        found = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**found, "answers": {key: values.tolist() for key, values in found["answers"].items()}}))
    kept = json.loads(path.read_text())
    return {**kept, "answers": {key: np.array(values) for key, values in kept["answers"].items()}}


def mean(members: Sequence[Answers]) -> Answers:
    return {name: np.mean([own[name] for own in members], axis=0) for name in members[0]}


def total(members: Sequence[Row]) -> Row:
    return {"seconds": sum(own["seconds"] for own in members), "parameters": sum(own["parameters"] for own in members)}


def scores(order: Sequence[Case], found: Answers) -> PressureScores:
    return pressure_scores(order, [found[case.name] for case in order])


def row(order: Sequence[Case], found: Answers, gaussian: PressureScores, about: Mapping[str, Any] | None = None) -> Row:
    """Normalised mean square error of Cp with its interval, and lift by the pressure alone."""
    own, numbers = scores(order, found), scores(order, found).row()
    lift = np.array([[lift_of(case, found[case.name]), lift_of(case, case.fields[CP].values)] for case in order])
    off = np.abs(lift[:, 0] - lift[:, 1])
    about = about or {}
    return {
        "metric": "mean of ((Cp - true) / 23.3325)^2",
        "mean": numbers["mean"],
        "95 %": [numbers["low"], numbers["high"]],
        "median": numbers["median"],
        "fold 0": float((own.per_case * own.nodes)[::FOLDS].sum() / own.nodes[::FOLDS].sum()),
        "worst five": [[name, error] for name, error in own.worst],
        "share of worst five": numbers["share_of_worst"],
        "Cp RMSE by length": numbers["rmse"],
        "better than the Gaussian process": int((own.per_case < gaussian.per_case).sum()),
        "Spearman of CL": float(spearmanr(lift[:, 0], lift[:, 1]).statistic),
        "mean |dCL|": float(off.mean()),
        "worst |dCL|": float(off.max()),
        "cases": len(order),
        "parameters": about.get("parameters", 0),
        "CPU seconds": round(about.get("seconds", 0.0), 1),
        "command": COMMAND,
    }


def lift_of(case: Case, values: np.ndarray) -> float:
    """CL by the pressure at the points of the ring, which is closed by a straight line over the last 0.001 chords; the file's numbers made physical."""
    values = PUBLISHED_DENSITY * values
    lift = geoop.forces(Case(case.mesh, case.operating_point, {CP: Field(QUANTITIES[CP], values)}, wall=case.wall, name=case.name)).CL
    assert lift is not None
    return lift


def agreement(folder: Path, data: Dataset) -> Row:
    """The panel method of the file, on the points of the ring, beside that of geoop: on 240 panels through them, as it is given to the model."""
    plain = Dataset.open(folder / "published")
    differences, closest = [], []
    for name in (name for k in range(FOLDS) for name in data.splits[f"fold-{k}"]):
        case = plain.case(name)
        theirs = case.fields[INVISCID].values
        differences.append(data.case(name).fields[INVISCID].values - theirs)
        bare = Case(case.mesh, case.operating_point, {}, wall=case.wall, name=name)
        closest.append(with_solutions([bare], [INVISCID], panels=None)[0].fields[INVISCID].values - theirs)
    ours, same = (np.abs(np.concatenate(parts)) for parts in (differences, closest))
    return {
        "240 panels: rms": float(np.sqrt((ours**2).mean())),
        "240 panels: median": float(np.median(ours)),
        "240 panels: largest": float(ours.max()),
        "panels between the points: rms": float(np.sqrt((same**2).mean())),
        "panels between the points: median": float(np.median(same)),
        "panels between the points: largest": float(same.max()),
        "cases": len(differences),
        "unit": "Cp",
        "command": COMMAND,
    }


def stated(order: Sequence[Case], found: Answers) -> Row:
    """Errors that 90 % of the cases stay below by split-conformal prediction over the folds' answers; and what was covered when each fold in turn was the
    test and the others the calibration.
    """
    errors = {
        "Cp": PUBLISHED_DENSITY * np.sqrt(scores(order, found).square),
        "CL": np.array([abs(lift_of(case, found[case.name]) - lift_of(case, case.fields[CP].values)) for case in order]),
    }
    report: Row = {"nominal": COVERAGE, "cases": len(order), "command": COMMAND}
    folds = np.arange(len(order)) % FOLDS
    for name, values in errors.items():
        covered = [values[folds == k] <= conformal_quantile(values[folds != k], COVERAGE) for k in range(FOLDS)]
        report[f"{name}: expected error"] = conformal_quantile(values, COVERAGE)
        report[f"{name}: covered"] = float(np.concatenate(covered).mean())
    return report
