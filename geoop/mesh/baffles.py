"""Baffles: sheets without thickness whose two sides are both there as facets, which is no fault of a surface."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csgraph

from .cells import Cells
from .topology import edges, row_groups


def two_sided(cells: Cells, representative: np.ndarray) -> np.ndarray:
    """(m,) marks facets in space that are the front or the back of a baffle.

    Front and back have the same corners and run round them in opposite directions. A closed surface has such pairs too where
    a facet was repeated by mistake and turned; there the edges of the sheet of pairs have an odd number of facets besides, while those
    of a baffle are free or lie on a surface that goes on without it. The edges of a sheet vote. A sheet without edge, a whole body
    repeated inside out, is a mistake.

    Args:
        cells: any; cells of other dimensions than 2 are never marked.
        representative: (n,) the point that stands for each point, see :func:`geoop.mesh.topology.welded`.
    """
    marked = np.zeros(len(cells), dtype=bool)
    pair = _pairs(cells, representative)
    if not len(pair):
        return marked
    sheet = np.full(len(cells), -1, dtype=np.int64)
    sheet[pair] = np.arange(len(pair))[:, None]
    listed = edges(cells, representative)
    inside = sheet[listed.owner] >= 0
    of_pair, group = sheet[listed.owner[inside]], listed.group[inside]
    graph = coo_array((np.ones(len(group)), (of_pair, len(pair) + group)), shape=(len(pair) + len(listed.counts),) * 2)
    component = csgraph.connected_components(graph, directed=False)[1]
    facets = np.bincount(group, minlength=len(listed.counts))
    rim = np.flatnonzero(facets == 2)
    others = ~inside & _first_of_equals(cells, representative)[listed.owner]  # facets repeated there count once
    odd = np.bincount(listed.group[others], minlength=len(listed.counts))[rim] % 2 == 1
    names = component[len(pair) + rim]
    size = int(component.max()) + 1
    votes = np.bincount(names, minlength=size) - 2 * np.bincount(names[odd], minlength=size)
    marked[pair[votes[component[: len(pair)]] > 0]] = True
    return marked


def _first_of_equals(cells: Cells, representative: np.ndarray) -> np.ndarray:
    """(m,) marks every cell whose corners no earlier one has."""
    first = np.zeros(len(cells), dtype=bool)
    sizes = np.diff(cells.offsets)
    for size in np.unique(sizes):
        index = np.flatnonzero(sizes == size)
        rows = np.sort(representative[cells.connectivity[cells.offsets[:-1][index][:, None] + np.arange(size)]], axis=1)
        first[index[np.unique(row_groups(rows), return_index=True)[1]]] = True
    return first


def _pairs(cells: Cells, representative: np.ndarray) -> np.ndarray:
    """(k, 2) facets that have the same corners in opposite order and share them with no third one."""
    found = [np.zeros((0, 2), dtype=np.int64)]
    sizes = np.diff(cells.offsets)
    for code, size in _kinds(cells, sizes):
        index = np.flatnonzero((cells.types == code) & (sizes == size))
        if cells.dimensions[index[0]] != 2:
            continue
        corners = representative[cells.connectivity[cells.offsets[:-1][index][:, None] + np.arange(size)]]
        first = corners.argmin(axis=1)
        forward = np.take_along_axis(corners, (first[:, None] + np.arange(size)) % size, axis=1)
        backward = np.take_along_axis(corners, (first[:, None] - np.arange(size)) % size, axis=1)
        is_back = forward[:, 1] > forward[:, -1]  # of the two directions the one that goes on to the smaller neighbour names the ring
        ring = row_groups(np.where(is_back[:, None], backward, forward))
        count = np.bincount(ring)
        backs = np.bincount(ring, weights=is_back)
        both = np.flatnonzero((count == 2)[ring] & (backs == 1)[ring])
        order = both[np.argsort(ring[both], kind="stable")]
        found.append(index[order].reshape(-1, 2))
    return np.concatenate(found)


def _kinds(cells: Cells, sizes: np.ndarray) -> list[tuple[int, int]]:
    if not len(sizes):
        return []
    keys = np.unique(cells.types.astype(np.int64) * (int(sizes.max()) + 1) + sizes)
    return [divmod(int(key), int(sizes.max()) + 1) for key in keys]
