"""Sections of a native SU2 mesh: keywords with their rows, rows as points and elements."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ....errors import UnreadableFileError, UnsupportedFormatError
from ....mesh.cells import CELL_NAMES, CELL_TYPES, Cells
from ...parse import floats, integers, lines, token_counts

_KEYWORD = re.compile(rb"^[ \t]*([A-Za-z][A-Za-z_0-9]*)[ \t]*=[ \t]*([^\r\n]*)", re.M)
_COMMENT = re.compile(rb"%[^\r\n]*")
_EXPORT = "download or export it again"


@dataclass(frozen=True)
class Section:
    """A keyword, what stands behind its ``=``, and the rows up to the next keyword."""

    keyword: str
    value: str
    rows: list[bytes]


@dataclass(frozen=True)
class _Shape:
    """How the rows of one element code are read: type, corners among its nodes, number of nodes, and polynomial degree."""

    name: str
    corners: tuple[int, ...]
    nodes: int
    degree: int = 1


def split_sections(data: bytes) -> list[Section]:
    """All sections of the file in its order; comments (%) are gone."""
    data = _COMMENT.sub(b"", data if b"\n" in data else data.replace(b"\r", b"\n"))
    heads = list(_KEYWORD.finditer(data))
    stops = [*(head.start() for head in heads[1:]), len(data)][: len(heads)]
    return [
        Section(head.group(1).decode().upper(), head.group(2).strip().decode("utf-8", "replace"), lines(data[head.end() : stop]))
        for head, stop in zip(heads, stops, strict=True)
    ]


def find(sections: list[Section], keyword: str, where: str) -> Section:
    """The one section of that keyword.

    Raises:
        UnreadableFileError: there is none, or several.
    """
    found = [section for section in sections if section.keyword == keyword]
    if len(found) != 1:
        state = "is missing: truncated, or not an SU2 mesh" if not found else f"occurs {len(found)} times"
        raise UnreadableFileError(f"{keyword}= {state}", where=where, remedy=_EXPORT)
    return found[0]


def count_of(section: Section, where: str) -> int:
    """The number behind a keyword; NPOIN may have a second one (points without halo), which is not needed."""
    words = section.value.split()
    if not words or not (words[0].isascii() and words[0].isdigit()):
        raise UnreadableFileError(f"{section.keyword}= '{section.value}' is not a count", where=where, remedy="repair the file")
    return int(words[0])


def single(sections: list[Section], keyword: str, where: str, default: int | None = None) -> int:
    """The number behind a keyword that occurs once, or the default where it may be missing."""
    if default is not None and not any(section.keyword == keyword for section in sections):
        return default
    return count_of(find(sections, keyword, where), where)


def points_of(section: Section, dimension: int, where: str) -> np.ndarray:
    """(n, d) coordinates; a row may end with the number of the point, in partitions with a local and a global one."""
    rows = _checked_rows(section, count_of(section, where), where, "NPOIN")
    counts = token_counts(rows)
    flat = floats(b"\n".join(rows), where, "NPOIN")
    starts = np.cumsum(counts) - counts
    wrong = (counts < dimension) | (counts > dimension + 2)
    two = np.flatnonzero(counts == dimension + 2)
    tail = flat[starts[two][:, None] + dimension + np.arange(2)]
    wrong[two] |= (tail != np.floor(tail)).any(axis=1) | (tail < 0).any(axis=1)  # a coordinate too many, not two numbers of the point
    if wrong.any():
        row = int(np.argmax(wrong))
        raise UnreadableFileError(
            f"point {row} is '{rows[row].decode('latin-1').strip()}', expected {dimension} coordinates", where=where, remedy="repair the file"
        )
    return flat[starts[:, None] + np.arange(dimension)]


def elements_of(section: Section, where: str, what: str = "NELEM") -> tuple[Cells, int]:
    """Rows of ``type point point ... [index]`` as cells in file order.

    Types are VTK's. Those of SU2's discontinuous Galerkin solver (``VTK type + 100 (degree - 1)``, plus a multiple of 10000 that
    tells the degree of the solution) list their nodes on a lattice, row by row; only their corners are kept.

    Returns:
        The cells, and how many of them were reduced to their corners.

    Raises:
        UnreadableFileError: fewer or more rows than announced, or rows of the wrong length.
        UnsupportedFormatError: types that SU2 does not have.
    """
    rows = _checked_rows(section, count_of(section, where), where, what)
    if not rows:
        return Cells.empty(), 0
    tokens = token_counts(rows)
    flat = integers(floats(b"\n".join(rows), where, what), where, what)
    starts = np.cumsum(tokens) - tokens
    codes, kind = np.unique(flat[starts], return_inverse=True)
    shapes = _shapes(codes, where, what)
    nodes = np.array([shape.nodes for shape in shapes])[kind]
    wrong = (tokens != nodes + 1) & (tokens != nodes + 2)
    if wrong.any():
        row = int(np.argmax(wrong))
        shape = shapes[kind[row]]
        name = shape.name if shape.degree == 1 else f"{shape.name} of degree {shape.degree}"
        raise UnreadableFileError(
            f"{what}: row {row} is '{rows[row].decode('latin-1').strip()}', a {name} has {shape.nodes} points", where=where, remedy="repair the file"
        )
    offsets = np.concatenate([[0], np.cumsum(np.array([len(shape.corners) for shape in shapes])[kind])])
    connectivity = np.empty(offsets[-1], dtype=np.int64)
    for number, shape in enumerate(shapes):
        index = np.flatnonzero(kind == number)
        places = offsets[index][:, None] + np.arange(len(shape.corners))
        connectivity[places] = flat[starts[index][:, None] + 1 + np.array(shape.corners)]
    types = np.array([CELL_TYPES[shape.name][0] for shape in shapes])[kind]
    reduced = np.array([shape.degree > 1 for shape in shapes])[kind]
    return Cells(types, offsets, connectivity), int(reduced.sum())


def _checked_rows(section: Section, count: int, where: str, what: str) -> list[bytes]:
    if len(section.rows) != count:
        reason = "truncated" if len(section.rows) < count else "damaged"
        raise UnreadableFileError(f"{what}: {count} rows announced, {len(section.rows)} found: {reason}", where=where, remedy=_EXPORT)
    return section.rows


def _shapes(codes: np.ndarray, where: str, what: str) -> list[_Shape]:
    """The shape of every element code.

    Raises:
        UnsupportedFormatError: codes that SU2 does not have; all of them in one error.
    """
    shapes = [_shape(int(code)) for code in codes]
    unknown = [int(code) for code, shape in zip(codes, shapes, strict=True) if shape is None]
    if unknown:
        known = ", ".join(f"{code} ({name})" for code, name in CELL_NAMES.items() if CELL_TYPES[name][2])
        raise UnsupportedFormatError(
            f"{what}: element types {unknown} are not known; known are {known}, and 100 (degree - 1) more for linear types of a higher degree",
            where=where,
            remedy="export the mesh with linear elements",
        )
    return [shape for shape in shapes if shape is not None]


def _shape(code: int) -> _Shape | None:
    """SU2's CSU2ASCIIMeshReaderFEM and CPrimalGridFEM: the code of an element, the number of its nodes, the places of its corners."""
    degree = code % 10000 // 100 + 1
    name = CELL_NAMES.get(code % 100 if code >= 100 else code, "")
    if code < 0 or not name or not CELL_TYPES[name][2]:
        return None
    if degree == 1:
        count = CELL_TYPES[name][2]
        return _Shape(name, tuple(range(count)), count)
    n, edge, row = degree, degree + 1, degree * (degree + 1)
    triangle = edge * (edge + 1) // 2
    quad, three = (0, n, edge * edge - 1, row), (0, n, triangle - 1)
    lattices: dict[str, tuple[tuple[int, ...], int]] = {
        "line": ((0, n), edge),
        "triangle": (three, triangle),
        "quad": (quad, edge**2),
        "tetra": ((*three, triangle * (edge + 2) // 3 - 1), triangle * (edge + 2) // 3),
        "hexahedron": ((*quad, *(corner + n * edge**2 for corner in quad)), edge**3),
        "wedge": ((*three, *(corner + n * triangle for corner in three)), edge * triangle),
        "pyramid": ((*quad, edge * (edge + 1) * (2 * edge + 1) // 6 - 1), edge * (edge + 1) * (2 * edge + 1) // 6),
    }
    if name not in lattices:
        return None
    corners, count = lattices[name]
    return _Shape(name, corners, count, degree)
