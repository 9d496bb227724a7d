"""Exact solutions of Burgers' equation u_t + (u . grad) u = nu laplace u: Cole-Hopf, sums of heat modes, travelling fronts.

Hopf, Comm. Pure Appl. Math. 3 (1950) 201; Cole, Quart. Appl. Math. 9 (1951) 225: u = -2 nu grad(phi) / phi, where phi solves
the heat equation. All lengths in m, times in s, velocities in m/s, viscosities in m^2/s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError

_DECAY = 40.0  # exp(-40) of the largest integrand is where integrals are cut: 4e-18
_STEPS = 7.0  # of the quadrature per width of the narrowest Gaussian: the rule's error is exp(-2 pi^2 49 / 2)
_VALUES = 2**22  # of an integrand held at once


@dataclass(frozen=True, eq=False)
class ColeHopf:
    """The solution on the line that starts from a Fourier series, by the quotient of two integrals.

    u(x, 0) = mean + sum_k a_k cos(k kappa x) + b_k sin(k kappa x), kappa = 2 pi / period, k = 1, 2, ...

    With G(y) = U(y) + (x - y)^2 / 2t, U the potential of the initial velocity, u = int u_0 e^{-G/2nu} dy / int e^{-G/2nu} dy.
    This form has no difference of large numbers (the textbook's has (x - y)/t in the place of u_0), and G's minimum is taken out
    of the exponentials, so that no viscosity is too small: the cost grows as nu^{-1/2}. A mean velocity is a moving frame.

    Attributes:
        viscosity: positive.
        period: of the series.
        mean: of the initial velocity.
        cosines, sines: a_1, a_2, ... and b_1, b_2, ...

    Raises:
        ConfigurationError: a viscosity or period that is not positive, coefficients that are not finite.
    """

    viscosity: float
    period: float
    mean: float = 0.0
    cosines: tuple[float, ...] = ()
    sines: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        problems = [
            f"{key} is {value}, must be positive"
            for key, value in (("viscosity", self.viscosity), ("period", self.period))
            if not 0 < value < math.inf
        ]
        if not np.isfinite([self.mean, *self.cosines, *self.sines]).all():
            problems.append("a coefficient is not finite")
        _refuse(problems)

    @classmethod
    def between_walls(cls, viscosity: float, length: float, sines: Sequence[float]) -> ColeHopf:
        """The solution on 0 <= x <= length that is zero at both ends and starts from sum_k b_k sin(k pi x / length).

        Its odd, periodic continuation solves the equation on the line, and stays odd about both ends.
        """
        return cls(viscosity, 2.0 * length, sines=tuple(float(b) for b in sines))

    def initial(self, x: np.ndarray) -> np.ndarray:
        """(...) velocity at the start, at any places (...)."""
        return self.mean + sum((a * np.cos(k * x) + b * np.sin(k * x) for k, a, b in self._terms()), start=np.zeros_like(x, dtype=np.float64))

    def velocity(self, x: np.ndarray, time: float) -> np.ndarray:
        """(n,) velocity at places (n,) at one time >= 0.

        Raises:
            ConfigurationError: a negative time.
        """
        x = np.asarray(x, dtype=np.float64)
        if not 0.0 <= time < math.inf:
            _refuse([f"time is {time}, must be 0 or later"])
        if time == 0.0:
            return self.initial(x)
        terms = self._terms()
        steepest = sum(k * (abs(a) + abs(b)) for k, a, b in terms)
        swing = 2.0 * sum((abs(a) + abs(b)) / k for k, a, b in terms)
        reach = math.sqrt(2.0 * time * (swing + 2.0 * self.viscosity * _DECAY))
        step = math.sqrt(2.0 * self.viscosity / (steepest + 1.0 / time)) / _STEPS
        offset = step * np.arange(-math.ceil(reach / step), math.ceil(reach / step) + 1)
        out, rows = np.empty_like(x), max(1, _VALUES // len(offset))
        for start in range(0, len(x), rows):
            part = slice(start, start + rows)
            out[part] = self._quotient(x[part, None] - self.mean * time, offset, time)
        return self.mean + out

    def _quotient(self, x: np.ndarray, offset: np.ndarray, time: float) -> np.ndarray:
        """(n,) weighted mean of the initial velocity in the frame of the mean velocity; x is (n, 1)."""
        y = x + offset
        initial, height = np.zeros_like(y), np.broadcast_to(0.5 * offset**2 / time, y.shape).copy()
        for k, a, b in self._terms():
            sine, cosine = np.sin(k * y), np.cos(k * y)
            initial += a * cosine + b * sine
            height += (a * sine - b * cosine) / k
        weight = np.exp((height.min(axis=1, keepdims=True) - height) / (2.0 * self.viscosity))
        return (initial * weight).sum(axis=1) / weight.sum(axis=1)

    def _terms(self) -> list[tuple[float, float, float]]:
        """(wave number, cosine, sine) of the terms that are there."""
        count = max(len(self.cosines), len(self.sines))
        pad = lambda values: (*values, *(0.0,) * (count - len(values)))  # noqa: E731
        pairs = zip(pad(self.cosines), pad(self.sines), strict=True)
        return [(2.0 * math.pi * (k + 1) / self.period, a, b) for k, (a, b) in enumerate(pairs) if a or b]


@dataclass(frozen=True, eq=False)
class HeatModes:
    """A curl-free solution in any dimension: phi = 1 + sum_m a_m e^{-nu |k_m|^2 t} cos(k_m . x + theta_m), in closed form.

    Attributes:
        viscosity: positive.
        amplitudes: (m,), sum of magnitudes below 1, so that phi has no zero.
        waves: (m, d) wave vectors [1/m].
        phases: (m,) [rad].

    Raises:
        ConfigurationError: shapes that do not fit, amplitudes that let phi vanish, a viscosity that is not positive.
    """

    viscosity: float
    amplitudes: np.ndarray
    waves: np.ndarray
    phases: np.ndarray

    def __post_init__(self) -> None:
        a, k, theta = (np.asarray(item, dtype=np.float64) for item in (self.amplitudes, self.waves, self.phases))
        problems = [] if 0 < self.viscosity < math.inf else [f"viscosity is {self.viscosity}, must be positive"]
        if k.ndim != 2 or a.shape != (len(k),) or theta.shape != a.shape:
            problems.append(f"{a.shape} amplitudes, {k.shape} waves and {theta.shape} phases do not fit, expected (m,), (m, d) and (m,)")
        if not np.abs(a).sum() < 1.0:
            problems.append(f"the amplitudes' magnitudes sum to {np.abs(a).sum():.3g}, must stay below 1")
        _refuse(problems)
        for key, item in (("amplitudes", a), ("waves", k), ("phases", theta)):
            object.__setattr__(self, key, item)

    def velocity(self, points: np.ndarray, time: float) -> np.ndarray:
        """(n, d) velocity at points (n, d)."""
        angle = np.asarray(points) @ self.waves.T + self.phases
        amplitude = self.amplitudes * np.exp(-self.viscosity * (self.waves**2).sum(axis=1) * time)
        phi = 1.0 + np.cos(angle) @ amplitude
        return 2.0 * self.viscosity * ((np.sin(angle) * amplitude) @ self.waves) / phi[:, None]


def travelling_front(points: np.ndarray, time: float, viscosity: float) -> np.ndarray:
    """(n, 2) velocity u = v = 1 / (1 + exp((x + y - t) / 2nu)) of a plane front through the plane, at points (n, 2).

    It solves u_t + u u_x + v u_y = nu laplace u, and the same for v; lengths and times such that velocities are between 0 and 1.

    Raises:
        ConfigurationError: a viscosity that is not positive.
    """
    if not 0 < viscosity < math.inf:
        _refuse([f"viscosity is {viscosity}, must be positive"])
    height = 0.5 * (1.0 - np.tanh((np.asarray(points).sum(axis=1) - time) / (4.0 * viscosity)))  # the same function, without overflow
    return np.stack([height, height], axis=1)


def shock_wave(x: np.ndarray, time: float, viscosity: float, left: float, right: float) -> np.ndarray:
    """(n,) velocity of the one-dimensional shock from ``left`` behind to ``right`` ahead that is at x = 0 at the start.

    u = c - a tanh(a (x - c t) / 2nu), c = (left + right)/2, a = (left - right)/2.

    Raises:
        ConfigurationError: not left > right, or a viscosity that is not positive.
    """
    problems = [] if 0 < viscosity < math.inf else [f"viscosity is {viscosity}, must be positive"]
    if not left > right:
        problems.append(f"the velocity behind the shock, {left}, does not exceed the one ahead, {right}: that is a rarefaction")
    _refuse(problems)
    speed, half = 0.5 * (left + right), 0.5 * (left - right)
    return speed - half * np.tanh(half * (np.asarray(x, dtype=np.float64) - speed * time) / (2.0 * viscosity))


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ConfigurationError("; ".join(problems), where="Burgers' equation", remedy="give positive viscosities and finite coefficients")
