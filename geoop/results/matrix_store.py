"""Matrices of the parts of a region, in memory or in files."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

import numpy as np


class MatrixStore:
    """Matrices of parts, by number; in memory, or in files that go when nobody needs them any more.

    Args:
        store: folder for the files, made where it is missing; None keeps them in memory.
    """

    def __init__(self, store: Path | None) -> None:
        self._kept: list[dict[str, np.ndarray] | Path] = []
        self.folder: Path | None = None
        if store is not None:
            Path(store).mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix="matrices-", dir=store))
            weakref.finalize(self, shutil.rmtree, self.folder, True)

    def put(self, matrices: dict[str, np.ndarray]) -> None:
        """Keep the matrices of the next part."""
        if self.folder is None:
            self._kept.append(matrices)
            return
        file = self.folder / f"{len(self._kept)}.npz"
        np.savez(file, **matrices)  # type: ignore[arg-type]
        self._kept.append(file)

    def take(self, number: int) -> dict[str, np.ndarray]:
        """The matrices of a part."""
        kept = self._kept[number]
        if isinstance(kept, dict):
            return kept
        with np.load(kept, allow_pickle=False) as read:
            return dict(read)
