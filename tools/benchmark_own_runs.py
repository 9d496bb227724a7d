"""What `examples/06_own_runs.py` learned from 60 files of solved flows, beside controls and the solver, on the bodies that it held out."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

import geoop
from geoop.baselines.features import Features
from geoop.baselines.gaussian_process import GaussianProcess
from geoop.baselines.transfer import Place
from geoop.mesh.case import Case
from geoop.results.metrics import relative_l2
from geoop.truth.datasets import bluff_channel

ROOT = Path(__file__).resolve().parent.parent
QUANTITIES = ("velocity", "pressure")


def main(arguments: list[str] | None = None) -> None:
    """Print a table: errors of fields and of drag, and seconds per case."""
    parser = argparse.ArgumentParser(prog="tools/benchmark own-runs", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "out", help="where the example wrote")
    parser.add_argument("--split", default="test")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 140)
    data = geoop.Dataset.open(options.folder / "collected-60")
    train, held = data.cases("train"), data.cases(options.split)
    solved: dict[str, tuple[float, float]] = {}
    for case in (*train, *held):
        start = time.perf_counter()
        exact = bluff_channel.case(0, f"bluff_{int(case.name.removeprefix('run_')):04d}")
        solved[case.name] = float(exact.field("drag_coefficient").values), time.perf_counter() - start
    surrogate = geoop.load(options.folder / "run-60" / "best.safetensors")
    drag = np.array([solved[case.name][0] for case in train])
    table = Table(
        title=f"{len(train)} runs to learn from, {len(held)} held out ({options.split}): relative L2 of fields and error of CD in %, mean (median)"
    )
    for heading in ("predictor", "velocity", "pressure", "CD", "seconds per case"):
        table.add_column(heading, justify="left" if heading == "predictor" else "right")

    def row(name: str, predict: Callable[[Case], tuple[dict[str, np.ndarray], float]]) -> None:
        errors, seconds = [], []
        for case in held:
            start = time.perf_counter()
            fields, found = predict(case)
            seconds.append(time.perf_counter() - start)
            l2 = [relative_l2(fields[q], case.field(q).values) for q in QUANTITIES] if fields else [np.nan] * len(QUANTITIES)
            errors.append([*l2, abs(found / solved[case.name][0] - 1.0)])
        mean, median = 100 * np.mean(errors, axis=0), 100 * np.median(errors, axis=0)
        cells = ["-" if np.isnan(m) else f"{m:.1f} ({q:.1f})" for m, q in zip(mean, median, strict=True)]
        table.add_row(name, *cells, f"{np.mean(seconds):.2f}")

    def model(case: Case) -> tuple[dict[str, np.ndarray], float]:
        result = surrogate.predict(replace(case, fields={}))
        return {q: result[q] for q in QUANTITIES}, float(geoop.forces(result, friction="velocity").CD or np.nan)

    row("geoop BodyField", model)
    controls = Controls(train, drag)
    for name in ("nearest run", "ridge", "Gaussian process"):
        row(name, lambda case, name=name: controls.predict(case, name))
    row("mean of the runs", lambda case: controls.predict(case, "mean"))
    console.print(table)
    console.print(f"the solver itself: {np.mean([solved[case.name][1] for case in held]):.2f} s per case")


class Controls:
    """What a sceptic would do: the runs' dimensionless fields at the same place in the channel, combined by the body's shape and conditions.

    Every control is a set of weights over the runs, or a regression on the modes of their fields; it sees what the network sees: modes of the
    section's coordinates, Reynolds number and the room on all sides.
    """

    def __init__(self, train: list[Case], drag: np.ndarray) -> None:
        self.train, self.level = train, np.log(drag)
        places = [Place.of(case) for case in train]
        self.features = Features.fit(train, places)
        self.rows = np.array([self.features.row(case, place) for case, place in zip(train, places, strict=True)])
        self.inside = [
            (LinearNDInterpolator(case.mesh.points, _values(case)), NearestNDInterpolator(case.mesh.points, _values(case))) for case in train
        ]

    def predict(self, case: Case, kind: str) -> tuple[dict[str, np.ndarray], float]:
        """Fields at the points of a case, and its drag coefficient."""
        at, own = case.mesh.points, self.features.row(case, Place.of(case))
        fields = []
        for linear, nearest in self.inside:
            found = linear(at)
            outside = ~np.isfinite(found).all(axis=1)
            found[outside] = nearest(at[outside])
            fields.append(found.ravel())
        outputs = np.column_stack([np.array(fields), self.level])
        found = self._combined(outputs, own, kind)
        values = found[:-1].reshape(-1, 3)
        point = case.operating_point
        assert point is not None
        scaled = {"velocity": values[:, :2] * point.velocity, "pressure": values[:, 2] * point.density * point.velocity**2}
        return scaled, float(np.exp(found[-1]))

    def _combined(self, outputs: np.ndarray, own: np.ndarray, kind: str) -> np.ndarray:
        mean = outputs.mean(axis=0)
        if kind == "mean":
            return mean
        if kind == "nearest run":
            return outputs[int(np.argmin((((self.rows - own) * self.features.importance) ** 2).sum(axis=1)))]
        if kind == "ridge":
            penalty = 1e-2 * len(self.rows) * np.eye(self.rows.shape[1])
            return mean + own @ np.linalg.solve(self.rows.T @ self.rows + penalty, self.rows.T @ (outputs - mean))
        left, size, modes = np.linalg.svd(outputs - mean, full_matrices=False)
        process = GaussianProcess.fit(self.rows, left * size)
        return mean + process.predict(own[None])[0] @ modes


def _values(case: Case) -> np.ndarray:
    """(n, 3) velocity over the inlet's mean and pressure over rho U^2."""
    point = case.operating_point
    assert point is not None
    return np.column_stack([case.field("velocity").values / point.velocity, case.field("pressure").values / (point.density * point.velocity**2)])


if __name__ == "__main__":
    main()
