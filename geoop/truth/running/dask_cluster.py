"""Run a job for many names on the workers of a Dask scheduler, which may be other machines without a common disk.

A case is computed and written on a worker, into a folder of its own, and its file comes back as bytes. A worker that dies is
replaced by Dask, which computes the group of cases once more elsewhere; a case that ends several workers is given up, and the
others go on. A worker computes one group at a time, however many threads it has: meshers and solvers are not made for several
in one process, so that a machine's cores are used by as many worker processes of one thread each.
"""

from __future__ import annotations

import logging
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError, ConvergenceError, GeoopError, MissingDependencyError, UnwritableFileError
from ...io.dataset_writing import Outcome, Store, StoredCase
from ...version import __version__
from .answers import answer
from .one_thread import one_thread

#: Seconds until a scheduler that does not answer, or has no workers, is given up.
PATIENCE = 20.0
#: Seconds without any worker until the cases under way are given up: a worker that died is replaced within a few.
LONELY = 60.0
_START = "start one: `dask scheduler` on one machine, `dask worker tcp://HOST:8786 --nworkers auto --nthreads 1` on each; then --dask tcp://HOST:8786"
#: Groups on one worker wait for each other.
_ALONE = threading.Lock()


def on_dask(store: Store, folder: Path, groups: Sequence[Sequence[str]], *, address: str) -> Iterator[Outcome]:
    """Store cases by the workers of a cluster and yield their outcomes as they come.

    Args:
        store: (folder, name) -> what was written below the folder; picklable by the name of its function.
        folder: in which the files are put here.
        groups: names of cases; those of a group go to one worker, one after the other.
        address: of the scheduler, e.g. ``tcp://host:8786``.

    Raises:
        ConfigurationError: no scheduler answers, it has no workers, or they lack geoop or have another version of it.
        ConvergenceError: the scheduler went away, or no worker was left; what had come back is kept.
        MissingDependencyError: Dask is not installed.
    """
    if not groups:
        return
    client = _client(address)
    client_log = logging.getLogger("distributed.client")
    level = client_log.level
    client_log.setLevel(logging.CRITICAL + 1)  # a scheduler that goes away is our error, not a page of tracebacks as well
    try:
        _refuse_other_workers(client, address)
        from distributed import as_completed

        with _while_it_lives(address):
            waiting = {client.submit(_group, store, list(group), __version__, pure=False): list(group) for group in groups}
            ended = as_completed(list(waiting), loop=client.loop)  # the default loop is that of the newest client, which may be the user's
        suspects: list[str] = []
        while waiting:
            with _while_it_lives(address):
                _wait(ended.has_ready, client, address)
                future = next(ended)
            names = waiting.pop(future)
            if future.status == "finished":
                for name, found in _fetched(future, address):
                    yield name, _received(found, folder)
            elif future.status == "cancelled":
                raise _gone(address)
            else:
                suspects += names
            future.release()
        for name in suspects:
            yield name, _alone(client, store, folder, name, address)
    finally:
        client.close()
        client_log.setLevel(level)


def _alone(client: Any, store: Store, folder: Path, name: str, address: str) -> StoredCase | GeoopError:
    """A case that was on a worker that died, once more with nothing beside it: Dask blames all that the dead worker had been given."""
    with _while_it_lives(address):
        future = client.submit(_group, store, [name], __version__, pure=False)
        _wait(future.done, client, address)
        error = future.exception()
    if future.status == "cancelled":
        raise _gone(address)
    return _lost(name, error) if error is not None else _received(_fetched(future, address)[0][1], folder)


def _wait(ready: Callable[[], bool], client: Any, address: str) -> None:
    """Until something has ended. Dask replaces a worker that died, but not one that died while it was being started, and then waits for ever.

    Raises:
        ConvergenceError: there was no worker for :data:`LONELY` seconds.
    """
    seen = looked = time.monotonic()
    while not ready():
        time.sleep(0.01)
        now = time.monotonic()
        if now - looked < 1.0:
            continue
        looked = now
        if client.nthreads():
            seen = now
        elif now - seen > LONELY:
            raise ConvergenceError(
                f"the Dask scheduler has had no workers for {LONELY:g} seconds; the cases that had come back are kept",
                where=address,
                remedy="look at the logs of the workers, start new ones, then run this again: it continues",
            )


def _fetched(future: Any, address: str) -> list[tuple[str, GeoopError | tuple[StoredCase, bytes]]]:
    """The result of a finished group, whose bytes are fetched only now: the scheduler may be gone by then."""
    with _while_it_lives(address):
        return future.result()


@contextmanager
def _while_it_lives(address: str) -> Iterator[None]:
    """Talking to the scheduler: a connection that breaks is its end, not a disk that cannot be written.

    Raises:
        ConvergenceError: it went away.
    """
    from concurrent.futures import CancelledError

    try:
        yield
    except GeoopError:
        raise
    except (CancelledError, OSError, RuntimeError) as reason:  # distributed's own cancellation is one of these, by version
        raise _gone(address) from reason


def _gone(address: str) -> ConvergenceError:
    return ConvergenceError(
        "the Dask scheduler went away; the cases that had come back are kept",
        where=address,
        remedy="start it again, then run this again: it continues",
    )


def _refuse_other_workers(client: Any, address: str) -> None:
    """Every worker must have this geoop: said once at the start, not once per case."""
    asked = "__import__('geoop.version', fromlist=['version']).__version__"
    with _while_it_lives(address):
        found = client.run(eval, asked, on_error="return")
    lacking = [worker for worker, version in found.items() if isinstance(version, ImportError)]
    other = [f"{worker} ({version})" for worker, version in found.items() if isinstance(version, str) and version != __version__]
    problems = [f"{len(lacking)} of {len(found)} workers cannot import geoop: {', '.join(lacking[:3])}"] if lacking else []
    problems += [f"{len(other)} of {len(found)} workers have another geoop than {__version__}: {', '.join(other[:3])}"] if other else []
    if problems:
        raise ConfigurationError("; ".join(problems), where=address, remedy=f"pip install 'geoop[dask]=={__version__}' in the Python of every worker")


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingDependencyError(
            "a Dask scheduler needs Dask, which is not installed", where=address, remedy="pip install geoop[dask]"
        ) from error
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"no Dask scheduler answers: {error}", where=address, remedy=_START) from error
    try:
        client.wait_for_workers(1, timeout=PATIENCE)  # they may be starting, or starting again
    except TimeoutError as error:
        client.close()
        raise ConfigurationError("the Dask scheduler has no workers", where=address, remedy=_START) from error
    return client


def _group(store: Store, names: list[str], version: str) -> list[tuple[str, GeoopError | tuple[StoredCase, bytes]]]:
    """On a worker: what became of every case, with the bytes of its file.

    Raises:
        ConfigurationError: a worker that came later has another geoop.
        UnwritableFileError: this machine has no room for a scratch file.
    """
    host = socket.gethostname()
    if version != __version__:
        raise ConfigurationError(f"this worker has geoop {__version__}, not {version}", where=host, remedy=f"pip install geoop=={version} there")
    found: list[tuple[str, Any]] = []
    with _ALONE, tempfile.TemporaryDirectory(prefix="geoop-") as scratch, one_thread():
        for name in names:
            done = answer(partial(store, Path(scratch)), name)
            if isinstance(done, UnwritableFileError):
                done = UnwritableFileError(f"on worker {host}: {done.message}", where=done.where, remedy=done.remedy)
            if isinstance(done, GeoopError):
                found.append((name, done))
                continue
            file = Path(scratch) / done.entry.file
            found.append((name, (done, file.read_bytes())))
            file.unlink()  # a scratch disk holds one case, not a series
    return found


def _received(found: GeoopError | tuple[StoredCase, bytes], folder: Path) -> StoredCase | GeoopError:
    if isinstance(found, GeoopError):
        return found
    done, data = found
    (folder / done.entry.file).write_bytes(data)
    return done


def _lost(name: str, error: BaseException | None) -> ConvergenceError:
    ended = type(error).__name__ == "KilledWorker"
    found = "every worker that tried it died" if ended else f"{type(error).__name__}: {error}"
    return ConvergenceError(found, where=name, remedy="look at the workers' logs; check their memory and that they have this geoop")
