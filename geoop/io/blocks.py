"""Several blocks of one file as one mesh: blocks become zones, surface blocks become patches, and nothing is dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import UnreadableFileError
from ..mesh.cells import Cells
from ..mesh.quantity import Location
from .contents import Array, Contents, flattened
from .merging import merge_equal


@dataclass(frozen=True, eq=False)
class Block:
    """One part of a file with points of its own.

    Attributes:
        name: of the zone or patch; several blocks of one name are one.
        points: (n, 3) in the unit of the file.
        cells: in the point numbers of the block.
        arrays: at its points and cells.
        patch: whether the file calls it a boundary; its points then are points of other blocks.
        ids: (n,) number of every point in the whole file, where it has such: points of one number are one point.
        facets: patches that the file gives in the point numbers of this block, by name; equal names of several blocks are one.
    """

    name: str
    points: np.ndarray
    cells: Cells
    arrays: tuple[Array, ...] = ()
    patch: bool = False
    ids: np.ndarray | None = None
    facets: Mapping[str, Cells] = field(default_factory=dict)


def joined_by_dimension(blocks: Sequence[Block], where: str) -> Contents:
    """:func:`joined`, where the file does not say what is a boundary: blocks whose cells are all of lower dimension than the mesh."""
    top = max((block.cells.dimension for block in blocks), default=-1)
    return joined([replace(block, patch=0 <= block.cells.dimension < top) for block in blocks], where)


def joined(blocks: Sequence[Block], where: str) -> Contents:
    """All blocks as the contents of one mesh.

    Points of different zones stay apart even where they coincide, as in the file, unless the file numbers them through (``ids``). A
    patch is found on the zones by those numbers or by exactly equal coordinates; one that lies elsewhere keeps its own points and its
    values at them and is said in a note. An array that some blocks lack is filled with NaN there, with a note; integers become floats for it. In a mesh
    that is a surface in space the zones are its patches.

    Args:
        blocks: in the order of the file; empty ones are noted.
        where: the file.

    Raises:
        UnreadableFileError: no block has points.
    """
    blocks = [replace(block, name=block.name or f"{'patch' if block.patch else 'block'} {i + 1}") for i, block in enumerate(blocks)]
    empty = [block.name for block in blocks if not len(block.points)]
    zones = [block for block in blocks if len(block.points) and not block.patch]
    patches = [block for block in blocks if len(block.points) and block.patch]
    if not any(len(block.cells) for block in zones) and patches:  # a file of boundaries only: they are the mesh
        zones, patches = [*zones, *patches], []
    if not zones:
        raise UnreadableFileError("no block of the file has points", where=where, remedy="export it again, with its mesh")
    starts = np.cumsum([0, *(len(block.points) for block in zones)])
    cells = Cells.concatenate([block.cells.renumbered(np.arange(len(block.points)) + start) for block, start in zip(zones, starts, strict=False)])
    arrays, missing = _together(zones)
    members = _members(zones)
    own = _own_facets(zones)
    points = np.concatenate([block.points for block in zones])
    numbered = all(block.ids is not None for block in (*zones, *patches))
    ids = np.concatenate([block.ids for block in zones if block.ids is not None]) if numbered else None
    if ids is not None:
        before = ids
        points, cells, arrays, ids = _one_per_number(points, cells, arrays, ids)
        own = {name: part.renumbered(np.searchsorted(ids, before)) for name, part in own.items()}
    points, found, boundary, foreign = _on_zones(points, ids, patches)
    found = {**found, **{name: Cells.concatenate([found[name], part]) if name in found else part for name, part in own.items()}}
    extended = {array.label: _extended(array, len(points), foreign) for array in arrays if array.location == "point"}
    arrays = tuple(extended[array.label][0] if array.location == "point" else array for array in arrays)
    missing += [label for label, (_, lacking) in extended.items() if lacking and label not in missing]
    points, flat = flattened(points, max(cells.dimension, *(part.dimension for part in found.values()), -1))
    notes = [f"blocks without points are left out: {', '.join(empty)}"] if empty else []
    notes += [f"arrays that not every block has are NaN where they are missing: {', '.join(missing)}"] if missing else []
    notes += (
        [f"patches that share no points with the mesh keep their own: {', '.join(dict.fromkeys(part.block.name for part in foreign))}"]
        if foreign
        else []
    )
    if cells.dimension == points.shape[1] - 1:  # a surface: its parts are what boundaries are called by
        found = {**{name: cells.take(index) for name, index in members.items()}, **found}
        members = {}
    return Contents(points, cells, found, members, arrays, (*notes, *flat), boundary=boundary)


def _own_facets(zones: list[Block]) -> dict[str, Cells]:
    found: dict[str, list[Cells]] = {}
    start = 0
    for block in zones:
        for name, part in block.facets.items():
            found.setdefault(name, []).append(part.renumbered(np.arange(len(block.points)) + start))
        start += len(block.points)
    return {name: Cells.concatenate(parts) for name, parts in found.items()}


def _members(zones: list[Block]) -> dict[str, np.ndarray]:
    starts = np.cumsum([0, *(len(block.cells) for block in zones)])
    members: dict[str, list[np.ndarray]] = {}
    for block, start in zip(zones, starts, strict=False):
        members.setdefault(block.name, []).append(np.arange(len(block.cells)) + start)
    return {name: np.concatenate(index) for name, index in members.items()}


def _together(zones: list[Block]) -> tuple[tuple[Array, ...], list[str]]:
    """Arrays over all zones, and the labels that some zone lacks."""
    keys: dict[tuple[str, Location], None] = dict.fromkeys((array.label, array.location) for block in zones for array in block.arrays)
    arrays, missing = [], []
    for label, location in keys:
        parts = [next((a.values for a in block.arrays if (a.label, a.location) == (label, location)), None) for block in zones]
        shapes = {np.shape(part)[1:] for part in parts if part is not None}
        if len(shapes) > 1:  # one name for different things: the blocks keep them apart
            for block, part in zip(zones, parts, strict=True):
                if part is not None:
                    alone = [part if other is block else None for other in zones]
                    arrays.append(Array(f"{label} ({block.name})", _filled(zones, alone, location), location))
            missing.append(label)
            continue
        lacking = [block for block, part in zip(zones, parts, strict=True) if part is None]
        if any(len(block.cells) or location == "point" for block in lacking):
            missing.append(label)
        arrays.append(Array(label, _filled(zones, parts, location), location))
    return tuple(arrays), list(dict.fromkeys(missing))


def _filled(zones: list[Block], parts: Sequence[np.ndarray | None], location: str) -> np.ndarray:
    shape = next(np.shape(part)[1:] for part in parts if part is not None)
    counts = [len(block.points) if location == "point" else len(block.cells) for block in zones]
    pieces = [np.full((count, *shape), np.nan) if part is None else part for part, count in zip(parts, counts, strict=True) if count]
    return np.concatenate(pieces) if pieces else np.zeros((0, *shape))


def _one_per_number(
    points: np.ndarray, cells: Cells, arrays: tuple[Array, ...], ids: np.ndarray
) -> tuple[np.ndarray, Cells, tuple[Array, ...], np.ndarray]:
    """Points of one number made one; of their values the first that is not missing counts."""
    numbers, first, to = np.unique(ids, return_index=True, return_inverse=True)
    kept = []
    for array in arrays:
        if array.location != "point":
            kept.append(array)
            continue
        values = array.values[first]
        if values.dtype.kind == "f":
            there = np.flatnonzero(~np.isnan(array.values.reshape(len(ids), -1)).all(axis=1))
            values = np.array(values)
            values[to[there[::-1]]] = array.values[there[::-1]]
        kept.append(replace(array, values=values))
    return points[first], cells.renumbered(to), tuple(kept), numbers


@dataclass(frozen=True, eq=False)
class _Foreign:
    """Points of a patch that no zone has: their rows in the block, and their numbers in the mesh."""

    block: Block
    rows: np.ndarray
    numbers: np.ndarray


def _extended(array: Array, count: int, foreign: list[_Foreign]) -> tuple[Array, bool]:
    """The array for all points: of those that patches brought their own values, NaN where they have none; and whether some have none."""
    short = count - len(array.values)
    if not short:
        return array, False
    first = len(array.values)
    there = np.zeros(short, dtype=bool)
    fill = np.full((short, *array.values.shape[1:]), np.nan)
    whole = np.zeros(fill.shape, dtype=array.values.dtype)  # integers stay exact
    for part in foreign:
        own = next((a.values for a in part.block.arrays if (a.label, a.location) == (array.label, "point")), None)
        if own is None or own.shape[1:] != array.values.shape[1:]:
            continue
        if own.dtype.kind != whole.dtype.kind:
            whole = whole.astype(np.float64)
        at = part.numbers - first
        fill[at] = whole[at] = own[part.rows]
        there[at] = True
    return replace(array, values=np.concatenate([array.values, whole if there.all() else fill])), not there.all()


def _on_zones(
    points: np.ndarray, ids: np.ndarray | None, patches: list[Block]
) -> tuple[np.ndarray, dict[str, Cells], dict[str, tuple[Array, ...]], list[_Foreign]]:
    """Patches in the point numbers of the zones: points, facets, values on them, and the points that lie elsewhere."""
    if not patches:
        return points, {}, {}, []
    if ids is not None:
        _, same = np.unique(np.concatenate([ids, *(block.ids for block in patches if block.ids is not None)]), return_inverse=True)
    else:
        _, same = merge_equal(np.concatenate([points, *(block.points for block in patches)]))
    first = np.full(same.max() + 1, -1, dtype=np.int64)
    first[same[: len(points)][::-1]] = np.arange(len(points))[::-1]
    facets: dict[str, list[Cells]] = {}
    values: dict[str, list[tuple[Block, np.ndarray]]] = {}
    extra: list[np.ndarray] = []
    foreign: list[_Foreign] = []
    at = total = len(points)
    for block in patches:
        here = same[at : at + len(block.points)]
        at += len(block.points)
        index = first[here]
        lost = index < 0
        if lost.any():
            _, own, which = np.unique(here[lost], return_index=True, return_inverse=True)
            first[here[lost]] = total + which  # a later patch may share them
            index = first[here]
            extra.append(block.points[lost][own])
            foreign.append(_Foreign(block, np.flatnonzero(lost)[own], total + np.arange(len(own))))
            total += len(own)
        facets.setdefault(block.name, []).append(block.cells.renumbered(index))
        values.setdefault(block.name, []).append((block, index))
    boundary = {name: _patch_values(parts) for name, parts in values.items()}
    return (
        np.concatenate([points, *extra]),
        {name: Cells.concatenate(parts) for name, parts in facets.items()},
        {name: arrays for name, arrays in boundary.items() if arrays},
        foreign,
    )


def _patch_values(parts: list[tuple[Block, np.ndarray]]) -> tuple[Array, ...]:
    """Arrays of a patch, one value per facet, or per used point of it in ascending order of the mesh's numbers.

    Of several blocks of one name only what all of them have.
    """
    labels = set.intersection(*({(a.label, a.location) for a in block.arrays} for block, _ in parts))
    arrays = []
    for label, location in dict.fromkeys((a.label, a.location) for a in parts[0][0].arrays):
        if (label, location) not in labels:
            continue
        pieces = [next(a.values for a in block.arrays if (a.label, a.location) == (label, location)) for block, _ in parts]
        if len({piece.shape[1:] for piece in pieces}) > 1:
            continue
        if location == "cell":
            arrays.append(Array(label, np.concatenate(pieces), "facet"))
            continue
        used = np.concatenate([index[np.unique(block.cells.connectivity)] for block, index in parts])
        rows = np.concatenate([piece[np.unique(block.cells.connectivity)] for piece, (block, _) in zip(pieces, parts, strict=True)])
        _, chosen = np.unique(used, return_index=True)
        arrays.append(Array(label, rows[chosen], "point"))
    return tuple(arrays)
