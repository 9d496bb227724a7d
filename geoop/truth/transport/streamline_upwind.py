"""Advection and diffusion of a scalar on triangles or tetrahedra, steady and in time, by linear elements stabilised along the flow.

Sharp layers are kept within a cell or two of their place; small overshoots beside layers that lie askew to the mesh remain. Where
none may be, take :mod:`geoop.truth.transport.finite_volume` or :mod:`geoop.truth.transport.exponential_fitting` on equal cells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ...errors import ConfigurationError, ConvergenceError
from ...fem.advection import StreamlineForms
from ...fem.solving import LinearSystem
from ...fem.space import Function, Space
from ...mesh.mesh import Mesh


class StreamlineUpwind:
    """c_t + a . grad(c) - D laplace(c) = f, c given on some patches, D dc/dn = 0 on the others (where the flow should leave).

    Args:
        mesh: of linear triangles or tetrahedra.
        velocity: (m, d) points -> (m, d) [m/s], steady and free of divergence.
        diffusivity: positive [m^2/s].
        dirichlet: patches where c is given; at least one for steady problems.

    Raises:
        InvalidMeshError, PatchError: cells without an element, or no such patch.
        ConfigurationError: a diffusivity that is not positive.
    """

    def __init__(self, mesh: Mesh, velocity: Function, diffusivity: float, *, dirichlet: Sequence[str]) -> None:
        self.space = Space.of(mesh, 1)
        self._forms = StreamlineForms(self.space, velocity, diffusivity)
        self.fixed = self.space.on(*dirichlet) if dirichlet else np.zeros(0, dtype=np.int64)
        self.free = np.setdiff1d(np.arange(self.space.n), self.fixed)

    def steady(self, boundary: Function, source: Function | None = None) -> np.ndarray:
        """(n,) values at ``space.points`` of the steady problem.

        Args:
            boundary: (m, d) points -> (m,) values on the Dirichlet patches.
            source: (m, d) points -> (m,) f [1/s]; none if None.

        Raises:
            ConfigurationError: no Dirichlet patch.
            ConvergenceError: the system is singular, or data are not finite.
        """
        if not len(self.fixed):
            raise ConfigurationError("no value is given anywhere", where=self.space.mesh.name, remedy="name the inflow: dirichlet=('inlet',)")
        c = np.zeros(self.space.n)
        c[self.fixed] = boundary(self.space.points[self.fixed])
        matrix = self._forms.stiffness[self.free]
        right = self._load(source)[self.free] - matrix[:, self.fixed] @ c[self.fixed]
        c[self.free] = LinearSystem(matrix[:, self.free], self.space.mesh.name, symmetric=False).solve(right)
        return self._finite(c)

    def march(
        self,
        initial: Function,
        times: Sequence[float] | np.ndarray,
        boundary: Callable[[np.ndarray, float], np.ndarray],
        *,
        step: float,
        source: Function | None = None,
    ) -> np.ndarray:
        """(t, n) values at given times by the trapezoidal rule, of order 2.

        Args:
            initial: (m, d) points -> (m,) values at time 0.
            times: (t,) increasing multiples of the step, 0 or later [s].
            boundary: (points, time) -> values on the Dirichlet patches.
            step: [s].
            source: steady f.

        Raises:
            ConfigurationError: a step that is not positive, or times that are no increasing multiples of it.
            ConvergenceError: data are not finite.
        """
        times = np.asarray(times, dtype=np.float64)
        sound = 0 < step < math.inf and times.ndim == 1 and bool(np.isfinite(times).all())
        numbers = np.round(times / step).astype(np.int64) if sound else np.zeros(0, dtype=np.int64)
        if (
            not len(numbers)
            or numbers[0] < 0
            or (np.diff(numbers) <= 0).any()
            or np.abs(numbers * step - times).max() > 1e-9 * step * max(1, numbers[-1])
        ):
            raise ConfigurationError(f"times {times} with step {step}", where="march", remedy="give a positive step and increasing multiples of it")
        mass, stiffness, load = self._forms.mass * (1.0 / step), self._forms.stiffness, self._load(source)[self.free]
        new, old = (mass + 0.5 * stiffness)[self.free], (mass - 0.5 * stiffness)[self.free]
        system, coupling = LinearSystem(new[:, self.free], self.space.mesh.name, symmetric=False), new[:, self.fixed]
        c, frames, rim = np.asarray(initial(self.space.points), dtype=np.float64).copy(), [], self.space.points[self.fixed]
        for k in range(numbers[-1] + 1):
            if k:
                right = old @ c + load
                c = c.copy()
                c[self.fixed] = boundary(rim, k * step)
                c[self.free] = system.solve(right - coupling @ c[self.fixed])
            if k in numbers:
                frames.append(self._finite(c))
        return np.stack(frames)

    def _load(self, source: Function | None) -> np.ndarray:
        return np.zeros(self.space.n) if source is None else self._forms.load(source)

    def _finite(self, c: np.ndarray) -> np.ndarray:
        if not np.isfinite(c).all():
            raise ConvergenceError("values are not finite", where=self.space.mesh.name, remedy="look at velocity, source and boundary values")
        return c
