"""What a baseline sees of a case: the shape of its section and its stated conditions, the same that a network sees."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ConditionError
from ..mesh.case import Case
from ..scaling.conditions import scalar_conditions
from .modes import Modes
from .transfer import Place

#: Points of a section that its shape is described by.
N_SHAPE = 100


def condition_row(case: Case, place: Place) -> dict[str, float]:
    """Conditions as numbers: the angle of the free stream against the chord [rad], and the scalar conditions that a network is told."""
    point = case.operating_point
    if point is None:
        return {}
    x, y = place.fitted.frame.vectors_in(point.direction(2))
    return {"incidence": math.atan2(y, x), **scalar_conditions(case, place.fitted.frame)}


@dataclass(frozen=True, eq=False)
class Features:
    """Coordinates and conditions of a case -> one row of numbers of unit deviation over the training cases.

    Attributes:
        shapes: modes of the coordinates of :data:`N_SHAPE` points at fixed steps around the section, in chords.
        names: conditions that vary in training.
        mean: (k,), deviation: (k,) of those conditions.
    """

    shapes: Modes
    names: tuple[str, ...]
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, cases: Sequence[Case], places: Sequence[Place]) -> Features:
        """Modes that lose at most 1e-7 of the variance of the coordinates, at most 12.

        Raises:
            ConditionError: a condition is stated in some training cases only.
        """
        shapes = Modes.fit(np.array([_shape(place) for place in places]), lost=1e-7, most=12)
        rows = [condition_row(case, place) for case, place in zip(cases, places, strict=True)]
        names = sorted({name for row in rows for name in row})
        partial = [name for name in names if any(name not in row for row in rows)]
        if partial:
            raise ConditionError(f"{partial} stated in some training cases only", where="baselines", remedy="state the same conditions in every case")
        values = np.array([[row[name] for name in names] for row in rows]).reshape(len(rows), -1)
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        varies = deviation > 1e-9 * np.maximum(1.0, np.abs(mean))
        kept = tuple(name for name, v in zip(names, varies, strict=True) if v)
        return cls(shapes, kept, mean[varies], deviation[varies])

    def row(self, case: Case, place: Place) -> np.ndarray:
        """(p,) shape coefficients, then conditions.

        Raises:
            ConditionError: a condition that varied in training is not stated.
        """
        known = condition_row(case, place)
        missing = [name for name in self.names if name not in known]
        if missing:
            raise ConditionError(
                f"{missing} not stated", where=case.name, remedy="give the case an OperatingPoint with what the training cases state"
            )
        values = (np.array([known[name] for name in self.names]) - self.mean) / self.deviation
        return np.concatenate([self.shapes.encode(_shape(place)[None])[0], values])

    @property
    def importance(self) -> np.ndarray:
        """(p,) weights for distances between rows: shape coefficients by their share of the variance in chords, conditions 1."""
        spread = self.shapes.deviation
        return np.concatenate([spread / max(float(np.linalg.norm(spread)), 1e-300), np.ones(len(self.names))])

    def arrays(self) -> dict[str, np.ndarray]:
        """For a checkpoint, without the names, which go into the header."""
        return {"mean": self.mean, "deviation": self.deviation, **{f"shapes.{k}": v for k, v in self.shapes.arrays().items()}}

    @classmethod
    def from_arrays(cls, names: Sequence[str], arrays: Mapping[str, np.ndarray]) -> Features:
        shapes = Modes.from_arrays({k.removeprefix("shapes."): v for k, v in arrays.items() if k.startswith("shapes.")})
        return cls(shapes, tuple(names), np.asarray(arrays["mean"]), np.asarray(arrays["deviation"]))


def _shape(place: Place) -> np.ndarray:
    return place.fitted.shape(N_SHAPE).reshape(-1)
