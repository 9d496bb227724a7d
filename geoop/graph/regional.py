"""Regional nodes of a cloud, the regions they stand for, and a mesh between them with links of every length (RIGNO)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from ..errors import ConfigurationError
from .graph import Graph
from .neighbors import knn, radius
from .point_mesh import Boundary, mesh_edges, simplices
from .pointset import PointSet
from .thinning import thin

Choice = Literal["thinned", "random"]
#: Points of the coarsest level of the regional mesh, about.
COARSEST = 4
#: Pairs of a sample that are looked at one by one rather than searched.
_PAIRS = 100_000


@dataclass(frozen=True, eq=False)
class Regions:
    """Regional nodes of one sample.

    Attributes:
        index: (r,) points of the cloud that they are.
        weight: (r,) quadrature weight of what each stands for; adds up to that of the cloud.
        radius: (r,) of the region around each, in the unit of the positions.
        source, target, share: edges of the multilevel mesh between them, sorted by target, with the share of each in the mean at its target.
    """

    index: np.ndarray
    weight: np.ndarray
    radius: np.ndarray
    source: np.ndarray
    target: np.ndarray
    share: np.ndarray


def regions(
    points: np.ndarray,
    weight: np.ndarray,
    surface: PointSet | None,
    count: int,
    *,
    choice: Choice = "thinned",
    seed: int = 0,
    levels: int = 6,
    divisor: int = 4,
    cap: float = 1.0,
) -> Regions:
    """Choose regional nodes, measure their regions and join them.

    Args:
        points: (n, d). weight: (n,).
        surface: boundary with normals into the region, by which simplices outside the region are left out.
        count: regional nodes.
        choice: ``thinned`` follows the density of the cloud, whatever the order of the points; ``random`` draws a subset, as published.
        seed: of the draw.
        levels: of the mesh, each with a ``divisor``-th of the nodes of the one before.
        cap: see :func:`support_radius`.

    Raises:
        ConfigurationError: an unknown choice.
    """
    if choice == "thinned":
        index, carried = thin(points, weight, count)
    elif choice == "random":
        index = np.sort(np.random.default_rng(seed).permutation(len(points))[:count])
        carried = np.bincount(cKDTree(points[index]).query(points)[1], weights=weight, minlength=len(index))
    else:
        raise ConfigurationError(f"regional nodes by '{choice}'", where="regions", remedy="use 'thinned' or 'random'")
    nodes, boundary = points[index], Boundary.of(surface)
    corners = simplices(nodes, boundary)
    radius = support_radius(nodes, corners, cap)
    return Regions(index, carried, radius, *multilevel_edges(nodes, carried, boundary, levels=levels, divisor=divisor, corners=corners))


def support_radius(points: np.ndarray, triangles: np.ndarray, cap: float = 1.0) -> np.ndarray:
    """(n,) radius of the region that every point stands for: the distance to the furthest centroid of its simplices.

    The balls then cover every simplex's centroid d+1 times (in a triangle, the distance from corner to centroid is 2/3 of the median). Never more
    than ``cap`` times the distance of the 3d-th nearest point, which long simplices along a concave boundary would exceed; points without simplices
    reach their nearest d neighbours.

    Args:
        points: (n, d).
        triangles: (m, d+1).
    """
    n, d = points.shape
    if n == 1:
        return np.ones(1)  # it stands for the whole cloud, whose extent is about 1
    near = cKDTree(points).query(points, k=min(3 * d, n - 1) + 1)[0]
    reach = np.where(near[:, min(d, n - 1)] > 0, near[:, min(d, n - 1)], max(float(near.max()), 1e-6))
    radius = np.zeros(n)
    if len(triangles):
        corners = points[triangles]
        distance = np.sqrt(((corners - corners.mean(axis=1, keepdims=True)) ** 2).sum(axis=2))
        np.maximum.at(radius, triangles.ravel(), distance.ravel())
    return np.where(radius > 0, np.minimum(radius, np.maximum(cap * near[:, -1], reach)), reach)


def multilevel_edges(
    points: np.ndarray,
    weight: np.ndarray,
    surface: PointSet | Boundary | None,
    *,
    levels: int = 6,
    divisor: int = 4,
    corners: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Source, target and share of the union of mesh edges over nested subsets: short edges everywhere, long ones between few points.

    The share of an edge is the quadrature weight of its source among the neighbours of its target on the same level, divided by the number of levels
    that the target is on: on a graded cloud the far neighbours of a coarse level, which stand for large regions, would otherwise outweigh all near ones.

    Args:
        points: (n, d). weight: (n,).
        surface: see :func:`geoop.graph.point_mesh.beyond`.
        levels: at most; the last has about :data:`COARSEST` points.
        divisor: of the number of points from level to level.
        corners: simplices of all points, where they are known.
    """
    n, boundary = len(points), Boundary.of(surface)
    index, carried = np.arange(n), np.asarray(weight, dtype=np.float64)
    keys, parts, present = [], [], np.zeros(n)
    for _ in range(max(1, levels)):
        source, target = mesh_edges(points[index], boundary, corners=corners)
        total = np.bincount(target, weights=carried[source], minlength=len(index))
        degree = np.bincount(target, minlength=len(index))
        equal = total[target] <= 0
        parts.append(np.where(equal, 1 / np.maximum(degree[target], 1), carried[source] / np.where(equal, 1, total[target])))
        keys.append(index[target] * n + index[source])
        present[index[degree > 0]] += 1
        if len(index) < COARSEST * divisor:
            break
        kept, carried = thin(points[index], carried, len(index) // divisor)
        index, corners = index[kept], None
    unique, where = np.unique(np.concatenate(keys), return_inverse=True)
    share = np.bincount(where, weights=np.concatenate(parts), minlength=len(unique))
    source, target = unique % n, unique // n
    return source, target, share / np.maximum(present[target], 1)


def within_reach(source: PointSet, reach: Tensor, target: PointSet) -> Graph:
    """Edges from every source point to the targets within its own reach; a target that no source reaches hears the nearest.

    Args:
        source: points. reach: (m,) > 0 of each.
        target: points; every one is connected by itself.
    """
    edges = _few(source, reach, target)
    if edges is None:
        found = radius(target.pos, source.pos, reach, target.ptr, source.ptr, at_least_one=False)
        edges = found.target, found.source
    alone = torch.bincount(edges[1], minlength=len(target)) == 0
    if bool(alone.any()):
        rows = alone.nonzero()[:, 0]
        part = target.take(rows)
        nearest = knn(source.pos, part.pos, 1, source.ptr, part.ptr)
        edges = torch.cat([edges[0], nearest.source]), torch.cat([edges[1], rows[nearest.target]])
    return Graph.sorted(*edges, len(source), len(target))


def _few(source: PointSet, reach: Tensor, target: PointSet) -> tuple[Tensor, Tensor] | None:
    """Edges of :func:`within_reach` by looking at all pairs, where they are few: a search with a radius per point ends in lists of Python."""
    counts = zip(source.ptr.diff().tolist(), target.ptr.diff().tolist(), strict=True)
    if max((a * b for a, b in counts), default=0) > _PAIRS:
        return None
    found = []
    starts = [ptr.tolist() for ptr in (source.ptr, target.ptr)]
    for a, b, c, d in zip(starts[0], starts[0][1:], starts[1], starts[1][1:], strict=False):
        pos, places = source.pos[a:b].detach().double(), target.pos[c:d].detach().double()
        squared = sum((places[:, None, i] - pos[None, :, i]).square_() for i in range(pos.shape[1]))
        near = squared <= reach[a:b].detach().double().square()
        row, column = near.nonzero(as_tuple=True)
        found.append((column + a, row + c))
    return torch.cat([part[0] for part in found]), torch.cat([part[1] for part in found])
