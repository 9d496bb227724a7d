"""Resolution transfer of trained models: their errors on clouds of N/2, 2N and 4N points over that on N.

The models are those that `tools/benchmark operators` trained. Of every model the run with the smallest validation loss counts, and the error is that of its
tables (mean relative L2 over the quantities; in brackets the same of medians), on some cases of the test split, evenly spaced.

Clouds keep their grading as they are refined. So there is one more column, for clouds of N points that are dense elsewhere: every point of the cloud of 4N
points gives its weight to the nearest one that was kept. The control is a model that was trained, and is asked, with equal weights of the same sum:
``--equal-weights`` trains it as long as the others. Asking a model with equal weights that was trained with quadrature weights is no such control: it only
shows that they are used.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import benchmark_operators as operators
import numpy as np
import torch
from field_errors import errors
from scipy.spatial import cKDTree

import geoop
from geoop.graph.geometry import Geometry, Queries
from geoop.io.dataset import Dataset
from geoop.mesh.case import Case
from geoop.models.named import model_classes
from geoop.models.presets import PRESETS
from geoop.results.surrogate import Surrogate
from geoop.scaling.framed import Framed
from geoop.scaling.framing import Framing
from geoop.train.fit import fit
from geoop.train.preparing import TrainingData
from geoop.train.settings import FitSettings

#: How many times the points of training the other clouds have.
FACTORS = (0.5, 2.0, 4.0)
#: Odds of a point on one side of the body, or region, against one on the other in the clouds that are dense elsewhere.
ODDS = 4.0
#: Runs with equal weights.
EQUAL = operators.OUTPUT / "runs-equal-weights"
#: What the errors may grow by.
TARGET = 1.3


def main(arguments: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Print a markdown table per data set and return its rows."""
    parser = argparse.ArgumentParser(prog="benchmark transfer", description=str(__doc__).split("\n")[0])
    parser.add_argument("--tasks", nargs="*", default=list(operators.SCREENING), choices=list(operators.TASKS), help="data sets")
    parser.add_argument("--models", nargs="*", help="classes of geoop.models; all that were trained by default")
    parser.add_argument("--cases", type=int, default=40, help="of the test split, evenly spaced")
    parser.add_argument("--runs", type=Path, default=operators.OUTPUT / "runs", help="folder of the trained models")
    parser.add_argument("--equal-weights", nargs="*", default=[], metavar="MODEL", help="also train these with equal weights, as a control")
    parser.add_argument("--cpu-minutes", type=float, default=6.0, help="computing time of each training with equal weights")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = []
    for name in given.tasks:
        for model in given.equal_weights:
            train_equal(name, model, given.cpu_minutes)
        folders = ((given.runs / name, False), (EQUAL / name, True))
        found = [
            (path, equal) for folder, equal in folders for path in best_runs(folder) if not given.models or model_of(folder, path) in given.models
        ]
        if not found:
            print(f"\n{name}: no trained models", flush=True)
            continue
        data = fewer(operators.dataset(name), given.cases)
        heads(name, data)
        for path, equal in found:
            folder = (EQUAL if equal else given.runs) / name
            rows.append(row(name, data, path, model_of(folder, path) + clouds_of(folder, path), equal))
            print(line(rows[-1]), flush=True)
    return rows


def model_of(folder: Path, path: Path) -> str:
    """The class of a run, the first folder of its path."""
    return path.relative_to(folder).parts[0]


def clouds_of(folder: Path, path: Path) -> str:
    """What a run's folder says of its training clouds."""
    return next((f", clouds varied by {part.removeprefix('vary')}" for part in path.relative_to(folder).parts if part.startswith("vary")), "")


def train_equal(name: str, model: str, minutes: float) -> None:
    """Train with equal weights where that was not done, all else as `tools/benchmark operators` does."""
    folder = EQUAL / name / model / f"cpu{minutes:g}"
    if (folder / "best.safetensors").exists() and geoop.load(folder / "best.safetensors").expected_errors:
        return
    shutil.rmtree(folder, ignore_errors=True)
    task = operators.TASKS[name]
    shared = TrainingData.of(operators.dataset(name), task.quantities, task.inputs, task.preparation(), progress=False)
    parts = {part: [replace(item, geometry=evened(item.geometry)) for item in getattr(shared, part)] for part in ("train", "validation")}
    budget = {"cpu_minutes": minutes, "batch": operators.BATCH, "field_points": operators.POINTS[0], "wall_points": operators.POINTS[1]}
    kind = partial(model_classes()[model], **PRESETS[model]["small"])
    fit(replace(shared, **parts), folder, model=kind, settings=FitSettings(**budget), progress=False)


def best_runs(folder: Path) -> Iterator[Path]:
    """The checkpoint of every model, and of every law of its training clouds, with the smallest validation loss, of those that are finished."""
    by_model: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*/**/best.safetensors")):
        by_model.setdefault(model_of(folder, path) + clouds_of(folder, path), []).append(path)
    for paths in by_model.values():
        finished = [path for path in paths if geoop.load(path).expected_errors]
        if finished:
            yield min(finished, key=lambda path: operators.validation_loss(path.parent))


def fewer(data: Dataset, count: int) -> Dataset:
    """The data set with evenly spaced cases of its test split; of the others a few, from which nothing is read here."""
    kept = {"train": data.splits["train"][:2], "val": data.splits["val"][:1], "test": evenly(data.splits["test"], count)}
    return replace(data, manifest=replace(data.manifest, splits=kept))


def evenly(items: Sequence[str], count: int) -> list[str]:
    """At most ``count`` of the items, evenly spaced, the first among them."""
    count = min(count, len(items))
    return [items[int(i)] for i in np.arange(count) * len(items) // max(count, 1)]


@dataclass(frozen=True, eq=False)
class OtherCloud(Framing):
    """The framing of a trained model with another cloud.

    Attributes:
        equal: all weights the same, with the sum of the quadrature weights.
        elsewhere: keep this many of the points, more of them on one side, with the weights of those that they stand for; 0 keeps all.
    """

    equal: bool = False
    elsewhere: int = 0

    @classmethod
    def like(cls, framing: Framing, points: int, *, equal: bool = False, elsewhere: int = 0) -> OtherCloud:
        plain = {name: getattr(framing, name) for name in Framing.__dataclass_fields__}
        return cls(**{**plain, "domain_points": points}, equal=equal, elsewhere=elsewhere)

    def of(self, case: Case) -> Framed:
        framed = super().of(case)
        geometry = framed.geometry
        assert geometry.domain is not None
        if self.elsewhere:
            geometry = replace(geometry, domain=regraded(geometry.domain, self.elsewhere))
        return replace(framed, geometry=evened(geometry) if self.equal else geometry)


def evened(geometry: Geometry) -> Geometry:
    """The geometry of one sample with equal weights of the same sum in its domain."""
    assert geometry.domain is not None
    weight = geometry.domain.points.weight
    return replace(geometry, domain=with_weight(geometry.domain, torch.full_like(weight, float(weight.double().mean()))))


def with_weight(queries: Queries, weight: torch.Tensor) -> Queries:
    """The same points with other quadrature weights."""
    return Queries(replace(queries.points, weight=weight), queries.anchor, queries.share)


def regraded(domain: Queries, count: int, seed: int = 0) -> Queries:
    """``count`` of the points, drawn with odds of ODDS to 1 for the side x > median, each with the summed weights of the points nearest to it."""
    pos, weight = domain.points.pos.double().numpy(), domain.points.weight.double().numpy()
    likely = np.where(pos[:, 0] > np.median(pos[:, 0]), ODDS, 1.0)
    count = min(count, len(pos))
    kept = np.sort(np.random.default_rng(seed).choice(len(pos), count, replace=False, p=likely / likely.sum()))
    owner = cKDTree(pos[kept]).query(pos)[1]
    summed = np.bincount(owner, weights=weight, minlength=count)
    return with_weight(domain.take(torch.from_numpy(kept)), torch.from_numpy(summed).float())


def row(name: str, data: Dataset, path: Path, model: str, equal: bool = False) -> dict[str, Any]:
    """Error (mean, median) on N points, and what both are multiplied by on the others; the first alone where the model places its own points."""
    trained = geoop.load(path)
    n = trained.framing.domain_points
    out: dict[str, Any] = {"model": model + (" with equal weights" if equal else ""), "run": str(path.parent), "N": n}
    if not trained.model.on_clouds:
        return out
    base = error(name, data, trained, OtherCloud.like(trained.framing, n, equal=equal))
    out["error"] = base
    others = {f"{factor:g} N": OtherCloud.like(trained.framing, round(factor * n), equal=equal) for factor in FACTORS}
    others["elsewhere"] = OtherCloud.like(trained.framing, 4 * n, equal=equal, elsewhere=n)
    for key, framing in others.items():
        found = error(name, data, trained, framing)
        out[key] = (found[0] / base[0], found[1] / base[1])
    out["other weights"] = error(name, data, trained, OtherCloud.like(trained.framing, n, equal=not equal))
    return out | {"queries": queries_alone(trained, data)}


def error(name: str, data: Dataset, trained: Surrogate, framing: Framing) -> tuple[float, float]:
    """The table's error on the test cases and the same of medians, in per cent."""
    asked, task = Surrogate(trained.model, trained.normaliser, trained.envelope, framing), operators.TASKS[name]

    def predict(case: Case) -> dict[str, np.ndarray]:
        return {key: item.values for key, item in asked.predict(case, surface_only=True).fields.items()}

    found = errors(data, "test", task.quantities, predict)
    return found["primary"], float(np.mean([found[f"{quantity} median"] for quantity in task.quantities]))


def queries_alone(trained: Surrogate, data: Dataset, every: int = 7) -> float:
    """Largest difference between the answers to a seventh of the queries of a case and to all of them, over the largest answer."""
    case = data.cases("test")[0]
    framed = trained.framing.of(case)
    queries = framed.queries(case.mesh.points, trained.framing.on_wall(case))
    some = torch.arange(0, len(queries), every)
    with torch.no_grad():
        latent = trained.model.encode(trained.model.prepare(framed.geometry), trained.framing.inputs(case, framed))
        answers = [trained.model.decode(latent, part) for part in (queries.take(some), queries)]
    few, all_ = (torch.cat([answer.scalars, answer.vectors.flatten(1)], dim=1) for answer in answers)
    return float((few - all_[some]).abs().max() / all_.abs().max())


def heads(name: str, data: Dataset) -> None:
    print(f"\n{name}: {len(data.splits['test'])} cases of the test split; error in per cent, mean (median), then what it is multiplied by")
    print(f"(target: at most {TARGET:g} with weights). Dense elsewhere: N points, {ODDS:g} to 1 on one side. Queries: part of them against all\n")
    titles = ["model", "N", "error at N", *(f"{factor:g} N" for factor in FACTORS), "N, dense elsewhere", "asked with the other weights", "queries"]
    print("| " + " | ".join(titles) + " |\n" + "| --- " * len(titles) + "|", flush=True)


def line(row: dict[str, Any]) -> str:
    """One row in markdown."""
    if "error" not in row:
        return f"| {row['model']} | places its own points" + " | -" * (len(FACTORS) + 4) + " |"
    cells = [row["model"], str(row["N"]), "{:.3g} ({:.3g})".format(*row["error"])]
    cells += ["{:.2f} ({:.2f})".format(*row[key]) for key in (*(f"{factor:g} N" for factor in FACTORS), "elsewhere")]
    return "| " + " | ".join([*cells, "{:.3g} ({:.3g})".format(*row["other weights"]), f"{row['queries']:.0e}"]) + " |"


if __name__ == "__main__":
    main(sys.argv[1:])
