"""One process at a time in the folder of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ConfigurationError

#: File whose lock the process holds that trains. It stays; the lock ends with the process, however that ends.
LOCK = "run.lock"


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold a folder: two processes that resume one run would mix their weights and curves. Where a file system knows no locks nothing is held.

    Raises:
        ConfigurationError: another process holds it.
    """
    from filelock import FileLock, Timeout

    directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(directory / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise ConfigurationError(
            "another process trains in this folder", where=str(directory), remedy="let it end, or end it, and resume; or name another folder"
        ) from error
    except NotImplementedError:  # no locks on this file system, as said above: the run goes on without
        pass
    try:
        yield
    finally:
        lock.release()
