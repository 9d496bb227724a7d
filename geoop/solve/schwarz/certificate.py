"""A result that needs no faith: a Krylov solve to a tolerance that the user names, from the stitched field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...errors import ConfigurationError
from ...interfaces.outcome import Outcome
from ..discrete import Discrete, LinearDiscrete
from .krylov import Map, Solved, conjugate_directions, flexible_gmres
from .local_exact import ExactParts

if TYPE_CHECKING:
    from .iteration import Schwarz

Preconditioner = Literal["exact", "learned", "directions"]
_STEPS, _NEWTON = 400, 12


@dataclass(frozen=True, eq=False)
class Certificate:
    """What a Krylov solve made of a stitched field.

    Attributes:
        u: (n c,) the solution.
        tolerance: asked for, of the relative residual (:meth:`~geoop.solve.discrete.Discrete.relative_residual`).
        residual: reached.
        steps: preconditioned steps from the stitched field.
        from_zero: the same from the mean of the given values: the difference is what the field saved.
        method: in words.
    """

    u: np.ndarray
    tolerance: float
    residual: float
    steps: int
    from_zero: int
    method: str

    @property
    def met(self) -> bool:
        return self.residual <= self.tolerance

    @property
    def saved(self) -> int:
        """Steps that the stitched field saved against a start from zero; negative where it cost some."""
        return self.from_zero - self.steps

    def outcome(self, before: Outcome) -> Outcome:
        """The outcome of the whole."""
        steps = f"{self.steps} step{'s' * (self.steps != 1)} of {self.method}, {self.from_zero} from scratch"
        text = f"certified: residual {self.residual:.1e}, tolerance {self.tolerance:.0e}, {steps}"
        if self.met:
            return Outcome("converged", text, before.remedy if "up to a constant" in before.remedy else "")
        return Outcome("stagnated", f"{text}; before: {before}", "take the exact preconditioner, more overlap or a looser tolerance")


def certified(iteration: Schwarz, u: np.ndarray, tolerance: float, kind: Preconditioner) -> Certificate:
    """Solve the discrete equations from a stitched field, preconditioned by one Schwarz sweep on the residual.

    Raises:
        ConfigurationError: learned sweeps as preconditioner, and the local operator takes no sources.
    """
    problem, scratch = iteration.problem, iteration.problem.start(iteration.first_guess())
    if not isinstance(problem, LinearDiscrete):
        found, steps = _newton(iteration, problem.start(u), tolerance)
        _, zero = _newton(iteration, scratch, tolerance)
        return Certificate(found, tolerance, problem.relative_residual(found), steps, zero, "Newton's method and GMRES")
    precondition = _sweep(iteration, problem, kind)
    method: Callable[..., Solved] = conjugate_directions if kind == "directions" else flexible_gmres
    free = problem.free
    rows, root = problem.matrix[free][:, free], np.sqrt(problem.scale[free])
    sweep = _on(free, precondition)

    def run(start: np.ndarray) -> tuple[np.ndarray, int]:
        """In unknowns scaled by the root of the diagonal, whose Euclidean norm of the residual is the size that tolerances are meant in."""
        right = problem.residual(start)[free] / root
        target = tolerance * problem.zero_size / (float(np.linalg.norm(right)) or 1.0)
        solved = method(lambda v: (rows @ (v / root)) / root, right, lambda r: sweep(r * root) * root, tolerance=target, steps=_STEPS)
        found = start.copy()
        found[free] += solved.u / root
        return iteration.levelled(found), solved.steps

    found, steps = run(problem.start(u))
    _, zero = run(scratch)
    name = f"{'conjugate directions' if kind == 'directions' else 'flexible GMRES'} with {'exact' if kind == 'exact' else 'learned'} sweeps"
    return Certificate(found, tolerance, problem.relative_residual(found), steps, zero, name)


def _on(free: np.ndarray, whole: Map) -> Map:
    def part(r: np.ndarray) -> np.ndarray:
        full = np.zeros(len(free))
        full[free] = r
        return whole(full)[free]

    return part


def _sweep(iteration: Schwarz, problem: LinearDiscrete, kind: Preconditioner) -> Map:
    """r -> one sweep from zero on A e = r: the coarse correction, then the parts."""
    parts, learned, ranks = iteration.parts.exact, iteration.parts.learned, iteration.parts.ranks
    if kind != "exact":
        if learned is None or not iteration.equation.takes_sources:
            raise ConfigurationError(
                "a learned preconditioner needs a local operator that takes sources",
                where=problem.mesh.name,
                remedy="certify with preconditioner='exact'",
            )
        learned.require_sources()
    weights = iteration.decomposition.weights(iteration.settings.weights)

    def precondition(residual: np.ndarray) -> np.ndarray:
        e = iteration.coarse.correction(residual) if iteration.coarse is not None else np.zeros_like(residual)
        left = np.where(problem.free, residual - problem.matrix @ e, 0.0)
        change, own = np.zeros_like(e), ranks.own(range(len(iteration.decomposition)))
        if kind == "exact":
            assert isinstance(parts, ExactParts)
            steps = [parts.correction(left, k) for k in own]
        else:
            assert learned is not None
            steps = learned.corrections(left, own)
        for k, step in zip(own, steps, strict=True):
            change[iteration.decomposition.dofs[k]] += weights[k] * step
        return e + ranks.total(change)

    return precondition


def _newton(iteration: Schwarz, u: np.ndarray, tolerance: float) -> tuple[np.ndarray, int]:
    """Newton's method, every tangent solved by GMRES with exact sweeps; the preconditioned steps of all."""
    problem, steps = iteration.problem, 0
    for _ in range(_NEWTON):
        residual, left = problem.residual(u), problem.relative_residual(u)
        if left <= tolerance:
            break
        tangent = _tangent(problem, u)
        parts = ExactParts(tangent, iteration.decomposition, iteration.cutter)
        weights, free = iteration.decomposition.weights("average"), problem.free

        def sweep(r: np.ndarray, parts: ExactParts = parts, weights: tuple[np.ndarray, ...] = weights) -> np.ndarray:
            change = np.zeros_like(r)
            for k, dofs in enumerate(iteration.decomposition.dofs):
                change[dofs] += weights[k] * parts.correction(r, k)
            return change

        rows = tangent.matrix[free][:, free]
        solved = flexible_gmres(
            lambda v, rows=rows: rows @ v, residual[free], _on(free, sweep), tolerance=max(1e-3, 0.3 * tolerance / left), steps=_STEPS
        )
        u = u.copy()
        u[free] += solved.u
        steps += solved.steps
    return u, steps


def _tangent(problem: Discrete, u: np.ndarray) -> LinearDiscrete:
    return LinearDiscrete(
        problem.case,
        problem.quantity,
        problem.nodes,
        problem.components,
        problem.fixed,
        problem.values,
        problem.load,
        problem.assemble,
        problem.tangent(u),
        False,
    )
