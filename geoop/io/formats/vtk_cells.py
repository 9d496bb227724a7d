"""VTK's many cell types brought to those that a geoop mesh has, without losing which cell a value belongs to."""

from __future__ import annotations

import numpy as np

from ...errors import UnsupportedFormatError
from ...mesh.cells import CELL_NAMES, Cells

_POLY_VERTEX, _POLY_LINE, _STRIP = 2, 4, 6
#: VTK's axis-aligned cells order their points by coordinates: id -> (geoop's type, order of the points).
_LATTICE = {8: ("quad", [0, 1, 3, 2]), 11: ("hexahedron", [0, 1, 3, 2, 4, 5, 7, 6])}
_UNREAD = {
    26: "quadratic wedge", 27: "quadratic pyramid", 29: "27-point hexahedron", 42: "polyhedron",
    68: "Lagrange curve", 69: "Lagrange triangle", 70: "Lagrange quadrilateral", 71: "Lagrange tetrahedron", 72: "Lagrange hexahedron",
}  # fmt: skip


def standard_cells(types: np.ndarray, offsets: np.ndarray, connectivity: np.ndarray, where: str) -> tuple[Cells, np.ndarray | None]:
    """Cells of VTK types as a geoop mesh has them.

    Pixels become quads and voxels hexahedra; polylines, poly-vertices and triangle strips are taken apart; empty cells go.

    Args:
        types: (m,) VTK cell ids.
        offsets: (m+1,) int64.
        connectivity: (total,) int64.
        where: the file, for the error.

    Returns:
        The cells, and (k,) index of the VTK cell that each of them came from, or None where nothing was split or dropped.

    Raises:
        UnsupportedFormatError: polyhedra and other types that geoop has no cell for; all of them in one error.
    """
    present = set(np.unique(types).tolist())
    unread = sorted(present - set(CELL_NAMES) - set(_LATTICE) - {0, _POLY_VERTEX, _POLY_LINE, _STRIP})
    if unread:
        counts = ", ".join(f"{int((types == code).sum())} of type {_UNREAD.get(code, f'number {code}')}" for code in unread)
        raise UnsupportedFormatError(
            f"cells that geoop has no type for: {counts}",
            where=where,
            remedy="in ParaView use Filters > Tetrahedralize (linear cells), save as .vtu, and read that",
        )
    if present <= set(CELL_NAMES):
        return Cells(types, offsets, connectivity), None
    parts, parents = [], []
    for code in sorted(present - {0}):
        index = np.flatnonzero(types == code)
        cells, parent = _converted(code, index, offsets, connectivity)
        parts.append(cells)
        parents.append(parent)
    if not parts:
        return Cells.empty(), np.zeros(0, dtype=np.int64)
    cells, parent = Cells.concatenate(parts), np.concatenate(parents)
    order = np.argsort(parent, kind="stable")  # back to the order of the file
    return cells.take(order), parent[order]


def _converted(code: int, index: np.ndarray, offsets: np.ndarray, connectivity: np.ndarray) -> tuple[Cells, np.ndarray]:
    """All cells of one VTK type as geoop's, and the VTK cell of each."""
    starts, sizes = offsets[:-1][index], np.diff(offsets)[index]
    if code in _LATTICE:
        name, order = _LATTICE[code]
        return Cells.of({name: connectivity[starts[:, None] + np.array(order)]}), index
    if code in CELL_NAMES:
        ends = np.concatenate([[0], np.cumsum(sizes)])
        flat = connectivity[np.repeat(starts - ends[:-1], sizes) + np.arange(ends[-1])]
        return Cells(np.full(len(index), code), ends, flat), index
    width = {_POLY_VERTEX: 1, _POLY_LINE: 2, _STRIP: 3}[code]
    counts = np.maximum(sizes - width + 1, 0)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = connectivity[(np.repeat(starts, counts) + step)[:, None] + np.arange(width)]
    if code == _STRIP:
        odd = step % 2 == 1
        rows[odd] = rows[odd][:, [1, 0, 2]]  # every second triangle of a strip runs the other way round
    name = {1: "vertex", 2: "line", 3: "triangle"}[width]
    return Cells.of({name: rows}), np.repeat(index, counts)
