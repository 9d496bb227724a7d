"""Chebyshev collocation on an interval or a box: points, derivatives, and Helmholtz problems with given values on the sides."""

from __future__ import annotations

import math

import numpy as np
from scipy import fft


class ChebyshevGrid:
    """(n + 1)^d Gauss-Lobatto points of the box between two corners, d = 1 or 2.

    Args:
        degree: n, 4 or more.
        lower, upper: (d,) corners [m].
    """

    def __init__(self, degree: int, lower: tuple[float, ...], upper: tuple[float, ...]) -> None:
        self.degree, self.dimension = degree, len(lower)
        unit = -np.cos(np.pi * np.arange(degree + 1) / degree)
        first = _derivative(unit)
        self.sides = np.array(upper, dtype=np.float64) - np.array(lower)
        self.axes = [low + 0.5 * (unit + 1.0) * side for low, side in zip(lower, self.sides, strict=True)]
        self.first = [first * (2.0 / side) for side in self.sides]
        self.second = [first @ first * (2.0 / side) ** 2 for side in self.sides]
        eigen = [np.linalg.eig(matrix[1:-1, 1:-1]) for matrix in self.second]
        self._values = [np.real(values) for values, _ in eigen]  # real and negative (Gottlieb and Lustman 1983)
        self._vectors = [np.real(vectors) for _, vectors in eigen]
        self._inverse = [np.linalg.inv(vectors) for vectors in self._vectors]
        self.points = np.stack(np.meshgrid(*self.axes, indexing="ij"), axis=-1).reshape(-1, self.dimension)
        self.shape = (degree + 1,) * self.dimension
        inside = np.zeros(self.shape, dtype=bool)
        inside[(slice(1, -1),) * self.dimension] = True
        self.inside = inside

    def derivative(self, values: np.ndarray, axis: int) -> np.ndarray:
        """The first derivative along one axis of the box of values (..., n + 1, ..., n + 1)."""
        return _along(self.first[axis], values, axis - self.dimension)

    def laplacian(self, values: np.ndarray) -> np.ndarray:
        """The sum of the second derivatives."""
        return np.sum([_along(self.second[k], values, k - self.dimension) for k in range(self.dimension)], axis=0)

    def helmholtz(self, shift: float, factor: float, load: np.ndarray, sides: np.ndarray) -> np.ndarray:
        """The values v with ``shift v - factor laplace v = load`` inside and ``sides`` on the sides.

        By the eigenvectors of the second derivative along every axis (Haidvogel and Zang, J. Comput. Phys. 30 (1979) 167).

        Args:
            shift, factor: positive.
            load, sides: (..., n + 1, ..., n + 1); only the inner values of the load and the outer ones of the sides count.
        """
        outer = np.where(self.inside, 0.0, sides)
        cut = (Ellipsis, *(slice(1, -1),) * self.dimension)
        right = load[cut] + factor * self.laplacian(outer)[cut]
        scale: np.ndarray | float = shift
        for k in range(self.dimension):
            right = _along(self._inverse[k], right, k - self.dimension)
            scale = scale - factor * self._values[k].reshape((-1,) + (1,) * (self.dimension - 1 - k))
        right = right / scale
        for k in range(self.dimension):
            right = _along(self._vectors[k], right, k - self.dimension)
        outer[cut] = right
        return outer

    def tail(self, values: np.ndarray) -> float:
        """The largest coefficient among the highest sixth of the polynomials, as a share of the largest of all but the constant."""
        axes = tuple(range(-self.dimension, 0))
        coefficients = np.abs(np.asarray(fft.dctn(values, type=1, axes=axes))).reshape(-1, *self.shape).max(axis=0)
        degree = np.max(np.meshgrid(*[np.arange(self.degree + 1)] * self.dimension, indexing="ij"), axis=0)
        largest = max(float(coefficients[degree > 0].max()), 1e-6 * float(coefficients.max()))  # less is rounding
        return float(coefficients[degree >= 5 * self.degree / 6].max()) / largest if largest else 0.0

    def stiffness(self) -> float:
        """A bound of the largest eigenvalue of minus the Laplacian [1/m^2]."""
        return sum(float(np.abs(values).max()) for values in self._values)

    def interpolate(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(..., p) the polynomial through values (..., n + 1, ..., n + 1), at points (p, d), by the barycentric formula."""
        rows = [_barycentric(axis, points[:, k]) for k, axis in enumerate(self.axes)]
        if self.dimension == 1:
            return np.einsum("pi,...i->...p", rows[0], values)
        return np.einsum("pi,pj,...ij->...p", rows[0], rows[1], values, optimize=True)


def _along(matrix: np.ndarray, values: np.ndarray, axis: int) -> np.ndarray:
    """A matrix applied along one axis, counted from the end."""
    return values @ matrix.T if axis == -1 else matrix @ values


def _derivative(x: np.ndarray) -> np.ndarray:
    """(n + 1, n + 1) derivative matrix at Gauss-Lobatto points, its diagonal such that constants have none (Trefethen 2000)."""
    n = len(x) - 1
    weight = np.where((np.arange(n + 1) == 0) | (np.arange(n + 1) == n), 2.0, 1.0) * (-1.0) ** np.arange(n + 1)
    away = x[:, None] - x[None, :] + np.eye(n + 1)
    matrix = np.outer(weight, 1.0 / weight) / away
    return matrix - np.diag(matrix.sum(axis=1))


def _barycentric(nodes: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(p, n + 1) values at x of the Lagrange polynomials of Gauss-Lobatto nodes."""
    weight = (-1.0) ** np.arange(len(nodes))
    weight[[0, -1]] *= 0.5
    away = x[:, None] - nodes
    hit = np.abs(away) <= 4.0 * math.ulp(float(np.abs(nodes).max()))
    rows = weight / np.where(hit, 1.0, away)
    rows = rows / rows.sum(axis=1, keepdims=True)
    return np.where(hit.any(axis=1, keepdims=True), hit.astype(np.float64), rows)
