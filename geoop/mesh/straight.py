"""Linear cells from quadratic ones, for programs and files that know no others: the counterpart of :mod:`geoop.mesh.generate.quadratic`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .case import Case
from .cells import CELL_TYPES, Cells
from .mesh import Mesh
from .quantity import Field
from .topology import N_CORNERS


def straightened(case: Case) -> Case:
    """The case on straight cells: quadratic cells by their corners, in the same order.

    What is on a point in the middle of a side, face or cell is dropped with it: a curved wall becomes a polygon, a quadratic field the
    linear one through its corner values. Values at cells and facets, zones, conditions and time stay as they are.

    Args:
        case: on cells of any types; the same object comes back if none is quadratic. A mesh alone: ``straightened(Case(mesh)).mesh``.

    Returns:
        case whose mesh has all points that are a corner of a cell or facet, or that none uses, in the old order. Cells that are
        sound only as long as they are bent can be inverted now: ``geoop inspect`` finds them.
    """
    mesh = case.mesh
    parts = [mesh.cells, *mesh.patches.values()]
    if not any(name in N_CORNERS for part in parts for name in part.names):
        return case
    middle, corner = np.zeros((2, len(mesh.points)), dtype=bool)
    for part in parts:
        at_corner = _at_corners(part)
        middle[part.connectivity[~at_corner]] = True
        corner[part.connectivity[at_corner]] = True
    kept = corner | ~middle
    number = np.cumsum(kept) - 1
    patches = {name: _corner_cells(part).renumbered(number) for name, part in mesh.patches.items()}
    straight = Mesh(mesh.points[kept], _corner_cells(mesh.cells).renumbered(number), patches, mesh.zones, mesh.name, mesh.notes)
    boundary = {name: _taken(items, kept[mesh.patch_points(name)]) for name, items in case.boundary.items()}
    return replace(case, mesh=straight, fields=_taken(case.fields, kept), boundary=boundary)


def _taken(fields: Mapping[str, Field], kept: np.ndarray) -> dict[str, Field]:
    """Fields with the values at points (n,) that are kept, and all others as they are."""
    return {name: Field(item.quantity, item.values[kept], "point") if item.location == "point" else item for name, item in fields.items()}


def _at_corners(cells: Cells) -> np.ndarray:
    """(total,) whether an entry of the connectivity is a corner of its cell: VTK lists these first."""
    sizes = np.diff(cells.offsets)
    corners = sizes.copy()
    for name in cells.names:
        corners[cells.where(name)] = N_CORNERS.get(name, corners[cells.where(name)])
    place = np.arange(len(cells.connectivity)) - np.repeat(cells.offsets[:-1], sizes)
    return place < np.repeat(corners, sizes)


def _corner_cells(cells: Cells) -> Cells:
    """The cells by their corners, in the old point numbers."""
    at_corner, types = _at_corners(cells), cells.types.copy()
    for name in cells.names:
        if name in N_CORNERS:
            types[cells.where(name)] = CELL_TYPES[name.rstrip("0123456789")][0]
    offsets = np.concatenate([[0], np.cumsum(at_corner)])[cells.offsets]
    return Cells(types, offsets, cells.connectivity[at_corner], cells.faces)
