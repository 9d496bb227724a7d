"""STL, text and binary: triangles without a unit, one solid or several."""

from __future__ import annotations

import re

import numpy as np

from ...errors import UnreadableFileError
from ...mesh.cells import Cells
from ..contents import Contents
from ..merging import merge_equal, surface_notes
from ..parse import floats
from ..recognise import is_binary
from ..source import Source

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_SOLID = re.compile(rb"^[ \t]*solid\b[ \t]*([^\r\n]*)", re.I | re.M)
_FACET = re.compile(rb"facet\s+normal\b", re.I)
_VERTEX = re.compile(rb"vertex\s+(\S+\s+\S+\s+\S+)", re.I)


def read_stl(source: Source) -> Contents:
    """All solids of an STL file as one surface, one patch per named solid.

    Corners are merged where their coordinates are equal bit by bit, so that a closed surface is closed. Stored normals are not
    used: the order of the corners says which side is out. Triangles without area are kept and noted.

    Raises:
        UnreadableFileError: no triangles, truncated, or not an STL file.
    """
    data = source.data()
    announced = int.from_bytes(data[80:84], "little") if len(data) >= 84 else -1
    if len(data) != 84 + 50 * announced and data[:512].lstrip()[:5].lower() == b"solid" and not is_binary(data):
        return _read_text(data, source.where)
    return _read_binary(data, announced, source.where)


def _read_binary(data: bytes, announced: int, where: str) -> Contents:
    size = 84 + 50 * announced
    if announced < 0 or len(data) < size:
        found = (
            f"announces {announced} triangles, which need {size} bytes, but the file has {len(data)}"
            if announced >= 0
            else f"has only {len(data)} bytes"
        )
        raise UnreadableFileError(f"a binary STL that {found}: truncated, or not an STL file", where=where, remedy="download or export it again")
    if announced == 0:
        raise UnreadableFileError("the file holds no triangles", where=where, remedy="export it again with the body selected")
    extra = len(data) - size
    if extra > size:
        raise UnreadableFileError(
            f"announces {announced} triangles ({size} bytes) but has {len(data)} bytes: not a binary STL",
            where=where,
            remedy="export it again, as binary STL",
        )
    corners = np.frombuffer(data, _RECORD, announced, 84)["corners"].reshape(-1, 3)
    notes = (f"{extra} bytes after the last triangle are ignored",) if extra else ()
    return _surface(corners, [("", announced)], notes)


def _read_text(data: bytes, where: str) -> Contents:
    data = data if b"\n" in data else data.replace(b"\r", b"\n")
    heads = list(_SOLID.finditer(data))
    solids: list[tuple[str, int]] = []
    corners = []
    for head, stop in zip(heads, [*(item.start() for item in heads[1:]), len(data)], strict=True):
        name = head.group(1).strip().decode("utf-8", "replace")
        body = data[head.end() : stop]
        numbers = floats(b" ".join(_VERTEX.findall(body)), where, f"solid '{name}'")
        lowered = body.lower()
        facets, ends = lowered.count(b"endfacet"), lowered.count(b"endsolid")
        if numbers.size != 9 * facets or sum(1 for _ in _FACET.finditer(body)) != facets or not ends:
            raise UnreadableFileError(
                f"solid '{name}' has {facets} complete facets, {numbers.size // 3} vertices and {'an' if ends else 'no'} end: "
                "truncated, or facets that are no triangles",
                where=where,
                remedy="download or export it again, with triangles only",
            )
        solids.append((name, facets))
        corners.append(numbers.reshape(-1, 3))
    if not sum(count for _, count in solids):
        raise UnreadableFileError("the file holds no triangles", where=where, remedy="export it again with the body selected")
    return _surface(np.concatenate(corners), solids, ())


def _surface(corners: np.ndarray, solids: list[tuple[str, int]], notes: tuple[str, ...]) -> Contents:
    points, index = merge_equal(corners)
    triangles = index.reshape(-1, 3)
    cells = Cells.of(triangle=triangles)
    patches, said = _patches(triangles, solids)
    return Contents(points.astype(np.float64), cells, patches, notes=(*notes, *said, *surface_notes(points, cells)))


def _patches(triangles: np.ndarray, solids: list[tuple[str, int]]) -> tuple[dict[str, Cells], tuple[str, ...]]:
    """Patches of solids by name, and notes: same names are one patch, unnamed ones among several are numbered."""
    if len(solids) == 1 and not solids[0][0]:
        return {}, ()
    parts: dict[str, list[np.ndarray]] = {}
    start = 0
    for number, (name, count) in enumerate(solids, 1):
        if count:
            parts.setdefault(name or f"solid {number}", []).append(triangles[start : start + count])
        start += count
    joined = [f"'{name}' ({len(rows)})" for name, rows in parts.items() if len(rows) > 1]
    more = f" and {len(joined) - 5} more" if len(joined) > 5 else ""
    notes = (f"solids of the same name are one patch: {', '.join(joined[:5])}{more}",) if joined else ()
    return {name: Cells.of(triangle=np.concatenate(rows)) for name, rows in parts.items()}, notes
