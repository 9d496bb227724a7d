"""The repair itself: which steps, in which order, and what is said about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...errors import ConfigurationError, InvalidMeshError
from ..cells import Cells
from ..holes import MAX_HOLE, connected_points
from ..mesh import Mesh
from ..orientation import oriented
from ..topology import cell_components, sides
from .draft import Draft
from .facets import merged_points, without_collapsed, without_repeated, without_slivers
from .filling import turned, without_small_holes
from .movement import moved_distance

_ROUNDING = 1e-12  # of the extent: points nearer than this are counted as duplicates by mesh_report, and merged here
_MOST_ROUNDS = 20


@dataclass(frozen=True, eq=False)
class Repaired:
    """The answer of :func:`repair`.

    Attributes:
        mesh: the repaired mesh; the very object that came in if nothing was wrong.
        changes: what was done, a sentence each with its count; empty if nothing was.
        moved: [m] largest distance between the two surfaces, either way, at samples, see
            :func:`geoop.mesh.repair.movement.moved_distance`: a lower bound; 0 where only numbers changed.
        parts: the connected parts, largest first, if they were asked for; else the mesh alone.
        point_origin: (n,) point of the original that each point was.
        cell_origin: (m,) cell of the original that each cell was, -1 for new ones.
        point_target: (n0,) point that each point of the original has become, -1 for dropped ones.
        n_cells: number of cells of the original.
    """

    mesh: Mesh
    changes: tuple[str, ...]
    moved: float
    parts: tuple[Mesh, ...]
    point_origin: np.ndarray
    cell_origin: np.ndarray
    point_target: np.ndarray
    n_cells: int


def repair(mesh: Mesh, *, tolerance: float = 0.0, max_hole: float = MAX_HOLE, orient: bool = True, split: bool = False) -> Repaired:
    """Merge points, drop degenerate and repeated facets, orient, close small holes.

    A second repair changes nothing, unless ``changes`` says that this one stopped with more to do.

    Surfaces and outlines get all of it. In plane and volume meshes points are merged only with a tolerance (points at one place may
    separate the two sides of a thin wall there), and cells keep their order of points. No coordinate is changed: points that become
    one take the place of the first. Patches keep their names and facets, also when they lose some; facets that close a hole join the
    patch around it, or the patch ``closed_holes`` where several meet.

    Args:
        mesh: any mesh.
        tolerance: points within this length [m] of each other become one; by default only points that coincide to rounding
            (1e-12 of the extent).
        max_hole: holes up to this share of the size of their part of the surface (diagonals of bounding boxes) are closed, and so are
            gaps of outlines; 0 closes none.
        orient: turn the facets of surfaces and outlines so that normals point out of the body; see
            :func:`geoop.mesh.orientation.oriented`.
        split: also return the connected parts.

    Raises:
        ConfigurationError: a tolerance or share that is negative or not finite.
        InvalidMeshError: no cell would be left, or points of one polyhedron would become one.
    """
    _require(tolerance, max_hole)
    extent = float(np.linalg.norm(np.ptp(mesh.points, axis=0)))
    draft = Draft.of(mesh)
    if mesh.is_surface or mesh.is_cloud or tolerance > 0:
        draft = merged_points(draft, max(tolerance, _ROUNDING * extent))
    for _ in range(_MOST_ROUNDS if not mesh.is_cloud else 0):
        before = draft
        draft = _round(draft, max_hole, orient)
        if not len(draft.cells):
            raise InvalidMeshError(
                "every cell is degenerate, nothing would be left", where=mesh.name, remedy="choose a smaller tolerance, or check the unit of the file"
            )
        if draft is before:
            break
    else:
        draft = draft.counted(stopped=0 if mesh.is_cloud else _MOST_ROUNDS)
    return _finished(draft, max(tolerance, _ROUNDING * extent), split)


def _require(tolerance: float, max_hole: float) -> None:
    problems = [f"{name} is {value!r}" for name, value in (("tolerance", tolerance), ("max_hole", max_hole)) if not 0 <= value < np.inf]
    if problems:
        raise ConfigurationError(
            "; ".join(problems), where="repair", remedy="give a length in metres of at least 0, and a share of the body's size such as 0.1"
        )


def _round(draft: Draft, max_hole: float, orient: bool) -> Draft:
    """All steps once; the same object if none of them finds anything."""
    draft = without_repeated(without_collapsed(draft))
    mesh = draft.original
    if not mesh.is_surface or not len(draft.cells):
        return draft
    if mesh.dimension == 3:
        draft = without_repeated(without_slivers(draft))
    if orient and len(draft.cells):
        draft = _outward(draft)
    return without_small_holes(draft, max_hole) if max_hole > 0 and len(draft.cells) else draft


def _outward(draft: Draft) -> Draft:
    """Normals out of the body; facets that disagree with their neighbours and parts that point inward are counted apart."""
    mesh = draft.mesh
    turn = _facets_that_differ(mesh.cells, oriented(mesh).cells)
    if not turn.any():
        return draft
    part = cell_components(sides(mesh, np.arange(len(mesh.points))), len(mesh.cells))
    size, hit = np.bincount(part), np.bincount(part, weights=turn)
    whole = hit == size
    return turned(draft, turn).counted(turned=float(hit[~whole].sum()), flipped=float(hit[whole].sum()), flipped_parts=float(whole.sum()))


def _facets_that_differ(before: Cells, after: Cells) -> np.ndarray:
    differs = (before.connectivity != after.connectivity).astype(np.int64)
    return np.add.reduceat(differs, before.offsets[:-1]) > 0


def _finished(draft: Draft, tolerance: float, split: bool) -> Repaired:
    mesh = draft.original
    n = len(mesh.points)
    used = np.zeros(n, dtype=bool)
    used[draft.target if mesh.is_cloud else draft.cells.connectivity] = True
    for part in draft.loose.values():
        used[part.connectivity] = True
    unused = int((~used[draft.target]).sum())
    if not unused and not draft.counts:
        return Repaired(mesh, (), 0.0, _parts(mesh) if split else (mesh,), np.arange(n), np.arange(len(mesh.cells)), np.arange(n), len(mesh.cells))
    number = np.full(n, -1, dtype=np.int64)
    number[used] = np.arange(int(used.sum()))
    draft = draft.counted(unused=unused)
    changes = tuple(_changes(draft, tolerance))
    repaired = Mesh(
        mesh.points[used],
        draft.cells.renumbered(number),
        {name: _patch(draft, name).renumbered(number) for name in {**mesh.patches, **draft.members}},
        _zones(draft),
        name=mesh.name,
        notes=(*mesh.notes, *(f"repair: {change}" for change in changes)),
    )
    moved = _moved(mesh, repaired, draft)
    return Repaired(
        repaired,
        changes,
        moved,
        _parts(repaired) if split else (repaired,),
        np.flatnonzero(used),
        draft.origin,
        number[draft.target],
        len(mesh.cells),
    )


def _patch(draft: Draft, name: str) -> Cells:
    pieces = [draft.cells.take(draft.members[name])] if name in draft.members else []
    return Cells.concatenate([*pieces, *([draft.loose[name]] if name in draft.loose else [])])


def _zones(draft: Draft) -> dict[str, np.ndarray]:
    """Zones with the cells that are left; new facets belong to none."""
    out = {}
    for name, index in draft.original.zones.items():
        inside = np.zeros(len(draft.original.cells) + 1, dtype=bool)
        inside[index] = True
        out[name] = np.flatnonzero(inside[draft.origin] & (draft.origin >= 0))
    return out


def _moved(before: Mesh, after: Mesh, draft: Draft) -> float:
    """Distance between surfaces; for clouds and volumes the largest way of a merged point."""
    if before.is_surface:
        return moved_distance(before, after)
    return float(np.linalg.norm(before.points - before.points[draft.target], axis=1).max())


def split_parts(mesh: Mesh) -> tuple[tuple[Mesh, np.ndarray, np.ndarray], ...]:
    """Connected parts, most cells first, each with its share of patches and zones; cells that share a point are connected.

    Returns:
        for each part its mesh, its points (k,) and its cells (k,) in numbers of the whole; one part if all is connected.
    """
    number = connected_points(mesh.cells, len(mesh.points))
    part = number[mesh.cells.connectivity[mesh.cells.offsets[:-1]]] if len(mesh.cells) else np.zeros(0, dtype=np.int64)
    names, sizes = np.unique(part, return_counts=True)
    if len(names) < 2:
        return ((mesh, np.arange(len(mesh.points)), np.arange(len(mesh.cells))),)
    return tuple(_part(mesh, part == names[k], number == names[k], i + 1) for i, k in enumerate(np.argsort(-sizes, kind="stable")))


def _parts(mesh: Mesh) -> tuple[Mesh, ...]:
    return tuple(part for part, _, _ in split_parts(mesh))


def _part(mesh: Mesh, cells: np.ndarray, points: np.ndarray, number: int) -> tuple[Mesh, np.ndarray, np.ndarray]:
    inside = {name: patch.take(points[patch.connectivity[patch.offsets[:-1]]]) for name, patch in mesh.patches.items() if len(patch)}
    piece = mesh.submesh(mesh.cells.take(cells), name=f"{mesh.name}_{number}", patches={name: patch for name, patch in inside.items() if len(patch)})
    place = np.cumsum(cells) - 1
    zones = {name: place[index[cells[index]]] for name, index in mesh.zones.items() if cells[index].any()}
    return replace(piece, zones=zones), np.unique(mesh.cells.take(cells).connectivity), np.flatnonzero(cells)


def _changes(draft: Draft, tolerance: float) -> Iterator[str]:
    """Sentences about the counts; lengths are in the unit of the mesh, whichever it is."""
    mesh, done = draft.original, {key: int(number) for key, number in draft.counts.items()}
    way = np.linalg.norm(mesh.points - mesh.points[draft.target], axis=1).max()
    how = "at exactly equal coordinates" if way == 0 else f"within {tolerance:.3g} of each other, they moved by up to {way:.3g}"
    for key, (one, many) in _SENTENCES.items():
        if done.get(key):
            parts, filled = (_number(done.get(name, 0), word) for name, word in (("flipped_parts", "part"), ("filled", "new cell")))
            yield (one if done[key] == 1 else many).format(done[key], how=how, parts=parts, filled=filled)
    for name in draft.members:
        new = done.get(f"patch {name}", 0)
        if new:
            yield f"patch '{name}' {'got' if name in mesh.patches else 'is new and holds'} {new} of the cells that close holes"
        before = len(mesh.patches.get(name, ()))
        lost = before + new - len(_patch(draft, name))
        if lost > 0:
            yield f"patch '{name}' lost {lost} of {before} facets with them" + ("" if before > lost else "; its name is kept")


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


#: What was done -> sentence for one, sentence for several.
_SENTENCES: dict[str, tuple[str, str]] = {
    "merged": ("{} point was merged with another one {how}", "{} points were merged with another one {how}"),
    "collapsed": ("{} cell whose corners fell together was dropped", "{} cells whose corners fell together were dropped"),
    "reduced": (
        "{} cell with a repeated corner was reduced to its other corners",
        "{} cells with a repeated corner were reduced to their other corners",
    ),
    "slivers": (
        "{} facet without area was dropped; the facet beside it took over its corner",
        "{} facets without area were dropped; the facets beside them took over their corners",
    ),
    "repeated": ("{} cell that repeats another one was dropped", "{} cells that repeat another one were dropped"),
    "flaps": (
        "{} facet that was repeated and hung on others like a flap was dropped altogether",
        "{} facets that were repeated and hung on others like a flap were dropped altogether",
    ),
    "turned": (
        "{} facet was turned: it disagreed with its neighbours, which now all face out",
        "{} facets were turned: they disagreed with their neighbours, which now all face out",
    ),
    "flipped": (
        "{} facet of {parts} faced the wrong way (into the body, or out of a cavity) and was turned",
        "{} facets of {parts} faced the wrong way (into the body, or out of a cavity) and were turned",
    ),
    "holes": ("{} hole was closed with {filled}", "{} holes were closed with {filled}"),
    "stopped": (
        "it stopped after {} round although more was to do",
        "it stopped after {} rounds although more was to do: a second repair goes on",
    ),
    "unused": ("{} point that belongs to no cell was dropped", "{} points that belong to no cell were dropped"),
}
