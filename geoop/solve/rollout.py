"""Rollouts: a stepper that is given its own answers, and nothing of the future."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import ConfigurationError, FieldError
from ..interfaces.outcome import Outcome
from ..interfaces.stepping import Advance, Stepper
from ..interfaces.verdict import Verdict
from ..mesh.case import Case, Series
from ..mesh.quantity import Field

#: Share of an interval by which times may be off.
_TOLERANCE = 1e-6
#: Names of values of the whole case that are results of its state.
_RESULT = re.compile(r"coefficient|force|drag|lift|moment|energy|strouhal|residual|amplitude|^c[ldmfnt](_|$)", re.I)


@dataclass(frozen=True)
class DriftGuard:
    """When a rollout is called off: fields that leave the range of the training fields and go on leaving it.

    The excess of a frame is how far its values lie outside of the range, in units of the range's width.

    Attributes:
        tolerance: excess that may stay for ever.
        growing: frames in a row of growing excess above the tolerance after which a rollout has diverged.
        limit: excess at which it has diverged at once.

    Raises:
        ConfigurationError: not 0 < tolerance <= limit, or no frame.
    """

    tolerance: float = 0.1
    growing: int = 4
    limit: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.tolerance <= self.limit and self.growing >= 1):
            raise ConfigurationError(f"{self}", where="DriftGuard", remedy="0 < tolerance <= limit, and one frame at least")


@dataclass(frozen=True, eq=False)
class Rollout:
    """States in time, of which only the first were given.

    Attributes:
        series: the given states, then the predicted ones: as far as they are finite and the drift was bounded.
        given: number of given states.
        outcome: ``converged`` where all times were reached, else ``diverged`` with the step and time in its detail.
        diverged_at: number of the predicted frame (from 1) with which it was called off; None where it was not. That frame is left out.
        excess: per predicted frame, the one that was called off among them, see :class:`DriftGuard`; NaN where no range is known.
        seconds: that it took.
        verdict: whether the given states lie inside of what the stepper was trained on; None where it does not know.
    """

    series: Series
    given: int
    outcome: Outcome
    diverged_at: int | None = None
    excess: tuple[float, ...] = field(default=())
    seconds: float = 0.0
    verdict: Verdict | None = None

    @property
    def predicted(self) -> Series:
        """The predicted states alone.

        Raises:
            FieldError: there are none.
        """
        if len(self.series) == self.given:
            raise FieldError("no frame was predicted", where="Rollout", remedy=f"see the outcome: {self.outcome}")
        return Series(self.series.values[self.given :], self.series.cases[self.given :])


def rollout(
    stepper: Stepper,
    first: Case | Sequence[Case],
    times: Sequence[float] | np.ndarray,
    *,
    restart: int | None = 1,
    guard: DriftGuard | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Rollout:
    """Predict the states at later times. There is no argument by which a later true state could come in.

    Of the values of the whole case predicted frames have those that are parameters, such as a viscosity: the same in all given states,
    and by name and unit no force, coefficient or energy. A drag coefficient of the last given frame is none of a later one: frames have
    what the step itself computes of that kind, and no other.

    Args:
        stepper: see :class:`~geoop.interfaces.stepping.Stepper`.
        first: as many states as its history is long, oldest first, each with its time; a single one may have none, which counts as 0.
        times: (t,) [s], increasing, after the last given state.
        restart: predicted frames after which the stepper goes on from its own answers. 1: autoregressive. None: never, every time is one jump from
            the given states, whose length is the lead time. Between: that many jumps of growing lead time, then a restart from the last of them.
        guard: against drift; None for the default one.
        progress: called with frames done and frames in all.

    Raises:
        ConfigurationError: too few given states or too many, times that do not increase, a restart below 1, jumps that are longer than
            the stepper makes or leave it without an equally spaced history: all in one error.
        FieldError: a given state lacks a field, or holds values that are not finite.
    """
    begun, guard = time.perf_counter(), guard or DriftGuard()
    states = _given(stepper, [first] if isinstance(first, Case) else list(first))
    wanted = np.asarray(times, dtype=np.float64)
    _require(stepper, states, wanted, restart)
    advance = stepper.prepare(states[-1])
    found: list[Case] = []
    excess: list[float] = []
    for k, when in enumerate(wanted.tolist()):
        base = states if restart is None else (states + found)[: len(states) + k - k % restart][-stepper.history :]
        frame = _frame(advance, base, when, stepper, states)
        excess.append(_excess(frame, stepper))
        problem = _problem(frame, excess, stepper, guard)
        if problem:
            detail = f"{problem} at step {k + 1} of {len(wanted)}, {when:.5g} s"
            remedy = "do not use frames from there on; train with push-forward and noise, take another restart, or stay inside of the verdict"
            return Rollout(
                _series(states, found), len(states), Outcome("diverged", detail, remedy), k + 1, tuple(excess), time.perf_counter() - begun
            )
        found.append(frame)
        if progress:
            progress(k + 1, len(wanted))
    return Rollout(_series(states, found), len(states), Outcome("converged"), None, tuple(excess), time.perf_counter() - begun)


def _given(stepper: Stepper, first: list[Case]) -> list[Case]:
    """The given states with nothing in them but what makes a state and what holds for the whole case."""
    problems, kept = [], []
    for number, case in enumerate(first, start=1):
        for name in stepper.quantities:
            item = case.fields.get(name)
            if item is None or item.location != "point":
                problems.append(f"state {number} of {len(first)} has no '{name}' at points")
            elif not np.isfinite(item.values).all():
                problems.append(f"'{name}' of state {number} of {len(first)} is not finite")
        fields = {key: item for key, item in case.fields.items() if key in stepper.quantities or item.location == "global"}
        kept.append(replace(case, fields=fields, time=0.0 if case.time is None and len(first) == 1 else case.time))
    if problems:
        raise FieldError("; ".join(problems), where="rollout", remedy=f"give states with {', '.join(stepper.quantities)} at all points")
    return kept


def _require(stepper: Stepper, states: list[Case], times: np.ndarray, restart: int | None) -> None:
    problems = []
    if len(states) != stepper.history:
        problems.append(f"{len(states)} given states, the stepper takes {stepper.history}")
    stamps = np.array([np.nan if case.time is None else case.time for case in states])
    if not np.isfinite(stamps).all() or not (np.diff(stamps) > 0).all():
        problems.append("given states without times, or whose times do not increase")
    elif stepper.interval is not None and len(stamps) > 1 and np.abs(np.diff(stamps) - stepper.interval).max() > 1e-3 * stepper.interval:
        problems.append(f"given states are {np.diff(stamps).tolist()} s apart, the stepper was trained on {stepper.interval:.6g} s")
    if times.ndim == 1 and not len(times):
        problems.append("no time to predict after the given states")
    elif times.ndim != 1 or not np.isfinite(times).all() or not (np.diff(np.concatenate([stamps[-1:], times])) > 0).all():
        problems.append("times are not one increasing row of numbers after the last given state")
    elif restart is not None and restart < 1:
        problems.append(f"restart is {restart}")
    elif len(stamps):
        problems += _jump_problems(stepper, stamps[-1], times, restart)
    if problems:
        raise ConfigurationError("; ".join(problems), where="rollout", remedy="give `history` states one interval apart, and times after them")


def _jump_problems(stepper: Stepper, last: float, times: np.ndarray, restart: int | None) -> list[str]:
    """What is wrong with the times for this stepper: too long jumps, or a history that would not be equally spaced."""
    count = len(times)
    start = np.zeros(count, dtype=int) if restart is None else np.arange(count) - np.arange(count) % restart
    leads = times - np.concatenate([[last], times])[start]
    problems = []
    if stepper.longest is not None and leads.max() > stepper.longest * (1 + _TOLERANCE):
        problems.append(f"a jump of {leads.max():.6g} s, the stepper was trained up to {stepper.longest:.6g} s: use a smaller restart or more times")
    only = stepper.interval is not None and stepper.longest is not None and stepper.longest <= stepper.interval * (1 + 1e-3)
    if only and np.abs(leads - stepper.interval).max() > 1e-3 * stepper.interval:
        problems.append(
            f"jumps of {leads.min():.6g} to {leads.max():.6g} s, the stepper was trained on {stepper.interval:.6g} s alone and is told no other"
        )
    interval, again = stepper.interval, restart is not None and restart < count and stepper.history > 1
    if again and interval is not None and np.abs(np.diff(np.concatenate([[last], times])) - interval).max() > 1e-3 * interval:
        problems.append(f"times are not {interval:.6g} s apart, as the states of the stepper's history are: its own answers become its history")
    return problems


def _parameters(states: list[Case]) -> dict[str, Field]:
    """Values of the whole case that hold for later times as well: the same in all given states, and no result of one of them."""
    first, *others = ({key: item for key, item in case.fields.items() if item.location == "global"} for case in states)
    same = {key: item for key, item in first.items() if all(key in more and np.array_equal(item.values, more[key].values) for more in others)}
    return {key: item for key, item in same.items() if not _RESULT.search(key) and item.quantity.unit[:1] not in ("N", "J")}


def _frame(advance: Advance, base: Sequence[Case], when: float, stepper: Stepper, given: list[Case]) -> Case:
    """One frame: fields at points, what the step has computed of the whole case, and the parameters of all frames."""
    made = advance(base, when - (base[-1].time or 0.0))
    handed_on = {id(item) for case in given for item in case.fields.values()}
    fields = {key: item for key, item in made.fields.items() if item.location == "point"}
    computed = {key: item for key, item in made.fields.items() if item.location == "global" and id(item) not in handed_on}
    missing = [name for name in stepper.quantities if name not in fields]
    if missing:
        raise FieldError(f"a step did not return {missing}", where="rollout", remedy="a stepper returns all of its quantities at points")
    return replace(made, fields={**_parameters(given), **computed, **fields}, time=when)


def _sizes(case: Case, name: str) -> np.ndarray:
    """(n,) values, of a vector the magnitudes."""
    values = np.asarray(case.fields[name].values)
    return values if values.ndim == 1 else np.linalg.norm(values.reshape(len(values), -1), axis=1)


def _excess(case: Case, stepper: Stepper) -> float:
    found = [np.nan]
    for name, (low, high) in stepper.ranges.items():
        values, width = _sizes(case, name), max(high - low, 1e-300)
        found.append(float(np.maximum(np.maximum(values - high, low - values).max() / width, 0.0)))
    return max(found[1:], default=np.nan)


def _problem(frame: Case, excess: list[float], stepper: Stepper, guard: DriftGuard) -> str:
    """Why a rollout ends with this frame, or nothing."""
    bad = [name for name in stepper.quantities if not np.isfinite(frame.fields[name].values).all()]
    if bad:
        return f"{', '.join(bad)} not finite"
    if excess[-1] > guard.limit:
        return f"values {excess[-1]:.2g} widths of the training range outside of it"
    last = np.array(excess[-guard.growing - 1 :])
    if len(last) > guard.growing and last[1:].min() > guard.tolerance and (np.diff(last) > 0).all():
        return f"values {excess[-1]:.2g} widths of the training range outside of it, farther in each of {guard.growing} frames"
    return ""


def _series(states: list[Case], found: list[Case]) -> Series:
    cases = tuple(states + found)
    return Series(np.array([case.time for case in cases]), cases)
