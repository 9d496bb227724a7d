"""Geo-FNO arrays (Li et al., JMLR 2023): elasticity of a unit cell with a hole, transonic NACA sections, pipes, as ``.npy``.

Checked in thuml/Transolver (``exp_elas.py``): ``Random_UnitCell_XY_10.npy`` (n, 2, N), ``..._sigma_10.npy`` (n, N), first 1000 cases train, last 200
test; in several loaders: ``..._rr_10.npy`` (42, N), ``NACA_Cylinder_X.npy``, ``_Y.npy`` (N, 221, 51), ``_Q.npy`` (N, 5, 221, 51) with density, velocity in
x and y, pressure, Mach number, train [0, 1000), test [1000, 1200); ``Pipe_X.npy``, ``_Y.npy``, ``_Q.npy`` with the velocity in x first. Not
published in the files: units (all is dimensionless here), the connectivity of the elasticity points (they stay points), the free stream
(taken from the outermost grid line of every case).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import DatasetError, UnreadableFileError
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import QUANTITIES, Field, Quantity
from ..collecting.choices import Choices
from ..collecting.collection import Collection
from ..collecting.splitting import Splits, with_validation
from .layout import Layout, Published, collection_of, constant

_N_TRAIN, _N_TEST = 1000, 200


@dataclass(frozen=True)
class _Problem:
    """A problem: its files, how a case is built, which cases are test."""

    name: str
    files: tuple[str, ...]
    axis: int
    build: Callable[[list[np.ndarray], int, Choices], Case]
    test_at_end: bool


def recognise(root: Path) -> bool:
    """Whether the arrays of one of the problems are in the folder or in ``Meshes``, ``naca`` below it."""
    return any(_home(root, problem) is not None for problem in _PROBLEMS)


def survey(root: Path, choices: Choices) -> Collection:
    """The problem that is there, with the split that the published models use; 10 % of train becomes ``val``.

    Raises:
        DatasetError: several problems are there, or arrays of different numbers of cases.
        UnreadableFileError: an array is damaged.
    """
    there = [problem for problem in _PROBLEMS if _home(root, problem) is not None]
    chosen = [problem for problem in there if problem.name == choices.variant] or there
    if len(chosen) != 1:
        names = ", ".join(problem.name for problem in chosen)
        raise DatasetError(f"the folder holds several problems: {names}", where=str(root), remedy=f"choose one: --variant {chosen[0].name}")
    problem = chosen[0]
    home = _home(root, problem)
    assert home is not None
    paths = [home / name for name in problem.files]
    arrays = [_array(path) for path in paths if path.is_file()]
    counts = {path.name: array.shape[problem.axis if array.ndim > 1 else 0] for path, array in zip(paths, arrays, strict=False)}
    n = next(iter(counts.values()))
    if len(set(counts.values())) > 1:
        raise DatasetError(f"the arrays hold different numbers of cases: {counts}", where=str(home), remedy="download them again")
    names = [f"{problem.name}_{k:04d}" for k in range(n)]
    parts, how = _parts(names, problem)
    found = Published(
        f"geofno-{problem.name}",
        with_validation(Splits(parts, {}, (how,)), choices.seed),
        lambda name: problem.build(arrays, int(name.rsplit("_", 1)[1]), choices),
        {},
        licence="not stated with the data",
        about=f"Geo-FNO, problem '{problem.name}'.",
        facts={"citation": "Li et al., arXiv 2207.05209", "units": "dimensionless"},
        notes=("the publication states no units: everything is dimensionless",),
        takes=("alpha", "mach") if problem.name == "airfoil" else (),
        files=paths,
    )
    return collection_of(found, root, choices)


def _parts(names: list[str], problem: _Problem) -> tuple[dict[str, tuple[str, ...]], str]:
    n = len(names)
    if n >= _N_TRAIN + _N_TEST:
        test = names[-_N_TEST:] if problem.test_at_end else names[_N_TRAIN : _N_TRAIN + _N_TEST]
        left = n - _N_TRAIN - _N_TEST
        how = f"first {_N_TRAIN} cases train, {'last' if problem.test_at_end else 'next'} {_N_TEST} test, as published models have it"
        return {"train": tuple(names[:_N_TRAIN]), "test": tuple(test)}, how + (f"; {left} cases between or behind are left out" if left else "")
    cut = max(1, round(n * _N_TRAIN / (_N_TRAIN + _N_TEST)))
    return {"train": tuple(names[:cut]), "test": tuple(names[cut:])}, f"{n} cases are fewer than the publication's: the last {n - cut} are test"


def _elasticity(arrays: list[np.ndarray], k: int, choices: Choices) -> Case:
    xy, sigma = arrays[0][:, :, k], arrays[1][:, k]
    fields = [Field(Quantity("sigma", "sigma", "1"), np.array(sigma, dtype=np.float64))]
    if len(arrays) > 2:
        fields.append(Field(Quantity("hole_radii", "r", "1", 1), np.array(arrays[2][:, k], dtype=np.float64), "global"))
    return Case(Mesh(np.array(xy, dtype=np.float64), name=f"elasticity_{k}"), fields={item.name: item for item in fields})


def _airfoil(arrays: list[np.ndarray], k: int, choices: Choices) -> Case:
    x, y, q = arrays[0][k], arrays[1][k], arrays[2][k]
    mesh, size = _grid(x, y, f"airfoil_{k}"), x.shape
    wall, outer = _wall_edges(x, y), _edges(size, size[1] - 1)
    patches = {"airfoil": wall, "farfield": outer}
    dimensionless = {name: Quantity(name, QUANTITIES[name].symbol, "1", QUANTITIES[name].rank) for name in ("density", "velocity", "pressure")}
    flat = [np.array(part, dtype=np.float64).reshape(-1) for part in q]
    fields = {
        "density": Field(dimensionless["density"], flat[0]),
        "velocity": Field(dimensionless["velocity"], np.stack([flat[1], flat[2]], axis=1)),
        "pressure": Field(dimensionless["pressure"], flat[3]),
        "mach_number": Field(QUANTITIES["mach_number"], flat[4]),
    }
    far = np.unique(outer.connectivity)
    u, v, rho, mach = (float(np.median(values[far])) for values in (flat[1], flat[2], flat[0], flat[4]))
    point = OperatingPoint(
        float(np.hypot(u, v)) or 1.0,
        constant(choices, "alpha", float(np.degrees(np.arctan2(v, u)))) or 0.0,
        density=rho if rho > 0 else 1.0,
        mach=constant(choices, "mach", mach),
        reference_length=1.0,
    )
    return Case(Mesh(mesh.points, mesh.cells, patches, name=mesh.name), point, fields, wall=("airfoil",))


def _pipe(arrays: list[np.ndarray], k: int, choices: Choices) -> Case:
    x, y = arrays[0][k], arrays[1][k]
    q = arrays[2][k]
    first = np.array(q[0] if q.ndim == 3 else q, dtype=np.float64).reshape(-1)
    mesh, size = _grid(x, y, f"pipe_{k}"), x.shape
    patches = {"lower": _edges(size, 0), "upper": _edges(size, size[1] - 1)}
    fields = {"velocity_x": Field(Quantity("velocity_x", "u_x", "1"), first)}
    return Case(Mesh(mesh.points, mesh.cells, patches, name=mesh.name), fields=fields, wall=("lower", "upper"))


def _grid(x: np.ndarray, y: np.ndarray, name: str) -> Mesh:
    """Quads of a structured grid; point (i, j) has number i * columns + j."""
    points = np.stack([np.asarray(x, dtype=np.float64).reshape(-1), np.asarray(y, dtype=np.float64).reshape(-1)], axis=1)
    number = np.arange(x.size).reshape(x.shape)
    quads = np.stack([number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]], axis=-1).reshape(-1, 4)
    a, b, c, d = (points[quads[:, k]] for k in range(4))
    first, second = c - a, d - b
    negative = (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).sum() < 0  # all cells of one grid turn the same way
    return Mesh(points, Cells.of(quad=quads[:, ::-1] if negative else quads), name=name)


def _edges(size: tuple[int, ...], column: int) -> Cells:
    number = np.arange(size[0] * size[1]).reshape(size)[:, column]
    return Cells.of(line=np.stack([number[:-1], number[1:]], axis=1))


def _wall_edges(x: np.ndarray, y: np.ndarray) -> Cells:
    """Edges of the innermost grid line of a C-grid but for the wake, which the line passes twice."""
    edges = _edges(x.shape, 0)
    middle_x, middle_y = 0.5 * (x[:-1, 0] + x[1:, 0]), 0.5 * (y[:-1, 0] + y[1:, 0])
    chord = float(np.ptp(x[:, 0])) or 1.0
    twice = np.hypot(middle_x - middle_x[::-1], middle_y - middle_y[::-1]) < 1e-6 * chord
    return edges if twice.all() else edges.take(np.flatnonzero(~twice))


_PROBLEMS = (
    _Problem("elasticity", ("Random_UnitCell_XY_10.npy", "Random_UnitCell_sigma_10.npy", "Random_UnitCell_rr_10.npy"), -1, _elasticity, True),
    _Problem("airfoil", ("NACA_Cylinder_X.npy", "NACA_Cylinder_Y.npy", "NACA_Cylinder_Q.npy"), 0, _airfoil, False),
    _Problem("pipe", ("Pipe_X.npy", "Pipe_Y.npy", "Pipe_Q.npy"), 0, _pipe, False),
)


def _home(root: Path, problem: _Problem) -> Path | None:
    """The folder with the first two arrays of a problem."""
    places = (root, root / "Meshes", root / "naca", root / "elasticity" / "Meshes", root / "airfoil" / "naca", root / "pipe")
    return next((place for place in places if all((place / name).is_file() for name in problem.files[:2])), None)


def _array(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UnreadableFileError(f"is no NumPy array: {error}", where=str(path), remedy="download it again") from error


LAYOUT = Layout(
    "geofno",
    "Geo-FNO arrays: elasticity, airfoil, pipe",
    "Random_UnitCell_XY_10.npy, NACA_Cylinder_X.npy or Pipe_X.npy with their companions",
    recognise,
    survey,
)
