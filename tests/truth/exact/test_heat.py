"""Modes of the heat equation: they vanish on the boundary, decay at their rate, and fulfil the equation."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.truth.exact.heat import DiskMode, SquareMode

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("mode", [SquareMode(), SquareMode(2, 3, 0.1), DiskMode(), DiskMode(3, 2, 2.0, 0.5)], ids=repr)
def test_equation(mode):
    points, h = 0.3 + 0.4 * RNG.random((40, 2)), 1e-3
    steps = h * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    laplacian = (sum(mode(points + step, 0.02) for step in steps) - 4.0 * mode(points, 0.02)) / h**2
    rate = (mode(points, 0.02 + 1e-6) - mode(points, 0.02 - 1e-6)) / 2e-6
    assert np.allclose(rate, mode.diffusivity * laplacian, rtol=1e-3, atol=1e-3 * np.abs(rate).max())


def test_boundaries_and_published_zeros():
    t = RNG.random(20)
    assert np.abs(SquareMode(2, 3)(np.stack([t, 0 * t + 1], axis=1))).max() < 1e-12
    angle = 2 * np.pi * t
    for mode in (DiskMode(0, 1, 2.0), DiskMode(2, 3, 2.0)):
        assert np.abs(mode(2.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1))).max() < 1e-12
    assert DiskMode().rate == pytest.approx(2.404825557695773**2, rel=1e-12)
    assert DiskMode(1, 2).zero == pytest.approx(7.015586669815619, rel=1e-12)


def test_bad_input():
    with pytest.raises(ConfigurationError, match="k = 0"):
        DiskMode(0, 0)
