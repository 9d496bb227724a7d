"""Collocation: polynomials are exact, Helmholtz problems are solved to rounding."""

import numpy as np
import pytest

from geoop.truth.transport.chebyshev import ChebyshevGrid


def _polynomial(points):
    x, y = points[..., 0], points[..., 1]
    return x**5 * y**2 - 2 * x * y**3 + y, 5 * x**4 * y**2 - 2 * y**3, 20 * x**3 * y**2 + 2 * x**5 - 12 * x * y


@pytest.fixture
def grid():
    return ChebyshevGrid(9, (-0.3, 1.0), (0.9, 1.7))


def test_polynomials_are_differentiated_and_interpolated_exactly(grid):
    value, slope, laplacian = (item.reshape(grid.shape) for item in _polynomial(grid.points))
    np.testing.assert_allclose(grid.derivative(value, 0), slope, atol=1e-11)
    np.testing.assert_allclose(grid.laplacian(value), laplacian, atol=1e-9)
    points = [-0.3, 1.0] + np.random.default_rng(0).random((15, 2)) * [1.2, 0.7]
    points[0] = grid.points[37]
    np.testing.assert_allclose(grid.interpolate(value, points), _polynomial(points)[0], atol=1e-13)


def test_helmholtz_with_given_sides(grid):
    value, _, laplacian = (item.reshape(grid.shape) for item in _polynomial(grid.points))
    found = grid.helmholtz(3.0, 0.4, 3.0 * value - 0.4 * laplacian, value)
    np.testing.assert_allclose(found, value, atol=1e-12)


def test_tail_is_zero_for_low_degrees_and_large_for_noise(grid):
    assert grid.tail(_polynomial(grid.points)[0].reshape(1, *grid.shape)) < 1e-13
    assert grid.tail(np.random.default_rng(0).standard_normal((1, *grid.shape))) > 0.1
    assert grid.tail(np.zeros((1, *grid.shape))) == 0.0
