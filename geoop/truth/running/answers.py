"""One case, answered: its result, or the error that it ended with. What a solver raises must not take the other cases with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ...errors import ConvergenceError, GeoopError

T = TypeVar("T")


def answer(job: Callable[[str], T], name: str) -> T | GeoopError:
    """The job's result for a name, or its error; one that is not geoop's own becomes one, with its text."""
    try:
        return job(name)
    except GeoopError as error:
        return error
    except Exception as error:
        return ConvergenceError(f"{type(error).__name__}: {error}", where=name, remedy="run this case alone to see where it comes from")
