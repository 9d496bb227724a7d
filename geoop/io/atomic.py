"""Writing beside the target and renaming: an interrupted write leaves the old file as it was."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UnwritableFileError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path with the suffix of ``path`` in the same folder, renamed onto ``path`` when the block ends well.

    The folder is made when it is missing. When the block raises, the temporary file is removed and ``path`` is untouched.

    Raises:
        UnwritableFileError: the folder cannot be made or written, or the disk is full.
    """
    target = Path(path).expanduser()
    beside: Path | None = None
    try:
        if target.is_dir():
            raise UnwritableFileError("is a folder, not a file", where=str(target), remedy="give a file name inside it")
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.stem[:40]}-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
        beside = Path(name)
        yield beside
        os.chmod(beside, _mode(target))
        os.replace(beside, target)
        beside = None
    except UnwritableFileError:
        raise
    except OSError as error:
        raise UnwritableFileError(
            f"cannot be written: {error.strerror or error}", where=str(target), remedy="check the folder, its permissions and the free disk space"
        ) from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def _mode(target: Path) -> int:
    """Permissions of the file that is replaced, or those that a plain ``open`` would give (temporary files are private)."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
