"""How far a surface lies from what it was: samples of the facets that differ, measured against all facets of the other one."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from ..box_tree import BoxTree
from ..mesh import Mesh
from ..segments import straight_segments
from ..topology import row_groups, welded
from ..triangulation import triangulated

#: Barycentric places on a triangle: corners, middles of edges, middle, and the middles of the three parts next to the corners.
_PLACES = np.array(
    [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (0.5, 0.5, 0),
        (0, 0.5, 0.5),
        (0.5, 0, 0.5),
        (1 / 3, 1 / 3, 1 / 3),
        (2 / 3, 1 / 6, 1 / 6),
        (1 / 6, 2 / 3, 1 / 6),
    ]
    + [(1 / 6, 1 / 6, 2 / 3)]
)
_PAIRS = 2**18


def moved_distance(before: Mesh, after: Mesh) -> float:
    """The two-sided Hausdorff distance [m] between two surfaces (or outlines), taken at sample points: a lower bound of it.

    Facets that both have at the same coordinates contribute nothing; each of the others is sampled at its corners, at the middles
    of its edges and in its inside, and each sample's distance to the nearest facet of the other surface is exact. Between samples a
    surface can be farther away, by no more than its points are from the next sample. Facets that cover a hole count with their
    distance from the rim.

    Args:
        before, after: surfaces in 3-D or outlines in 2-D; curved cells count as straight pieces between their nodes.
    """
    x, y = _simplices(before), _simplices(after)
    old, new = _differing(x, y)
    return max(_farthest(x[old], y), _farthest(y[new], x))


def _simplices(surface: Mesh) -> np.ndarray:
    """(s, k, d) corners of triangles or segments."""
    if surface.dimension == 3:
        return surface.points[triangulated(surface)[0]]
    return surface.points[straight_segments(surface)[0]]


def _differing(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which simplices of one list the other one does not have."""
    corners = np.concatenate([x, y])
    number = welded(corners.reshape(-1, corners.shape[2])).reshape(len(corners), -1)
    group = row_groups(np.sort(number, axis=1))
    has_x, has_y = (np.bincount(part, minlength=group.max(initial=0) + 1) > 0 for part in (group[: len(x)], group[len(x) :]))
    return ~has_y[group[: len(x)]], ~has_x[group[len(x) :]]


def _farthest(samples: np.ndarray, target: np.ndarray) -> float:
    if not len(samples) or not len(target):
        return 0.0
    places = _PLACES if samples.shape[1] == 3 else np.array([(1 - t, t) for t in np.linspace(0, 1, 5)])
    points = np.einsum("pk,skd->spd", places, samples).reshape(-1, samples.shape[2])
    corners = target.reshape(-1, target.shape[2])
    best = KDTree(corners).query(points)[0]
    tree = BoxTree.of(target.min(axis=1), target.max(axis=1))
    for q, box in tree.near(points, best):
        for k in range(0, len(q), _PAIRS):
            rows, boxes = q[k : k + _PAIRS], box[k : k + _PAIRS]
            np.minimum.at(best, rows, _distances(points[rows], target[boxes]))
    return float(best.max())


def _distances(p: np.ndarray, simplex: np.ndarray) -> np.ndarray:
    """(n,) distance of each point from its segment or triangle: the foot on the plane where it is inside, else the nearest edge."""
    k = simplex.shape[1]
    pairs = ((0, 1),) if k == 2 else ((0, 1), (1, 2), (2, 0))
    nearest = np.min([_to_segment(p, simplex[:, a], simplex[:, b]) for a, b in pairs], axis=0)
    if k == 2:
        return nearest
    a, b, c = (simplex[:, i] for i in range(3))
    normal = np.cross(b - a, c - a)
    square = (normal**2).sum(axis=1)
    inside = square > 0
    for s, e in ((a, b), (b, c), (c, a)):
        inside &= (np.cross(e - s, p - s) * normal).sum(axis=1) >= 0
    height = np.abs(((p - a) * normal).sum(axis=1)) / np.sqrt(np.where(square > 0, square, 1.0))
    return np.where(inside, np.minimum(height, nearest), nearest)


def _to_segment(p: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    along = b - a
    square = (along**2).sum(axis=1)
    t = np.clip(((p - a) * along).sum(axis=1) / np.where(square > 0, square, 1.0), 0.0, 1.0)
    return np.linalg.norm(p - a - t[:, None] * along, axis=1)
