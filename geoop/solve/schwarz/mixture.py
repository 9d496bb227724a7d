"""The parts of a problem and what solves them: exactly, by a learned operator, or some one way and some the other; on one process or several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from ...errors import ConfigurationError, NonFiniteError
from ...interfaces.local import LocalSolver
from ..discrete import Discrete, LinearDiscrete
from .decomposition import Decomposition
from .local_exact import ExactParts, FiniteElementSolver
from .local_predicted import PredictedParts
from .part_case import Cutter
from .ranks import Ranks
from .settings import SchwarzSettings

#: An answer of a part that leaves more than this of its equations, over what zero leaves, is worth nothing.
WORTHLESS = 1.0


class Mixture:
    """Answers of parts.

    Args:
        problem: the whole.
        decomposition: of it.
        cutter: of its case.
        solver: of the parts; None solves them exactly.
        settings: of the iteration.
        exact: numbers of parts that are solved exactly in any case.

    Raises:
        ConfigurationError: the solver ignores boundary values, or does not accept the conditions that parts ask for.
    """

    def __init__(
        self,
        problem: Discrete,
        decomposition: Decomposition,
        cutter: Cutter,
        solver: LocalSolver | None,
        settings: SchwarzSettings,
        exact: Sequence[int] = (),
    ) -> None:
        self.decomposition, self.settings, self.ranks = decomposition, settings, Ranks()
        self.where = problem.mesh.name
        self.exact: ExactParts | PredictedParts
        if isinstance(problem, LinearDiscrete):
            self.exact = ExactParts(problem, decomposition, cutter, transmission=settings.transmission, keep=settings.keep)
        else:
            self.exact = PredictedParts(problem, decomposition, cutter, FiniteElementSolver(cutter.equation), keep=settings.keep)
        self.learned: PredictedParts | None = None
        if solver is not None:
            self.learned = PredictedParts(problem, decomposition, cutter, solver, size=settings.size, keep=settings.keep)
            self.learned.require_dependence()
        odd = sorted(set(exact) - set(range(len(decomposition))))
        if odd:
            raise ConfigurationError(f"there are no parts {odd[:5]}", where=self.where, remedy=f"name some of 0 to {len(decomposition) - 1}")
        self.named = frozenset(exact)
        self.repaired: set[int] = set()

    @property
    def all_exact(self) -> bool:
        """Whether all parts are solved to rounding."""
        return self.learned is None or self.learned.exact or len(self.named | self.repaired) == len(self.decomposition)

    @property
    def holds(self) -> bool:
        """Whether learned parts answer by linear maps that may be held for some sweeps."""
        return self.learned is not None and self.learned.holds

    @contextmanager
    def held(self) -> Iterator[None]:
        """Learned parts answer with the maps of their last answers meanwhile."""
        assert self.learned is not None
        self.learned.hold = True
        try:
            yield
        finally:
            self.learned.hold = False

    def driven_by(self, problem: Discrete) -> None:
        """Answer for other data from now on."""
        self.exact.driven_by(problem)
        if self.learned is not None:
            self.learned.driven_by(problem)

    def answers(self, u: np.ndarray, which: Sequence[int]) -> list[np.ndarray]:
        """(q,) per part its solution given u around it.

        Raises:
            NonFiniteError: answers of a learned operator that are not finite, on any rank, where nothing may stand in for it.
        """
        if self.learned is None:
            return self.exact.answers(u, which)
        learned = [k for k in which if k not in self.repaired and k not in self.named]
        found = dict(zip(learned, self.learned.answers(u, learned), strict=True)) if learned else {}
        bad = np.zeros(len(self.decomposition))
        bad[[k for k in learned if not np.isfinite(found[k]).all()]] = 1.0
        failed = np.flatnonzero(self.ranks.total(bad)).tolist()  # all ranks must know, or they would go on differently
        if failed and not self.settings.fallback:
            raise NonFiniteError(
                f"the local operator's answers for parts {failed[:8]} are not finite",
                where=self.where,
                remedy="allow fallback=True, or train it again",
            )
        self.repaired |= set(failed)
        exact = [k for k in which if k in self.repaired or k in self.named]
        found |= dict(zip(exact, self.exact.answers(u, exact), strict=True))
        return [found[k] for k in which]

    def change(self, u: np.ndarray, which: Sequence[int], weights: tuple[np.ndarray, ...] | None) -> np.ndarray:
        """(n c,) sum of what parts would change, weighed by a partition of unity or as it is; every rank asks its own parts."""
        total, own = np.zeros_like(u), self.ranks.own(which)
        for k, answer in zip(own, self.answers(u, own), strict=True):
            dofs = self.decomposition.dofs[k]
            change = answer - u[dofs]
            total[dofs] += change if weights is None else weights[k] * change
        return self.ranks.total(total)

    def repair(self, u: np.ndarray) -> bool:
        """Solve exactly from now on the parts whose answers at u are worth nothing; whether there are new ones."""
        if self.learned is None or not self.settings.fallback or self.all_exact:
            return False
        which = [k for k in range(len(self.decomposition)) if k not in self.repaired and k not in self.named]
        answers = self.learned.answers(u, which)
        left = self.learned.residuals(answers, u, which)
        bad = {k for k, size in zip(which, left, strict=True) if not size <= WORTHLESS}
        self.repaired |= bad
        return bool(bad)
