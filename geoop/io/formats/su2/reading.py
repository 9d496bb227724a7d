"""SU2 meshes, own reader: every zone and every marker kept by name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....errors import UnreadableFileError
from ....mesh.cells import CELL_TYPES, Cells
from ...contents import Contents
from ...source import Source
from .sections import Section, elements_of, find, points_of, single, split_sections

#: Keywords with rows of their own that describe no mesh: left out together with their rows, and said.
_LEFT_OUT = {"NPERIODIC": "periodic transformations", "FFD_NBOX": "free-form deformation boxes", "NCHUNK": "chunk sizes", "NCORNERS": "corners"}
_BELONG = ("FFD_", "PERIODIC_", "CHUNK_", "CORNERS_")
_READ = {"NDIME", "NELEM", "NPOIN", "NMARK", "MARKER_TAG", "MARKER_ELEMS", "NZONE", "IZONE", "SEND_TO", "SEND_RECV"}
_EXPORT = "download or export it again"


def read_su2(source: Source) -> Contents:
    """The mesh of a native SU2 file, 2-D or 3-D, with cell types, markers and zones kept.

    Sections may come in any order. Comments start with %. The index at the end of a row is optional. Markers of one name are one
    patch. Zones (``IZONE=``) become ``zone 1``, ``zone 2``, ...; a marker name that several zones have becomes ``zone 1: wall``.
    Elements of a higher degree are reduced to their corners. Communication markers (SEND_RECEIVE), periodic transformations and
    deformation boxes are left out. Notes say all of it.

    Raises:
        UnreadableFileError: not an SU2 mesh, or fewer rows or zones than announced.
        UnsupportedFormatError: element types that geoop does not have.
    """
    where = source.where
    sections = split_sections(source.data())
    if not sections:
        raise UnreadableFileError(
            "no keyword (NDIME= ...) in the file: not an SU2 mesh", where=where, remedy="give it its true suffix, or export it again"
        )
    parts = _zones(sections, where)
    if len(parts) == 1:
        return _mesh(parts[0], where)
    return _together([_mesh(part, f"{where}, zone {number}") for number, part in enumerate(parts, 1)], where)


def _zones(sections: list[Section], where: str) -> list[list[Section]]:
    """The sections of every zone; NZONE= itself belongs to none."""
    announced = single(sections, "NZONE", where, default=1)
    sections = [section for section in sections if section.keyword != "NZONE"]
    starts = [i for i, section in enumerate(sections) if section.keyword == "IZONE"]
    if announced != max(len(starts), 1) or announced < 1:
        raise UnreadableFileError(f"NZONE= {announced}, but {len(starts)} zones (IZONE=) follow", where=where, remedy=_EXPORT)
    if not starts:
        return [sections]
    parts = [sections[i:j] for i, j in zip(starts, [*starts[1:], len(sections)], strict=True)]
    parts[0] = sections[: starts[0]] + parts[0]
    return parts


def _mesh(sections: list[Section], where: str) -> Contents:
    """The mesh of one zone."""
    dimension = single(sections, "NDIME", where)
    if dimension not in (2, 3):
        raise UnreadableFileError(f"NDIME= {dimension}, expected 2 or 3", where=where, remedy="repair the file")
    points = points_of(find(sections, "NPOIN", where), dimension, where)
    cells, reduced = elements_of(find(sections, "NELEM", where), where)
    patches, notes, more = _markers(sections, where)
    thin = [name for name in cells.names if CELL_TYPES[name][1] != dimension]
    notes += [f"elements of type {', '.join(thin)} in a {dimension}-D mesh are kept"] if thin else []
    if reduced + more:
        points, cells, patches, unused = _used_only(points, cells, patches)
        notes.append(
            f"{reduced} elements and {more} marker elements of a higher degree are reduced to their corners, straight sides instead of curved ones; "
            f"{unused} inner points are left out"
        )
    return Contents(points, cells, patches, notes=(*notes, *_remarks(sections)))


def _used_only(points: np.ndarray, cells: Cells, patches: dict[str, Cells]) -> tuple[np.ndarray, Cells, dict[str, Cells], int]:
    """The mesh without the points that no cell and no marker uses, and how many those are; as it is where indices are out of range."""
    used = np.zeros(len(points), dtype=bool)
    for part in (cells, *patches.values()):
        index = part.connectivity
        if len(index) and (index.min() < 0 or index.max() >= len(points)):
            return points, cells, patches, 0  # the mesh is refused for it later, in the file's own numbers
        used[index] = True
    number = np.cumsum(used) - 1
    return points[used], cells.renumbered(number), {name: part.renumbered(number) for name, part in patches.items()}, int((~used).sum())


def _markers(sections: list[Section], where: str) -> tuple[dict[str, Cells], list[str], int]:
    """Patches by name, notes, and how many of their elements were reduced to corners."""
    parts: dict[str, list[Cells]] = {}
    notes, found, dropped, reduced = [], 0, 0, 0
    for i, section in enumerate(sections):
        if section.keyword != "MARKER_TAG":
            continue
        found += 1
        following = next((item for item in sections[i + 1 : i + 3] if item.keyword in ("MARKER_ELEMS", "MARKER_TAG")), None)
        if following is None or following.keyword == "MARKER_TAG":
            raise UnreadableFileError(f"marker '{section.value}' has no MARKER_ELEMS=: truncated", where=where, remedy=_EXPORT)
        if section.value.upper() == "SEND_RECEIVE":
            dropped += 1
            continue
        cells, more = elements_of(following, where, f"marker '{section.value}'")
        parts.setdefault(section.value, []).append(cells)
        reduced += more
    announced = single(sections, "NMARK", where, default=found)
    if announced > found:
        raise UnreadableFileError(f"NMARK= {announced}, but only {found} markers follow: truncated", where=where, remedy=_EXPORT)
    if announced < found:
        notes.append(f"NMARK= {announced}, but {found} markers follow; all are read")
    if dropped:
        notes.append(f"{dropped} communication markers (SEND_RECEIVE) are left out")
    repeated = [name for name, cells in parts.items() if len(cells) > 1]
    notes += [f"markers that occur several times are one patch each: {', '.join(repeated)}"] if repeated else []
    return {name: Cells.concatenate(cells) for name, cells in parts.items()}, notes, reduced


def _together(parts: list[Contents], where: str) -> Contents:
    """All zones as one mesh: points one behind the other, nothing merged."""
    dimensions = {part.points.shape[1] for part in parts}
    if len(dimensions) > 1:
        raise UnreadableFileError("some zones are 2-D and some 3-D", where=where, remedy="write one file per zone and read each of them")
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    firsts = np.cumsum([0, *(len(part.cells) for part in parts)])
    names = [name for part in parts for name in part.patches]
    shared = {name for name in names if names.count(name) > 1}
    cells, patches, zones, notes = [], {}, {}, []
    for number, part in enumerate(parts, 1):
        own = range(len(part.points))
        wrong = [
            item
            for item in (part.cells, *part.patches.values())
            if len(item) and not (item.connectivity.min() >= 0 and item.connectivity.max() < len(own))
        ]
        if wrong:  # in the numbers of the whole mesh they would point into another zone
            raise UnreadableFileError(
                f"zone {number}: point indices are outside 0..{len(own) - 1}: truncated or damaged", where=where, remedy=_EXPORT
            )
        shift = np.arange(len(own)) + starts[number - 1]
        cells.append(part.cells.renumbered(shift))
        zones[f"zone {number}"] = np.arange(firsts[number - 1], firsts[number])
        for name, facets in part.patches.items():
            patches[f"zone {number}: {name}" if name in shared else name] = facets.renumbered(shift)
        notes += [f"zone {number}: {note}" for note in part.notes]
    if shared:
        notes.append(f"markers of one name in several zones are called by their zone too: {', '.join(sorted(shared))}")
    return Contents(np.concatenate([part.points for part in parts]), Cells.concatenate(cells), patches, zones, notes=tuple(notes))


def _remarks(sections: list[Section]) -> Iterator[str]:
    """Notes on everything in the file that is not part of the mesh."""
    unknown = []
    for section in sections:
        key = section.keyword
        if key in ("AOA_OFFSET", "AOS_OFFSET"):
            if section.value.strip("0. +-"):
                yield f"{key}= {section.value} deg is not applied: the mesh is rotated by it against its nominal axes"
        elif key in _LEFT_OUT:
            if section.value.strip() != "0":
                yield f"{_LEFT_OUT[key]} ({key}= {section.value}) are left out{_periodic(sections) if key == 'NPERIODIC' else ''}"
        elif key not in _READ and not key.startswith(_BELONG):
            unknown.append(key)
    if unknown:
        yield f"unknown keywords are left out: {', '.join(sorted(set(unknown)))}"


def _periodic(sections: list[Section]) -> str:
    """The transformations that are not the identity: three rows each, centre, rotation in radians and translation."""
    said = []
    for section in sections:
        rows = [b" ".join(row.split()).decode("latin-1") for row in section.rows[:3]]
        if section.keyword == "PERIODIC_INDEX" and any(row.strip("0. +-eE") for row in rows[1:]):
            said.append(f"index {section.value} turns by ({rows[1]}) about ({rows[0]}) and shifts by ({rows[2] if len(rows) > 2 else '?'})")
    return f": {'; '.join(said)}" if said else ""
