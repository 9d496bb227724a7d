"""One writer per data-set folder: a second one is told so, and a killed one leaves nothing that keeps others out."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ..errors import DatasetError
from .dataset import beside

#: Suffix of the lock file beside the folder.
LOCK = ".lock"
#: The file system knows no locks: there is nothing to hold, and a data set is better than none.
_WITHOUT = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold the right to write a data-set folder while the block runs.

    The lock is the operating system's, on a file beside the folder: it ends with the process, however that ends.

    Raises:
        DatasetError: another process, or another thread of this one, holds it; says which.
        OSError: the file cannot be made.
    """
    path = beside(folder, LOCK)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _held(path, folder)
    try:
        yield
    finally:
        if sys.platform == "win32":  # an open file cannot be removed there
            file.close()
            with suppress(OSError):
                path.unlink(missing_ok=True)
        else:
            path.unlink(missing_ok=True)
            file.close()


def _held(path: Path, folder: Path) -> IO[str]:
    """The lock file, open and locked."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            _lock(file)
        except OSError as error:
            if error.errno not in _WITHOUT:
                file.seek(0)
                holder = file.read(200).strip()
                file.close()
                raise DatasetError(
                    "this data set is being written" + (f" by {holder}" if holder else ""),
                    where=str(folder),
                    remedy="wait until that is done and run it again, or choose another folder",
                ) from error
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                break
        file.close()  # its holder removed it between our opening and locking it: another one counts now
    with suppress(OSError):  # a full disk: the lock holds without a name
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
    return file


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(1 << 20)  # a locked byte cannot be read by others: not one of the name
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
