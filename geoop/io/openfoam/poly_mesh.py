"""The folder polyMesh: points, faces with the cells on both sides, patches, zones."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ...errors import InvalidMeshError, UnreadableFileError
from .dictionary import Dictionary, FoamFile
from .lists import decode, end_of_text_list, list_head, whole_numbers
from .syntax import named_list

_DAMAGED = "write the mesh again with OpenFOAM, and check it with `checkMesh`"
#: Patch types whose faces lie between two parts of a decomposed mesh.
PROCESSOR, PROCESSOR_CYCLIC = "processor", "processorCyclic"


class MeshFiles(Protocol):
    """Finds the files of a mesh, wherever they lie: those of a moving mesh lie in the folders of several times."""

    def has(self, name: str) -> bool: ...

    def load(self, name: str) -> FoamFile: ...


@dataclass(frozen=True)
class Patch:
    """One entry of the file ``boundary``: ``count`` faces from ``start`` on."""

    name: str
    kind: str
    start: int
    count: int
    groups: tuple[str, ...] = ()
    own_part: int = -1
    other_part: int = -1
    refers_to: str = ""

    @property
    def between_parts(self) -> bool:
        return self.kind in (PROCESSOR, PROCESSOR_CYCLIC)


@dataclass(frozen=True, eq=False)
class PolyMesh:
    """A mesh by its faces, as OpenFOAM keeps it.

    Attributes:
        points: (n, 3) [m].
        offsets: (f+1,) face i owns ``connectivity[offsets[i]:offsets[i+1]]``.
        connectivity: point indices round each face; its normal points out of the owner.
        owner: (f,) cell behind each face.
        neighbour: (i,) cell before each of the first i faces, which are the inner ones.
        patches: the other faces, by name.
        zones: cell zones, name -> cells.
        notes: what was left out.
    """

    points: np.ndarray
    offsets: np.ndarray
    connectivity: np.ndarray
    owner: np.ndarray
    neighbour: np.ndarray
    patches: tuple[Patch, ...] = ()
    zones: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def n_cells(self) -> int:
        return int(max(self.owner.max(initial=-1), self.neighbour.max(initial=-1))) + 1

    @property
    def n_faces(self) -> int:
        return len(self.owner)


def read_poly_mesh(folder: MeshFiles, where: str) -> PolyMesh:
    """A mesh from its files.

    Args:
        folder: finds and loads the files of the mesh.
        where: the folder, for errors.

    Raises:
        UnreadableFileError: a file is missing, truncated or damaged.
        InvalidMeshError: indices out of range, faces that no patch has; all problems in one error.
    """
    missing = [name for name in ("points", "faces", "owner", "boundary") if not folder.has(name)]
    if missing:
        raise UnreadableFileError(f"the mesh lacks {', '.join(missing)}", where=where, remedy="copy the whole folder constant/polyMesh of the case")
    points = labels_or_points(folder.load("points"), "vector")
    offsets, connectivity = _faces(folder.load("faces"))
    owner = labels_or_points(folder.load("owner"), "label")
    neighbour = labels_or_points(folder.load("neighbour"), "label") if folder.has("neighbour") else np.zeros(0, np.int64)  # a single cell has none
    if len(neighbour) == len(owner):  # old versions list the faces of the boundary too, with -1
        outer = np.flatnonzero(neighbour < 0)
        neighbour = neighbour[: outer[0]] if len(outer) else neighbour
    patches = _patches(folder.load("boundary"))
    mesh = PolyMesh(points, offsets, connectivity, owner, neighbour, patches)
    problems = _problems(mesh)
    if problems:
        raise InvalidMeshError("; ".join(problems), where=where, remedy=_DAMAGED)
    zones, notes = _zones(folder, mesh.n_cells)
    return PolyMesh(points, offsets, connectivity, owner, neighbour, patches, zones, notes)


def labels_or_points(file: FoamFile, kind: str) -> np.ndarray:
    """The one list that a file such as ``owner`` or ``points`` consists of; ``kind`` is ``label`` or ``vector``."""
    return decode(file.data, file.start, kind, file.layout, file.where)[0]


def _faces(file: FoamFile) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and point indices of a list of faces: compact (two lists) or a list of lists."""
    if file.kind == "faceCompactList":
        offsets, stop = decode(file.data, file.start, "label", file.layout, file.where)
        connectivity, _ = decode(file.data, stop, "label", file.layout, file.where)
    elif file.layout.binary:
        offsets, connectivity = _binary_rows(file)
    else:
        offsets, connectivity = _text_rows(file)
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(connectivity) or (np.diff(offsets) < 3).any():
        raise UnreadableFileError("the faces do not have three points each, or their offsets do not fit", where=file.where, remedy=_DAMAGED)
    return offsets, connectivity


def _text_rows(file: FoamFile) -> tuple[np.ndarray, np.ndarray]:
    """``N ( 4(0 1 2 3) 3(4 5 6) ... )``."""
    count, bracket, begin = list_head(file.data, file.start, file.where)
    if bracket != b"(":
        raise UnreadableFileError("a list of faces must begin with its length and a bracket", where=file.where, remedy=_DAMAGED)
    body = file.data[begin : end_of_text_list(file.data, begin, "vector", file.where)]
    flat = whole_numbers(body, file.where)
    if body.count(b"(") != count:
        raise UnreadableFileError(f"says it has {count} faces, it has {body.count(b'(')}", where=file.where, remedy=_DAMAGED)
    width = int(flat[0]) + 1 if len(flat) else 0
    if width > 1 and len(flat) == count * width and (flat[::width] == width - 1).all():  # all faces have one number of points
        return np.arange(count + 1) * (width - 1), flat.reshape(count, width)[:, 1:].reshape(-1)
    sizes = whole_numbers(b" ".join(re.findall(rb"(\d+)\s*\(", body)), file.where)
    places = np.cumsum(sizes + 1) - sizes - 1
    if len(sizes) != count or len(flat) != count + sizes.sum() or (sizes < 0).any() or not np.array_equal(flat[places], sizes):
        raise UnreadableFileError("some faces do not have the number of points that they say", where=file.where, remedy=_DAMAGED)
    keep = np.ones(len(flat), dtype=bool)
    keep[places] = False
    return np.concatenate([[0], np.cumsum(sizes)]), flat[keep]


def _binary_rows(file: FoamFile) -> tuple[np.ndarray, np.ndarray]:
    """A list of binary lists, as versions before 1.7 wrote it; one face after the other."""
    head = re.compile(rb"\s*(\d{1,18})\s*\(").match(file.data, file.start)
    if not head or int(head[1]) > len(file.data):
        raise UnreadableFileError("a list of faces must begin with its length and a bracket", where=file.where, remedy=_DAMAGED)
    rows, position = [], head.end()
    for _ in range(int(head[1])):
        row, position = decode(file.data, position, "label", file.layout, file.where)
        rows.append(row)
    sizes = np.array([len(row) for row in rows], dtype=np.int64)
    return np.concatenate([[0], np.cumsum(sizes)]), np.concatenate(rows) if rows else np.zeros(0, np.int64)


def _patches(file: FoamFile) -> tuple[Patch, ...]:
    patches = []
    for entry in named_list(file.data, file.layout, file.where, file.start):
        own = Dictionary(entry.children or (), file)
        sizes = {}
        for key in ("startFace", "nFaces", "myProcNo", "neighbProcNo"):
            word = own.word(key, "-1")
            sizes[key] = int(word) if re.fullmatch(r"-?\d{1,15}", word) else -2
        if sizes["startFace"] < 0 or sizes["nFaces"] < 0:
            raise UnreadableFileError(f"the patch '{entry.keyword}' does not say its startFace and nFaces", where=file.where, remedy=_DAMAGED)
        groups = re.sub(r"^\s*(List<word>)?\s*\d*\s*\(|\)\s*$", "", own.word("inGroups")).split()
        kind = own.word("type", "patch")
        refers = own.word("referPatch")
        patches.append(
            Patch(entry.keyword, kind, sizes["startFace"], sizes["nFaces"], tuple(groups), sizes["myProcNo"], sizes["neighbProcNo"], refers)
        )
    return tuple(patches)


def _problems(mesh: PolyMesh) -> list[str]:
    faces, inner = mesh.n_faces, len(mesh.neighbour)
    problems = []
    if len(mesh.offsets) - 1 != faces:
        problems.append(f"{len(mesh.offsets) - 1} faces, but owner has {faces} entries")
    if inner > faces:
        problems.append(f"neighbour has {inner} entries for {faces} faces")
    bad = int(((mesh.connectivity < 0) | (mesh.connectivity >= len(mesh.points))).sum())
    if bad:
        problems.append(f"faces: {bad} point indices are outside 0..{len(mesh.points) - 1}")
    for name in ("owner", "neighbour"):
        values = getattr(mesh, name)
        if (values < 0).any() or (values >= max(faces, 1)).any():  # every cell has several faces
            problems.append(f"{name}: cell indices reach from {values.min()} to {values.max()} with {faces} faces")
    if not problems and (np.bincount(np.concatenate([mesh.owner, mesh.neighbour]), minlength=mesh.n_cells) < 4).any():
        problems.append("some cells have fewer than four faces")
    position = inner
    for patch in sorted(mesh.patches, key=lambda item: (item.start, item.count)):
        if patch.count and patch.start != position:
            problems.append(f"patch '{patch.name}' starts at face {patch.start}, expected {position}")
        position = patch.start + patch.count if patch.count else position
    if position != faces and not problems:
        problems.append(f"the patches end at face {position} of {faces}")
    twice = {patch.name for patch in mesh.patches if sum(other.name == patch.name for other in mesh.patches) > 1}
    return problems + ([f"patch names occur twice: {', '.join(sorted(twice))}"] if twice else [])


def _zones(folder: MeshFiles, n_cells: int) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Cell zones by name, and a note on other zones."""
    zones, notes = {}, []
    if folder.has("cellZones"):
        file = folder.load("cellZones")
        for entry in named_list(file.data, file.layout, file.where, file.start):
            zones[entry.keyword] = _zone(entry.keyword, Dictionary(entry.children or (), file), file, n_cells)
    for kind in ("faceZones", "pointZones"):
        if folder.has(kind):
            file = folder.load(kind)
            names = [entry.keyword for entry in named_list(file.data, file.layout, file.where, file.start)]
            notes += [f"{kind} are left out: {', '.join(names)}"] if names else []
    return zones, tuple(notes)


def _zone(name: str, own: Dictionary, file: FoamFile, n_cells: int) -> np.ndarray:
    raw = own.entries["cellLabels"][-1].raw if "cellLabels" in own else b"0()"
    found = re.compile(rb"\s*(?:List<label>)?").match(raw)
    cells = decode(raw, found.end() if found else 0, "label", file.layout, file.where)[0]
    if len(cells) and (cells.min() < 0 or cells.max() >= n_cells):
        raise InvalidMeshError(f"cell zone '{name}' uses cells {cells.min()}..{cells.max()} of {n_cells}", where=file.where, remedy=_DAMAGED)
    return cells
