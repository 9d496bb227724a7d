"""Steady layers: exact at the nodes where the theory says so, within the bounds always, order elsewhere."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, ConvergenceError
from geoop.truth.exact.advection_diffusion import boundary_layer, corner_layers, source_layer
from geoop.truth.transport.box_grid import BoxGrid
from geoop.truth.transport.exponential_fitting import steady_transport


@pytest.mark.parametrize("diffusivity", [1.0, 1e-2, 1e-4, 1e-8])
@pytest.mark.parametrize("velocity", [0.7, -1.3])
def test_exact_at_the_nodes_of_a_line(diffusivity, velocity):
    grid = BoxGrid((20,), (0,), (1,))
    x, flow = grid.nodes[:, 0], lambda points: np.full_like(points, velocity)
    layer = steady_transport(grid, flow, diffusivity, boundary=lambda points: points[:, 0])
    np.testing.assert_allclose(layer, boundary_layer(x, velocity=velocity, diffusivity=diffusivity), atol=1e-12)
    ramp = steady_transport(grid, flow, diffusivity, boundary=lambda points: 0 * points[:, 0], source=lambda points: np.full(len(points), velocity))
    np.testing.assert_allclose(ramp, source_layer(x, velocity=velocity, diffusivity=diffusivity), atol=1e-12)


@pytest.mark.parametrize("diffusivity", [0.1, 1e-3, 1e-6])
def test_exact_for_corner_layers(diffusivity):
    """A product of two such solutions is exact too: each axis' scheme is."""
    grid, a = BoxGrid((32, 24), (0, 0), (1, 1)), np.array([1.0, 0.5])
    layers = lambda points: corner_layers(points, velocity=a, diffusivity=diffusivity)  # noqa: E731
    found = steady_transport(grid, lambda x: np.broadcast_to(a, x.shape), diffusivity, boundary=lambda x: 0 * x[:, 0], source=lambda x: layers(x)[1])
    np.testing.assert_allclose(found.reshape(-1), layers(grid.nodes.reshape(-1, 2))[0], atol=1e-12)


def test_order_two_where_the_flow_varies():
    """c = sin(pi x) cos(y) carried by (1 + y, -x) with the source that makes it exact."""
    errors, diffusivity = [], 0.2
    flow = lambda p: np.stack([1 + p[:, 1], -p[:, 0]], axis=1)  # noqa: E731
    exact = lambda p: np.sin(np.pi * p[:, 0]) * np.cos(p[:, 1])  # noqa: E731

    def source(p):
        gradient = np.stack([np.pi * np.cos(np.pi * p[:, 0]) * np.cos(p[:, 1]), -np.sin(np.pi * p[:, 0]) * np.sin(p[:, 1])], axis=1)
        return (flow(p) * gradient).sum(axis=1) + diffusivity * (np.pi**2 + 1) * exact(p)

    for n in (16, 32, 64):
        grid = BoxGrid((n, n), (0, 0), (1, 1))
        found = steady_transport(grid, flow, diffusivity, boundary=exact, source=source)
        errors.append(np.abs(found.reshape(-1) - exact(grid.nodes.reshape(-1, 2))).max())
    assert (np.log2(np.array(errors[:-1]) / errors[1:]) > 1.9).all()


@pytest.mark.parametrize("diffusivity", [1e-2, 1e-5, 1e-9])
def test_no_value_leaves_the_bounds_of_the_boundary(diffusivity):
    """A jump on the inflow side, carried askew by a flow that turns."""
    grid = BoxGrid((40, 40), (0, 0), (1, 1))
    found = steady_transport(
        grid,
        lambda p: np.stack([np.cos(3 * p[:, 1]), np.sin(5 * p[:, 0])], axis=1),
        diffusivity,
        boundary=lambda p: ((p[:, 0] + 2 * p[:, 1]) % 1.0 < 0.5).astype(float),
    )
    assert found.min() >= -1e-12 and found.max() <= 1 + 1e-12


def test_bad_input():
    grid = BoxGrid((5,), (0,), (1,))
    with pytest.raises(ConfigurationError, match="diffusivity is 0"):
        steady_transport(grid, np.ones_like, 0.0, boundary=lambda p: p[:, 0])
    with pytest.raises(ConvergenceError, match="not finite"):
        steady_transport(grid, np.ones_like, 1.0, boundary=lambda p: np.full(len(p), np.nan))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_velocities_and_sources_that_are_not_finite(bad):
    grid, rim = BoxGrid((5, 5), (0, 0), (1, 1)), lambda p: p[:, 0]
    with pytest.raises(ConvergenceError, match="not finite"):
        steady_transport(grid, lambda p: np.full_like(p, bad), 1.0, boundary=rim)
    with pytest.raises(ConvergenceError, match="not finite"):
        steady_transport(grid, np.ones_like, 1.0, boundary=rim, source=lambda p: np.full(len(p), bad))
