"""A file or folder that is to be read: found, decompressed, and looked at before anybody parses it."""

from __future__ import annotations

import difflib
import gzip
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from ..errors import UnreadableFileError
from .archive import archive_of, main_member, open_member, unpack_archive

#: Last suffixes of compressed files and archives.
COMPRESSIONS = (".gz", ".bz2", ".zip")


@dataclass(frozen=True)
class Source:
    """One input: a file, a member of a zip archive, or the folder of an OpenFOAM case.

    Attributes:
        path: as the user gave it, ``~`` expanded; of a member of an archive the archive.
        suffix: lower-case suffix of the content, ``.obj`` for ``wing.OBJ.gz``; ``.foam`` for an OpenFOAM case.
        compression: ``.gz``, ``.bz2``, ``.zip`` or empty.
        member: name inside the archive: of a file, or of the folder of an OpenFOAM case (empty at its root).
        time: [s] the step that is wanted of a file with several; None takes the last one.
    """

    path: Path
    suffix: str
    compression: str
    member: str = ""
    time: float | None = None

    @classmethod
    def find(cls, path: str | os.PathLike[str], time: float | None = None) -> Source:
        """The input of that name; ``cases.zip/run3/mesh.su2`` is a member of an archive.

        Raises:
            UnreadableFileError: there is no such file, it is empty, a folder that is no OpenFOAM case, or a damaged archive.
        """
        try:
            found = Path(path).expanduser()
        except TypeError:
            raise UnreadableFileError(f"a path is needed, not {type(path).__name__}", remedy="pass the file name as text or pathlib.Path") from None
        if found.is_dir():
            if not is_openfoam_case(found):
                raise UnreadableFileError("is a folder, not a file", where=str(found), remedy=_remedy_for_folder(found))
            return cls(found, ".foam", "", time=time)
        inside = archive_of(found) if not found.exists() else ((found, "") if found.suffix.lower() == ".zip" else None)
        if inside is not None:
            archive, wanted = inside
            member, suffix = main_member(archive, wanted)
            return cls(archive, suffix, ".zip", member, time)
        if not found.exists():
            raise UnreadableFileError("no such file", where=str(found), remedy=_remedy_for_missing(found))
        compression = found.suffix.lower() if found.suffix.lower() in COMPRESSIONS else ""
        suffix = Path(found.stem).suffix.lower() if compression else found.suffix.lower()
        source = cls(found, suffix, compression, time=time)
        if suffix != ".foam" and not source.head(1):  # the .foam file beside an OpenFOAM case is a marker and empty
            raise UnreadableFileError("the file is empty (0 bytes)", where=str(found), remedy="export or download it again")
        return source

    @property
    def where(self) -> str:
        return f"{self.path}/{self.member}" if self.member else str(self.path)

    @property
    def stem(self) -> str:
        """``wing`` for ``wing.obj.gz``; of an OpenFOAM case the name of its folder."""
        if self.suffix == ".foam":
            if self.compression:
                inside = Path(self.member)
                return (inside.parent if inside.suffix == ".foam" else inside).name or self.path.stem
            if self.path.is_file() and not is_openfoam_case(self.path.parent):
                return self.path.stem
            return (self.path if self.path.is_dir() else self.path.parent).resolve().name
        if self.member:
            return Path(self.member).stem
        return Path(self.path.stem).stem if self.compression else self.path.stem

    @property
    def is_case_folder(self) -> bool:
        """Whether this is the folder of an OpenFOAM case, on disk or inside an archive, or the marker file in it."""
        return self.suffix == ".foam"

    @property
    def size(self) -> int:
        """Bytes on disk; of a folder all its files together."""
        if self.path.is_dir():
            return sum(item.stat().st_size for item in self.path.rglob("*") if item.is_file())
        return self.path.stat().st_size

    def head(self, count: int = 4096) -> bytes:
        """The first bytes of the content, decompressed; none for a folder. The marker file ``case.foam`` should have none either."""
        return b"" if self.is_case_folder and (self.compression or self.path.is_dir()) else self._read(count)

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
        """A plain file on disk with the right suffix, for readers that open files themselves.

        Files that it refers to lie beside it: an archive is unpacked as a whole. Of an OpenFOAM case this is its folder.
        """
        if not self.compression:
            yield self.path.parent if self.is_case_folder and not self.path.is_dir() else self.path
            return
        with tempfile.TemporaryDirectory(prefix="geoop-") as folder:
            if self.compression == ".zip":
                unpack_archive(self.path, Path(folder))
                found = Path(folder, *Path(self.member).parts)
                yield found.parent if self.is_case_folder and not found.is_dir() else found
                return
            plain = Path(folder) / f"{self.stem}{self.suffix}"
            with self._guard(), self._open() as packed, open(plain, "wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, 1 << 20)
            yield plain

    def _read(self, count: int) -> bytes:
        with self._guard(), self._open() as handle:
            return handle.read(count).removeprefix(b"\xef\xbb\xbf")  # a byte order mark would spoil the first word of a text

    def _open(self) -> AbstractContextManager[IO[bytes]]:
        if self.compression == ".zip":
            return open_member(self.path, self.member)
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


def is_openfoam_case(folder: Path) -> bool:
    """Whether a folder is an OpenFOAM case: reconstructed or decomposed (also collated), of one or several regions."""
    marks = ("system/controlDict", "constant/polyMesh", "constant/*/polyMesh", "processor0", "processors[0-9]*")
    return any(next(folder.glob(mark), None) is not None for mark in marks)


def _remedy_for_missing(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"check the path: there is no folder '{folder}'"
    names = sorted(item.name for item in folder.iterdir() if item.is_file())
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6) or [name for name in names if name.lower().startswith(path.stem.lower())][:3]
    if near:
        return "did you mean " + " or ".join(f"'{folder / name}'" for name in near) + "?"
    return f"check the name; '{folder}' holds {', '.join(names[:5]) + (', ...' if len(names) > 5 else '') if names else 'no files'}"


def _cases_below(folder: Path) -> list[Path]:
    """OpenFOAM cases up to two folders deeper; what cannot be opened is passed over."""
    found: list[Path] = []
    level = [folder]
    for _ in range(2):
        below: list[Path] = []
        for parent in level:
            try:
                below += sorted(item for item in parent.iterdir() if item.is_dir() and not item.name.startswith("."))[:200]
            except OSError:
                continue
        cases = [item for item in below if is_openfoam_case(item)]
        found += cases
        level = [item for item in below if item not in cases]
    return sorted(found)


def _remedy_for_folder(folder: Path) -> str:
    around = next((parent for parent in list(folder.resolve().parents)[:3] if is_openfoam_case(parent)), None)
    if around is not None:
        inside = folder.resolve().relative_to(around).parts[0]
        files = sorted(item.name for item in folder.iterdir() if item.is_file())[:5]
        own = re.fullmatch(r"system|constant|processors?\d.*|\d+(\.\d*)?([eE][-+]?\d+)?", inside) or not files
        return f"it lies in an OpenFOAM case: give the folder of the case, '{around}'" + ("" if own else f", or one of its files: {', '.join(files)}")
    cases = _cases_below(folder)
    if cases:
        return (
            f"give {'one of the OpenFOAM cases' if len(cases) > 1 else 'the OpenFOAM case'} in it: "
            + ", ".join(f"'{case}'" for case in cases[:6])
            + (f" and {len(cases) - 6} more" if len(cases) > 6 else "")
        )
    names = sorted(item.name for item in folder.iterdir() if item.is_file())
    return (
        f"give one of its files: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}"
        if names
        else "give a mesh file, or the folder of an OpenFOAM case (with system/controlDict or constant/polyMesh); this one holds no files"
    )
