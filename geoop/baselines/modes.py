"""Principal components with a scale per group of columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Modes:
    """Rows of many numbers <-> a few coefficients.

    Attributes:
        mean: (m,). scale: (m,) what columns are divided by before the decomposition.
        basis: (r, m) orthonormal modes of the scaled columns, largest first.
        deviation: (r,) standard deviation of every coefficient over the training rows.
    """

    mean: np.ndarray
    scale: np.ndarray
    basis: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, rows: np.ndarray, scale: np.ndarray | float = 1.0, *, lost: float = 1e-8, most: int = 64) -> Modes:
        """The fewest modes that lose at most this share of the variance of (n, m) rows, and at most so many."""
        mean = rows.mean(axis=0)
        scale = np.broadcast_to(np.asarray(scale, dtype=np.float64), mean.shape).copy()
        centred = (rows - mean) / scale
        # n is small and m large: decompose the n x n matrix of inner products
        square, vectors = np.linalg.eigh(centred @ centred.T)
        square, vectors = np.maximum(square[::-1], 0.0), vectors[:, ::-1]
        total = square.sum()
        kept = min(most, len(rows) - 1, int((square.sum() - np.cumsum(square) > lost * total).sum()) + 1) if total > 0 else 0
        kept = min(kept, int((square > 1e-14 * total).sum())) if total > 0 else 0
        # small modes of the n x n matrix are only nearly orthogonal in the long space: make them so
        basis, corner = np.linalg.qr(centred.T @ vectors[:, :kept])
        basis = (basis * np.where(np.diag(corner) < 0, -1.0, 1.0)).T
        return cls(mean, scale, basis, np.sqrt(((centred @ basis.T) ** 2).mean(axis=0)))

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """(n, m) -> (n, r) coefficients of unit deviation."""
        return ((rows - self.mean) / self.scale) @ self.basis.T / self.deviation

    def decode(self, coefficients: np.ndarray) -> np.ndarray:
        """(n, r) -> (n, m)."""
        return self.mean + self.scale * ((coefficients * self.deviation) @ self.basis)

    def arrays(self) -> dict[str, np.ndarray]:
        """For a checkpoint; :meth:`from_arrays` reads them back, bit-equal."""
        return {"mean": self.mean, "scale": self.scale, "basis": self.basis, "deviation": self.deviation}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Modes:
        return cls(*(np.asarray(arrays[name]) for name in ("mean", "scale", "basis", "deviation")))
