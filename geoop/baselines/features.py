"""What a baseline sees of a case: its geometry, its stated conditions and the fields that are given, the same that a network sees."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ConditionError
from ..mesh.case import Case
from ..scaling.conditions import scalar_conditions
from .abstract_transfer import Located
from .modes import Modes


def condition_row(case: Case, place: Located) -> dict[str, float]:
    """Conditions as numbers: the angle of the free stream against the chord [rad], and the scalar conditions that a network is told."""
    point = case.operating_point
    if point is None or place.frame is None:
        return {}
    x, y = place.frame.vectors_in(point.direction(2))[:2]
    return {"incidence": math.atan2(y, x), **scalar_conditions(case, place.frame)}


@dataclass(frozen=True, eq=False)
class Features:
    """Geometry, conditions and given fields of a case -> one row of numbers.

    The columns of geometry and conditions have unit deviation over the training cases. Those of the given fields are coefficients of
    principal components, all divided by the deviation of the first: distances between their rows are distances between the fields.

    Attributes:
        shapes: modes of the coordinates that :meth:`Located.shape` tells.
        names: conditions that vary in training.
        mean: (k,), deviation: (k,) of those conditions.
        given: modes of the given fields; None without any.
    """

    shapes: Modes
    names: tuple[str, ...]
    mean: np.ndarray
    deviation: np.ndarray
    given: Modes | None = None

    @classmethod
    def fit(cls, cases: Sequence[Case], places: Sequence[Located], given: np.ndarray | None = None, *, most: int = 12) -> Features:
        """Modes that lose at most 1e-7 of the variance of the coordinates.

        Args:
            cases: of the training split.
            places: of their points.
            given: (n, m) vectors of the given fields.
            most: modes of the coordinates at most.

        Raises:
            ConditionError: a condition is stated in some training cases only.
        """
        outlines = np.array([place.shape() for place in places])
        if np.ptp(outlines, axis=0).max(initial=0.0) <= 1e-9 * np.abs(outlines).max(initial=0.0):
            outlines = outlines[[0, 0]]  # one geometry: rounding is no feature
        shapes = Modes.fit(outlines, lost=1e-7, most=most)
        rows = [condition_row(case, place) for case, place in zip(cases, places, strict=True)]
        names = sorted({name for row in rows for name in row})
        partial = [name for name in names if any(name not in row for row in rows)]
        if partial:
            raise ConditionError(f"{partial} stated in some training cases only", where="baselines", remedy="state the same conditions in every case")
        values = np.array([[row[name] for name in names] for row in rows]).reshape(len(rows), -1)
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        varies = deviation > 1e-9 * np.maximum(1.0, np.abs(mean))
        kept = tuple(name for name, v in zip(names, varies, strict=True) if v)
        # nothing of a given field is left out but what rounding made: a linear map may depend on its smallest part
        modes = None if given is None else Modes.fit(given, lost=1e-14, most=len(given))
        return cls(shapes, kept, mean[varies], deviation[varies], modes)

    def row(self, case: Case, place: Located, given: np.ndarray | None = None) -> np.ndarray:
        """(p,) shape coefficients, then conditions, then coefficients of the given fields.

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
        parts = [self.shapes.encode(place.shape()[None])[0], values]
        if self.given is not None and given is not None and len(self.given.deviation):
            parts.append(self.given.encode(given[None])[0] * self.given.deviation / self.given.deviation[0])
        return np.concatenate(parts)

    @property
    def n_seen(self) -> int:
        """How many of the columns, the first ones, are geometry and conditions; the rest are given fields."""
        return len(self.shapes.deviation) + len(self.names)

    @property
    def importance(self) -> np.ndarray:
        """(p,) weights for distances between rows: of shape and given fields by their share of the variance, of conditions 1."""
        spread = self.shapes.deviation
        parts = [spread / max(float(np.linalg.norm(spread)), 1e-300), np.ones(len(self.names))]
        if self.given is not None and len(self.given.deviation):
            whole = float(np.linalg.norm(self.given.deviation))
            parts.append(np.full(len(self.given.deviation), self.given.deviation[0] / whole))
        return np.concatenate(parts)

    def arrays(self) -> dict[str, np.ndarray]:
        """For a checkpoint, without the names, which go into the header."""
        given = {} if self.given is None else {f"given.{k}": v for k, v in self.given.arrays().items()}
        return {"mean": self.mean, "deviation": self.deviation, **{f"shapes.{k}": v for k, v in self.shapes.arrays().items()}, **given}

    @classmethod
    def from_arrays(cls, names: Sequence[str], arrays: Mapping[str, np.ndarray]) -> Features:
        """Inverse of :meth:`arrays`; the names of the conditions come from the header."""

        def modes(prefix: str) -> Modes | None:
            own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            return Modes.from_arrays(own) if own else None

        shapes = modes("shapes.")
        if shapes is None:
            raise KeyError("shapes")
        return cls(shapes, tuple(names), np.asarray(arrays["mean"]), np.asarray(arrays["deviation"]), modes("given."))
