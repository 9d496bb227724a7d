"""One thread for numerical libraries: how a sum is shared among threads changes its last digits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController, threadpool_limits

#: What OpenMP, OpenBLAS and MKL read when they are loaded.
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread inside the block, as many as before after it.

    A solver's first case loads libraries while the block runs, which a limit on those that are there does not reach: they find
    the number in their environment, and get back what they would have taken without it.
    """
    known = {library.filepath for library in ThreadpoolController().lib_controllers}
    said = {key: os.environ.get(key) for key in VARIABLES}
    os.environ.update(dict.fromkeys(VARIABLES, "1"))
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        for key, value in said.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
        for library in ThreadpoolController().lib_controllers:
            if library.filepath not in known:
                library.set_num_threads(_default(said))


def _default(said: dict[str, str | None]) -> int:
    value = next((value for value in said.values() if value and value.isdigit()), None)
    return max(1, int(value)) if value else cores()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
