"""Mesh edges of a cloud that came without a mesh: Delaunay simplices, without those that lie beyond the boundary."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial import Delaunay, QhullError, cKDTree

from .graph import Graph
from .pointset import PointSet

#: Volume over (longest edge)^d below which a simplex is rounding noise of points on one line or plane.
_FLAT = 1e-6
#: Winding number above that of the region from which a place counts as beyond the boundary; 1/2 is the boundary itself.
_BEYOND = 0.6
#: Nearest boundary vertices that must all see a place behind them, and by how much of its distance.
_VOTES, _BEHIND = 4, 0.2
#: Cosine of the angle between two parts of a boundary below which they face different ways, and places looked at along an edge between them.
_SAME_WAY, _ALONG = 0.5, 7


def beyond(places: np.ndarray, surface: PointSet | None) -> np.ndarray:
    """(n,) which places lie on the other side of the boundary than the region, by the sign of the distance to it.

    The boundary is known by its vertices p with normals n into the region and shares a of length or area. Two estimates of the sign, either of
    which suffices, because both fail only by keeping a place:

    - the winding number sum_k a_k (p_k - x).n_k / (c |p_k - x|^d), c = 2 pi or 4 pi, which jumps by 1 at the boundary (Barill et al. 2018);
    - (x - p).n < 0 clearly, at all of the nearest vertices: for tips that are thinner than the spacing of the vertices, where the sum is wrong.

    Args:
        places: (n, d).
        surface: vertices of one sample, ``vectors[:, 0]`` the normals; None or too few vertices: nothing is beyond.
    """
    n, d = places.shape
    if surface is None or len(surface) < d + 1 or n == 0:
        return np.zeros(n, dtype=bool)
    pos, normal, share = (array.detach().cpu().double().numpy() for array in (surface.pos, surface.vectors[:, 0], surface.weight))
    # normals that point out of what they enclose are those of a body: the region is outside, where the winding number is 0
    centred = pos - pos.mean(axis=0)
    inside_value = 0.0 if (share * (centred * normal).sum(axis=1)).sum() > 0 else -1.0
    winding = np.empty(n)
    rows = max(1, 4_000_000 // len(pos))
    for start in range(0, n, rows):
        offset = pos[None] - places[start : start + rows, None]
        distance = np.maximum(np.sqrt((offset**2).sum(axis=2)), 1e-12)
        seen = (offset * normal).sum(axis=2) * share / distance**d
        winding[start : start + rows] = seen.sum(axis=1) / (2 * np.pi * (d - 1))
    distance, nearest = cKDTree(pos).query(places, k=min(_VOTES, len(pos)))
    depth = ((places[:, None] - pos[nearest]) * normal[nearest]).sum(axis=2)
    return (winding > inside_value + _BEYOND) | (depth < -_BEHIND * distance).all(axis=1)


def simplices(points: np.ndarray, surface: PointSet | None = None) -> np.ndarray:
    """(m, d+1) Delaunay simplices of the region's side of the boundary; none where the points span no volume.

    Independent of the order of the points, also where more than d+1 of them lie on one sphere.

    Args:
        points: (n, d).
        surface: see :func:`beyond`; simplices whose centroid lies beyond it are left out.
    """
    n, d = points.shape
    none = np.empty((0, d + 1), dtype=np.int64)
    if n < d + 2:
        return none
    order = np.lexsort(points.T)
    try:
        found = order[Delaunay(points[order]).simplices]
    except QhullError:  # all on one line or plane
        return none
    corners = points[found]
    edges = corners[:, 1:] - corners[:, :1]
    longest = np.sqrt(((corners[:, :, None] - corners[:, None]) ** 2).sum(axis=3).max(axis=(1, 2)))
    found = found[np.abs(np.linalg.det(edges)) > _FLAT * longest**d]
    return found[~beyond(points[found].mean(axis=1), surface)]


def crosses(points: np.ndarray, source: np.ndarray, target: np.ndarray, surface: PointSet | None) -> np.ndarray:
    """(e,) which edges lead through what lies beyond the boundary, from one side of a body to another.

    A place on the edge lies beyond, and the boundary next to one end faces another way than the boundary next to the other: an edge along a curved
    wall dips below the wall too, and may stay.
    """
    crossing = np.zeros(len(source), dtype=bool)
    if surface is None or len(surface) < points.shape[1] + 1 or len(source) == 0:
        return crossing
    pos, normal = (array.detach().cpu().double().numpy() for array in (surface.pos, surface.vectors[:, 0]))
    facing = normal[cKDTree(pos).query(points)[1]]
    rows = np.flatnonzero((facing[source] * facing[target]).sum(axis=1) < _SAME_WAY)
    start, step = points[source[rows]], points[target[rows]] - points[source[rows]]
    places = start[:, None] + np.linspace(0, 1, _ALONG + 2)[1:-1, None] * step[:, None]
    crossing[rows] = beyond(places.reshape(-1, points.shape[1]), surface).reshape(-1, _ALONG).any(axis=1)
    return crossing


def mesh_edges(points: np.ndarray, surface: PointSet | None = None, *, least: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Source and target of the edges between points that share a simplex, both ways, sorted by target then source.

    Edges that cross a body are left out. A point with fewer than ``least`` neighbours is then joined, both ways, to as many nearest points, on its
    own side where there are any: clouds on a line or on a closed curve around a body have no simplices.

    Args:
        points: (n, d).
        surface: see :func:`beyond`.
        least: d + 1 if None.
    """
    n, d = points.shape
    least = min(d + 1 if least is None else least, n - 1)
    if least < 1:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    corners = simplices(points, surface)
    first, second = np.triu_indices(d + 1, 1)
    keys = _both_ways(corners[:, first].ravel(), corners[:, second].ravel(), n)
    one_way = keys[keys % n < keys // n]
    one_way = one_way[~crosses(points, one_way % n, one_way // n, surface)]
    keys = _both_ways(one_way % n, one_way // n, n)
    poor = np.flatnonzero(np.bincount(keys // n, minlength=n) < least)
    if len(poor):
        count = min(3 * least, n - 1) + 1
        near = cKDTree(points).query(points[poor], k=count)[1].reshape(len(poor), count)
        rows = np.repeat(poor, count)
        # itself last, then those behind a body, each in order of distance
        rank = np.where(near.ravel() == rows, 2, crosses(points, rows, near.ravel(), surface)).reshape(near.shape)
        near = np.take_along_axis(near, np.argsort(rank, axis=1, kind="stable"), axis=1)[:, :least]
        keys = np.union1d(keys, _both_ways(np.repeat(poor, least), near.ravel(), n))
    return keys % n, keys // n


def world_edges(points: np.ndarray, mesh: tuple[np.ndarray, np.ndarray], *, nearest: int = 8, hops: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Edges between points that are close in space but not along the mesh: across thin bodies, slits and gaps.

    Of the ``nearest`` points of every point those that the mesh does not reach within ``hops`` edges, both ways, sorted by target then source.

    Args:
        points: (n, d).
        mesh: source and target of the mesh edges.
    """
    from scipy.sparse import csr_matrix, eye_array

    n = len(points)
    count = min(nearest + 1, n)
    if count < 2:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    near = cKDTree(points).query(points, k=count)[1].reshape(n, count)
    step = csr_matrix((np.ones(len(mesh[0]), dtype=np.int32), (mesh[1], mesh[0])), shape=(n, n)) + eye_array(n, dtype=np.int32, format="csr")
    reach = step
    for _ in range(hops - 1):
        reach = reach @ step
        reach.data[:] = 1
    rows, columns = reach.nonzero()
    pairs = np.repeat(np.arange(n), count) * n + near.ravel()
    apart = np.setdiff1d(pairs, rows.astype(np.int64) * n + columns)
    keys = _both_ways(apart // n, apart % n, n)
    return keys % n, keys // n


def to_graph(edges: tuple[np.ndarray, np.ndarray], n_source: int, n_target: int) -> Graph:
    """Arrays of source and target as a graph."""
    return Graph.sorted(torch.from_numpy(edges[0].astype(np.int64)), torch.from_numpy(edges[1].astype(np.int64)), n_source, n_target)


def mesh_graph(points: PointSet, surface: PointSet | None = None, *, least: int | None = None) -> Graph:
    """:func:`mesh_edges` of every sample of a batch."""
    surfaces = [None] * points.batch_size if surface is None else surface.split()
    return Graph.concatenate(
        [
            to_graph(mesh_edges(sample.pos.detach().cpu().double().numpy(), at, least=least), len(sample), len(sample))
            for sample, at in zip(points.split(), surfaces, strict=True)
        ]
    )


def _both_ways(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    """Ascending unique keys target * n + source of undirected edges."""
    a, b = a.astype(np.int64), b.astype(np.int64)
    return np.unique(np.concatenate([a * n + b, b * n + a]))
