"""The sections of a Gmsh file, 2.2 and 4.1, text and binary, as blocks of elements that share entity and groups."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from ....errors import UnreadableFileError, UnsupportedFormatError
from ...merging import merge_equal
from ...parse import integers
from .data import Data, data_of
from .layout import AGAIN, Cursor, counted, format_of, sections_of

PYRAMID14 = 14
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
    12: ("hexahedron27", [*range(8), 8, 11, 13, 9, 16, 18, 19, 17, 10, 12, 14, 15, 22, 23, 21, 24, 20, 25, 26]),
    13: ("wedge18", [0, 1, 2, 3, 4, 5, 6, 9, 7, 12, 14, 13, 8, 10, 11, 15, 17, 16]),
    14: ("pyramid13", [0, 1, 2, 3, 4, 5, 8, 10, 6, 7, 9, 11, 12]),  # has a 14th node, in the middle of its base
    15: ("vertex", [0]),
    16: ("quad8", list(range(8))),
    17: ("hexahedron20", [*range(8), 8, 11, 13, 9, 16, 18, 19, 17, 10, 12, 14, 15]),
    18: ("wedge15", [0, 1, 2, 3, 4, 5, 6, 9, 7, 12, 14, 13, 8, 10, 11]),
    19: ("pyramid13", [0, 1, 2, 3, 4, 5, 8, 10, 6, 7, 9, 11, 12]),
}


@dataclass(frozen=True, eq=False)
class Block:
    """Elements of one type on one geometric entity.

    Attributes:
        kind: Gmsh element type, a key of :data:`ELEMENT_TYPES`.
        entity: number of the curve, surface or volume; 0 where the file has none.
        groups: numbers of the physical groups that all of them belong to.
        tags: (m,) element numbers.
        nodes: (m, k) node numbers in Gmsh's order.
        partition: the first partition that they belong to; 0 where the mesh is in one piece.
        interface: whether they lie between partitions, where the model has no boundary.
    """

    kind: int
    entity: int
    groups: tuple[int, ...]
    tags: np.ndarray
    nodes: np.ndarray
    partition: int = 0
    interface: bool = False


@dataclass(frozen=True)
class Entity:
    """A point, curve, surface or volume of the model, or a part of one in a partitioned mesh: number, groups, partition, interface."""

    number: int
    groups: tuple[int, ...] = ()
    partition: int = 0
    interface: bool = False


@dataclass
class Parsed:
    """A Gmsh file: node numbers and places, blocks, group names by (dimension, number), and data by element or node number."""

    node_tags: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    blocks: list[Block] = field(default_factory=list)
    names: dict[tuple[int, int], str] = field(default_factory=dict)
    data: list[Data] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def parse_msh(data: bytes, where: str) -> Parsed:
    """All sections that geoop understands; the names of the others are kept in ``left_out``.

    Raises:
        UnreadableFileError: no Gmsh header, a section that does not end, or rows missing.
        UnsupportedFormatError: another version, or element types without a counterpart.
    """
    sections = sections_of(data, where)
    form = format_of(sections, where)
    found = Parsed()
    entities: dict[tuple[int, int], Entity] = {}
    for name, body in sections:
        if name == "PhysicalNames":
            found.names = _names(body)
        elif name == "Entities":
            entities.update(_entities(Cursor(body, form, name, where)))
        elif name == "PartitionedEntities":
            entities.update(_partitioned(Cursor(body, form, name, where)))
        elif name == "Nodes":
            read = _nodes_2 if form.version == "2.2" else _nodes_4
            found.node_tags, found.points = read(*counted(body, form, name, where))
        elif name == "ParametricNodes" and form.version == "2.2":
            found.node_tags, found.points = _parametric(*counted(body, form, name, where))
        elif name == "Elements":
            found.blocks = (
                _elements_2(*counted(body, form, name, where), where)
                if form.version == "2.2"
                else _elements_4(Cursor(body, form, name, where), entities, where)
            )
        elif name in ("NodeData", "ElementData", "ElementNodeData"):
            found.data.append(data_of(body, form, name, where))
        elif name not in ("MeshFormat", "Comments"):
            found.left_out.append(name)
    return found


def _names(body: bytes) -> dict[tuple[int, int], str]:
    rows = re.findall(rb'^\s*(\d)\s+(\d+)\s+"([^\r\n]*)"', body, re.M)
    return {(int(dimension), int(tag)): name.decode("utf-8", "replace") for dimension, tag, name in rows}


def _entities(cursor: Cursor) -> dict[tuple[int, int], Entity]:
    """(dimension, number) -> entity."""
    found = {}
    for dimension, count in enumerate(cursor.sizes(4)):
        for _ in range(int(count)):
            tag = int(cursor.ints(1)[0])
            cursor.doubles(3 if dimension == 0 else 6)
            found[dimension, tag] = Entity(tag, _groups(cursor))
            if dimension:
                cursor.ints(int(cursor.sizes(1)[0]))
    return found


def _partitioned(cursor: Cursor) -> dict[tuple[int, int], Entity]:
    """(dimension, number) -> the entity of the model that it is part of; ghost entities hold no elements of their own."""
    _, ghosts = cursor.sizes(2)
    cursor.ints(2 * int(ghosts))
    found = {}
    for dimension, count in enumerate(cursor.sizes(4)):
        for _ in range(int(count)):
            tag, parent_dimension, parent = (int(value) for value in cursor.ints(3))
            partitions = cursor.ints(int(cursor.sizes(1)[0]))
            cursor.doubles(3 if dimension == 0 else 6)
            partition = int(partitions[0]) if len(partitions) else 0
            found[dimension, tag] = Entity(parent, _groups(cursor), partition, parent_dimension != dimension)
            if dimension:
                cursor.ints(int(cursor.sizes(1)[0]))
    return found


def _groups(cursor: Cursor) -> tuple[int, ...]:
    return tuple(abs(int(group)) for group in cursor.ints(int(cursor.sizes(1)[0])))


def _nodes_2(count: int, cursor: Cursor) -> tuple[np.ndarray, np.ndarray]:
    return cursor.records(count, 3)


def _parametric(count: int, cursor: Cursor) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of 2.2 with their entity behind them, and its one or two parameters on curves and surfaces."""
    tags, points = [], []
    for _ in range(count):
        tags.append(cursor.ints(1))
        points.append(cursor.doubles(3))
        dimension = int(cursor.ints(2)[0])
        cursor.doubles({1: 1, 2: 2}.get(dimension, 0))
    return np.concatenate([np.zeros(0, np.int64), *tags]), np.reshape(points, (len(tags), 3))


def _nodes_4(_: int, cursor: Cursor) -> tuple[np.ndarray, np.ndarray]:
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
    return 14 if kind == PYRAMID14 else len(ELEMENT_TYPES[kind][1])


def _elements_4(cursor: Cursor, entities: dict[tuple[int, int], Entity], where: str) -> list[Block]:
    found = []
    for _ in range(int(cursor.sizes(4)[0])):
        dimension, number, kind = (int(value) for value in cursor.ints(3))
        width = _width(kind, where)
        rows = cursor.sizes(int(cursor.sizes(1)[0]) * (1 + width)).reshape(-1, 1 + width)
        entity = entities.get((dimension, number), Entity(number))
        found.append(Block(kind, entity.number, entity.groups, rows[:, 0], rows[:, 1:], entity.partition, entity.interface))
    return found


def _elements_2(count: int, cursor: Cursor, where: str) -> list[Block]:
    """Blocks of 2.2, where every element carries its own group; an element in two groups is written twice and kept once."""
    runs = _binary_runs(count, cursor, where) if cursor.binary else _text_runs(count, integers(cursor.rest(), where, "$Elements"), where)
    by_kind: dict[int, list[np.ndarray]] = {}
    for kind, tags, rows in runs:  # rows: number, tags, nodes
        three = np.zeros((len(rows), 3), dtype=np.int64)  # group, entity, first partition; the third tag is how many follow
        three[:, : min(tags, 2)] = rows[:, 1 : 1 + min(tags, 2)]
        if tags > 3:
            three[:, 2] = np.where(rows[:, 3] > 0, rows[:, 4], 0)
        by_kind.setdefault(kind, []).append(np.concatenate([rows[:, :1], np.abs(three), rows[:, 1 + tags :]], axis=1))
    found = []
    for kind, parts in by_kind.items():
        rows = np.concatenate(parts)
        _, same = merge_equal(rows[:, 4:].astype(np.float64))
        first = np.unique(same, return_index=True)[1]
        found += _grouped(kind, rows, same, first)
    return found


def _grouped(kind: int, rows: np.ndarray, same: np.ndarray, first: np.ndarray) -> list[Block]:
    """Blocks of one element type by groups and entity.

    Args:
        kind: Gmsh element type.
        rows: (m, 4 + k) number, group, entity, partition, nodes.
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
    keys, home = np.unique(np.stack([which.reshape(-1), rows[first, 2], rows[first, 3]], axis=1), axis=0, return_inverse=True)
    order = np.argsort(home.reshape(-1), kind="stable")
    stops = np.cumsum(np.bincount(home.reshape(-1), minlength=len(keys)))
    parts = (rows[first[part]] for part in np.split(order, stops[:-1]))
    return [
        Block(kind, int(entity), sets[index], part[:, 0], part[:, 4:], int(partition))
        for (index, entity, partition), part in zip(keys, parts, strict=True)
    ]


def _text_runs(count: int, flat: np.ndarray, where: str):
    """Runs of equal (type, number of tags), each as (type, number of tags, rows without type and number of tags)."""
    at, left, guess = 0, count, 256
    while left:
        if at + 3 > len(flat):
            raise UnreadableFileError(f"{left} of {count} elements are missing: truncated", where=where, remedy=AGAIN)
        kind, tags = int(flat[at + 1]), int(flat[at + 2])
        width = 3 + tags + _width(kind, where)
        most = min(left, (len(flat) - at) // width, guess)  # mixed types make short runs: do not look far ahead each time
        rows = flat[at : at + most * width].reshape(most, width)
        equal = (rows[:, 1] == kind) & (rows[:, 2] == tags)
        length = most if equal.all() else int(np.argmin(equal))
        if not length or tags < 0:
            raise UnreadableFileError(f"element {count - left + 1} of {count} is incomplete: truncated or damaged", where=where, remedy=AGAIN)
        yield kind, tags, np.delete(rows[:length], [1, 2], axis=1)
        at, left, guess = at + length * width, left - length, 4 * guess if length == guess else max(256, length)


def _binary_runs(count: int, cursor: Cursor, where: str):
    left = count
    while left > 0:
        kind, length, tags = (int(value) for value in cursor.ints(3))
        width = 1 + tags + _width(kind, where)
        if length < 1 or tags < 0:
            raise UnreadableFileError("$Elements holds an empty block: damaged", where=where, remedy=AGAIN)
        yield kind, tags, cursor.ints(length * width).reshape(length, width)
        left -= length
