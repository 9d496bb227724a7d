"""Exact solutions of c_t + a . grad(c) = D laplace(c), and of steady problems with layers, free of overflow at any Peclet number.

Lengths in m, times in s, velocities in m/s, diffusivities in m^2/s; c has any unit.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import erfc

from ...errors import ConfigurationError


def travelling_gaussian(
    points: np.ndarray,
    time: float,
    *,
    velocity: np.ndarray,
    diffusivity: float,
    width: float,
    center: np.ndarray,
    period: float | None = None,
) -> np.ndarray:
    """(n,) a hill exp(-|x - center|^2 / 2 width^2) that travels and spreads: its variance grows by 2 D t.

    Args:
        points: (n, d).
        time: 0 or later.
        velocity, center: (d,).
        diffusivity: 0 or more.
        width: standard deviation at the start.
        period: side of the periodic box; images within nine widths count. None: the whole space.

    Raises:
        ConfigurationError: a width or period that is not positive, a negative diffusivity or time.
    """
    _require(diffusivity=diffusivity, time=time)
    _require_positive(width=width, period=1.0 if period is None else period)
    away = np.asarray(points, dtype=np.float64) - np.asarray(center) - np.asarray(velocity) * time
    dimension, variance = away.shape[1], width**2 + 2.0 * diffusivity * time
    if period is None:
        return (width**2 / variance) ** (dimension / 2) * np.exp(-0.5 * (away**2).sum(axis=1) / variance)
    images = period * np.arange(-math.ceil(9.0 * math.sqrt(variance) / period) - 1, math.ceil(9.0 * math.sqrt(variance) / period) + 2)
    away -= period * np.round(away / period)
    factors = np.exp(-0.5 * (away[:, :, None] + images) ** 2 / variance).sum(axis=2)
    return (width**2 / variance) ** (dimension / 2) * factors.prod(axis=1)


def rotating_hill(
    points: np.ndarray,
    time: float,
    *,
    rate: float,
    diffusivity: float,
    width: float,
    start: np.ndarray,
    pivot: np.ndarray | tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """(n,) a Gaussian hill in the solid rotation a = rate (-(y - y_p), x - x_p), at points (n, 2).

    Diffusion does not feel a rotation: the hill spreads as at rest while its centre goes round the pivot.

    Args:
        points: (n, 2).
        time: 0 or later.
        rate: of rotation [rad/s], counter-clockwise.
        diffusivity: 0 or more.
        width: standard deviation at the start.
        start, pivot: (2,) centre of the hill at the start, and of the rotation.

    Raises:
        ConfigurationError: as :func:`travelling_gaussian`.
    """
    c, s = math.cos(rate * time), math.sin(rate * time)
    center = np.asarray(pivot) + np.array([[c, -s], [s, c]]) @ (np.asarray(start, dtype=np.float64) - np.asarray(pivot))
    return travelling_gaussian(points, time, velocity=np.zeros(2), diffusivity=diffusivity, width=width, center=center)


def spreading_step(x: np.ndarray, time: float, *, velocity: float, diffusivity: float, start: float = 0.0) -> np.ndarray:
    """(n,) a step from 1 (left) to 0 at ``start`` that travels and spreads: erfc((x - start - a t) / sqrt(4 D t)) / 2.

    Without diffusion, or at the start, the step itself; 1/2 at its place.

    Raises:
        ConfigurationError: a negative diffusivity or time.
    """
    _require(diffusivity=diffusivity, time=time)
    away = np.asarray(x, dtype=np.float64) - start - velocity * time
    spread = math.sqrt(4.0 * diffusivity * time)
    return 0.5 * erfc(away / spread) if spread > 0.0 else np.heaviside(-away, 0.5)


def boundary_layer(x: np.ndarray, *, velocity: float, diffusivity: float) -> np.ndarray:
    """(n,) the solution of a c' = D c'' on [0, 1] with c(0) = 0, c(1) = 1: (e^{P x} - 1) / (e^P - 1), P = a/D.

    Only exponentials of negative numbers are taken, so that any Peclet number of either sign is fine; P = 0 gives x.

    Raises:
        ConfigurationError: a diffusivity that is not positive.
    """
    _require_positive(diffusivity=diffusivity)
    x, peclet = np.asarray(x, dtype=np.float64), velocity / diffusivity
    if abs(peclet) < 1e-12:
        return x.copy()
    if peclet > 0.0:
        return np.exp(-peclet * (1.0 - x)) * np.expm1(-peclet * x) / math.expm1(-peclet)
    return np.expm1(peclet * x) / math.expm1(peclet)


def source_layer(x: np.ndarray, *, velocity: float, diffusivity: float) -> np.ndarray:
    """(n,) the solution of a c' - D c'' = a on [0, 1] with c(0) = c(1) = 0: a ramp that falls to zero in a layer of width D/a.

    Raises:
        ConfigurationError: a diffusivity that is not positive.
    """
    return np.asarray(x, dtype=np.float64) - boundary_layer(x, velocity=velocity, diffusivity=diffusivity)


def corner_layers(points: np.ndarray, *, velocity: np.ndarray, diffusivity: float) -> tuple[np.ndarray, np.ndarray]:
    """(n,) c and (n,) source f of a . grad(c) - D laplace(c) = f on the unit square, c = 0 on its sides, layers on two of them.

    c = X(x) Y(y) with X and Y of :func:`source_layer`, hence f = a_x Y + a_y X.

    Args:
        points: (n, 2).
        velocity: (2,).
        diffusivity: positive.

    Raises:
        ConfigurationError: a diffusivity that is not positive.
    """
    points = np.asarray(points, dtype=np.float64)
    x, y = (source_layer(points[:, k], velocity=float(velocity[k]), diffusivity=diffusivity) for k in range(2))
    return x * y, float(velocity[0]) * y + float(velocity[1]) * x


def _require(**values: float) -> None:
    _refuse([f"{key} is {value}, must be 0 or more" for key, value in values.items() if not 0.0 <= value < math.inf])


def _require_positive(**values: float) -> None:
    _refuse([f"{key} is {value}, must be positive" for key, value in values.items() if not 0.0 < value < math.inf])


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ConfigurationError("; ".join(problems), where="advection and diffusion", remedy="give finite SI values")
