"""Lengths, areas, volumes, normals and quadrature weights on any cell type, block by block."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import InvalidMeshError
from .cells import CELL_TYPES, Cells
from .mesh import Mesh
from .polyhedra import polyhedron_weights
from .shape_functions import reference_cell

_CHUNK = 20_000  # cells integrated at once: bounds the memory of high-order cells


def area_vectors(surface: Mesh) -> np.ndarray:
    """(m, d) n dA of every facet [m^(d-1)]: its area times its unit normal, so that a closed surface adds up to zero.

    Exact for any facet, flat or not, as it depends on the boundary of the facet only. Segment a -> b of an outline has
    (t_y, -t_x): outward on a counter-clockwise loop. Cells of lower dimension (vertex cells beside an outline) get zero.

    Raises:
        InvalidMeshError: the cells are not one dimension below space.
    """
    _require_surface(surface)
    out = np.zeros((len(surface.cells), surface.dimension))
    for index, elements, _ in _elements(surface):
        out[index] = _as_normals(elements.sum(axis=1))
    return out


def facet_normals(surface: Mesh) -> np.ndarray:
    """(m, d) unit normals, along :func:`area_vectors`; zero for a facet of zero area and for cells of lower dimension."""
    return _unit(area_vectors(surface))


def cell_measures(mesh: Mesh) -> np.ndarray:
    """(m,) length [m], area [m^2] or volume [m^3] of every cell, never negative; a vertex counts 1, as one point.

    Curved quadratic cells and warped quads are integrated over their isoparametric shape, polygons over a fan around the
    mean of their corners; concave flat polygons and quads are exact. Polyhedra: see :mod:`geoop.mesh.polyhedra`.
    """
    return np.abs(_per_cell(mesh, consistent_weights(mesh)))


def signed_measures(mesh: Mesh) -> np.ndarray:
    """(m,) as :func:`cell_measures`, negative for cells that are turned inside out (area in 2-D, volume in 3-D).

    Only cells of the dimension of space have a sign; others keep their measure. A wedge is positive when its first triangle
    turns left seen from the second, as in SU2, CGNS and gmsh; VTK's own convention is the opposite.
    """
    out = cell_measures(mesh)
    for index, elements, _ in _elements(mesh):
        if elements.shape[2] == 1:
            out[index] = elements.sum(axis=(1, 2))
    if mesh.cells.faces is not None:
        index = mesh.cells.where("polyhedron")
        out[index] = _per_cell(mesh, _corner_weights(mesh, positive=False))[index]
    return out


def cell_centers(mesh: Mesh) -> np.ndarray:
    """(m, d) centroids [m]; the mean of the corners for a cell of zero measure."""
    weights = consistent_weights(mesh)
    total = _per_cell(mesh, weights)
    sizes = np.diff(mesh.cells.offsets)
    flat = np.repeat(total > 0, sizes)
    share = np.where(flat, weights / np.repeat(np.where(total > 0, total, 1), sizes), 1 / np.repeat(sizes, sizes))
    # relative to the first corner: no digits are lost on a mesh far from the origin
    first = mesh.points[mesh.cells.connectivity[mesh.cells.offsets[:-1]]] if len(mesh.cells) else np.zeros((0, mesh.dimension))
    relative = mesh.points[mesh.cells.connectivity] - np.repeat(first, sizes, axis=0)
    owner = np.repeat(np.arange(len(mesh.cells)), sizes)
    moments = [np.bincount(owner, weights=share * relative[:, k], minlength=len(mesh.cells)) for k in range(mesh.dimension)]
    return first + np.stack(moments, axis=1)


def consistent_weights(mesh: Mesh) -> np.ndarray:
    """(total,) integral over each cell of the shape function of each of its corners, aligned with ``cells.connectivity``.

    A field given at the corners integrates exactly as it interpolates; the weights of quadratic cells may be negative.
    """
    return _corner_weights(mesh, positive=False)


def point_weights(mesh: Mesh) -> np.ndarray:
    """(n,) quadrature weights at the points; they add up to the total measure of the cells of highest dimension.

    Linear fields on straight cells are integrated exactly. Quadratic cells share their measure in positive parts (see
    :class:`~geoop.mesh.shape_functions.Reference`). A cloud has the counting measure: every point weighs 1.
    """
    if mesh.is_cloud:
        return np.ones(len(mesh.points))
    weights = _corner_weights(mesh, positive=True)
    top = np.repeat(mesh.cells.dimensions == mesh.cell_dimension, np.diff(mesh.cells.offsets))
    return np.bincount(mesh.cells.connectivity[top], weights=weights[top], minlength=len(mesh.points))


def point_normals(surface: Mesh) -> np.ndarray:
    """(n, d) unit normals at the points: the mean of the adjacent facets, weighted in 3-D by the angle of the facet at the point.

    These are the pseudonormals of Baerentzen and Aanaes (2005), independent of how a face is triangulated. Points without
    facets, and points where the normals cancel, get zero.

    Raises:
        InvalidMeshError: the cells are not one dimension below space.
    """
    normals = facet_normals(surface)
    cells, weights = surface.cells, corner_angles(surface)
    owner = np.repeat(np.arange(len(cells)), np.diff(cells.offsets))
    parts = [np.bincount(cells.connectivity, weights=weights * normals[owner, k], minlength=len(surface.points)) for k in range(surface.dimension)]
    return _unit(np.stack(parts, axis=1), smallest=1e-13)


def corner_angles(surface: Mesh) -> np.ndarray:
    """(total,) angle of every facet at every of its corners [rad], aligned with ``cells.connectivity``; 1 on outlines, 0 on vertex cells.

    Mid-side nodes of quadratic facets get pi, their mid-face nodes 2 pi.
    """
    cells = surface.cells
    out = np.zeros(len(cells.connectivity))
    for name, index in _blocks(cells):
        slots = _slots(cells, index)
        if CELL_TYPES[name][1] == 1:
            out[slots] = 1.0
        elif CELL_TYPES[name][1] == 2:
            n_corners = {"triangle6": 3, "quad8": 4, "quad9": 4}.get(name, int(slots.shape[1]))
            x = surface.points[cells.connectivity[slots[:, :n_corners]]]
            before, after = np.roll(x, 1, axis=1) - x, np.roll(x, -1, axis=1) - x
            sine = np.linalg.norm(np.cross(_in_space(before), _in_space(after)), axis=2)
            out[slots[:, :n_corners]] = np.arctan2(sine, (before * after).sum(axis=2))
            out[slots[:, n_corners : 2 * n_corners]] = np.pi
            out[slots[:, 2 * n_corners :]] = 2 * np.pi
    return out


def enclosed_volume(surface: Mesh) -> float:
    """Volume [m^3] (area [m^2] in 2-D) inside a closed surface by the divergence theorem, positive when the normals point outward.

    Raises:
        InvalidMeshError: not a surface, or its area vectors do not add up to zero (it is open, or its facets disagree in orientation).
    """
    areas = area_vectors(surface)
    total = np.linalg.norm(areas, axis=1).sum()
    leak = np.linalg.norm(areas.sum(axis=0))
    if total == 0 or leak > 1e-8 * total:
        share = f"{leak / total:.2g} of the total area" if total else "its area is zero"
        raise InvalidMeshError(
            f"the surface does not enclose a volume: its area vectors do not cancel ({share})",
            where=surface.name,
            remedy="close it (`geoop inspect FILE` counts the open edges) and orient it with geoop.mesh.outline.oriented",
        )
    return float(cell_fluxes(surface).sum())


def cell_fluxes(surface: Mesh) -> np.ndarray:
    """(m,) flux of (x - x_mean)/d through every facet; over a closed surface it adds up to the enclosed volume."""
    _require_surface(surface)
    origin = surface.points.mean(axis=0)
    out = np.zeros(len(surface.cells))
    for index, elements, x in _elements(surface, positions=True):
        out[index] = np.einsum("mqc,mqc->m", _as_normals(elements), x - origin) / surface.dimension
    return out


def _require_surface(mesh: Mesh) -> None:
    if not mesh.is_surface:
        raise InvalidMeshError(
            f"normals need cells of dimension {mesh.dimension - 1} in {mesh.dimension}-D, these have dimension {mesh.cell_dimension}",
            where=mesh.name,
            remedy="pass a boundary: mesh.patch('wall') or geoop.mesh.body.body(mesh)",
        )


def _corner_weights(mesh: Mesh, *, positive: bool) -> np.ndarray:
    cells = mesh.cells
    out = np.zeros(len(cells.connectivity))
    out[_slots(cells, cells.where("vertex"))] = 1.0
    if cells.faces is not None:
        out[_slots_of(cells, cells.where("polyhedron"))] = polyhedron_weights(mesh.points, cells)
    for name, index in _blocks(cells):
        if CELL_TYPES[name][1] == 0 or name == "polyhedron":
            continue
        slots = _slots(cells, index)
        for part in range(0, len(index), _CHUNK):
            rows = slots[part : part + _CHUNK]
            elements, values, shares = _integrate(name, mesh.points[cells.connectivity[rows]])
            amount = _amounts(elements)
            out[rows] = amount.sum(axis=1)[:, None] * shares if positive and shares is not None else amount @ values
    return out


def _amounts(elements: np.ndarray) -> np.ndarray:
    """(m, q) measure of every quadrature point; negative where a flat concave facet folds back over itself."""
    total = elements.sum(axis=1, keepdims=True)
    return np.copysign(np.linalg.norm(elements, axis=2), (elements * total).sum(axis=2)) * (total != 0).any(axis=2)


def _integrate(name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Corners (m, k, d) -> vector measure of each quadrature point (m, q, c), shape functions there (q, k), shares of quadratic nodes."""
    if name == "polygon":
        k = x.shape[1]
        mean = x.mean(axis=1, keepdims=True)
        a, b = x - mean, np.roll(x, -1, axis=1) - mean
        values = (np.eye(k) + np.roll(np.eye(k), 1, axis=1) + 1 / k) / 3  # centroid of the triangle (mean, corner, next corner)
        return _wedge_product(np.stack([a, b], axis=3)) / 2, values, None
    cell = reference_cell(name)
    relative = x - x[:, :1]  # differences first: no digits are lost on a mesh far from the origin
    jacobian = np.einsum("qkr,mkd->mqdr", cell.gradients, relative, optimize=True)
    return _wedge_product(jacobian) * cell.weights[:, None], cell.values, cell.shares


def _wedge_product(jacobian: np.ndarray) -> np.ndarray:
    """(..., d, r) columns -> (..., c): determinant if r = d, cross product if r = 2 in 3-D, the column itself if r = 1."""
    d, r = jacobian.shape[-2:]
    if r == 1:
        return jacobian[..., 0]
    if d == 3 and r == 2:
        return np.cross(jacobian[..., 0], jacobian[..., 1])
    if d == 2:
        return (jacobian[..., 0, 0] * jacobian[..., 1, 1] - jacobian[..., 0, 1] * jacobian[..., 1, 0])[..., None]
    return (np.cross(jacobian[..., 0], jacobian[..., 1]) * jacobian[..., 2]).sum(axis=-1, keepdims=True)


def _elements(mesh: Mesh, positions: bool = False) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Blocks of the cells of highest dimension: indices, vector measures (m, q, c), positions of the quadrature points (m, q, d)."""
    cells = mesh.cells
    for name, index in _blocks(cells):
        if CELL_TYPES[name][1] != mesh.cell_dimension or name == "polyhedron":
            continue
        for part in range(0, len(index), _CHUNK):
            chosen = index[part : part + _CHUNK]
            x = mesh.points[cells.connectivity[_slots(cells, chosen)]]
            elements, values, _ = _integrate(name, x)
            yield chosen, elements, np.einsum("qk,mkd->mqd", values, x, optimize=True) if positions else x


def _blocks(cells: Cells) -> Iterator[tuple[str, np.ndarray]]:
    """(type name, cell indices) with one number of points per block: polygons come in one block per size."""
    sizes = np.diff(cells.offsets)
    for name in cells.names:
        index = cells.where(name)
        for size in np.unique(sizes[index]):
            yield name, index[sizes[index] == size]


def _slots_of(cells: Cells, index: np.ndarray) -> np.ndarray:
    """Places in ``connectivity`` of the points of cells of any size."""
    sizes = np.diff(cells.offsets)[index]
    stops = np.cumsum(sizes)
    return np.repeat(cells.offsets[:-1][index] - stops + sizes, sizes) + np.arange(stops[-1] if len(stops) else 0)


def _slots(cells: Cells, index: np.ndarray) -> np.ndarray:
    """(m, k) places in ``connectivity`` of the points of cells that all have k of them."""
    size = int(np.diff(cells.offsets)[index[0]]) if len(index) else 0
    return cells.offsets[:-1][index][:, None] + np.arange(size)


def _as_normals(tangents: np.ndarray) -> np.ndarray:
    """Turn 2-D tangents to the right; cross products in 3-D are normals already."""
    return np.stack([tangents[..., 1], -tangents[..., 0]], axis=-1) if tangents.shape[-1] == 2 else tangents


def _in_space(vectors: np.ndarray) -> np.ndarray:
    return vectors if vectors.shape[-1] == 3 else np.concatenate([vectors, np.zeros_like(vectors[..., :1])], axis=-1)


def _unit(vectors: np.ndarray, smallest: float = 0.0) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > smallest, vectors / np.where(length > 0, length, 1), 0.0)


def _per_cell(mesh: Mesh, values: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, mesh.cells.offsets[:-1]) if len(mesh.cells) else np.zeros(0)
