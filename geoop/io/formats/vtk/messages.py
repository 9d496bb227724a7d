"""What VTK would print, caught: its complaints become errors, and nothing reaches the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_ADDRESS = re.compile(r"\s*\(?\b0x[0-9a-fA-F]+\)?")


@contextmanager
def captured() -> Iterator[Callable[[], list[str]]]:
    """Silence VTK inside the block; the yielded function returns its error messages so far, without addresses and call stacks."""
    from vtkmodules.vtkCommonCore import vtkLogger, vtkOutputWindow, vtkStringOutputWindow

    window, before, verbosity = vtkStringOutputWindow(), vtkOutputWindow.GetInstance(), vtkLogger.GetCurrentVerbosityCutoff()
    vtkOutputWindow.SetInstance(window)
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    try:
        yield lambda: _errors(window.GetOutput())
    finally:
        vtkLogger.SetStderrVerbosity(verbosity)
        vtkOutputWindow.SetInstance(before)


def _errors(text: str) -> list[str]:
    """``Error parsing XML in stream at line 9, ...`` out of every block that speaks of an error (VTK calls damaged data a warning).

    Blocks that only say that some step failed are left out.
    """
    found = []
    for block in re.split(r"\n(?=(?:ERROR|Warning|Generic Warning):)", "\n" + text):
        message = re.sub(r"^\S+ \(0x[0-9a-f]+\): ", "", " ".join(block.strip().splitlines()[1:2])).strip()
        message = _ADDRESS.sub("", message)
        if not block.lstrip().startswith("ERROR") and "error" not in message.lower():
            continue
        if message and "returned failure for request" not in message:
            found.append(message)
    return found
