"""Exact local answers with noise, for ``tools/benchmark schwarz``: where the error of an iteration comes to rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from schwarz_problems import PROBLEMS, shape

from geoop.interfaces.local import Condition, LocalData, LocalProblem, LocalSolve
from geoop.solve.equations import Diffusion
from geoop.solve.schwarz.iteration import Schwarz
from geoop.solve.schwarz.local_exact import FiniteElementSolver
from geoop.solve.schwarz.settings import SchwarzSettings

#: Noise of a share of the local range, as METHODS B.6 has it.
SHARES = (0.01, 0.02, 0.05)


class Noisy:
    """Finite elements whose answers are off by independent noise of a standard deviation, relative to the range of the local values."""

    exact = False
    accepts: frozenset[Condition] = frozenset(("dirichlet", "neumann"))

    def __init__(self, share: float, seed: int = 0) -> None:
        self.share, self.random = share, np.random.default_rng(seed)

    def prepare(self, problems: Sequence[LocalProblem]) -> LocalSolve:
        solve = FiniteElementSolver(Diffusion()).prepare(problems)

        def noisy(data: Sequence[LocalData]) -> list[np.ndarray]:
            return [
                answer + self.share * np.ptp(item.rim) * self.random.standard_normal(answer.shape)
                for answer, item in zip(solve(data), data, strict=True)
            ]

        return noisy


def plateau(name: str, rule: str, share: float) -> dict[str, Any]:
    """Mean relative L2 error of the last 40 % of the sweeps, over the share of the noise."""
    case = PROBLEMS["laplace"].draw(np.random.default_rng(0), shape(name), "white")
    relaxation, sweeps = (0.25, 400) if rule == "additive" else (1.0, 150)
    settings = SchwarzSettings(parts=10, overlap=1, rule="additive" if rule == "additive" else "restricted", coarse=None, fallback=False)
    iteration = Schwarz(case, Diffusion(), Noisy(share), settings)
    truth, u, errors = iteration.problem.solve(), iteration.problem.start(), []
    for k in range(sweeps):
        u = iteration.sweep(u, relaxation)
        if k >= 0.6 * sweeps:
            errors.append(float(np.linalg.norm(u - truth) / np.linalg.norm(truth)))
    return {
        "section": "noise",
        "shape": name,
        "rule": rule,
        "share": share,
        "plateau": float(np.mean(errors)),
        "ratio": float(np.mean(errors)) / share,
    }
