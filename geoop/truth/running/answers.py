"""One case, answered: its result, or the error that it ended with. What a solver raises must not take the other cases with it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TypeVar

from ...errors import ConvergenceError, GeoopError, UnwritableFileError

T = TypeVar("T")

#: No space, no quota, read-only, larger than the process may write: the next case would meet it too.
_DISK = {errno.ENOSPC, errno.EROFS, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def answer(job: Callable[[str], T], name: str) -> T | GeoopError:
    """The job's result for a name, or its error; one that is not geoop's own becomes one, with its text.

    A full disk is an ``UnwritableFileError`` whatever wrote: it ends the run, which may be continued; other errors cost their case.
    """
    try:
        return job(name)
    except GeoopError as error:
        return error
    except MemoryError:
        return ConvergenceError("out of memory", where=name, remedy="fewer workers at a time (-j), or a machine with more memory")
    except OSError as error:
        if error.errno in _DISK:
            found = f"cannot be written: {error.strerror}"
            return UnwritableFileError(found, where=str(error.filename or name), remedy="make room, then run it again: it continues")
        return _foreign(error, name)
    except Exception as error:
        return _foreign(error, name)


def _foreign(error: Exception, name: str) -> ConvergenceError:
    return ConvergenceError(f"{type(error).__name__}: {error}", where=name, remedy="run this case alone to see where it comes from")
