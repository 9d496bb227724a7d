"""Harmonic functions: the equation, gradients, and the Kirchhoff transform."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.truth.exact.harmonic import Harmonic, from_kirchhoff, to_kirchhoff


@pytest.fixture
def function():
    random = np.random.default_rng(0)
    coefficients = random.standard_normal(6) + 1j * random.standard_normal(6)
    return Harmonic(coefficients, (0.1, -0.2), 0.8, [[1.5, 0.3], [-1.0, 1.2]], [0.7, -0.4])


def test_gradient_and_laplacian(function):
    points, h = np.random.default_rng(1).random((30, 2)) - 0.5, 1e-4
    gradient = np.stack([(function(points + h * e) - function(points - h * e)) / (2 * h) for e in np.eye(2)], axis=1)
    np.testing.assert_allclose(function.gradient(points), gradient, atol=1e-5)
    around = sum(function(points + s * h * e) for s in (1, -1) for e in np.eye(2)) - 4 * function(points)
    assert np.abs(around / h**2).max() < 1e-5


def test_mean_value_property(function):
    """The mean over a circle is the value in its middle."""
    angle = 2 * np.pi * np.arange(64) / 64
    circle = np.array([0.2, 0.1]) + 0.3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert function(circle).mean() == pytest.approx(function(np.array([[0.2, 0.1]]))[0], abs=1e-12)


def test_the_real_part_of_z_squared():
    points = np.array([[2.0, 1.0], [0.0, 3.0]])
    square = Harmonic([0, 0, 1.0])
    np.testing.assert_allclose(square(points), [3.0, -9.0])
    np.testing.assert_allclose(square.gradient(points), [[4.0, -2.0], [0.0, -6.0]])
    np.testing.assert_allclose(Harmonic([2.0]).gradient(points), 0.0)


def test_kirchhoff_is_its_inverse_and_solves_the_nonlinear_equation(function):
    w = np.linspace(-50, 50, 101)
    np.testing.assert_allclose(to_kirchhoff(from_kirchhoff(w)), w, atol=1e-12)
    points, h = np.random.default_rng(2).random((30, 2)) - 0.5, 1e-3
    u = lambda x: from_kirchhoff(function(x))  # noqa: E731
    flux = 0.0
    for e in np.eye(2):
        for s in (1, -1):
            middle = u(points + 0.5 * s * h * e)
            flux = flux + (1 + middle**2) * (u(points + s * h * e) - u(points))
    assert np.abs(flux / h**2).max() < 1e-3


def test_bad_input_in_one_error():
    with pytest.raises(ConfigurationError, match=r"scale is 0.*1 poles have 0 strengths"):
        Harmonic([1.0], scale=0.0, poles=[[0.0, 1.0]])
