"""Overlapping Schwarz iterations: a region of any size solved part by part, by finite elements, a learned local operator, or a mixture."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from ...errors import ConfigurationError
from ...graph.partition import partition
from ...interfaces.local import LocalSolver
from ...interfaces.outcome import Outcome, Status
from ...mesh.case import Case
from ..discrete import Discrete, LinearDiscrete
from ..equations import Equation
from .certificate import certified
from .coarse import CoarseSpace
from .contraction import Contraction, measured
from .decomposition import Decomposition
from .krylov import Anderson, flexible_gmres
from .mixture import Mixture
from .part_case import Cutter, first_order
from .result import SchwarzResult, SweepNote
from .settings import SchwarzSettings
from .watch import Watch

_EXACT, _PREDICTED = 1e-8, 2e-5
_LEAST = 0.1  # relaxation that is not halved any more
_ROUNDING = 1e-9
_SMOOTHING = 3  # Jacobi steps before the coarse correction of a learned iterate
_HELD, _HELD_SWEEPS = 0.1, 30  # maps are held until sweeps change this much of what the first one changed, for at most so many sweeps
_SETTLING = 3  # sweeps until the range of the solution counts as known


class Schwarz:
    """An iteration on one geometry, prepared once and run for any data.

    One sweep: the coarse correction, then

        u <- u + tau sum_i R_i^T D_i (S_i(u) - R_i u)

    with the parts' answers S_i given u around them, a partition of unity D_i (``restricted``) or D_i = 1 (``additive``); ``multiplicative`` sweeps replace
    the parts of one colour after the other. Where parts answer by linear maps that depend on u (a nonlinear kernel), every sweep is followed by sweeps with the
    maps held, until these change a tenth of what the first one did: the fixed point is the same, and maps are dear.

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
        self._given, case = case, first_order(case)
        self.problem: Discrete = equation.discrete(case)
        if not len(self.problem.values) and not self.problem.load.any():
            raise ConfigurationError(
                "nothing is imposed and nothing drives it", where=case.name, remedy=f"impose '{equation.quantity.name}' on a patch"
            )
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
            _require_same(self._given, case, self.equation)
            self.problem = self.problem.driven_by(first_order(case))
            for item in (self.parts, self.coarse):
                if item is not None:
                    item.driven_by(self.problem)
        self.parts.repaired.clear()
        s, watch = self.settings, Watch(self._tolerance, self.parts.all_exact)
        u = self.problem.start(self.first_guess() if start is None else start)
        tau, contraction = self._relaxation(u)
        if contraction is not None and contraction.contracts:
            watch.slowest = _HELD if self.parts.holds else contraction.factor
        found, status = self._run(u, tau, watch, progress)
        while status == "diverged" and contraction is not None and tau > _LEAST:  # power iteration gives a lower bound of the factor only
            tau *= 0.5
            watch.begin_again(self._tolerance, self.parts.all_exact)
            found, status = self._run(u, tau, watch, progress)
        while self.parts.repair(found if np.isfinite(found).all() else u):
            watch.begin_again(self._tolerance, self.parts.all_exact)
            found, status = self._run(found if np.isfinite(found).all() else u, tau, watch, progress)
        outcome = _outcome(self, watch, status)
        proof = certified(self, found, s.certify, s.preconditioner) if s.certify else None
        if proof is not None:
            found, outcome = proof.u, proof.outcome(outcome)
        return SchwarzResult.of(self, found, outcome, watch, contraction, tau, proof, time.perf_counter() - begun)

    def _relaxation(self, u: np.ndarray) -> tuple[float, Contraction | None]:
        """The relaxation, and the contraction of learned sweeps that it was chosen from."""
        s = self.settings
        if s.relaxation is not None:
            return s.relaxation, None
        if s.rule == "additive":
            return 1.0 / max(self.decomposition.most, 1), None
        if self.parts.all_exact or s.acceleration == "gmres":
            return 1.0, None
        if not self.parts.holds:
            found = measured(self.sweep, u, self.problem.free, size=1.0)
            return found.relaxation, found
        self.sweep(u)  # so that the maps are those of this u, whatever was solved before
        with self.parts.held():
            found = measured(self.sweep, u, self.problem.free, size=1.0)
        return found.relaxation, found

    def settled(self, u: np.ndarray, relaxation: float = 1.0) -> tuple[np.ndarray, int]:
        """(n c,) one sweep, followed by those with held maps where parts have such; the number of these."""
        moved = self.sweep(u, relaxation)
        change, held = float(np.linalg.norm(moved - u)), 0
        if not self.parts.holds:
            return moved, held
        enough = _HELD * change
        with self.parts.held():
            while held < _HELD_SWEEPS and change > enough and np.isfinite(change):
                after = self.sweep(self.levelled(moved), relaxation)
                change, moved, held = float(np.linalg.norm(after - moved)), after, held + 1
        return moved, held

    def _run(self, u: np.ndarray, tau: float, watch: Watch, progress: Callable[[SweepNote], None] | None) -> tuple[np.ndarray, Status]:
        return self._by_gmres(u, watch, progress) if self.settings.acceleration == "gmres" else self._iterate(u, tau, watch, progress)

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
        while watch.sweeps - watch.started < self.settings.sweeps:
            moved, held = self.settled(u, tau)
            watch.held += held
            after = self.levelled(moved if mixing is None else mixing.next(u, moved))
            if len(watch.updates) - watch.since < _SETTLING:  # a range that grows with the iterate would hide that it grows
                span = max(span, float(np.ptp(after)))
            size = max(span, _ROUNDING * float(np.abs(after).max(initial=0.0)))  # of a constant only rounding changes
            update = float(np.sqrt(np.mean((after - u) ** 2))) / (size or 1.0)
            u = after
            watch.exact, watch.tolerance = self.parts.all_exact, self._tolerance  # a part may just have been repaired
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


def _outcome(iteration: Schwarz, watch: Watch, status: Status) -> Outcome:
    remedies = []
    if iteration.problem.floating:
        remedies.append("nothing fixes its level: the solution is unique up to a constant, and the one with mean zero is returned")
    if not iteration.parts.all_exact and watch.residuals and watch.residuals[-1] > 1.0:
        remedies.append("the equations are left farther from solved than by a constant: certify it, or train the operator on such parts")
    if status in ("stagnated", "diverged", "max_sweeps_reached") and iteration.parts.all_exact:
        robin = iteration.settings.transmission == "robin"
        remedies.append("take acceleration='gmres'" + (", or Robin conditions with one or two layers of overlap" if robin else " or a coarse space"))
    made = watch.outcome(status, "; ".join(remedies))
    if iteration.parts.repaired and made.ok:
        parts = ", ".join(str(k) for k in sorted(iteration.parts.repaired))
        return Outcome("repaired", f"{made.detail}; parts {parts} of {len(iteration.decomposition)} solved exactly", made.remedy if remedies else "")
    return made


def _require_same(before: Case, now: Case, equation: Equation) -> None:
    """Refuse data on another geometry, or with other coefficients, than an iteration was prepared for."""
    a, b = before.mesh, now.mesh
    same = a.same_cells(b) and np.array_equal(a.points, b.points)
    changed = [] if same else ["mesh"]
    for name in equation.coefficients:
        one, other = (case.fields[name].values if name in case.fields else np.ones(()) for case in (before, now))
        if not np.array_equal(one, other):
            changed.append(name)
    if changed:
        raise ConfigurationError(f"other data come with another {' and another '.join(changed)}", where=now.name, remedy="make a new Schwarz for it")


def schwarz(case: Case, equation: Equation, solver: LocalSolver | None = None, settings: SchwarzSettings | None = None) -> SchwarzResult:
    """Solve a case part by part: :class:`Schwarz` made and run once."""
    return Schwarz(case, equation, solver, settings).solve()
