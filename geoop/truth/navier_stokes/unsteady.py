"""Incompressible Navier-Stokes in time: second-order backward differences, one factorisation for many steps.

With a step dt, the velocities u_1, u_2 of the two steps before, and a carrier w that is kept as long as the factors are [1]:

    (3 u - 4 u_1 + u_2)/(2 dt) + (w . grad) u + 2 r(u_1) - r(u_2) - nu lap u + grad p = f,    div u = 0
    r(u) = (u . grad) u - (w . grad) u

Only what the flow carries beyond the carrier, its mean since the last factorisation, is explicit. So the step obeys a Courant number of
u - w, which is small where the cells are smallest, at the front of a body. Velocity and pressure are solved for together: there is no
splitting error and div u = 0 holds as on the steady elements. The first step is an Euler step.

[1] U. Ascher, S. Ruuth, B. Wetton, SIAM J. Numer. Anal. 32 (1995) 797, scheme SBDF; the splitting by a carrier is theirs of the linear part.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import scipy.sparse as sp

from ...errors import ConditionError, ConvergenceError
from .direct import Factorisation
from .problem import FlowProblem
from .solution import FlowSolution

#: Change of a barycentric coordinate per step by the flow beyond the carrier (stability), and by all of it (accuracy); a look every so
#: many steps.
COURANT, LARGEST_COURANT, _LOOK = 0.2, 0.5, 10


class UnsteadyFlow:
    """A flow that is advanced step by step.

    The step follows the flow: where it leaves 0.6 to 1.2 of the one that the Courant numbers allow, or a newer mean flow would allow one
    half as long again, a new step and carrier are chosen, the matrix is factorised again, and the history is interpolated to the new step
    (parabola through three steps). A fixed step stays, and so does its carrier.

    Args:
        problem: fluid and conditions; velocities on patches may depend on time.
        start: velocity (n, 2) at the nodes at time 0 [m/s], or a solution on the same space; None: the Stokes flow of the conditions. It
            need not be free of divergence: the first step makes it so.
        step: fixed time step [s]; None: by the Courant number.
        courant: wanted Courant number of the flow beyond the carrier; that of all of it stays below 0.5.

    Raises:
        ConditionError: an impossible step or start.
    """

    def __init__(
        self,
        problem: FlowProblem,
        start: np.ndarray | FlowSolution | None = None,
        *,
        step: float | None = None,
        courant: float = COURANT,
    ) -> None:
        self.problem, self.space = problem, problem.space
        for key, value in (("step", step), ("courant", courant)):
            if value is not None:
                _require_positive(key, value)
        self.fixed, self.courant = step is not None, courant
        n = self.space.n
        self._mass = sp.block_diag([self.space.mass] * 2, format="csr")
        self._viscous = problem.viscosity * sp.block_diag([self.space.stiffness] * 2, format="csr")
        self._gradient = -self.space.divergence.T.tocsr()
        self._free = problem.constraints.free
        self._free_t = self._free.T.tocsr()
        self.time, self.steps, self.factorisations = 0.0, 0, 0
        velocity = self._start(start)
        self._past: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=3)  # velocity and convection, newest first
        self._past.appendleft((velocity, self._convection(velocity)))
        self._largest = max(problem.reference_velocity, float(np.abs(velocity).max()))
        self._carrier, self._sum, self._count = velocity, np.zeros(2 * n), 0
        self.step = step if step is not None else self._allowed(velocity)
        self._matrix: Factorisation | None = None

    def _start(self, start: np.ndarray | FlowSolution | None) -> np.ndarray:
        n = self.space.n
        if start is None:
            start = FlowSolution(self.problem, self._stokes())
        velocity = start.velocity if isinstance(start, FlowSolution) else np.asarray(start, dtype=np.float64)
        if velocity.shape != (n, 2) or not np.isfinite(velocity).all():
            raise ConditionError(
                f"a start of shape {velocity.shape}, or with values that are not finite",
                where="UnsteadyFlow",
                remedy=f"give {n} velocities, one per node: function(problem.space.places)",
            )
        return velocity.T.ravel()

    def _stokes(self) -> np.ndarray:
        matrix = sp.bmat([[self._viscous, self._gradient], [self._gradient.T, None]], format="csr")
        given = self.problem.constraints.given()
        right = np.concatenate([self.problem.load, np.zeros(self.space.m)]) - matrix @ given
        factors = Factorisation(self._free_t @ matrix @ self._free, where=self.space.domain.mesh.name)
        return given + self._free @ factors.solve(self._free_t @ right)

    @property
    def velocity(self) -> np.ndarray:
        """(n, 2) at the nodes, now [m/s]."""
        return self._past[0][0].reshape(2, -1).T

    def _convection(self, velocity: np.ndarray) -> np.ndarray:
        return self.space.convection(velocity.reshape(2, -1).T).T.ravel()

    def _allowed(self, carrier: np.ndarray) -> float:
        """The longest step [s] that the Courant numbers allow with a carrier."""
        velocity = self._past[0][0]
        rates = [self.space.courant_rate(item.reshape(2, -1).T) for item in (velocity - carrier, velocity)]
        limits = [limit / rate for limit, rate in zip((self.courant, LARGEST_COURANT), rates, strict=True) if rate > 0]
        return min(limits, default=np.inf)

    def set_step(self, step: float) -> None:
        """Go on with another time step [s]; what the scheme remembers is interpolated to it. The step is not changed again.

        Raises:
            ConditionError: a step that is not positive.
        """
        _require_positive("step", step)
        self.fixed = True
        self._change(step, self._mean)

    @property
    def _mean(self) -> np.ndarray:
        """Mean velocity since the last factorisation."""
        return self._sum / self._count if self._count else self._past[0][0]

    def _change(self, step: float, carrier: np.ndarray) -> None:
        self._carrier, self._sum, self._count = carrier, np.zeros_like(carrier), 0
        past = list(self._past)
        if len(past) > 1:
            s = np.array([1.0, 2.0]) * step / self.step  # the new places in old steps
            if len(past) == 3:
                weights = np.stack([(1 - s) * (2 - s) / 2, s * (2 - s), s * (s - 1) / 2])
            else:
                weights = np.stack([1 - s, s])
            made = [(_weighted(column, [u for u, _ in past]), _weighted(column, [c for _, c in past])) for column in weights.T]
            self._past = deque([past[0], *made[: len(past) - 1]], maxlen=3)
        self.step, self._matrix = step, None

    def _follow(self) -> None:
        """Choose step and carrier again where the flow asks for it."""
        kept = self._allowed(self._carrier)
        if not np.isfinite(kept):
            raise ConditionError("the fluid is at rest: there is no Courant number", where="UnsteadyFlow", remedy="give the time step: step=...")
        choices = [(kept, self._carrier), (self._allowed(self._mean), self._mean)]
        if kept < self.step / 1.2:
            choices.append((self._allowed(self._past[0][0]), self._past[0][0]))
            choices[2] = (0.5 * choices[2][0], choices[2][1])  # the flow of this moment serves for a short while only
        best, carrier = max(choices, key=lambda choice: choice[0])
        if kept < self.step / 1.2 or best > self.step / 0.6:
            self._change(min(best, 2 * self.step), carrier)

    def advance(self) -> FlowSolution:
        """One step further.

        Raises:
            ConvergenceError: the velocity grows beyond all bounds, because the step is too long for the mesh.
            ConditionError: the step is to be chosen by a flow that is at rest.
        """
        if not self.fixed and self.steps % _LOOK == 0:
            self._follow()
        first = len(self._past) == 1
        factor = (1.0 if first else 1.5) / self.step
        matrix = self._matrix
        if matrix is None or first or self.steps == 1:
            matrix = self._factorise(factor)
        (u1, c1), (u2, c2) = self._past[0], self._past[min(1, len(self._past) - 1)]
        history = u1 / self.step if first else (4 * u1 - u2) / (2 * self.step)
        self.time += self.step
        given = self.problem.constraints.given(self.time)
        self._largest = max(self._largest, float(np.abs(given).max()))
        explicit, known = (c1, u1) if first else (2 * c1 - c2, 2 * u1 - u2)
        momentum = self._mass @ history + self.problem.load - explicit + self._transport @ known
        right = np.concatenate([momentum, -self._source(given)]) - self._whole @ given
        unknowns = given + self._free @ matrix.solve(self._free_t @ right)
        velocity = unknowns[: 2 * self.space.n]
        self.steps += 1
        if not np.abs(velocity).max() < 100 * self._largest:
            raise ConvergenceError(
                f"the velocity reaches {np.abs(velocity).max():.3g} m/s at time {self.time:.5g} s: the step of {self.step:.3g} s is too long",
                where=self.space.domain.mesh.name,
                remedy="give a smaller Courant number or step, or refine the mesh where the flow is fast",
            )
        self._past.appendleft((velocity, self._convection(velocity)))
        self._sum, self._count = self._sum + velocity, self._count + 1
        unknowns = self.problem.constraints.centred(unknowns, self.space.pressure_areas)
        return FlowSolution(self.problem, unknowns, time=self.time, acceleration=factor * velocity - history)

    def _factorise(self, factor: float) -> Factorisation:
        self._transport = sp.block_diag([self.space.transport(self._carrier.reshape(2, -1).T)] * 2, format="csr")
        self._whole = sp.bmat([[factor * self._mass + self._viscous + self._transport, self._gradient], [self._gradient.T, None]], format="csr")
        self._matrix = Factorisation(self._free_t @ self._whole @ self._free, where=self.space.domain.mesh.name)
        self.factorisations += 1
        return self._matrix

    def _source(self, given: np.ndarray) -> np.ndarray:
        """(m,) divergence that interpolated velocities of an enclosed flow leave over, spread evenly, so that pinning is consistent."""
        if not self.problem.constraints.enclosed:
            return np.zeros(self.space.m)
        area = self.space.pressure_areas
        return area * (float((self.space.divergence @ given[: 2 * self.space.n]).sum()) / area.sum())


def _require_positive(key: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise ConditionError(f"{key} is {value}, must be positive", where="UnsteadyFlow", remedy="give a positive number; at the start leave it out")


def _weighted(weights: np.ndarray, items: list[np.ndarray]) -> np.ndarray:
    return np.asarray(weights) @ np.stack(items)
