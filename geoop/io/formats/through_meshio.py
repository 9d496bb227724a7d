"""Formats that VTK does not read well, through meshio: Abaqus and AVS-UCD .inp, Nastran .bdf, Medit .mesh. Nothing of them is taken on trust."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UnreadableFileError, UnsupportedFormatError
from ...mesh.cells import CELL_TYPES, Cells
from ..contents import Array, Contents, flattened
from ..source import Source

_FORMATS = {".inp": "abaqus", ".bdf": "nastran", ".nas": "nastran", ".mesh": "medit", ".avs": "avsucd", ".ucd": "avsucd"}
_BEGIN_BULK = re.compile(rb"^[ \t]*BEGIN\s+BULK\b", re.I | re.M)
#: Whole-number cell arrays that say which group a cell belongs to.
_REFERENCES = ("medit:ref", "nastran:ref", "avsucd:material")


def read_through_meshio(source: Source) -> Contents:
    """Cells of the highest dimension, sets as zones and patches, numbered references as ``reference 3``.

    Cells one dimension lower are boundary facets and become patches; node sets are left out and noted.

    Raises:
        UnreadableFileError: whatever meshio raised, printed or ended the process with.
        UnsupportedFormatError: cell types that geoop does not have.
    """
    form = _FORMATS[source.suffix]
    if source.suffix == ".inp":
        form = _abaqus_or_avs(source)
    whole = form != "nastran" or _BEGIN_BULK.search(source.data()) is not None
    _require_plain_coordinates(source, form)
    found = _read(source, form, b"" if whole else b"BEGIN BULK\n")
    foreign = sorted({block.type for block in found.cells if block.type not in CELL_TYPES and len(block.data)})
    if foreign:
        raise UnsupportedFormatError(
            f"cells that geoop has no type for: {', '.join(foreign)}", where=source.where, remedy="export the mesh with linear cells"
        )
    blocks = [(number, block) for number, block in enumerate(found.cells) if len(block.data)]
    points = np.asarray(found.points, dtype=np.float64)
    if not blocks:
        return Contents(points)
    top = max(CELL_TYPES[block.type][1] for _, block in blocks)
    solid = [number for number, block in blocks if CELL_TYPES[block.type][1] == top]
    thin = [number for number, block in blocks if CELL_TYPES[block.type][1] == top - 1 and top > 1]
    members = _members(found)
    cells = _cells(found, {number: np.arange(len(found.cells[number].data)) for number in solid})
    starts = dict(zip(solid, np.cumsum([0, *(len(found.cells[number].data) for number in solid)]), strict=False))
    zones = {
        name: np.concatenate([starts[n] + rows[n] for n in solid if n in rows]) for name, rows in members.items() if any(n in rows for n in solid)
    }
    patches = {name: _cells(found, {n: rows[n] for n in thin if n in rows}) for name, rows in members.items() if any(n in rows for n in thin)}
    used = {n: np.unique(np.concatenate([rows[n] for rows in members.values() if n in rows] or [np.zeros(0, np.int64)])) for n in thin}
    points, notes = flattened(points[:, :3], top)
    if top == points.shape[1] - 1:
        patches, zones, used = {name: cells.take(index) for name, index in zones.items()}, {}, {}
    left = sum(len(block.data) for _, block in blocks) - len(cells) - sum(len(index) for index in used.values())
    notes += () if whole else ("the file has no line BEGIN BULK: all of it is read as bulk data",)
    notes += (f"node sets are left out: {', '.join(map(str, found.point_sets))}",) if found.point_sets else ()
    lost = _surfaces(source) if form == "abaqus" else []
    notes += (f"surfaces (*SURFACE) are left out: {', '.join(lost)}; element sets are kept",) if lost else ()
    notes += (f"{left} elements of lower dimension {'that belong to no named set ' if used else ''}are left out",) if left > 0 else ()
    return Contents(points, cells, patches, zones, _arrays(found, solid), notes)


def _abaqus_or_avs(source: Source) -> str:
    """Which of the two formats an .inp file is; an Abaqus file of several parts is refused, because meshio would mix their numbers.

    Raises:
        UnsupportedFormatError: several parts, or instances that are moved.
    """
    text = source.text()
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "**"))]
    if lines and not any(line.startswith("*") for line in lines):
        return "avsucd"
    parts = sum(bool(re.match(r"\*part\b", line, re.I)) for line in lines)
    instances = [k for k, line in enumerate(lines) if re.match(r"\*instance\b", line, re.I)]
    moved = [k for k in instances if k + 1 < len(lines) and not lines[k + 1].startswith("*")]
    included = [line for line in lines if re.match(r"\*include\b", line, re.I)]
    if parts > 1 or len(instances) > 1 or moved or included:
        what = (
            f"{parts} parts and {len(instances)} instances ({len(moved)} of them moved)"
            if parts or instances
            else "parts of it in other files (*INCLUDE)"
        )
        raise UnsupportedFormatError(
            f"an Abaqus assembly of {what}: their node numbers overlap",
            where=source.where,
            remedy="export one flattened mesh (Abaqus/CAE: Model > Edit Attributes > 'Do not use parts and assemblies in input files')",
        )
    return "abaqus"


@contextlib.contextmanager
def _begun(source: Source, before: bytes) -> Iterator[Path]:
    """The file on disk; a copy with other bytes in front of it, if there are such."""
    if not before:
        with source.file() as path:
            yield path
        return
    with tempfile.TemporaryDirectory(prefix="geoop-") as folder:
        copy = Path(folder) / f"copy{source.suffix}"
        copy.write_bytes(before + source.data())
        yield copy


_SYSTEMS = re.compile(rb"^\*SYSTEM\b|^\*NODE\b[^\n]*\bSYSTEM\s*=\s*[CS]", re.I | re.M)


def _require_plain_coordinates(source: Source, form: str) -> None:
    """Raise for points in local or cylindrical coordinates, which meshio reads as if they were Cartesian."""
    if form == "abaqus":
        local = _SYSTEMS.search(source.data()) is not None
    elif form == "nastran":
        local = any(_local_system(line) for line in source.data().splitlines() if line[:4].upper() == b"GRID")
    else:
        local = False
    if local:
        raise UnsupportedFormatError(
            "points are given in a local or cylindrical coordinate system",
            where=source.where,
            remedy="export the mesh in global Cartesian coordinates",
        )


def _local_system(line: bytes) -> bool:
    """Whether the third field of a GRID card, the system of its coordinates, is anything but blank or 0."""
    fields = line.split(b",")
    field = fields[2] if len(fields) > 2 else line[24:40] if line[4:5] == b"*" else line[16:24]
    return field.strip() not in (b"", b"0")


def _read(source: Source, form: str, before: bytes = b"") -> Any:
    import meshio

    printed = io.StringIO()
    with _begun(source, before) as path, contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            return meshio.read(path, file_format=form)
        except (Exception, SystemExit) as error:  # meshio prints and ends the process, or lets any error of its parsers through
            words = " ".join(printed.getvalue().split()) if isinstance(error, SystemExit) else str(error)
            reason = words[:200] or type(error).__name__
            raise UnreadableFileError(
                f"meshio cannot read it: {reason}", where=source.where, remedy="export it again, if possible as .vtu or Gmsh 4.1"
            ) from error


def _surfaces(source: Source) -> list[str]:
    """Names of the surfaces of an Abaqus file, which meshio does not read."""
    names = re.findall(r"^\*surface\s*,[^\n]*?\bname\s*=\s*\"?([^,\s\"]+)", source.text(), re.I | re.M)
    return list(dict.fromkeys(names))


def _members(found: Any) -> dict[str, dict[int, np.ndarray]]:
    """Name of a set or reference -> number of the cell block -> rows in it."""
    members: dict[str, dict[int, np.ndarray]] = {}
    for name, rows in found.cell_sets.items():
        members[str(name)] = {number: np.asarray(index, dtype=np.int64) for number, index in enumerate(rows) if index is not None and len(index)}
    for key in _REFERENCES:
        for number, values in enumerate(found.cell_data.get(key, ())):
            for reference in np.unique(values):
                members.setdefault(f"reference {int(reference)}", {})[number] = np.flatnonzero(np.asarray(values) == reference)
    return members


def _cells(found: Any, rows: dict[int, np.ndarray]) -> Cells:
    return Cells.concatenate([Cells.of({found.cells[number].type: np.asarray(found.cells[number].data)[index]}) for number, index in rows.items()])


def _arrays(found: Any, solid: list[int]) -> tuple[Array, ...]:
    arrays = [Array(name, np.asarray(values)) for name, values in found.point_data.items() if name not in _REFERENCES]
    for name, blocks in found.cell_data.items():
        if name not in _REFERENCES:
            arrays.append(Array(name, np.concatenate([np.asarray(blocks[number]) for number in solid]), "cell"))
    return tuple(arrays)
