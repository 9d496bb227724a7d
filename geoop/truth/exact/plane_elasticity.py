"""Exact plane elasticity without body forces: two analytic functions give a displacement in equilibrium (Kolosov-Muskhelishvili).

N. I. Muskhelishvili, "Some basic problems of the mathematical theory of elasticity", 1953, section 32:
2 mu (u + iv) = kappa phi(z) - z conj(phi'(z)) - conj(psi(z)), kappa = 3 - 4 nu in plane strain, (3 - nu)/(1 + nu) in plane stress.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.polynomial.polynomial import polyder, polyval

from ...errors import ConfigurationError


@dataclass(frozen=True, eq=False)
class PlaneEquilibrium:
    """The displacement of two polynomials phi and psi of (z - z_0)/R; its scale is free, because no load fixes it.

    Attributes:
        phi, psi: (m,), (k,) complex coefficients, constant first, 2 or more of phi [m].
        poisson: Poisson's ratio, above -1 and below 0.5.
        state: ``plane strain`` or ``plane stress``.
        center: z_0 [m].
        scale: R [m].

    Raises:
        ConfigurationError: Poisson's ratio, scale or coefficients out of range.
    """

    phi: np.ndarray
    psi: np.ndarray
    poisson: float
    state: Literal["plane strain", "plane stress"] = "plane strain"
    center: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not -1.0 < self.poisson < 0.5 or not self.scale > 0.0 or len(self.phi) < 2 or not len(self.psi):
            raise ConfigurationError(
                f"Poisson's ratio {self.poisson}, scale {self.scale}, {len(self.phi)} and {len(self.psi)} coefficients",
                where="PlaneEquilibrium",
                remedy="give -1 < poisson < 0.5, a positive scale, two or more coefficients of phi and one of psi",
            )

    def displacement(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) displacement [m] at points (n, 2) [m]: 2 mu is taken as 1."""
        z = ((points[:, 0] - self.center[0]) + 1j * (points[:, 1] - self.center[1])) / self.scale
        kappa = 3.0 - 4.0 * self.poisson if self.state == "plane strain" else (3.0 - self.poisson) / (1.0 + self.poisson)
        w = kappa * polyval(z, self.phi) - z * np.conj(polyval(z, polyder(self.phi))) - np.conj(polyval(z, self.psi))
        return np.stack([w.real, w.imag], axis=1)
