"""Run a job for many names on the workers of a Dask scheduler, which may be other machines without a common disk.

A case is computed and written on a worker, into a folder of its own, and its file comes back as bytes. A worker that dies is
replaced by Dask, which computes the group of cases once more elsewhere; a case that ends several workers is given up, and the
others go on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError, ConvergenceError, GeoopError, MissingDependencyError
from ...io.dataset_writing import Outcome, Store, StoredCase
from .answers import answer

#: Seconds until a scheduler that does not answer is given up.
PATIENCE = 20.0


def on_dask(store: Store, folder: Path, groups: Sequence[Sequence[str]], *, address: str) -> Iterator[Outcome]:
    """Store cases by the workers of a cluster and yield their outcomes as they come.

    Args:
        store: (folder, name) -> what was written below the folder; picklable by the name of its function.
        folder: in which the files are put here.
        groups: names of cases; those of a group go to one worker, one after the other.
        address: of the scheduler, e.g. ``tcp://host:8786``.

    Raises:
        ConfigurationError: no scheduler answers, or it has no workers.
        MissingDependencyError: Dask is not installed.
    """
    if not groups:
        return
    client = _client(address)
    try:
        from distributed import as_completed

        waiting = {client.submit(_group, store, list(group), pure=False): list(group) for group in groups}
        suspects: list[str] = []
        for future in as_completed(list(waiting), loop=client.loop):  # the default loop is that of the newest client, which may be the user's
            names = waiting.pop(future)
            if future.status == "finished":
                for name, found in future.result():
                    yield name, _received(found, folder)
            else:
                suspects += names
            future.release()
        for name in suspects:
            yield name, _alone(client, store, folder, name)
    finally:
        client.close()


def _alone(client: Any, store: Store, folder: Path, name: str) -> StoredCase | GeoopError:
    """A case that was on a worker that died, once more with nothing beside it: Dask blames all that the dead worker had been given."""
    future = client.submit(_group, store, [name], pure=False)
    error = future.exception()
    return _lost(name, error) if error is not None else _received(future.result()[0][1], folder)


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingDependencyError(
            "a Dask scheduler needs Dask, which is not installed", where=address, remedy="pip install geoop[dask]"
        ) from error
    remedy = "start one: `dask scheduler` on one machine, `dask worker tcp://HOST:8786` on each; then --dask tcp://HOST:8786"
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"no Dask scheduler answers: {error}", where=address, remedy=remedy) from error
    if not client.scheduler_info(n_workers=-1)["workers"]:
        client.close()
        raise ConfigurationError("the Dask scheduler has no workers", where=address, remedy=remedy)
    return client


def _group(store: Store, names: list[str]) -> list[tuple[str, GeoopError | tuple[StoredCase, bytes]]]:
    """On a worker: what became of every case, with the bytes of its file."""
    from threadpoolctl import threadpool_limits

    found: list[tuple[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="geoop-") as scratch, threadpool_limits(limits=1):
        for name in names:
            done = answer(partial(store, Path(scratch)), name)
            found.append((name, done if isinstance(done, GeoopError) else (done, (Path(scratch) / done.entry.file).read_bytes())))
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
