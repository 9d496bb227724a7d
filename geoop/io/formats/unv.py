"""Universal files (.unv) of I-DEAS, as ANSA and Salome write them: nodes, elements, groups and units.

Datasets 15, 781 and 2411 (nodes), 780 and 2412 (elements), 2452, 2467 and 2477 (groups), 164 (units); others are named in a note.
Layout: SDRC "Universal Dataset Number" pages of the University of Cincinnati, UC-SDRL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from ...errors import UnreadableFileError, UnsupportedFormatError
from ...mesh.cells import CELL_TYPES, Cells
from ..contents import Contents, flattened
from ..source import Source

_LINE3, _TRIANGLE6, _QUAD8 = [0, 2, 1], [0, 2, 4, 1, 3, 5], [0, 2, 4, 6, 1, 3, 5, 7]  # the file runs round: corner, middle, corner
_TETRA10 = [0, 2, 4, 9, 1, 3, 5, 6, 7, 8]
_WEDGE15 = [0, 2, 4, 9, 11, 13, 1, 3, 5, 10, 12, 14, 6, 7, 8]
_HEXAHEDRON20 = [0, 2, 4, 6, 12, 14, 16, 18, 1, 3, 5, 7, 13, 15, 17, 19, 8, 9, 10, 11]
_FLAT = {
    "triangle": (41, 51, 61, 71, 81, 91),
    "triangle6": (42, 52, 62, 72, 82, 92),
    "quad": (44, 54, 64, 74, 84, 94),
    "quad8": (45, 55, 65, 75, 85, 95),
}
_ORDER = {"line3": _LINE3, "triangle6": _TRIANGLE6, "quad8": _QUAD8, "tetra10": _TETRA10, "wedge15": _WEDGE15, "hexahedron20": _HEXAHEDRON20}
#: FE descriptor -> cell.
_CELLS = {code: name for name, codes in _FLAT.items() for code in codes} | {
    11: "line", 21: "line", 22: "line", 23: "line3", 24: "line3", 111: "tetra", 112: "wedge", 113: "wedge15", 115: "hexahedron",
    116: "hexahedron20", 118: "tetra10", 312: "wedge",
}  # fmt: skip
_BEAMS = (11, 21, 22, 23, 24)
_NODES, _ELEMENTS, _GROUPS = ("15", "781", "2411"), ("780", "2412"), ("2452", "2467", "2477", "2435", "2432", "2430", "2429")
_DESCRIBED = {"151": "header"}


@dataclass(eq=False)
class _Model:
    where: str
    labels: list[int] = field(default_factory=list)
    points: list[list[float]] = field(default_factory=list)
    elements: dict[str, list[tuple[int, list[int]]]] = field(default_factory=dict)
    groups: dict[str, tuple[list[int], int]] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    factor: float | None = None


def read_unv(source: Source) -> Contents:
    """Elements of the highest dimension as the mesh; groups of them are zones, groups of facets patches. Node groups are noted.

    Lengths are brought to metres by dataset 164; without it they are taken as metres, with a note.

    Raises:
        UnreadableFileError: truncated or damaged, or elements of nodes that are not there.
        UnsupportedFormatError: no elements of a type that geoop has.
    """
    model = _Model(source.where)
    for number, lines in _datasets(source.text(), source.where):
        try:
            _take(model, number, lines)
        except (IndexError, ValueError) as error:
            raise UnreadableFileError(
                f"dataset {number} cannot be read: {error or 'it ends too early'}", where=source.where, remedy="export it again"
            ) from error
    return _contents(model)


def _datasets(text: str, where: str) -> list[tuple[str, list[str]]]:
    """Number and lines of every dataset: each stands between two lines of -1."""
    lines = text.splitlines()
    marks = [k for k, line in enumerate(lines) if line.strip() == "-1"]
    if len(marks) % 2 or not marks:
        raise UnreadableFileError(
            f"{len(marks)} lines of -1, which come in pairs round every dataset: truncated or no universal file",
            where=where,
            remedy="export it again",
        )
    found = []
    for start, stop in zip(marks[::2], marks[1::2], strict=True):
        if stop > start + 1:
            found.append((lines[start + 1].split()[0] if lines[start + 1].split() else "", lines[start + 2 : stop]))
    return found


def _take(model: _Model, number: str, lines: list[str]) -> None:
    if number in _NODES:
        _nodes(model, lines, one_line=number == "15")
    elif number in _ELEMENTS:
        _elements(model, lines, old=number == "780")
    elif number in _GROUPS:
        _groups(model, lines, pairs=2 if number in ("2452", "2467", "2477", "2435") else 4)
    elif number == "164":
        model.factor = _floats(lines[1])[0]
        if not (np.isfinite(model.factor) and model.factor > 0):
            raise ValueError(f"the length factor {model.factor} is not positive")
    elif number not in _DESCRIBED:
        model.left_out.append(number)


def _floats(line: str) -> list[float]:
    """Numbers of a line; Fortran writes exponents with D, and columns of 25 may touch."""
    line = re.sub(r"(?<=[\d.])[dD](?=[-+]?\d)", "e", line)
    return [float(word) for word in re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf)\w*", line, re.I)]


def _nodes(model: _Model, lines: list[str], *, one_line: bool) -> None:
    step = 1 if one_line else 2
    rows = [line for line in lines if line.strip()]
    if len(rows) % step:
        raise ValueError("the last node has no coordinates")
    for k in range(0, len(rows), step):
        values = _floats(rows[k])[4:7] if one_line else _floats(rows[k + 1])
        if len(values) != 3:
            raise ValueError(f"node '{rows[k].split()[0]}' has {len(values)} coordinates")
        model.labels.append(int(rows[k].split()[0]))
        model.points.append(values)


def _elements(model: _Model, lines: list[str], *, old: bool) -> None:
    at = 0
    while at < len(lines):
        head = [int(word) for word in lines[at].split()]
        if not head:
            at += 1
            continue
        label, code, count = head[0], head[1], head[7] if old else head[5]
        at += 2 if code in _BEAMS else 1
        rows = -(-count // 8)
        nodes = [int(word) for line in lines[at : at + rows] for word in line.split()]
        at += rows
        if len(nodes) != count or count < 1:
            raise ValueError(f"element {label} announces {count} nodes, {len(nodes)} are there")
        name = _CELLS.get(code)
        if name is None or CELL_TYPES[name][2] != count:
            kind = f"descriptor {code} with {count} nodes"
            model.unread[kind] = model.unread.get(kind, 0) + 1
            continue
        model.elements.setdefault(name, []).append((label, nodes))


def _groups(model: _Model, lines: list[str], *, pairs: int) -> None:
    """Groups: head, name, then pairs of a kind (7 node, 8 element) and a number, each followed by two more numbers in newer datasets."""
    width = 4 if pairs == 2 else 2
    at = 0
    while at < len(lines):
        head = [int(word) for word in lines[at].split()]
        if not head:
            at += 1
            continue
        name, count = lines[at + 1].strip() or f"group {head[0]}", head[7]
        at += 2
        rows = -(-count // pairs)
        numbers = [int(word) for line in lines[at : at + rows] for word in line.split()]
        at += rows
        if len(numbers) != count * width:
            raise ValueError(f"group '{name}' announces {count} members, {len(numbers) // width} are there")
        members = np.array(numbers, dtype=np.int64).reshape(count, width)
        elements, nodes = members[members[:, 0] == 8, 1].tolist(), int((members[:, 0] == 7).sum())
        before = model.groups.get(name, ([], 0))
        model.groups[name] = (before[0] + elements, before[1] + nodes)


def _contents(model: _Model) -> Contents:
    if not model.points or not model.elements:
        found = ", ".join(model.unread) or "none"
        raise UnsupportedFormatError(
            f"{len(model.points)} nodes and no elements that geoop has a type for (found: {found})",
            where=model.where,
            remedy="export the mesh with its elements",
        )
    labels = np.array(model.labels, dtype=np.int64)
    order = np.argsort(labels, kind="stable")
    if (np.diff(labels[order]) == 0).any():
        raise UnreadableFileError("node numbers occur twice", where=model.where, remedy="renumber the nodes and export it again")
    names = sorted(model.elements, key=lambda name: CELL_TYPES[name][0])
    numbers = np.concatenate([[label for label, _ in model.elements[name]] for name in names]).astype(np.int64)
    cells = Cells.of({name: _rows(model, name, labels[order], order) for name in names})
    by_label = np.argsort(numbers, kind="stable")
    if (np.diff(numbers[by_label]) == 0).any():
        raise UnreadableFileError("element numbers occur twice", where=model.where, remedy="renumber the elements and export it again")
    cells, numbers = cells.take(by_label), numbers[by_label]
    notes = _notes(model)
    dimension = cells.dimension
    top = np.flatnonzero(cells.dimensions == dimension)
    place = np.full(len(cells), -1, dtype=np.int64)
    place[top] = np.arange(len(top))
    zones, patches = {}, {}
    grouped = cells.dimensions == dimension
    for name, (members, _) in model.groups.items():
        index = np.searchsorted(numbers, members)
        found = (index < len(numbers)) & (numbers[np.minimum(index, len(numbers) - 1)] == members)
        if not found.all():
            notes.append(f"group '{name}' names {int((~found).sum())} elements that are not in the file or not read")
        index = np.unique(index[found])
        inner, outer = index[place[index] >= 0], index[cells.dimensions[index] == dimension - 1]
        grouped[outer] = True
        if len(inner):
            zones[name] = place[inner]
        if len(outer):
            patches[name] = cells.take(outer)
    if not grouped.all():
        notes.append(f"{int((~grouped).sum())} elements of lower dimension that belong to no group of facets are left out")
    points = np.array(model.points) / (model.factor or 1.0)
    mesh = cells.take(top)
    points, flat = flattened(points, dimension)
    if dimension == points.shape[1] - 1:
        patches, zones = {**{name: mesh.take(index) for name, index in zones.items()}, **{k: v for k, v in patches.items() if k not in zones}}, {}
    return Contents(points, mesh, patches, zones, notes=(*notes, *flat), length_unit="" if model.factor is None else "m")


def _rows(model: _Model, name: str, sorted_labels: np.ndarray, order: np.ndarray) -> np.ndarray:
    nodes = np.array([row for _, row in model.elements[name]], dtype=np.int64)
    index = np.minimum(np.searchsorted(sorted_labels, nodes), len(sorted_labels) - 1)
    lost = sorted_labels[index] != nodes
    if lost.any():
        raise UnreadableFileError(
            f"{int(lost.any(axis=1).sum())} elements name nodes that are not in the file, first node {nodes[lost][0]}",
            where=model.where,
            remedy="export it again with all nodes",
        )
    rows = order[index]
    return rows[:, _ORDER[name]] if name in _ORDER else rows


def _notes(model: _Model) -> list[str]:
    if model.factor is None:
        notes = ["the file states no unit (dataset 164): lengths are metres unless another is said"]
    else:
        notes = [] if model.factor == 1.0 else [f"lengths are brought to m by dataset 164 (divided by {model.factor:g})"]
    notes += [f"elements left out: {', '.join(f'{count} of {kind}' for kind, count in model.unread.items())}"] if model.unread else []
    nodes = [name for name, (_, count) in model.groups.items() if count]
    notes += [f"node groups are left out: {', '.join(nodes)}"] if nodes else []
    notes += [f"datasets left out: {', '.join(dict.fromkeys(model.left_out))}"] if model.left_out else []
    return notes
