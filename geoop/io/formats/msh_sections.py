"""The sections of a Gmsh file, 2.2 and 4.1, text and binary, as blocks of elements that share entity and groups."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from ...errors import UnreadableFileError, UnsupportedFormatError
from ..merging import merge_equal
from ..parse import floats, integers

#: Gmsh element type -> (geoop cell name, order of its points in VTK).
ELEMENT_TYPES: dict[int, tuple[str, list[int]]] = {
    1: ("line", [0, 1]),
    2: ("triangle", [0, 1, 2]),
    3: ("quad", [0, 1, 2, 3]),
    4: ("tetra", [0, 1, 2, 3]),
    5: ("hexahedron", list(range(8))),
    6: ("wedge", list(range(6))),
    7: ("pyramid", list(range(5))),
    8: ("line3", [0, 1, 2]),
    9: ("triangle6", list(range(6))),
    10: ("quad9", list(range(9))),
    11: ("tetra10", [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]),
    15: ("vertex", [0]),
    16: ("quad8", list(range(8))),
    17: ("hexahedron20", [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 9, 16, 18, 19, 17, 10, 12, 14, 15]),
}
_AGAIN = "save the mesh again from Gmsh"


@dataclass(frozen=True, eq=False)
class Block:
    """Elements of one type on one geometric entity.

    Attributes:
        kind: Gmsh element type, a key of :data:`ELEMENT_TYPES`.
        entity: number of the curve, surface or volume; 0 where the file has none.
        groups: numbers of the physical groups that all of them belong to.
        tags: (m,) element numbers.
        nodes: (m, k) node numbers in Gmsh's order.
    """

    kind: int
    entity: int
    groups: tuple[int, ...]
    tags: np.ndarray
    nodes: np.ndarray


@dataclass
class Parsed:
    """A Gmsh file: node numbers and places, blocks, group names by (dimension, number), and data by element or node number."""

    node_tags: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    blocks: list[Block] = field(default_factory=list)
    names: dict[tuple[int, int], str] = field(default_factory=dict)
    data: list[tuple[str, str, np.ndarray, np.ndarray]] = field(default_factory=list)  # name, point or cell, numbers, values
    left_out: list[str] = field(default_factory=list)


class _Cursor:
    """Numbers of one section one after the other, from text or from binary."""

    def __init__(self, body: bytes, form: _Format, what: str, where: str) -> None:
        self.binary = form.binary
        self._form, self._what, self._where, self._at = form, what, where, 0
        self._body = body if form.binary else floats(body, where, f"${what}")

    def _take(self, count: int, kind: str) -> np.ndarray:
        count = int(count)
        if isinstance(self._body, np.ndarray):
            found = self._body[self._at : self._at + count]
            self._at += count
            short = len(found) < count
            found = found if kind == "f8" else integers(found, self._where, f"${self._what}")
        else:
            item = np.dtype(self._form.order + kind)
            short = count < 0 or self._at + count * item.itemsize > len(self._body)
            found = np.zeros(0, item) if short else np.frombuffer(self._body, item, count, self._at)
            found = found.astype(np.float64 if kind == "f8" else np.int64)
            self._at += count * item.itemsize
        if short or count < 0:
            raise UnreadableFileError(f"${self._what} ends too early: truncated or damaged", where=self._where, remedy=_AGAIN)
        return found

    def ints(self, count: int) -> np.ndarray:
        return self._take(count, "i4")

    def sizes(self, count: int) -> np.ndarray:
        return self._take(count, f"u{self._form.size}")

    def doubles(self, count: int) -> np.ndarray:
        return self._take(count, "f8")

    def records(self, count: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """(count,) numbers and (count, width) values, written row by row as a whole number and doubles."""
        if isinstance(self._body, np.ndarray):
            table = self._take(count * (1 + width), "f8").reshape(count, 1 + width)
            return integers(table[:, 0], self._where, f"${self._what}"), table[:, 1:].copy()
        item = np.dtype([("number", self._form.order + "i4"), ("values", self._form.order + "f8", (width,))])
        if count < 0 or self._at + count * item.itemsize > len(self._body):
            self._take(len(self._body) + 1, "i4")  # raises
        table = np.frombuffer(self._body, item, count, self._at)
        self._at += count * item.itemsize
        return table["number"].astype(np.int64), table["values"].astype(np.float64)

    def rest(self) -> np.ndarray:
        """All numbers that are left; text only."""
        return np.asarray(self._body[self._at :])


@dataclass(frozen=True)
class _Format:
    version: str
    binary: bool
    size: int  # bytes of a size_t in the file
    order: str  # byte order


def parse_msh(data: bytes, where: str) -> Parsed:
    """All sections that geoop understands; the names of the others are kept in ``left_out``.

    Raises:
        UnreadableFileError: no Gmsh header, a section that does not end, or rows missing.
        UnsupportedFormatError: another version, a partitioned mesh, or element types without a counterpart.
    """
    sections = _sections(data, where)
    form = _format(sections, where)
    found = Parsed()
    entities: dict[tuple[int, int], tuple[int, ...]] = {}
    for name, body in sections:
        if name == "PhysicalNames":
            found.names = _names(body)
        elif name == "Entities":
            entities = _entities(_Cursor(body, form, name, where))
        elif name == "Nodes":
            read = _nodes_2 if form.version == "2.2" else _nodes_4
            found.node_tags, found.points = read(*_head(body, form, name, where))
        elif name == "Elements":
            found.blocks = (
                _elements_2(*_head(body, form, name, where), where)
                if form.version == "2.2"
                else _elements_4(_Cursor(body, form, name, where), entities, where)
            )
        elif name in ("NodeData", "ElementData"):
            found.data.append(_data(body, form, name, where))
        elif name == "PartitionedEntities":
            raise UnsupportedFormatError("the mesh is partitioned", where=where, remedy="save it in one piece from Gmsh (Mesh > Unpartition)")
        elif name not in ("MeshFormat", "Comments"):
            found.left_out.append(name)
    return found


def _sections(data: bytes, where: str) -> list[tuple[str, bytes]]:
    found, at = [], 0
    while (start := data.find(b"$", at)) >= 0:
        head = re.compile(rb"\$(\w+)[ \t]*\r?\n").match(data, start)
        if head is None:
            at = start + 1
            continue
        name = head.group(1)
        end = data.find(b"$End" + name, head.end())
        if end < 0:
            raise UnreadableFileError(
                f"${name.decode()} has no $End{name.decode()}: truncated", where=where, remedy=f"download it again, or {_AGAIN}"
            )
        found.append((name.decode(), data[head.end() : end]))
        at = end + 4 + len(name)
    return found


def _format(sections: list[tuple[str, bytes]], where: str) -> _Format:
    body = next((body for name, body in sections if name == "MeshFormat"), None)
    if body is None:
        raise UnreadableFileError(
            "no $MeshFormat: not a Gmsh mesh (Fluent and others use .msh too)", where=where, remedy="export it as .vtu, .su2 or Gmsh 4.1"
        )
    words = body.splitlines()[0].split() if body else []
    version = words[0].decode("latin-1") if words else "?"
    if version not in ("2.2", "4.1") or len(words) < 3 or words[2] not in (b"4", b"8"):
        raise UnsupportedFormatError(
            f"Gmsh format {version}", where=where, remedy="convert it: gmsh FILE -save -format msh41 -o NEW.msh (2.2 and 4.1 are read)"
        )
    binary = words[1] != b"0"
    one = body[body.find(b"\n") + 1 :][:4]
    return _Format(version, binary, int(words[2]), ">" if binary and one == b"\0\0\0\1" else "<")


def _head(body: bytes, form: _Format, name: str, where: str) -> tuple[int, _Cursor]:
    """The text line with the count in front of 2.2's sections, and the rest; 4.1 has no such line."""
    if form.version != "2.2":
        return 0, _Cursor(body, form, name, where)
    line, _, rest = body.partition(b"\n")
    if not line.strip().isdigit():
        raise UnreadableFileError(f"${name} does not start with a count", where=where, remedy=_AGAIN)
    return int(line), _Cursor(rest, form, name, where)


def _names(body: bytes) -> dict[tuple[int, int], str]:
    rows = re.findall(rb'^\s*(\d)\s+(\d+)\s+"([^"\r\n]*)"', body, re.M)
    return {(int(dimension), int(tag)): name.decode("utf-8", "replace") for dimension, tag, name in rows}


def _entities(cursor: _Cursor) -> dict[tuple[int, int], tuple[int, ...]]:
    """(dimension, entity) -> physical groups."""
    found = {}
    for dimension, count in enumerate(cursor.sizes(4)):
        for _ in range(int(count)):
            tag = int(cursor.ints(1)[0])
            cursor.doubles(3 if dimension == 0 else 6)
            found[dimension, tag] = tuple(abs(int(group)) for group in cursor.ints(int(cursor.sizes(1)[0])))
            if dimension:
                cursor.ints(int(cursor.sizes(1)[0]))
    return found


def _nodes_2(count: int, cursor: _Cursor) -> tuple[np.ndarray, np.ndarray]:
    return cursor.records(count, 3)


def _nodes_4(_: int, cursor: _Cursor) -> tuple[np.ndarray, np.ndarray]:
    blocks = int(cursor.sizes(4)[0])
    tags, points = [np.zeros(0, np.int64)], [np.zeros((0, 3))]
    for _ in range(blocks):
        dimension, _entity, parametric = cursor.ints(3)
        count = int(cursor.sizes(1)[0])
        width = 3 + (int(dimension) if parametric else 0)
        tags.append(cursor.sizes(count))
        points.append(cursor.doubles(count * width).reshape(count, width)[:, :3])
    return np.concatenate(tags), np.concatenate(points)


def _width(kind: int, where: str) -> int:
    if kind not in ELEMENT_TYPES:
        known = ", ".join(f"{number} ({name})" for number, (name, _) in ELEMENT_TYPES.items())
        raise UnsupportedFormatError(
            f"Gmsh element type {kind} is not read; read are {known}", where=where, remedy="save the mesh with Mesh.ElementOrder = 1 or 2"
        )
    return len(ELEMENT_TYPES[kind][1])


def _elements_4(cursor: _Cursor, entities: dict[tuple[int, int], tuple[int, ...]], where: str) -> list[Block]:
    found = []
    for _ in range(int(cursor.sizes(4)[0])):
        dimension, entity, kind = (int(value) for value in cursor.ints(3))
        width = _width(kind, where)
        rows = cursor.sizes(int(cursor.sizes(1)[0]) * (1 + width)).reshape(-1, 1 + width)
        found.append(Block(kind, entity, entities.get((dimension, entity), ()), rows[:, 0], rows[:, 1:]))
    return found


def _elements_2(count: int, cursor: _Cursor, where: str) -> list[Block]:
    """Blocks of 2.2, where every element carries its own group; an element in two groups is written twice and kept once."""
    runs = _binary_runs(count, cursor, where) if cursor.binary else _text_runs(count, integers(cursor.rest(), where, "$Elements"), where)
    by_kind: dict[int, list[np.ndarray]] = {}
    for kind, tags, rows in runs:  # rows: number, tags, nodes
        pair = np.zeros((len(rows), 2), dtype=np.int64)
        pair[:, : min(tags, 2)] = rows[:, 1 : 1 + min(tags, 2)]
        by_kind.setdefault(kind, []).append(np.concatenate([rows[:, :1], np.abs(pair), rows[:, 1 + tags :]], axis=1))
    found = []
    for kind, parts in by_kind.items():
        rows = np.concatenate(parts)
        _, same = merge_equal(rows[:, 3:].astype(np.float64))
        first = np.unique(same, return_index=True)[1]
        found += _grouped(kind, rows, same, first)
    return found


def _grouped(kind: int, rows: np.ndarray, same: np.ndarray, first: np.ndarray) -> list[Block]:
    """Blocks of one element type by groups and entity.

    Args:
        kind: Gmsh element type.
        rows: (m, 3 + k) number, group, entity, nodes.
        same: (m,) number of the element that a row describes.
        first: (unique elements,) first row of each.
    """
    sets: list[tuple[int, ...]]
    if len(first) == len(rows):
        numbers, which = np.unique(rows[:, 1], return_inverse=True)
        sets = [(int(number),) if number else () for number in numbers]
    else:
        members: list[set[int]] = [set() for _ in first]
        for element, group in zip(same.tolist(), rows[:, 1].tolist(), strict=True):
            members[element].add(group)
        ordered = [tuple(sorted(item - {0})) for item in members]
        sets = list(dict.fromkeys(ordered))
        which = np.array([sets.index(item) for item in ordered])
    pairs, home = np.unique(np.stack([which.reshape(-1), rows[first, 2]], axis=1), axis=0, return_inverse=True)
    home = home.reshape(-1)
    parts = (rows[first[home == i]] for i in range(len(pairs)))
    return [Block(kind, int(entity), sets[index], part[:, 0], part[:, 3:]) for (index, entity), part in zip(pairs, parts, strict=True)]


def _text_runs(count: int, flat: np.ndarray, where: str):
    """Runs of equal (type, number of tags), each as (type, number of tags, rows without type and number of tags)."""
    at, left, guess = 0, count, 256
    while left:
        if at + 3 > len(flat):
            raise UnreadableFileError(f"{left} of {count} elements are missing: truncated", where=where, remedy=_AGAIN)
        kind, tags = int(flat[at + 1]), int(flat[at + 2])
        width = 3 + tags + _width(kind, where)
        most = min(left, (len(flat) - at) // width, guess)  # mixed types make short runs: do not look far ahead each time
        rows = flat[at : at + most * width].reshape(most, width)
        equal = (rows[:, 1] == kind) & (rows[:, 2] == tags)
        length = most if equal.all() else int(np.argmin(equal))
        if not length or tags < 0:
            raise UnreadableFileError(f"element {count - left + 1} of {count} is incomplete: truncated or damaged", where=where, remedy=_AGAIN)
        yield kind, tags, np.delete(rows[:length], [1, 2], axis=1)
        at, left, guess = at + length * width, left - length, 4 * guess if length == guess else max(256, length)


def _binary_runs(count: int, cursor: _Cursor, where: str):
    left = count
    while left > 0:
        kind, length, tags = (int(value) for value in cursor.ints(3))
        width = 1 + tags + _width(kind, where)
        if length < 1 or tags < 0:
            raise UnreadableFileError("$Elements holds an empty block: damaged", where=where, remedy=_AGAIN)
        yield kind, tags, cursor.ints(length * width).reshape(length, width)
        left -= length


def _data(body: bytes, form: _Format, name: str, where: str) -> tuple[str, str, np.ndarray, np.ndarray]:
    """Name, location, numbers and (m, k) values of $NodeData or $ElementData."""
    rows = body.split(b"\n")
    at, tags = 0, []
    try:
        for _ in range(3):  # text, real and whole-number tags, each behind its count
            count = int(rows[at])
            tags.append(rows[at + 1 : at + 1 + count])
            at += 1 + count
        label = tags[0][0].strip().strip(b'"').decode("utf-8", "replace") if tags[0] else name
        width, count = int(tags[2][1]), int(tags[2][2])
    except (IndexError, ValueError) as error:
        raise UnreadableFileError(f"${name}: its tags cannot be understood", where=where, remedy=_AGAIN) from error
    cursor = _Cursor(b"\n".join(rows[at:]), form, name, where)
    location = "point" if name == "NodeData" else "cell"
    return label, location, *cursor.records(count, width)
