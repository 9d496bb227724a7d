"""Which cells of a mesh a patch consists of."""

from __future__ import annotations

import numpy as np

from ..mesh.cells import Cells
from .merging import merge_equal


def cells_of_patch(cells: Cells, part: Cells) -> np.ndarray:
    """(k,) index of every facet of a patch among the cells of its mesh, -1 where it is only a facet of a cell.

    Facets are compared by type and points, whatever the point they start from. The first of equal cells counts.
    """
    if not len(part) or not len(cells):
        return np.full(len(part), -1, dtype=np.int64)
    width = int(np.diff(part.offsets).max())
    candidates = np.flatnonzero(np.isin(cells.types, np.unique(part.types)) & (np.diff(cells.offsets) <= width))
    if not len(candidates):
        return np.full(len(part), -1, dtype=np.int64)
    _, same = merge_equal(np.concatenate([_rows(cells.take(candidates), width), _rows(part, width)]))
    first = np.full(same.max() + 1, -1, dtype=np.int64)
    first[same[: len(candidates)][::-1]] = candidates[::-1]
    return first[same[len(candidates) :]]


def patch_numbers(cells: Cells, patches: dict[str, Cells]) -> np.ndarray | None:
    """(m,) number of the patch of every cell, counted in the order of the names, -1 for none; None if no patch consists of cells."""
    numbers = np.full(len(cells), -1, dtype=np.int32)
    for number, part in enumerate(patches.values()):
        index = cells_of_patch(cells, part)
        numbers[index[index >= 0]] = number
    return numbers if (numbers >= 0).any() else None


def _rows(cells: Cells, width: int) -> np.ndarray:
    """(m, 1 + width) type and sorted points of every cell, filled up with -1."""
    sizes = np.diff(cells.offsets)
    rows = np.full((len(cells), width), -1.0)
    rows[np.arange(width) < sizes[:, None]] = cells.connectivity
    return np.concatenate([cells.types[:, None].astype(np.float64), np.sort(rows, axis=1)], axis=1)
