"""What a named data set is: a plan, and a function that makes any one of its cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case


@dataclass(frozen=True)
class NamedDataset:
    """How a data set is made.

    Attributes:
        summary: one line for the list of data sets.
        plan: (number of cases, seed) -> plan.
        case: (seed, case name) -> case; importable by its name, so that worker processes find it. The cases of one geometry are
            asked for one after the other in one process: what they share (mesh, factorisation) is kept in a small ``lru_cache``.
        size: default number of cases.
        cases_per_worker: below this many cases a further process costs more time than it saves.
    """

    summary: str
    plan: Callable[[int, int], DatasetPlan]
    case: Callable[[int, str], Case]
    size: int
    cases_per_worker: int = 8
