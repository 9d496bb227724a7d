"""Mesh edges of a cloud that came without a mesh: Delaunay simplices, without those that lie beyond the boundary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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


@dataclass(frozen=True, eq=False)
class Boundary:
    """The boundary of one sample as arrays, and what is looked up in it again and again.

    Attributes:
        pos: (m, d) vertices. normal: (m, d) into the region. share: (m,) length or area that each stands for.
    """

    pos: np.ndarray
    normal: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, surface: PointSet | Boundary | None) -> Boundary | None:
        """From vertices with ``vectors[:, 0]`` the normals; None where there are too few of them to bound anything."""
        if surface is None or isinstance(surface, Boundary):
            return surface
        if len(surface) < surface.dimension + 1:
            return None
        return cls(*(array.detach().cpu().double().numpy() for array in (surface.pos, surface.vectors[:, 0], surface.weight)))

    @cached_property
    def tree(self) -> cKDTree:
        return cKDTree(self.pos)

    @cached_property
    def inside_value(self) -> float:
        """Winding number in the region: 0 around a body, whose normals point out of what they enclose, and -1 within an outline."""
        centred = self.pos - self.pos.mean(axis=0)
        return 0.0 if (self.share * (centred * self.normal).sum(axis=1)).sum() > 0 else -1.0

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normal at the nearest vertex, (n, d), and the radius of a ball around every point that no part of the boundary enters, (n,): the
        distance of the nearest vertex, less the most that one stands for."""
        distance, index = self.tree.query(points)
        largest = max(float(self.share.max()), 0.0) ** (1 / (points.shape[1] - 1))
        return self.normal[index], np.maximum(distance - largest, 0.0)


def beyond(places: np.ndarray, surface: PointSet | Boundary | None) -> np.ndarray:
    """(n,) which places lie on the other side of the boundary than the region, by the sign of the distance to it.

    The boundary is known by its vertices p with normals n into the region and shares a of length or area. Two estimates of the sign, either of
    which suffices, because both fail only by keeping a place:

    - the winding number sum_k a_k (p_k - x).n_k / (c |p_k - x|^d), c = 2 pi or 4 pi, which jumps by 1 at the boundary (Barill et al. 2018);
    - (x - p).n < 0 clearly, at all of the nearest vertices: for tips that are thinner than the spacing of the vertices, where the sum is wrong.

    Args:
        places: (n, d).
        surface: boundary of one sample; None or too few vertices: nothing is beyond.
    """
    at = Boundary.of(surface)
    if at is None or len(places) == 0:
        return np.zeros(len(places), dtype=bool)
    distance, nearest = at.tree.query(places, k=min(_VOTES, len(at.pos)))
    depth = ((places[:, None] - at.pos[nearest]) * at.normal[nearest]).sum(axis=2)
    found = (depth < -_BEHIND * distance).all(axis=1)
    rest = np.flatnonzero(~found)
    found[rest] = _winding(places[rest], at) > at.inside_value + _BEYOND
    return found


def _winding(places: np.ndarray, at: Boundary) -> np.ndarray:
    """(n,) sum_k a_k (p_k - x).n_k / (c |p_k - x|^d), by products of matrices."""
    d = places.shape[1]
    shift = at.pos.mean(axis=0)
    x, p = places - shift, at.pos - shift
    flux, height, square = at.normal * at.share[:, None], (p * at.normal).sum(axis=1) * at.share, (p * p).sum(axis=1)
    result = np.empty(len(x))
    rows = max(1, 4_000_000 // len(p))
    for start in range(0, len(x), rows):
        part = x[start : start + rows]
        squared = np.maximum((part * part).sum(axis=1)[:, None] + square - 2 * (part @ p.T), 1e-24)
        result[start : start + rows] = ((height - part @ flux.T) / (squared if d == 2 else squared * np.sqrt(squared))).sum(axis=1)
    return result / (2 * np.pi * (d - 1))


def simplices(points: np.ndarray, surface: PointSet | Boundary | None = None) -> np.ndarray:
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
    first, second = np.triu_indices(d + 1, 1)
    squared = ((corners[:, first] - corners[:, second]) ** 2).sum(axis=2).max(axis=1)
    kept = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) > _FLAT * squared ** (d / 2)
    found, corners, at = found[kept], corners[kept], Boundary.of(surface)
    if at is None:
        return found
    middle = corners.mean(axis=1)
    # a centroid within the free ball around a corner is on the corner's side: most need no closer look
    free = at.nearest(points)[1][found]
    doubtful = np.flatnonzero((((corners - middle[:, None]) ** 2).sum(axis=2) >= free**2).all(axis=1))
    keep = np.ones(len(found), dtype=bool)
    keep[doubtful] = ~beyond(middle[doubtful], at)
    return found[keep]


def crosses(points: np.ndarray, source: np.ndarray, target: np.ndarray, surface: PointSet | Boundary | None) -> np.ndarray:
    """(e,) which edges lead through what lies beyond the boundary, from one side of a body to another.

    A place on the edge lies beyond, and the boundary next to one end faces another way than the boundary next to the other: an edge along a curved
    wall dips below the wall too, and may stay.
    """
    crossing, at = np.zeros(len(source), dtype=bool), Boundary.of(surface)
    if at is None or len(source) == 0:
        return crossing
    facing, free = at.nearest(points)
    step = points[target] - points[source]
    # two free balls that touch cover the whole edge between their centres
    far = (step**2).sum(axis=1) > (free[source] + free[target]) ** 2
    rows = np.flatnonzero(far & ((facing[source] * facing[target]).sum(axis=1) < _SAME_WAY))
    places = points[source[rows], None] + np.linspace(0, 1, _ALONG + 2)[1:-1, None] * step[rows, None]
    crossing[rows] = beyond(places.reshape(-1, points.shape[1]), at).reshape(-1, _ALONG).any(axis=1)
    return crossing


def mesh_edges(
    points: np.ndarray, surface: PointSet | Boundary | None = None, *, least: int | None = None, corners: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Source and target of the edges between points that share a simplex, both ways, sorted by target then source.

    Edges that cross a body are left out. A point with fewer than ``least`` neighbours is then joined, both ways, to as many nearest points, on its
    own side where there are any: clouds on a line or on a closed curve around a body have no simplices.

    Args:
        points: (n, d).
        surface: see :func:`beyond`.
        least: d + 1 if None.
        corners: (m, d+1) the simplices, where they are known.
    """
    n, d = points.shape
    least = min(d + 1 if least is None else least, n - 1)
    if least < 1:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    at = Boundary.of(surface)
    corners = simplices(points, at) if corners is None else corners
    first, second = np.triu_indices(d + 1, 1)
    a, b = corners[:, first].ravel(), corners[:, second].ravel()
    one_way = _ascending(np.maximum(a, b) * n + np.minimum(a, b))
    one_way = one_way[~crosses(points, one_way % n, one_way // n, at)]
    keys = _both_ways(one_way % n, one_way // n, n)
    poor = np.flatnonzero(np.bincount(keys // n, minlength=n) < least)
    if len(poor):
        count = min(3 * least, n - 1) + 1
        near = cKDTree(points).query(points[poor], k=count)[1].reshape(len(poor), count)
        rows = np.repeat(poor, count)
        # itself last, then those behind a body, each in order of distance
        rank = np.where(near.ravel() == rows, 2, crosses(points, rows, near.ravel(), at)).reshape(near.shape)
        near = np.take_along_axis(near, np.argsort(rank, axis=1, kind="stable"), axis=1)[:, :least]
        keys = _ascending(np.concatenate([keys, _both_ways(np.repeat(poor, least), near.ravel(), n)]))
    return keys % n, keys // n


def world_edges(points: np.ndarray, mesh: tuple[np.ndarray, np.ndarray], *, nearest: int = 8, hops: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Edges between points that are close in space but not along the mesh: across thin bodies, slits and gaps.

    Of the ``nearest`` points of every point those that the mesh does not reach within ``hops`` edges, both ways, sorted by target then source.

    Args:
        points: (n, d).
        mesh: source and target of the mesh edges.
    """
    from scipy.sparse import csr_matrix

    n = len(points)
    count = min(nearest + 1, n)
    if count < 2:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    near = cKDTree(points).query(points, k=count)[1].reshape(n, count)
    own = np.arange(n)
    keys = np.sort(np.concatenate([mesh[1] * n + mesh[0], own * (n + 1)]))
    step = csr_matrix((np.ones(len(keys), dtype=np.int32), keys % n, np.searchsorted(keys, np.arange(n + 1) * n)), shape=(n, n))
    reach = step
    for _ in range(hops - 1):
        reach = reach @ step
        reach.data[:] = 1
    rows = np.repeat(own, np.diff(reach.indptr))
    reached = np.append(np.sort(rows * n + reach.indices), n * n)
    pairs = np.repeat(own, count) * n + near.ravel()
    apart = pairs[reached[np.searchsorted(reached, pairs)] != pairs]
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
    return _ascending(np.concatenate([a * n + b, b * n + a]))


def _ascending(keys: np.ndarray) -> np.ndarray:
    """Unique keys by sorting, which is several times faster than the hash table of np.unique."""
    keys = np.sort(keys)
    return keys[np.append(True, keys[1:] != keys[:-1])] if len(keys) else keys
