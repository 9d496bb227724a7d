"""Wavefront OBJ: polygons of any size in groups and objects, without a unit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from ...errors import UnreadableFileError
from ...mesh.cells import CELL_TYPES, Cells
from ..contents import Contents
from ..merging import surface_notes
from ..parse import floats, integers, token_counts
from ..source import Source

_TEXTURE_AND_NORMAL = re.compile(rb"/[^\s]*")
_FACE_TYPES = {3: "triangle", 4: "quad"}
#: Statements that describe no geometry.
_IGNORED = {b"vt", b"vn", b"s", b"mtllib", b"usemap", b"maplib", b"lod", b"shadow_obj", b"trace_obj", b"bevel", b"c_interp", b"d_interp"}


@dataclass
class _Statements:
    """Lines of an OBJ file by kind; faces with the name they belong to and the number of points before them."""

    points: list[bytes] = field(default_factory=list)
    faces: list[bytes] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    segments: list[tuple[bytes, int]] = field(default_factory=list)
    names: list[tuple[str, str, str]] = field(default_factory=lambda: [("", "", "")])  # object, group, material
    unknown: set[str] = field(default_factory=set)


def read_obj(source: Source) -> Contents:
    """The surface of an OBJ file: quads and polygons stay what they are, groups (or objects, or materials) become patches.

    Colours behind the coordinates are not read as coordinates; texture coordinates and normals are left out.

    Raises:
        UnreadableFileError: a statement that cannot be parsed, indices that point nowhere, or no faces and no lines.
    """
    found = _statements(source.data().replace(b"\\\r\n", b" ").replace(b"\\\n", b" "))
    points, notes = _points(found.points, source.where)
    faces = _faces(found, len(points), source.where)
    lines = _segments(found, len(points), source.where)
    patches, how = _patches(faces, np.array(found.owners, dtype=np.int64), found.names)
    if len(lines):
        notes.append(f"{len(lines)} line segments are kept behind the faces")
    if found.unknown:
        notes.append(f"statements left out: {', '.join(sorted(found.unknown))} (free-form curves and surfaces are not read)")
    cells = Cells.concatenate([part for part in (faces, lines) if len(part)])
    return Contents(points, cells, patches, notes=(*notes, *how, *surface_notes(points, cells)))


def _statements(data: bytes) -> _Statements:
    found = _Statements()
    current = ["", "", ""]
    owner = 0
    known = {tuple(current): 0}
    points, faces = found.points, found.faces
    for line in data.splitlines():
        start = line[:2]
        if start == b"v ":  # nearly all lines are these two kinds
            points.append(line[2:])
            continue
        if start == b"f ":
            faces.append(line[2:])
            found.owners.append(owner)
            found.before.append(len(points))
            continue
        word, _, rest = line.strip().replace(b"\t", b" ").partition(b" ")
        if word == b"v":
            points.append(rest)
        elif word in (b"f", b"fo"):
            faces.append(rest)
            found.owners.append(owner)
            found.before.append(len(points))
        elif word == b"l":
            found.segments.append((rest, len(found.points)))
        elif word in (b"o", b"g", b"usemtl"):
            current[("o", "g", "usemtl").index(word.decode())] = rest.split(b"#")[0].strip().decode("utf-8", "replace")
            if word == b"o":
                current[1] = ""  # a new object starts without a group
            owner = known.setdefault(tuple(current), len(known))
            if owner == len(found.names):
                found.names.append((current[0], current[1], current[2]))
        elif word and not word.startswith(b"#") and word not in _IGNORED:
            found.unknown.add(word[:20].decode("latin-1"))
    return found


def _points(rows: list[bytes], where: str) -> tuple[np.ndarray, list[str]]:
    if not rows:
        raise UnreadableFileError(
            "no vertex ('v x y z') in the file: not a Wavefront OBJ mesh", where=where, remedy="export it again, or give it its true suffix"
        )
    flat = floats(b"\n".join(rows), where, "vertices")
    counts = token_counts(rows)
    if (counts == 3).all():
        return flat.reshape(-1, 3), []
    if (counts < 3).any():
        raise UnreadableFileError(
            f"vertex {int(np.argmax(counts < 3)) + 1} has {counts.min()} numbers, expected x y z: truncated or not an OBJ mesh",
            where=where,
            remedy="export it again",
        )
    starts = np.concatenate([[0], np.cumsum(counts[:-1])])
    note = f"{int((counts > 3).sum())} vertices have more than three numbers (a weight or colours): only x y z are read"
    return flat[starts[:, None] + np.arange(3)], [note]


def _indices(rows: list[bytes], before: np.ndarray, count: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Zero-based point indices of all rows one after the other, and the number of points per row; negative ones count back."""
    sizes = token_counts(rows)
    index = integers(floats(_TEXTURE_AND_NORMAL.sub(b"", b"\n".join(rows)), where, "faces"), where, "faces")
    if len(index) != sizes.sum():
        raise UnreadableFileError("faces hold empty indices", where=where, remedy="export it again")
    index = np.where(index < 0, np.repeat(before, sizes) + index, index - 1)
    bad = (index < 0) | (index >= count)
    if bad.any():
        row = int(np.searchsorted(np.cumsum(sizes), np.argmax(bad), side="right"))
        raise UnreadableFileError(
            f"{int(bad.sum())} indices point outside the {count} vertices, first in face {row + 1}: "
            f"'{rows[row].decode('latin-1').strip()}'; truncated or damaged",
            where=where,
            remedy="download or export it again",
        )
    return index, sizes


def _faces(found: _Statements, count: int, where: str) -> Cells:
    if not found.faces:
        return Cells.empty()
    index, sizes = _indices(found.faces, np.array(found.before, dtype=np.int64), count, where)
    if (sizes < 3).any():
        raise UnreadableFileError(
            f"face {int(np.argmax(sizes < 3)) + 1} has {sizes.min()} corners", where=where, remedy="export it again; a face needs at least three"
        )
    types = np.full(len(sizes), CELL_TYPES["polygon"][0])
    for size, name in _FACE_TYPES.items():
        types[sizes == size] = CELL_TYPES[name][0]
    return Cells(types, np.concatenate([[0], np.cumsum(sizes)]), index)


def _segments(found: _Statements, count: int, where: str) -> Cells:
    if not found.segments:
        return Cells.empty()
    rows, before = zip(*found.segments, strict=True)
    index, sizes = _indices(list(rows), np.array(before, dtype=np.int64), count, where)
    inner = np.ones(len(index), dtype=bool)
    inner[np.cumsum(sizes) - 1] = False  # the last point of a polyline starts no segment
    starts = np.flatnonzero(inner)
    return Cells.of(line=np.stack([index[starts], index[starts + 1]], axis=1))


def _patches(faces: Cells, owners: np.ndarray, names: list[tuple[str, str, str]]) -> tuple[dict[str, Cells], list[str]]:
    """Patches by group; faces without one by object; by material where the file names neither."""
    used = sorted(set(owners.tolist()))
    by_material = not any(names[i][0] or names[i][1] for i in used)
    homes: dict[str, set[str]] = {}
    for i in used:
        homes.setdefault(names[i][1], set()).add(names[i][0])
    labels = {}
    for i in used:
        thing, group, material = names[i]
        shared = len(homes[group]) > 1 and thing  # the same group name in several objects: say which
        labels[i] = material if by_material else (f"{thing}:{group}" if shared else group) if group else thing
    if not any(labels.values()):
        return {}, []
    members: dict[str, list[int]] = {}
    for i in used:
        members.setdefault(labels[i] or "default", []).append(i)
    patches = {name: faces.take(np.flatnonzero(np.isin(owners, index))) for name, index in members.items()}
    return patches, ["patches are the materials: the file names no groups and no objects"] if by_material else []
