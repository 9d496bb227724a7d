"""Edge masking in RIGNO, as regulariser and as ensemble: errors with and without it, on other clouds too, and whether the spread knows the error."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from benchmark_operators import TASKS, dataset
from scipy.stats import spearmanr

from geoop.io.dataset import Dataset
from geoop.mesh.case import Case
from geoop.models.presets import PRESETS
from geoop.models.rigno import RIGNO
from geoop.results.decoder import Decoder
from geoop.results.metrics import relative_l2
from geoop.results.surrogate import Surrogate
from geoop.train.fit import fit
from geoop.train.preparing import TrainingData
from geoop.train.settings import FitSettings


def main(arguments: Sequence[str] | None = None) -> list[dict[str, float]]:
    """Train with and without masks, print a markdown table with one row per training and return its numbers; everything on validation cases."""
    parser = argparse.ArgumentParser(prog="tools/benchmark edge-masking", description=__doc__)
    parser.add_argument("--task", default="void-elasticity", choices=list(TASKS))
    parser.add_argument("--cases", type=int, default=300, help="of the training split")
    parser.add_argument("--validation", type=int, default=50, help="cases of the validation split that are looked at")
    parser.add_argument("--cpu-minutes", type=float, default=1.0, help="computing time of each training")
    parser.add_argument("--points", type=int, default=512, help="points of the cloud in training")
    parser.add_argument("--transfer", type=int, nargs="*", default=[256, 1024], help="points of other clouds that the same model is asked on")
    parser.add_argument("--masks", type=float, nargs="*", default=[0.0, 0.5], help="shares of edges left out in training; 0 is the control")
    parser.add_argument("--ensemble", type=float, default=0.5, help="share of edges that the members of an ensemble leave out")
    parser.add_argument("--members", type=int, default=8)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    task, data = TASKS[given.task], shortened(dataset(given.task), given.cases, given.validation)
    shared = TrainingData.of(data, task.quantities, task.inputs, task.preparation(domain_points=given.points), progress=False)
    rows = []
    for seed in given.seeds:
        for mask in given.masks:
            model = partial(RIGNO, **{**PRESETS["RIGNO"]["small"], "mask": mask})
            settings = FitSettings(cpu_minutes=given.cpu_minutes, batch=4, seed=seed)
            with tempfile.TemporaryDirectory() as folder:
                trained = fit(shared, Path(folder) / "run", model=model, settings=settings, progress=False)
            row = {"mask": mask, "seed": seed, "epochs": trained.about["epochs"], f"{given.points}": error(trained, shared.validation_cases)}
            for count in given.transfer:
                other = Surrogate(trained.model, trained.normaliser, trained.envelope, replace(trained.framing, domain_points=count))
                row[f"{count}"] = error(other, shared.validation_cases)
            rows.append(row | ensemble(trained, shared.validation_cases, given.ensemble, given.members))
    heads = [f"{key} points" if key.isdigit() else key for key in rows[0]]
    print(
        f"{given.task}, {len(shared.train)} training and {len(shared.validation_cases)} validation cases, {given.cpu_minutes:g} CPU-minutes each;",
        end=" ",
    )
    print(f"mean relative L2 in per cent; ensembles of {given.members} that leave out {given.ensemble:g} of the edges\n")
    print("| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|")
    for row in rows:
        print("| " + " | ".join(f"{value:.3g}" for value in row.values()) + " |")
    return rows


def shortened(data: Dataset, train: int, validation: int) -> Dataset:
    """The data set with the first cases of its training and validation splits, and without the others."""
    splits = {"train": data.splits["train"][:train], "val": data.splits["val"][:validation]}
    return replace(data, manifest=replace(data.manifest, splits=splits))


def error(surrogate: Surrogate, cases: Sequence[Case]) -> float:
    """Mean relative L2 over cases and quantities, in per cent."""
    names = [quantity.name for quantity in surrogate.normaliser.quantities]
    found = []
    for case in cases:
        result = surrogate.predict(case, surface_only=True)
        found += [relative_l2(result[name], case.field(name).values) for name in names]
    return 100 * float(np.mean(found))


def ensemble(surrogate: Surrogate, cases: Sequence[Case], share: float, members: int) -> dict[str, float]:
    """Error of the ensemble's mean, its spread relative to the field, and the rank correlations of spread and error: over the cases, and over
    the points of a case on average."""
    model = surrogate.model
    assert isinstance(model, RIGNO)
    trained_with, model.mask = model.mask, share
    name = surrogate.normaliser.quantities[0].name
    errors, spreads, within = [], [], []
    for case in cases:
        framed = surrogate.framing.of(case)
        prepared = model.prepare(framed.geometry)
        fields = []
        for seed in range(members):
            decoder = Decoder.of(model, surrogate.normaliser, surrogate.framing, case, framed, model.masked(prepared, seed), chunk=8192)
            fields.append(next(field.values for field in decoder.on_mesh() if field.name == name))
        values = np.stack(fields).astype(np.float64)
        truth, mean, spread = np.asarray(case.field(name).values), values.mean(axis=0), values.std(axis=0, ddof=1)
        size = np.linalg.norm(truth)
        errors.append(float(np.linalg.norm(mean - truth) / size))
        spreads.append(float(np.linalg.norm(spread) / size))
        at_points = [np.abs(part).reshape(len(truth), -1).sum(axis=1) for part in (spread, mean - truth)]
        within.append(float(spearmanr(*at_points).statistic))
    model.mask = trained_with
    return {
        "ensemble": 100 * float(np.mean(errors)),
        "spread": 100 * float(np.mean(spreads)),
        "rank correlation over cases": float(spearmanr(spreads, errors).statistic),
        "over points": float(np.mean(within)),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
