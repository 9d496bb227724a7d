"""Closed forms of the heat equation: decaying modes of the unit square and of a disk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import jn_zeros, jv

from ...errors import ConfigurationError


@dataclass(frozen=True)
class SquareMode:
    """u = exp(-alpha pi^2 (i^2 + j^2) t) sin(pi i x) sin(pi j y): zero on the boundary of the unit square.

    Attributes:
        i, j: half waves along x and y.
        diffusivity: alpha [m^2/s].
    """

    i: int = 1
    j: int = 1
    diffusivity: float = 1.0

    @property
    def rate(self) -> float:
        """Of decay [1/s]."""
        return self.diffusivity * np.pi**2 * (self.i**2 + self.j**2)

    def __call__(self, points: np.ndarray, time: float = 0.0) -> np.ndarray:
        """(n,) values at points (n, 2) [m] and a time [s]."""
        return np.exp(-self.rate * time) * np.sin(np.pi * self.i * points[:, 0]) * np.sin(np.pi * self.j * points[:, 1])


@dataclass(frozen=True)
class DiskMode:
    """u = exp(-alpha (z/R)^2 t) J_m(z r/R) cos(m t), z the k-th zero of the Bessel function J_m: zero on the circle of radius R.

    Attributes:
        m: waves round the disk, 0 or more.
        k: number of the zero, from 1.
        radius: R [m].
        diffusivity: alpha [m^2/s].

    Raises:
        ConfigurationError: another m, k or radius.
    """

    m: int = 0
    k: int = 1
    radius: float = 1.0
    diffusivity: float = 1.0

    def __post_init__(self) -> None:
        if self.m < 0 or self.k < 1 or not self.radius > 0:
            raise ConfigurationError(
                f"mode m = {self.m}, k = {self.k} of radius {self.radius}", where="DiskMode", remedy="give m >= 0, k >= 1 and a positive radius"
            )

    @property
    def zero(self) -> float:
        """z, the k-th positive zero of J_m."""
        return float(jn_zeros(self.m, self.k)[-1])

    @property
    def rate(self) -> float:
        """Of decay [1/s]."""
        return self.diffusivity * (self.zero / self.radius) ** 2

    def __call__(self, points: np.ndarray, time: float = 0.0) -> np.ndarray:
        """(n,) values at points (n, 2) [m] from the centre of the disk and a time [s]."""
        r, angle = np.hypot(points[:, 0], points[:, 1]), np.arctan2(points[:, 1], points[:, 0])
        return np.exp(-self.rate * time) * jv(self.m, self.zero * r / self.radius) * np.cos(self.m * angle)
