"""Harmonic functions of the plane in closed form, and what the Kirchhoff transform makes of them: smooth data and exact answers.

Any analytic function of z = x + iy has a harmonic real part: laplace(u) = 0 holds to rounding, on any domain. With w harmonic,
u + u^3/3 = w solves div((1 + u^2) grad u) = 0 (Kirchhoff's transform of a conductivity 1 + u^2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError


@dataclass(frozen=True, eq=False)
class Harmonic:
    """u = Re( sum_k c_k ((z - z_0)/R)^k + sum_j q_j log((z - p_j)/R) ).

    Attributes:
        coefficients: (m,) complex c_0, c_1, ...
        center: (2,) z_0 [m].
        scale: R [m].
        poles: (j, 2) places of the logarithms [m]; the domain must not hold them.
        strengths: (j,) real q.

    Raises:
        ConfigurationError: shapes that do not fit, or a scale that is not positive.
    """

    coefficients: np.ndarray
    center: np.ndarray | tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    poles: np.ndarray | tuple = ()
    strengths: np.ndarray | tuple = ()

    def __post_init__(self) -> None:
        poles = np.asarray(self.poles, dtype=np.float64).reshape(-1, 2)
        strengths = np.asarray(self.strengths, dtype=np.float64).reshape(-1)
        problems = [] if self.scale > 0.0 else [f"scale is {self.scale}, must be positive"]
        if len(poles) != len(strengths):
            problems.append(f"{len(poles)} poles have {len(strengths)} strengths")
        if problems:
            raise ConfigurationError("; ".join(problems), where="Harmonic", remedy="give one strength per pole and a length as scale")
        object.__setattr__(self, "coefficients", np.asarray(self.coefficients, dtype=np.complex128).reshape(-1))
        object.__setattr__(self, "poles", poles)
        object.__setattr__(self, "strengths", strengths)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(n,) values at points (n, 2)."""
        value = np.polynomial.polynomial.polyval(self._place(points), self.coefficients).real if len(self.coefficients) else np.zeros(len(points))
        for pole, strength in zip(self.poles, self.strengths, strict=True):
            value = value + strength * np.log(np.linalg.norm(points - pole, axis=1) / self.scale)
        return value

    def gradient(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) gradient at points (n, 2): Re f' and -Im f' (Cauchy-Riemann)."""
        derivative = np.polynomial.polynomial.polyder(self.coefficients) if len(self.coefficients) > 1 else np.zeros(1)
        slope = np.polynomial.polynomial.polyval(self._place(points), derivative) / self.scale
        for pole, strength in zip(self.poles, self.strengths, strict=True):
            slope = slope + strength / ((points[:, 0] - pole[0]) + 1j * (points[:, 1] - pole[1]))
        slope = np.broadcast_to(slope, (len(points),))
        return np.stack([slope.real, -slope.imag], axis=1)

    def _place(self, points: np.ndarray) -> np.ndarray:
        return ((points[:, 0] - self.center[0]) + 1j * (points[:, 1] - self.center[1])) / self.scale


def from_kirchhoff(w: np.ndarray) -> np.ndarray:
    """(...) the real u with u + u^3/3 = w: 2 sinh(asinh(3w/2)/3)."""
    return 2.0 * np.sinh(np.arcsinh(1.5 * np.asarray(w)) / 3.0)


def to_kirchhoff(u: np.ndarray) -> np.ndarray:
    """(...) w = u + u^3/3, the potential of the flux (1 + u^2) grad u."""
    u = np.asarray(u)
    return u + u**3 / 3.0
