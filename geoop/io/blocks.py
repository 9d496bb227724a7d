"""Several blocks of one file as one mesh: blocks become zones, surface blocks become patches, and nothing is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UnreadableFileError
from ..mesh.cells import Cells
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
    """

    name: str
    points: np.ndarray
    cells: Cells
    arrays: tuple[Array, ...] = ()
    patch: bool = False


def joined(blocks: Sequence[Block], where: str) -> Contents:
    """All blocks as the contents of one mesh.

    Points of different zones stay apart even where they coincide, as in the file. A patch is found on the zones by exactly equal
    coordinates; one that lies elsewhere keeps its own points and is said in a note. An array that some blocks lack is filled with
    NaN there, with a note; integers become floats for it.

    Args:
        blocks: in the order of the file; empty ones are noted.
        where: the file.

    Raises:
        UnreadableFileError: no block has points.
    """
    empty = [block.name for block in blocks if not len(block.points)]
    zones = [block for block in blocks if len(block.points) and not block.patch]
    patches = [block for block in blocks if len(block.points) and block.patch]
    if not zones and patches:  # a file of boundaries only: they are the mesh
        zones, patches = patches, []
        surfaces_only = True
    else:
        surfaces_only = False
    if not zones:
        raise UnreadableFileError("no block of the file has points", where=where, remedy="export it again, with its mesh")
    starts = np.cumsum([0, *(len(block.points) for block in zones)])
    cells = Cells.concatenate([block.cells.renumbered(np.arange(len(block.points)) + start) for block, start in zip(zones, starts, strict=False)])
    arrays, missing = _together(zones)
    members = _members(zones)
    points = np.concatenate([block.points for block in zones])
    points, found, boundary, foreign = _on_zones(points, patches)
    arrays = tuple(_extended(array, len(points)) if array.location == "point" else array for array in arrays)
    notes = [f"blocks without points are left out: {', '.join(empty)}"] if empty else []
    notes += [f"arrays that not every block has are NaN where they are missing: {', '.join(missing)}"] if missing else []
    notes += [f"patches that share no points with the mesh keep their own: {', '.join(foreign)}"] if foreign else []
    if surfaces_only:
        found = {name: cells.take(index) for name, index in members.items()}
    points, flat = flattened(points, cells.dimension)
    return Contents(
        points,
        cells,
        found,
        {} if surfaces_only or len(members) == 1 and len(zones) == 1 and not zones[0].name else members,
        arrays,
        (*notes, *flat),
        boundary=boundary,
    )


def _members(zones: list[Block]) -> dict[str, np.ndarray]:
    starts = np.cumsum([0, *(len(block.cells) for block in zones)])
    members: dict[str, list[np.ndarray]] = {}
    for number, (block, start) in enumerate(zip(zones, starts, strict=False)):
        members.setdefault(block.name or f"block {number + 1}", []).append(np.arange(len(block.cells)) + start)
    return {name: np.concatenate(index) for name, index in members.items()}


def _together(zones: list[Block]) -> tuple[tuple[Array, ...], list[str]]:
    """Arrays over all zones, and the labels that some zone lacks."""
    keys = dict.fromkeys((array.label, array.location) for block in zones for array in block.arrays)
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
        if any(part is None for part in parts):
            missing.append(label)
        arrays.append(Array(label, _filled(zones, parts, location), location))
    return tuple(arrays), list(dict.fromkeys(missing))


def _filled(zones: list[Block], parts: Sequence[np.ndarray | None], location: str) -> np.ndarray:
    shape = next(np.shape(part)[1:] for part in parts if part is not None)
    counts = [len(block.points) if location == "point" else len(block.cells) for block in zones]
    return np.concatenate([np.full((count, *shape), np.nan) if part is None else part for part, count in zip(parts, counts, strict=True)])


def _extended(array: Array, count: int) -> Array:
    short = count - len(array.values)
    if not short:
        return array
    fill = np.full((short, *array.values.shape[1:]), np.nan)
    return Array(array.label, np.concatenate([array.values, fill]), array.location)


def _on_zones(points: np.ndarray, patches: list[Block]) -> tuple[np.ndarray, dict[str, Cells], dict[str, tuple[Array, ...]], list[str]]:
    """Patches in the point numbers of the zones: points, facets, values on them, and the names of those that lie elsewhere."""
    if not patches:
        return points, {}, {}, []
    _, same = merge_equal(np.concatenate([points, *(block.points for block in patches)]))
    first = np.full(same.max() + 1, -1, dtype=np.int64)
    first[same[: len(points)][::-1]] = np.arange(len(points))[::-1]
    facets: dict[str, list[Cells]] = {}
    values: dict[str, list[tuple[Block, np.ndarray]]] = {}
    extra, foreign, at, total = [], [], len(points), len(points)
    for number, block in enumerate(patches):
        index = first[same[at : at + len(block.points)]]
        at += len(block.points)
        lost = index < 0
        if lost.any():
            index = np.where(lost, total + np.cumsum(lost) - 1, index)
            extra.append(block.points[lost])
            total += int(lost.sum())
            foreign.append(block.name)
        name = block.name or f"patch {number + 1}"
        facets.setdefault(name, []).append(block.cells.renumbered(index))
        values.setdefault(name, []).append((block, index))
    boundary = {name: _patch_values(parts) for name, parts in values.items()}
    return (
        np.concatenate([points, *extra]),
        {name: Cells.concatenate(parts) for name, parts in facets.items()},
        {name: arrays for name, arrays in boundary.items() if arrays},
        foreign,
    )


def _patch_values(parts: list[tuple[Block, np.ndarray]]) -> tuple[Array, ...]:
    """Arrays of a patch, one value per facet, or per used point of it in ascending order of the mesh's numbers."""
    if len(parts) > 1:  # several blocks of one name: only what all of them have
        labels = set.intersection(*({(a.label, a.location) for a in block.arrays} for block, _ in parts))
    else:
        labels = {(a.label, a.location) for a in parts[0][0].arrays}
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
