"""Curvature at the points of a surface mesh, by fits to the points around."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from ...errors import ConfigurationError, InvalidMeshError
from ..cells import Cells
from ..measure import point_normals
from ..mesh import Mesh
from ..topology import edges, welded
from ..triangulation import triangulated
from .jets import Curvature, fit_jets

_BLOCK = 20_000  # points whose neighbours are listed at once
_HUB = 48  # edges at a point that count; six are usual
_MANY = 64  # neighbours of a point; 37 within three edges are usual


def mesh_curvature(surface: Mesh, *, degree: int = 4) -> Curvature:
    """Principal, mean and Gauss curvature at the points of a smooth surface in 3-D.

    At every point a polynomial is fitted to the points within three edges of it, along the surface, so that the other
    side of a thin wing has no say. On a smooth surface the error falls with the cube of the edge length, on irregular
    meshes too (with its square for degree 3, which coarse or noisy meshes may prefer). Curvature is that of the points: facets only tell who is near, and on
    which side the surface is out (turn it outward first: :func:`geoop.mesh.outline.oriented`). At sharp edges, which have
    none, the value grows like one over the edge length; ``residual`` is large there.

    Args:
        surface: faces of any kind; points at one place count as one. Points without faces get NaN.
        degree: of the polynomial, 2 to 5.

    Raises:
        InvalidMeshError: not a surface in 3-D.
        ConfigurationError: another degree.
    """
    if surface.dimension != 3 or surface.cell_dimension != 2:
        raise InvalidMeshError(
            "curvature of a surface needs faces in 3-D", where=surface.name, remedy="pass geoop.mesh.body.body(mesh); in 2-D: outline_curvature"
        )
    if degree not in (2, 3, 4, 5):
        raise ConfigurationError(f"degree is {degree}", where="mesh_curvature", remedy="give 2, 3, 4 or 5")
    merged = welded(surface.points)
    corners = merged[triangulated(surface)[0]]
    normals = point_normals(Mesh(surface.points, Cells.of(triangle=corners)))
    n = len(surface.points)
    listed = edges(Cells.of(triangle=corners), np.arange(n)).corners
    one, other = (np.concatenate([listed[:, k], listed[:, 1 - k], np.arange(n)]) for k in (0, 1))  # a point is its own neighbour
    graph = sparse.coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(n, n)).tocsr()
    used = np.flatnonzero((np.linalg.norm(normals, axis=1) > 0.5) & (merged == np.arange(n)))
    graph = _thinned(graph)
    parts, order = [], []
    for at in range(0, len(used), _BLOCK):
        rows = used[at : at + _BLOCK]
        for some, near, there in _rings(graph, rows, 2 if degree == 2 else 3 if degree < 5 else 4):
            parts.append(fit_jets(surface.points, some, near, there, normals[some], degree))
            order.append(some)
    return _spread(parts, np.concatenate(order) if order else used, merged, n)


def _thinned(graph: sparse.csr_array) -> sparse.csr_array:
    """The graph with at most ``_HUB`` neighbours of every point, evenly taken: the tip of a cone joins thousands."""
    sizes = np.diff(graph.indptr)
    kept = np.minimum(sizes, _HUB)
    start = np.concatenate([[0], np.cumsum(kept)])
    place = np.arange(start[-1]) - np.repeat(start[:-1], kept)
    chosen = np.repeat(graph.indptr[:-1], kept) + place * np.repeat(sizes, kept) // np.repeat(np.maximum(kept, 1), kept)
    return sparse.csr_array((np.ones(start[-1], dtype=bool), graph.indices[chosen], start), shape=graph.shape)


def _rings(graph: sparse.csr_array, rows: np.ndarray, edges_away: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Points in groups of alike numbers of neighbours: points (m,), their neighbours (m, k), which of those entries are there."""
    reach = graph[rows]
    for _ in range(edges_away - 1):
        reach = reach @ graph
    sizes = np.diff(reach.indptr)
    for low, high in ((0, _MANY), (_MANY, np.inf)):
        some = np.flatnonzero((sizes > low) & (sizes <= high))
        if len(some):
            width = int(min(sizes[some].max(), 4 * _MANY))
            step = np.maximum(sizes[some], width) / width  # of the many, evenly some
            place = (np.arange(width)[None] * step[:, None]).astype(np.int64)
            there = place < sizes[some][:, None]
            slots = reach.indptr[some][:, None] + np.where(there, place, 0)
            yield rows[some], np.where(there, reach.indices[slots], rows[some][:, None]), there


def _spread(parts: list[Curvature], used: np.ndarray, merged: np.ndarray, n: int) -> Curvature:
    """Values of the points that were fitted, given to all points at their places."""
    columns = []
    for name, shape in (("principal", (2,)), ("directions", (2, 3)), ("normals", (3,)), ("residual", ())):
        out = np.full((n, *shape), np.nan)
        if parts:
            out[used] = np.concatenate([getattr(part, name) for part in parts])
        columns.append(out[merged])
    return Curvature(*columns)
