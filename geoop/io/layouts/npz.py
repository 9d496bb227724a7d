"""Archives of NumPy arrays as a published layout."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import UnreadableFileError


def archives(root: Path, names: Sequence[str]) -> list[Path]:
    """The ``.npz`` files of a folder that hold all of these arrays, by name; those that cannot be opened are passed over."""
    found = []
    for path in sorted(root.glob("*.npz")):
        try:
            with zipfile.ZipFile(path) as archive:
                there = {name.removesuffix(".npy") for name in archive.namelist()}
        except (OSError, zipfile.BadZipFile):
            continue
        if set(names) <= there:
            found.append(path)
    return found


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Some arrays of an archive.

    Raises:
        UnreadableFileError: it is damaged, or an array is an object and no numbers or text.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UnreadableFileError(f"cannot be read: {error}", where=str(path), remedy="download it again") from error
