"""Forces of a plane flow on patches: by the residual of the momentum equation, and by integration of the stress.

The residual form tests the discrete momentum equation with functions that are one on the patch and zero away from it. Its error is that of
a functional of the solution, of twice the order of the stress integral (M. Giles, M. Larson, J. Levenstam, E. Suli, Oxford NA-97/06; V.
John, Int. J. Numer. Meth. Fluids 44 (2004) 777).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import PatchError
from ...fem.flow_fields import surface_force
from ...fem.taylor_hood import TaylorHood
from .solution import FlowSolution


@dataclass(frozen=True)
class Force:
    """Force on a body per metre of depth.

    Attributes:
        x, y: [N/m].
        drag_coefficient, lift_coefficient: along x and y, over rho U^2 L / 2 with the problem's reference values.
    """

    x: float
    y: float
    drag_coefficient: float
    lift_coefficient: float


class ForceGauge:
    """The residual form on some patches, prepared for many solutions on one space: only cells at the patches are visited.

    Args:
        space: elements of the solutions.
        patches: of the body, at rest.

    Raises:
        PatchError: no patch named, or none of that name.
    """

    def __init__(self, space: TaylorHood, *patches: str) -> None:
        _require(patches)
        self._space, self._nodes = space, space.facet_nodes(*patches)
        self._cells = np.flatnonzero(np.isin(space.nodes, self._nodes).any(axis=1))
        self._stiffness, self._mass = (np.asarray(matrix[self._nodes].sum(axis=0)).ravel() for matrix in (space.stiffness, space.mass))
        columns = np.concatenate([self._nodes, self._nodes + space.n])
        by_axis = space.divergence[:, columns]
        count = len(self._nodes)
        self._pressure = np.stack([np.asarray(part.sum(axis=1)).ravel() for part in (by_axis[:, :count], by_axis[:, count:])])

    def __call__(self, solution: FlowSolution) -> Force:
        """The force that the fluid exerts on the patches."""
        problem, space = solution.problem, self._space
        velocity, pressure = space.split(solution.unknowns)
        total = problem.viscosity * (self._stiffness @ velocity) - self._pressure @ pressure
        total += space.convection(velocity, self._cells)[self._nodes].sum(axis=0)
        total -= problem.load.reshape(2, space.n)[:, self._nodes].sum(axis=1)
        if solution.acceleration is not None:
            total += self._mass @ solution.acceleration.reshape(2, space.n).T
        return _force(solution, -total)


def force(solution: FlowSolution, *patches: str) -> Force:
    """Force on patches at rest by the residual form, exact in the variational sense.

    Nodes that the patches share with other patches count fully: meant for bodies that touch no other patch.

    Raises:
        PatchError: no patch named, or none of that name.
    """
    return ForceGauge(solution.problem.space, *patches)(solution)


def force_by_stress(solution: FlowSolution, *patches: str) -> Force:
    """Force on patches by integration of pressure and viscous stress over them; lower order than :func:`force`.

    Raises:
        PatchError: no patch named, or none of that name.
    """
    _require(patches)
    problem = solution.problem
    pressure, friction = surface_force(problem.space, solution.unknowns, problem.viscosity, patches)
    return _force(solution, pressure + friction)


def _force(solution: FlowSolution, per_density: np.ndarray) -> Force:
    problem = solution.problem
    scale = 0.5 * problem.reference_velocity**2 * problem.reference_length
    x, y = (float(v) for v in per_density)
    return Force(problem.density * x, problem.density * y, x / scale, y / scale)


def _require(patches: tuple[str, ...]) -> None:
    if not patches:
        raise PatchError("no patch is named", where="force", remedy="name the patches of the body, for example force(solution, 'body')")
