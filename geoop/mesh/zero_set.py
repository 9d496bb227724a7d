"""Where a function is zero: a narrow band of grid cells around its zero set, found from coarse to fine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import ConfigurationError, InvalidMeshError, NonFiniteError

#: points (n, d) -> (n,)
Function = Callable[[np.ndarray], np.ndarray]

#: Cells along the longest side of the first grid, about.
_FIRST = 16
_LARGEST = 2048


@dataclass(frozen=True, eq=False)
class Band:
    """The cells of a regular grid that the zero set of a function passes through.

    Attributes:
        low: (d,) corner of the grid.
        size: side of a cell.
        corners: (n, d) int64 grid points, in cells from ``low``, each once.
        values: (n,) of the function there.
        cells: (m, 2^d) corners of each cell; the first axis runs fastest.
        evaluations: points at which the function was asked in all.
    """

    low: np.ndarray
    size: float
    corners: np.ndarray
    values: np.ndarray
    cells: np.ndarray
    evaluations: int


def narrow_band(function: Function, low: np.ndarray, high: np.ndarray, resolution: int, *, slope: float = 1.5) -> Band:
    """The cells of a grid over a box in which a function changes its sign. Only cells that may hold a zero are refined:
    those with a corner nearer to zero than ``slope`` times half their diagonal.

    A part that is thinner than a cell of the first grid (a sixteenth of the box) is found if the function is near a signed distance: no corner of its
    cell is then far from zero.

    Args:
        function: continuous, in the unit of its arguments, with a slope of at most ``slope``.
        low, high: (d,) corners of the box.
        resolution: cells along its longest side; rounded up to a multiple of a power of two.
        slope: larger is slower and safer.

    Raises:
        ConfigurationError: a box without extent, or a resolution outside 4 .. 2048.
        NonFiniteError: the function is NaN or infinite somewhere.
        InvalidMeshError: it has no zero in the box.
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if not 4 <= resolution <= _LARGEST or not slope > 0:
        raise ConfigurationError(f"resolution {resolution}, slope {slope}", where="narrow_band", remedy=f"4 to {_LARGEST} cells, a slope above 0")
    if low.shape != high.shape or not np.isfinite(high - low).all() or not (high > low).all():
        raise ConfigurationError(f"no box from {low.tolist()} to {high.tolist()}", where="narrow_band", remedy="give finite corners, high above low")
    levels = max(0, int(np.floor(np.log2(resolution / _FIRST))))
    first = -(-resolution // 2**levels)
    size, d = float((high - low).max()) / first, len(low)
    counts = np.maximum(1, np.ceil((high - low) / size - 1e-9).astype(np.int64))
    cells = np.stack(np.meshgrid(*(np.arange(n) for n in counts), indexing="ij"), axis=-1).reshape(-1, d)
    step = _unit_cell(d)
    asked = 0
    for level in range(levels + 1):
        corners, index = _distinct(cells, step)
        values = np.asarray(function(low + size * corners), dtype=np.float64).reshape(-1)
        asked += len(corners)
        if not np.isfinite(values).all():
            raise NonFiniteError(
                f"the function is NaN or infinite at {int((~np.isfinite(values)).sum())} points", where="narrow_band", remedy="look at it there"
            )
        own = values[index]
        crossed = (own.min(axis=1) < 0) & (own.max(axis=1) >= 0)
        if level == levels:
            break
        active = crossed | (np.abs(own).min(axis=1) <= slope * 0.5 * size * np.sqrt(d))
        cells = (2 * cells[active][:, None] + step).reshape(-1, d)
        size *= 0.5
    if not crossed.any():
        raise InvalidMeshError("the function has no zero in the box", where="narrow_band", remedy="a finer resolution, or a longer fit")
    used, index = np.unique(index[crossed], return_inverse=True)
    return Band(low, size, corners[used], values[used], index.reshape(-1, 2**d), asked)


def _unit_cell(d: int) -> np.ndarray:
    """(2^d, d) corners of a cell, the first axis fastest."""
    return np.stack(np.meshgrid(*([np.arange(2)] * d), indexing="ij"), axis=-1).reshape(-1, d)[:, ::-1]


def _distinct(cells: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of all cells, each once, and (m, 2^d) which are those of each cell."""
    all_of_them = (cells[:, None] + step).reshape(-1, cells.shape[1])
    base = int(all_of_them.max(initial=0)) + 1
    key = all_of_them @ base ** np.arange(cells.shape[1])
    _, first, index = np.unique(key, return_index=True, return_inverse=True)
    return all_of_them[first], index.reshape(len(cells), len(step))
