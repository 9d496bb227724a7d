"""PLY: polygons or bare points, with fields as properties of points and faces."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np

from ...errors import UnsupportedFormatError
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.quantity import Field
from ..fields import padded
from .obj import faces_of
from .options import Options, left_out, renamed
from .rows import cell_lines, number_lines
from .surface import FLAT, in_space, surface_of

#: Endings of the properties that a vector or a tensor is written as.
_ENDINGS = {1: ("",), 3: ("_x", "_y", "_z"), 9: tuple(f"_{i}" for i in range(9))}
_RESERVED = {"x", "y", "z", "vertex_indices"}


def write_ply(case: Case, path: Path, options: Options) -> tuple[str, ...]:
    """Write the surface or the points of a case with point and cell fields; see :func:`geoop.io.writing.write`.

    Units stand in comments, ``comment unit pressure Pa``, which :func:`geoop.io.formats.ply.read_ply` understands.

    Raises:
        UnsupportedFormatError: an outline.
    """
    cloud = case.mesh.is_cloud and not len(case.mesh.cells)
    surface, notes = in_space(case) if cloud else surface_of(case, "PLY")
    whole = surface
    surface, _, cut = faces_of(surface, FLAT)
    loose = [name for name in surface.mesh.cells.names if name not in FLAT]
    if loose:
        raise UnsupportedFormatError(
            f"a PLY file holds faces only, not {', '.join(loose)} cells", remedy="write .vtu, which holds them with the faces"
        )
    points, at_points, named = _properties(surface, "point")
    faces, at_faces, more = _properties(surface, "cell")
    changed = renamed({**named, **more}, "a property is one word, different from the coordinates")
    places = surface.mesh.points * options.scale
    units = [f"comment unit {name} {unit}" for name, unit in {**at_points, **at_faces}.items() if unit]
    head = ["ply", f"format {'ascii' if options.text else 'binary_little_endian'} 1.0", f"comment geoop, lengths in {options.unit}", *units]
    head += [f"element vertex {len(places)}", *(f"property double {axis}" for axis in "xyz"), *_declared(points)]
    head += [] if cloud else [f"element face {len(surface.mesh.cells)}", "property list uchar int vertex_indices", *_declared(faces)]
    wide = np.diff(surface.mesh.cells.offsets).max(initial=0)
    if wide > 255 or len(places) >= 2**31:
        raise UnsupportedFormatError(f"a PLY file cannot hold a face of {wide} points or {len(places)} points", remedy="write .vtp")
    with open(path, "wb") as file:
        file.write("\n".join([*head, "end_header", ""]).encode())
        if options.text:
            file.write(_text(places, points, surface.mesh.cells, faces))
        else:
            file.write(_records({"x": places[:, 0], "y": places[:, 1], "z": places[:, 2], **points}))
            _write_faces(file, surface.mesh.cells, faces)
    held = [name for name, item in surface.fields.items() if item.location in ("point", "cell")]
    return (*notes, *cut, *options.said, *changed, *left_out(whole, fields=held))


def _properties(case: Case, location: str) -> tuple[dict[str, np.ndarray], dict[str, str], dict[str, str]]:
    """Columns by the name of their property, units by the name of the field there, and that name by the name of the field."""
    columns: dict[str, np.ndarray] = {}
    units, names = {}, {}
    for item in case.fields.values():
        if item.location != location:
            continue
        name = _free(item, columns)
        values = padded(item).reshape(len(item.values), -1)
        values = values if values.dtype.kind == "f" and values.dtype.itemsize in (4, 8) else values.astype("i4" if _fits(values) else "f8")
        endings = _ENDINGS.get(values.shape[1], tuple(f"_{i}" for i in range(values.shape[1])))
        columns |= {f"{name}{ending}": values[:, k] for k, ending in enumerate(endings)}
        units[name] = "_".join(item.quantity.unit.split())
        names[item.name] = name
    return columns, units, names


def _fits(values: np.ndarray) -> bool:
    """Whether these are whole numbers that the integers of a PLY file, which have 32 bits, can hold."""
    return values.dtype.kind in "biu" and (not values.size or bool(values.min() >= -(2**31) and values.max() < 2**31))


def _free(item: Field, columns: dict[str, np.ndarray]) -> str:
    name = plain = re.sub(r"\s+", "_", item.name) or "unnamed"
    number = 2
    while name in columns or f"{name}_x" in columns or name in _RESERVED:
        name, number = f"{plain}_{number}", number + 1
    return name


def _declared(columns: dict[str, np.ndarray]) -> list[str]:
    kinds = {"f4": "float", "f8": "double", "i4": "int"}
    return [f"property {kinds[values.dtype.str[1:]]} {name}" for name, values in columns.items()]


def _records(columns: dict[str, np.ndarray]) -> bytes:
    table = np.zeros(len(next(iter(columns.values()))), np.dtype([(name, f"<{values.dtype.str[1:]}") for name, values in columns.items()]))
    for name, values in columns.items():
        table[name] = values
    return table.tobytes()


def _write_faces(file, cells: Cells, columns: dict[str, np.ndarray]) -> None:
    """Faces in their order, in runs of one size."""
    sizes = np.diff(cells.offsets)
    bounds = [0, *(np.flatnonzero(sizes[1:] != sizes[:-1]) + 1).tolist(), len(sizes)] if len(sizes) else []
    for start, stop in pairwise(bounds):
        size = int(sizes[start])
        kinds = [("count", "u1"), ("corners", "<i4", (size,)), *((name, f"<{values.dtype.str[1:]}") for name, values in columns.items())]
        table = np.zeros(stop - start, np.dtype(kinds))
        table["count"] = size
        table["corners"] = cells.connectivity[cells.offsets[start] : cells.offsets[stop]].reshape(-1, size)
        for name, values in columns.items():
            table[name] = values[start:stop]
        file.write(table.tobytes())


def _text(places: np.ndarray, points: dict[str, np.ndarray], cells: Cells, faces: dict[str, np.ndarray]) -> bytes:
    rows = _beside(number_lines(places), points)
    sizes = np.diff(cells.offsets)
    corners = [f"{size} {line}" for size, line in zip(sizes.tolist(), cell_lines(cells, dict.fromkeys(FLAT, "%s")), strict=True)]
    return "".join(f"{line}\n" for line in [*rows, *_beside(corners, faces)]).encode()


def _beside(lines: list[str], columns: dict[str, np.ndarray]) -> list[str]:
    for values in columns.values():
        lines = [
            f"{line} {value!r}"
            for line, value in zip(lines, values.astype(np.float64 if values.dtype.kind == "f" else np.int64).tolist(), strict=True)
        ]
    return lines
