"""Gmsh meshes, 2.2 and 4.1, text and binary, own reader: physical groups become patches and zones."""

from __future__ import annotations

import numpy as np

from ....errors import UnreadableFileError
from ....mesh.cells import CELL_TYPES, Cells
from ...contents import Array, Contents, flattened
from ...source import Source
from .data import Data, chosen_step
from .sections import ELEMENT_TYPES, PYRAMID14, Block, Parsed, parse_msh

_ENTITY = ("point", "curve", "surface", "volume")


def read_msh(source: Source) -> Contents:
    """The mesh of a Gmsh file: cells of the highest dimension, named boundaries, zones, and node or element data.

    Physical groups of the cells' own dimension become zones (patches, if the mesh is a surface in space or an outline in a
    plane), those one dimension below become patches. A file without physical groups names its patches after the geometry:
    ``curve 3``, ``surface 12``. An element in several groups is one cell. A mesh with one common z is two-dimensional. Of a
    partitioned mesh the parts are put together and the cell array ``partition`` says which cell is whose. Values at the nodes
    of every element are averaged at the nodes. Nodes that no element uses (centres of arcs), periodic links, groups of lower
    dimensions are left out. Notes say all of it.

    Raises:
        UnreadableFileError: not a Gmsh mesh, truncated, or elements that use nodes which do not exist.
        UnsupportedFormatError: another version, or element types without a counterpart.
        ConfigurationError: the file has no such time as is wanted.
    """
    parsed = parse_msh(source.data(), source.where)
    where = source.where
    if not parsed.blocks or not len(parsed.points):
        raise UnreadableFileError(
            "the file holds no nodes or no elements", where=where, remedy="mesh the model before saving: gmsh MODEL -3 -o NEW.msh"
        )
    top = max(_dimension(block) for block in parsed.blocks)
    solid = [block for block in parsed.blocks if _dimension(block) == top]
    thin = [block for block in parsed.blocks if _dimension(block) == top - 1 and top > 1 and not block.interface]
    points, kept, renumber = _points(parsed, solid + thin, where)
    points, notes = flattened(points, top)
    cells = Cells.concatenate([_cells(block, renumber) for block in solid])
    by_group = any(block.groups for block in parsed.blocks)
    starts = np.cumsum([0, *(len(block.tags) for block in solid)])
    own = _members(solid, parsed, by_group)
    own = own if by_group or len(own) > 1 else {}  # the one entity of a model says nothing
    zones = {name: np.concatenate([np.arange(starts[i], starts[i + 1]) for i in index]) for name, index in own.items()}
    if top == points.shape[1] - 1:  # a surface in space, an outline in a plane: its groups are its patches
        patches = {name: cells.take(index) for name, index in zones.items()}
        zones, edges = {}, _members(thin, parsed, by_group) if by_group else {}
        notes += (f"groups on {_ENTITY[top - 1]}s are left out: {', '.join(edges)}",) if edges else ()
    else:
        patches = {name: Cells.concatenate([_cells(thin[i], renumber) for i in index]) for name, index in _members(thin, parsed, by_group).items()}
        zones = zones if by_group else {}
    arrays, time, times, remarks = _arrays(parsed, kept, solid, source)
    unused = len(parsed.points) - len(kept)
    notes += (f"{unused} nodes that no element uses are left out",) if unused else ()
    return Contents(points, cells, patches, zones, arrays, (*notes, *_remarks(parsed, thin, top, by_group), *remarks), time=time, times=times)


def _remarks(parsed: Parsed, thin: list[Block], top: int, by_group: bool) -> list[str]:
    """What is in the file and not in the mesh."""
    notes = []
    low = [block for block in parsed.blocks if _dimension(block) < top - 1 and block.groups]
    names = _members(low, parsed, True)
    notes += [f"groups of a dimension that has no place in the mesh are left out: {', '.join(names)}"] if names else []
    loose = sum(len(block.tags) for block in thin if not block.groups) if by_group else 0
    notes += [f"{loose} facets that belong to no physical group are left out"] if loose else []
    between = sum(len(block.tags) for block in parsed.blocks if block.interface)
    notes += [f"{between} elements on the borders between partitions are left out"] if between else []
    corners = sum(len(block.tags) for block in parsed.blocks if block.kind == PYRAMID14)
    notes += [f"the node in the middle of the base of {corners} pyramids is left out"] if corners else []
    links = {"Periodic": "periodic links", "GhostElements": "ghost elements (copies for parallel runs)"}
    known = [links[name] for name in dict.fromkeys(parsed.left_out) if name in links]
    notes += [f"left out: {', '.join(known)}"] if known else []
    others = sorted(set(parsed.left_out) - set(links))
    notes += [f"sections left out: {', '.join(others)}"] if others else []
    return notes


def _dimension(block: Block) -> int:
    return CELL_TYPES[ELEMENT_TYPES[block.kind][0]][1]


def _points(parsed: Parsed, blocks: list[Block], where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Used points, their rows among the file's nodes, and their node numbers."""
    tags = parsed.node_tags
    order = np.argsort(tags, kind="stable")
    used = np.unique(np.concatenate([_nodes(block).reshape(-1) for block in blocks]))
    place = np.minimum(np.searchsorted(tags[order], used), len(tags) - 1)
    missing = tags[order][place] != used
    if missing.any():
        raise UnreadableFileError(
            f"elements use {int(missing.sum())} nodes that the file does not have, first node {used[np.argmax(missing)]}",
            where=where,
            remedy="save the mesh again from Gmsh",
        )
    kept = np.sort(order[place])  # in the order of the file
    return parsed.points[kept], kept, tags[kept]


def _nodes(block: Block) -> np.ndarray:
    """(m, k) node numbers in VTK's order."""
    return block.nodes[:, ELEMENT_TYPES[block.kind][1]]


def _cells(block: Block, numbers: np.ndarray) -> Cells:
    """A block in VTK's point order; ``numbers`` are the node numbers of the kept points."""
    return Cells.of({ELEMENT_TYPES[block.kind][0]: _places(numbers, _nodes(block))[0]})


def _places(numbers: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of every wanted number among the given ones, and whether it is there."""
    if not len(numbers):
        return np.zeros(wanted.shape, dtype=np.int64), np.zeros(wanted.shape, dtype=bool)
    order = np.argsort(numbers, kind="stable")
    index = order[np.minimum(np.searchsorted(numbers[order], wanted), len(numbers) - 1)]
    return index, numbers[index] == wanted


def _members(blocks: list[Block], parsed: Parsed, by_group: bool) -> dict[str, list[int]]:
    """Name -> blocks that belong to it: physical groups if the file has any, otherwise the entities if there are several."""
    found: dict[str, list[int]] = {}
    for i, block in enumerate(blocks):
        dimension = _dimension(block)
        if by_group:
            for group in block.groups:
                found.setdefault(parsed.names.get((dimension, group), f"{_ENTITY[dimension]} group {group}"), []).append(i)
        elif block.entity:
            found.setdefault(f"{_ENTITY[dimension]} {block.entity}", []).append(i)
    return found


def _arrays(
    parsed: Parsed, kept: np.ndarray, solid: list[Block], source: Source
) -> tuple[tuple[Array, ...], float | None, tuple[float, ...], list[str]]:
    """Values in the order of points and cells (NaN where the file has none), their time, all times, and notes."""
    data, time, times, notes = chosen_step(parsed.data, source.time, source.where)
    arrays = []
    nodes, elements = parsed.node_tags[kept], np.concatenate([block.tags for block in solid])
    for item in data:
        location = "cell" if item.location == "cell" else "point"
        if item.location == "corner":
            item = _averaged(item, solid)
            notes.append(f"'{item.label}' is given at the nodes of every element and is averaged at the nodes")
        index, there = _places(item.tags, nodes if location == "point" else elements)
        if not there.any():
            notes.append(f"'{item.label}' has no values on the cells that are read and is left out")
            continue
        elsewhere = len(np.unique(item.tags)) - len(np.unique(item.tags[index[there]]))
        if elsewhere:
            notes.append(
                f"'{item.label}' also has {elsewhere} values on {'elements' if location == 'cell' else 'nodes'} that are no cells or points here: left out"
            )
        rows = np.full((len(there), item.values.shape[1]), np.nan)
        rows[there] = item.values[index[there]]
        arrays.append(Array(item.label, rows, location))  # type: ignore[arg-type]
    parts = np.concatenate([np.full(len(block.tags), block.partition, dtype=np.int64) for block in solid])
    if parts.any():
        arrays.append(Array("partition", parts, "cell"))
        notes.append(f"{len(np.unique(parts))} partitions are put together; the cell array 'partition' keeps them apart")
    return tuple(arrays), time, times, notes


def _averaged(item: Data, blocks: list[Block]) -> Data:
    """Values at the nodes of every element as values at the nodes: their mean."""
    assert item.lengths is not None
    starts = np.cumsum(item.lengths) - item.lengths
    tags, rows = [np.zeros(0, dtype=np.int64)], [np.zeros((0, item.values.shape[1]))]
    for block in blocks:
        index, there = _places(item.tags, block.tags)
        width = block.nodes.shape[1]
        for slot in range(width):
            chosen = np.flatnonzero(there & (item.lengths[index] > slot)) if len(item.tags) else np.zeros(0, dtype=np.int64)
            tags.append(block.nodes[chosen, slot])
            rows.append(item.values[starts[index[chosen]] + slot])
    flat, values = np.concatenate(tags), np.concatenate(rows)
    nodes, home = np.unique(flat, return_inverse=True)
    counts = np.bincount(home.reshape(-1), minlength=len(nodes))
    sums = [np.bincount(home.reshape(-1), weights=column, minlength=len(nodes)) for column in values.T]
    means = np.stack(sums, axis=1) / counts[:, None] if len(nodes) else values
    return Data(item.label, "point", item.time, nodes, means)
