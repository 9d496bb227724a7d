"""Unsteady heat conduction: one factorisation per step size, many initial states and boundary data at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..errors import ConfigurationError, FieldError
from ..mesh.mesh import Mesh
from .diffusion import Diffusion
from .sampling import sampled
from .scalar_forms import mass
from .solving import LinearSystem
from .space import Coefficient, Space

#: Steps of Crank-Nicolson at the start that are taken as two implicit Euler steps of half the size.
DAMPED_STEPS = 2


@dataclass(frozen=True, eq=False)
class HeatData:
    """What drives the heat equation at one time; arrays may have k columns, as in :meth:`Diffusion.solve`.

    Attributes:
        source: f.
        dirichlet: patch -> u; zero on Dirichlet patches that are not named.
        neumann: patch -> flux into the region.
        ambient: patch with a Robin condition -> u outside.
    """

    source: Coefficient = 0.0
    dirichlet: Mapping[str, Coefficient] = field(default_factory=dict)
    neumann: Mapping[str, Coefficient] = field(default_factory=dict)
    ambient: Mapping[str, Coefficient] = field(default_factory=dict)


class Heat:
    """c du/dt - div(a grad u) = f with steps of one size.

    ``implicit_euler`` is of order 1 and damps everything; ``crank_nicolson`` is of order 2, and its first two steps are taken as four
    implicit Euler steps of half the size, which keeps the order and damps what a start that does not fit the boundary values would
    leave ringing (R. Rannacher, "Finite element solution of diffusion problems with irregular data", Numer. Math. 43, 1984). Both kinds
    of step have the same matrix, so there is one factorisation.

    Args:
        mesh: cells that fill a region, or a :class:`Space` on them.
        step: size of the time steps [s].
        conductivity: a > 0, as for :class:`Diffusion`; the diffusivity alpha where c = 1.
        capacity: c > 0 per volume: a number, a function of position, an array over points or cells.
        degree: of the elements.
        dirichlet: patches where u is given.
        robin: patch -> heat transfer coefficient h.
        scheme: ``crank_nicolson`` or ``implicit_euler``.

    Raises:
        ConfigurationError: a step that is not positive, an unknown scheme.
        InvalidMeshError, PatchError, FieldError: as for :class:`Diffusion`.
    """

    def __init__(
        self,
        mesh: Mesh | Space,
        step: float,
        *,
        conductivity: Coefficient = 1.0,
        capacity: Coefficient = 1.0,
        degree: int = 2,
        dirichlet: Sequence[str] = (),
        robin: Mapping[str, Coefficient] | None = None,
        scheme: Literal["crank_nicolson", "implicit_euler"] = "crank_nicolson",
    ) -> None:
        if not 0 < step < np.inf or scheme not in ("crank_nicolson", "implicit_euler"):
            raise ConfigurationError(
                f"step {step} with scheme {scheme!r}", where="Heat", remedy="give a positive step [s], and crank_nicolson or implicit_euler"
            )
        self.steady = Diffusion(mesh, conductivity=conductivity, degree=degree, dirichlet=dirichlet, robin=robin)
        self.space, self.step, self.scheme = self.steady.space, step, scheme
        lowest = float(sampled(self.space, self.space.basis, capacity, "capacity").min())
        if not lowest > 0.0:
            raise FieldError(f"capacity is {lowest:.3g} somewhere", where=self.space.mesh.name, remedy="give positive values")
        self._inertia = mass(self.space, capacity) * ((2.0 if scheme == "crank_nicolson" else 1.0) / step)
        self._free = np.setdiff1d(np.arange(self.space.n), self.steady.fixed)  # all of them where the steady problem pins one
        rows = (self._inertia + self.steady.matrix).tocsr()[self._free]
        self._coupling = rows[:, self.steady.fixed].tocsr()
        self._system = LinearSystem(rows[:, self._free], self.space.mesh.name, dimension=self.space.domain.dimension)

    def march(self, initial: Coefficient, steps: int, data: HeatData | Callable[[float], HeatData] | None = None) -> Iterator[np.ndarray]:
        """The states at 0, step, 2 step, ..., one after the other.

        Args:
            initial: u at time 0, as for :meth:`Space.interpolate`; (n, k) for k solutions at once.
            steps: how many follow.
            data: constant in time, or a function of the time [s]; nothing drives the solution if None.

        Yields:
            (n,) or (n, k) values at the unknowns, ``steps + 1`` times.

        Raises:
            FieldError, ConfigurationError: data that do not fit.
        """
        driven = self._driven(HeatData() if data is None else data)
        u = self.space.interpolate(initial)
        yield u
        for k in range(steps):
            at = k * self.step
            if self.scheme == "implicit_euler":
                u = self._advanced(u, 0.0, *driven(at + self.step))
            elif k < DAMPED_STEPS:
                u = self._advanced(u, 0.0, *driven(at + 0.5 * self.step))
                u = self._advanced(u, 0.0, *driven(at + self.step))
            else:
                before, _ = driven(at)
                after, fixed = driven(at + self.step)
                u = self._advanced(u, 1.0, _sum(before, after), fixed)
            yield u

    def _advanced(self, u: np.ndarray, explicit: float, right: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        """One step from u; ``explicit`` is the share of K u that is taken at the old time."""
        old = self._inertia @ u
        if explicit:
            old = old - explicit * (self.steady.matrix @ u)
        columns = max(old.ndim, right.ndim, fixed.ndim) == 2
        total = _sum(old, right)
        total = total.reshape(len(total), -1)
        fixed = fixed if fixed.ndim == 2 else fixed[:, None]
        known = total[self._free] - self._coupling @ fixed
        answer = np.empty((self.space.n, known.shape[1]))
        answer[self.steady.fixed] = fixed
        answer[self._free] = self._system.solve(known)
        return answer if columns else answer[:, 0]

    def _driven(self, data: HeatData | Callable[[float], HeatData]) -> Callable[[float], tuple[np.ndarray, np.ndarray]]:
        """time -> (load, values of the fixed unknowns); constant data are assembled once."""

        def assembled(now: HeatData) -> tuple[np.ndarray, np.ndarray]:
            self.steady.require_conditions(now.dirichlet, now.neumann, now.ambient)
            return self.steady.load(now.source, neumann=now.neumann, ambient=now.ambient), self.steady.boundary_values(now.dirichlet)

        if isinstance(data, HeatData):
            constant = assembled(data)
            return lambda time: constant
        known: dict[float, tuple[np.ndarray, np.ndarray]] = {}

        def at(time: float) -> tuple[np.ndarray, np.ndarray]:
            if time not in known:
                while len(known) > 1:
                    known.pop(next(iter(known)))
                known[time] = assembled(data(time))
            return known[time]

        return at


def _sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a + b where one of them may have columns."""
    if a.ndim == b.ndim:
        return a + b
    return a[:, None] + b if a.ndim < b.ndim else a + b[:, None]
