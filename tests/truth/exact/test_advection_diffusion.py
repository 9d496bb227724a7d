"""Exact solutions with advection: the equations, conservation, limits without overflow."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.truth.exact.advection_diffusion import (
    boundary_layer,
    corner_layers,
    rotating_hill,
    source_layer,
    spreading_step,
    travelling_gaussian,
)


def _residual(c, points, time, velocity, diffusivity, h=1e-3):
    """Largest |c_t + a . grad(c) - D laplace(c)| by central differences."""
    now, speed = c(points, time), velocity(points)
    rest = (c(points, time + h) - c(points, time - h)) / (2 * h)
    for k, unit in enumerate(np.eye(points.shape[1])):
        ahead, behind = c(points + h * unit, time), c(points - h * unit, time)
        rest = rest + speed[:, k] * (ahead - behind) / (2 * h) - diffusivity * (ahead - 2 * now + behind) / h**2
    return np.abs(rest).max()


@pytest.mark.parametrize("dimension", [1, 2])
def test_travelling_gaussian_solves_the_equation_and_keeps_its_mass(dimension):
    points = np.random.default_rng(0).random((50, dimension))
    a = np.array([0.7, -0.4])[:dimension]
    c = lambda x, t: travelling_gaussian(x, t, velocity=a, diffusivity=0.02, width=0.2, center=[0.4] * dimension)  # noqa: E731
    assert _residual(c, points, 0.5, lambda x: np.broadcast_to(a, x.shape), 0.02) < 2e-4
    axis = np.linspace(-6, 7, 261)
    grid = np.stack(np.meshgrid(*[axis] * dimension, indexing="ij"), axis=-1).reshape(-1, dimension)
    mass = [c(grid, t).sum() * (axis[1] - axis[0]) ** dimension for t in (0.0, 2.0)]
    np.testing.assert_allclose(mass, (0.2**2 * 2 * np.pi) ** (dimension / 2), rtol=1e-12)


def test_periodic_gaussian_is_the_sum_of_its_images():
    x = np.linspace(0, 1, 11)[:, None]
    arguments = {"velocity": [0.3], "diffusivity": 0.05, "width": 0.1}
    images = sum(travelling_gaussian(x, 0.7, center=[0.2 + k], **arguments) for k in range(-8, 9))
    np.testing.assert_allclose(travelling_gaussian(x, 0.7, center=[0.2], period=1.0, **arguments), images, atol=1e-14)


def test_rotating_hill_solves_the_equation_and_returns():
    points = np.random.default_rng(1).random((50, 2)) - 0.5
    c = lambda x, t: rotating_hill(x, t, rate=2.0, diffusivity=0.01, width=0.15, start=[0.3, 0.1], pivot=[0.1, 0.0])  # noqa: E731
    assert _residual(c, points, 0.4, lambda x: 2.0 * np.stack([-x[:, 1], x[:, 0] - 0.1], axis=1), 0.01) < 2e-3
    still = {"rate": 2 * np.pi, "diffusivity": 0.0, "width": 0.15, "start": [0.3, 0.1]}
    np.testing.assert_allclose(rotating_hill(points, 1.0, **still), rotating_hill(points, 0.0, **still), atol=1e-14)


def test_spreading_step_solves_the_equation_and_is_a_step_without_diffusion():
    points = np.random.default_rng(2).random((50, 1))
    c = lambda x, t: spreading_step(x[:, 0], t, velocity=0.5, diffusivity=0.02, start=0.2)  # noqa: E731
    assert _residual(c, points, 0.5, lambda x: np.full_like(x, 0.5), 0.02) < 2e-4
    np.testing.assert_array_equal(spreading_step(np.array([0.1, 0.75, 0.9]), 1.0, velocity=0.5, diffusivity=0.0, start=0.25), [1.0, 0.5, 0.0])


@pytest.mark.parametrize("peclet", [-1e6, -30.0, 0.0, 1e-8, 1.0, 30.0, 1e6])
def test_boundary_layer(peclet):
    x = np.linspace(0, 1, 101)
    c = boundary_layer(x, velocity=peclet, diffusivity=1.0)
    assert np.isfinite(c).all() and c[0] == 0.0 and c[-1] == pytest.approx(1.0, abs=1e-15) and (np.diff(c) >= 0).all()
    if 1e-3 < abs(peclet) < 100:
        np.testing.assert_allclose(c, np.expm1(peclet * x) / np.expm1(peclet), atol=1e-14)
    mirrored = boundary_layer(1 - x, velocity=-peclet, diffusivity=1.0)
    np.testing.assert_allclose(c, 1 - mirrored, atol=1e-13)


def test_layers_with_a_source_solve_their_equations():
    points, a, diffusivity, h = 0.1 + 0.8 * np.random.default_rng(3).random((40, 2)), np.array([1.0, -0.5]), 0.1, 1e-3
    c = lambda x: corner_layers(x, velocity=a, diffusivity=diffusivity)[0]  # noqa: E731
    rest = -corner_layers(points, velocity=a, diffusivity=diffusivity)[1]
    for k, unit in enumerate(np.eye(2)):
        ahead, behind = c(points + h * unit), c(points - h * unit)
        rest = rest + a[k] * (ahead - behind) / (2 * h) - diffusivity * (ahead - 2 * c(points) + behind) / h**2
    assert np.abs(rest).max() < 1e-3
    np.testing.assert_allclose(source_layer(np.array([0.0, 1.0]), velocity=1.0, diffusivity=1e-5), 0.0, atol=1e-15)


def test_bad_input_in_one_error():
    with pytest.raises(ConfigurationError, match=r"diffusivity is -1.*time is -2"):
        travelling_gaussian(np.zeros((1, 1)), -2.0, velocity=[0.0], diffusivity=-1.0, width=1.0, center=[0.0])
    with pytest.raises(ConfigurationError, match="width is 0"):
        travelling_gaussian(np.zeros((1, 1)), 0.0, velocity=[0.0], diffusivity=0.0, width=0.0, center=[0.0])
    with pytest.raises(ConfigurationError, match="diffusivity is 0"):
        boundary_layer(np.zeros(1), velocity=1.0, diffusivity=0.0)
