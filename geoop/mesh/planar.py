"""Plane flows that a solver keeps as a layer one cell thick, as the plane cases that they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from ..errors import InvalidMeshError
from .case import Case
from .cells import Cells
from .mesh import Mesh
from .quantity import Field
from .topology import faces, welded

#: Points farther from one of the two planes than this share of the extent belong to neither.
_TOLERANCE = 1e-6
_KINDS = {3: "triangle", 4: "quad"}


@dataclass(frozen=True, eq=False)
class _Layer:
    """Where the two planes are.

    Attributes:
        axis: number of the coordinate that has two values.
        kept: (2,) numbers of the other two.
        point: (n,) point of the plane mesh that each point of the layer becomes.
        low: (m,) point of the layer on the lower plane that each point of the plane mesh is.
    """

    axis: int
    kept: tuple[int, int]
    point: np.ndarray
    low: np.ndarray


def is_one_layer(mesh: Mesh) -> bool:
    """Whether a mesh of volume cells is a plane mesh, extruded by one cell: OpenFOAM and many others keep plane flows so."""
    return mesh.cell_dimension == 3 and _layer(mesh) is not None


def flattened(case: Case) -> Case:
    """The plane case of a layer one cell thick: its cells, patches, zones and fields, without the third dimension.

    Cells become triangles, quads and polygons, counter-clockwise; facets of patches lines, with the flow on the same side; patches
    on the two planes (``frontAndBack``) are left out. Point values are the means of both planes. Vectors lose the component across;
    tensors their row and column.

    Args:
        case: of volume cells between two parallel planes that are normal to one of the axes.

    Raises:
        InvalidMeshError: the mesh is no such layer.
    """
    mesh = case.mesh
    layer = _layer(mesh) if mesh.cell_dimension == 3 else None
    if layer is None:
        raise InvalidMeshError(
            "the mesh is not one layer of cells between two planes normal to an axis", where=mesh.name, remedy="cut a plane out of it instead"
        )
    points = mesh.points[layer.low][:, layer.kept]
    cells, owner = _plane_cells(mesh, layer, points)
    new_cell = np.full(len(mesh.cells), -1, dtype=np.int64)
    new_cell[owner] = np.arange(len(owner))
    patches, rows = {}, {}
    for name, facets in mesh.patches.items():
        lines, row = _lines(facets, layer)
        if len(row):
            patches[name], rows[name] = Cells.of(line=lines), row
    lost = [name for name in mesh.patches if name not in patches]
    names = "" if layer.axis == 2 else f", {'xyz'[layer.kept[0]]} and {'xyz'[layer.kept[1]]} as x and y"
    note = f"one cell thick along {'xyz'[layer.axis]}: taken as plane{names}" + (f", without {', '.join(lost)}" if lost else "")
    zones = {name: new_cell[index][new_cell[index] >= 0] for name, index in mesh.zones.items()}
    plane = Mesh(points, cells, patches, zones, mesh.name, (*mesh.notes, note))
    fields = {name: _plane_field(item, layer, owner) for name, item in case.fields.items()}
    wall = None if case.wall is None else tuple(name for name in case.wall if name in patches)
    return replace(case, mesh=plane, fields=fields, boundary=_plane_boundary(case, patches, rows, layer), wall=wall)


def _layer(mesh: Mesh) -> _Layer | None:
    """The layer, None unless there is one axis across which the mesh is one: a single row of cells is one across two."""
    used = np.unique(mesh.cells.connectivity)
    found = [layer for axis in range(mesh.dimension) if (layer := _layer_across(mesh, used, axis)) is not None]
    return found[0] if len(found) == 1 else None


def _layer_across(mesh: Mesh, used: np.ndarray, axis: int) -> _Layer | None:
    extent = float(np.ptp(mesh.points[used], axis=0).max())
    height = mesh.points[used, axis]
    low, high = float(height.min()), float(height.max())
    slack = _TOLERANCE * (high - low) + 1e-12 * extent
    below, above = height - low <= slack, high - height <= slack
    if not high > low or not (below ^ above).all() or below.sum() != above.sum():
        return None
    first, second = (k for k in range(mesh.dimension) if k != axis)
    tree = cKDTree(mesh.points[used[below]][:, [first, second]])
    distance, partner = tree.query(mesh.points[used[above]][:, [first, second]])
    if distance.max() > _TOLERANCE * extent or len(np.unique(partner)) < len(partner):
        return None
    point = np.full(len(mesh.points), -1, dtype=np.int64)
    point[used[below]] = np.arange(int(below.sum()))
    point[used[above]] = partner
    return _Layer(axis, (first, second), point, used[below])


def _plane_cells(mesh: Mesh, layer: _Layer, points: np.ndarray) -> tuple[Cells, np.ndarray]:
    """Faces on the lower plane as cells, and the cell of the layer that each belongs to, in the order of the layer's cells."""
    on_plane = np.zeros(len(mesh.points), dtype=bool)
    on_plane[layer.low] = True
    listed = faces(mesh.cells, welded(mesh.points))
    there = np.where(listed.corners >= 0, on_plane[listed.corners], True).all(axis=1)
    corners, owner = listed.corners[there], listed.owner[there]
    order = np.argsort(owner, kind="stable")
    corners, owner = corners[order], owner[order]
    if len(np.unique(owner)) < len(owner) or len(owner) != int((mesh.cells.dimensions == 3).sum()):
        raise InvalidMeshError(
            "cells of the layer do not have exactly one face on its lower plane", where=mesh.name, remedy="check it with `geoop inspect`"
        )
    sizes = (corners >= 0).sum(axis=1)
    rows = [layer.point[row[:size]] for row, size in zip(corners, sizes, strict=True)]
    rows = [row if _area(points[row]) > 0 else row[::-1] for row in rows]
    parts, place = [], []
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        name = _KINDS.get(int(size), "polygon")
        same = [rows[k] for k in chosen]
        parts.append(Cells.of(**{name: np.array(same)}) if name in _KINDS.values() else Cells.ragged(name, same))
        place.append(chosen)
    back = np.argsort(np.concatenate(place))
    return Cells.concatenate(parts).take(back), owner


def _area(ring: np.ndarray) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def _lines(facets: Cells, layer: _Layer) -> tuple[np.ndarray, np.ndarray]:
    """(k, 2) lines of the facets that stand between the planes, in the sense in which the facet runs on the lower plane, and their rows.

    A quad whose normal points out of the flow runs along the lower plane with the flow on its left, seen with the axis up.
    """
    low = np.zeros(len(layer.point), dtype=bool)
    low[layer.low] = True
    lines, rows = [], []
    for row, facet in enumerate(facets):
        below = low[facet]
        if below.sum() == 2 and len(facet) == 4:
            first = next(k for k in range(4) if below[k] and below[(k + 1) % 4])
            pair = layer.point[[facet[first], facet[(first + 1) % 4]]]
            # dropping y instead of x or z leaves left-handed axes
            lines.append(pair if layer.axis != 1 else pair[::-1])
            rows.append(row)
    return np.array(lines, dtype=np.int64).reshape(-1, 2), np.array(rows, dtype=np.int64)


def _plane_field(item: Field, layer: _Layer, owner: np.ndarray) -> Field:
    values = np.asarray(item.values)
    if item.location == "cell":
        values = values[owner]
    elif item.location == "point":
        total = np.zeros((len(layer.low), *values.shape[1:]))
        used = layer.point >= 0
        np.add.at(total, layer.point[used], values[used])
        values = 0.5 * total
    return Field(item.quantity, _components(values, item.quantity.rank, layer), item.location)


def _components(values: np.ndarray, rank: int, layer: _Layer) -> np.ndarray:
    for axis in range(rank):
        if values.shape[values.ndim - 1 - axis] == 3:
            values = np.take(values, layer.kept, axis=values.ndim - 1 - axis)
    return values


def _plane_boundary(case: Case, patches: Mapping[str, Cells], rows: Mapping[str, np.ndarray], layer: _Layer) -> dict[str, dict[str, Field]]:
    """Values on the patches that are left: per line, per point of the patch in ascending order, or for all of it."""
    found: dict[str, dict[str, Field]] = {}
    for patch, items in case.boundary.items():
        for name, item in items.items() if patch in rows else ():
            values = np.asarray(item.values)
            if item.location == "facet":
                values = values[rows[patch]]
            elif item.location == "point":
                old = layer.point[case.mesh.patch_points(patch)]
                new = np.unique(patches[patch].connectivity)
                total, count = np.zeros((len(layer.low), *values.shape[1:])), np.bincount(old, minlength=len(layer.low))
                np.add.at(total, old, values)
                values = total[new] / count[new].reshape(-1, *[1] * (values.ndim - 1))
            found.setdefault(patch, {})[name] = Field(item.quantity, _components(values, item.quantity.rank, layer), item.location)
    return found
