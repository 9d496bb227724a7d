"""Run a job for many names in worker processes of our own.

A worker is a fresh Python that imports geoop and nothing of the user's script: no ``if __name__ == "__main__"`` is needed, and
no state of a process with running threads is copied, as ``fork`` would. A worker that dies (memory, a crash in a library) is
replaced; its case is tried once more and then given up, and the others go on. One that takes too long is ended, and its case
given up at once.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from ...errors import ConvergenceError, GeoopError
from .answers import answer
from .one_thread import VARIABLES

T = TypeVar("T")

#: Attempts at a case before it is given up because the worker died.
_ATTEMPTS = 2
_START = "from geoop.truth.running.workers import serve; serve()"
#: Asked first: answered as soon as the worker has the job.
_READY = None


def in_processes(
    job: Callable[[str], T], groups: Sequence[Sequence[str]], workers: int, *, time_limit: float | None = None
) -> Iterator[tuple[str, T | GeoopError]]:
    """Run a job for every name and yield (name, result or error) as they come.

    Args:
        job: picklable by the name of its function, with picklable arguments.
        groups: names that it is called with; those of a group go to one process, one after the other.
        workers: number of processes.
        time_limit: [s] that one name may take, without the start of its process; None: any.

    Raises:
        ConvergenceError: no worker can be started, which is no case's fault.
    """
    todo: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()
    for group in groups:
        todo.put(group)
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    drivers = [_Driver(pickle.dumps(job), todo, done, time_limit) for _ in range(max(1, min(workers, len(groups))))]
    for driver in drivers:
        driver.start()
    try:
        for _ in range(sum(len(group) for group in groups)):
            item = done.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    except BaseException:  # interrupted, or the caller gave up: do not wait for the cases under way
        for driver in drivers:
            driver.cancel()
        raise
    finally:
        for driver in drivers:
            driver.join()


class _Driver(threading.Thread):
    """One thread per worker: hands out names and collects answers until nothing is left."""

    def __init__(self, payload: bytes, todo: queue.SimpleQueue[Sequence[str]], done: queue.SimpleQueue[Any], time_limit: float | None = None) -> None:
        super().__init__(daemon=True)
        self.payload, self.todo, self.done, self.time_limit = payload, todo, done, time_limit
        self.cancelled = threading.Event()
        self.worker: subprocess.Popen[bytes] | None = None

    def cancel(self) -> None:
        """End the worker at once."""
        self.cancelled.set()
        worker = self.worker
        if worker is not None:
            worker.terminate()

    def run(self) -> None:
        try:
            while not self.cancelled.is_set():
                try:
                    group = self.todo.get_nowait()
                except queue.Empty:
                    return
                for name in group:
                    if self.cancelled.is_set():
                        return
                    self.done.put((name, self._answer(name)))
        except BaseException as error:
            self.done.put(error)
        finally:
            if self.worker is not None:
                _ended(self.worker)

    def _answer(self, name: str) -> Any:
        code = 0
        for _ in range(_ATTEMPTS):
            if self.worker is None:
                self._start()
            if self.worker is None or self.cancelled.is_set():
                break
            worker, start = self.worker, time.monotonic()
            with _ended_after(worker, self.time_limit):
                answer = _ask(worker, name)
            if answer is not None:
                return answer
            code, self.worker = _ended(worker), None
            if self.time_limit is not None and time.monotonic() - start >= self.time_limit:
                remedy = "give it more time (--time-limit, time_limit=), or leave it out"
                return ConvergenceError(f"not done after {self.time_limit:g} s", where=name, remedy=remedy)
        remedy = "run with workers=1 to see the cause; check the memory"
        return ConvergenceError(f"the worker process ended {_ATTEMPTS} times without an answer ({_reason(code)})", where=name, remedy=remedy)

    def _start(self) -> None:
        """A worker that has the job; none when the run was given up meanwhile."""
        code = 0
        for _ in range(_ATTEMPTS):
            worker = self.worker = _started(self.payload)
            if self.cancelled.is_set():  # cancel() may have looked before there was a worker
                worker.terminate()
            if _ask(worker, _READY) is not None:
                return
            code, self.worker = _ended(worker), None
            if self.cancelled.is_set():
                return
        remedy = "read what it printed above; check the memory, and that this Python can import geoop; or stay in this process: workers=1, -j 1"
        raise ConvergenceError(f"no worker process can be started ({_reason(code)})", where=sys.executable, remedy=remedy)


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


@contextmanager
def _ended_after(worker: subprocess.Popen[bytes], seconds: float | None) -> Iterator[None]:
    """Kill a worker that is still busy with the block after some seconds."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, worker.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _started(payload: bytes) -> subprocess.Popen[bytes]:
    """A fresh Python with this one's search path; numerical libraries get one thread each, because the workers share the cores."""
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    threads = dict.fromkeys(VARIABLES, "1")
    worker = subprocess.Popen(
        [sys.executable, "-c", _START], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path, **threads}
    )
    assert worker.stdin is not None
    try:
        worker.stdin.write(payload)
        worker.stdin.flush()
    except OSError:
        pass  # it died at once: the first question will find out
    return worker


def _ask(worker: subprocess.Popen[bytes], name: str | None) -> Any:
    """The worker's answer, None if it is dead."""
    assert worker.stdin is not None and worker.stdout is not None
    try:
        pickle.dump(name, worker.stdin)
        worker.stdin.flush()
        return pickle.load(worker.stdout)
    except (OSError, EOFError, pickle.UnpicklingError):
        return None


def _ended(worker: subprocess.Popen[bytes]) -> int:
    """Close a worker and wait for it: end of input lets it go after its present case."""
    assert worker.stdin is not None and worker.stdout is not None
    for pipe in (worker.stdin, worker.stdout):
        try:
            pipe.close()
        except OSError:
            pass
    return worker.wait()


def serve() -> None:
    """The loop of a worker: a job first, then names on standard input; answers on standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up between the answers
    questions = sys.stdin.buffer
    job = pickle.load(questions)
    while True:
        try:
            name = pickle.load(questions)
        except EOFError:
            return
        pickle.dump(True if name is _READY else answer(job, name), answers)
        answers.flush()
