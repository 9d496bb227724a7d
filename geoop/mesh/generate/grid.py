"""Regular grids of a rectangle or a box: quads or hexahedra, or the simplices that they are cut into."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

import numpy as np

from ...errors import ConfigurationError
from ..cells import Cells
from ..mesh import Mesh

_SIDES = (("x_min", "x_max"), ("y_min", "y_max"), ("z_min", "z_max"))


def grid(divisions: Sequence[int], *, lower: Sequence[float] | None = None, upper: Sequence[float] | None = None, simplices: bool = False) -> Mesh:
    """A rectangle or a box of equal cells, its sides the patches ``x_min``, ``x_max``, ``y_min`` and so on.

    Points are numbered with the last coordinate running fastest: ``values.reshape(nx + 1, ny + 1)`` is the grid.

    Args:
        divisions: number of cells in each direction, two or three of them.
        lower, upper: corners (d,) [m]; None: 0 and 1.
        simplices: cut every quad into two triangles along the same diagonal, every hexahedron into the six tetrahedra round its diagonal
            (H. W. Kuhn, "Some combinatorial lemmas in topology", IBM J. Res. Dev. 4, 1960), so that faces of neighbours fit.

    Raises:
        ConfigurationError: not two or three directions, fewer than one cell in one of them, or an upper corner that is not above the lower.
    """
    d = len(divisions)
    low, high = (np.full(d, value) if given is None else np.asarray(given, dtype=np.float64) for given, value in ((lower, 0.0), (upper, 1.0)))
    sound = d in (2, 3) and all(float(n).is_integer() and n >= 1 for n in divisions) and low.shape == high.shape == (d,)
    if not sound or not (np.isfinite([low, high]).all() and (low < high).all()):
        raise ConfigurationError(
            f"divisions {tuple(divisions)} from {low.tolist()} to {high.tolist()}",
            where="grid",
            remedy="give two or three numbers of cells, at least 1, and an upper corner above the lower one in each direction",
        )
    axes = [np.linspace(a, b, int(n) + 1) for a, b, n in zip(low, high, divisions, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, d)
    number = np.arange(len(points)).reshape([len(axis) for axis in axes])
    patches = {}
    for axis, side in product(range(d), (0, 1)):
        rest = np.take(number, -side, axis=axis)
        patches[_SIDES[axis][side]] = _cells(rest, simplices and d == 3, outward=(side == 1) ^ (axis % 2 == 1))
    return Mesh(points, _cells(number, simplices), patches, name="grid")


def _cells(number: np.ndarray, simplices: bool, *, outward: bool = True) -> Cells:
    """Lines, quads or hexahedra of a lattice of point numbers, positively oriented in its own directions; the other way round unless ``outward``."""
    d = number.ndim
    corner = {
        at: number[tuple(slice(shift, size - 1 + shift) for shift, size in zip(at, number.shape, strict=True))].ravel()
        for at in product((0, 1), repeat=d)
    }
    if simplices:
        parts = [(np.stack([corner[at] for at in _path(order)], axis=1), _odd(order) ^ (not outward)) for order in permutations(range(d))]
        rows = np.concatenate([_turned(part) if turn else part for part, turn in parts])
        return Cells.of(**{"triangle" if d == 2 else "tetra": rows})
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    ways = {1: [(0,), (1,)], 2: square, 3: [(*at, 0) for at in square] + [(*at, 1) for at in square]}
    rows = np.stack([corner[at] for at in ways[d]], axis=1)
    return Cells.of(**{("line", "quad", "hexahedron")[d - 1]: rows if outward else rows[:, ::-1]})


def _path(order: Sequence[int]) -> list[tuple[int, ...]]:
    """Corners of a unit cube on the way from (0, 0, ...) to (1, 1, ...), one direction after the other."""
    at = [0] * len(order)
    found = [tuple(at)]
    for axis in order:
        at[axis] = 1
        found.append(tuple(at))
    return found


def _odd(order: Sequence[int]) -> bool:
    return sum(a > b for i, a in enumerate(order) for b in order[i + 1 :]) % 2 == 1


def _turned(rows: np.ndarray) -> np.ndarray:
    return rows[:, [1, 0, *range(2, rows.shape[1])]]
