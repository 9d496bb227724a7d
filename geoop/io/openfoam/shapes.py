"""Cells from the faces between them: tetrahedra, pyramids, wedges and hexahedra where they are such, polyhedra otherwise."""

from __future__ import annotations

import numpy as np

from ...mesh.cells import CELL_TYPES, Cells
from .poly_mesh import PolyMesh

_CHUNK = 200_000  # cells looked at together: bounds the memory
#: (faces, triangles, quadrilaterals) of a cell -> what it may be, and the number of points of its bottom.
_CANDIDATES = {(4, 4, 0): ("tetra", 3), (5, 4, 1): ("pyramid", 4), (5, 2, 3): ("wedge", 3), (6, 0, 6): ("hexahedron", 4)}
_FACETS = np.array([CELL_TYPES["triangle"][0], CELL_TYPES["quad"][0]])


def cells_of(mesh: PolyMesh) -> Cells:
    """All cells of a mesh in their order.

    A cell is a standard one if its faces and points are exactly those of the standard cell; prisms over pentagons, cells whose
    faces are split by finer neighbours and the like are polyhedra. The signed measure of a cell is positive where its faces look
    out of their owners, as OpenFOAM asks.
    """
    sides = _Sides(mesh)
    left = np.ones(mesh.n_cells, dtype=bool)
    index, parts = [], []
    for counts, (name, bottom) in _CANDIDATES.items():
        candidates = np.flatnonzero((sides.counts == counts).all(axis=1))
        for part in range(0, len(candidates), _CHUNK):
            chosen = candidates[part : part + _CHUNK]
            nodes, sound = _nodes(sides, chosen, counts, bottom)
            chosen = chosen[sound]
            left[chosen] = False
            index.append(chosen)
            parts.append(Cells.of({name: nodes[sound]}))
    rest = np.flatnonzero(left)
    if len(rest):
        index.append(rest)
        parts.append(_polyhedra(sides, rest))
    cells = Cells.concatenate(parts)
    order = np.concatenate(index) if index else np.zeros(0, dtype=np.int64)
    if (order[1:] > order[:-1]).all():
        return cells
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return cells.take(place)


def facets(mesh: PolyMesh, start: int, count: int) -> Cells:
    """Faces ``start .. start + count`` as triangles, quadrilaterals and polygons; they look out of the mesh."""
    offsets = mesh.offsets[start : start + count + 1]
    sizes = np.diff(offsets)
    types = np.where(sizes > 4, CELL_TYPES["polygon"][0], _FACETS[np.clip(sizes, 3, 4) - 3])
    return Cells(types, offsets - offsets[0], mesh.connectivity[offsets[0] : offsets[-1]])


class _Sides:
    """The faces of every cell, cell by cell."""

    def __init__(self, mesh: PolyMesh) -> None:
        self.mesh = mesh
        self.sizes = np.diff(mesh.offsets)
        cell = np.concatenate([mesh.owner, mesh.neighbour])
        order = np.argsort(cell, kind="stable")
        self.outward = order < len(mesh.owner)
        self.face = np.where(self.outward, order, order - len(mesh.owner))
        sizes, cell = self.sizes[self.face], cell[order]
        totals = [np.bincount(cell[chosen], minlength=mesh.n_cells) for chosen in (slice(None), sizes == 3, sizes == 4)]
        self.counts = np.stack(totals, axis=1)
        self.starts = np.concatenate([[0], np.cumsum(totals[0])])

    def rings(self, sides: np.ndarray, size: int) -> np.ndarray:
        """(..., size) points round faces of that many points, counter-clockwise seen from outside of the cell."""
        step = np.arange(size)
        step = np.where(self.outward[sides][..., None], step, size - 1 - step)
        return self.mesh.connectivity[self.mesh.offsets[self.face[sides]][..., None] + step]


def _nodes(sides: _Sides, cells: np.ndarray, counts: tuple[int, int, int], bottom: int) -> tuple[np.ndarray, np.ndarray]:
    """(m, points) nodes of candidates of one kind, and (m,) which of them really are cells of it."""
    rows = sides.starts[cells][:, None] + np.arange(counts[0])
    sizes = sides.sizes[sides.face[rows]]
    first = np.argsort(sizes != bottom, axis=1, kind="stable")  # faces like the bottom come first
    rows = np.take_along_axis(rows, first, axis=1)
    n_bottoms = counts[1] if bottom == 3 else counts[2]
    like = sides.rings(rows[:, :n_bottoms], bottom)
    other = sides.rings(rows[:, n_bottoms:], 7 - bottom)
    base = np.concatenate([like[:, 0, :1], like[:, 0, :0:-1]], axis=1)
    total = like.sum(axis=(1, 2)) + other.sum(axis=(1, 2))
    if counts[1] == 4:
        top, sound = _apex(base, like[:, 1:].reshape(len(cells), -1) if bottom == 3 else other.reshape(len(cells), -1))
        total -= top[:, 0] * (counts[0] - 4)  # the apex of a pyramid lies on four faces, all other points on three
    else:
        top, sound = _opposite(base, like[:, 1:] if bottom == 4 else other)
    nodes = np.concatenate([base, top], axis=1)
    distinct = np.sort(nodes, axis=1)
    return nodes, sound & (distinct[:, 1:] != distinct[:, :-1]).all(axis=1) & (total == 3 * nodes.sum(axis=1))


def _apex(base: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, 1) the one point of the other faces that the bottom lacks; and where there is exactly one."""
    foreign = ~(points[:, :, None] == base[:, None, :]).any(axis=2)
    top = np.take_along_axis(points, foreign.argmax(axis=1)[:, None], axis=1)
    return top, ((points == top) == foreign).all(axis=1) & (foreign.sum(axis=1) == base.shape[1])


def _opposite(base: np.ndarray, quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, b) for every point of the bottom the point above it; and where every one has exactly one."""
    begin = quads.reshape(len(quads), -1)
    end = np.roll(quads, -1, axis=2).reshape(len(quads), -1)
    upward = ~(end[:, :, None] == base[:, None, :]).any(axis=2)
    top = np.empty_like(base)
    sound = np.ones(len(base), dtype=bool)
    for corner in range(base.shape[1]):
        edge = (begin == base[:, corner, None]) & upward
        top[:, corner] = np.take_along_axis(end, edge.argmax(axis=1)[:, None], axis=1)[:, 0]
        sound &= edge.sum(axis=1) == 1
    return top, sound


def _polyhedra(sides: _Sides, cells: np.ndarray) -> Cells:
    counts = sides.counts[cells, 0]
    cell_offsets = np.concatenate([[0], np.cumsum(counts)])
    rows = np.repeat(sides.starts[cells] - cell_offsets[:-1], counts) + np.arange(cell_offsets[-1])
    sizes = sides.sizes[sides.face[rows]]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    step = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
    step = np.where(np.repeat(sides.outward[rows], sizes), step, np.repeat(sizes - 1, sizes) - step)
    return Cells.polyhedra(cell_offsets, offsets, sides.mesh.connectivity[np.repeat(sides.mesh.offsets[sides.face[rows]], sizes) + step])
