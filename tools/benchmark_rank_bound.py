"""What no decoder of so many modes and a constant can do better than on fields at common points, beside what a DeepONet of so many modes does.

The tail is the root of the energy of the training fields beyond the modes: a bound for the training cases where the geometry is fixed (poisson-gauss). Where
the points move with the shape (void-elasticity: number by number on a common mesh) the trunk moves too, and the tail is a yardstick.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial

import benchmark_operators as operators
import numpy as np
import torch
from field_errors import errors

from geoop.io.dataset import Dataset
from geoop.models.deeponet import DeepONet
from geoop.models.presets import PRESETS
from geoop.results.metrics import relative_l2
from geoop.scaling.rank_bound import rank_bound
from geoop.train.fit import fit
from geoop.train.preparing import TrainingData
from geoop.train.settings import FitSettings

#: Data sets whose cases share their points, number by number, so that a table of cases x points means something.
SETS = ("void-elasticity", "poisson-gauss")
MODES = (8, 16, 32, 64, 128)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmark rank-bound", description=str(__doc__).split("\n")[0])
    parser.add_argument("--tasks", nargs="*", default=list(SETS), choices=SETS, help="data sets")
    parser.add_argument("--modes", type=int, nargs="*", default=list(MODES))
    parser.add_argument("--train", type=int, default=300, help="training cases")
    parser.add_argument("--cpu-minutes", type=float, default=1.0, help="computing time of each training; 0 prints the bounds alone")
    parser.add_argument("--rate", type=float, default=0.5, help="factor on the default learning rates; at 1 DeepONets train unsteadily")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for name in given.tasks:
        report(name, given.modes, given.train, given.cpu_minutes, given.rate)


def report(name: str, modes: Sequence[int], count: int, minutes: float, rate: float) -> None:
    """One table: relative L2 in per cent, of the training fields as a bound and of the validation fields as what was reached."""
    data, task = operators.dataset(name), operators.TASKS[name]
    quantity = task.quantities[0]
    train, validation = (np.stack([case.field(quantity).values for case in data.cases(split)]) for split in ("train", "val"))
    train = train[:count]
    rows = np.linalg.svd(train / np.linalg.norm(train, axis=1, keepdims=True), full_matrices=False)[2]
    prepared = _prepared(data, task, count) if minutes else None
    print(f"\n{name}, {quantity}: {len(train)} training and {len(validation)} validation cases, {train.shape[1]} points; relative L2 in per cent\n")
    heads = ["modes", "tail of the training fields", "validation fields on the training modes", f"DeepONet, {minutes:g} CPU-min, validation", "steps"]
    print("| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|")
    for p in modes:
        # the model's constant counts as a mode
        tail = 100 * float(rank_bound(train, p + 1, per_case=True))
        basis = rows[: p + 1]
        projected = validation @ basis.T @ basis
        kept = 100 * float(np.mean([relative_l2(found, exact) for found, exact in zip(projected, validation, strict=True)]))
        error, steps = _deeponet(data, prepared, task, p, minutes, rate) if prepared is not None else ("not measured", "-")
        print(f"| {p} | {tail:.3g} | {kept:.3g} | {error} | {steps} |", flush=True)


def _prepared(data: Dataset, task: operators.Task, count: int) -> TrainingData:
    prepared = TrainingData.of(data, task.quantities, task.inputs, task.preparation(), progress=False)
    del prepared.train[count:]
    return prepared


def _deeponet(data: Dataset, prepared: TrainingData, task: operators.Task, modes: int, minutes: float, rate: float) -> tuple[str, int]:
    """Mean relative L2 of a DeepONet on the validation cases, and the steps it had."""
    model = partial(DeepONet, **{**PRESETS["DeepONet"]["small"], "modes": modes})
    with tempfile.TemporaryDirectory() as folder:
        settings = FitSettings(cpu_minutes=minutes, batch=4, rate=2e-3 * rate, muon_rate=1.5e-2 * rate)
        surrogate = fit(prepared, folder + "/run", model=model, settings=settings, progress=False)

    def predict(case):
        return {key: item.values for key, item in surrogate.predict(case).fields.items()}

    found = errors(data, "val", task.quantities, predict)
    return f"{found['primary']:.3g}", surrogate.about["steps"]


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
