"""Whether a run may be believed: residuals small and not growing, coefficients flat or periodic over the last fifth, everything finite."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...interfaces.outcome import Outcome
from .log import History

_LAST = 0.2  # of the run: the window that is judged
_FEWEST = 20  # steps in the window
_PERIODS = 3.0  # that the window must hold at least
_FLOOR = 0.01  # coefficients smaller than this are judged as if they were this large


@dataclass(frozen=True)
class Tolerances:
    """What counts as converged.

    Attributes:
        coefficient: largest change of a steady coefficient, or of mean and amplitude of a periodic one between the halves of the window,
            as a share of it (at least of 0.01).
        residual: largest initial residual in the window of a steady run.
        growth: largest ratio of the residuals of the second half of the window to those of the first one.
    """

    coefficient: float = 0.01
    residual: float = 5e-4
    growth: float = 2.0


@dataclass(frozen=True)
class Signal:
    """A coefficient over the last fifth of a run.

    Attributes:
        mean: over whole periods, or over the window of a steady one.
        amplitude: half of the distance between its extremes.
        frequency: [1/s] (or per iteration); None for a flat one.
        drift: change of the mean between the halves of the window, and of the amplitude where it is periodic, as a share.
        periodic: whether it swings steadily.
    """

    mean: float
    amplitude: float
    frequency: float | None
    drift: float
    periodic: bool


@dataclass(frozen=True)
class Judgement:
    """The verdict with its numbers.

    Attributes:
        outcome: ``converged``, ``stagnated`` (neither flat nor periodic yet), ``diverged`` or ``max_sweeps_reached`` (flat, but residuals too large).
        signals: coefficient -> its last fifth.
        residuals: field -> largest initial residual in the last fifth.
        reasons: everything that speaks against the run.
    """

    outcome: Outcome
    signals: dict[str, Signal] = field(default_factory=dict)
    residuals: dict[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


def judge(history: History, *, steady: bool, tolerances: Tolerances = Tolerances()) -> Judgement:
    """Look at the last fifth of a run.

    A steady run needs small residuals that do not grow, and flat coefficients. A run in time needs coefficients that are flat, or periodic
    with constant mean and amplitude over at least three periods; the residuals of its time steps say nothing about that.

    Args:
        history: of the whole run.
        steady: whether the steps are iterations.
        tolerances: what counts as flat and small.
    """
    bad = history.first_not_finite()
    if bad:
        return Judgement(Outcome("diverged", bad), reasons=(bad,))
    begin, end = (history.times[0], history.times[-1]) if history.times else (0.0, 0.0)
    start = end - _LAST * (end - begin)
    inside = [time >= start for time in history.times]
    if sum(inside) < _FEWEST:
        text = f"{sum(inside)} steps in the last fifth, {_FEWEST} are needed to judge"
        return Judgement(Outcome("stagnated", text, "run longer: more iterations, or a later end_time"), reasons=(text,))
    residuals = {name: _last(history, name, start) for name in history.names("residuals")}
    signals = {name: signal(*_window(history, name, start), tolerances.coefficient) for name in history.names("coefficients")}
    reasons = [*_coefficient_reasons(signals, steady, tolerances)]
    loose = [*_residual_reasons(residuals, tolerances)] if steady else []
    worst = {name: float(values.max()) for name, values in residuals.items()}
    numbers = _numbers(signals, worst if steady else {}, len(history.times))
    if not signals and not steady:
        reasons.append("no coefficients were logged: nothing shows whether the flow has settled")
    if reasons or loose:
        status = "stagnated" if reasons else "max_sweeps_reached"
        detail = "; ".join([*reasons, *loose, numbers])
        return Judgement(Outcome(status, detail, "run longer, refine the grid, or solve it in time"), signals, worst, (*reasons, *loose))
    return Judgement(Outcome("converged", numbers), signals, worst)


def signal(times: np.ndarray, values: np.ndarray, tolerance: float) -> Signal:
    """Mean, amplitude and frequency of a series.

    Args:
        times: (k,) increasing. values: (k,).
        tolerance: share of it up to which it is flat, or up to which two halves of it agree.
    """
    low, high = float(values.min()), float(values.max())
    mean, amplitude = _average(times, values), 0.5 * (high - low)
    scale = max(abs(mean), _FLOOR)
    half = len(times) // 2
    drift = abs(_average(times[:half], values[:half]) - _average(times[half:], values[half:])) / scale
    if high - low <= tolerance * scale:
        return Signal(mean, amplitude, None, drift, False)
    up = _crossings(times, values - 0.5 * (low + high))
    if len(up) < _PERIODS + 1:
        return Signal(mean, amplitude, None, drift, False)
    middle = len(up) // 2
    parts = [(times >= a) & (times < b) for a, b in ((up[0], up[middle]), (up[middle], up[-1]))]
    means = [_average(times[part], values[part]) for part in parts]
    swings = [0.5 * float(np.ptp(values[part])) for part in parts]
    whole = (times >= up[0]) & (times < up[-1])
    size = max(abs(mean), max(swings), _FLOOR)
    drift = max(abs(means[1] - means[0]) / size, abs(swings[1] - swings[0]) / max(max(swings), tolerance * size))
    regular = float(np.ptp(np.diff(up))) <= 0.1 * float(np.diff(up).mean())
    return Signal(
        _average(times[whole], values[whole]), max(swings), float((len(up) - 1) / (up[-1] - up[0])), drift, drift <= tolerance * 2 and regular
    )


def _average(times: np.ndarray, values: np.ndarray) -> float:
    """Over time, the steps may differ in length."""
    return float(np.trapezoid(values, times) / (times[-1] - times[0])) if len(times) > 1 else float(values.mean())


def _crossings(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Times at which the values pass zero upward, between samples on a straight line."""
    at = np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0))
    return times[at] - values[at] * (times[at + 1] - times[at]) / (values[at + 1] - values[at])


def _window(history: History, name: str, start: float) -> tuple[np.ndarray, np.ndarray]:
    times, values = history.series(name)
    return times[times >= start], values[times >= start]


def _last(history: History, name: str, start: float) -> np.ndarray:
    return np.array([row[name] for time, row in zip(history.times, history.residuals, strict=True) if time >= start and name in row] or [np.inf])


def _coefficient_reasons(signals: dict[str, Signal], steady: bool, tolerances: Tolerances):
    for name, item in signals.items():
        flat = 2 * item.amplitude <= tolerances.coefficient * max(abs(item.mean), _FLOOR)
        if flat or (item.periodic and not steady):
            continue
        how = "swings" if item.frequency else "moves"
        yield f"{name} {how} by {2 * item.amplitude:.3g} about {item.mean:.5g} in the last fifth, its mean drifts by {100 * item.drift:.2g} %"


def _residual_reasons(residuals: dict[str, np.ndarray], tolerances: Tolerances):
    for name, values in residuals.items():
        half = len(values) // 2
        if values.max() > tolerances.residual:
            yield f"the residual of {name} is up to {values.max():.2g} in the last fifth, {tolerances.residual:g} is asked for"
        elif half and values[half:].mean() > tolerances.growth * max(values[:half].mean(), 1e-3 * tolerances.residual):
            yield f"the residual of {name} grows, from {values[:half].mean():.2g} to {values[half:].mean():.2g}"


def _numbers(signals: dict[str, Signal], residuals: dict[str, float], steps: int) -> str:
    parts = [f"{steps} steps"]
    for name, item in signals.items():
        swing = f" +- {item.amplitude:.3g} at {item.frequency:.4g} per unit of time" if item.frequency else ""
        parts.append(f"{name} {item.mean:.5g}{swing}")
    if residuals:
        parts.append(f"residuals up to {max(residuals.values()):.2g}")
    return ", ".join(parts)
