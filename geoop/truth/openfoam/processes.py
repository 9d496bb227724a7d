"""One program at a time, watched while it runs, ended with its children when it takes too long or when the caller stops."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import UnwritableFileError
from .installation import environment, program

_PATIENCE = 5.0  # seconds that a program has to end by itself when asked to


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes:
        code: exit status, negative: the signal that ended it.
        seconds: wall time.
        timed_out: whether it was ended because its time was up.
        log: the file with all that it said.
    """

    code: int
    seconds: float
    timed_out: bool
    log: Path

    @property
    def killed(self) -> bool:
        """Whether a signal from elsewhere ended it (also inside mpirun, which reports 128 + signal)."""
        return not self.timed_out and (self.code < 0 or self.code > 128)


def run_program(command: Sequence[str], folder: Path, log: str, *, seconds: float | None = None, line: Callable[[str], None] | None = None) -> Ended:
    """Run a program in a case and wait for it.

    Only this program and what it started are ended: it runs in a session of its own, and signals go to that session alone.

    Args:
        command: name of the program and its arguments.
        folder: of the case.
        log: name of the file in it that takes the output.
        seconds: after which it is ended; None waits.
        line: called with every line of the output; what it raises ends the program and is raised here.

    Raises:
        MissingDependencyError: the program is not installed.
        UnwritableFileError: the log cannot be written.
    """
    path = program(command[0])
    started = time.monotonic()
    try:
        out = (folder / log).open("w", encoding="utf-8", errors="replace")
    except OSError as error:
        raise UnwritableFileError(
            f"cannot be written: {error.strerror}", where=str(folder / log), remedy="check permissions and disk space"
        ) from error
    with out:
        process = subprocess.Popen(
            [path, *command[1:]], cwd=folder.resolve(), env={**environment(), "PWD": str(folder.resolve())}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
        try:
            timed_out = _watch(process, out, None if seconds is None else started + seconds, line or (lambda _: None))
            out.flush()
        except OSError as error:
            remedy = "free disk space, run again"
            raise UnwritableFileError(f"cannot be written: {error.strerror or error}", where=str(folder / log), remedy=remedy) from error
        finally:
            _end(process)
    return Ended(process.returncode, time.monotonic() - started, timed_out, folder / log)


def _watch(process: subprocess.Popen, out, deadline: float | None, line: Callable[[str], None]) -> bool:
    """Lines to the log and to the caller until the output ends; True when the deadline came first."""
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    while True:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return True
        try:
            text = lines.get(timeout=left)
        except queue.Empty:
            return True
        if text is None:
            break
        out.write(text)
        line(text)
    try:
        process.wait(None if deadline is None else max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        return True
    return False


def _read(stream, lines: queue.Queue[str | None]) -> None:
    for text in stream:
        lines.put(text)
    lines.put(None)


def _end(process: subprocess.Popen) -> None:
    """Ask the session of a program to end, then make it; nothing happens to one that has ended."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            continue
    if process.stdout is not None:
        process.stdout.close()
    process.wait()
