"""VTK's many cell types brought to those that a geoop mesh has, without losing which cell a value belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....errors import InvalidMeshError, UnreadableFileError, UnsupportedFormatError
from ....mesh.cells import CELL_NAMES, CELL_TYPES, Cells, Faces, present_types

_POLY_VERTEX, _POLY_LINE, _STRIP, _QUADRATIC_POLYGON = 2, 4, 6, 36
_POLYHEDRON = CELL_TYPES["polyhedron"][0]
#: VTK's axis-aligned cells order their points by coordinates: id -> (geoop's type, order of the points).
_LATTICE = {8: ("quad", [0, 1, 3, 2]), 11: ("hexahedron", [0, 1, 3, 2, 4, 5, 7, 6])}
#: Prisms over a pentagon and a hexagon: id -> corners of the base.
_PRISMS = {15: 5, 16: 6}
#: Cells of higher order, whose first points are the corners of the straight cell in its own order: id -> (VTK's name, straight cell).
_CURVED = {
    30: ("quadratic-linear quad", "quad"),
    31: ("quadratic-linear wedge", "wedge"),
    33: ("biquadratic-quadratic hexahedron", "hexahedron"),
    34: ("biquadratic triangle", "triangle"),
    35: ("cubic line", "line"),
    36: ("quadratic polygon", "polygon"),
    37: ("triquadratic pyramid", "pyramid"),
    **{
        first + number: (f"{family} {shape}", straight)
        for first, family in ((68, "Lagrange"), (75, "Bezier"))
        for number, (shape, straight) in enumerate(
            (
                ("curve", "line"),
                ("triangle", "triangle"),
                ("quadrilateral", "quad"),
                ("tetrahedron", "tetra"),
                ("hexahedron", "hexahedron"),
                ("wedge", "wedge"),
                ("pyramid", "pyramid"),
            )
        )
    },
}
_UNREAD = {
    41: "convex point set",
    **dict.fromkeys(range(51, 57), "parametric cell"),
    **dict.fromkeys(range(60, 68), "abstract higher-order cell"),
}


@dataclass(frozen=True, eq=False)
class PlainCells:
    """Cells of geoop's types, and what was done to get them.

    Attributes:
        cells: in the order of the file.
        parent: (m,) the VTK cell that each of them came from; None where nothing was split or dropped.
        notes: what was changed or lost, in sentences.
        curved: indices of the points of cells that were reduced to their corners, None where there were no such cells.
    """

    cells: Cells
    parent: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    curved: np.ndarray | None = None


def standard_cells(types: np.ndarray, offsets: np.ndarray, connectivity: np.ndarray, where: str) -> tuple[Cells, np.ndarray | None]:
    """Cells and their parents as :func:`plain_cells` finds them, for callers that have no place for notes.

    Raises:
        UnsupportedFormatError: also for cells of higher order, since nobody would be told of what they lose.
    """
    curved = sorted(set(np.unique(types).tolist()) & set(_CURVED))
    if curved:
        raise _unsupported(types, curved, where)
    plain = plain_cells(types, offsets, connectivity, where)
    return plain.cells, plain.parent


def plain_cells(types: np.ndarray, offsets: np.ndarray, connectivity: np.ndarray, where: str, faces: Faces | None = None) -> PlainCells:
    """Cells of VTK types as a geoop mesh has them.

    Pixels become quads, voxels hexahedra and prisms over a pentagon or hexagon polyhedra; polylines, poly-vertices and triangle
    strips are taken apart; empty cells go. Lagrange, Bezier and other cells of higher order become the straight cell of their
    corners, with a note.

    Args:
        types: (m,) VTK cell ids.
        offsets: (m+1,) int64.
        connectivity: (total,) int64.
        where: the file, for the error.
        faces: of the polyhedra, one entry per cell; None where there are none.

    Raises:
        UnsupportedFormatError: types that geoop has no cell for; all of them in one error.
        UnreadableFileError: cells with fewer points than their type has corners.
        InvalidMeshError: offsets, counts or faces that do not fit together.
    """
    present = set(present_types(types))
    known = set(CELL_NAMES) | set(_LATTICE) | set(_PRISMS) | set(_CURVED) | {0, _POLY_VERTEX, _POLY_LINE, _STRIP}
    if present - known:
        raise _unsupported(types, sorted(present - known), where)
    if present <= set(CELL_NAMES):
        return _with_faces(types, offsets, connectivity, faces)
    parts, parents, notes, curved = [], [], [], []
    for code in sorted(present - {0}):
        index = np.flatnonzero(types == code)
        part, parent = _converted(code, index, offsets, connectivity, faces, where)
        notes += part.notes
        curved += [part.curved] if part.curved is not None else []
        parts.append(part.cells)
        parents.append(parent)
    compound = present & ({0, _POLY_VERTEX, _POLY_LINE, _STRIP} | set(_LATTICE) | set(_PRISMS))
    count = sum(len(part) for part in parts)
    notes += [f"{len(types)} cells of VTK's compound or lattice types are {count} plain cells now"] if compound else []
    together = np.unique(np.concatenate(curved)) if curved else None
    if not parts:
        return PlainCells(Cells.empty(), np.zeros(0, dtype=np.int64), tuple(notes))
    cells, parent = Cells.concatenate(parts), np.concatenate(parents)
    order = np.argsort(parent, kind="stable")  # back to the order of the file
    return PlainCells(cells.take(order), parent[order], tuple(notes), together)


def _unsupported(types: np.ndarray, codes: list[int], where: str) -> UnsupportedFormatError:
    named = {code: name for code, (name, _) in _CURVED.items()} | _UNREAD
    counts = ", ".join(f"{int((types == code).sum())} of type {named.get(code, f'number {code}')}" for code in codes)
    return UnsupportedFormatError(
        f"cells that geoop has no type for: {counts}",
        where=where,
        remedy="in ParaView use Filters > Tetrahedralize (linear cells), save as .vtu, and read that",
    )


def _with_faces(types: np.ndarray, offsets: np.ndarray, connectivity: np.ndarray, faces: Faces | None) -> PlainCells:
    """Cells as they are; polyhedra whose listed points are not those of their faces get the points of their faces."""
    try:
        return PlainCells(Cells(types, offsets, connectivity, faces))
    except InvalidMeshError:
        if faces is None:
            raise
    solid = np.flatnonzero(types == _POLYHEDRON)
    own = faces.take(solid)
    rest = np.flatnonzero(types != _POLYHEDRON)
    parts = [Cells.polyhedra(own.cell_offsets, own.offsets, own.connectivity)]
    parts += [Cells(types[rest], *_runs(offsets, connectivity, rest))] if len(rest) else []
    cells = Cells.concatenate(parts).take(np.argsort(np.concatenate([solid, rest]), kind="stable"))
    return PlainCells(cells, notes=(f"the points of {len(solid)} polyhedra are taken from their faces: those that were listed do not fit",))


def _runs(offsets: np.ndarray, connectivity: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and connectivity of the chosen cells."""
    sizes = np.diff(offsets)[index]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    return ends, connectivity[np.repeat(offsets[:-1][index] - ends[:-1], sizes) + np.arange(ends[-1])]


def _converted(
    code: int, index: np.ndarray, offsets: np.ndarray, connectivity: np.ndarray, faces: Faces | None, where: str
) -> tuple[PlainCells, np.ndarray]:
    """All cells of one VTK type as geoop's, and the VTK cell of each."""
    starts, sizes = offsets[:-1][index], np.diff(offsets)[index]
    if code in _LATTICE or code in _PRISMS:
        name, order = _LATTICE.get(code, ("", list(range(2 * _PRISMS.get(code, 0)))))
        _enough(sizes, len(order), name or "prism", where)
        rows = connectivity[starts[:, None] + np.array(order)]
        return PlainCells(Cells.of({name: rows}) if name else _prisms(rows)), index
    if code in _CURVED:
        return _straight(code, starts, sizes, *_runs(offsets, connectivity, index), where), index
    if code in CELL_NAMES:
        own = faces.take(index) if faces is not None and code == _POLYHEDRON else None
        return _with_faces(np.full(len(index), code), *_runs(offsets, connectivity, index), own), index
    width = {_POLY_VERTEX: 1, _POLY_LINE: 2, _STRIP: 3}[code]
    counts = np.maximum(sizes - width + 1, 0)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = connectivity[(np.repeat(starts, counts) + step)[:, None] + np.arange(width)]
    if code == _STRIP:
        odd = step % 2 == 1
        rows[odd] = rows[odd][:, [1, 0, 2]]  # every second triangle of a strip runs the other way round
    name = {1: "vertex", 2: "line", 3: "triangle"}[width]
    return PlainCells(Cells.of({name: rows})), np.repeat(index, counts)


def _straight(code: int, starts: np.ndarray, sizes: np.ndarray, ends: np.ndarray, flat: np.ndarray, where: str) -> PlainCells:
    """Cells of higher order as the straight cells of their corners."""
    said, name = _CURVED[code]
    fixed = CELL_TYPES[name][2]
    corners = np.full(len(sizes), fixed) if fixed else sizes // 2
    _enough(sizes, fixed or 6, said, where)
    new = np.concatenate([[0], np.cumsum(corners)])
    kept = flat[np.repeat(ends[:-1] - new[:-1], corners) + np.arange(new[-1])]
    note = (
        f"{len(starts)} cells of type {said} are straight {name} cells of their corners now: curved sides and the values at points on them are lost"
    )
    return PlainCells(Cells(np.full(len(starts), CELL_TYPES[name][0]), new, kept), notes=(note,), curved=flat)


def _prisms(rows: np.ndarray) -> Cells:
    """(m, 2k) corners of prisms, base and top in the same sense of rotation with the top where the base's normal points to, as polyhedra."""
    count, k = len(rows), rows.shape[1] // 2
    around = [[i, (i + 1) % k, (i + 1) % k + k, i + k] for i in range(k)]
    pattern = [list(range(k))[::-1], list(range(k, 2 * k)), *around]
    sizes = np.tile([len(face) for face in pattern], count)
    flat = rows[:, [corner for face in pattern for corner in face]].reshape(-1)
    return Cells.polyhedra(np.arange(count + 1) * len(pattern), np.concatenate([[0], np.cumsum(sizes)]), flat)


def _enough(sizes: np.ndarray, corners: int, name: str, where: str) -> None:
    if (sizes < corners).any():
        raise UnreadableFileError(
            f"{int((sizes < corners).sum())} {name} cells have fewer than {corners} points",
            where=where,
            remedy="the file is damaged: export it again",
        )
