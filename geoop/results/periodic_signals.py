"""Frequency and phase of signals that repeat: zero crossings, the analytic signal, local Fourier coefficients, all finer than a sample."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize_scalar
from scipy.signal import hilbert

from ..errors import ConfigurationError, FieldError

Method = Literal["crossings", "analytic", "harmonic"]

#: A crossing counts once the signal has left this share of its amplitude on the other side: noise does not make crossings of its own.
_HYSTERESIS = 0.5
#: Samples of a period in a local Fourier coefficient.
_SAMPLES = 64


def crossings(times: np.ndarray, signal: np.ndarray) -> np.ndarray:
    """(k,) times at which a signal passes upwards through its drifting middle, between samples by a cubic spline.

    The middle is the straight line of a least squares fit of a line and two harmonics of one frequency. A crossing counts only after the signal was well
    below, and if it goes well above: noise makes none of its own.

    Args:
        times: (t,) increasing [s].
        signal: (t,) any unit.

    Raises:
        FieldError: fewer than four samples, times that do not increase, values that are not finite.
    """
    t, y = _sound(times, signal)
    guess = _upward(t, y - np.polynomial.Polynomial.fit(t, y, 1)(t))
    if len(guess) < 2:
        return guess
    return _upward(t, y - _drift(t, y, _harmonic(t, y, (len(guess) - 1) / (guess[-1] - guess[0])))(t))


def frequency(times: np.ndarray, signal: np.ndarray, method: Method = "crossings") -> float:
    """Frequency [1/s] of a signal; NaN where it does not swing through two crossings.

    Args:
        times: (t,) increasing [s]; equal steps for ``analytic``.
        signal: (t,) with drift and noise, if need be.
        method: ``crossings``: the slope of numbers of crossings over their times, by least squares. ``analytic``: the slope of the phase of the
            analytic signal (Hilbert transform) without a period at either end, where the transform sees the ends. ``harmonic``: of the least squares fit
            of a line and two harmonics, the best for records of two periods or three.

    Raises:
        FieldError: see :func:`crossings`. ConfigurationError: another method, or unequal steps for ``analytic``.
    """
    t, y = _sound(times, signal)
    found = crossings(t, y)
    if len(found) < 2:
        return np.nan
    guess = float(np.polynomial.Polynomial.fit(found, np.arange(len(found)), 1).deriv()(0.0))
    if method == "crossings":
        return guess
    if method == "harmonic":
        return _harmonic(t, y, guess)
    if method != "analytic":
        raise ConfigurationError(f"method is {method!r}", where="frequency", remedy="use 'crossings', 'analytic' or 'harmonic'")
    steps = np.diff(t)
    if np.ptp(steps) > 1e-6 * steps.mean():
        raise ConfigurationError("times are not equally spaced", where="frequency", remedy="use 'crossings', or interpolate to equal steps")
    phase = np.unwrap(np.angle(np.asarray(hilbert(y - _drift(t, y, guess)(t))))) / (2 * np.pi)
    inside = (t >= t[0] + 1 / guess) & (t <= t[-1] - 1 / guess)
    if inside.sum() < 4:
        return guess
    return float(np.polynomial.Polynomial.fit(t[inside], phase[inside], 1).deriv()(0.0))


def strouhal(times: np.ndarray, signal: np.ndarray, length: float, speed: float, method: Method = "crossings") -> float:
    """Strouhal number f L / U of a signal, see :func:`frequency`; length [m], speed [m/s]."""
    return frequency(times, signal, method) * length / speed


def local_phase(times: np.ndarray, signal: np.ndarray, frequency: float, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k,) phase in periods and (k,) amplitude of a signal beside cos(2 pi f t): the argument of its Fourier coefficient over the period around each time.

    A mean drops out, a drift nearly. NaN where the period is not inside of the record. Phases of neighbouring times differ by less than half a period.

    Args:
        times: (t,) increasing [s].
        signal: (t,).
        frequency: [1/s].
        at: (k,) [s], increasing.

    Raises:
        FieldError: see :func:`crossings`, or a frequency that is not positive.
    """
    t, y = _sound(times, signal)
    if not (np.isfinite(frequency) and frequency > 0):
        raise FieldError(f"a frequency of {frequency}", where="local_phase", remedy="give the frequency of the reference [1/s]")
    period, at = 1.0 / frequency, np.atleast_1d(np.asarray(at, dtype=np.float64))
    phase, size = np.full(len(at), np.nan), np.full(len(at), np.nan)
    spread = 1e-9 * np.ptp(t)
    fits = (at - period / 2 >= t[0] - spread) & (at + period / 2 <= t[-1] + spread)
    if fits.any():
        offset = period * ((np.arange(_SAMPLES) + 0.5) / _SAMPLES - 0.5)
        where = np.clip(at[fits][:, None] + offset, t[0], t[-1])
        values = CubicSpline(t, y)(where)
        # a straight drift would look like a swing that begins anew in every period
        slope = (values * offset).sum(axis=1) / (offset**2).sum()
        swing = (values * np.exp(-2j * np.pi * frequency * where)).mean(axis=1)
        for _ in range(8):  # the swing itself has a slope over one period: take it out of the drift
            own = 2 * np.real(swing[:, None] * np.exp(2j * np.pi * frequency * where))
            slope = ((values - own) * offset).sum(axis=1) / (offset**2).sum()
            swing = ((values - slope[:, None] * offset) * np.exp(-2j * np.pi * frequency * where)).mean(axis=1)
        phase[fits] = np.unwrap(np.angle(swing)) / (2 * np.pi)
        size[fits] = 2 * np.abs(swing)
    return phase, size


def phase_error(
    times: np.ndarray, signal: np.ndarray, reference_times: np.ndarray, reference: np.ndarray, at: np.ndarray, *, frequency_of: float | None = None
) -> np.ndarray:
    """(k,) how far a signal runs ahead of a periodic reference, in periods of the reference; grows by one in every period that is too many.

    Beyond its own record the reference goes on with its frequency and its mean phase.

    Args:
        times, signal: (t,) the prediction.
        reference_times, reference: (r,) the truth: one period at least.
        at: (k,) increasing [s]; NaN where the period around is not in the prediction.
        frequency_of: of the reference [1/s]; None measures it.

    Raises:
        FieldError: see :func:`crossings`, or a reference without a period.
    """
    f = frequency(reference_times, reference, "harmonic") if frequency_of is None else frequency_of
    t = np.asarray(reference_times, dtype=np.float64)
    if not (np.isfinite(f) and f > 0 and (t[-1] - t[0]) * f >= 1.0 - 1e-9):
        raise FieldError("the reference does not swing through a period", where="phase_error", remedy="give a longer record of the truth")
    centre = np.linspace(t[0] + 0.5 / f, max(t[-1] - 0.5 / f, t[0] + 0.5 / f), 9)
    truth, _ = local_phase(t, reference, f, centre)
    mean = np.angle(np.exp(2j * np.pi * truth[np.isfinite(truth)]).mean()) / (2 * np.pi)
    own, _ = local_phase(times, signal, f, at)
    gap = own - mean
    known = np.flatnonzero(np.isfinite(gap))
    return gap - np.round(gap[known[0]]) if len(known) else gap


def _sound(times: np.ndarray, signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    t, y = np.asarray(times, dtype=np.float64), np.asarray(signal, dtype=np.float64)
    if t.ndim != 1 or t.shape != y.shape or len(t) < 4 or not (np.diff(t) > 0).all() or not np.isfinite(y).all():
        raise FieldError(
            f"a signal of shape {y.shape} at times of shape {t.shape}, or not finite, or at times that do not increase",
            where="signal",
            remedy="give four finite samples or more at increasing times",
        )
    return t, y


def _upward(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Upward zeros of a spline through the samples that follow a visit well below zero and are followed by one well above."""
    level = _HYSTERESIS * np.sqrt(2) * y.std()
    spline, found, zeros = CubicSpline(t, y), [], []
    roots = spline.roots(extrapolate=False)
    low = False
    events = sorted([(x, 0) for x in roots] + [(x, 1 if v > level else -1) for x, v in zip(t, y, strict=True) if abs(v) > level])
    for x, kind in events:
        if kind == -1:
            low, zeros = True, []
        elif kind == 0 and low:
            zeros.append(x)
        elif kind == 1:
            if low and zeros:
                found.append(float(np.mean(zeros)))  # several crossings on the way up are noise about one
            low, zeros = False, []
    return np.array(found)


def _harmonics(t: np.ndarray, y: np.ndarray, f: float) -> tuple[np.ndarray, float]:
    """Coefficients (mean, slope, ...) of the least squares fit of a line and two harmonics about the middle of the record, and its squared error."""
    x = t - t.mean()
    columns = [np.ones_like(x), x]
    for k in (1, 2):
        columns += [np.cos(2 * np.pi * k * f * x), np.sin(2 * np.pi * k * f * x)]
    columns = columns if len(t) > len(columns) else columns[:4] if len(t) > 4 else columns[:2]
    matrix = np.stack(columns, axis=1)
    found = np.linalg.lstsq(matrix, y, rcond=None)[0]
    return found, float(((matrix @ found - y) ** 2).sum())


def _drift(t: np.ndarray, y: np.ndarray, f: float) -> np.polynomial.Polynomial:
    """The straight line of that fit."""
    a, b = _harmonics(t, y, f)[0][:2]
    return np.polynomial.Polynomial([a - b * t.mean(), b])


def _harmonic(t: np.ndarray, y: np.ndarray, guess: float) -> float:
    """The frequency within a fifth of a guess at which that fit is best."""
    grid = guess * np.linspace(0.8, 1.2, 41)
    best = grid[int(np.argmin([_harmonics(t, y, f)[1] for f in grid]))]
    found = minimize_scalar(
        lambda f: _harmonics(t, y, f)[1], bounds=(best - 0.012 * guess, best + 0.012 * guess), method="bounded", options={"xatol": 1e-9}
    )
    return float(found.x)
