"""Which cells of a mesh its patches consist of: all patches in one pass over the mesh."""

from __future__ import annotations

import numpy as np

from ..mesh.cells import Cells
from ..mesh.mesh import Mesh
from ..mesh.topology import row_groups


def cells_by_patch(mesh: Mesh) -> dict[str, np.ndarray]:
    """Patch name -> (k,) the cell that each of its facets is, -1 where it is only a side of a cell.

    Facets are compared by dimension and points, whatever the point they start from. Of equal cells each is taken once as long as
    there are as many as facets, in all patches together or in one of them.
    """
    parts = list(mesh.patches.values())
    if not parts:
        return {}
    facets = Cells.concatenate(parts)
    stops = np.cumsum([len(part) for part in parts])
    index = _found(mesh.cells, facets, np.repeat(np.arange(len(parts)), np.diff(stops, prepend=0)))
    return dict(zip(mesh.patches, np.split(index, stops[:-1]), strict=True))


def patch_numbers(mesh: Mesh) -> np.ndarray | None:
    """(m,) number of the patch of every cell, counted in the order of the names, -1 for none; None if no patch consists of cells.

    A cell of several patches has the number of the last of them.
    """
    numbers = np.full(len(mesh.cells), -1, dtype=np.int32)
    for number, index in enumerate(cells_by_patch(mesh).values()):
        numbers[index[index >= 0]] = number
    return numbers if (numbers >= 0).any() else None


def _found(cells: Cells, facets: Cells, patch: np.ndarray) -> np.ndarray:
    """(f,) the cell that every facet is, -1 for none; ``patch`` (f,) is the number of the patch of each."""
    index = np.full(len(facets), -1, dtype=np.int64)
    sizes = np.unique(np.diff(facets.offsets))
    candidates = np.flatnonzero(np.isin(cells.dimensions, np.unique(facets.dimensions)) & np.isin(np.diff(cells.offsets), sizes))
    count = len(candidates)  # a volume mesh has none: its facets are sides of cells
    if not count:
        return index
    every = Cells.concatenate([cells.take(candidates), facets])
    group = row_groups(np.concatenate([every.dimensions[:, None], sorted_points(every)], axis=1))
    own, named = group[:count], group[count:] * (len(every) + 1)
    keys = own * (len(every) + 1) + _ranks(own)
    order = np.argsort(keys)
    keys = keys[order]
    within = _ranks(row_groups(np.stack([group[count:], patch], axis=1)))
    for wanted in (named, named + within, named + _ranks(group[count:])):  # the best comes last
        place = np.minimum(np.searchsorted(keys, wanted), count - 1)
        there = keys[place] == wanted
        index[there] = candidates[order[place[there]]]
    return index


def sorted_points(cells: Cells) -> np.ndarray:
    """(m, k) sorted points of every cell, filled with -1."""
    sizes = np.diff(cells.offsets)
    rows = np.full((len(cells), int(sizes.max(initial=1))), -1, dtype=np.int64)
    rows[np.arange(rows.shape[1]) < sizes[:, None]] = cells.connectivity
    return np.sort(rows, axis=1)


def _ranks(group: np.ndarray) -> np.ndarray:
    """(m,) how many entries before each one are equal to it."""
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group[order]) if len(group) else np.zeros(0, dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    ranks = np.empty(len(group), dtype=np.int64)
    ranks[order] = np.arange(len(group)) - starts[group[order]]
    return ranks
