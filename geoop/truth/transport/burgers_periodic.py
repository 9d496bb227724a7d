"""Burgers' equation in a periodic interval or square: Fourier pseudo-spectral in space, exponential Runge-Kutta of order 4 in time.

Products are free of aliases (the 2/3 rule). Diffusion is integrated exactly (ETDRK4: Cox and Matthews, J. Comput. Phys. 176
(2002) 430; its coefficients by the contour integrals of Kassam and Trefethen, SIAM J. Sci. Comput. 26 (2005) 1214).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from scipy import fft

from ...errors import ConfigurationError, ConvergenceError

_COURANT = 0.6  # |u| step / spacing; the scheme is stable to 2.8 / (pi 2/3) = 1.3
_CONTOUR = 32
#: Amplitude that the highest sixth of the kept waves may have, as a share of the largest wave's: above it the solution is not resolved.
#: The mean does not count: a moving frame resolves nothing.
TAIL = 1e-3


class PeriodicBurgers:
    """u_t + (u . grad) u = nu laplace u on [0, length)^d, d = 1 or 2, with periodic ends.

    Args:
        size: grid points per direction, even, 8 at least; waves up to a third of it are kept.
        viscosity: [m^2/s], positive.
        length: of the period [m].
        dimension: 1 or 2.

    Raises:
        ConfigurationError: an argument out of range.
    """

    def __init__(self, size: int, *, viscosity: float, length: float = 1.0, dimension: int = 2) -> None:
        problems = [
            f"{key} is {value}, must be positive" for key, value in (("viscosity", viscosity), ("length", length)) if not 0 < value < math.inf
        ]
        if size < 8 or size % 2:
            problems.append(f"size is {size}, must be even and 8 or more")
        if dimension not in (1, 2):
            problems.append(f"dimension is {dimension}, must be 1 or 2")
        if problems:
            raise ConfigurationError("; ".join(problems), where="PeriodicBurgers", remedy="e.g. PeriodicBurgers(192, viscosity=0.01)")
        self.size, self.viscosity, self.length, self.dimension = size, viscosity, length, dimension
        full, half = fft.fftfreq(size, 1.0 / size), fft.rfftfreq(size, 1.0 / size)
        numbers = np.meshgrid(*([full] * (dimension - 1) + [half]), indexing="ij")
        self._highest = np.max(np.abs(numbers), axis=0)
        self._kept = self._highest < size / 3.0
        self._waves = [2.0 * np.pi / length * number for number in numbers]
        self._damping = -viscosity * np.sum([wave**2 for wave in self._waves], axis=0)
        self._axes = tuple(range(-dimension, 0))
        self._weights: tuple[float, tuple[np.ndarray, ...]] | None = None

    @cached_property
    def points(self) -> np.ndarray:
        """(size^d, d) grid points [m], the last coordinate fastest; ``velocity.reshape(d, -1).T`` belongs to them."""
        x = self.length * np.arange(self.size) / self.size
        return np.stack(np.meshgrid(*[x] * self.dimension, indexing="ij"), axis=-1).reshape(-1, self.dimension)

    def solve(self, initial: np.ndarray, times: Sequence[float] | np.ndarray, *, courant: float = _COURANT) -> np.ndarray:
        """Velocities at given times.

        Args:
            initial: (d, size, ..., size) velocity at time 0 [m/s], component k along axis k of the grid.
            times: (t,) increasing, 0 or later [s].
            courant: step = courant * spacing / largest speed at the start (Burgers' speeds do not grow).

        Returns:
            (t, d, size, ..., size) velocities [m/s].

        Raises:
            ConfigurationError: shapes, times or Courant number out of range.
            ConvergenceError: the solution is not resolved: the highest waves carry more than :data:`TAIL` of the largest one.
        """
        initial, times = np.asarray(initial, dtype=np.float64), np.asarray(times, dtype=np.float64)
        self._check(initial, times, courant)
        state, now, frames = self._forward(initial), 0.0, []
        speed = max(float(np.sqrt((initial**2).sum(axis=0)).max()), 1e-300)
        limit = courant * self.length / self.size / speed
        for time in times:
            count = math.ceil((time - now) / limit * (1.0 - 1e-12))
            if count:
                advance = self._stepper((time - now) / count)
                for _ in range(count):
                    state = advance(state)
            now = float(time)
            self._refuse_unresolved(state, now)
            frames.append(self._backward(state))
        return np.stack(frames)

    def _check(self, initial: np.ndarray, times: np.ndarray, courant: float) -> None:
        problems, shape = [], (self.dimension, *(self.size,) * self.dimension)
        if initial.shape != shape or not np.isfinite(initial).all():
            problems.append(f"the initial velocity has shape {initial.shape}, expected finite values {shape}")
        if times.ndim != 1 or not len(times) or times[0] < 0 or not (np.diff(times) > 0).all() or not np.isfinite(times).all():
            problems.append("times must be 0 or later and increase")
        if not 0 < courant <= 1.2:
            problems.append(f"courant is {courant}, must lie in (0, 1.2]")
        if problems:
            raise ConfigurationError("; ".join(problems), where="PeriodicBurgers.solve", remedy="one component per axis, values on the grid `points`")

    def _forward(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(fft.rfftn(values, axes=self._axes)) * self._kept

    def _backward(self, state: np.ndarray) -> np.ndarray:
        return np.asarray(fft.irfftn(state, s=(self.size,) * self.dimension, axes=self._axes))

    def _advection(self, state: np.ndarray) -> np.ndarray:
        """-(u . grad) u in Fourier space: minus the gradient of |u|^2/2, and in the plane omega (v, -u)."""
        if self.dimension == 1:
            return -0.5j * self._waves[0] * self._forward(self._backward(state) ** 2)
        first, second = self._waves
        u, v, omega = self._backward(np.stack([state[0], state[1], 1j * (first * state[1] - second * state[0])]))
        energy, across, along = self._forward(np.stack([0.5 * (u * u + v * v), omega * v, omega * u]))
        return np.stack([across - 1j * first * energy, -along - 1j * second * energy])

    def _stepper(self, step: float) -> Callable[[np.ndarray], np.ndarray]:
        """One step of ETDRK4."""
        if self._weights is None or abs(self._weights[0] - step) > 1e-12 * step:
            self._weights = (step, _weights(self._damping, step))
        whole, half, middle, f1, f2, f3 = self._weights[1]

        def advance(state: np.ndarray) -> np.ndarray:
            n = self._advection(state)
            a = half * state + middle * n
            na = self._advection(a)
            b = half * state + middle * na
            nb = self._advection(b)
            c = half * a + middle * (2.0 * nb - n)
            return whole * state + f1 * n + f2 * (na + nb) + f3 * self._advection(c)

        return advance

    def _refuse_unresolved(self, state: np.ndarray, time: float) -> None:
        amplitude = np.abs(state).max(axis=0)
        largest = max(float(amplitude[self._highest > 0].max()), 1e-6 * float(amplitude.max()))  # less is rounding
        kept = self._highest[self._kept].max()
        tail = float(amplitude[self._kept & (self._highest >= min(5.0 / 18.0 * self.size, kept))].max())
        if not math.isfinite(largest) or tail > TAIL * largest:
            raise ConvergenceError(
                f"at t = {time:.6g} s the shortest waves carry {tail / largest:.1e} of the largest one: "
                f"{self.size} points per direction do not resolve it",
                where="PeriodicBurgers",
                remedy=f"take a finer grid (size={2 * self.size}) or a larger viscosity than {self.viscosity:.3g} m^2/s",
            )


def _weights(damping: np.ndarray, step: float) -> tuple[np.ndarray, ...]:
    """exp(z), exp(z/2), and the weights of the stages, z = damping * step; means over a circle round z avoid their cancellation."""
    z = damping * step
    values, place = np.unique(z, return_inverse=True)
    circle = values[:, None] + np.exp(1j * np.pi * (np.arange(_CONTOUR) + 0.5) / _CONTOUR)
    grown = np.exp(circle)
    found = (
        (np.exp(circle / 2.0) - 1.0) / circle,
        (-4.0 - circle + grown * (4.0 - 3.0 * circle + circle**2)) / circle**3,
        2.0 * (2.0 + circle + grown * (circle - 2.0)) / circle**3,
        (-4.0 - 3.0 * circle - circle**2 + grown * (4.0 - circle)) / circle**3,
    )
    means = tuple(step * item.real.mean(axis=1)[place].reshape(z.shape) for item in found)
    return (np.exp(z), np.exp(z / 2.0), *means)
