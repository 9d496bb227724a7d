"""Confidence beyond Karman-Trefftz sections: real sections, regions with edge-masking ensembles, and rollouts; part of studies_confidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import benchmark_operators as operators
import numpy as np
from confidence_answers import Answered, answered, codes, flagged, kept

import geoop
from geoop.io.dataset import Dataset
from geoop.io.paraview import patch_case
from geoop.mesh.case import Case, Series
from geoop.models.mesh_graph_net import MeshGraphNet
from geoop.models.presets import PRESETS
from geoop.models.rigno import RIGNO
from geoop.results.confidence.calibrating import fitted
from geoop.results.confidence.ensemble import Ensemble
from geoop.results.confidence.latent_distance import LatentCloud
from geoop.results.metrics import relative_l2
from geoop.results.stepping import SurrogateStepper
from geoop.results.surrogate import Surrogate
from geoop.train.fit import FitSettings

Row = dict[str, Any]
Once = Callable[[str, Callable[[], Row]], Row]
ROOT = Path(__file__).resolve().parent.parent
#: Training cases whose latent codes are kept; CPU-minutes of a training; members of an edge-masking ensemble and their share of edges left out.
CODES, MINUTES, MEMBERS, SHARE = 350, 2.0, 6, 0.5
#: Steps of a rollout.
STEPS = 10


def measure(folder: Path, once: Once) -> None:
    """All rows."""
    for split in ("test", "ood"):
        for by in ("all", "latent", "envelope"):
            once(f"confidence/uiuc-panel {split}, MeshGraphNet/{by}", partial(sections, folder, split, by))
        for kind in ("single", "edge masking"):
            once(f"confidence/void-elasticity {split}, RIGNO/{kind}", partial(regions, folder, split, kind, "all"))
        for by in ("latent", "spread", "envelope"):
            once(f"confidence/void-elasticity {split}, RIGNO/{by} alone", partial(regions, folder, split, "edge masking", by))
    for name in ("RIGNO", "GAOT", "MeshGraphNet", "Transolver"):
        once(f"confidence/rollouts of wakes/{name}", partial(rollouts, name))


def data_of(name: str) -> Dataset:
    """A data set of the operator benchmark; made where it is missing."""
    there = operators.OUTPUT / "data" / name
    return Dataset.open(there) if there.exists() else operators.dataset(name)


def sections(folder: Path, split: str, by: str) -> Row:
    """Real sections; the surrogate of the operator benchmark, or one of a few minutes where that was not run."""
    data = data_of("uiuc-panel")

    def surrogate() -> Surrogate:
        best = operators.OUTPUT / "runs" / "uiuc-panel" / "MeshGraphNet" / "small" / "cpu20" / "rate1" / "seed0" / "best.safetensors"
        if best.exists():
            return geoop.load(best)
        make = partial(MeshGraphNet, **PRESETS["MeshGraphNet"]["small"])
        return _trained(folder / "uiuc-run", data, make, ("velocity", "pressure_coefficient"))

    def walls(own: str) -> Iterable[Case]:
        names = data.splits[own][:: 2 if own == "train" else 1]  # with their mirror images codes enough
        return (patch_case(data.case(name), "wall") for name in names)

    def answers(own: str) -> list[Answered]:
        return kept(folder / f"uiuc {own}.pickle", lambda: answered(surrogate(), walls(own)))

    cloud = LatentCloud.fit(kept(folder / "uiuc codes.pickle", lambda: codes(surrogate(), walls("train"))))
    calibration = fitted([a.record for a in answers("val")], cloud)
    usual = float(np.quantile([a.record.errors["pressure_coefficient"] for a in answers("test")], 0.95))
    return flagged(answers(split), calibration, "pressure_coefficient", usual, by)


def regions(folder: Path, split: str, kind: str, by: str) -> Row:
    """Stress in plates with voids."""
    whole = data_of("void-elasticity")
    splits = {"train": whole.splits["train"][:CODES], "val": whole.splits["val"][:60]} | {k: whole.splits[k][:80] for k in ("test", "ood")}
    data, name = whole.with_splits(splits), "von_mises_stress"

    def surrogate() -> Surrogate:
        return _trained(folder / "void-run", data, partial(RIGNO, **PRESETS["RIGNO"]["small"]), (name,))

    def predictor() -> Surrogate | Ensemble:
        return Ensemble.masked(surrogate(), MEMBERS, share=SHARE) if kind == "edge masking" else surrogate()

    def answers(own: str) -> list[Answered]:
        return kept(folder / f"void {kind} {own}.pickle", lambda: answered(predictor(), (data.case(case) for case in data.splits[own])))

    def train() -> list[np.ndarray]:
        return codes(surrogate(), (data.case(case) for case in data.splits["train"]), mirror=False)

    cloud = LatentCloud.fit(kept(folder / "void codes.pickle", train))
    calibration = fitted([a.record for a in answers("val")], cloud)
    usual = float(np.quantile([a.record.errors[name] for a in answers("test")], 0.95))
    return flagged(answers(split), calibration, name, usual, by)


def _trained(run: Path, data: Dataset, make: Callable[..., Any], quantities: tuple[str, ...]) -> Surrogate:
    best = run / "best.safetensors"
    if not (best.exists() and geoop.load(best).expected_errors):
        settings = FitSettings(cpu_minutes=MINUTES, batch=4, domain_points=512, vary_points=1.0)
        geoop.fit(data, run, quantities=quantities, model=make, settings=settings, resume=(run / "last.ckpt").exists(), progress=False)
    return geoop.load(best)


def rollouts(name: str) -> Row:
    """A stepper of ``benchmark moving`` on the test series as they are, and without the patches that it was trained with."""
    surrogate = geoop.load(ROOT / "out" / "moving" / "steppers" / name / "stepper.safetensors")
    data = Dataset.open(ROOT / "out" / "moving" / "wakes")
    history = SurrogateStepper(surrogate).history
    row: Row = {}
    for words, strip in (("as trained", False), ("without patches", True)):
        errors, levels, reason = [], [], ""
        for series in (data.series(key) for key in data.series_names("test")):
            part = Series(series.times[: history + STEPS], series.cases[: history + STEPS])
            if strip:
                bare = tuple(replace(case, mesh=replace(case.mesh, patches={}), wall=None) for case in part.cases)
                part = Series(part.values, bare)
            found = geoop.rollout(surrogate, part)
            pairs = zip(found.predicted.cases, part.cases[history:], strict=False)
            errors += [relative_l2(a.fields["velocity"].values, b.fields["velocity"].values) for a, b in pairs]
            assert found.verdict is not None
            levels.append(found.verdict.level)
            reason = found.verdict.reason
        row |= {f"{words}: error": float(np.mean(errors)), f"{words}: outside": levels.count("outside"), f"{words}: series": len(levels)}
        row |= {f"{words}: reason of the last": reason}
    return row
