"""Incompressible Navier-Stokes on a mesh that moves: the arbitrary Lagrangian-Eulerian form on Taylor-Hood elements.

Followed at the moving nodes, the velocity changes by what the flow carries past them [1]:

    du/dt|node + ((u - w) . grad) u - nu lap u + grad p = f,    div u = 0,    w = dx/dt|node

Time derivatives of u and of the places x of the nodes are the same second-order backward difference, and all integrals are over the
mesh at the new time: a uniform flow stays as it is on any moving mesh, to rounding, and a linear one is moved by w as it should. The
convecting velocity is extrapolated, 2 u_1 - u_2 - w, so that every step is one linear solve. The first step is an Euler step.

[1] J. Donea, A. Huerta, J.-Ph. Ponthot, A. Rodriguez-Ferran, Arbitrary Lagrangian-Eulerian methods, Encyclopedia of Computational
    Mechanics, 2004, chapter 14.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from ...errors import ConditionError, ConvergenceError, InvalidMeshError
from ...fem.taylor_hood import TaylorHood
from ...mesh.mesh import Mesh
from ..mesh_in_motion import remade
from .direct import Factorisation
from .problem import FlowProblem
from .solution import FlowSolution

#: Share of the size of a mesh by which its points at time 0 may be off.
_SAME = 1e-9


class MovingFlow:
    """A flow that is advanced step by step on a mesh that moves.

    Args:
        problem: fluid and conditions on the mesh at time 0. Conditions belong to patches and move with them; velocities that are
            functions are asked at the places and time they have come to.
        mesh_at: time [s] -> the same cells at other points, e.g. a deformer's answer to a motion (:mod:`geoop.solve.deformers`); at
            time 0 the mesh of the problem.
        step: time step [s].
        moving: patches on which the fluid sticks to the wall: its velocity there is that of the mesh, whatever the problem says.
        start: velocity (n, 2) at the nodes at time 0 [m/s], or a solution on the same space; None: at rest but for the conditions.

    Raises:
        ConditionError: an impossible step or start.
        InvalidMeshError: the mesh at time 0 is not that of the problem: its points would jump in the first step.
        PatchError: no such patch.
    """

    def __init__(
        self,
        problem: FlowProblem,
        mesh_at: Callable[[float], Mesh],
        step: float,
        *,
        moving: tuple[str, ...] = (),
        start: np.ndarray | FlowSolution | None = None,
    ) -> None:
        if not 0 < step < np.inf:
            raise ConditionError(f"step is {step}, must be positive", where="MovingFlow", remedy="give seconds")
        self.problem, self.step, self.time, self.steps = problem, step, 0.0, 0
        _require_same_start(problem.space.domain.mesh, mesh_at(0.0))
        self._mesh_at, self._wall = mesh_at, problem.space.facet_nodes(*moving) if moving else np.zeros(0, dtype=np.int64)
        velocity = self._start(start)
        self._past: deque[tuple[np.ndarray, np.ndarray]] = deque([(velocity, problem.space.places)], maxlen=2)  # newest first
        self._largest = max(problem.reference_velocity, float(np.abs(velocity).max()))

    def _start(self, start: np.ndarray | FlowSolution | None) -> np.ndarray:
        n = self.problem.space.n
        if start is None:
            return self.problem.constraints.given()[: 2 * n].reshape(2, n).T
        velocity = start.velocity if isinstance(start, FlowSolution) else np.array(start, dtype=np.float64)
        if velocity.shape != (n, 2) or not np.isfinite(velocity).all():
            raise ConditionError(
                f"a start of shape {velocity.shape}, or with values that are not finite",
                where="MovingFlow",
                remedy=f"give {n} velocities, one per node: function(problem.space.places)",
            )
        return velocity

    @property
    def velocity(self) -> np.ndarray:
        """(n, 2) at the nodes, now [m/s]."""
        return self._past[0][0]

    @property
    def mesh(self) -> Mesh:
        """The mesh, now."""
        return self.problem.space.domain.mesh

    def advance(self) -> FlowSolution:
        """One step further; the problem of the solution is that on the mesh at the new time, and its acceleration that at fixed places.

        Raises:
            InvalidMeshError: the mesh of the new time has other cells, or cells that are inside out.
            ConvergenceError: the velocity grows beyond all bounds, because the step is too long for the mesh.
        """
        time = self.time + self.step
        problem = self._on(self._mesh_at(time), time)
        space, first = problem.space, len(self._past) == 1
        (u1, x1), (u2, x2) = self._past[0], self._past[-1]
        factor = (1.0 if first else 1.5) / self.step
        before = [one / self.step if first else (4 * one - two) / (2 * self.step) for one, two in ((u1, u2), (x1, x2))]
        drift = factor * space.places - before[1]
        carrier = (u1 if first else 2 * u1 - u2) - drift
        n = space.n
        block = factor * space.mass + problem.viscosity * space.stiffness + space.transport(carrier)
        gradient = -space.divergence.T.tocsr()
        whole = sp.bmat([[sp.block_diag([block, block]), gradient], [gradient.T, None]], format="csr")
        constraints = problem.constraints
        given = constraints.given(time)
        given[self._wall], given[self._wall + n] = drift[self._wall, 0], drift[self._wall, 1]
        right = np.concatenate([(space.mass @ before[0]).T.ravel() + problem.load, -self._source(problem, given)]) - whole @ given
        factors = Factorisation(constraints.free.T @ whole @ constraints.free, where=space.domain.mesh.name)
        unknowns = given + constraints.free @ factors.solve(constraints.free.T @ right)
        velocity = unknowns[: 2 * n].reshape(2, n).T
        self._largest = max(self._largest, float(np.abs(given).max()))
        if not np.abs(velocity).max() < 100 * self._largest:
            raise ConvergenceError(
                f"the velocity reaches {np.abs(velocity).max():.3g} m/s at time {time:.5g} s: the step of {self.step:.3g} s is too long",
                where=space.domain.mesh.name,
                remedy="give a smaller step, or refine the mesh where the flow is fast",
            )
        past = space.transport(drift) @ velocity  # what the moving nodes see change without the fluid's doing
        acceleration = factor * velocity - before[0] - splu(sp.csc_matrix(space.mass)).solve(past)
        self.problem, self.time, self.steps = problem, time, self.steps + 1
        self._past.appendleft((velocity, space.places))
        return FlowSolution(problem, constraints.centred(unknowns, space.pressure_areas), time=time, acceleration=acceleration.T.ravel())

    def _on(self, mesh: Mesh, time: float) -> FlowProblem:
        """The problem on the mesh of another time."""
        space = remade(TaylorHood, mesh, self.problem.space, time=time, where="MovingFlow")
        return replace(self.problem, space=space)

    @staticmethod
    def _source(problem: FlowProblem, given: np.ndarray) -> np.ndarray:
        """(m,) what given velocities of an enclosed flow leave over of the balance of volume, spread evenly, so that pinning is consistent."""
        space = problem.space
        if not problem.constraints.enclosed:
            return np.zeros(space.m)
        area = space.pressure_areas
        return area * (float((space.divergence @ given[: 2 * space.n]).sum()) / area.sum())


def _require_same_start(own: Mesh, first: Mesh) -> None:
    problem = ""
    if not first.same_cells(own):
        problem = f"{first!r} has other cells than {own!r}"
    else:
        gap = float(np.abs(first.points - own.points).max())
        problem = f"its points lie up to {gap:.3g} m off" if gap > _SAME * float(np.ptp(own.points, axis=0).max()) else ""
    if problem:
        raise InvalidMeshError(
            f"the mesh at time 0 is not that of the problem: {problem}",
            where="MovingFlow",
            remedy="build the problem on mesh_at(0.0): a motion with a phase or a mean does not begin at rest",
        )
