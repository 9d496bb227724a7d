"""Element sections of an unstructured CGNS zone as cells, in VTK's order of nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....errors import UnreadableFileError, UnsupportedFormatError
from ....mesh.cells import CELL_TYPES, Cells, Faces
from .tree import Node

_MIXED, _NGON, _NFACE = 20, 22, 23
#: ElementType_t -> (cell, its nodes in CGNS's numbering from 0). Cubic and quartic elements keep their corners only.
_SAME = {2: "vertex", 3: "line", 4: "line3", 5: "triangle", 6: "triangle6", 7: "quad", 8: "quad8", 9: "quad9", 10: "tetra", 11: "tetra10",
         12: "pyramid", 14: "wedge", 17: "hexahedron", 21: "pyramid13"}  # fmt: skip
_NODES: dict[int, tuple[str, list[int]]] = {code: (name, list(range(CELL_TYPES[name][2]))) for code, name in _SAME.items()}
_HEXAHEDRON20 = [*range(12), 16, 17, 18, 19, 12, 13, 14, 15]  # CGNS lists the upright edges before those of the top
_WEDGE15 = [*range(9), 12, 13, 14, 9, 10, 11]
_NODES |= {
    13: ("pyramid13", list(range(13))),  # PYRA_14 without the node in the middle of its base
    15: ("wedge15", _WEDGE15),
    16: ("wedge18", [*_WEDGE15, 15, 16, 17]),
    18: ("hexahedron20", _HEXAHEDRON20),
    19: ("hexahedron27", [*_HEXAHEDRON20, 24, 22, 21, 23, 20, 25, 26]),
}
_SIZES = {13: 14, 24: 4, 25: 9, 26: 10, 27: 12, 28: 16, 29: 16, 30: 20, 31: 21, 32: 29, 33: 30, 34: 24, 35: 38, 36: 40, 37: 32, 38: 56, 39: 64,
          40: 5, 41: 12, 42: 15, 43: 16, 44: 25, 45: 22, 46: 34, 47: 35, 48: 29, 49: 50, 50: 55, 51: 33, 52: 66, 53: 75, 54: 44, 55: 98,
          56: 125}  # fmt: skip
_CORNERS = {
    "line": (24, 40), "triangle": (25, 26, 41, 42), "quad": (27, 28, 43, 44), "tetra": (29, 30, 45, 46, 47), "pyramid": (31, 32, 33, 48, 49, 50),
    "wedge": (34, 35, 36, 51, 52, 53), "hexahedron": (37, 38, 39, 54, 55, 56),
}  # fmt: skip
_NODES |= {code: (name, list(range(CELL_TYPES[name][2]))) for name, codes in _CORNERS.items() for code in codes}
_REDUCED = {13, *(code for codes in _CORNERS.values() for code in codes)}
_SIZES |= {code: len(nodes) for code, (_, nodes) in _NODES.items() if code not in _SIZES}


@dataclass(frozen=True, eq=False)
class Section:
    """Cells of one section.

    Attributes:
        name: of the section.
        first: element number of the first cell, as the file counts.
        cells: points from 0.
        reduced: how many cells were of higher order and keep their corners only.
        of_polyhedra: whether these are the faces of polyhedra, inner ones among them.
    """

    name: str
    first: int
    cells: Cells
    reduced: int = 0
    of_polyhedra: bool = False


def sections_of(zone: Node, n_points: int, where: str) -> list[Section]:
    """All element sections of a zone; polyhedra (NFACE_n, or NGON_n with parent elements) come last.

    Args:
        zone: a ``Zone_t`` of type Unstructured.
        n_points: of the zone, for the checks.
        where: file and zone, for errors.

    Raises:
        UnreadableFileError: counts or numbers that do not fit.
        UnsupportedFormatError: element types of orders that CGNS has no more names for.
    """
    plain, polyhedra = [], []
    polygons: dict[int, tuple[Node, Section]] = {}
    for node in zone.of("Elements_t"):
        kind, first, count = _head(node, where)
        if kind == _NFACE:
            polyhedra.append((node, first, count))
        elif kind == _NGON:
            section = Section(node.name, first, _polygons(node, count, where), of_polyhedra=True)
            polygons[first] = (node, section)
            plain.append(section)
        elif count:
            plain.append(_fixed(node, kind, first, count, where) if kind != _MIXED else _mixed(node, first, count, where))
    for section in plain:
        index = section.cells.connectivity
        if len(index) and (index.min() < 0 or index.max() >= n_points):
            raise _damaged(where, f"section '{section.name}' uses vertices {index.min() + 1}..{index.max() + 1} of {n_points}")
    rings = {first: section for first, (_, section) in polygons.items()}
    if polyhedra:
        plain += [Section(node.name, first, _from_faces(node, count, rings, where)) for node, first, count in polyhedra]
    else:
        plain += [found for node, section in polygons.values() if (found := _from_parents(node, section, where)) is not None]
    return plain


def _head(node: Node, where: str) -> tuple[int, int, int]:
    value, span = node.value, _child(node, "ElementRange", where).ravel()
    if value is None or len(span) != 2 or span[1] < span[0] - 1:
        raise _damaged(where, f"section '{node.name}' has no type or range")
    kind, count = int(value.ravel()[0]), int(span[1] - span[0] + 1)
    if kind not in _NODES and kind not in (_MIXED, _NGON, _NFACE):
        raise UnsupportedFormatError(
            f"section '{node.name}' has elements of type number {kind}", where=where, remedy="export the mesh with linear or quadratic elements"
        )
    return kind, int(span[0]), count


def _child(node: Node, name: str, where: str) -> np.ndarray:
    child = node.get(name)
    value = None if child is None else child.value
    if value is None:
        raise _damaged(where, f"'{node.name}' has no {name}")
    return value


def _fixed(node: Node, kind: int, first: int, count: int, where: str) -> Section:
    flat = _child(node, "ElementConnectivity", where).ravel(order="F")
    if len(flat) != count * _SIZES[kind]:
        raise _damaged(where, f"section '{node.name}' announces {count} elements of {_SIZES[kind]} nodes, {len(flat)} numbers are there")
    name, order = _NODES[kind]
    return Section(node.name, first, Cells.of({name: flat.reshape(count, -1)[:, order].astype(np.int64) - 1}), count if kind in _REDUCED else 0)


def _mixed(node: Node, first: int, count: int, where: str) -> Section:
    """Type, nodes, type, nodes, ...: with a table of offsets since version 4, before that one element after the other."""
    flat = _child(node, "ElementConnectivity", where).ravel(order="F").astype(np.int64)
    offsets = node.get("ElementStartOffset")
    starts = _walked(flat, count, node.name, where) if offsets is None else np.asarray(offsets.value).ravel()[:-1].astype(np.int64)
    if len(starts) != count or (count and (starts.min() < 0 or starts.max() >= len(flat))):
        raise _damaged(where, f"section '{node.name}' announces {count} elements, {len(starts)} are there")
    kinds = flat[starts]
    unknown = sorted(set(np.unique(kinds).tolist()) - set(_NODES))
    if unknown:
        raise UnsupportedFormatError(
            f"section '{node.name}' has elements of type numbers {unknown}", where=where, remedy="export the mesh with linear or quadratic elements"
        )
    parts, places = [], []
    for kind in np.unique(kinds).tolist():
        rows = np.flatnonzero(kinds == kind)
        name, order = _NODES[kind]
        slots = starts[rows][:, None] + 1 + np.array(order)
        if slots.max() >= len(flat):
            raise _damaged(where, f"section '{node.name}' ends inside an element")
        parts.append(Cells.of({name: flat[slots] - 1}))
        places.append(rows)
    cells = Cells.concatenate(parts).take(np.argsort(np.concatenate(places), kind="stable"))
    return Section(node.name, first, cells, int(np.isin(kinds, list(_REDUCED)).sum()))


def _walked(flat: np.ndarray, count: int, name: str, where: str) -> np.ndarray:
    starts, at, kinds = np.empty(min(count, len(flat)), dtype=np.int64), 0, flat.tolist()
    for k in range(count):
        if at >= len(kinds) or kinds[at] not in _SIZES:
            raise _damaged(where, f"element {k} of section '{name}' has no known type")
        starts[k] = at
        at += 1 + _SIZES[kinds[at]]
    return starts


def _ragged(node: Node, count: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and numbers of NGON_n and NFACE_n: a table of offsets since version 4, before that a count in front of each row."""
    flat = _child(node, "ElementConnectivity", where).ravel(order="F").astype(np.int64)
    table = node.get("ElementStartOffset")
    if table is not None:
        offsets = np.asarray(table.value).ravel().astype(np.int64)
    else:
        offsets, at, numbers = np.zeros(min(count, len(flat)) + 1, dtype=np.int64), 0, flat.tolist()
        heads = np.zeros(len(offsets) - 1, dtype=np.int64)
        for k in range(len(heads)):
            if at >= len(numbers) or numbers[at] < 1:
                raise _damaged(where, f"row {k} of section '{node.name}' has no size")
            heads[k], offsets[k + 1] = at, offsets[k] + numbers[at]
            at += 1 + numbers[at]
        keep = np.ones(len(flat), dtype=bool)
        keep[heads] = False
        flat = flat[keep][: offsets[-1]]
    if len(offsets) != count + 1 or offsets[0] != 0 or (np.diff(offsets) < 1).any() or offsets[-1] != len(flat):
        raise _damaged(where, f"section '{node.name}' announces {count} rows; its offsets and its {len(flat)} numbers do not fit that")
    return offsets, flat


def _polygons(node: Node, count: int, where: str) -> Cells:
    offsets, flat = _ragged(node, count, where)
    sizes = np.diff(offsets)
    code = {1: "vertex", 2: "line", 3: "triangle", 4: "quad"}
    types = np.full(count, CELL_TYPES["polygon"][0])
    for size, name in code.items():
        types[sizes == size] = CELL_TYPES[name][0]
    return Cells(types, offsets, flat - 1)


def _from_faces(node: Node, count: int, rings: dict[int, Section], where: str) -> Cells:
    """Polyhedra by the signed numbers of their faces: a negative one runs the other way round."""
    offsets, flat = _ragged(node, count, where)
    number = _numbered(rings)
    faces = np.abs(flat)
    if len(faces) and (faces.max() >= len(number[0]) or (number[0][faces] < 0).any()):
        raise _damaged(where, f"section '{node.name}' names faces that no NGON_n section has")
    chosen = number[1].take(number[0][faces])
    return _polyhedra(offsets, chosen, flat < 0)


def _from_parents(node: Node, section: Section, where: str) -> Section | None:
    """Polyhedra out of the two cells that each face names: the first one has it facing out."""
    parents = node.get("ParentElements")
    values = None if parents is None else parents.value
    if values is None or values.shape[1:] != (2,):
        return None
    left, right = values[:, 0].astype(np.int64), values[:, 1].astype(np.int64)
    if len(left) != len(section.cells):
        raise _damaged(where, f"the parents of section '{node.name}' are {len(left)} rows for {len(section.cells)} faces")
    cell = np.concatenate([left, right])
    face = np.tile(np.arange(len(left)), 2)
    inward = np.repeat([False, True], len(left))
    used = cell > 0
    cell, face, inward = cell[used], face[used], inward[used]
    order = np.argsort(cell, kind="stable")
    numbers, counts = np.unique(cell, return_counts=True)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return Section(f"{node.name} cells", int(numbers[0]) if len(numbers) else 0, _polyhedra(offsets, section.cells.take(face[order]), inward[order]))


def _polyhedra(offsets: np.ndarray, faces: Cells, inward: np.ndarray) -> Cells:
    turned = Faces(offsets, faces.offsets, faces.connectivity).reversed(inward)
    return Cells.polyhedra(turned.cell_offsets, turned.offsets, turned.connectivity)


def _numbered(rings: dict[int, Section]) -> tuple[np.ndarray, Cells]:
    """Element number -> place among all polygons, and the polygons."""
    last = max((first + len(section.cells) for first, section in rings.items()), default=0)
    number = np.full(last, -1, dtype=np.int64)
    at = 0
    for first, section in rings.items():
        number[first : first + len(section.cells)] = np.arange(len(section.cells)) + at
        at += len(section.cells)
    return number, Cells.concatenate([section.cells for section in rings.values()])


def _damaged(where: str, what: str) -> UnreadableFileError:
    return UnreadableFileError(f"the CGNS file is damaged: {what}", where=where, remedy="download or export it again")
