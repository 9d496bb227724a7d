"""What the training cases covered, and whether a new case lies in it: by named ranges, and by the distance to the nearest of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import CheckpointError, DatasetError
from ..interfaces.verdict import Level, Verdict
from ..mesh.case import Case
from ..mesh.quantity import parse_label
from .descriptors import describe

#: Fractions of the training cases whose distance to their nearest neighbour is smaller than the limits of ``inside`` and ``edge``.
QUANTILES = (0.95, 0.999)
#: Share of a range by which a value may lie beyond it before :meth:`TrainingEnvelope.extrapolation` calls it outside.
FAR = 0.5
#: Mach number up to which a flow is taken for incompressible: its density varies by at most 5 %.
INCOMPRESSIBLE = 0.3
#: Below this share of 1 or of the value itself a descriptor counts as constant.
_CONSTANT = 1e-3
#: Distances below this, in deviations, are none.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class TrainingEnvelope:
    """Ranges and density of the training cases in the space of their descriptors.

    Attributes:
        names: (p,) descriptors with units, e.g. ``alpha [deg]``.
        rows: (n, p) descriptors of the training cases.
        margin: share of a range that counts as its edge on either side.

    Raises:
        DatasetError: fewer than three training cases, or values that are not finite.
    """

    names: tuple[str, ...]
    rows: np.ndarray
    margin: float = 0.05

    def __post_init__(self) -> None:
        rows = np.array(self.rows, dtype=np.float64)
        object.__setattr__(self, "names", tuple(self.names))
        if rows.ndim != 2 or rows.shape[1] != len(self.names) or len(rows) < 3 or not np.isfinite(rows).all():
            raise DatasetError(
                f"{rows.shape} descriptors of {len(self.names)} names cannot describe a training set",
                where="TrainingEnvelope",
                remedy="fit at least three sound cases",
            )
        rows.setflags(write=False)
        object.__setattr__(self, "rows", rows)

    @classmethod
    def fit(cls, cases: Sequence[Case], *, margin: float = 0.05) -> TrainingEnvelope:
        """The envelope of training cases, described by :func:`geoop.scaling.descriptors.describe`."""
        return cls.of_descriptors([describe(case) for case in cases], margin=margin)

    @classmethod
    def of_descriptors(cls, rows: Sequence[Mapping[str, float]], *, margin: float = 0.05) -> TrainingEnvelope:
        """The envelope of training cases that were described before.

        Raises:
            DatasetError: cases with different descriptors, such as a Mach number stated in some only.
        """
        names = sorted({name for row in rows for name in row})
        partial = [name for name in names if any(name not in row for row in rows)]
        if partial:
            raise DatasetError(
                f"{partial} are known for some of the {len(rows)} training cases only",
                where="TrainingEnvelope",
                remedy="state the same conditions in every case",
            )
        return cls(tuple(names), np.array([[row[name] for name in names] for row in rows]).reshape(len(rows), -1), margin)

    @cached_property
    def _least(self) -> np.ndarray:
        """(p,) spans below these are rounding, not variation."""
        return _CONSTANT * np.maximum(1.0, np.abs(self.rows).max(axis=0))

    @cached_property
    def _deviation(self) -> np.ndarray:
        """(p,) what z-scoring divides by."""
        return np.maximum(self.rows.std(axis=0), self._least)

    @cached_property
    def _limits(self) -> np.ndarray:
        """(2,) distances to the nearest training case up to which a case is inside, and at the edge."""
        # equal training cases have no distance: rounding must not put their equal outside
        return np.maximum(np.quantile(self._leave_one_out(), QUANTILES), _ROUNDING)

    def _leave_one_out(self) -> np.ndarray:
        """(n,) distance of every training case to its nearest other one, z-scored, root mean square over descriptors."""
        from scipy.spatial import cKDTree

        z = self.rows / self._deviation
        distance, _ = cKDTree(z).query(z, k=2)
        return distance[:, 1] / np.sqrt(max(1, len(self.names)))

    def verdict(self, case: Case) -> Verdict:
        """Whether a case lies inside what was trained on, at its edge or outside, with the reason."""
        return self.judge(describe(case))

    def judge(self, row: Mapping[str, float]) -> Verdict:
        """The verdict on a case that was described before; the worse of the ranges and the distance decides."""
        found = self._stated(row, self.margin)
        return found if self._missing(row) else found.worse(Verdict(*self._by_distance(row)))

    def extrapolation(self, row: Mapping[str, float]) -> Verdict:
        """The verdict of the ranges alone, for predictors whose own measure of distance was calibrated: beyond a range is the edge, by more than half of
        it outside; so is what never varied in training, of which a predictor can know nothing."""
        return self._stated(row, FAR)

    def _missing(self, row: Mapping[str, float]) -> list[str]:
        return [name for name in self.names if name not in row]

    def _stated(self, row: Mapping[str, float], margin: float) -> Verdict:
        """By what is stated, and its ranges."""
        missing = self._missing(row)
        if missing:
            return Verdict("outside", f"{_and(_words(name)[0] for name in missing)} not stated, but varied or fixed in training")
        level, reason = self._by_range(row, margin)
        unknown = [name for name in row if name not in self.names]
        if unknown and level == "inside":
            level, reason = "edge", f"{_and(_value(name, row[name]) for name in unknown)} stated, but no training case had it: it has no influence"
        if "mach [1]" in unknown and not row["mach [1]"] <= INCOMPRESSIBLE:
            level, reason = (
                "outside",
                f"{_and([_value('mach [1]', row['mach [1]'])])} stated, but no training case had it: compressible flow is unknown",
            )
        return Verdict(level, reason)

    def _by_range(self, row: Mapping[str, float], margin: float) -> tuple[Level, str]:
        value = np.array([row[name] for name in self.names])
        low, high = self.rows.min(axis=0), self.rows.max(axis=0)
        span = high - low
        least = self._least
        slack = np.where(span > least, margin * span, least)  # a constant descriptor has no edge, only rounding
        excess = np.where(np.isfinite(value), np.maximum(low - value, value - high), np.inf)
        bad = np.where(span > least, excess > 1e-9 * least, excess > slack)
        if not bad.any():
            return "inside", f"all {len(self.names)} descriptors lie within their training ranges"
        order = [int(k) for k in np.argsort(-excess / slack) if bad[k]]
        level: Level = "outside" if (excess > slack).any() else "edge"
        words = [f"{_value(self.names[k], value[k])}, trained on {_range(self.names[k], low[k], high[k])}" for k in order[:3]]
        more = f" and {len(order) - 3} more" if len(order) > 3 else ""
        return level, "; ".join(words) + more

    def _by_distance(self, row: Mapping[str, float]) -> tuple[Level, str]:
        value = np.array([row[name] for name in self.names])
        if not np.isfinite(value).all():
            return "outside", "a descriptor is not finite"
        gap = (value - self.rows) / self._deviation
        distances = np.sqrt((gap**2).mean(axis=1))
        nearest = int(distances.argmin())
        edge, outside = self._limits
        if distances[nearest] <= edge:
            return "inside", "a training case is near"
        level: Level = "outside" if distances[nearest] > outside else "edge"
        name = self.names[int(np.abs(gap[nearest]).argmax())]
        share, limit = (QUANTILES[1], outside) if level == "outside" else (QUANTILES[0], edge)
        ratio = distances[nearest] / limit if limit > 0 else np.inf
        far = f"{ratio:.2g} times as far" if ratio < 100 else "much farther"
        k = self.names.index(name)
        return level, (
            f"no training case is near this combination: the nearest is {far} away {'as' if ratio < 100 else 'than'} {100 * share:g} % of them "
            f"are from their neighbours, most of all in {_value(name, value[k])} (there {_number(name, self.rows[nearest, k])})"
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays for a checkpoint; the names go as bytes. :meth:`from_arrays` reads them back, bit-equal."""
        names = np.frombuffer("\n".join(self.names).encode(), dtype=np.uint8)
        return {"names": names.copy(), "rows": np.array(self.rows), "margin": np.array(self.margin)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> TrainingEnvelope:
        """From a checkpoint.

        Raises:
            CheckpointError: an array is missing or of another shape.
        """
        try:
            text = np.asarray(arrays["names"]).astype(np.uint8).tobytes().decode()
            return cls(tuple(text.split("\n")), np.asarray(arrays["rows"]), float(np.asarray(arrays["margin"])))
        except (KeyError, UnicodeDecodeError, DatasetError, TypeError) as error:
            raise CheckpointError(f"the training envelope is damaged: {error}", where="TrainingEnvelope", remedy="train again") from error


def _words(name: str) -> tuple[str, str]:
    """Descriptor -> words and unit as a reader wants them: ``alpha [deg]`` -> ``alpha``, `` deg``."""
    head, unit = parse_label(name)
    return head.removeprefix("log10_").replace("_", " "), "" if unit in (None, "1") else f" {unit}"


def _number(name: str, value: float) -> str:
    if name.startswith("log10_"):
        return f"{10.0**value:.3g}"
    if parse_label(name)[1] == "deg":
        return f"{value:.1f}" if abs(value) >= 0.05 or value == 0 else f"{value:.2g}"
    return f"{value:.3g}" if abs(value) >= 5e-4 else "0"


def _value(name: str, value: float) -> str:
    words, unit = _words(name)
    return f"{words} {_number(name, value)}{unit}"


def _range(name: str, low: float, high: float) -> str:
    return f"{_number(name, low)}..{_number(name, high)}{_words(name)[1]}"


def _and(words) -> str:
    words = list(words)
    return f"{words[0]} is" if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]} are"
