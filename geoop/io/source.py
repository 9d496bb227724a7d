"""A file that is to be read: found, decompressed, and looked at before anybody parses it."""

from __future__ import annotations

import difflib
import gzip
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from ..errors import UnreadableFileError

#: Last suffixes of compressed files.
COMPRESSIONS = (".gz", ".bz2")


@dataclass(frozen=True)
class Source:
    """One input file.

    Attributes:
        path: as the user gave it, ``~`` expanded.
        suffix: lower-case suffix of the content, ``.obj`` for ``wing.OBJ.gz``.
        compression: ``.gz``, ``.bz2`` or empty.
    """

    path: Path
    suffix: str
    compression: str

    @classmethod
    def find(cls, path: str | os.PathLike[str]) -> Source:
        """Raises :class:`UnreadableFileError` when there is no such file, it is a folder, or it is empty."""
        try:
            found = Path(path).expanduser()
        except TypeError:
            raise UnreadableFileError(f"a path is needed, not {type(path).__name__}", remedy="pass the file name as text or pathlib.Path") from None
        if found.is_dir():
            raise UnreadableFileError("is a folder, not a file", where=str(found), remedy=_remedy_for_folder(found))
        if not found.exists():
            raise UnreadableFileError("no such file", where=str(found), remedy=_remedy_for_missing(found))
        compression = found.suffix.lower() if found.suffix.lower() in COMPRESSIONS else ""
        suffix = Path(found.stem).suffix.lower() if compression else found.suffix.lower()
        source = cls(found, suffix, compression)
        if not source.head(1):
            raise UnreadableFileError("the file is empty (0 bytes)", where=str(found), remedy="export or download it again")
        return source

    @property
    def where(self) -> str:
        return str(self.path)

    @property
    def stem(self) -> str:
        """``wing`` for ``wing.obj.gz``."""
        return Path(self.path.stem).stem if self.compression else self.path.stem

    def head(self, count: int = 4096) -> bytes:
        """The first bytes of the content, decompressed."""
        return self._read(count)

    def data(self) -> bytes:
        """The whole content, decompressed."""
        return self._read(-1)

    def text(self) -> str:
        """The whole content as text: UTF-8 where it is, Latin-1 otherwise (old files hold names in it)."""
        data = self.data()
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            return data.decode("latin-1")

    @contextmanager
    def file(self) -> Iterator[Path]:
        """A plain file on disk with the right suffix, for readers that open files themselves."""
        if not self.compression:
            yield self.path
            return
        with tempfile.TemporaryDirectory(prefix="geoop-") as folder:
            plain = Path(folder) / f"{self.stem}{self.suffix}"
            with self._guard(), self._open() as packed, open(plain, "wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, 1 << 20)
            yield plain

    def _read(self, count: int) -> bytes:
        with self._guard(), self._open() as handle:
            return handle.read(count).removeprefix(b"\xef\xbb\xbf")  # a byte order mark would spoil the first word of a text

    def _open(self) -> IO[bytes]:
        if self.compression == ".bz2":
            import bz2  # some Python builds lack it: only who reads .bz2 needs it

            return bz2.open(self.path, "rb")
        return cast(IO[bytes], gzip.open(self.path, "rb") if self.compression else open(self.path, "rb"))

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise UnreadableFileError(
                f"cannot be decompressed as {self.compression}: {error}",
                where=self.where,
                remedy="download or compress it again; the file is damaged or truncated",
            ) from error
        except OSError as error:
            damaged = self.compression and error.errno is None  # bz2 reports damaged data as a bare OSError
            message = f"cannot be decompressed as {self.compression}: {error}" if damaged else f"cannot be opened: {error.strerror or error}"
            remedy = "download or compress it again; the file is damaged" if damaged else "check the permissions of the file"
            raise UnreadableFileError(message, where=self.where, remedy=remedy) from error


def _remedy_for_missing(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"check the path: there is no folder '{folder}'"
    names = sorted(item.name for item in folder.iterdir() if item.is_file())
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6) or [name for name in names if name.lower().startswith(path.stem.lower())][:3]
    if near:
        return "did you mean " + " or ".join(f"'{folder / name}'" for name in near) + "?"
    return f"check the name; '{folder}' holds {', '.join(names[:5]) + (', ...' if len(names) > 5 else '') if names else 'no files'}"


def _remedy_for_folder(folder: Path) -> str:
    if (folder / "system" / "controlDict").exists() or (folder / "constant" / "polyMesh").exists():
        return "this looks like an OpenFOAM case: convert it with `foamToVTK` and read the .vtu file"
    names = sorted(item.name for item in folder.iterdir() if item.is_file())
    return (
        f"give one of its files: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}"
        if names
        else "give a mesh file; the folder holds no files"
    )
