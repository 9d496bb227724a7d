"""Normals and curvature of raw point clouds: planes and polynomials through the nearest points."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import KDTree

from ...axes import check
from ...errors import ConfigurationError, NonFiniteError
from ..topology import welded
from .jets import Curvature, fit_jets

_BLOCK = 50_000  # points whose neighbours are gathered at once
_COLUMNS = ("principal", "directions", "normals", "residual")


def cloud_curvature(points: np.ndarray, normals: np.ndarray | None = None, *, neighbors: int | None = None, degree: int = 4) -> Curvature:
    """Principal, mean and Gauss curvature of the surface that (n, 3) points lie on, by local polynomials (Cazals and Pouget 2005).

    Accuracy at 5000 independent random points without noise, relative to the largest value: 1e-3 on a sphere (worst point);
    on a torus of radii 1 and 0.4, 0.2 % for 95 % of the points and 1 % at the worst, where chance leaves a gap. Noise of
    standard deviation s changes the curvature by about s / r^2, r being the radius that the neighbours fill: take degree 2
    and more neighbours for noisy points. On a sphere, noise of 0.1 % of the diameter then leaves errors of 2 % (median; 95 %
    of the points below 5 %) with 128 neighbours, noise of 1 % leaves 4 % (12 %) with 256. ``residual`` estimates the noise.

    Args:
        points: (n, 3) [m]; those at equal coordinates, as the corners of an STL file, count once.
        normals: (n, 3) normals of any length; None estimates them by :func:`cloud_normals`, which also chooses the side. Where
            they are zero they are estimated, on the side of the others.
        neighbors: how many points each fit uses, itself included; None takes twice as many as the polynomial has coefficients.
        degree: of the polynomial, 2 to 5.

    Raises:
        ShapeError: points or normals of another shape.
        NonFiniteError: NaN or infinite coordinates or normals.
        ConfigurationError: fewer different points or neighbours than the polynomial has coefficients, or another degree.
    """
    if degree not in (2, 3, 4, 5):
        raise ConfigurationError(f"degree is {degree}", where="cloud_curvature", remedy="give 2, 3, 4 or 5")
    terms = (degree + 1) * (degree + 2) // 2
    points, place, count = _checked(points, 2 * terms if neighbors is None else neighbors, terms)
    normals = _estimated(points, count) if normals is None else _completed(points, place, normals, count)
    tree, parts = KDTree(points), []
    for at in range(0, len(points), _BLOCK):
        rows = np.arange(at, min(at + _BLOCK, len(points)))
        near = np.asarray(tree.query(points[rows], k=count)[1])
        parts.append(fit_jets(points, rows, near, np.ones(near.shape, dtype=bool), normals[rows], degree))
    return Curvature(*(np.concatenate([getattr(part, name) for part in parts])[place] for name in _COLUMNS))


def cloud_normals(points: np.ndarray, *, neighbors: int = 16) -> np.ndarray:
    """(n, 3) unit normals: of the plane through the nearest points, all turned to one side of the surface.

    The side goes from point to point along the minimum spanning tree of the neighbour graph whose edges weigh 1 - |cos| of
    the angle between planes (Hoppe et al. 1992), and is out of the body at the outermost point of every piece.

    Args:
        points: (n, 3) [m].
        neighbors: points in each plane fit, itself included.

    Raises:
        ShapeError: points of another shape.
        NonFiniteError: NaN or infinite coordinates.
        ConfigurationError: fewer than 3 different points or neighbours.
    """
    points, place, count = _checked(points, neighbors, 3)
    return _estimated(points, count)[place]


def _completed(points: np.ndarray, place: np.ndarray, normals: np.ndarray, count: int) -> np.ndarray:
    """(m, 3) unit normals of the different points: the sum of those given for each (n, 3), estimated where it is zero."""
    check({"n": len(place)}, normals=(normals, "n 3"))
    normals = np.asarray(normals, dtype=np.float64)
    if not np.isfinite(normals).all():
        raise NonFiniteError("normals are NaN or infinite", where="cloud", remedy="set them to zero, which estimates them, or drop those rows")
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    unit = normals / np.where(length > 0, length, 1.0)
    sums = np.stack([np.bincount(place, weights=unit[:, k], minlength=len(points)) for k in range(3)], axis=1)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    given = length[:, 0] > 1e-9
    sums /= np.where(given[:, None], length, 1.0)
    if not given.all():
        estimated = _estimated(points, count)
        agree = (estimated * sums)[given].sum()
        sums[~given] = np.where(agree < 0, -1.0, 1.0) * estimated[~given]
    return sums


def _estimated(points: np.ndarray, count: int) -> np.ndarray:
    """:func:`cloud_normals` of different points."""
    tree = KDTree(points)
    near = np.concatenate([tree.query(points[at : at + _BLOCK], k=count)[1] for at in range(0, len(points), _BLOCK)])
    normals = np.empty_like(points)
    for at in range(0, len(points), _BLOCK):
        x = points[near[at : at + _BLOCK]]
        x = x - x.mean(axis=1, keepdims=True)
        normals[at : at + _BLOCK] = np.linalg.eigh(np.einsum("mki,mkj->mij", x, x))[1][:, :, 0]
    return normals * _sides(points, normals, near[:, : min(count, 12)])[:, None]


def _sides(points: np.ndarray, normals: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(n,) +1 or -1, by which normals become consistent."""
    n, k = near.shape
    a, b = np.repeat(np.arange(n), k - 1), near[:, 1:].ravel()
    a, b = np.minimum(a, b), np.maximum(a, b)
    distinct = np.unique(np.stack([a, b], axis=1)[a != b], axis=0)
    cosine = np.einsum("ed,ed->e", normals[distinct[:, 0]], normals[distinct[:, 1]])
    weight = 1.0 - np.abs(cosine) + 1e-9  # a weight of zero would be no edge
    graph = sparse.coo_array((weight, (distinct[:, 0], distinct[:, 1])), shape=(n, n)).tocsr()
    tree = csgraph.minimum_spanning_tree(graph)
    tree = tree + tree.T
    count, piece = csgraph.connected_components(tree, directed=False)
    side = np.ones(n)
    order = np.lexsort((points[:, 2], piece))
    roots = order[np.searchsorted(piece[order], np.arange(count), side="right") - 1]  # the highest point of each piece
    for root in roots:
        walk, before = csgraph.breadth_first_order(tree, root, directed=False)
        side[root] = -1.0 if normals[root, 2] < 0 else 1.0
        for point in walk[1:]:
            parent = before[point]
            side[point] = side[parent] if normals[point] @ normals[parent] >= 0 else -side[parent]
    return side


def _checked(points: np.ndarray, neighbors: int, least: int) -> tuple[np.ndarray, np.ndarray, int]:
    """The different points (m, 3), which of them each point is (n,), and the number of neighbours."""
    points = np.asarray(points, dtype=np.float64)
    check(points=(points, "n 3"))
    if not np.isfinite(points).all():
        raise NonFiniteError("the cloud has NaN or infinite coordinates", where="cloud", remedy="drop those rows first")
    if neighbors != int(neighbors):
        raise ConfigurationError(f"{neighbors} neighbours", where="cloud", remedy="give a whole number")
    first, place = np.unique(welded(points), return_inverse=True)
    points, place = points[first], place.reshape(-1)
    count = min(int(neighbors), len(points))
    if count < least:
        raise ConfigurationError(
            f"{count} neighbours of {len(points)} different points do not fix a fit of {least} coefficients",
            where="cloud",
            remedy=f"give at least {least} different points and neighbours, or a lower degree",
        )
    return points, place, count
