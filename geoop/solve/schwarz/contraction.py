"""Whether a sweep contracts: measured on the sweep itself, for a learned local map may fail to though its error is small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: (n,) -> (n,)
Map = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Contraction:
    """What a map does to differences of its arguments.

    Attributes:
        factor: by how much it lengthens the difference that it lengthens most, of those met: a lower bound of its Lipschitz constant, and the asymptotic
            rate of u <- F(u) where it is affine.
        along: Rayleigh quotient of that difference: negative where iterates alternate.
        relaxation: theta in u <- (1 - theta) u + theta F(u) that was chosen from them; 1 where the map contracts.
    """

    factor: float
    along: float
    relaxation: float

    @property
    def contracts(self) -> bool:
        return self.factor < 1.0


def measured(sweep: Map, u: np.ndarray, free: np.ndarray, *, steps: int = 6, size: float | None = None, seed: int = 0) -> Contraction:
    """Power iteration on differences, F(u + d) - F(u), from random ones.

    Relaxation: the real mode with quotient q < 0 is damped out by theta = 1/(1 - q); a mode with q > 1 cannot be made to contract by any theta in (0, 1],
    which is what ``factor`` > 1 with ``along`` > 1 says.

    Args:
        sweep: F.
        u: (n,) where it is measured.
        free: (n,) bool, where arguments may differ.
        steps: applications, beside one at u.
        size: of the differences, maximum norm; None for 1e-3 of the range of u.
        seed: of the first difference.
    """
    mapped = sweep(u)
    span = float(np.ptp(u)) or 1.0
    size = 1e-3 * span if size is None else size
    difference = np.where(free, np.random.default_rng(seed).standard_normal(len(u)), 0.0)
    factor = along = 0.0
    for _ in range(steps):
        norm = float(np.abs(difference).max())
        if not norm > 0.0:
            break
        difference = difference * (size / norm)
        image = sweep(u + difference) - mapped
        along = float(difference @ image / (difference @ difference))
        factor = float(np.linalg.norm(image) / np.linalg.norm(difference))
        if not np.isfinite(factor):
            return Contraction(np.inf, along, 0.1)
        difference = image
    return Contraction(factor, along, 1.0 if factor < 1.0 or along >= 0.0 else 1.0 / (1.0 - along))
