"""Cells out of their faces, as face-based solvers (Fluent) store them: known shapes get their type, the rest stay polyhedra."""

from __future__ import annotations

import numpy as np

from ...errors import UnreadableFileError
from ...mesh.cells import CELL_TYPES, Cells
from ...mesh.polyhedra import facing_out

#: Cell -> number of triangles, of quadrilaterals, of points, and of corners of the face that it stands on.
_SHAPES = {"tetra": (4, 0, 4, 3), "pyramid": (4, 1, 5, 4), "wedge": (2, 3, 6, 3), "hexahedron": (0, 6, 8, 4)}

#: Cells that are put together at once.
_AT_ONCE = 50_000


def cells_from_faces(points: np.ndarray, offsets: np.ndarray, corners: np.ndarray, sides: np.ndarray, n_cells: int, where: str) -> Cells:
    """Cells in the order of their numbers; in the plane, where faces have two points, triangles, quadrilaterals and polygons.

    The order in which a file runs round a face is not trusted: faces are turned by geometry.

    Args:
        points: (n, 2) or (n, 3).
        offsets: (f+1,) int64, face j owns ``corners[offsets[j]:offsets[j+1]]``.
        corners: point indices.
        sides: (f, 2) the cells at both sides of each face, -1 for none.
        n_cells: how many cells there are.
        where: the file.

    Raises:
        UnreadableFileError: indices out of range, or cells whose faces do not close.
    """
    _check(len(points), offsets, corners, sides, n_cells, where)
    cell = np.concatenate([sides[:, 0], sides[:, 1]])
    face = np.tile(np.arange(len(sides)), 2)
    used = cell >= 0
    order = np.argsort(cell[used], kind="stable")
    cell, face = cell[used][order], face[used][order]
    counts = np.bincount(cell, minlength=n_cells)
    planar = bool((np.diff(offsets) == 2).all())
    fewest = 3 if planar else 4
    if (counts < fewest).any():
        first = int(np.argmax(counts < fewest))
        raise _torn(f"{int((counts < fewest).sum())} cells have fewer than {fewest} faces, first cell {first} with {counts[first]}", where)
    if planar:
        return _rings(points, corners.reshape(-1, 2)[face], counts, where)
    starts = np.concatenate([[0], np.cumsum(counts)])
    parts = []
    for first in range(0, n_cells, _AT_ONCE):  # all faces twice with their corners are many times the file
        last = min(first + _AT_ONCE, n_cells)
        own = face[starts[first] : starts[last]]
        sizes = np.diff(offsets)[own]
        ends = np.concatenate([[0], np.cumsum(sizes)])
        flat = corners[np.repeat(offsets[:-1][own] - ends[:-1], sizes) + np.arange(ends[-1])]
        cells = Cells.polyhedra(starts[first : last + 1] - starts[first], ends, flat)
        parts.append(plain_shapes(facing_out(points, cells)[0]))
    return Cells.concatenate(parts)


def faces_as_cells(offsets: np.ndarray, corners: np.ndarray) -> Cells:
    """Faces as cells of their own: lines, triangles, quadrilaterals, polygons."""
    sizes = np.diff(offsets)
    types = np.full(len(sizes), CELL_TYPES["polygon"][0])
    for size, name in ((2, "line"), (3, "triangle"), (4, "quad")):
        types[sizes == size] = CELL_TYPES[name][0]
    return Cells(types, offsets, corners)


def _check(n_points: int, offsets: np.ndarray, corners: np.ndarray, sides: np.ndarray, n_cells: int, where: str) -> None:
    if len(corners) and (corners.min() < 0 or corners.max() >= n_points):
        raise _torn(f"faces name points {corners.min() + 1}..{corners.max() + 1} of {n_points}", where)
    if len(sides) and sides.max() >= n_cells:
        raise _torn(f"faces name cell {sides.max() + 1} of {n_cells}", where)
    if len(offsets) != len(sides) + 1:
        raise _torn(f"{len(offsets) - 1} faces, the cells beside {len(sides)}", where)


def _torn(what: str, where: str) -> UnreadableFileError:
    return UnreadableFileError(f"the mesh is damaged: {what}", where=where, remedy="export or download it again")


def _rings(points: np.ndarray, edges: np.ndarray, counts: np.ndarray, where: str) -> Cells:
    """Polygons from the edges of each cell, counter-clockwise in the plane.

    Args:
        points: (n, 2) or (n, 3) of which x and y count.
        edges: (total, 2) edges cell by cell.
        counts: (m,) edges of each cell.
        where: the file.
    """
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    flat = np.empty(len(edges), dtype=np.int64)
    for size in np.unique(counts):
        rows = np.flatnonzero(counts == size)
        slots = starts[rows][:, None] + np.arange(size)
        ring = _ring(edges[slots])
        if ring is None:
            raise _torn(f"the edges of some cells with {size} of them do not close", where)
        p = points[ring][:, :, :2]
        q = np.roll(p, -1, axis=1)
        clockwise = (p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]).sum(axis=1) < 0
        ring[clockwise] = ring[clockwise][:, ::-1]
        flat[slots] = ring
    return faces_as_cells(np.concatenate([[0], np.cumsum(counts)]), flat)


def _ring(edges: np.ndarray) -> np.ndarray | None:
    """(k, n) corners in order from (k, n, 2) edges in any order and direction; None if one does not close."""
    count, size, _ = edges.shape
    rows = np.arange(count)
    free = np.ones((count, size), dtype=bool)
    free[:, 0] = False
    ring = np.empty((count, size), dtype=np.int64)
    ring[:, 0], at = edges[:, 0, 0], edges[:, 0, 1]
    for step in range(1, size):
        ring[:, step] = at
        fits = (edges == at[:, None, None]) & free[:, :, None]
        if not fits.any(axis=(1, 2)).all():
            return None
        place = fits.reshape(count, -1).argmax(axis=1)
        edge, end = place // 2, place % 2
        free[rows, edge] = False
        at = edges[rows, edge, 1 - end]
    return ring if (at == ring[:, 0]).all() else None


def plain_shapes(cells: Cells) -> Cells:
    """Polyhedra that are a tetrahedron, pyramid, wedge or hexahedron as that; other cells as they are.

    Args:
        cells: polyhedra with all faces turned out.
    """
    faces = cells.faces
    if faces is None:
        return cells
    sizes, owner = np.diff(faces.offsets), faces.owner
    n_points = np.diff(cells.offsets)
    counted = [np.bincount(owner[sizes == k], minlength=len(cells)) for k in (3, 4)]
    total = np.diff(faces.cell_offsets)
    left = np.ones(len(cells), dtype=bool)
    parts, places = [], []
    for name, (triangles, quads, points, base) in _SHAPES.items():
        fits = (counted[0] == triangles) & (counted[1] == quads) & (total == triangles + quads) & (n_points == points)
        index = np.flatnonzero(fits)
        if not len(index):
            continue
        rows, sound = _corners(cells.take(index), base, points)
        parts.append(Cells.of({name: rows[sound]}))
        places.append(index[sound])
        left[index[sound]] = False
    parts.append(cells.take(np.flatnonzero(left)))
    places.append(np.flatnonzero(left))
    return Cells.concatenate(parts).take(np.argsort(np.concatenate(places), kind="stable"))


def _corners(cells: Cells, base: int, n_points: int) -> tuple[np.ndarray, np.ndarray]:
    """(k, n_points) corners of cells of one shape, the face that they stand on first, and which of them are sound."""
    faces = cells.faces
    assert faces is not None
    sizes = np.diff(faces.offsets)
    order = np.lexsort((np.arange(len(sizes)), sizes != base, faces.owner))  # faces of the size of the base first
    sizes = sizes[order]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    slots = np.repeat(faces.offsets[:-1][order] - ends[:-1], sizes) + np.arange(ends[-1])
    following = np.arange(1, ends[-1] + 1)
    following[ends[1:] - 1] = ends[:-1]
    start = faces.connectivity[slots]
    finish = start[following].reshape(len(cells), -1)
    start = start.reshape(len(cells), -1)
    bottom = start[:, :base][:, ::-1]  # seen from inside: the normal points at the rest of the cell
    rising = ~(finish[:, :, None] == bottom[:, None, :]).any(axis=2)
    rows, sound = [bottom], np.ones(len(cells), dtype=bool)
    for k in range(n_points - base):
        fits = (start == bottom[:, k, None]) & rising
        sound &= fits.any(axis=1)
        rows.append(finish[np.arange(len(cells)), fits.argmax(axis=1)][:, None])
    corners = np.concatenate(rows, axis=1)
    ascending = np.sort(corners, axis=1)
    return corners, sound & (ascending[:, 1:] != ascending[:, :-1]).all(axis=1)
