"""PLY, text and binary: polygons or bare points, with properties, without a unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ...errors import UnreadableFileError, UnsupportedFormatError
from ...mesh.cells import CELL_TYPES, Cells
from ...mesh.quantity import Location
from ..contents import Array, Contents
from ..merging import surface_notes
from ..parse import floats, integers
from ..source import Source

_SCALARS = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_BYTE_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">"}
_CORNERS = ("vertex_indices", "vertex_index")
#: Of a bare cloud what its surface looks like; of a mesh the facets say it.
_NORMAL = ("nx", "ny", "nz")
#: Properties for drawing, not physics.
_DRAWING = {
    *_NORMAL,
    "red",
    "green",
    "blue",
    "alpha",
    "diffuse_red",
    "diffuse_green",
    "diffuse_blue",
    "s",
    "t",
    "u",
    "v",
    "texture_u",
    "texture_v",
    "flags",
}


@dataclass(frozen=True)
class _Property:
    name: str
    kind: str  # NumPy type of a value
    count: str = ""  # NumPy type of the length in front of a list; empty for a scalar


@dataclass(frozen=True)
class _Element:
    name: str
    size: int
    properties: tuple[_Property, ...]


def read_ply(source: Source) -> Contents:
    """Points, polygons of any size, and scalar properties (as fields) of a PLY file.

    Normals of points without faces, as scanners write them, are the vector field ``normals``; those of a mesh, colours and texture coordinates are
    left out and noted. Fields that geoop wrote keep their units and components.

    Raises:
        UnreadableFileError: not a PLY file, truncated, or no coordinates.
        UnsupportedFormatError: triangle strips only.
    """
    where = source.where
    data = source.data()
    form, elements, start = _header(data, where)
    tables = _text(data[start:], elements, where) if form == "ascii" else _binary(data, start, elements, _BYTE_ORDERS[form], where)
    vertex, face = tables.get("vertex", {}), tables.get("face", {})
    if any(axis not in vertex for axis in "xyz"):
        raise UnreadableFileError(
            f"the vertices have no x, y, z (found: {', '.join(vertex) or 'nothing'})", where=where, remedy="export it again as a mesh"
        )
    points = np.stack([np.asarray(vertex[axis], dtype=np.float64) for axis in "xyz"], axis=1)
    corners = next((face[name] for name in _CORNERS if name in face), None)
    if corners is None and "tristrips" in tables:
        raise UnsupportedFormatError("the faces are triangle strips", where=where, remedy="export it with plain triangles")
    cells = _cells(corners, where) if corners is not None else Cells.empty()
    arrays, left_out = [], set()
    if not len(cells) and all(name in vertex for name in _NORMAL):
        normals = np.stack([np.asarray(vertex[name], dtype=np.float64) for name in _NORMAL], axis=1)
        normals[~np.isfinite(normals).all(axis=1)] = 0.0  # a scanner's way to say that it has none there
        if normals.any():
            arrays.append(Array("normals", normals, "point"))
            vertex = {name: values for name, values in vertex.items() if name not in _NORMAL}
    places: tuple[tuple[dict, Location], ...] = ((vertex, "point"), (face, "cell"))
    for table, location in places:
        for name, values in table.items():
            if name in _DRAWING:
                left_out.add(name)
            elif isinstance(values, np.ndarray) and name not in ("x", "y", "z", *_CORNERS):
                arrays.append(Array(name, values.astype(values.dtype.newbyteorder("=")), location))
    arrays = _named(arrays, _units(data[:start]))
    notes = [f"left out: {', '.join(sorted(left_out))}"] if left_out else []
    others = [f"{item.size} {item.name}" for item in elements if item.name not in ("vertex", "face") and item.size]
    notes += [f"elements left out: {', '.join(others)}"] if others else []
    return Contents(points, cells, arrays=tuple(arrays), notes=(*notes, *surface_notes(points, cells)))


def _units(header: bytes) -> dict[str, str]:
    """Name -> unit of the fields that geoop wrote, from lines such as ``comment unit pressure Pa``."""
    rows = re.findall(rb"^comment unit (\S+) (\S+)[ \t\r]*$", header, re.M)
    return {name.decode("utf-8", "replace"): unit.decode("utf-8", "replace").replace("_", " ") for name, unit in rows}


def _named(arrays: list[Array], units: dict[str, str]) -> list[Array]:
    """Arrays with their units; properties that are the components of one field are put together."""
    found = {(array.label, array.location): array.values for array in arrays}
    kept: list[Array] = []
    used: set[tuple[str, Location]] = set()
    for array in arrays:
        if (array.label, array.location) in used:
            continue
        stem = array.label[:-2]
        for endings in (("_x", "_y", "_z"), tuple(f"_{i}" for i in range(9))):
            names: list[tuple[str, Location]] = [(f"{stem}{ending}", array.location) for ending in endings]
            if stem in units and array.label.endswith(endings) and all(name in found for name in names):
                used.update(names)
                kept.append(Array(f"{stem} [{units[stem]}]", np.stack([found[name] for name in names], axis=1), array.location))
                break
        else:
            unit = units.get(array.label)
            kept.append(Array(f"{array.label} [{unit}]", array.values, array.location) if unit else array)
    return kept


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _header(data: bytes, where: str) -> tuple[str, list[_Element], int]:
    end = re.search(rb"(?:^|[\r\n])end_header[ \t]*(\r\n|\n|\r)?", data[: 1 << 20])
    if not data.startswith(b"ply") or end is None:
        raise UnreadableFileError("no PLY header, or a truncated one", where=where, remedy="download or export it again")
    form, elements = "", []
    try:
        for words in (line.split() for line in _decoded(data[: end.start()]).splitlines()):
            if words[:1] == ["format"]:
                form = words[1]
            elif words[:1] == ["element"]:
                elements.append(_Element(words[1], int(words[2]), ()))
            elif words[:1] == ["property"]:
                item = _Property(words[4], _SCALARS[words[3]], _SCALARS[words[2]]) if words[1] == "list" else _Property(words[2], _SCALARS[words[1]])
                elements[-1] = _Element(elements[-1].name, elements[-1].size, (*elements[-1].properties, item))
    except (IndexError, KeyError, ValueError) as error:
        raise UnreadableFileError(f"the PLY header cannot be understood: {error!r}", where=where, remedy="export it again") from error
    if form != "ascii" and form not in _BYTE_ORDERS or any(item.size < 0 for item in elements):
        raise UnreadableFileError(
            f"the PLY header names the format '{form}'", where=where, remedy=f"export it as ascii or {' or '.join(_BYTE_ORDERS)}"
        )
    return form, elements, end.end()


def _truncated(element: _Element, where: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"announces {element.size} '{element.name}' rows but ends earlier: truncated", where=where, remedy="download or export it again"
    )


def _text(data: bytes, elements: list[_Element], where: str) -> dict[str, dict]:
    rows = [row for row in data.splitlines() if row.strip()]
    tables, start = {}, 0
    for element in elements:
        part = rows[start : start + element.size]
        if len(part) < element.size:
            raise _truncated(element, where)
        flat = floats(b"\n".join(part), where, f"'{element.name}' rows")
        tables[element.name], used = _columns(flat, element, where)
        if used != len(flat):
            raise UnreadableFileError(
                f"the '{element.name}' rows hold {len(flat)} numbers, the header describes {used}", where=where, remedy="export it again"
            )
        start += element.size
    return tables


def _columns(flat: np.ndarray, element: _Element, where: str) -> tuple[dict, int]:
    """Columns of one element out of its numbers row after row, and how many numbers they took."""
    width = len(element.properties)
    if not any(item.count for item in element.properties):
        if len(flat) < element.size * width:
            raise _truncated(element, where)
        table = flat[: element.size * width].reshape(element.size, width)
        return {item.name: table[:, i].astype(item.kind) for i, item in enumerate(element.properties)}, element.size * width
    columns: dict[str, list] = {item.name: [] for item in element.properties}
    at = 0
    for _ in range(element.size):
        for item in element.properties:
            if at >= len(flat):
                raise _truncated(element, where)
            size = int(flat[at]) if item.count and flat[at] >= 0 else 1
            at += bool(item.count)
            columns[item.name].append(flat[at : at + size] if item.count else flat[at])
            at += size
    if at > len(flat):
        raise _truncated(element, where)
    return {item.name: columns[item.name] if item.count else np.array(columns[item.name], dtype=item.kind) for item in element.properties}, at


def _binary(data: bytes, start: int, elements: list[_Element], order: str, where: str) -> dict[str, dict]:
    tables = {}
    for element in elements:
        tables[element.name], start = _equal_rows(data, start, element, order) or _ragged_rows(data, start, element, order, where)
    return tables


def _equal_rows(data: bytes, start: int, element: _Element, order: str) -> tuple[dict, int] | None:
    """All rows at once, where every list is as long as in the first row; None otherwise."""
    fields, at = [], start
    for item in element.properties:
        if item.count:
            kind = np.dtype(order + item.count)
            size = int(np.frombuffer(data, kind, 1, at)[0]) if element.size and at + kind.itemsize <= len(data) else 0
            if size < 0:
                return None
            fields += [(f"#{item.name}", kind), (item.name, order + item.kind, (size,))]
        else:
            fields.append((item.name, order + item.kind))
        at = start + np.dtype(fields).itemsize
    rows = np.dtype(fields)
    if len(data) < start + element.size * rows.itemsize:
        return None
    table = np.frombuffer(data, rows, element.size, start) if rows.itemsize else np.zeros(0, rows)
    if any(item.count and len(table) and (table[f"#{item.name}"] != table[f"#{item.name}"][0]).any() for item in element.properties):
        return None
    columns = {item.name: list(table[item.name]) if item.count and item.name not in _CORNERS else table[item.name] for item in element.properties}
    return columns, start + element.size * rows.itemsize


def _ragged_rows(data: bytes, start: int, element: _Element, order: str, where: str) -> tuple[dict, int]:
    columns: dict[str, list] = {item.name: [] for item in element.properties}
    kinds = [(item, np.dtype(order + item.kind), np.dtype(order + item.count) if item.count else None) for item in element.properties]
    at = start
    for _ in range(element.size):
        for item, kind, count in kinds:
            size = 1
            if count is not None:
                if at + count.itemsize > len(data):
                    raise _truncated(element, where)
                size = int(np.frombuffer(data, count, 1, at)[0])
                at += count.itemsize
            if size < 0 or at + size * kind.itemsize > len(data):
                raise _truncated(element, where)
            values = np.frombuffer(data, kind, size, at)
            columns[item.name].append(values if count is not None else values[0])
            at += size * kind.itemsize
    return {item.name: columns[item.name] if count is not None else np.array(columns[item.name]) for item, _, count in kinds}, at


def _cells(corners, where: str) -> Cells:
    """Cells from corner indices: one array where all faces have the same size, one row per face otherwise."""
    if isinstance(corners, np.ndarray):
        sizes = np.full(len(corners), corners.shape[1], dtype=np.int64)
    else:
        sizes = np.array([len(row) for row in corners], dtype=np.int64)
    if (sizes < 3).any():
        raise UnreadableFileError(
            f"face {int(np.argmax(sizes < 3)) + 1} has {sizes.min()} corners", where=where, remedy="export it again; a face needs at least three"
        )
    flat = (
        np.concatenate([np.asarray(row, dtype=np.float64).reshape(-1) for row in (corners if not isinstance(corners, np.ndarray) else [corners])])
        if len(sizes)
        else np.zeros(0)
    )
    types = np.full(len(sizes), CELL_TYPES["polygon"][0])
    types[sizes == 3], types[sizes == 4] = CELL_TYPES["triangle"][0], CELL_TYPES["quad"][0]
    return Cells(types, np.concatenate([[0], np.cumsum(sizes)]), integers(flat, where, "faces"))
