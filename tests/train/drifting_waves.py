"""Series with exact solutions: vortices of Taylor and Green that drift with a stream, one wave number per series."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from geoop.io.dataset import Dataset
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.case import Case, Series
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.truth.exact.taylor_green import TaylorGreen

FRAMES, INTERVAL, SPEED, AMPLITUDE = 14, 0.1, 1.0, 0.4


def rectangle(nx: int = 17, ny: int = 9) -> Mesh:
    """(0, 2) x (0, 1) as triangles, one patch per side."""
    points = np.stack(np.meshgrid(np.linspace(0, 2, nx), np.linspace(0, 1, ny), indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange(nx * ny).reshape(nx, ny)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    sides = {"inlet": number[0, ::-1], "outlet": number[-1], "bottom": number[:, 0], "top": number[::-1, -1]}
    patches = {key: Cells.of(line=np.stack([row[:-1], row[1:]], axis=1)) for key, row in sides.items()}
    return Mesh(points, Cells.of(triangle=np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])), patches, name="rectangle")


def wave_number(name: str) -> float:
    """Of a series, between 3 and 8 per metre."""
    return 3.0 + 5.0 * np.random.default_rng(sum(map(ord, name)) * 7919 % 2**31).random()


def frame(mesh: Mesh, k: float, time: float, name: str = "") -> Case:
    """Exact: drifting vortices solve the equations that resting ones do."""
    flow = TaylorGreen(viscosity=0.002, amplitude=AMPLITUDE, wave_number=k)
    velocity = flow.velocity(mesh.points - [SPEED * time, 0.0], time) + [SPEED, 0.0]
    condition = OperatingPoint(SPEED, density=1.0, viscosity=0.002, reference_length=1.0)
    return Case(mesh, condition, {"velocity": Field(QUANTITIES["velocity"], velocity)}, wall=(), time=time, name=name)


def series(k: float, frames: int = FRAMES, interval: float = INTERVAL, start: float = 0.0, mesh: Mesh | None = None) -> Series:
    """Frames at equal times."""
    mesh = mesh or rectangle()
    times = start + interval * np.arange(frames)
    return Series(times, tuple(frame(mesh, k, float(t)) for t in times))


def dataset(directory: Path, train: int = 6, interval: float = INTERVAL) -> Dataset:
    """As a data set with splits train, val and test."""
    names = {"train": [f"s{k:02d}" for k in range(train)], "val": ["v00"], "test": ["t00"]}
    splits = {split: tuple(f"{name}_{k:02d}" for name in rows for k in range(FRAMES)) for split, rows in names.items()}
    owner = {case: case.rsplit("_", 1)[0] for cases in splits.values() for case in cases}
    plan = DatasetPlan("drifting-waves", "exact", splits, geometry=owner, series=owner, seed=0, licence="CC0-1.0")
    mesh = rectangle()

    def make(name: str) -> Case:
        return frame(mesh, wave_number(owner[name]), interval * int(name.rsplit("_", 1)[1]), name)

    return write_dataset(directory, plan, partial(make))
