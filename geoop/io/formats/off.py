"""OFF: polygons of any size, without a unit."""

from __future__ import annotations

import re

import numpy as np

from ...errors import UnreadableFileError
from ...mesh.cells import CELL_TYPES, Cells
from ..contents import Contents
from ..merging import surface_notes
from ..parse import floats, integers, lines, token_counts
from ..source import Source

_HEAD = re.compile(rb"^(ST)?(C)?(N)?(4)?(n)?OFF\b\s*(BINARY)?", re.I)


def read_off(source: Source) -> Contents:
    """The surface of an OFF, COFF or NOFF text file; colours and normals behind the coordinates are left out.

    Raises:
        UnreadableFileError: not a text OFF file, or fewer rows than announced.
    """
    where = source.where
    rows = lines(source.data(), b"#")
    head = _HEAD.match(rows[0].strip()) if rows else None
    if head is None:
        raise UnreadableFileError("does not start with OFF", where=where, remedy="export it again, or give it its true suffix")
    if head.group(4) or head.group(5) or head.group(6):
        raise UnreadableFileError(
            f"{head.group().decode('latin-1')} is not read, only three-dimensional text OFF", where=where, remedy="export it as PLY"
        )
    rest = rows[0].strip()[head.end() :].strip()
    rows = ([rest] if rest else []) + rows[1:]
    sizes = integers(floats(rows[0], where, "counts"), where, "counts") if rows else np.zeros(0, dtype=np.int64)
    if len(sizes) < 2 or sizes.min() < 0:
        raise UnreadableFileError("no counts of points and faces after OFF", where=where, remedy="export it again")
    n, m = int(sizes[0]), int(sizes[1])
    if len(rows) < 1 + n + m:
        raise UnreadableFileError(
            f"announces {n} points and {m} faces but has only {len(rows) - 1} rows: truncated", where=where, remedy="download or export it again"
        )
    points = _columns(rows[1 : 1 + n], 3, where, "points")
    cells = _faces(rows[1 + n : 1 + n + m], where)
    return Contents(points, cells, notes=surface_notes(points, cells))


def _columns(rows: list[bytes], width: int, where: str, what: str) -> np.ndarray:
    counts = token_counts(rows)
    if len(rows) and counts.min() < width:
        raise UnreadableFileError(
            f"{what}: row {int(np.argmin(counts)) + 1} has {counts.min()} numbers, expected {width}", where=where, remedy="export it again"
        )
    flat = floats(b"\n".join(rows), where, what)
    starts = np.concatenate([[0], np.cumsum(counts)])[: len(rows)].astype(np.int64)
    return flat[starts[:, None] + np.arange(width)]


def _faces(rows: list[bytes], where: str) -> Cells:
    if not rows:
        return Cells.empty()
    counts = token_counts(rows)
    flat = floats(b"\n".join(rows), where, "faces")
    starts = np.concatenate([[0], np.cumsum(counts[:-1])])
    sizes = integers(flat[starts], where, "faces")
    if (sizes < 3).any() or (counts < sizes + 1).any():
        row = int(np.argmax((sizes < 3) | (counts < sizes + 1)))
        raise UnreadableFileError(
            f"face {row + 1} is '{rows[row].decode('latin-1').strip()}': its indices are incomplete", where=where, remedy="export it again"
        )
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    index = np.repeat(starts + 1 - offsets[:-1], sizes) + np.arange(offsets[-1])
    types = np.full(len(sizes), CELL_TYPES["polygon"][0])
    types[sizes == 3], types[sizes == 4] = CELL_TYPES["triangle"][0], CELL_TYPES["quad"][0]
    return Cells(types, offsets, integers(flat[index], where, "faces"))
