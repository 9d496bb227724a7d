"""Values that are known at scattered points, at other points: by inverse squared distances from the nearest three."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree


@dataclass(frozen=True, eq=False)
class Scattered:
    """Points and their search tree, built once (Shepard 1968).

    Attributes:
        points: (n, d).
    """

    points: np.ndarray

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.points)

    def around(self, places: np.ndarray, neighbours: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(m, k) numbers of the nearest points of (m, d) places, (m, k) shares that add up to 1, and (m,) distance from the nearest.

        At a known point its value has all of the share.
        """
        distance, near = self._tree.query(places, k=min(neighbours, len(self.points)))
        distance, near = distance.reshape(len(places), -1), near.reshape(len(places), -1)
        weight = 1.0 / np.maximum(distance / np.maximum(distance[:, -1:], 1e-300), 1e-9) ** 2
        return near, weight / weight.sum(axis=1, keepdims=True), distance[:, 0]

    def spread(self, near: np.ndarray) -> np.ndarray:
        """(m,) largest distance between the nearest of (m, k) points and the others: the spacing there."""
        return np.linalg.norm(self.points[near[:, 1:]] - self.points[near[:, :1]], axis=2).max(axis=1, initial=0.0)
