"""The data set ``burgers``: two-dimensional Burgers' equation in a periodic square, series in time, sharp fronts."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.quantity import QUANTITIES, Field, Quantity
from ..transport.burgers_periodic import PeriodicBurgers
from .draws import random_of, split_geometries, split_of
from .named import NamedDataset

NAME, PREFIX = "burgers", "burgers"
FRAMES, INTERVAL, LENGTH = 31, 0.02, 1.0
DEFAULT_SIZE = 100 * FRAMES
#: Points per direction: of the labels, of the solver, of the solver where the viscosity is small.
COARSE, FINE, FINE_OUTSIDE = 48, 240, 384
#: Laws of the parameters; the viscosity is uniform in its logarithm.
VISCOSITY, VISCOSITY_OUTSIDE = (0.003, 0.01), (0.0018, 0.003)
SPEED, DRIFT, WAVES = (0.7, 1.4), 0.3, 3
KINEMATIC_VISCOSITY = Quantity("kinematic_viscosity", "nu", "m^2/s")

_DESCRIPTION = f"""Burgers' equation u_t + (u . grad) u = nu laplace u for a velocity in a periodic square of 1 m: random smooth starts \
steepen into fronts of width 4 nu over the jump. {FRAMES} frames, {INTERVAL} s apart, make one series. Solved on {FINE} x {FINE} points \
({FINE_OUTSIDE} x {FINE_OUTSIDE} in 'ood') and given on {COARSE} x {COARSE} squares cut into triangles: the points on the right and upper side \
repeat those on the left and lower one (patches left/right and bottom/top match in pairs), so that the triangles fill the square. \
Split 'ood': smaller viscosity."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits, series and parameters.

    Args:
        n: cases (frames) in train, validation and test together, rounded to whole series of 31, 4 at least.
        seed: of all draws.

    Raises:
        ConfigurationError: fewer than 4 cases.
    """
    if n < 4:
        raise ConfigurationError(f"{n} cases cannot be split", where=NAME, remedy=f"ask for at least 4 series of {FRAMES} frames: -n {4 * FRAMES}")
    geometries = split_geometries(PREFIX, max(4, round(n / FRAMES)), where=NAME, outside={"ood": 0.2})
    splits, series, parameters = {}, {}, {}
    for split, names in geometries.items():
        frames = []
        for name in names:
            found = drawn(seed, name)
            for k in range(FRAMES):
                frame = f"{name}_t{k:02d}"
                series[frame], parameters[frame] = name, found
                frames.append(frame)
        splits[split] = tuple(frames)
    return DatasetPlan(NAME, _DESCRIPTION, splits, _card(), parameters, dict(series), series, seed=seed, licence="CC0-1.0")


def drawn(seed: int, series: str) -> dict[str, float]:
    """Viscosity [m^2/s], largest speed at the start and mean velocity [m/s] of a series."""
    random = random_of(seed, series)
    low, high = VISCOSITY_OUTSIDE if split_of(series, PREFIX) == "ood" else VISCOSITY
    viscosity = low * (high / low) ** random.random()
    speed = SPEED[0] + (SPEED[1] - SPEED[0]) * random.random()
    angle, drift = 2.0 * math.pi * random.random(), DRIFT * math.sqrt(random.random())
    return {"viscosity": viscosity, "speed": speed, "drift_x": drift * math.cos(angle), "drift_y": drift * math.sin(angle)}


def initial(seed: int, series: str, points: np.ndarray) -> np.ndarray:
    """(n, 2) velocity at the start [m/s], at points (n, 2): random waves with |k_x|, |k_y| <= 3 whose amplitudes fall as |k|^-3/2, and a drift."""
    values, random = drawn(seed, series), random_of(seed, series, 1)
    numbers = np.array([(i, j) for i in range(WAVES + 1) for j in range(-WAVES, WAVES + 1) if i > 0 or j > 0])
    size = np.linalg.norm(numbers, axis=1) ** -1.5
    cosines, sines = random.standard_normal((2, len(numbers), 2)) * size[:, None]
    lattice = LENGTH * np.stack(np.meshgrid(*[np.arange(64) / 64] * 2, indexing="ij"), axis=-1).reshape(-1, 2)

    def waves(x: np.ndarray) -> np.ndarray:
        angle = 2.0 * np.pi / LENGTH * (x @ numbers.T)
        return np.cos(angle) @ cosines + np.sin(angle) @ sines

    scale = values["speed"] / np.linalg.norm(waves(lattice), axis=1).max()
    return scale * waves(points) + [values["drift_x"], values["drift_y"]]


def case(seed: int, name: str) -> Case:
    """One frame: ``velocity`` at 49 x 49 points, and the global ``kinematic_viscosity``.

    Raises:
        ConvergenceError: the solver's grid does not resolve the series; only that series is lost.
    """
    series, frame = name.rsplit("_t", 1)
    velocity = frames(seed, series)[int(frame)]
    viscosity = Field(KINEMATIC_VISCOSITY, np.array(drawn(seed, series)["viscosity"]), "global")
    fields = {"velocity": Field(QUANTITIES["velocity"], velocity), viscosity.name: viscosity}
    return Case(_mesh(), None, fields, time=int(frame) * INTERVAL, name=name)


@lru_cache(maxsize=2)
def frames(seed: int, series: str) -> np.ndarray:
    """(31, 49^2, 2) velocities of a series at the points of its mesh [m/s]."""
    fine = FINE_OUTSIDE if split_of(series, PREFIX) == "ood" else FINE
    return solved(seed, series, fine)


def solved(seed: int, series: str, size: int) -> np.ndarray:
    """(31, 49^2, 2) velocities from a solver's grid of so many points per direction, a multiple of 48.

    Raises:
        ConvergenceError: the grid does not resolve the series.
    """
    solver = PeriodicBurgers(size, viscosity=drawn(seed, series)["viscosity"], length=LENGTH)
    start = initial(seed, series, solver.points).T.reshape(2, size, size)
    found = solver.solve(start, INTERVAL * np.arange(FRAMES))[:, :, :: size // COARSE, :: size // COARSE]
    closed = np.pad(found, ((0, 0), (0, 0), (0, 1), (0, 1)), mode="wrap")
    return np.ascontiguousarray(closed.reshape(FRAMES, 2, -1).transpose(0, 2, 1))


@lru_cache(maxsize=1)
def _mesh() -> Mesh:
    """The square as 2 x 48^2 triangles whose diagonals alternate; the last coordinate of the points runs fastest."""
    x = LENGTH * np.arange(COARSE + 1) / COARSE
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange(len(points)).reshape(COARSE + 1, COARSE + 1)
    a, b, c, d = number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]
    even = (np.add.outer(np.arange(COARSE), np.arange(COARSE)) % 2 == 0)[..., None]
    first = np.where(even, np.stack([a, b, c], axis=-1), np.stack([a, b, d], axis=-1))
    second = np.where(even, np.stack([a, c, d], axis=-1), np.stack([b, c, d], axis=-1))
    sides = {"left": number[0, ::-1], "right": number[-1], "bottom": number[:, 0], "top": number[::-1, -1]}
    patches = {key: Cells.of(line=np.stack([row[:-1], row[1:]], axis=1)) for key, row in sides.items()}
    return Mesh(points, Cells.of(triangle=np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)])), patches, name="periodic-square")


def _card() -> dict[str, Any]:
    """Laws and constants for the manifest."""
    return {
        "source": "Fourier pseudo-spectral, 2/3 rule, ETDRK4 (geoop.truth.transport.burgers_periodic), Courant number 0.6",
        "revision": 1,
        "equation": "u_t + (u . grad) u = nu laplace u, periodic in x and y with 1 m",
        "viscosity": f"uniform in its logarithm in {list(VISCOSITY)} m^2/s; ood {list(VISCOSITY_OUTSIDE)}",
        "start": f"waves with |k_x|, |k_y| <= {WAVES}, normal amplitudes falling as |k|^-3/2, scaled to a largest speed "
        f"uniform in {list(SPEED)} m/s, "
        f"plus a drift uniform in the disk of {DRIFT} m/s",
        "frames": FRAMES,
        "interval": INTERVAL,
        "points": [COARSE + 1, COARSE + 1],
        "solver_points": {"train, val, test": FINE, "ood": FINE_OUTSIDE},
        "label_error": "relative L2 over the frames of a series against 384 points per direction: 8e-5 for the sharpest of 100 series of training "
        "(2e-4 in its worst frame, 2e-3 m/s at its worst point, in a front), 2e-5 for the next one, 2e-8 for the median one; "
        "ood against 576 points: 2e-4 for the sharpest of 20",
    }


DATASET = NamedDataset("Burgers' equation in a periodic square as series in time", plan, case, DEFAULT_SIZE, cases_per_worker=FRAMES)
