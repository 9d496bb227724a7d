"""Runs one long command with a progress line, a time limit and a log. Standard library only: it runs before anything is installed."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

QUIET_INTERVAL = 20.0  # seconds between progress lines where there is no terminal
TAIL = 15  # lines of output shown when a command fails


class CommandError(Exception):
    """A command failed, was refused or ran out of time; ``tail`` holds the end of its output."""

    def __init__(self, message: str, tail: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.tail = list(tail)


def say(text: str) -> None:
    """Print one line of progress at once."""
    print(text, file=sys.stderr, flush=True)


def shorten(line: str, width: int = 90) -> str:
    """What a person wants to see of a line of output: the compiled file instead of 40 compiler flags.

    >>> shorten("g++ -O3 -I/usr/include -c csrc/cpu/scatter_cpu.cpp -o build/scatter_cpu.o")
    'compiling scatter_cpu.cpp'
    """
    compiled = re.search(r"\s-c\s+(?:\S*[/\\])?([^\s/\\]+\.(?:cpp|cc|cxx|c|cu))\b", line)
    text = f"compiling {compiled.group(1)}" if compiled else " ".join(line.split())
    return text if len(text) <= width else text[: width - 1] + "…"


@dataclass
class Runner:
    """Runs commands one after the other; all output goes to ``log``.

    Args:
        directory: where the commands run.
        log: file that the output is appended to.
        inherit: file descriptors that the commands keep open (a lock stays held while an orphaned installer still runs).
    """

    directory: Path
    log: Path
    inherit: tuple[int, ...] = ()
    output: deque[str] = field(default_factory=lambda: deque(maxlen=400))

    def run(
        self,
        command: Sequence[str],
        label: str,
        *,
        environment: dict[str, str] | None = None,
        limit: float | None = None,
        refuse: Callable[[str], str | None] = lambda line: None,
    ) -> float:
        """Run ``command``, show ``label`` with the elapsed seconds and the last line of output; return the seconds taken.

        ``refuse`` sees every line of output; a text that it returns stops the command at once.

        Raises:
            CommandError: the exit code is not zero, the ``limit`` in seconds is over, or a line was refused.
        """
        self.output.clear()
        started = time.monotonic()
        progress = _Progress(label, started)
        process = subprocess.Popen(
            list(command),
            cwd=self.directory,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            **({} if os.name == "nt" else {"start_new_session": True, "pass_fds": self.inherit}),
        )
        try:
            for line in self._lines(process):
                if line is not None:
                    self.output.append(line)
                    if reason := refuse(line):
                        raise CommandError(reason, self.tail)
                progress.show(line)
                if limit is not None and time.monotonic() - started > limit:
                    raise CommandError(f"{label}: stopped after the limit of {limit:.0f} s", self.tail)
            if process.wait() != 0:
                raise CommandError(f"{label}: exit code {process.returncode}", self.tail)
        finally:
            _stop(process)
            progress.close()
        seconds = time.monotonic() - started
        say(f"{label}: done in {seconds:.0f} s")
        return seconds

    @property
    def tail(self) -> list[str]:
        """The last lines of the last command's output."""
        return list(self.output)[-TAIL:]

    def _lines(self, process: subprocess.Popen[str]):
        """Every line of output as it comes, and None every half second without one."""
        lines: queue.Queue[str | None] = queue.Queue()

        def read() -> None:
            assert process.stdout is not None
            with self.log.open("a", encoding="utf-8") as log, process.stdout as stream:
                for line in stream:
                    log.write(line)
                    log.flush()
                    lines.put(line.rstrip("\n"))
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=0.5)
            except queue.Empty:
                yield None
                continue
            if line is None:
                return
            yield line


class _Progress:
    """One line that is rewritten on a terminal, and a line every ``QUIET_INTERVAL`` seconds elsewhere."""

    def __init__(self, label: str, started: float) -> None:
        self.label = label
        self.started = started
        self.last = ""
        self.shown = started
        self.terminal = sys.stderr.isatty()
        if not self.terminal:
            say(f"{label} ...")

    def show(self, line: str | None) -> None:
        """Show the elapsed seconds, and ``line`` as the latest news."""
        if line and line.strip() and not line.startswith("WARNING:"):  # warnings are in the log
            self.last = shorten(line)
        now = time.monotonic()
        text = f"{self.label}: {now - self.started:.0f} s  {self.last}"
        if self.terminal:
            columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
            sys.stderr.write("\r\x1b[K" + text[: columns - 1])
            sys.stderr.flush()
        elif now - self.shown >= QUIET_INTERVAL:
            self.shown = now
            say(text)

    def close(self) -> None:
        """Clear the line."""
        if self.terminal:
            sys.stderr.write("\r\x1b[K")


def _stop(process: subprocess.Popen[str]) -> None:
    """End the command and everything it started, if it still runs."""
    if process.poll() is not None:
        return
    try:
        if os.name == "nt":
            process.terminate()
        else:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    except ProcessLookupError:
        process.wait()
