"""Fields that evolve exactly: their equations by differences, motions, and values between grid points."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.truth.exact.evolving_fields import SpreadingGaussians, TravellingWaves, at_points

RNG = np.random.default_rng(0)


def waves(d: int = 2, length: float = 2.0) -> TravellingWaves:
    numbers = RNG.integers(-3, 4, (4, d))
    return TravellingWaves(numbers, RNG.normal(size=4), RNG.uniform(0, 6, 4), RNG.normal(size=d), 0.02, length)


def gaussians(d: int = 2) -> SpreadingGaussians:
    return SpreadingGaussians(RNG.normal(size=(3, d)), RNG.uniform(0.3, 0.6, 3), RNG.normal(size=3), 0.1)


@pytest.mark.parametrize(("make", "d"), [(waves, 1), (waves, 2), (waves, 3), (gaussians, 1), (gaussians, 2), (gaussians, 3)])
def test_they_obey_their_equation(make, d):
    u, x, t, h = make(d), RNG.uniform(-1, 1, (20, d)), 0.4, 1e-3
    steps = [u(x + h * e, t) - 2 * u(x, t) + u(x - h * e, t) for e in np.eye(d)]
    slopes = [(u(x + h * e, t) - u(x - h * e, t)) / (2 * h) for e in np.eye(d)]
    drift = sum(a * s for a, s in zip(getattr(u, "velocity", np.zeros(d)), slopes, strict=True))
    rate = (u(x, t + h) - u(x, t - h)) / (2 * h)
    assert np.abs(rate + drift - u.diffusivity * sum(steps) / h**2).max() < 1e-3 * (1 + np.abs(rate).max())


def test_gaussians_keep_their_integral_and_move_rigidly():
    u = SpreadingGaussians(np.array([[0.3, 0.1]]), np.array([0.4]), np.array([1.0]), 0.05)
    s = (np.arange(200) + 0.5) / 200 * 12 - 6
    grid = np.stack(np.meshgrid(s, s, indexing="ij"), axis=-1).reshape(-1, 2)
    integrals = [u(grid, t).sum() * (12 / 200) ** 2 for t in (0.0, 1.0, 3.0)]
    assert np.ptp(integrals) < 1e-10 and integrals[0] == pytest.approx(2 * np.pi * 0.16)
    turn, shift = np.array([[0.6, -0.8], [0.8, 0.6]]), np.array([1.0, -2.0])
    assert np.abs(u.moved(turn, shift)(grid @ turn.T + shift, 0.7) - u(grid, 0.7)).max() < 1e-13


def test_waves_are_periodic():
    u, x = waves(3), RNG.uniform(0, 2, (10, 3))
    assert np.abs(u(x + 2.0 * np.array([1, -3, 2]), 0.3) - u(x, 0.3)).max() < 1e-12


@pytest.mark.parametrize("d", [1, 2, 3])
def test_values_between_grid_points_are_exact_for_waves_that_the_grid_resolves(d):
    u, n = waves(d), 8
    axis = 2.0 * np.arange(n) / n
    grid = np.stack(np.meshgrid(*[axis] * d, indexing="ij"), axis=-1)
    values = u(grid.reshape(-1, d), 0.1).reshape(grid.shape[:-1])
    x = RNG.uniform(-3, 3, (15, d))
    assert np.abs(at_points(values, x, 2.0) - u(x, 0.1)).max() < 1e-12


def test_bad_input():
    with pytest.raises(ConfigurationError, match="centres"):
        SpreadingGaussians(np.zeros((2, 2)), np.ones(3), np.ones(2), 0.1)
    with pytest.raises(ConfigurationError, match="wave numbers"):
        TravellingWaves(np.array([[0.5, 1.0]]), np.ones(1), np.ones(1), np.zeros(2), 0.1)
    with pytest.raises(ConfigurationError, match="axes"):
        at_points(np.zeros((4, 4)), np.zeros((3, 1)))
