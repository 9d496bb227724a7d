"""The mean field: what one knows without looking at the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..mesh.case import Case
from .baseline import AbstractBaseline, Fitted


class MeanField(AbstractBaseline):
    """The mean of the training fields in the coordinates of the transfer; around bodies velocities are perturbations of the case's own free stream."""

    _mean: np.ndarray

    def _learn(self, fitted: Fitted, cases: Sequence[Case], rows: np.ndarray, vectors: np.ndarray) -> None:
        self._mean = vectors.mean(axis=0)

    def _infer(self, fitted: Fitted, case: Case, row: np.ndarray) -> np.ndarray:
        return self._mean

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {"mean": self._mean}

    def _restore(self, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        self._mean = np.asarray(arrays["mean"])
