"""Overlapping Schwarz iterations: a region of any size solved part by part, by finite elements, a learned local operator, or a mixture."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from ..errors import ConfigurationError
from ..graph.partition import partition
from ..interfaces.local import LocalSolver
from ..interfaces.outcome import Outcome, Status
from ..mesh.case import Case
from .certificate import certified
from .coarse import CoarseSpace
from .contraction import Contraction, measured
from .decomposition import Decomposition
from .discrete import Discrete, LinearDiscrete
from .equations import Equation
from .krylov import Anderson, flexible_gmres
from .mixture import Mixture
from .part_case import Cutter
from .schwarz_result import SchwarzResult, SweepNote
from .schwarz_settings import SchwarzSettings
from .watch import Watch

_EXACT, _PREDICTED = 1e-8, 1e-4
_LEAST = 0.1  # relaxation that is not halved any more
_SMOOTHING = 3  # Jacobi steps before the coarse correction of a learned iterate
_SETTLING = 3  # sweeps until the range of the solution counts as known


class Schwarz:
    """An iteration on one geometry, prepared once and run for any data.

    One sweep: the coarse correction, then

        u <- u + tau sum_i R_i^T D_i (S_i(u) - R_i u)

    with the parts' answers S_i given u around them, a partition of unity D_i (``restricted``) or D_i = 1 (``additive``); ``multiplicative`` sweeps replace
    the parts of one colour after the other.

    Args:
        case: geometry, coefficients and data; see the equation for their names.
        equation: what holds there.
        solver: of the parts, in one batch; None solves them exactly. A mixture: parts named in ``exact`` are solved exactly in any case.
        settings: how.
        exact: numbers of parts that are solved exactly.

    Raises:
        ConfigurationError: parts that do not overlap, conditions that the solver does not accept, a solver that ignores boundary values, sources and fluxes
            that do not balance where nothing fixes the level.
    """

    def __init__(
        self,
        case: Case,
        equation: Equation,
        solver: LocalSolver | None = None,
        settings: SchwarzSettings | None = None,
        *,
        exact: Sequence[int] = (),
    ) -> None:
        self.settings, self.equation, self.solver = settings or SchwarzSettings(), equation, solver
        s = self.settings
        self.problem: Discrete = equation.discrete(case)
        cut = partition(case.mesh, s.parts, overlap=s.overlap, distance=s.distance, method=s.method)
        self.decomposition = Decomposition.of(self.problem, cut)
        self.cutter = Cutter(case, equation)
        self.parts = Mixture(self.problem, self.decomposition, self.cutter, solver, s, exact)
        smoothing = 0 if self.parts.learned is None or self.parts.learned.exact else _SMOOTHING
        self.coarse = (
            CoarseSpace(self.problem, self.decomposition, self.cutter, kind=s.coarse, modes=s.modes, smoothing=smoothing)
            if s.coarse is not None and len(self.decomposition) > 1
            else None
        )
        self._weights = self.decomposition.weights(s.weights)

    @property
    def _tolerance(self) -> float:
        return self.settings.tolerance or (_EXACT if self.parts.all_exact else _PREDICTED)

    def solve(
        self, case: Case | None = None, *, start: np.ndarray | None = None, progress: Callable[[SweepNote], None] | None = None
    ) -> SchwarzResult:
        """Iterate to the end.

        Args:
            case: other data on the same geometry with the same coefficients; None for those it was made with.
            start: (n c,) first guess, for instance a global network's; None for the mean of the given values, or zero.
            progress: called after every sweep.

        Returns:
            field, outcome with remedy, history; see :class:`SchwarzResult`.

        Raises:
            NonFiniteError: a part's answer is not finite, and there is no fall-back.
        """
        begun = time.perf_counter()
        if case is not None:
            self._drive(self.problem.driven_by(case))
        problem, s = self.problem, self.settings
        u = problem.start(self.first_guess() if start is None else start)
        watch = Watch(self._tolerance, self.parts.all_exact)
        contraction: Contraction | None = None
        tau = s.relaxation or (1.0 / max(self.decomposition.most, 1) if s.rule == "additive" else 1.0)
        if s.acceleration == "gmres":
            u, status = self._by_gmres(u, watch, progress)
        else:
            if s.relaxation is None and not self.parts.all_exact and s.rule != "additive":
                contraction = measured(lambda v: self.sweep(v, 1.0), u, problem.free, size=1.0)
                tau = contraction.relaxation
            u, status = self._iterate(u, tau, watch, progress)
            while status == "diverged" and contraction is not None and tau > _LEAST:  # power iteration gives a lower bound of the factor only
                tau *= 0.5
                watch.begin_again(self._tolerance, self.parts.all_exact)
                u, status = self._iterate(problem.start(self.first_guess()), tau, watch, progress)
            while status in ("diverged", "stagnated", "converged") and self.parts.repair(u if np.isfinite(u).all() else problem.start()):
                watch.begin_again(self._tolerance, self.parts.all_exact)
                u, status = self._iterate(problem.start(u if np.isfinite(u).all() else None), tau, watch, progress)
        outcome = self._outcome(watch, status)
        proof = certified(self, u, s.certify, s.preconditioner) if s.certify else None
        if proof is not None:
            u, outcome = proof.u, proof.outcome(outcome)
        return SchwarzResult.of(self, u, outcome, watch, contraction, tau, proof, time.perf_counter() - begun)

    def sweep(self, u: np.ndarray, relaxation: float = 1.0) -> np.ndarray:
        """(n c,) one sweep, with the coarse correction before."""
        if self.coarse is not None:
            u = self.coarse.corrected(u)
        if self.settings.rule == "multiplicative":
            for colour in self.decomposition.partition.colours:
                u = u + relaxation * self.parts.change(u, colour.tolist(), None)
            return u
        weights = None if self.settings.rule == "additive" else self._weights
        return u + relaxation * self.parts.change(u, range(len(self.decomposition)), weights)

    def _iterate(self, u: np.ndarray, tau: float, watch: Watch, progress: Callable[[SweepNote], None] | None) -> tuple[np.ndarray, Status]:
        mixing = Anderson() if self.settings.acceleration == "anderson" else None
        best, best_left, span = u, np.inf, float(np.ptp(self.problem.values)) if len(self.problem.values) else 0.0
        while len(watch.updates) < self.settings.sweeps:
            moved = self.sweep(u, tau)
            after = self.levelled(moved if mixing is None else mixing.next(u, moved))
            if len(watch.updates) - watch.since < _SETTLING:  # a range that grows with the iterate would hide that it grows
                span = max(span, float(np.ptp(after)))
            update = float(np.sqrt(np.mean((after - u) ** 2))) / (span or 1.0)
            u = after
            status = watch.see(update, self.problem.relative_residual(u) if np.isfinite(u).all() else np.inf)
            if progress is not None:
                progress(SweepNote(len(watch.updates), update, watch.residuals[-1]))
            if watch.residuals[-1] < best_left:
                best, best_left = u, watch.residuals[-1]
            if status is not None:
                return (best if status == "diverged" else u), status
        return u, "max_sweeps_reached"

    def _by_gmres(self, u: np.ndarray, watch: Watch, progress: Callable[[SweepNote], None] | None) -> tuple[np.ndarray, Status]:
        """The fixed point of a linear sweep, (I - G) v = F(u) - u with G v = F(u + v) - F(u); then plain sweeps, if the equations ask for more."""
        if not isinstance(self.problem, LinearDiscrete):
            raise ConfigurationError("GMRES for a nonlinear equation", where=self.problem.mesh.name, remedy="take acceleration='anderson'")
        mapped = self.levelled(self.sweep(u))

        def note(step: int, left: float) -> None:
            watch.updates.append(left)
            watch.residuals.append(np.nan)  # of the equations, known at the end only
            if progress is not None:
                progress(SweepNote(step, left, np.nan))

        def apply(v: np.ndarray) -> np.ndarray:
            return v - (self.levelled(self.sweep(u + v)) - mapped)

        solved = flexible_gmres(apply, mapped - u, lambda r: r, tolerance=watch.tolerance, steps=self.settings.sweeps, progress=note)
        found = self.levelled(u + solved.u)
        left = self.problem.relative_residual(found)
        if watch.residuals:
            watch.residuals[-1] = left
        if solved.converged and self.parts.all_exact and left > watch.tolerance:
            watch.begin_again(watch.tolerance, True)
            return self._iterate(found, 1.0, watch, progress)
        return found, "converged" if solved.converged else "max_sweeps_reached"

    def first_guess(self) -> np.ndarray | None:
        """The mean of the given values where constants are solutions, so that these are met at once; else zero."""
        c = self.problem.components
        if not self.equation.shifts or not len(self.problem.values) or len(self.problem.fixed) % c:
            return None
        return np.tile(self.problem.values.reshape(-1, c).mean(axis=0), self.problem.n // c)

    def levelled(self, u: np.ndarray) -> np.ndarray:
        """u, with mean zero where the equations fix it up to a constant."""
        return self.problem.levelled(u) if isinstance(self.problem, LinearDiscrete) else u

    def _outcome(self, watch: Watch, status: Status) -> Outcome:
        remedy = ""
        if self.problem.floating:
            remedy = "nothing fixes its level: the solution is unique up to a constant, and the one with mean zero is returned"
        made = watch.outcome(status, remedy)
        if self.parts.repaired and made.ok:
            parts = ", ".join(str(k) for k in sorted(self.parts.repaired))
            return Outcome("repaired", f"{made.detail}; parts {parts} of {len(self.decomposition)} solved exactly")
        return made

    def _drive(self, problem: Discrete) -> None:
        self.problem = problem
        for item in (self.parts, self.coarse):
            if item is not None:
                item.driven_by(problem)


def schwarz(case: Case, equation: Equation, solver: LocalSolver | None = None, settings: SchwarzSettings | None = None) -> SchwarzResult:
    """Solve a case part by part: :class:`Schwarz` made and run once."""
    return Schwarz(case, equation, solver, settings).solve()
