"""Closed forms of Poisson's equation fulfil it: by difference quotients, published values, symmetry."""

import numpy as np
import pytest

from geoop.truth.exact.poisson import SineSeries, disk_under_unit_load, square_under_unit_load

RNG = np.random.default_rng(0)


def laplacian(f, points, h=1e-3):
    steps = h * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    return (sum(f(points + step) for step in steps) - 4.0 * f(points)) / h**2


def test_unit_load_on_the_square():
    inside = RNG.uniform(0.1, 0.9, (50, 2))
    assert np.allclose(laplacian(square_under_unit_load, inside), -1.0, atol=1e-4)
    assert square_under_unit_load(np.array([[0.5, 0.5]]))[0] == pytest.approx(0.0736713532814, abs=1e-12)  # published: 0.0736714
    assert np.allclose(square_under_unit_load(inside), square_under_unit_load(inside[:, ::-1]), atol=1e-9)  # the formula is not symmetric
    t = np.linspace(0, 1, 11)
    for edge in (np.stack([t, 0 * t], 1), np.stack([0 * t, t], 1), np.stack([t, 0 * t + 1], 1)):
        assert np.abs(square_under_unit_load(edge)).max() < 1e-6


def test_unit_load_on_the_disk():
    points = RNG.uniform(-1, 1, (50, 2))
    f = lambda p: disk_under_unit_load(p, 2.0)  # noqa: E731
    assert np.allclose(laplacian(f, points), -1.0, atol=1e-8)
    assert f(np.array([[2.0, 0.0]]))[0] == 0.0


def test_sine_series():
    series = SineSeries.poisson_c_sines(RNG.uniform(-1, 1, (5, 5)), scale=3.0)
    points = RNG.random((40, 2))
    direct = sum(
        series.coefficients[i - 1, j - 1] * np.sin(np.pi * i * points[:, 0]) * np.sin(np.pi * j * points[:, 1])
        for i in range(1, 6)
        for j in range(1, 6)
    )
    assert np.allclose(series(points), direct, atol=1e-13)
    assert np.allclose(-laplacian(series.solved(), points, 1e-3), series(points), rtol=1e-3, atol=1e-3)
    single = SineSeries.poisson_c_sines(np.array([[1.0]]))
    assert single.coefficients[0, 0] == pytest.approx(np.pi * np.sqrt(2.0))


def test_published_spread():
    """Standard deviation of the source of Poisson-C-Sines over the disk: .775 in the published set (METHODS D.4)."""
    angle, radius = RNG.uniform(0, 2 * np.pi, 4000), np.sqrt(RNG.random(4000))
    points = 0.5 + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    values = [SineSeries.poisson_c_sines(RNG.uniform(-1, 1, (16, 16)))(points) for _ in range(100)]
    assert np.std(values) == pytest.approx(0.775, rel=0.03)
