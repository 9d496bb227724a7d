"""Closed forms of Poisson's equation: sine series on the unit square, the square under unit load."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class SineSeries:
    """f = sum_ij c_ij sin(pi i x) sin(pi j y), i, j = 1 .. K, a function of the whole plane.

    Attributes:
        coefficients: (K, K) c, i along the rows.
    """

    coefficients: np.ndarray

    @classmethod
    def poisson_c_sines(cls, amplitudes: np.ndarray, scale: float = 1.0) -> SineSeries:
        """The source of the Poisson-C-Sines benchmark times a scale: c_ij = s pi/K^2 a_ij (i^2 + j^2)^(1/2) (GAOT, arXiv 2505.18781)."""
        k = len(amplitudes)
        i = np.arange(1, k + 1)
        return cls(scale * np.pi / k**2 * amplitudes * np.sqrt(i[:, None] ** 2 + i**2))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(n,) values at points (n, 2)."""
        return self.on(self.waves(points, len(self.coefficients)))

    def on(self, waves: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """(n,) values at the points of :meth:`waves`, for many series at the same points."""
        x, y = waves
        return np.einsum("ni,ni->n", x @ self.coefficients, y)

    @staticmethod
    def waves(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(n, k) sin(pi i x) and (n, k) sin(pi j y) at points (n, 2)."""
        i = np.pi * np.arange(1, k + 1)
        return np.sin(points[:, :1] * i), np.sin(points[:, 1:2] * i)

    def solved(self) -> SineSeries:
        """u with -laplace(u) = f, zero on the boundary of the unit square: c_ij/(pi^2 (i^2 + j^2))."""
        i = np.arange(1, len(self.coefficients) + 1)
        return SineSeries(self.coefficients / (np.pi**2 * (i[:, None] ** 2 + i**2)))


def square_under_unit_load(points: np.ndarray, terms: int = 200) -> np.ndarray:
    """(n,) u with -laplace(u) = 1 in the unit square, zero on its boundary; 0.0736713532... in the middle.

    One-dimensional solution minus a series in odd k that decays as exp(-k pi |y - 1/2|)-like quotients of cosh
    (S. Timoshenko, J. N. Goodier, "Theory of Elasticity", torsion of rectangular bars).

    Args:
        points: (n, 2) in the square [m].
        terms: of the series.
    """
    x, y = points[:, :1], points[:, 1:2]
    k = 2.0 * np.arange(terms) + 1.0
    a = k * np.pi
    quotient = (np.exp(-a * (0.5 - (y - 0.5))) + np.exp(-a * (0.5 + (y - 0.5)))) / (1.0 + np.exp(-a))  # cosh(a (y - 1/2))/cosh(a/2)
    return (0.5 * x * (1.0 - x))[:, 0] - (4.0 * np.sin(a * x) / a**3 * quotient).sum(axis=1)


def disk_under_unit_load(points: np.ndarray, radius: float = 1.0) -> np.ndarray:
    """(n,) u with -laplace(u) = 1 in a disk round the origin, zero on its boundary: (R^2 - r^2)/4."""
    return 0.25 * (radius**2 - (points**2).sum(axis=1))
