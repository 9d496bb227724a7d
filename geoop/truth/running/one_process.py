"""Run a job for many names in this process, with one thread, so that the numbers are those of any number of workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ...errors import GeoopError
from .answers import answer
from .one_thread import one_thread

T = TypeVar("T")


def in_this_process(job: Callable[[str], T], groups: Sequence[Sequence[str]]) -> Iterator[tuple[str, T | GeoopError]]:
    """Run a job for every name and yield (name, result or error), one after the other."""
    for name in (name for group in groups for name in group):
        with one_thread():
            found = answer(job, name)
        yield name, found
