"""The parts of a decomposed mesh as one mesh: cells and points in the order of the whole, no processor patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ...errors import InvalidMeshError
from .poly_mesh import PROCESSOR, Patch, PolyMesh

_REMEDY = "decompose the case again with `decomposePar`, or reconstruct it with `reconstructPar`"


@dataclass(frozen=True, eq=False)
class Addressing:
    """Where points, cells and faces of one part are in the whole mesh; None where the part does not say it.

    Attributes:
        points: (n,).
        cells: (m,).
        faces: (f,) one more than the number in the whole mesh, negative for faces that are turned.
    """

    points: np.ndarray | None = None
    cells: np.ndarray | None = None
    faces: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Piece:
    """The faces of one part that belong to a patch of the whole mesh.

    Attributes:
        part: number of the part.
        patch: in the part.
        places: (patch.count,) where each face is in the patch of the whole.
    """

    part: int
    patch: Patch
    places: np.ndarray


@dataclass(frozen=True, eq=False)
class Whole:
    """A mesh and how its parts lie in it.

    Attributes:
        mesh: all of it.
        cells, points: per part, number in the whole of each of its cells and points.
        pieces: patch name -> what its parts contribute.
        notes: what had to be assumed.
    """

    mesh: PolyMesh
    cells: tuple[np.ndarray, ...]
    points: tuple[np.ndarray, ...]
    pieces: dict[str, tuple[Piece, ...]]
    notes: tuple[str, ...] = ()


def undivided(mesh: PolyMesh) -> Whole:
    """A mesh that is not decomposed as its own only part."""
    pieces = {patch.name: (Piece(0, patch, np.arange(patch.count)),) for patch in mesh.patches}
    return Whole(mesh, (np.arange(mesh.n_cells),), (np.arange(len(mesh.points)),), pieces)


def joined(parts: list[PolyMesh], addressing: list[Addressing], where: str) -> Whole:
    """The whole mesh.

    Cells and points have the numbers that the files cellProcAddressing and pointProcAddressing give. Without them the cells of
    the parts follow each other, and points are the same where the processor patches of two parts say so, face by face.

    Raises:
        InvalidMeshError: the two sides of a processor patch do not fit.
    """
    notes = []
    cells = _numbers([item.cells for item in addressing], [part.n_cells for part in parts], once=True)
    if cells is None:
        notes.append("the parts do not say where their cells were (cellProcAddressing): the cells are ordered part by part")
        starts = np.cumsum([0, *(part.n_cells for part in parts)])
        cells = [np.arange(part.n_cells) + start for part, start in zip(parts, starts, strict=False)]
    pairs = _pairs(parts, where)
    points = _numbers([item.points for item in addressing], [len(part.points) for part in parts], once=False)
    if points is None:
        points = _joined_points(parts, pairs, where)
    coordinates = np.zeros((max(int(index.max(initial=-1)) for index in points) + 1, 3))
    for part, index in zip(parts, points, strict=True):
        coordinates[index] = part.points
    builder = _FaceBuilder(parts, cells, points)
    _add_inner(builder, addressing, pairs)
    patches, pieces = _patches(parts, addressing, builder)
    offsets, connectivity, owner, neighbour = builder.faces()
    zones = {}
    for part, index in zip(parts, cells, strict=True):
        for name, chosen in part.zones.items():
            zones[name] = np.sort(np.concatenate([zones.get(name, np.zeros(0, np.int64)), index[chosen]]))
    for part in parts:
        notes += part.notes
    mesh = PolyMesh(coordinates, offsets, connectivity, owner, neighbour, tuple(patches), zones, tuple(dict.fromkeys(notes)))
    return Whole(mesh, tuple(cells), tuple(points), pieces)


class _FaceBuilder:
    """Collects faces of the parts in the numbers of the whole."""

    def __init__(self, parts: list[PolyMesh], cells: list[np.ndarray], points: list[np.ndarray]) -> None:
        self.parts, self.cells, self.points = parts, cells, points
        self.sizes: list[np.ndarray] = []
        self.rings: list[np.ndarray] = []
        self.owner: list[np.ndarray] = []
        self.neighbour: list[np.ndarray] = []
        self.order: list[np.ndarray] = []
        self.count = 0

    def add(self, number: int, faces: np.ndarray, beyond: np.ndarray | None = None, other: int = 0) -> None:
        """Faces of a part; ``beyond`` are the cells before them, numbered in the part ``other``."""
        part = self.parts[number]
        sizes = np.diff(part.offsets)[faces]
        starts = np.cumsum(sizes) - sizes
        slots = np.repeat(part.offsets[:-1][faces] - starts, sizes) + np.arange(sizes.sum())
        self.sizes.append(sizes)
        self.rings.append(self.points[number][part.connectivity[slots]])
        self.owner.append(self.cells[number][part.owner[faces]])
        if beyond is not None:
            self.neighbour.append(self.cells[other][beyond])
        self.order.append(np.arange(self.count, self.count + len(faces)))
        self.count += len(faces)

    def sort_last(self, order: np.ndarray, inner: bool = False) -> None:
        """Brings the faces that were added last into another order; ``inner`` ones with the cells before them."""
        if inner:
            self.neighbour = [np.concatenate(self.neighbour)[order]]
        self.order = [np.concatenate([np.zeros(0, np.int64), *self.order])]
        self.order[0][self.count - len(order) :] = self.order[0][self.count - len(order) :][order]

    def faces(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Offsets, connectivity, owner and neighbour of all faces; the inner ones were added first."""
        order, sizes = np.concatenate(self.order), np.concatenate(self.sizes)
        starts = np.cumsum(sizes) - sizes
        offsets = np.concatenate([[0], np.cumsum(sizes[order])])
        slots = np.repeat(starts[order] - offsets[:-1], sizes[order]) + np.arange(offsets[-1])
        return offsets, np.concatenate(self.rings)[slots], np.concatenate(self.owner)[order], np.concatenate(self.neighbour)


def _numbers(given: list[np.ndarray | None], sizes: list[int], *, once: bool) -> list[np.ndarray] | None:
    """The addressing of all parts if it is complete and fits: every number of the whole occurs, and ``once`` only once."""
    found = [index for index in given if index is not None]
    if len(found) < len(given) or any(len(index) != size for index, size in zip(found, sizes, strict=True)):
        return None
    together = np.concatenate(found)
    if not len(together) or together.min() < 0 or together.max() >= len(together):
        return None
    counts = np.bincount(together)
    return found if (counts > 0).all() and (not once or (counts == 1).all()) else None


def _pairs(parts: list[PolyMesh], where: str) -> list[tuple[int, Patch, int, Patch]]:
    """Both sides of every processor patch: the part and the patch in it."""
    sides = {(number, patch.other_part): patch for number, part in enumerate(parts) for patch in part.patches if patch.kind == PROCESSOR}
    pairs = []
    for (first, second), one in sides.items():
        other = sides.get((second, first))
        if other is None or other.count != one.count:
            raise InvalidMeshError(
                f"processor {first} shares {one.count} faces with processor {second}, which has {other.count if other else 'none'} of them",
                where=where,
                remedy=_REMEDY,
            )
        if first < second:
            pairs.append((first, one, second, other))
    return pairs


def _joined_points(parts: list[PolyMesh], pairs: list[tuple[int, Patch, int, Patch]], where: str) -> list[np.ndarray]:
    """Numbers of the points where those of faces shared by two parts count once; the faces run in opposite ways from one point."""
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    rows, columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for first, one, second, other in pairs:
        a, b = parts[first], parts[second]
        mine, theirs = (part.offsets[patch.start : patch.start + patch.count + 1] for part, patch in ((a, one), (b, other)))
        sizes = np.diff(mine)
        if not np.array_equal(sizes, np.diff(theirs)):
            raise InvalidMeshError(f"the faces between processors {first} and {second} differ in their points", where=where, remedy=_REMEDY)
        step = np.arange(mine[-1] - mine[0]) - np.repeat(mine[:-1] - mine[0], sizes)
        back = np.where(step == 0, 0, np.repeat(sizes, sizes) - step)
        row = a.connectivity[mine[0] : mine[-1]]
        column = b.connectivity[np.repeat(theirs[:-1], sizes) + back]
        apart = np.abs(a.points[row] - b.points[column]).max(initial=0.0)
        if apart > 1e-5 * np.ptp(a.points, axis=0).max():
            raise InvalidMeshError(
                f"points of the faces between processors {first} and {second} are up to {apart:.3g} m apart", where=where, remedy=_REMEDY
            )
        rows.append(row + starts[first])
        columns.append(column + starts[second])
    row, column = np.concatenate(rows), np.concatenate(columns)
    graph = sparse.coo_array((np.ones(len(row), dtype=np.int8), (row, column)), shape=(starts[-1], starts[-1]))
    label = csgraph.connected_components(graph, directed=False)[1]
    _, first_seen, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first_seen), dtype=np.int64)
    rank[np.argsort(first_seen)] = np.arange(len(first_seen))
    return np.split(rank[inverse], starts[1:-1])


def _add_inner(builder: _FaceBuilder, addressing: list[Addressing], pairs: list[tuple[int, Patch, int, Patch]]) -> None:
    """The faces between cells, those between two parts from the side where they were not turned; in the old order where it is known."""
    parts = builder.parts
    known = [item.faces if item.faces is not None and len(item.faces) == part.n_faces else None for item, part in zip(addressing, parts, strict=True)]
    numbers = []
    for number, part in enumerate(parts):
        inner = np.arange(len(part.neighbour))
        builder.add(number, inner, part.neighbour, number)
        numbers.append(_at(known[number], inner))
    for first, one, second, other in pairs:
        mine, theirs = (np.arange(patch.start, patch.start + patch.count) for patch in (one, other))
        forward = _at(known[first], mine) > 0
        builder.add(first, mine[forward], parts[second].owner[theirs[forward]], second)
        builder.add(second, theirs[~forward], parts[first].owner[mine[~forward]], first)
        numbers += [_at(known[first], mine[forward]), _at(known[second], theirs[~forward])]
    if all(item is not None for item in known):
        builder.sort_last(np.argsort(np.abs(np.concatenate(numbers)), kind="stable"), inner=True)


def _at(numbers: np.ndarray | None, faces: np.ndarray) -> np.ndarray:
    return np.ones(len(faces), dtype=np.int64) if numbers is None else numbers[faces]


def _patches(parts: list[PolyMesh], addressing: list[Addressing], builder: _FaceBuilder) -> tuple[list[Patch], dict[str, tuple[Piece, ...]]]:
    """Patches of the whole, in the order of the first part; faces of a cyclic patch that was cut come back to it."""
    own: dict[str, list[tuple[int, Patch]]] = {}
    for number, part in enumerate(parts):
        for patch in part.patches:
            if patch.kind != PROCESSOR:
                own.setdefault(patch.refers_to or patch.name, []).append((number, patch))
    patches, pieces = [], {}
    for name, members in own.items():
        start = builder.count
        original: list[np.ndarray] = []
        for number, patch in members:
            given = addressing[number].faces
            if given is not None and len(given) == parts[number].n_faces:
                original.append(np.abs(given[patch.start : patch.start + patch.count]))
        count = sum(patch.count for _, patch in members)
        key = np.concatenate(original) if len(original) == len(members) else np.arange(count)
        places = np.empty(count, dtype=np.int64)
        places[np.argsort(key, kind="stable")] = np.arange(count)
        cuts = np.split(places, np.cumsum([patch.count for _, patch in members])[:-1])
        pieces[name] = tuple(Piece(number, patch, cut) for (number, patch), cut in zip(members, cuts, strict=True))
        for number, patch in members:
            builder.add(number, np.arange(patch.start, patch.start + patch.count))
        builder.sort_last(np.argsort(places))
        kind = next((patch for _, patch in members if not patch.refers_to), members[0][1])
        patches.append(Patch(name, kind.kind if not kind.refers_to else "cyclic", start, count, kind.groups))
    return patches, pieces
