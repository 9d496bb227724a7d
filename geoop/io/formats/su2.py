"""SU2 meshes, own reader: every marker kept by name."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ...errors import UnreadableFileError, UnsupportedFormatError
from ...mesh.cells import CELL_NAMES, CELL_TYPES, Cells
from ..contents import Contents
from ..parse import floats, integers, lines, token_counts
from ..source import Source

_KEYWORD = re.compile(rb"^[ \t]*([A-Za-z][A-Za-z_0-9]*)[ \t]*=[ \t]*([^\r\n]*)", re.M)
_COMMENT = re.compile(rb"%[^\r\n]*")
#: Keywords with rows of their own that describe no mesh: left out together with their rows, and said.
_LEFT_OUT = {"NPERIODIC": "periodic transformations", "FFD_NBOX": "free-form deformation boxes", "NCHUNK": "chunk sizes", "NCORNERS": "corners"}
_BELONG = ("FFD_", "PERIODIC_", "CHUNK_", "CORNERS_")


@dataclass(frozen=True)
class _Section:
    keyword: str
    value: str
    rows: list[bytes]


def read_su2(source: Source) -> Contents:
    """The mesh of a native SU2 file, 2-D or 3-D, with cell types and markers kept.

    Sections may come in any order. Comments start with %. The index at the end of a row is optional. Markers of one name are one
    patch. Communication markers (SEND_RECEIVE), periodic transformations and deformation boxes are left out and noted.

    Raises:
        UnreadableFileError: not an SU2 mesh, or fewer rows than announced.
        UnsupportedFormatError: several zones, or element types that geoop does not have.
    """
    where = source.where
    sections = _sections(source.data())
    if not sections:
        raise UnreadableFileError(
            "no keyword (NDIME= ...) in the file: not an SU2 mesh", where=where, remedy="give it its true suffix, or export it again"
        )
    zones = _single(sections, "NZONE", where, default=1)
    if zones != 1 or sum(section.keyword == "NDIME" for section in sections) > 1:
        raise UnsupportedFormatError(f"the file holds {zones} zones", where=where, remedy="write one file per zone and read each of them")
    dimension = _single(sections, "NDIME", where)
    if dimension not in (2, 3):
        raise UnreadableFileError(f"NDIME= {dimension}, expected 2 or 3", where=where, remedy="repair the file")
    points = _points(_find(sections, "NPOIN", where), dimension, where)
    elements = _find(sections, "NELEM", where)
    cells = _elements(elements, _count(elements, where), where)
    patches, notes = _markers(sections, where)
    thin = [name for name in cells.names if CELL_TYPES[name][1] != dimension]
    notes += [f"elements of type {', '.join(thin)} in a {dimension}-D mesh are kept"] if thin else []
    return Contents(points, cells, patches, notes=(*notes, *_remarks(sections)))


def _sections(data: bytes) -> list[_Section]:
    data = _COMMENT.sub(b"", data if b"\n" in data else data.replace(b"\r", b"\n"))
    heads = list(_KEYWORD.finditer(data))
    stops = [*(head.start() for head in heads[1:]), len(data)][: len(heads)]
    return [
        _Section(head.group(1).decode().upper(), head.group(2).strip().decode("utf-8", "replace"), lines(data[head.end() : stop]))
        for head, stop in zip(heads, stops, strict=True)
    ]


def _find(sections: list[_Section], keyword: str, where: str) -> _Section:
    found = [section for section in sections if section.keyword == keyword]
    if len(found) != 1:
        state = "is missing: truncated, or not an SU2 mesh" if not found else f"occurs {len(found)} times"
        raise UnreadableFileError(f"{keyword}= {state}", where=where, remedy="download or export it again")
    return found[0]


def _single(sections: list[_Section], keyword: str, where: str, default: int | None = None) -> int:
    if default is not None and not any(section.keyword == keyword for section in sections):
        return default
    return _count(_find(sections, keyword, where), where)


def _count(section: _Section, where: str) -> int:
    """The number behind a keyword; NPOIN may have a second one (points without halo), which is not needed."""
    words = section.value.split()
    if not words or not words[0].isdigit():
        raise UnreadableFileError(f"{section.keyword}= '{section.value}' is not a count", where=where, remedy="repair the file")
    return int(words[0])


def _checked_rows(section: _Section, count: int, where: str, what: str) -> list[bytes]:
    if len(section.rows) != count:
        reason = "truncated" if len(section.rows) < count else "damaged"
        raise UnreadableFileError(
            f"{what}: {count} rows announced, {len(section.rows)} found: {reason}", where=where, remedy="download or export it again"
        )
    return section.rows


def _points(section: _Section, dimension: int, where: str) -> np.ndarray:
    rows = _checked_rows(section, _count(section, where), where, "NPOIN")
    counts = token_counts(rows)
    flat = floats(b"\n".join(rows), where, "NPOIN")
    wrong = (counts != dimension) & (counts != dimension + 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise UnreadableFileError(
            f"point {row} is '{rows[row].decode('latin-1').strip()}', expected {dimension} coordinates", where=where, remedy="repair the file"
        )
    starts = np.cumsum(counts) - counts
    return flat[starts[:, None] + np.arange(dimension)]


def _elements(section: _Section, count: int, where: str, what: str = "NELEM") -> Cells:
    """Rows of ``VTK-type point point ... [index]`` as cells in file order."""
    rows = _checked_rows(section, count, where, what)
    if not rows:
        return Cells.empty()
    tokens = token_counts(rows)
    flat = integers(floats(b"\n".join(rows), where, what), where, what)
    starts = np.cumsum(tokens) - tokens
    types = flat[starts]
    unknown = sorted({int(code) for code in np.unique(types)} - {code for code, name in CELL_NAMES.items() if CELL_TYPES[name][2]})
    if unknown:
        raise UnsupportedFormatError(
            f"{what}: element types {unknown} are not known; known are "
            + ", ".join(f"{code} ({name})" for code, name in CELL_NAMES.items() if CELL_TYPES[name][2]),
            where=where,
            remedy="export the mesh with linear elements",
        )
    needed = np.zeros(256, dtype=np.int64)
    for code, name in CELL_NAMES.items():
        needed[code] = CELL_TYPES[name][2]
    sizes = needed[types]
    wrong = (tokens != sizes + 1) & (tokens != sizes + 2)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise UnreadableFileError(
            f"{what}: row {row} is '{rows[row].decode('latin-1').strip()}', a {CELL_NAMES[int(types[row])]} has {sizes[row]} points",
            where=where,
            remedy="repair the file",
        )
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    return Cells(types, offsets, flat[np.repeat(starts + 1 - offsets[:-1], sizes) + np.arange(offsets[-1])])


def _markers(sections: list[_Section], where: str) -> tuple[dict[str, Cells], list[str]]:
    parts: dict[str, list[Cells]] = {}
    notes, found, dropped = [], 0, 0
    for i, section in enumerate(sections):
        if section.keyword != "MARKER_TAG":
            continue
        found += 1
        following = next((item for item in sections[i + 1 : i + 3] if item.keyword == "MARKER_ELEMS"), None)
        if following is None:
            raise UnreadableFileError(f"marker '{section.value}' has no MARKER_ELEMS=: truncated", where=where, remedy="download or export it again")
        if section.value.upper() == "SEND_RECEIVE":
            dropped += 1
            continue
        parts.setdefault(section.value, []).append(_elements(following, _count(following, where), where, f"marker '{section.value}'"))
    announced = _single(sections, "NMARK", where, default=found)
    if announced > found:
        raise UnreadableFileError(
            f"NMARK= {announced}, but only {found} markers follow: truncated", where=where, remedy="download or export it again"
        )
    if announced < found:
        notes.append(f"NMARK= {announced}, but {found} markers follow; all are read")
    if dropped:
        notes.append(f"{dropped} communication markers (SEND_RECEIVE) are left out")
    repeated = [name for name, cells in parts.items() if len(cells) > 1]
    notes += [f"markers that occur several times are one patch each: {', '.join(repeated)}"] if repeated else []
    return {name: Cells.concatenate(cells) for name, cells in parts.items()}, notes


def _remarks(sections: list[_Section]):
    """Notes on everything in the file that is not part of the mesh."""
    read = {"NDIME", "NELEM", "NPOIN", "NMARK", "MARKER_TAG", "MARKER_ELEMS", "NZONE", "IZONE", "SEND_TO", "SEND_RECV"}
    unknown = []
    for section in sections:
        key = section.keyword
        if key in ("AOA_OFFSET", "AOS_OFFSET"):
            if section.value.strip("0. +-"):
                yield f"{key}= {section.value} deg is not applied: the mesh is rotated by it against its nominal axes"
        elif key in _LEFT_OUT:
            if section.value.strip() != "0":
                yield f"{_LEFT_OUT[key]} ({key}= {section.value}) are left out"
        elif key not in read and not key.startswith(_BELONG):
            unknown.append(key)
    if unknown:
        yield f"unknown keywords are left out: {', '.join(sorted(set(unknown)))}"
