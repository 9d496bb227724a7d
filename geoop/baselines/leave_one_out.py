"""Exact leave-one-out errors of ridge regressions with a free intercept (Allen's PRESS), for many penalties at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A kernel matrix on what is orthogonal to the constant.

    Attributes:
        values: (n - 1,) eigenvalues, ascending, never negative.
        vectors: (n, n - 1) orthonormal eigenvectors of zero mean.
    """

    values: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray) -> Spectrum:
        """Of a symmetric (n, n) kernel matrix, centred here."""
        middle = matrix.mean(axis=0)
        centred = matrix - middle - middle[:, None] + middle.mean()
        # the constant is made the last eigenvector, so that none of the others has a part of it however small their values are
        values, vectors = np.linalg.eigh(centred + 2.0 * (np.trace(centred) + 1e-300) / len(matrix))
        return cls(np.maximum(values[:-1], 0.0), vectors[:, :-1])

    def press(self, targets: np.ndarray, penalties: np.ndarray) -> np.ndarray:
        """(q,) sums of squared leave-one-out errors for (q,) penalties and (n, m) targets.

        Residual over 1 - leverage; both are sums over what the penalty takes away, so that nothing cancels where it is small.
        """
        along = self.vectors.T @ targets
        found = []
        for penalty in penalties:
            rest = penalty / (self.values + penalty)
            residual = self.vectors @ (rest[:, None] * along)
            found.append(float(((residual / ((self.vectors**2) @ rest)[:, None]) ** 2).sum()))
        return np.array(found)

    def weights(self, targets: np.ndarray, penalty: float) -> np.ndarray:
        """(n, m) weights of the kernel at the training rows; they add up to zero."""
        return self.vectors @ ((self.vectors.T @ targets) / (self.values + penalty)[:, None])
