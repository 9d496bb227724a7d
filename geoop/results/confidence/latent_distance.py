"""How far the latent code of a case lies from those of the training cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from ...errors import CheckpointError, ConfigurationError, DatasetError

#: ``neighbours``: to the nearest training cases; ``whitened``: the same where all directions count alike; ``mahalanobis``: to their middle.
Metric = Literal["neighbours", "whitened", "mahalanobis"]
METRICS: tuple[Metric, ...] = get_args(Metric)
#: Directions kept, most; and the share of the variance that they are to hold.
DIRECTIONS, VARIANCE = 24, 0.99
#: Training cases whose mean distance counts.
NEIGHBOURS = 5
#: Training codes kept in a checkpoint, most.
KEPT = 4000


@dataclass(frozen=True, eq=False)
class LatentCloud:
    """Latent codes of training cases, and the distance of another code from them.

    Codes are standardised and turned into their principal directions. What of a code lies in none of these is added as one more coordinate, else a
    case that differs from all training cases in a new way would look near (the Q statistic beside T^2, Jackson & Mudholkar 1979). Distances are in
    units of the median distance of a training case from the others.

    Attributes:
        mean, deviation: (k,) of the training codes.
        directions: (r, k) orthonormal rows.
        rows: (n, r + 1) training codes in these directions, and what is left of each.
        group: (n,) number of the case that every row belongs to: one and its images under symmetries say nothing of each other.
        metric: see :data:`Metric`; Mahalanobis as Lee et al. 2018, nearest neighbours as Sun et al. 2022.
        neighbours: training cases whose mean distance counts.
    """

    mean: np.ndarray
    deviation: np.ndarray
    directions: np.ndarray
    rows: np.ndarray
    group: np.ndarray
    metric: Metric = "neighbours"
    neighbours: int = NEIGHBOURS

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise ConfigurationError(f"no metric '{self.metric}'", where="LatentCloud", remedy=f"one of {', '.join(METRICS)}")

    @classmethod
    def fit(cls, codes: Sequence[np.ndarray] | np.ndarray, metric: Metric = "neighbours", *, cases: int | None = None) -> LatentCloud:
        """Of training codes (n, k); of more than :data:`KEPT` every so many.

        Args:
            codes: of all cases, then of their first images, then of their second ones.
            metric: see :data:`Metric`.
            cases: how many there are without their images; None where there are none.

        Raises:
            DatasetError: fewer than three codes, of several lengths, or not finite.
        """
        if len(codes) < 3 or len({np.shape(code) for code in codes}) != 1 or not all(np.isfinite(code).all() for code in codes):
            raise DatasetError(
                f"{len(codes)} latent codes of shapes {sorted({np.shape(code) for code in codes})}", where="LatentCloud", remedy="three cases or more"
            )
        step = -(-len(codes) // KEPT)
        found, group = np.asarray(codes, dtype=np.float64)[::step], (np.arange(len(codes)) % (cases or len(codes)))[::step]
        mean, deviation = found.mean(axis=0), found.std(axis=0)
        deviation = np.maximum(deviation, 1e-6 * np.maximum(1.0, np.abs(found).max(axis=0)))  # what does not vary is rounding
        z = (found - mean) / deviation
        _, size, turn = np.linalg.svd(z, full_matrices=False)
        held = np.cumsum(size**2) / max(float((size**2).sum()), 1e-300)
        count = int(min(DIRECTIONS, 1 + np.searchsorted(held, VARIANCE), len(turn)))
        # as they will be kept, so that a checkpoint answers bit-equal
        middle, unit, directions = (array.astype(np.float32) for array in (mean, deviation, turn[:count]))
        plain = cls(middle, unit, directions, np.zeros((0, count + 1), np.float32), group[:0], metric)
        return cls(middle, unit, directions, np.stack([plain._turned(code) for code in found]).astype(np.float32), group, metric)

    def with_metric(self, metric: Metric) -> LatentCloud:
        """The same codes, other distances."""
        return LatentCloud(self.mean, self.deviation, self.directions, self.rows, self.group, metric, self.neighbours)

    def distance(self, code: np.ndarray) -> float:
        """Of one code (k,), 1 is the median of the training cases'; infinity for one that is not finite or has another length."""
        if np.shape(code) != self.mean.shape or not np.isfinite(code).all():
            return float("inf")
        return float(self._raw(self._turned(code)[None])[0] / self._unit)

    @cached_property
    def left_out(self) -> np.ndarray:
        """(n,) distance of every training case, and of its images, from the other cases; 1 is their median."""
        return self._raw(self.rows.astype(np.float64), self.group) / self._unit

    @cached_property
    def _unit(self) -> float:
        return max(float(np.median(self._raw(self.rows.astype(np.float64), self.group))), 1e-12)

    @cached_property
    def _scale(self) -> np.ndarray:
        """(r + 1,) what coordinates are divided by."""
        rows = self.rows.astype(np.float64)
        spread = rows.std(axis=0)
        spread[-1] = np.sqrt((rows[:, -1] ** 2).mean())
        return np.ones(rows.shape[1]) if self.metric == "neighbours" else np.maximum(spread, 1e-6 * max(float(spread.max()), 1e-300))

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree((self.rows / self._scale)[:, :-1])

    def _turned(self, code: np.ndarray) -> np.ndarray:
        """(r + 1,) a code in the directions, and the size of what is left."""
        z = (np.asarray(code, dtype=np.float64) - self.mean) / self.deviation
        own = self.directions @ z
        return np.append(own, np.sqrt(max(0.0, float(z @ z - own @ own))))

    def _raw(self, rows: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
        """(m,) distances of rows; ``own``: the group of each, which does not count among its neighbours unless there is no other."""
        rows = rows / self._scale
        if self.metric == "mahalanobis":
            middle = np.append((self.rows / self._scale)[:, :-1].mean(axis=0), 0.0)
            return np.linalg.norm(rows - middle, axis=1)
        many = 0 if own is None else int(np.bincount(self.group).max())
        distance, near = self._tree.query(rows[:, :-1], k=min(self.neighbours + many, len(self.rows)))
        distance, near = distance.reshape(len(rows), -1), near.reshape(len(rows), -1)
        if own is not None and (self.group != self.group[0]).any():
            distance = np.sort(np.where(self.group[near] == own[:, None], np.inf, distance), axis=1)
        distance = distance[:, : self.neighbours]
        counts = np.isfinite(distance)
        # what is left has no sign, and two cases that leave much need not be alike: it counts from zero
        return np.sqrt(np.where(counts, distance, 0.0) ** 2 + rows[:, -1:] ** 2).sum(axis=1, where=counts) / np.maximum(counts.sum(axis=1), 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """For a checkpoint; :meth:`from_arrays` reads them back, bit-equal."""
        return {name: np.array(getattr(self, name)) for name in ("mean", "deviation", "directions", "rows", "group")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], metric: Metric, neighbours: int) -> LatentCloud:
        """From a checkpoint.

        Raises:
            CheckpointError: an array is missing.
        """
        try:
            mean, deviation, directions, rows = (np.asarray(arrays[name]) for name in ("mean", "deviation", "directions", "rows"))
            group = np.asarray(arrays.get("group", np.arange(len(rows))))  # files of older versions have none
            return cls(mean, deviation, directions, rows, group, metric, neighbours)
        except KeyError as error:
            raise CheckpointError(f"the latent codes are damaged: {error}", where="LatentCloud", remedy="calibrate again") from error
