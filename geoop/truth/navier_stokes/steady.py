"""Steady incompressible Navier-Stokes: Newton's method with continuation in the Reynolds number.

Newton's method starts from Stokes flow. Where that fails, the problem is solved at higher viscosities first, and each solution starts the
next: steps in log Re that grow after success and are halved after failure. A factorisation is kept as long as it contracts well (the
simplified Newton method: P. Deuflhard, Newton Methods for Nonlinear Problems, 2004, section 2.1.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ...errors import ConditionError, ConvergenceError
from .direct import Factorisation
from .problem import FlowProblem
from .solution import FlowSolution

#: Called after every Newton step with the Reynolds number, the number of steps so far, and the change of the velocity that is still to
#: come, relative to its largest value.
Watch = Callable[[float, int, float], None]


@dataclass(frozen=True)
class SteadySettings:
    """When the iteration stops.

    Attributes:
        tolerance: largest change of a nodal velocity in the last step, relative to the largest velocity.
        newton_steps: most factorisations at one Reynolds number.
        total_steps: most factorisations in all.
        least_damping: of a Newton step; where less would be needed, the method has failed.
        first_step: of the continuation, factor between two Reynolds numbers.
        smallest_step: the same; when even this step fails, the search ends.
    """

    tolerance: float = 1e-10
    newton_steps: int = 14
    total_steps: int = 200
    least_damping: float = 0.05
    first_step: float = 4.0
    smallest_step: float = 1.02


@dataclass
class _Progress:
    watch: Watch | None = None
    steps: int = 0
    factorisations: int = 0

    def step(self, reynolds: float, change: float) -> None:
        """One Newton step more."""
        self.steps += 1
        if self.watch is not None:
            self.watch(reynolds, self.steps, change)


class _NotConverged(Exception):
    """One Newton iteration failed; the continuation goes on with a smaller step."""


class _System:
    """Residual and derivative of the discrete problem at any viscosity."""

    def __init__(self, problem: FlowProblem) -> None:
        space = problem.space
        self.problem, self.space = problem, space
        self.viscous = sp.block_diag([space.stiffness] * 2, format="csr")
        self.gradient = -space.divergence.T.tocsr()
        self.given, self.free = problem.constraints.given(), problem.constraints.free
        self.free_t = self.free.T.tocsr()
        self.source = np.zeros(space.m)
        if problem.constraints.enclosed:  # what the interpolated velocities let through is spread evenly, so that pinning is consistent
            rows = space.divergence @ self.given[: 2 * space.n]
            area = space.pressure_areas
            self.source = area * (rows.sum() / area.sum())

    def residual(self, x: np.ndarray, viscosity: float, *, convection: bool = True) -> np.ndarray:
        """(nz,) of the free unknowns."""
        return self.free_t @ self.full_residual(x, viscosity, convection=convection)

    def full_residual(self, x: np.ndarray, viscosity: float, *, convection: bool = True) -> np.ndarray:
        """(size,) of all unknowns."""
        space, u = self.space, x[: 2 * self.space.n]
        momentum = viscosity * (self.viscous @ u) + self.gradient @ x[2 * space.n :] - self.problem.load
        if convection:
            momentum += space.convection(space.split(x)[0]).T.ravel()
        return np.concatenate([momentum, self.source - space.divergence @ u])

    def factorised(self, x: np.ndarray, viscosity: float, *, convection: bool = True) -> Factorisation:
        """The derivative at x, factorised."""
        block = viscosity * self.viscous
        if convection:
            block = block + self.space.linearised(self.space.split(x)[0])
        matrix = sp.bmat([[block, self.gradient], [self.gradient.T, None]], format="csr")
        return Factorisation(self.free_t @ matrix @ self.free, where=self.space.domain.mesh.name)


def solve_steady(
    problem: FlowProblem, *, start: FlowSolution | None = None, settings: SteadySettings | None = None, watch: Watch | None = None
) -> FlowSolution:
    """A steady solution of the problem.

    It need not be stable: above the first bifurcation the steady branch is followed all the same.

    Args:
        problem: fluid and conditions.
        start: a solution on the same space, for example at a lower Reynolds number; Stokes flow if None.
        settings: tolerances.
        watch: is told of every Newton step, see :data:`Watch`.

    Raises:
        ConvergenceError: no steady solution was found at this Reynolds number; the message names the last that converged.
        ConditionError: the start belongs to another space.
    """
    settings = settings or SteadySettings()
    system, progress = _System(problem), _Progress(watch)
    target = problem.viscosity
    if start is None:
        x, last = _stokes(system, target, progress), math.inf
    else:
        if start.problem.space is not problem.space:
            raise ConditionError("the start belongs to other elements", where="solve_steady", remedy="build both problems on one TaylorHood space")
        x, last = start.unknowns, start.problem.viscosity
        x = system.free @ (system.free_t @ x) + system.given
    attempt, step, solved = target, settings.first_step, None
    while True:
        try:
            guess = _stokes(system, attempt, progress) if math.isinf(last) and attempt != target else x
            solution = _newton(system, guess, attempt, settings, progress)
        except _NotConverged as failed:
            if progress.factorisations >= settings.total_steps:
                raise _failure(problem, last, str(failed)) from failed
            if solved is None and (math.isinf(last) or attempt < last):
                if attempt > 1e6 * target:
                    raise _failure(problem, math.inf, str(failed)) from failed
                attempt *= step  # nothing has converged yet: farther back
                continue
            step = math.sqrt(step)
            if step < settings.smallest_step:
                raise _failure(problem, last, str(failed)) from failed
        else:
            x, last, solved = solution, attempt, True
            if attempt == target:
                x = problem.constraints.centred(x, problem.space.pressure_areas)
                return FlowSolution(problem, x, steps=progress.steps, factorisations=progress.factorisations)
            step = min(step**1.5, settings.first_step**2)
        attempt = max(target, last / step)


def _stokes(system: _System, viscosity: float, progress: _Progress) -> np.ndarray:
    x = system.given.copy()
    progress.factorisations += 1
    return x - system.free @ system.factorised(x, viscosity, convection=False).solve(system.residual(x, viscosity, convection=False))


def _newton(system: _System, x: np.ndarray, viscosity: float, settings: SteadySettings, progress: _Progress) -> np.ndarray:
    """The solution near x: damped Newton with the natural monotonicity test, simplified Newton where that contracts well.

    Raises:
        _NotConverged: the damping becomes too strong, or it is not there after the allowed number of steps.
    """
    n, damping, change, reynolds = system.space.n, 1.0, math.inf, _re(system.problem, viscosity)

    def size(step: np.ndarray) -> float:
        return float(np.abs(step[: 2 * n]).max()) / max(float(np.abs(x[: 2 * n]).max()), 1e-300)

    for _ in range(settings.newton_steps):
        if progress.factorisations >= settings.total_steps:
            break
        matrix = system.factorised(x, viscosity)
        progress.factorisations += 1
        step = system.free @ matrix.solve(system.residual(x, viscosity))
        change, damping = size(step), min(1.0, 4 * damping)
        while True:
            trial = x - damping * step
            following = system.free @ matrix.solve(system.residual(trial, viscosity))
            after = size(following)
            progress.step(reynolds, after)
            if after < (1 - 0.25 * damping) * change or after < settings.tolerance:
                break
            damping *= 0.5
            if damping < settings.least_damping or not math.isfinite(change):
                raise _NotConverged(f"Newton's method stalls where its steps change the velocity by {change:.2g} of its largest value")
        x = trial
        while damping == 1.0 and settings.tolerance < after < 0.05 * change:  # the old factors are still good
            x, change, step = x - following, after, following
            following = system.free @ matrix.solve(system.residual(x, viscosity))
            after = size(following)
            progress.step(reynolds, after)
        if after <= settings.tolerance:
            return x - following
    if math.isinf(change):
        raise _NotConverged(f"all of {settings.total_steps} factorisations are spent")
    raise _NotConverged(f"the last of {settings.newton_steps} Newton steps changed the velocity by {change:.2g} of its largest value")


def _failure(problem: FlowProblem, last: float, why: str) -> ConvergenceError:
    reached = "not even nearly Stokes flow converged" if math.isinf(last) else f"the last Reynolds number that converged is {_re(problem, last):.5g}"
    return ConvergenceError(
        f"no steady solution was found at Reynolds number {problem.reynolds:.5g}: {reached} ({why})",
        where=problem.space.domain.mesh.name,
        remedy="refine the mesh, lower the Reynolds number, or solve in time with UnsteadyFlow(problem): the flow may not be steady",
    )


def _re(problem: FlowProblem, viscosity: float) -> float:
    return problem.reynolds * problem.viscosity / viscosity
