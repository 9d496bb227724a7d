"""Gmsh meshes, 2.2 and 4.1, text and binary, own reader: physical groups become patches and zones."""

from __future__ import annotations

import numpy as np

from ...errors import UnreadableFileError
from ...mesh.cells import CELL_TYPES, Cells
from ..contents import Array, Contents, flattened
from ..source import Source
from .msh_sections import ELEMENT_TYPES, Block, Parsed, parse_msh

_ENTITY = ("point", "curve", "surface", "volume")


def read_msh(source: Source) -> Contents:
    """The mesh of a Gmsh file: cells of the highest dimension, named boundaries, zones, and node or element data.

    Physical groups of the cells' own dimension become zones (patches, if the mesh is a surface in space or an outline in a
    plane), those one dimension below become patches. A file without physical groups names its patches after the geometry:
    ``curve 3``, ``surface 12``. An element in several groups is one cell. A mesh with one common z is two-dimensional. Nodes that
    no element uses (centres of arcs) are left out and noted.

    Raises:
        UnreadableFileError: not a Gmsh mesh, truncated, or elements that use nodes which do not exist.
        UnsupportedFormatError: another version, a partitioned mesh, or element types without a counterpart.
    """
    parsed = parse_msh(source.data(), source.where)
    where = source.where
    if not parsed.blocks or not len(parsed.points):
        raise UnreadableFileError(
            "the file holds no nodes or no elements", where=where, remedy="mesh the model before saving: gmsh MODEL -3 -o NEW.msh"
        )
    top = max(_dimension(block) for block in parsed.blocks)
    solid = [block for block in parsed.blocks if _dimension(block) == top]
    thin = [block for block in parsed.blocks if _dimension(block) == top - 1 and top > 1]
    points, kept, renumber = _points(parsed, solid + thin, where)
    points, notes = flattened(points, top)
    cells = Cells.concatenate([_cells(block, renumber) for block in solid])
    by_group = any(block.groups for block in parsed.blocks)
    starts = np.cumsum([0, *(len(block.tags) for block in solid)])
    own = _members(solid, parsed, by_group)
    zones = {name: np.concatenate([np.arange(starts[i], starts[i + 1]) for i in index]) for name, index in own.items()}
    if top == points.shape[1] - 1:  # a surface in space, an outline in a plane: its groups are its patches
        patches = {name: cells.take(index) for name, index in zones.items()}
        zones, edges = {}, _members(thin, parsed, by_group) if by_group else {}
        notes += (f"groups on {_ENTITY[top - 1]}s are left out: {', '.join(edges)}",) if edges else ()
    else:
        patches = {name: Cells.concatenate([_cells(thin[i], renumber) for i in index]) for name, index in _members(thin, parsed, by_group).items()}
        zones = zones if by_group else {}
    arrays, remarks = _arrays(parsed, kept, np.concatenate([block.tags for block in solid]))
    unused = len(parsed.points) - len(kept)
    notes += (f"{unused} nodes that no element uses are left out",) if unused else ()
    notes += (f"sections left out: {', '.join(sorted(set(parsed.left_out)))}",) if parsed.left_out else ()
    return Contents(points, cells, patches, zones, arrays, (*notes, *remarks))


def _dimension(block: Block) -> int:
    return CELL_TYPES[ELEMENT_TYPES[block.kind][0]][1]


def _points(parsed: Parsed, blocks: list[Block], where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Used points, their rows among the file's nodes, and node number -> new index (as a lookup table shifted by one)."""
    tags = parsed.node_tags
    order = np.argsort(tags, kind="stable")
    used = np.unique(np.concatenate([block.nodes.reshape(-1) for block in blocks]))
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


def _cells(block: Block, numbers: np.ndarray) -> Cells:
    """A block in VTK's point order; ``numbers`` are the node numbers of the kept points."""
    name, order = ELEMENT_TYPES[block.kind]
    sorter = np.argsort(numbers, kind="stable")
    index = sorter[np.searchsorted(numbers[sorter], block.nodes)]
    return Cells.of({name: index[:, order]})


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


def _arrays(parsed: Parsed, kept: np.ndarray, elements: np.ndarray) -> tuple[tuple[Array, ...], list[str]]:
    """Node and element data in the order of points and cells; NaN where the file has none."""
    arrays, notes = [], []
    for label, location, tags, values in parsed.data:
        wanted = parsed.node_tags[kept] if location == "point" else elements
        order = np.argsort(tags, kind="stable")
        place = np.minimum(np.searchsorted(tags[order], wanted), max(len(tags) - 1, 0))
        there = tags[order][place] == wanted if len(tags) else np.zeros(len(wanted), dtype=bool)
        if not there.any():
            notes.append(f"'{label}' has no values on the cells that are read and is left out")
            continue
        rows = np.full((len(wanted), values.shape[1]), np.nan)
        rows[there] = values[order[place[there]]]
        arrays.append(Array(label, rows, location))  # type: ignore[arg-type]
    return tuple(arrays), notes
