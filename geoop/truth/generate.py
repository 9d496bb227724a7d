"""Named data sets of ground truth, made on this machine or on a Dask cluster."""

from __future__ import annotations

import math
import os
from functools import partial
from pathlib import Path

from ..errors import ConfigurationError
from ..io.dataset import Dataset, Progress
from ..io.dataset_writing import Runner, write_dataset
from .datasets.table import DATASETS, named_dataset
from .running.one_process import in_this_process
from .running.one_thread import cores
from .running.workers import in_processes


def generate(
    name: str,
    directory: str | os.PathLike[str] | None = None,
    n: int | None = None,
    seed: int = 0,
    *,
    progress: Progress | None = None,
    workers: int | None = None,
    dask: str | None = None,
    time_limit: float | None = None,
    overwrite: bool = False,
) -> Dataset:
    """Make a named data set, or open it if it is already there.

    The same name, n and seed give bit-equal files whatever the number of workers (on machines of one kind: processors of
    another kind may round differently). An interrupted generation continues.

    Args:
        name: one of :data:`geoop.truth.datasets.table.DATASETS`.
        directory: folder to make; the name, in the current folder, if None.
        n: number of cases, the data set's own default if None; splits scale with it.
        seed: non-negative.
        progress: called as (done, total).
        workers: processes; None takes the available cores as far as there is work for them, 1 stays in this process.
        dask: address of a Dask scheduler, ``tcp://host:8786``, whose workers compute instead of processes here; they need geoop,
            but no common disk.
        time_limit: [s] that one case may take in a worker process (a single one too); one that takes longer is left out and listed. It counts
            by the clock, so that a case near it may be lost on a busy machine; None: any.
        overwrite: replace another data set in that folder; of the same one, try only the cases that failed again.

    Raises:
        ConfigurationError: unknown name, impossible n, seed or workers: all in one error.
        DatasetError: the folder holds something else.
        UnwritableFileError: no permission, or the disk is full.
        MissingDependencyError: the data set needs a package that is not installed.
    """
    problems = []
    made = None
    try:
        made = named_dataset(name)
    except ConfigurationError as error:
        problems.append(error.message)
    for label, value, least in (("n", n, 1), ("seed", seed, 0), ("workers", workers, 1)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            problems.append(f"{label} is {value!r}, expected a whole number >= {least}")
    if time_limit is not None and not (math.isfinite(time_limit) and time_limit > 0):
        problems.append(f"time_limit is {time_limit!r}, expected seconds > 0")
    if time_limit is not None and dask is not None:
        problems.append("a time limit needs worker processes here, not those of a Dask scheduler")
    if workers is not None and dask is not None:
        problems.append("workers and a Dask scheduler exclude each other: the scheduler knows its workers")
    if problems or made is None:
        raise ConfigurationError(
            "; ".join(problems), where="generate", remedy=f"data sets: {', '.join(DATASETS)}; for example generate('{next(iter(DATASETS))}', 'data')"
        )
    plan = made.plan(made.size if n is None else n, seed)
    if workers is None:
        workers = max(1, min(cores(), len(plan.names) // made.cases_per_worker))
    folder = Path(name) if directory is None else directory
    return write_dataset(folder, plan, partial(made.case, seed), run=_runner(workers, dask, time_limit), progress=progress, overwrite=overwrite)


def _runner(workers: int, dask: str | None, time_limit: float | None) -> Runner:
    if dask is not None:
        from .running.dask_cluster import on_dask

        return partial(on_dask, address=dask)
    if workers == 1 and time_limit is None:
        return lambda store, folder, groups: in_this_process(partial(store, folder), groups)
    return lambda store, folder, groups: in_processes(partial(store, folder), groups, workers, time_limit=time_limit)
