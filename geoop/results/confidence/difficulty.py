"""How large errors are expected to be from case to case and from place to place: the scales that make conformal bounds fit a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import CheckpointError

#: Errors below this share of their mean are rounding where logarithms are taken.
_LEAST = 1e-3
#: Share of the least signal that was fitted on below which no signal lowers the scale any further: a power of nearly nothing would promise nothing.
_NEARER = 0.7
#: Share of the mean scale that no place falls below: a band of width zero holds nowhere.
_FLOOR = 0.1


@dataclass(frozen=True)
class Difficulty:
    """By how much the errors of a case exceed the usual ones: a product of powers of its signals, none of which lowers it.

    1 at the usual signals. Between the signals of the cases that it was fitted on it interpolates their errors; beyond, powers go on growing.

    Attributes:
        names: of the signals, e.g. ``latent``: the distance of the latent code from the training cases.
        powers: of every signal, 0 or more.
        usual: value of every signal at which it does nothing, the median of the fitted cases.
        least: no signal counts as less than this.
    """

    names: tuple[str, ...] = ()
    powers: tuple[float, ...] = ()
    usual: tuple[float, ...] = ()
    least: tuple[float, ...] = ()

    @classmethod
    def fit(cls, signals: Sequence[Mapping[str, float]], errors: np.ndarray) -> Difficulty:
        """By non-negative least squares of logarithms.

        Args:
            signals: (n) of every case the same names; a signal that is not positive and finite in all of them is left out.
            errors: (n,) of the cases, not negative.
        """
        names = [name for name in (signals[0] if signals else {}) if all(0 < row[name] < np.inf for row in signals)]
        if not names or not (errors > 0).any():
            return cls()
        from scipy.optimize import nnls

        values = np.array([[row[name] for name in names] for row in signals])
        usual, least = np.median(values, axis=0), _NEARER * values.min(axis=0)
        x = np.log(np.maximum(values, least) / usual)
        y = np.log(np.maximum(errors, _LEAST * errors.mean()))
        powers, _ = nnls(x - x.mean(axis=0), y - y.mean())
        return cls(tuple(names), *(tuple(float(v) for v in part) for part in (powers, usual, least)))

    def of(self, signals: Mapping[str, float]) -> float:
        """Of one case; infinity where a signal that counts is."""
        found = 1.0
        for name, power, usual, least in zip(self.names, self.powers, self.usual, self.least, strict=True):
            if power > 0:
                found *= (max(signals[name], least) / usual) ** power
        return float(found)


@dataclass(frozen=True)
class Profile:
    """How large errors are from place to place: constant + magnitude |v| + spread s, with |v| the size of the prediction and s that of an ensemble.

    Attributes:
        constant, magnitude, spread: 0 or more, not all zero.
    """

    constant: float = 1.0
    magnitude: float = 0.0
    spread: float = 0.0

    @classmethod
    def fit(cls, errors: np.ndarray, magnitude: np.ndarray, spread: np.ndarray | None = None) -> Profile:
        """By non-negative least squares over the points of a few cases, every array (n,); scaled so that the mean over these points is 1."""
        from scipy.optimize import nnls

        columns = [np.ones(len(errors)), magnitude, *([] if spread is None else [spread])]
        sizes = [max(float(column.mean()), 1e-300) for column in columns]
        if not len(errors) or not (errors > 0).any():
            return cls()
        found, _ = nnls(np.stack([column / size for column, size in zip(columns, sizes, strict=True)], axis=1), errors / errors.mean())
        found[0] = max(found[0], _FLOOR)
        found /= found.sum()
        return cls(*(float(value / size) for value, size in zip(found, sizes, strict=True)))

    def at(self, magnitude: np.ndarray, spread: np.ndarray | None = None) -> np.ndarray:
        """(n,) scales, positive."""
        return self.constant + self.magnitude * magnitude + (0.0 if spread is None else self.spread * spread)


@dataclass(frozen=True)
class Bound:
    """A conformal bound on the error of a case: the quantile of errors over their difficulty, times that of the case.

    Attributes:
        quantile: of the calibration cases.
        difficulty: of a case.
    """

    quantile: float
    difficulty: Difficulty = Difficulty()

    def of(self, signals: Mapping[str, float]) -> float:
        """What the error of a case with these signals stays below."""
        return self.quantile * self.difficulty.of(signals)

    def to_dict(self) -> dict[str, Any]:
        """JSON data for a checkpoint's header."""
        d = self.difficulty
        return {"quantile": self.quantile, "names": list(d.names), "powers": list(d.powers), "usual": list(d.usual), "least": list(d.least)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Bound:
        """Inverse of :meth:`to_dict`.

        Raises:
            CheckpointError: the header is damaged.
        """
        try:
            numbers = [tuple(float(v) for v in data[name]) for name in ("powers", "usual", "least")]
            return cls(float(data["quantile"]), Difficulty(tuple(data["names"]), *numbers))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"a conformal bound in the header is damaged: {error!r}", remedy="calibrate again") from error


@dataclass(frozen=True)
class Band:
    """A conformal band for one quantity in one region.

    Attributes:
        bound: on the largest error over the profile, over the stated share of the region.
        profile: of errors from place to place.
        share: of the region, by length or area, on which the band holds simultaneously.
    """

    bound: Bound
    profile: Profile
    share: float

    def half_width(self, signals: Mapping[str, float], magnitude: np.ndarray, spread: np.ndarray | None = None) -> np.ndarray:
        """(n,) in the unit of the errors that it was calibrated on."""
        return self.bound.of(signals) * self.profile.at(magnitude, spread)

    def to_dict(self) -> dict[str, Any]:
        """JSON data for a checkpoint's header."""
        p = self.profile
        return {"bound": self.bound.to_dict(), "profile": [p.constant, p.magnitude, p.spread], "share": self.share}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Band:
        """Inverse of :meth:`to_dict`.

        Raises:
            CheckpointError: the header is damaged.
        """
        try:
            return cls(Bound.from_dict(data["bound"]), Profile(*(float(v) for v in data["profile"])), float(data["share"]))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"a conformal band in the header is damaged: {error!r}", remedy="calibrate again") from error
