"""Kovasznay's flow behind a grid: an exact steady solution of the Navier-Stokes equations.

L. Kovasznay, Proc. Camb. Phil. Soc. 44 (1948) 58.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Kovasznay:
    """The flow of mean velocity 1 and period 1 across it, in units of these.

    Attributes:
        reynolds: [-].
    """

    reynolds: float = 40.0

    @property
    def decay(self) -> float:
        """lambda = Re/2 - sqrt(Re^2/4 + 4 pi^2), negative."""
        return self.reynolds / 2 - math.sqrt(self.reynolds**2 / 4 + 4 * math.pi**2)

    def velocity(self, points: np.ndarray, time: float = 0.0) -> np.ndarray:
        """(k, 2) at (k, 2) points; the same at all times."""
        x, y = points.T
        rate, turn = self.decay, 2 * np.pi
        e = np.exp(rate * x)
        return np.stack([1 - e * np.cos(turn * y), rate / turn * e * np.sin(turn * y)], axis=1)

    def pressure(self, points: np.ndarray) -> np.ndarray:
        """(k,) over the density, zero far downstream: -exp(2 lambda x)/2."""
        return -0.5 * np.exp(2 * self.decay * points[:, 0])
