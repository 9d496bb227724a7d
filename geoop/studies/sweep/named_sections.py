"""Sections by their names in a coordinate database, such as that of UIUC: from a folder or an archive of .dat files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError, GeoopError, UnreadableFileError
from ...io.reading import read
from ...mesh.mesh import Mesh
from ...truth.datasets.uiuc import texts


def uiuc_sections(names: Sequence[str], base: Path, folder: Any, chord: float, where: str) -> Iterator[Mesh | GeoopError]:
    """Sections as their files have them; an error in the place of one that is missing or cannot be read.

    Args:
        names: file names without suffix, in any case; ``*`` and ``?`` stand for letters, ``e2*``.
        base: that ``folder`` is relative to.
        folder: of the .dat files, or an archive (.zip, .tar.gz); None for where geoop finds the database, see ``GEOOP_UIUC``.
        chord: [m].
        where: for errors.

    Raises:
        MissingDependencyError: no folder was given and no database is on this machine.
        UnreadableFileError: no such folder, or no .dat file in it.
    """
    if folder is not None and not isinstance(folder, str | Path):
        raise ConfigurationError(f"folder = {folder!r}", where=where, remedy='folder = "coord_seligFmt"')
    path = None if folder is None else base / Path(folder).expanduser()
    if path is not None and not path.exists():
        raise UnreadableFileError("does not exist", where=str(path), remedy="folder = a folder of .dat files or an archive of one")
    known = texts(path)
    for name in names:
        wanted = name.lower().removesuffix(".dat")
        matching = [key for key in known if fnmatch(key, wanted)]
        if not matching:
            near = get_close_matches(wanted, known, 3)
            hint = f"did you mean {', '.join(near)}?" if near else "use names of its files"
            yield UnreadableFileError(f"no section '{name}' among {len(known)}", where=where, remedy=hint)
        for key in matching:
            yield _read(key, known[key], chord)


def _read(name: str, coordinates: bytes, chord: float) -> Mesh | GeoopError:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "section.dat")
        path.write_bytes(coordinates)
        try:
            return read(path, chord=chord, name=name)
        except GeoopError as error:
            return UnreadableFileError(error.message, where=f"{name}.dat", remedy=error.remedy)
