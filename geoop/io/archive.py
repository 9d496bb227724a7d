"""Zip archives: which member is meant, and safe unpacking."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from ..errors import UnreadableFileError

try:  # some Python builds lack it
    from lzma import LZMAError
except ImportError:
    LZMAError = zlib.error

#: Files that refer to the others beside them, the first kind first: of several files in an archive one of these is meant.
_INDEX = (".foam", ".pvd", ".case", ".encas", ".vtm", ".gltf")
#: Files that no mesh is in.
_BESIDE = {".md", ".rst", ".pdf", ".png", ".jpg", ".jpeg", ".mtl", ".html", ".py", ".log", ".license", ""}
#: Files by which the folder of an OpenFOAM case is known, and the folder; of several possible folders the outermost.
_CASE = re.compile(r"(?:(.*?)/)?(?:system/controlDict$|constant/(?:[^/]+/)?polyMesh/.|processors?\d+(?:_\d+-\d+)?/.)")
_DISTRUST = "do not trust this archive; unpack it by hand"
_MOST = 1100  # deflate packs at best about 1030 bytes into one


def archive_of(path: Path) -> tuple[Path, str] | None:
    """The archive and the name inside it that ``a.zip/b/c.vtu`` means; None if no part of the path is a zip file."""
    for parent in path.parents:
        if parent.suffix.lower() == ".zip" and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return None


def main_member(archive: Path, wanted: str) -> tuple[str, str]:
    """The member to be read and the suffix that it is read by.

    An OpenFOAM case is the folder that holds ``system/controlDict`` or ``constant/polyMesh``; otherwise a file: the only one, or
    the only one that refers to others (.pvd, .case, .vtm).

    Raises:
        UnreadableFileError: a damaged archive, nothing of that name, or several files to choose from.
    """
    with _opened(archive) as bundle:
        everything = [info.filename for info in bundle.infolist() if not info.is_dir()]
    names = [name for name in everything if not _is_hidden(name)]
    chosen = [name for name in names if name == wanted or not wanted or name.startswith(wanted.rstrip("/") + "/")]
    if not chosen and not wanted and (outside := [name for name in everything if _leaves(name)]):
        raise UnreadableFileError(f"the member '{outside[0]}' would be written outside the folder", where=str(archive), remedy=_DISTRUST)
    if not chosen:
        raise UnreadableFileError(
            f"the archive holds no '{wanted}'" if wanted else "the archive is empty", where=str(archive), remedy=f"it holds {_listed(names)}"
        )
    cases = _case_folders(chosen)
    if len(cases) == 1 and wanted not in names:
        return cases[0], ".foam"
    files = [name for name in chosen if PurePosixPath(name).suffix.lower() not in _BESIDE] or chosen
    for suffix in _INDEX:
        indices = [name for name in files if PurePosixPath(name).suffix.lower() == suffix]
        if len(indices) == 1:
            return indices[0], suffix
    if len(cases) > 1 or len(files) > 1:
        raise UnreadableFileError(
            f"the archive holds {f'{len(cases)} OpenFOAM cases' if cases else f'{len(files)} files'}: {_listed(cases or files)}",
            where=str(archive),
            remedy=f"say which one: '{archive.name}/{(cases or files)[0]}'",
        )
    return files[0], PurePosixPath(files[0]).suffix.lower()


@contextmanager
def open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """One file of an archive, decompressed as it is read.

    Raises:
        UnreadableFileError: damaged.
    """
    with _opened(archive) as bundle, bundle.open(member) as handle:
        yield handle


def unpack_archive(archive: Path, folder: Path) -> None:
    """All files of an archive into a folder; names that would leave it are refused, and so is a content of absurd size.

    Raises:
        UnreadableFileError: damaged, or made to do harm.
    """
    with _opened(archive) as bundle:
        total, packed = sum(info.file_size for info in bundle.infolist()), archive.stat().st_size
        if total > _MOST * packed:
            raise UnreadableFileError(f"{packed} bytes claim to unpack to {total}", where=str(archive), remedy=_DISTRUST)
        for info in bundle.infolist():
            if _leaves(info.filename):
                raise UnreadableFileError(f"the member '{info.filename}' would be written outside the folder", where=str(archive), remedy=_DISTRUST)
        bundle.extractall(folder)


def _case_folders(names: list[str]) -> list[str]:
    found = (_CASE.match(name) for name in names)
    return sorted({match[1] or "" for match in found if match})


def _leaves(name: str) -> bool:
    """Whether a member of that name would be written outside the folder that an archive is unpacked into."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return ".." in parts or name.startswith(("/", "\\")) or any(":" in part for part in parts)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "") if names else "nothing"


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as bundle:
            yield bundle
    except (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, NotImplementedError, RuntimeError, KeyError) as error:
        raise UnreadableFileError(
            f"cannot be unpacked: {error}", where=str(archive), remedy="download or pack it again; encrypted archives are not read"
        ) from error
    except OSError as error:
        raise UnreadableFileError(
            f"cannot be opened: {error.strerror or error}", where=str(archive), remedy="check the file and its permissions"
        ) from error
