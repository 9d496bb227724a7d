"""Named data sets of ground truth, made on this machine."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import ConfigurationError
from ..io.dataset import Dataset, Progress
from ..io.dataset_writing import DatasetPlan, serially, write_dataset
from ..mesh.case import Case
from . import kt_airfoils
from .workers import in_processes


@dataclass(frozen=True)
class NamedDataset:
    """How a data set is made.

    Attributes:
        plan: (number of cases, seed) -> plan.
        case: (seed, case name) -> case; importable by its name, so that worker processes find it.
        size: default number of cases.
        cases_per_worker: below this many cases a further process costs more time than it saves.
    """

    plan: Callable[[int, int], DatasetPlan]
    case: Callable[[int, str], Case]
    size: int
    cases_per_worker: int


#: name -> how it is made.
DATASETS: dict[str, NamedDataset] = {
    kt_airfoils.NAME: NamedDataset(kt_airfoils.plan, kt_airfoils.case, kt_airfoils.DEFAULT_SIZE, cases_per_worker=100),
}


def generate(
    name: str,
    directory: str | os.PathLike[str] | None = None,
    n: int | None = None,
    seed: int = 0,
    *,
    progress: Progress | None = None,
    workers: int | None = None,
    overwrite: bool = False,
) -> Dataset:
    """Make a named data set, or open it if it is already there.

    The same name, n and seed give bit-equal files whatever the number of workers. An interrupted generation continues.

    Args:
        name: one of :data:`DATASETS`.
        directory: folder to make; the name, in the current folder, if None.
        n: number of cases, the data set's own default if None; splits scale with it.
        seed: non-negative.
        progress: called as (done, total).
        workers: processes; None takes the available cores as far as there is work for them, 1 stays in this process.
        overwrite: replace another data set in that folder.

    Raises:
        ConfigurationError: unknown name, impossible n, seed or workers: all in one error.
        DatasetError: the folder holds something else.
        UnwritableFileError: no permission, or the disk is full.
    """
    problems = []
    if name not in DATASETS:
        near = difflib.get_close_matches(name, DATASETS, n=1, cutoff=0.3)
        problems.append(f"no data set '{name}'" + (f", did you mean '{near[0]}'?" if near else ""))
    for label, value, least in (("n", n, 1), ("seed", seed, 0), ("workers", workers, 1)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            problems.append(f"{label} is {value!r}, expected a whole number >= {least}")
    if problems:
        raise ConfigurationError(
            "; ".join(problems), where="generate", remedy=f"data sets: {', '.join(DATASETS)}; for example generate('{next(iter(DATASETS))}', 'data')"
        )
    made = DATASETS[name]
    plan = made.plan(made.size if n is None else n, seed)
    if workers is None:
        workers = max(1, min(_cores(), len(plan.names) // made.cases_per_worker))
    run = serially if workers == 1 else partial(in_processes, workers=workers)
    folder = Path(name) if directory is None else directory
    return write_dataset(folder, plan, partial(made.case, seed), run=run, progress=progress, overwrite=overwrite)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
