"""What a study varies, as people write it: a number, a list, ``"start:stop:step"``, an interval, or a table of from, to and count."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ConfigurationError

#: More values of one quantity than this are a slip of the keyboard.
_MOST = 100_000
_HOW = 'give a number, a list, "start:stop:step", {from = a, to = b, count = n}, or for a Latin hypercube an interval "low:high"'


@dataclass(frozen=True)
class Interval:
    """A range to draw from.

    Attributes:
        low: lower end, high: upper end, in the unit of the quantity.
        logarithmic: drawn uniformly in the logarithm.
    """

    low: float
    high: float
    logarithmic: bool = False

    def at(self, share: np.ndarray) -> np.ndarray:
        """Values at shares in 0..1 of the way."""
        if self.logarithmic:
            return np.exp(np.log(self.low) + share * (np.log(self.high) - np.log(self.low)))
        return self.low + share * (self.high - self.low)


#: What a quantity takes: these values, or any in an interval.
Varied = tuple[float, ...] | Interval


def varied(entry: Any, where: str) -> Varied:
    """Read one entry of a study.

    Args:
        entry: a number; a list of numbers; ``"a:b:step"`` (both ends taken where the step reaches them) or ``"a:b"``, an interval; a table
            of ``from``, ``to`` and ``count`` (an interval without), ``log = true`` for equal ratios.
        where: for the error.

    Raises:
        ConfigurationError: anything else, values that are not finite, a step that leads nowhere, or more than 100 000 values.
    """
    if isinstance(entry, str):
        return _of_text(entry, where)
    if isinstance(entry, Mapping):
        return _of_table(entry, where)
    values = entry if isinstance(entry, Sequence | np.ndarray) else [entry]
    if len(values) == 0 or not all(_is_number(value) for value in values):
        raise ConfigurationError(f"{entry!r} is no number and no list of numbers", where=where, remedy=_HOW)
    return tuple(float(value) for value in values)


def grid(choices: Mapping[str, Varied]) -> list[dict[str, float]]:
    """Every combination; the last name varies fastest.

    Raises:
        ConfigurationError: intervals, of which a grid has no values.
    """
    open_ended = [name for name, values in choices.items() if isinstance(values, Interval)]
    if open_ended:
        raise ConfigurationError(
            f"{', '.join(open_ended)}: an interval has no values to make a grid of",
            where="study",
            remedy='give a step, "low:high:step", or ask for a Latin hypercube: sampling = "latin hypercube" and count',
        )
    names = list(choices)
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*(choices[name] for name in names))]  # type: ignore[arg-type]


def latin_hypercube(choices: Mapping[str, Varied], count: int, seed: int) -> list[dict[str, float]]:
    """Draws in which every quantity falls into each of ``count`` equal shares of its range once (M. D. McKay et al., Technometrics 21, 1979).

    A list is drawn from so that its members come equally often, up to one; a single value stays.

    Args:
        choices: name -> interval or values.
        count: number of draws.
        seed: equal seeds give equal draws.

    Raises:
        ConfigurationError: count < 1, or nothing that varies.
    """
    moving = [name for name, values in choices.items() if isinstance(values, Interval) or len(values) > 1]
    if count < 1 or not moving:
        raise ConfigurationError(
            f"a Latin hypercube of {count} draws over {', '.join(moving) or 'nothing that varies'}",
            where="study",
            remedy='give count >= 1 and at least one interval "low:high"',
        )
    from scipy.stats import qmc

    shares = dict(zip(moving, qmc.LatinHypercube(len(moving), rng=np.random.default_rng(seed)).random(count).T, strict=True))
    drawn = {name: _drawn(values, shares.get(name), count) for name, values in choices.items()}
    return [{name: float(column[k]) for name, column in drawn.items()} for k in range(count)]


def rows_of(choices: Mapping[str, Varied], count: Any, seed: int, where: str) -> list[dict[str, float]]:
    """Parameters on their grid, or ``count`` draws of a Latin hypercube.

    Raises:
        ConfigurationError: intervals without a count, or a count without anything that varies.
    """
    if count is not None and (not isinstance(count, int) or isinstance(count, bool)):
        raise ConfigurationError(f"count = {count!r}", where=where, remedy="give a whole number of shapes")
    if count is None and any(isinstance(values, Interval) for values in choices.values()):
        raise ConfigurationError('an interval "low:high" is drawn from', where=where, remedy='give count = 20, or values: "low:high:step" or a list')
    return grid(choices) if count is None else latin_hypercube(choices, count, seed)


def side_by_side(choices: Mapping[str, Varied]) -> list[dict[str, float]]:
    """The k-th values of all lists together; single values stay.

    Raises:
        ConfigurationError: intervals, or lists of different lengths.
    """
    lengths = {name: len(values) for name, values in choices.items() if not isinstance(values, Interval)}
    count = max(lengths.values(), default=1)
    wrong = [name for name in choices if lengths.get(name) not in (1, count)]
    if wrong:
        found = ", ".join(f"{name} {lengths.get(name, 'an interval')}" for name in choices)
        raise ConfigurationError(
            f"a list of conditions needs lists of one length: {found}", where="study", remedy="give as many values of each, or one"
        )
    return [{name: values[min(k, len(values) - 1)] for name, values in choices.items()} for k in range(count)]  # type: ignore[arg-type]


def _drawn(values: Varied, share: np.ndarray | None, count: int) -> np.ndarray:
    if isinstance(values, Interval):
        assert share is not None  # every interval varies
        return values.at(share)
    if share is None:
        return np.full(count, values[0])
    return np.asarray(values)[np.minimum((share * len(values)).astype(int), len(values) - 1)]


def _of_text(text: str, where: str) -> Varied:
    try:
        parts = [float(word) for word in text.split(":")]
    except ValueError:
        parts = []
    if len(parts) not in (1, 2, 3) or not all(map(math.isfinite, parts)):
        raise ConfigurationError(f"'{text}' is no range", where=where, remedy=_HOW)
    if len(parts) == 1:
        return (parts[0],)
    if len(parts) == 2:
        return _interval(parts[0], parts[1], False, where)
    start, stop, step = parts
    steps = (stop - start) / step if step else math.inf
    if not -1e-9 < steps < _MOST:
        raise ConfigurationError(f"'{text}' leads nowhere", where=where, remedy="start:stop:step with a step that leads from start to stop")
    return tuple(float(start + k * step) for k in range(int(steps + 1e-9) + 1))


def _of_table(table: Mapping[str, Any], where: str) -> Varied:
    from ...io.settings import check_keys

    check_keys(table, {"from", "to", "count", "log"}, where)
    low, high, count, log = table.get("from"), table.get("to"), table.get("count"), table.get("log", False)
    if not (_is_number(low) and _is_number(high)) or not isinstance(log, bool):
        raise ConfigurationError(f"{dict(table)} lacks numbers under from and to", where=where, remedy=_HOW)
    assert isinstance(low, int | float) and isinstance(high, int | float)
    if log and min(low, high) <= 0:
        raise ConfigurationError(f"equal ratios from {low} to {high}", where=where, remedy="give positive ends, or leave log out")
    if count is None:
        return _interval(float(low), float(high), log, where)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST:
        raise ConfigurationError(f"count = {count!r}", where=where, remedy="give a whole number of values")
    return tuple(float(x) for x in (np.geomspace(low, high, count) if log else np.linspace(low, high, count)))


def _interval(low: float, high: float, logarithmic: bool, where: str) -> Varied:
    if low > high:
        raise ConfigurationError(f"the interval {low:g}:{high:g} runs backwards", where=where, remedy=f"write {high:g}:{low:g}")
    return Interval(low, high, logarithmic) if low < high else (low,)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and math.isfinite(value)
