"""Which cells share points, edges and facets: found by numbers alone, after points at equal coordinates count as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from .cells import CELL_TYPES, Cells
from .mesh import Mesh

#: Corners of the cell types that have mid-side nodes; all other cells have corners only.
N_CORNERS = {
    "line3": 2,
    "triangle6": 3,
    "quad8": 4,
    "quad9": 4,
    "tetra10": 4,
    "hexahedron20": 8,
    "hexahedron27": 8,
    "wedge15": 6,
    "wedge18": 6,
    "pyramid13": 5,
}
_TETRA = ((0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3))
_WEDGE = ((0, 2, 1), (3, 4, 5), (0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5))
_PYRAMID = ((0, 3, 2, 1), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4))
_HEXAHEDRON = ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
#: Faces of volume cells by corner, outward where the cell's signed measure is positive.
FACES: dict[str, tuple[tuple[int, ...], ...]] = {
    "tetra": _TETRA,
    "tetra10": _TETRA,
    "hexahedron": _HEXAHEDRON,
    "hexahedron20": _HEXAHEDRON,
    "hexahedron27": _HEXAHEDRON,
    "wedge": _WEDGE,
    "wedge15": _WEDGE,
    "wedge18": _WEDGE,
    "pyramid": _PYRAMID,
    "pyramid13": _PYRAMID,
}


@dataclass(frozen=True, eq=False)
class Sides:
    """Sides of cells (end points of lines, edges of faces, faces of volumes), each listed once per cell that has it.

    Attributes:
        corners: (s, k) welded point indices in the order in which the cell runs round its side, -1 where a side has fewer.
        owner: (s,) cell.
        group: (s,) number of the side: equal for the sides that coincide.
        counts: (g,) how many cells have each side.
    """

    corners: np.ndarray
    owner: np.ndarray
    group: np.ndarray
    counts: np.ndarray

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows (p,) and (p,) of the sides that exactly two cells share."""
        order = np.argsort(self.group, kind="stable")
        first = np.concatenate([[0], np.cumsum(self.counts)[:-1]])[self.counts == 2]
        return order[first], order[first + 1]


def welded(points: np.ndarray) -> np.ndarray:
    """(n,) for every point the lowest index of a point at exactly its coordinates; STL files repeat the corners of each facet."""
    order = np.lexsort(points.T)
    new = np.concatenate([[True], (points[order[1:]] != points[order[:-1]]).any(axis=1)])
    start = np.flatnonzero(new)
    lowest = np.minimum.reduceat(order, start)
    out = np.empty(len(points), dtype=np.int64)
    out[order] = np.repeat(lowest, np.diff(np.append(start, len(points))))
    return out


def distinct_rows(rows: np.ndarray) -> np.ndarray:
    """The different rows of an integer array, sorted: ``np.unique(axis=0)``, many times faster on long ones."""
    if not len(rows):
        return rows
    rows = rows[np.lexsort(rows.T[::-1])]
    return rows[np.concatenate([[True], (rows[1:] != rows[:-1]).any(axis=1)])]


def edges(cells: Cells, representative: np.ndarray) -> Sides:
    """Edges of the two-dimensional cells, in welded point numbers."""
    starts, ends, owners = [], [], []
    sizes = np.diff(cells.offsets)
    for name in cells.names:
        if CELL_TYPES[name][1] != 2:
            continue
        index = cells.where(name)
        for size in np.unique(sizes[index]):
            chosen = index[sizes[index] == size]
            corners = cells.connectivity[cells.offsets[:-1][chosen][:, None] + np.arange(N_CORNERS.get(name, int(size)))]
            corners = representative[corners]
            starts.append(corners.ravel())
            ends.append(np.roll(corners, -1, axis=1).ravel())
            owners.append(np.repeat(chosen, corners.shape[1]))
    return _sides(np.stack([_joined(starts), _joined(ends)], axis=1), _joined(owners))


def faces(cells: Cells, representative: np.ndarray) -> Sides:
    """Faces of the volume cells, in welded point numbers; -1 fills the rows of faces with fewer points than the widest."""
    width = max(4, int(np.diff(cells.faces.offsets).max(initial=0)) if cells.faces is not None else 0)
    rows, owners = [], []
    for name in cells.names:
        if name not in FACES:
            continue
        block, index = representative[cells.block(name)], cells.where(name)
        for face in FACES[name]:
            corners = np.full((len(block), width), -1, dtype=np.int64)
            corners[:, : len(face)] = block[:, face]
            rows.append(corners)
            owners.append(index)
    if cells.faces is not None:
        sizes = np.diff(cells.faces.offsets)
        corners = np.full((len(sizes), width), -1, dtype=np.int64)
        corners[np.arange(width) < sizes[:, None]] = representative[cells.faces.connectivity]
        rows.append(corners)
        owners.append(cells.faces.owner)
    return _sides(np.concatenate(rows) if rows else np.zeros((0, width), dtype=np.int64), _joined(owners))


def ends(cells: Cells, representative: np.ndarray) -> Sides:
    """End points of the line cells, in welded point numbers."""
    rows, owners = [], []
    for name in ("line", "line3"):
        index = cells.where(name)
        rows.append(representative[cells.block(name)[:, :2]].reshape(-1))
        owners.append(np.repeat(index, 2))
    return _sides(_joined(rows)[:, None], _joined(owners))


def sides(mesh: Mesh, representative: np.ndarray) -> Sides:
    """Sides of the cells of highest dimension."""
    return (ends, ends, edges, faces)[mesh.cell_dimension](mesh.cells, representative)


def cell_components(listed: Sides, n_cells: int) -> np.ndarray:
    """(n_cells,) number of the component of every cell; cells that share a side belong together."""
    order = np.argsort(listed.group)
    owner, same = listed.owner[order], np.diff(listed.group[order]) == 0
    links = sparse.coo_array((np.ones(int(same.sum()), dtype=np.int8), (owner[:-1][same], owner[1:][same])), shape=(n_cells, n_cells))
    return csgraph.connected_components(links, directed=False)[1]


def row_groups(rows: np.ndarray) -> np.ndarray:
    """(m,) number of each row of an integer array, equal for equal rows, in sorted order."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    group = np.empty(len(rows), dtype=np.int64)
    low = int(rows.min())
    span = int(rows.max()) - low + 1
    if span ** rows.shape[1] < 2**62:  # a row fits into one number: one sort instead of one per column
        key = np.zeros(len(rows), dtype=np.int64)
        for column in rows.T:
            key = key * span + (column - low)
        order = np.argsort(key)
        key = key[order]
        group[order] = np.cumsum(np.concatenate([[False], key[1:] != key[:-1]]))
        return group
    order = np.lexsort(rows.T[::-1])
    group[order] = np.cumsum(np.concatenate([[False], (rows[order[1:]] != rows[order[:-1]]).any(axis=1)]))
    return group


def _sides(corners: np.ndarray, owner: np.ndarray) -> Sides:
    group = row_groups(np.sort(corners, axis=1))
    return Sides(corners, owner, group, np.bincount(group))


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
