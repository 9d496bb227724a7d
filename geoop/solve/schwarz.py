"""Overlapping Schwarz iterations: a region of any size solved part by part, by finite elements, a learned local operator, or a mixture."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from ..errors import ConfigurationError, NonFiniteError
from ..graph.partition import Method, partition
from ..interfaces.local import LocalSolver
from ..interfaces.outcome import Outcome, Status
from ..mesh.case import Case
from .certificate import certified
from .coarse import CoarseSpace
from .coarse import Kind as CoarseKind
from .contraction import Contraction, measured
from .decomposition import Blend, Decomposition
from .discrete import Discrete, LinearDiscrete
from .equations import Equation
from .krylov import Anderson, flexible_gmres
from .local_exact import ExactParts, FiniteElementSolver, Transmission
from .local_predicted import PredictedParts
from .part_case import Cutter
from .ranks import Ranks
from .schwarz_result import SchwarzResult, SweepNote
from .watch import Watch

Rule = Literal["restricted", "additive", "multiplicative"]
Acceleration = Literal["none", "anderson", "gmres"]

#: An answer of a part that leaves more than this of its equations, over what zero leaves, is worth nothing.
WORTHLESS = 1.0
_EXACT, _PREDICTED = 1e-8, 1e-4


@dataclass(frozen=True)
class SchwarzSettings:
    """How a region is cut and its parts are put together.

    Attributes:
        parts: how many, about.
        overlap: layers of cells by which parts are extended; at least 1.
        distance: [m] by which they are, instead of layers.
        method: ``bisection`` of coordinates, or ``metis`` (an extra).
        rule: ``restricted`` weighs the parts' answers by a partition of unity (see ``blend``), ``additive`` adds their changes times the relaxation,
            ``multiplicative`` lets parts of one colour answer after the other.
        blend: see :meth:`Decomposition.weights`.
        relaxation: factor on every change; None for 1 over the most parts that share an unknown where additive, else 1, or what the measured contraction
            of learned answers asks for.
        coarse: functions of the coarse correction, see :class:`CoarseSpace`; None for none.
        modes: per part of a spectral one.
        acceleration: of the sweeps: ``anderson`` mixing, or ``gmres`` on the fixed point of a linear equation.
        transmission: with exact parts: ``dirichlet`` or ``robin``.
        sweeps: at most.
        tolerance: of the relative residual with exact parts (None: 1e-8), of what further sweeps would still change with learned ones (None: 1e-4).
        fallback: parts whose answers are worthless are solved exactly.
        certify: tolerance of a Krylov solve from the stitched field, None for none: its answer needs no faith.
        preconditioner: of that solve: ``exact`` parts, or ``learned`` ones where the operator takes sources, by flexible GMRES; ``directions`` proposes
            conjugate directions by the learned ones (symmetric equations).
        keep: parts prepared and kept in memory at once; None for all.
        size: side of the box [m] that learned local operators were trained on.

    Raises:
        ConfigurationError: all that cannot be, in one error.
    """

    parts: int = 12
    overlap: int = 2
    distance: float | None = None
    method: Method = "bisection"
    rule: Rule = "restricted"
    blend: Blend = "average"
    relaxation: float | None = None
    coarse: CoarseKind | None = "constants"
    modes: int = 4
    acceleration: Acceleration = "none"
    transmission: Transmission = "dirichlet"
    sweeps: int = 200
    tolerance: float | None = None
    fallback: bool = True
    certify: float | None = None
    preconditioner: Literal["exact", "learned", "directions"] = "exact"
    keep: int | None = None
    size: float | None = 1.0

    def __post_init__(self) -> None:
        problems = []
        kinds = {"rule": Rule, "blend": Blend, "acceleration": Acceleration, "transmission": Transmission, "method": Method}
        for name, kind in kinds.items():
            if getattr(self, name) not in get_args(kind):
                problems.append(f"{name} is {getattr(self, name)!r}, must be one of {', '.join(get_args(kind))}")
        if self.coarse is not None and self.coarse not in get_args(CoarseKind):
            problems.append(f"coarse is {self.coarse!r}, must be one of {', '.join(get_args(CoarseKind))} or None")
        if self.distance is None and self.overlap < 1:
            problems.append(f"overlap is {self.overlap}: parts that do not overlap exchange nothing, take 1 or more")
        for name in ("parts", "modes", "sweeps"):
            if getattr(self, name) < 1:
                problems.append(f"{name} is {getattr(self, name)}, must be positive")
        for name in ("relaxation", "tolerance", "certify", "distance", "size"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                problems.append(f"{name} is {value}, must be positive")
        if problems:
            raise ConfigurationError("; ".join(problems), where="SchwarzSettings", remedy="for example SchwarzSettings(parts=12, overlap=2)")


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
        self.cutter, self.ranks = Cutter(case, equation), Ranks()
        self.exact_parts = self._exact()
        self.learned = None
        if solver is not None:
            self.learned = PredictedParts(self.problem, self.decomposition, self.cutter, solver, size=s.size, keep=s.keep)
            self.learned.require_dependence()
        self.repaired: set[int] = set(exact) if self.learned else set()
        smoothing = 0 if self.learned is None or self.learned.exact else 3
        self.coarse = (
            CoarseSpace(self.problem, self.decomposition, self.cutter, kind=s.coarse, modes=s.modes, smoothing=smoothing)
            if s.coarse is not None and len(self.decomposition) > 1
            else None
        )
        self._weights = self.decomposition.weights(s.blend)

    @property
    def is_exact(self) -> bool:
        """Whether all parts are solved to rounding."""
        return self.learned is None or self.learned.exact or len(self.repaired) == len(self.decomposition)

    def solve(
        self, case: Case | None = None, *, start: np.ndarray | None = None, progress: Callable[[SweepNote], None] | None = None
    ) -> SchwarzResult:
        """Iterate to the end.

        Args:
            case: other data on the same geometry with the same coefficients; None for those it was made with.
            start: (n c,) first guess, for instance a global network's; None for zero, or for a coarse correction of it.
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
        u = problem.start(start)
        watch = Watch(s.tolerance or (_EXACT if self.is_exact else _PREDICTED), self.is_exact)
        contraction: Contraction | None = None
        tau = s.relaxation or (1.0 / max(self.decomposition.most, 1) if s.rule == "additive" else 1.0)
        if s.acceleration == "gmres":
            u, status = self._by_gmres(u, watch)
        else:
            if s.relaxation is None and not self.is_exact and s.rule != "additive":
                contraction = measured(lambda v: self.sweep(v, 1.0), u, problem.free, size=1.0)
                tau = contraction.relaxation
            u, status = self._iterate(u, tau, watch, progress)
            while status in ("diverged", "stagnated", "converged") and self._repair(u):
                watch = replace(watch, exact=self.is_exact, tolerance=s.tolerance or (_EXACT if self.is_exact else _PREDICTED))
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
                u = u + relaxation * self._change(u, colour.tolist(), None)
            return u
        weights = None if self.settings.rule == "additive" else self._weights
        return u + relaxation * self._change(u, range(len(self.decomposition)), weights)

    def answers(self, u: np.ndarray, which: Sequence[int]) -> list[np.ndarray]:
        """(q,) per part its solution given u around it, by whatever solves it."""
        if self.learned is None:
            return self.exact_parts.answers(u, which)
        learned = [k for k in which if k not in self.repaired]
        found = dict(zip(learned, self.learned.answers(u, learned), strict=True)) if learned else {}
        bad = [k for k in learned if not np.isfinite(found[k]).all()]
        if bad and not self.settings.fallback:
            raise NonFiniteError(
                f"the local operator's answers for parts {bad[:8]} are not finite",
                where=self.problem.mesh.name,
                remedy="allow fallback=True, or train it again",
            )
        self.repaired |= set(bad)
        exact = [k for k in which if k in self.repaired]
        found |= dict(zip(exact, self.exact_parts.answers(u, exact), strict=True))
        return [found[k] for k in which]

    def _change(self, u: np.ndarray, which: Sequence[int], weights: tuple[np.ndarray, ...] | None) -> np.ndarray:
        total, own = np.zeros_like(u), self.ranks.own(which)
        for k, answer in zip(own, self.answers(u, own), strict=True):
            dofs = self.decomposition.dofs[k]
            change = answer - u[dofs]
            total[dofs] += change if weights is None else weights[k] * change
        return self.ranks.total(total)

    def _iterate(self, u: np.ndarray, tau: float, watch: Watch, progress: Callable[[SweepNote], None] | None) -> tuple[np.ndarray, Status]:
        mixing = Anderson() if self.settings.acceleration == "anderson" else None
        best, best_left = u, np.inf
        while len(watch.updates) < self.settings.sweeps:
            moved = self.sweep(u, tau)
            after = self.levelled(moved if mixing is None else mixing.next(u, moved))
            span = float(np.ptp(after)) or 1.0
            update = float(np.sqrt(np.mean((after - u) ** 2))) / span
            u = after
            status = watch.see(update, self.problem.relative_residual(u) if np.isfinite(u).all() else np.inf)
            if progress is not None:
                progress(SweepNote(len(watch.updates), update, watch.residuals[-1]))
            if watch.residuals[-1] < best_left:
                best, best_left = u, watch.residuals[-1]
            if status is not None:
                return (best if status == "diverged" else u), status
        return u, "max_sweeps_reached"

    def _by_gmres(self, u: np.ndarray, watch: Watch) -> tuple[np.ndarray, Status]:
        """The fixed point of a linear sweep: (I - G) v = F(u) - u, G v = F(u + v) - F(u)."""
        if not isinstance(self.problem, LinearDiscrete):
            raise ConfigurationError("GMRES for a nonlinear equation", where=self.problem.mesh.name, remedy="take acceleration='anderson'")
        mapped = self.levelled(self.sweep(u))
        solved = flexible_gmres(
            lambda v: v - (self.levelled(self.sweep(u + v)) - mapped), mapped - u, lambda r: r, tolerance=watch.tolerance, steps=self.settings.sweeps
        )
        u = self.levelled(u + solved.u)
        watch.updates[:] = [float(r) for r in solved.residuals[1:]]
        watch.residuals[:] = [np.nan] * (solved.steps - 1) + [self.problem.relative_residual(u)] if solved.steps else []
        return u, "converged" if solved.converged else "max_sweeps_reached"

    def levelled(self, u: np.ndarray) -> np.ndarray:
        """u, with mean zero where the equations fix it up to a constant."""
        return self.problem.levelled(u) if isinstance(self.problem, LinearDiscrete) else u

    def _repair(self, u: np.ndarray) -> bool:
        """Solve exactly from now on the parts whose answers are worthless at u; whether there are new ones."""
        if self.learned is None or not self.settings.fallback or self.is_exact:
            return False
        which = [k for k in range(len(self.decomposition)) if k not in self.repaired]
        at = u if np.isfinite(u).all() else self.problem.start()
        left = self.learned.residuals(self.learned.answers(at, which), at, which)
        bad = {k for k, size in zip(which, left, strict=True) if not size <= WORTHLESS}
        self.repaired |= bad
        return bool(bad)

    def _outcome(self, watch: Watch, status: Status) -> Outcome:
        remedy = ""
        if self.problem.floating:
            remedy = "nothing fixes its level: the solution is unique up to a constant, and the one with mean zero is returned"
        made = watch.outcome(status, remedy)
        if self.repaired and made.ok:
            parts = ", ".join(str(k) for k in sorted(self.repaired))
            return Outcome("repaired", f"{made.detail}; parts {parts} of {len(self.decomposition)} solved exactly")
        return made

    def _exact(self) -> ExactParts | PredictedParts:
        """Exact answers of the parts: by their rows of the matrix, or by Newton's method."""
        s = self.settings
        if isinstance(self.problem, LinearDiscrete):
            return ExactParts(self.problem, self.decomposition, self.cutter, transmission=s.transmission, keep=s.keep)
        solver = FiniteElementSolver(self.equation)
        return PredictedParts(self.problem, self.decomposition, self.cutter, solver, keep=s.keep)

    def _drive(self, problem: Discrete) -> None:
        self.problem = problem
        for item in (self.exact_parts, self.learned, self.coarse):
            if item is not None:
                item.driven_by(problem)


def schwarz(case: Case, equation: Equation, solver: LocalSolver | None = None, settings: SchwarzSettings | None = None) -> SchwarzResult:
    """Solve a case part by part: :class:`Schwarz` made and run once."""
    return Schwarz(case, equation, solver, settings).solve()
