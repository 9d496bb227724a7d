"""Burgers' equation in an interval or box whose boundary velocities are given: Chebyshev collocation, three-step IMEX in time.

Diffusion is implicit (BDF3), advection extrapolated (Ascher, Ruuth and Wetton, SIAM J. Numer. Anal. 32 (1995) 797: SBDF3). The
boundary values of the new time enter the implicit problem, so that the order is kept with boundaries that change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ...errors import ConfigurationError, ConvergenceError
from .chebyshev import ChebyshevGrid

#: (points (n, d), time) -> (n, d) velocities [m/s].
Velocity = Callable[[np.ndarray, float], np.ndarray]

#: The highest polynomials' share of the largest coefficient above which the solution is not resolved.
TAIL = 1e-3
_COURANT = 1.0


class BoxBurgers:
    """u_t + (u . grad) u = nu laplace u in the box between two corners, with given velocity on its sides.

    Args:
        degree: of the polynomials per direction; layers of width sqrt(distance from the side) / degree are resolved.
        lower, upper: (d,) corners [m], d = 1 or 2.
        viscosity: [m^2/s], positive.

    Raises:
        ConfigurationError: an argument out of range.
    """

    def __init__(self, degree: int, lower: Sequence[float], upper: Sequence[float], *, viscosity: float) -> None:
        problems = []
        if degree < 8:
            problems.append(f"degree is {degree}, must be 8 or more")
        if len(lower) not in (1, 2) or len(lower) != len(upper) or not all(a < b for a, b in zip(lower, upper, strict=False)):
            problems.append(f"no box of one or two dimensions lies between {tuple(lower)} and {tuple(upper)}")
        if not 0 < viscosity < math.inf:
            problems.append(f"viscosity is {viscosity}, must be positive")
        if problems:
            raise ConfigurationError("; ".join(problems), where="BoxBurgers", remedy="e.g. BoxBurgers(48, (0, 0), (1, 1), viscosity=0.01)")
        self.grid, self.viscosity = ChebyshevGrid(degree, tuple(lower), tuple(upper)), viscosity

    def solve(self, initial: np.ndarray, times: Sequence[float] | np.ndarray, boundary: Velocity, *, step: float | None = None) -> np.ndarray:
        """Velocities at given times.

        Args:
            initial: (d, degree + 1, ..., degree + 1) velocity at time 0 on the grid [m/s].
            times: (t,) increasing, after 0 [s].
            boundary: velocities of the sides.
            step: longest time step [s]; None takes the length over degree^2 per largest speed, looked for anew before every given time
                in the velocity and, at nine times up to the given one, on the sides (inside it never exceeds these).

        Returns:
            (t, d, degree + 1, ..., degree + 1) velocities [m/s].

        Raises:
            ConfigurationError: shapes or times out of range.
            ConvergenceError: the solution is not resolved, or the step is too long.
        """
        initial, times = np.array(initial, dtype=np.float64), np.asarray(times, dtype=np.float64)
        shape = (self.grid.dimension, *self.grid.shape)
        ordered = times.ndim == 1 and len(times) > 0 and bool(np.isfinite(times).all()) and times[0] > 0 and bool((np.diff(times) > 0).all())
        if initial.shape != shape or not np.isfinite(initial).all() or not ordered or (step is not None and not 0 < step < math.inf):
            raise ConfigurationError(
                f"velocity {initial.shape}, {times.shape} times, step {step}; expected finite values {shape}, times after 0 that increase, a positive step",
                where="BoxBurgers.solve",
                remedy="give the velocity at grid.points as (d, n, ..., n)",
            )
        state, now, frames = initial, 0.0, []
        for time in times:
            longest = self._longest_step(state, now, float(time), boundary) if step is None else step
            state = self._advance(state, now, float(time), max(3, math.ceil((time - now) / longest * (1.0 - 1e-12))), boundary)
            now = float(time)
            self._refuse_unresolved(state, now)
            frames.append(state)
        return np.stack(frames)

    def _longest_step(self, state: np.ndarray, start: float, stop: float, boundary: Velocity) -> float:
        rim = self.grid.points[~self.grid.inside.reshape(-1)]
        speeds = [float(np.abs(state).max()), *(float(np.abs(boundary(rim, t)).max()) for t in np.linspace(start, stop, 9))]
        return _COURANT * float(self.grid.sides.min()) / max(*speeds, 1e-300) / self.grid.degree**2

    def _advance(self, state: np.ndarray, start: float, stop: float, count: int, boundary: Velocity) -> np.ndarray:
        step = (stop - start) / count
        states = [state]
        for k in range(2):
            states.append(self._explicit(states[-1], start + k * step, step, boundary))
        forces = [self._advection(item) for item in states]
        for k in range(2, count):
            old2, old1, old = states
            load = (3.0 * old - 1.5 * old1 + old2 / 3.0) / step + 3.0 * forces[2] - 3.0 * forces[1] + forces[0]
            sides = self._sides(boundary, start + (k + 1) * step)
            new = self.grid.helmholtz(11.0 / 6.0 / step, self.viscosity, load, sides)
            states, forces = [old1, old, new], [forces[1], forces[2], self._advection(new)]
        return states[-1]

    def _explicit(self, state: np.ndarray, start: float, step: float, boundary: Velocity) -> np.ndarray:
        """One step by many of the classical Runge-Kutta method: the values that the three-step method starts from."""
        count = max(4, math.ceil(step * self.viscosity * self.grid.stiffness() / 2.0))
        h = step / count
        for k in range(count):
            now = start + k * h
            k1 = self._rate(state)
            k2 = self._rate(self._with_sides(state + 0.5 * h * k1, boundary, now + 0.5 * h))
            k3 = self._rate(self._with_sides(state + 0.5 * h * k2, boundary, now + 0.5 * h))
            k4 = self._rate(self._with_sides(state + h * k3, boundary, now + h))
            state = self._with_sides(state + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4), boundary, now + h)
        return state

    def _rate(self, state: np.ndarray) -> np.ndarray:
        return self._advection(state) + self.viscosity * self.grid.laplacian(state)

    def _advection(self, state: np.ndarray) -> np.ndarray:
        """-(u . grad) u."""
        return -np.sum([state[k] * self.grid.derivative(state, k) for k in range(self.grid.dimension)], axis=0)

    def _sides(self, boundary: Velocity, time: float) -> np.ndarray:
        rim = ~self.grid.inside.reshape(-1)
        values = np.zeros((self.grid.dimension, self.grid.inside.size))
        values[:, rim] = np.asarray(boundary(self.grid.points[rim], time)).T
        return values.reshape(self.grid.dimension, *self.grid.shape)

    def _with_sides(self, state: np.ndarray, boundary: Velocity, time: float) -> np.ndarray:
        return np.where(self.grid.inside, state, self._sides(boundary, time))

    def _refuse_unresolved(self, state: np.ndarray, time: float) -> None:
        if not np.isfinite(state).all():
            raise ConvergenceError(f"the velocity is not finite at t = {time:.6g} s", where="BoxBurgers", remedy="give a shorter step")
        tail = self.grid.tail(state)
        if tail > TAIL:
            raise ConvergenceError(
                f"at t = {time:.6g} s the highest polynomials carry {tail:.1e} of the largest one: degree {self.grid.degree} does not resolve it",
                where="BoxBurgers",
                remedy=f"take a higher degree ({2 * self.grid.degree}) or a larger viscosity than {self.viscosity:.3g} m^2/s",
            )
