"""The nearest training case: what a look-up table gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..mesh.case import Case
from .baseline import AbstractBaseline, Fitted


class NearestShape(AbstractBaseline):
    """The field of the training case nearest in shape, conditions and given fields, laid into the new one by the transfer.

    Distance: root mean square of the coordinates of the geometry over its deviation in training, conditions over theirs, and the given
    fields over theirs as a whole.
    """

    _rows: np.ndarray
    _vectors: np.ndarray

    def _learn(self, fitted: Fitted, cases: Sequence[Case], rows: np.ndarray, vectors: np.ndarray) -> None:
        self._rows, self._vectors = rows, vectors

    def _infer(self, fitted: Fitted, case: Case, row: np.ndarray) -> np.ndarray:
        gap = (self._rows - row) * fitted.features.importance
        return self._vectors[int(np.argmin((gap**2).sum(axis=1)))]

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {"rows": self._rows, "vectors": self._vectors}

    def _restore(self, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        self._rows, self._vectors = np.asarray(arrays["rows"]), np.asarray(arrays["vectors"])
