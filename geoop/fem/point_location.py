"""Which curved or straight triangle holds a point, and where in it: finite-element fields evaluated exactly at any place."""

from __future__ import annotations

import numpy as np

from .domain import Domain
from .evaluation import locate


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
    places = locate(domain, points, tolerance=tolerance)
    return places.cells, places.reference
