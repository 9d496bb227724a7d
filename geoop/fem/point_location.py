"""Which curved or straight triangle holds a point, and where in it: finite-element fields evaluated exactly at any place."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .domain import Domain

#: Cells tried per point, nearest centres first, and steps of Newton's method for the inverse of the curved map.
_CANDIDATES, _STEPS = 12, 8
#: How far from its cell, in reference coordinates, a point may lie to be called inside.
_INSIDE = 1e-9
#: (point, cell) pairs looked at at once.
_PAIRS = 1 << 20


def quadratic_shape(xi: np.ndarray) -> np.ndarray:
    """(k, 6) quadratic shape functions of the triangle at (k, 2) reference points: corners, then the edges 01, 12, 02."""
    x, y = xi[:, 0], xi[:, 1]
    z = 1.0 - x - y
    return np.stack([z * (2 * z - 1), x * (2 * x - 1), y * (2 * y - 1), 4 * z * x, 4 * x * y, 4 * z * y], axis=1)


def quadratic_slopes(xi: np.ndarray) -> np.ndarray:
    """(k, 6, 2) derivatives of :func:`quadratic_shape` in the reference coordinates."""
    x, y = xi[:, 0], xi[:, 1]
    z, zero = 1.0 - x - y, np.zeros(len(xi))
    dx = np.stack([1 - 4 * z, 4 * x - 1, zero, 4 * (z - x), 4 * y, -4 * y], axis=1)
    dy = np.stack([1 - 4 * z, zero, 4 * y - 1, -4 * x, 4 * x, 4 * (z - y)], axis=1)
    return np.stack([dx, dy], axis=2)


def element_nodes(domain: Domain) -> np.ndarray:
    """(ne, 6, 2) places of the corners and mid-sides (edges 01, 12, 02) of the triangles [m]; mid-sides of straight ones are means."""
    import skfem

    basis = skfem.Basis(domain.grid, skfem.ElementTriP2(), intorder=1)
    return basis.doflocs.T[basis.element_dofs.T]


def located(domain: Domain, points: np.ndarray, tolerance: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """The triangle that holds each point, and its place there.

    Args:
        domain: of triangles, straight or curved.
        points: (k, 2) [m].
        tolerance: how far outside, in sizes of a cell, a point may lie to be given to the nearest cell: a curved wall is met by its
            elements up to the order of the geometry only.

    Returns:
        (k,) cells, -1 for points outside, and (k, 2) reference coordinates.
    """
    places = element_nodes(domain)
    tree = cKDTree(places[:, :3].mean(axis=1))
    count = min(_CANDIDATES, len(places))
    nearest = tree.query(points, k=count)[1].reshape(len(points), count)
    cell, where = np.full(len(points), -1), np.zeros((len(points), 2))
    least = np.full(len(points), np.inf)
    for column in range(count):
        open_ = np.flatnonzero(least > _INSIDE)
        if not len(open_):
            break
        xi, outside = _tried(places[nearest[open_, column]], points[open_])
        better = outside < least[open_]
        chosen = open_[better]
        least[chosen], cell[chosen], where[chosen] = outside[better], nearest[chosen, column], xi[better]
    # beside a large cell the nearest centres may all be those of small ones: the cells whose boxes hold the point decide
    open_ = np.flatnonzero(least > _INSIDE)
    low, high = (bound(places, axis=1) for bound in (np.min, np.max))
    low, high = low - 0.25 * (high - low), high + 0.25 * (high - low)  # a bent side may leave the box of its three nodes
    step = max(1, _PAIRS // len(places))
    for first in range(0, len(open_), step):
        rows = open_[first : first + step]
        row, held = np.nonzero(((points[rows, None] >= low) & (points[rows, None] <= high)).all(axis=2))
        if not len(row):
            continue
        xi, outside = _tried(places[held], points[rows[row]])
        order = np.lexsort((outside, row))
        row, best = np.unique(row[order], return_index=True)
        best = order[best]
        better = outside[best] < least[rows[row]]
        chosen, best = rows[row[better]], best[better]
        least[chosen], cell[chosen], where[chosen] = outside[best], held[best], xi[best]
    cell[least > tolerance] = -1
    return cell, where


def _tried(places: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, 2) reference coordinates of points in cells (k, 6, 2), and (k,) how far outside they lie there."""
    xi = _inverse(places, points)
    return xi, np.maximum(0.0, np.maximum(-xi.min(axis=1), xi.sum(axis=1) - 1.0))


def _inverse(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(k, 2) reference coordinates of points (k, 2) in their triangles (k, 6, 2), by Newton's method from the affine answer."""
    a, b, c = places[:, 0], places[:, 1], places[:, 2]
    frame = np.stack([b - a, c - a], axis=2)
    xi = np.linalg.solve(frame, (points - a)[:, :, None])[:, :, 0]
    for _ in range(_STEPS):
        xi = np.clip(xi, -1.0, 2.0)  # far outside the map may fold; such points belong to another cell
        gap = np.einsum("ki,kid->kd", quadratic_shape(xi), places) - points
        jacobian = np.einsum("kid,kij->kdj", places, quadratic_slopes(xi))
        singular = np.abs(np.linalg.det(jacobian)) < 1e-300
        jacobian[singular] = np.eye(2)
        step = np.linalg.solve(jacobian, gap[:, :, None])[:, :, 0]
        xi = xi - step
        if np.abs(step).max() < 1e-13:
            break
    return xi
