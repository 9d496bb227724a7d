"""Exact potential flow around an ellipsoid with three different axes, by Carlson's elliptic integrals.

In a free stream U along all axes (H. Lamb, Hydrodynamics, 6th ed., art. 114; L. M. Milne-Thomson, Theoretical Hydrodynamics, 17.53)

    Phi = sum_i U_i x_i (1 + A_i(l)/(2 - A_i(0))),   A_i(l) = a b c int_l^inf ds/((a_i^2 + s) sqrt((a^2+s)(b^2+s)(c^2+s))),

where l >= 0 is the confocal coordinate: x^2/(a^2+l) + y^2/(b^2+l) + z^2/(c^2+l) = 1. The integral is 2/3 R_D (Carlson 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import elliprd

from ...axes import check
from ...errors import ConditionError, ConfigurationError
from ...mesh.operating_point import OperatingPoint

#: Points up to this many semi-axes inside the surface count as wall points.
_WALL = 1e-9


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid at the origin with its axes along x, y, z.

    Attributes:
        a, b, c: semi-axes along x, y, z [m], in any order of size; equal ones are allowed (spheroid, sphere).

    Raises:
        ConfigurationError: a semi-axis that is not positive.
    """

    a: float
    b: float
    c: float

    def __post_init__(self) -> None:
        if not min(self.a, self.b, self.c) > 0.0 or not np.isfinite([self.a, self.b, self.c]).all():
            raise ConfigurationError(
                f"semi-axes {self.a}, {self.b}, {self.c} are no ellipsoid", where="Ellipsoid", remedy="give three positive lengths in metres"
            )

    @property
    def _squares(self) -> np.ndarray:
        return np.array([self.a, self.b, self.c]) ** 2

    def confocal(self, points: np.ndarray) -> np.ndarray:
        """(n,) the coordinate l [m^2] of (n, 3) points [m]: 0 on the surface, negative inside.

        The largest root of a cubic: Newton's method from the left of the root of a convex decreasing function never overshoots.
        """
        points = np.asarray(points, dtype=np.float64)
        check(points=(points, "n 3"))
        squares, smallest = points**2, self._squares.min()
        # every axis alone gives x_i^2 - a_i^2, which the root cannot be below; nor the root of the nearest sphere
        root = np.maximum((squares - self._squares).max(axis=1), -smallest * (1.0 - 1e-12))
        for _ in range(100):
            share = squares / (self._squares + root[:, None])
            value = share.sum(axis=1) - 1.0
            step = value / np.maximum((share / (self._squares + root[:, None])).sum(axis=1), 1e-300)
            root = root + np.maximum(step, 0.0)
            if (step <= 1e-15 * (np.abs(root) + smallest)).all():
                break
        return root

    def _integrals(self, root: np.ndarray) -> np.ndarray:
        """(n, 3) A_i(l)."""
        x, y, z = (square + root for square in self._squares)
        return 2.0 / 3.0 * self.a * self.b * self.c * np.stack([elliprd(y, z, x), elliprd(z, x, y), elliprd(x, y, z)], axis=1)

    def velocity(self, points: np.ndarray, operating_point: OperatingPoint) -> np.ndarray:
        """(n, 3) velocity [m/s] at (n, 3) points [m]; NaN inside the ellipsoid.

        Raises:
            ConditionError: a Mach number is stated.
        """
        if operating_point.mach:
            raise ConditionError(f"mach is {operating_point.mach}, but the flow is incompressible", where="Ellipsoid", remedy="leave mach out")
        points = np.asarray(points, dtype=np.float64)
        root = self.confocal(points)
        inside = root < -_WALL * self._squares.min()
        root = np.maximum(root, 0.0)
        stream = operating_point.velocity * operating_point.direction(3)
        own = 2.0 - self._integrals(np.zeros(1))
        axes = self._squares + root[:, None]
        outward = points / axes
        slope = -self.a * self.b * self.c / (axes * np.sqrt(axes.prod(axis=1))[:, None])
        along = (stream * points * slope / own).sum(axis=1) * 2.0 / np.maximum((outward**2).sum(axis=1), 1e-300)
        velocity = stream * (1.0 + self._integrals(root) / own) + along[:, None] * outward
        velocity[inside] = np.nan
        return velocity

    def added_mass_coefficients(self) -> np.ndarray:
        """(3,) added mass over displaced mass for motion along x, y, z: A_i(0)/(2 - A_i(0)); 1/2 for a sphere."""
        own = self._integrals(np.zeros(1))[0]
        return own / (2.0 - own)
