"""Unsteady advection and diffusion of a scalar on equal cells: second order where it is smooth, no overshoot at sharp fronts.

c_t + div(a c) = D laplace(c), as finite volumes: upwind values from limited slopes (van Leer, J. Comput. Phys. 23 (1977) 276),
central diffusion, and the strong-stability-preserving Runge-Kutta method of order 3 (Shu and Osher 1988). The step is short
enough that every forward Euler stage is a mean of old values where the flow through the faces of every cell sums to zero: then
new values lie between the smallest and the largest of the old ones and of the boundary's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ...errors import ConfigurationError
from .box_grid import BoxGrid

_SAFETY = 0.95


class ScalarTransport:
    """Advection and diffusion on a grid.

    Args:
        grid: equal cells in one or two dimensions.
        velocity: places (n, d) -> (n, d) velocity [m/s], steady.
        diffusivity: 0 or more [m^2/s].
        boundary: (places (n, d), time) -> (n,) values on the sides: flow that enters brings them, and diffusion sees them. None:
            the box is periodic.

    Raises:
        ConfigurationError: a negative diffusivity, or velocities that are not finite.
    """

    def __init__(
        self,
        grid: BoxGrid,
        velocity: Callable[[np.ndarray], np.ndarray],
        diffusivity: float,
        boundary: Callable[[np.ndarray, float], np.ndarray] | None = None,
    ) -> None:
        self.grid, self.diffusivity, self.boundary = grid, diffusivity, boundary
        self._normal = []
        for axis in range(grid.dimension):
            faces = grid.faces(axis)
            through = np.asarray(velocity(faces.reshape(-1, grid.dimension)), dtype=np.float64)[:, axis].reshape(faces.shape[:-1])
            if boundary is None:  # the last face is the first one
                through = np.moveaxis(through, axis, 0).copy()
                through[-1] = through[0]
                through = np.moveaxis(through, 0, axis)
            self._normal.append(through)
        if not 0.0 <= diffusivity < math.inf or not all(np.isfinite(item).all() for item in self._normal):
            raise ConfigurationError(
                f"diffusivity {diffusivity}, or a velocity that is not finite", where="ScalarTransport", remedy="give finite SI values, D >= 0"
            )

    @property
    def divergence(self) -> float:
        """The largest net flow out of a cell [1/s]: 0 up to rounding is what boundedness needs."""
        net = sum(np.diff(through, axis=k) / self.grid.spacing[k] for k, through in enumerate(self._normal))
        return float(np.abs(net).max())

    @property
    def longest_step(self) -> float:
        """The longest bounded time step [s]."""
        rate = sum(
            2.0 * float(np.abs(through).max()) / h + 4.0 * self.diffusivity / h**2 for through, h in zip(self._normal, self.grid.spacing, strict=True)
        )
        return _SAFETY / rate if rate else math.inf

    def solve(self, initial: np.ndarray, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Means of the cells at given times.

        Args:
            initial: (*shape) means of the cells at time 0.
            times: (t,) increasing, 0 or later [s].

        Returns:
            (t, *shape).

        Raises:
            ConfigurationError: shapes or times out of range.
        """
        state, times, now, frames = np.array(initial, dtype=np.float64), np.asarray(times, dtype=np.float64), 0.0, []
        ordered = times.ndim == 1 and len(times) > 0 and bool(np.isfinite(times).all()) and times[0] >= 0 and bool((np.diff(times) > 0).all())
        if state.shape != self.grid.shape or not np.isfinite(state).all() or not ordered:
            raise ConfigurationError(
                f"start {state.shape} and {times.shape} times: expected finite values {self.grid.shape} and times of 0 or later that increase",
                where="ScalarTransport.solve",
                remedy="give one value per cell, e.g. of a function at grid.centers",
            )
        for time in times:
            count = math.ceil((time - now) / self.longest_step)
            step = (time - now) / max(count, 1)
            for k in range(count):
                at = now + k * step
                first = state + step * self._rate(state, at)
                second = 0.75 * state + 0.25 * (first + step * self._rate(first, at + step))
                state = state / 3.0 + 2.0 / 3.0 * (second + step * self._rate(second, at + 0.5 * step))
            now = float(time)
            frames.append(state)
        return np.stack(frames)

    def _rate(self, state: np.ndarray, time: float) -> np.ndarray:
        """(*shape) of c_t."""
        rate = np.zeros_like(state)
        for axis, h in enumerate(self.grid.spacing):
            values = np.moveaxis(state, axis, 0)
            ends = self._ends(axis, time) if self.boundary is not None else None
            flow = _flow(values, np.moveaxis(self._normal[axis], axis, 0), self.diffusivity / h, ends)
            rate -= np.moveaxis(np.diff(flow, axis=0), 0, axis) / h
        return rate

    def _ends(self, axis: int, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Boundary values on the two sides normal to an axis."""
        assert self.boundary is not None
        faces = np.moveaxis(self.grid.faces(axis), axis, 0)
        shape = faces.shape[1:-1]
        first, last = (np.asarray(self.boundary(faces[k].reshape(-1, self.grid.dimension), time)).reshape(shape) for k in (0, -1))
        return first, last


def _flow(values: np.ndarray, through: np.ndarray, diffusion: float, ends: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
    """(n + 1, ...) flow through the faces along the first axis of the values (n, ...), towards larger indices.

    Args:
        values: means of the cells.
        through: (n + 1, ...) velocity through the faces.
        diffusion: D / spacing.
        ends: values on the first and last face; None where these two are one face.
    """
    if ends is None:
        before, after = values[-1:], values[:1]
    else:  # beyond a side, the value that makes the side's own the middle
        before, after = 2.0 * ends[0][None] - values[:1], 2.0 * ends[1][None] - values[-1:]
    jump = np.diff(np.concatenate([before, values, after]), axis=0)
    left, right = jump[:-1], jump[1:]
    product = left * right
    total = left + right
    slope = np.where(product > 0.0, 2.0 * product / np.where(total == 0.0, 1.0, total), 0.0)
    if ends is not None:  # nor beyond the side's value, which is only half a cell away
        slope[0] = np.clip(slope[0], -np.abs(left[0]), np.abs(left[0]))
        slope[-1] = np.clip(slope[-1], -np.abs(right[-1]), np.abs(right[-1]))
    low, high = values - 0.5 * slope, values + 0.5 * slope
    behind = np.concatenate([high[-1:] if ends is None else ends[0][None], high])
    ahead = np.concatenate([low, low[:1] if ends is None else ends[1][None]])
    return np.maximum(through, 0.0) * behind + np.minimum(through, 0.0) * ahead - diffusion * jump
