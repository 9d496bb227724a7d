"""Linear regression with a penalty: what is linear in shape and conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..mesh.case import Case
from .baseline import AbstractBaseline, Fitted
from .leave_one_out import Spectrum
from .modes import Modes

#: Penalties tried, relative to the number of cases.
PENALTIES = np.logspace(-10, 2, 25)
#: The same where fields are given, of which a map may depend on the smallest parts; relative to the largest eigenvalue.
FINER_PENALTIES = np.logspace(-14, 1, 31)


class Ridge(AbstractBaseline):
    """Fields linear in the modes of the coordinates, the conditions and the given fields, with an intercept; the penalty of least leave-one-out error.

    Leave-one-out errors are exact: residual over 1 - leverage (Allen's PRESS).
    """

    _mean: np.ndarray
    _center: np.ndarray
    _slopes: np.ndarray

    def _learn(self, fitted: Fitted, cases: Sequence[Case], rows: np.ndarray, vectors: np.ndarray) -> None:
        self._mean, self._center = vectors.mean(axis=0), rows.mean(axis=0)
        if fitted.given is not None:
            self._slopes = _slopes(rows - self._center, vectors - self._mean)
            return
        left, size, right = np.linalg.svd(rows - self._center, full_matrices=False)
        targets = left.T @ (vectors - self._mean)
        # squared errors need only inner products of the cases, not the long vectors themselves
        gram = (vectors - self._mean) @ (vectors - self._mean).T
        best, error = PENALTIES[0], np.inf
        for penalty in PENALTIES:
            shrink = size**2 / (size**2 + penalty * len(rows))
            hat = (left * shrink) @ left.T
            rest = np.eye(len(rows)) - hat
            leverage = np.diag(hat) + 1.0 / len(rows)
            found = float((np.einsum("ij,jk,ik->i", rest, gram, rest, optimize=True) / np.maximum(1.0 - leverage, 1e-9) ** 2).sum())
            if found < error:
                best, error = penalty, found
        self._slopes = right.T @ ((size / (size**2 + best * len(rows)))[:, None] * targets)

    def _infer(self, fitted: Fitted, case: Case, row: np.ndarray) -> np.ndarray:
        return self._mean + (row - self._center) @ self._slopes

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {"mean": self._mean, "center": self._center, "slopes": self._slopes}

    def _restore(self, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        self._mean, self._center, self._slopes = (np.asarray(arrays[name]) for name in ("mean", "center", "slopes"))


def _slopes(rows: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(p, m) for many columns: by the (n, n) products of the rows; errors are compared on the principal components of the vectors."""
    spectrum = Spectrum.of(rows @ rows.T)
    modes = Modes.fit(vectors, lost=1e-14, most=len(vectors))
    penalties = FINER_PENALTIES * max(float(spectrum.values[-1]), 1e-300)
    errors = spectrum.press((vectors - modes.mean) @ modes.basis.T, penalties)
    return rows.T @ spectrum.weights(vectors, penalties[int(np.argmin(errors))])
