"""Cubic B-splines on uniform knots, one axis at a time."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.linalg import solveh_banded


def cubic(x: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Values (n, 4) and number of the first (n,) of the cubic B-splines on uniform knots that do not vanish at x in [0, 1]."""
    scaled = np.clip(x, 0.0, 1.0) * (count - 3)
    first = np.minimum(scaled.astype(np.int64), count - 4)
    u = scaled - first
    values = [(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3]
    return np.stack(values, axis=1) / 6.0, first


def design(first: np.ndarray, second: np.ndarray, counts: tuple[int, int]) -> sparse.csr_array:
    """(n, counts[0] * counts[1]) values of the products of splines at points with two coordinates in [0, 1]."""
    (a, i), (b, j) = cubic(first, counts[0]), cubic(second, counts[1])
    weights = (a[:, :, None] * b[:, None, :]).reshape(-1)
    four = np.arange(4)
    columns = ((i[:, None] + four)[:, :, None] * counts[1] + (j[:, None] + four)[:, None, :]).reshape(-1)
    return sparse.csr_array((weights, columns, np.arange(len(first) + 1) * 16), shape=(len(first), counts[0] * counts[1]))


def penalty(counts: tuple[int, int], smoothing: float) -> sparse.csr_array:
    """Weighted sum of the squared second differences of the coefficients along both axes, as a matrix."""

    def second(n: int) -> sparse.csr_array:
        return sparse.csr_array(np.diff(np.eye(n), n=2, axis=0))

    along = sparse.kron(second(counts[0]), sparse.eye_array(counts[1]))
    away = sparse.kron(sparse.eye_array(counts[0]), second(counts[1]))
    return sparse.csr_array(smoothing * (along.T @ along + away.T @ away))


def fitted(matrix: sparse.csr_array, rough: sparse.csr_array, values: np.ndarray, per_row: int) -> np.ndarray:
    """Coefficients of least squares with a penalty.

    Args:
        matrix: of :func:`design`. rough: of :func:`penalty`.
        values: (n, c).
        per_row: splines along the second axis, which bounds the band of the normal equations.
    """
    normal = (matrix.T @ matrix + rough).tocoo()
    lower = normal.row >= normal.col
    band = np.zeros((3 * per_row + 4, matrix.shape[1]))
    band[(normal.row - normal.col)[lower], normal.col[lower]] = normal.data[lower]
    return solveh_banded(band, matrix.T @ values, lower=True)
