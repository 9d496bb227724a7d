"""Laminar flow between parallel plates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConditionError


@dataclass(frozen=True)
class Poiseuille:
    """Flow along x between walls at y = 0 and y = height.

    Attributes:
        mean_velocity: [m/s]; the largest is 3/2 of it.
        height: [m].
        viscosity: kinematic [m^2/s].

    Raises:
        ConditionError: a height or viscosity that is not positive.
    """

    mean_velocity: float = 1.0
    height: float = 1.0
    viscosity: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.height < np.inf and 0 < self.viscosity < np.inf):
            raise ConditionError(f"height {self.height} m, viscosity {self.viscosity} m^2/s", where="Poiseuille", remedy="give positive numbers")

    def velocity(self, points: np.ndarray, time: float = 0.0) -> np.ndarray:
        """(k, 2) [m/s] at (k, 2) points; 6 U y (H - y)/H^2 along x. The same at all times; also the profile of an inlet."""
        y = points[:, 1]
        return np.stack([6 * self.mean_velocity * y * (self.height - y) / self.height**2, np.zeros(len(points))], axis=1)

    @property
    def pressure_gradient(self) -> float:
        """d(p/rho)/dx [m/s^2], -12 nu U / H^2."""
        return -12 * self.viscosity * self.mean_velocity / self.height**2

    @property
    def wall_shear(self) -> float:
        """tau_w / rho [m^2/s^2] on either wall, 6 nu U / H."""
        return 6 * self.viscosity * self.mean_velocity / self.height
