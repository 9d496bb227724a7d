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
from .jets import Curvature, fit_jets, fixes

_BLOCK = 20_000  # points whose neighbours are listed at once
_HUB = 48  # edges at a point that count; six are usual
_FACING = 0.1  # cosine of the angle between normals below which a neighbour is on another side of the body
_MANY = 64  # neighbours of a point; 37 within three edges are usual


def mesh_curvature(surface: Mesh, *, degree: int = 4, ends: np.ndarray | None = None) -> Curvature:
    """Principal, mean and Gauss curvature at the points of a smooth surface in 3-D.

    At every point a polynomial is fitted to the points within three edges of it, along the surface and with normals less than
    84 degrees from its own, so that the other side of a thin wing has no say. Where these points are too few for the degree, or
    lie on too few lines across, it is lowered: on coarse meshes, and on long facets with few points round a tube, whose error is
    that of the angle between them (eight points round a tube: 17 % of its curvature; twelve: 6 %). Where they do not fix the
    second degree either, as at the corners of a tetrahedron, there is no curvature: NaN. On a smooth surface the error falls with the cube of the edge length, on irregular
    meshes too (with its square for degree 3, which coarse or noisy meshes may prefer). Curvature is that of the points: facets only tell who is near, and on
    which side the surface is out (turn it outward first: :func:`geoop.mesh.outline.oriented`). At sharp edges, which have
    none, the value grows like one over the edge length; ``residual`` is large there.

    Args:
        surface: faces of any kind; points at one place count as one. Points without faces get NaN, too.
        degree: of the polynomial, 2 to 5.
        ends: indices of points at which neighbourhoods end, such as those on sharp edges (:func:`geoop.mesh.features.feature_edges`): what lies behind
            them has no say in front of them, and they themselves have no curvature.

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
    if ends is not None:
        behind = np.ones(n)
        behind[merged[ends]] = 0.0
        graph = (sparse.diags_array(behind) @ graph).astype(bool).tocsr()
        graph.eliminate_zeros()
    graph = _thinned(graph)
    parts, order = [], []
    for at in range(0, len(used), _BLOCK):
        rows = used[at : at + _BLOCK]
        for some, near, there in _rings(graph, rows, 2 if degree == 2 else 3 if degree < 5 else 4):
            for part, fitted in _fitted(surface.points, some, near, there, normals, degree):
                parts.append(part)
                order.append(fitted)
    return _spread(parts, np.concatenate(order) if order else np.zeros(0, dtype=np.int64), merged, n)


def _fitted(
    points: np.ndarray, rows: np.ndarray, near: np.ndarray, there: np.ndarray, normals: np.ndarray, degree: int
) -> Iterator[tuple[Curvature, np.ndarray]]:
    """Fits, and the points they belong to, of the highest degree that the neighbours on the same side of the surface fix, if any."""
    facing = there & (np.einsum("mkd,md->mk", normals[near], normals[rows]) > _FACING)
    for d in range(degree, 1, -1):
        fixed = fixes(points, rows, near, facing, normals[rows], d)
        if fixed.any():
            yield fit_jets(points, rows[fixed], near[fixed], facing[fixed], normals[rows[fixed]], d), rows[fixed]
        rows, near, facing = (item[~fixed] for item in (rows, near, facing))
        if not len(rows):
            return


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
