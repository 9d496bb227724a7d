"""Gmsh 4.1, text or binary: patches and zones as physical groups, fields as node and element data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import UnsupportedFormatError
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.topology import row_groups
from ..fields import padded
from ..formats.gmsh.sections import ELEMENT_TYPES, PYRAMID14
from ..patch_cells import cells_by_patch, sorted_points
from .options import Options, left_out, listed, rewritten
from .rows import number_lines

#: geoop's cell name -> Gmsh type and the place in VTK's order of every node in Gmsh's.
_KINDS = {name: (kind, np.argsort(order)) for kind, (name, order) in ELEMENT_TYPES.items() if kind != PYRAMID14}


@dataclass(frozen=True, eq=False)
class _Entity:
    """Cells with the same physical groups: dimension, number, numbers of the groups, cells, number of its first element."""

    dimension: int
    number: int
    groups: tuple[int, ...]
    cells: Cells
    index: np.ndarray


class _Sink:
    """Sections of a file that is text or binary."""

    def __init__(self, binary: bool) -> None:
        self._binary = binary
        self.parts: list[bytes] = []

    def line(self, text: str) -> None:
        """A line that is text in both."""
        self.parts.append(text.encode() + b"\n")

    def row(self, *items: tuple[str, object]) -> None:
        """Numbers of one row: kinds ``i`` (int32), ``n`` (size_t), ``d`` (double), each with a number or a list of them."""
        if self._binary:
            kinds = {"i": "<i4", "n": "<u8", "d": "<f8"}
            self.parts += [np.asarray(values, dtype=kinds[kind]).tobytes() for kind, values in items]
            return
        flat = [value for _, values in items for value in np.atleast_1d(np.asarray(values)).tolist()]
        self.parts.append(" ".join(map(repr, flat)).encode() + b"\n")

    def table(self, kind: str, values: np.ndarray) -> None:
        """An (n, k) array of one kind, a row per line."""
        if self._binary:
            self.row((kind, values))
        elif len(values):
            self.parts.append("\n".join(number_lines(values)).encode() + b"\n")

    def records(self, numbers: np.ndarray, values: np.ndarray) -> None:
        """Rows of a number (int32) and doubles."""
        if self._binary:
            table = np.zeros(len(numbers), np.dtype([("number", "<i4"), ("values", "<f8", (values.shape[1],))]))
            table["number"], table["values"] = numbers, values
            self.parts.append(table.tobytes())
        else:
            self.parts.append("".join(f"{n} {line}\n" for n, line in zip(numbers.tolist(), number_lines(values), strict=True)).encode())

    def end(self, name: str) -> None:
        self.parts.append((b"\n" if self._binary else b"") + f"$End{name}\n".encode())


def write_msh(case: Case, path: Path, options: Options) -> tuple[str, ...]:
    """Write a mesh with its fields; see :func:`geoop.io.writing.write`.

    Raises:
        UnsupportedFormatError: polygons, polyhedra, or a point cloud.
    """
    mesh = case.mesh
    foreign = sorted({name for cells in (mesh.cells, *mesh.patches.values()) for name in cells.names if name not in _KINDS})
    if foreign or not len(mesh.cells):
        what = f"{', '.join(foreign)} cells" if foreign else "a point cloud"
        raise UnsupportedFormatError(f"a Gmsh file cannot hold {what}", remedy="write .vtu")
    groups, entities, notes = _entities(case)
    sink = _Sink(not options.text)
    sink.line(f"$MeshFormat\n4.1 {int(not options.text)} 8")
    if not options.text:
        sink.parts += [np.array(1, "<i4").tobytes(), b"\n"]
    sink.line("$EndMeshFormat")
    if groups:
        form = "a group has its name on one line, with single blanks and without double quotes"
        words, changed = rewritten(dict.fromkeys(name for _, name in groups), lambda name: " ".join(name.replace('"', "'").split()), form)
        notes += changed
        rows = [f'{dimension} {number} "{words[name]}"' for (dimension, name), number in groups.items()]
        sink.line("\n".join(["$PhysicalNames", str(len(rows)), *rows, "$EndPhysicalNames"]))
    points = np.pad(mesh.points, ((0, 0), (0, 3 - mesh.dimension)))
    _write_entities(sink, entities, points)
    _write_nodes(sink, entities[0], points)
    tags = _write_elements(sink, entities, len(mesh.cells))
    held = _write_data(sink, case, tags)
    path.write_bytes(b"".join(sink.parts))
    zones = not mesh.zones or any(dimension == mesh.cell_dimension for dimension, _ in groups) and not _own_patches(case)
    if (np.diff(tags[tags > 0]) < 0).any():
        notes.append("a Gmsh file groups cells by physical group and type: their order changes, and that of fields on cells with it")
    return (*notes, *left_out(case, fields=held, patches=True, zones=zones, time=bool(held)))


def _own_patches(case: Case) -> bool:
    """Whether the patches are cells of the mesh itself: a surface in space, an outline in a plane."""
    return case.mesh.cell_dimension < case.mesh.dimension


def _entities(case: Case) -> tuple[dict[tuple[int, str], int], list[_Entity], list[str]]:
    """Physical groups (dimension and name -> number), entities, and notes. The cells of the mesh come first."""
    mesh, top = case.mesh, case.mesh.cell_dimension
    groups: dict[tuple[int, str], int] = {}
    members: Mapping[str, np.ndarray] = mesh.zones
    notes: list[str] = []
    if _own_patches(case):
        found = cells_by_patch(mesh)
        foreign = [name for name, index in found.items() if (index < 0).any()]
        notes += [f"patches whose facets are no cells are left out: {listed(foreign)}"] if foreign else []
        members = {name: index for name, index in found.items() if name not in foreign}
    entities = _split(mesh.cells, np.flatnonzero(mesh.cells.dimensions == top), members, top, groups)
    low = np.flatnonzero(mesh.cells.dimensions < top)
    notes += [f"{len(low)} cells of a lower dimension are left out"] if len(low) else []
    if not _own_patches(case) and mesh.patches:
        every = Cells.concatenate(list(mesh.patches.values()))
        same = row_groups(np.concatenate([every.types[:, None].astype(np.int64), sorted_points(every)], axis=1))
        _, first, place = np.unique(same, return_index=True, return_inverse=True)
        stops = np.cumsum([len(part) for part in mesh.patches.values()])
        pieces = np.split(place.reshape(-1), stops[:-1])
        entities += _split(every.take(first), np.arange(len(first)), dict(zip(mesh.patches, pieces, strict=True)), top - 1, groups)
    return groups, entities, notes


def _split(cells: Cells, index: np.ndarray, members: Mapping[str, np.ndarray], dimension: int, groups: dict[tuple[int, str], int]) -> list[_Entity]:
    """Entities of the cells that are in the same groups; the numbers of new groups are added."""
    numbers = [groups.setdefault((dimension, name), len(groups) + 1) for name in members]
    kinds, home = np.unique(_memberships(len(cells), members)[index], axis=0, return_inverse=True)  # the first group first
    home = home.reshape(-1)
    order = np.argsort(home, kind="stable")
    pieces = np.split(index[order], np.cumsum(np.bincount(home, minlength=len(kinds)))[:-1])
    return [
        _Entity(dimension, i + 1, tuple(numbers[column] for column in row if column < len(numbers)), cells.take(own), own)
        for i, (row, own) in enumerate(zip(kinds.tolist(), pieces, strict=True))
    ]


def _memberships(count: int, members: Mapping[str, np.ndarray]) -> np.ndarray:
    """(count, k) the groups of every cell, ascending, filled up with their number: k is the most that one cell is in, at least 1."""
    rows = [np.unique(index) for index in members.values()]
    cell = np.concatenate([*rows, np.zeros(0, dtype=np.int64)])
    column = np.repeat(np.arange(len(rows)), [len(index) for index in rows])
    order = np.argsort(cell, kind="stable")
    cell, column = cell[order], column[order]
    place = np.arange(len(cell)) - np.searchsorted(cell, cell)
    found = np.full((count, int(place.max(initial=0)) + 1), len(rows), dtype=np.int64)
    found[cell, place] = column
    return found


def _write_entities(sink: _Sink, entities: list[_Entity], points: np.ndarray) -> None:
    sink.line("$Entities")
    sink.row(("n", [sum(item.dimension == dimension for item in entities) for dimension in range(4)]))
    for item in sorted(entities, key=lambda item: item.dimension):
        used = points[item.cells.connectivity]
        box = used[0] if item.dimension == 0 else [*used.min(axis=0), *used.max(axis=0)]
        bounds = [] if item.dimension == 0 else [("n", [0])]
        sink.row(("i", item.number), ("d", box), ("n", len(item.groups)), ("i", list(item.groups)), *bounds)
    sink.end("Entities")


def _write_nodes(sink: _Sink, owner: _Entity, points: np.ndarray) -> None:
    """All nodes as one block; which entity they are on is of no use to a solver."""
    sink.line("$Nodes")
    sink.row(("n", [1, len(points), 1, len(points)]))
    sink.row(("i", [owner.dimension, owner.number, 0]), ("n", len(points)))
    sink.table("n", np.arange(1, len(points) + 1)[:, None])
    sink.table("d", points)
    sink.end("Nodes")


def _write_elements(sink: _Sink, entities: list[_Entity], count: int) -> np.ndarray:
    """Write all elements; (m,) number of every cell of the mesh, 0 where it is not written."""
    sink.line("$Elements")
    blocks = [(item, name) for item in entities for name in item.cells.names]
    total = sum(len(item.cells) for item in entities)
    sink.row(("n", [len(blocks), total, 1, total]))
    tags, following = np.zeros(count, dtype=np.int64), 1
    top = entities[0].dimension
    for item, name in blocks:
        kind, order = _KINDS[name]
        rows = item.cells.block(name)[:, order] + 1
        numbers = np.arange(following, following + len(rows))
        following += len(rows)
        if item.dimension == top:
            tags[item.index[item.cells.where(name)]] = numbers
        sink.row(("i", [item.dimension, item.number, kind]), ("n", len(rows)))
        sink.table("n", np.concatenate([numbers[:, None], rows], axis=1))
    sink.end("Elements")
    return tags


def _write_data(sink: _Sink, case: Case, tags: np.ndarray) -> list[str]:
    """Write point and cell fields; the names of those that are in the file."""
    held = []
    for name, item in case.fields.items():
        if item.location not in ("point", "cell"):
            continue
        values = padded(item).reshape(len(item.values), -1).astype(np.float64)
        rows = np.arange(len(values)) if item.location == "point" else np.flatnonzero(tags)
        numbers = rows + 1 if item.location == "point" else tags[rows]
        section = "NodeData" if item.location == "point" else "ElementData"
        label = item.quantity.label.replace('"', "'")
        sink.line(f'${section}\n1\n"{label}"\n1\n{case.time or 0.0!r}\n3\n0\n{values.shape[1]}\n{len(rows)}')
        sink.records(numbers, values[rows])
        sink.end(section)
        held.append(name)
    return held
