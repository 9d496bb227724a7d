"""Large deformations: Newton's method in load steps that are halved where it fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError, ConvergenceError
from ...fem.elastic_laws import NeoHookean
from ...fem.elasticity import Displacements
from ...mesh.mesh import Mesh
from .linear import factorised, require_dimension
from .loads import Loads, held, load_vector
from .solution import ElasticSolution

_MOST_ITERATIONS = 12
_MOST_HALVINGS = 6  # of a Newton step that turns a cell inside out or makes the residual worse


@dataclass(frozen=True)
class LoadStep:
    """One converged step.

    Attributes:
        share: of the loads, 0 to 1.
        iterations: of Newton's method.
        energy: strain energy [J; J/m in 2-D].
        displacement: (n, d) of the nodes [m].
        force: (n, d) internal forces of the nodes, in balance with loads and supports [N; N/m in 2-D].
    """

    share: float
    iterations: int
    energy: float
    displacement: np.ndarray
    force: np.ndarray


def solve_hyperelastic(
    mesh: Mesh, law: NeoHookean, loads: Loads, *, degree: int = 2, first_step: float = 1.0, smallest_step: float = 1 / 256, tolerance: float = 1e-10
) -> tuple[ElasticSolution, tuple[LoadStep, ...]]:
    """The deformed state under full loads, and the steps on the way to it.

    All loads and displacements grow in proportion. A step where Newton's method fails is halved; after one that took few
    iterations the next is twice as long.

    Args:
        mesh: the undeformed body; see :class:`~geoop.truth.elasticity.linear.LinearElasticity`.
        law: of the material.
        loads: at their end; tractions keep direction and act on the undeformed area.
        degree: of the displacement, 1 or 2.
        first_step: share of the loads in the first step, above 0 to 1.
        smallest_step: share below which is given up.
        tolerance: of the unbalanced forces over the largest force on a node (or over that of a strain of 1e-4, if larger).

    Raises:
        ConvergenceError: not even the smallest step converges (the load is beyond a limit point or a cell collapses); says how far it got.
        ConditionError: loads that do not fit the mesh, or a body that is not held.
        ConfigurationError: an argument out of range.
    """
    if not (0 < smallest_step <= first_step <= 1 and 0 < tolerance < 1):
        raise ConfigurationError(
            f"steps {first_step} to {smallest_step} and tolerance {tolerance}",
            where="solve_hyperelastic",
            remedy="give 0 < smallest_step <= first_step <= 1 and 0 < tolerance < 1",
        )
    displacements = Displacements.of(mesh, degree)
    require_dimension(displacements, law)
    fixed, target = held(displacements, loads)
    force = load_vector(displacements, loads)
    solver = _Newton(displacements, law, fixed, target, force, tolerance)
    steps: list[LoadStep] = []
    share, length, now = 0.0, first_step, np.zeros_like(target)
    while share < 1.0:
        goal = min(1.0, share + length)
        found = solver.step(now, share, goal)
        if found is None:
            length = 0.5 * (goal - share)
            if length < smallest_step:
                raise ConvergenceError(
                    f"no equilibrium was found beyond {share:.1%} of the loads",
                    where=mesh.name,
                    remedy="give smaller loads, a finer mesh where it deforms most, or a smaller smallest_step",
                )
            continue
        steps.append(found)
        share, now = goal, found.displacement
        length *= 2.0 if found.iterations <= 5 else 1.0
    last = steps[-1]
    return ElasticSolution(displacements, law, loads, now, last.force - force, force, fixed), tuple(steps)


@dataclass(frozen=True, eq=False)
class _Newton:
    displacements: Displacements
    law: NeoHookean
    fixed: np.ndarray
    target: np.ndarray
    force: np.ndarray
    tolerance: float

    def step(self, start: np.ndarray, before: float, share: float) -> LoadStep | None:
        """From equilibrium at one share of the loads to another; None where that fails."""
        free = ~self.fixed.ravel()
        now, jump = start, np.where(self.fixed, (share - before) * self.target, 0.0)
        internal = self._internal(now)
        for iteration in range(_MOST_ITERATIONS + 1):
            residual = (internal - share * self.force).ravel()[free]
            scale = max(np.abs(internal).max(), np.abs(share * self.force).max(), self._smallest_force)
            if not jump.any() and np.abs(residual).max(initial=0.0) <= self.tolerance * scale:
                gradient = self.displacements.gradient(now)
                energy = float((self.law.energy(gradient) * self.displacements.weights).sum())
                return LoadStep(share, iteration, energy, now, internal)
            move = self._direction(now, residual, jump, free)
            found = None if move is None else self._along(now, move, share, free, None if jump.any() else np.linalg.norm(residual))
            if found is None:
                return None
            now, internal = found
            jump = np.zeros_like(jump)
        return None

    @property
    def _smallest_force(self) -> float:
        """What a strain of 1e-4 does to a cell: a body without stress (one that was turned) is not asked for digits of nothing."""
        size = self.displacements.weights.sum(axis=1).mean() ** (1 / self.displacements.dimension)
        return 1e-4 * self.law.young * float(size) ** (self.displacements.dimension - 1)

    def _internal(self, displacement: np.ndarray) -> np.ndarray:
        return self.displacements.force(self.law.stress(self.displacements.gradient(displacement)))

    def _direction(self, now: np.ndarray, residual: np.ndarray, jump: np.ndarray, free: np.ndarray) -> np.ndarray | None:
        matrix = self.displacements.stiffness(self.law.tangent(self.displacements.gradient(now)))
        move = jump.ravel().copy()
        try:
            move[free] = factorised(matrix[free][:, free], "tangent").solve(-residual - (matrix @ move)[free])
        except ConvergenceError:
            return None
        return move.reshape(now.shape) if np.isfinite(move).all() else None

    def _along(self, now: np.ndarray, move: np.ndarray, share: float, free: np.ndarray, norm: float | None) -> tuple[np.ndarray, np.ndarray] | None:
        """The first of the halved moves that keeps every cell upright and does not double the residual (held nodes never go half way)."""
        for halving in range(_MOST_HALVINGS if norm is not None else 1):
            there = now + 0.5**halving * move
            internal = self._internal(there)
            if np.isfinite(internal).all():
                found = np.linalg.norm((internal - share * self.force).ravel()[free])
                if norm is None or found <= 2 * norm:
                    return there, internal
        return None
