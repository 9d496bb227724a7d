"""Decaying vortices of Taylor and Green: an exact solution of the plane Navier-Stokes equations in time.

G. Taylor, A. Green, Proc. R. Soc. Lond. A 158 (1937) 499; the plane case: G. Taylor, Phil. Mag. 46 (1923) 671.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TaylorGreen:
    """u = A sin kx cos ky F, v = -A cos kx sin ky F with F = exp(-2 nu k^2 t).

    On the lines kx, ky = multiples of pi there is neither flow across nor shear: frictionless walls of a box.

    Attributes:
        viscosity: kinematic [m^2/s].
        amplitude: A [m/s].
        wave_number: k [1/m].
    """

    viscosity: float = 0.1
    amplitude: float = 1.0
    wave_number: float = 1.0

    def decay(self, time: float) -> float:
        """F(t), 1 at time 0 [s]."""
        return float(np.exp(-2 * self.viscosity * self.wave_number**2 * time))

    def velocity(self, points: np.ndarray, time: float = 0.0) -> np.ndarray:
        """(k, 2) [m/s] at (k, 2) points [m]."""
        x, y = self.wave_number * points.T
        return self.amplitude * self.decay(time) * np.stack([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y)], axis=1)

    def pressure(self, points: np.ndarray, time: float = 0.0) -> np.ndarray:
        """(k,) over the density [m^2/s^2], zero mean over a box: A^2 F^2 (cos 2kx + cos 2ky)/4."""
        x, y = self.wave_number * points.T
        return 0.25 * (self.amplitude * self.decay(time)) ** 2 * (np.cos(2 * x) + np.cos(2 * y))
