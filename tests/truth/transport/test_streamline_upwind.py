"""Stabilised elements: order two where it is smooth, linear functions exactly, layers without oscillations upstream."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.fem.integrals import l2_error
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.truth.exact.advection_diffusion import corner_layers, rotating_hill
from geoop.truth.transport.streamline_upwind import StreamlineUpwind


def _square(n, low=0.0, high=1.0):
    """2 n^2 triangles with alternating diagonals, moved off the lattice inside."""
    x = np.linspace(low, high, n + 1)
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange(len(points)).reshape(n + 1, n + 1)
    a, b, c, d = number[:-1, :-1].ravel(), number[1:, :-1].ravel(), number[1:, 1:].ravel(), number[:-1, 1:].ravel()
    ring = np.concatenate([number[:-1, 0], number[-1, :-1], number[:0:-1, -1], number[0, :0:-1]])
    s = (points - low) / (high - low)
    bump = (np.sin(np.pi * s[:, :1]) * np.sin(np.pi * s[:, 1:])) ** 2
    points = points + 0.03 * (high - low) * bump * np.stack([np.sin(7 * s[:, 1]), np.cos(5 * s[:, 0])], axis=1)
    cells = Cells.of(triangle=np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]))
    return Mesh(points, cells, {"side": Cells.of(line=np.stack([ring, np.roll(ring, -1)], axis=1))}, name="square")


def _flow(p):
    return np.stack([1 + p[:, 1], -p[:, 0]], axis=1)


@pytest.mark.parametrize("diffusivity", [0.2, 1e-5])
def test_order_two_in_the_mean_for_smooth_solutions(diffusivity):
    exact = lambda p: np.sin(2 * p[:, 0]) * np.cos(p[:, 1])  # noqa: E731

    def source(p):
        gradient = np.stack([2 * np.cos(2 * p[:, 0]) * np.cos(p[:, 1]), -np.sin(2 * p[:, 0]) * np.sin(p[:, 1])], axis=1)
        return (_flow(p) * gradient).sum(axis=1) + 5 * diffusivity * exact(p)

    errors = []
    for n in (8, 16, 32):
        solver = StreamlineUpwind(_square(n), _flow, diffusivity, dirichlet=("side",))
        errors.append(l2_error(solver.space, solver.steady(exact, source), exact))
    assert (np.log2(np.array(errors[:-1]) / errors[1:]) > 1.8).all()


@pytest.mark.parametrize("diffusivity", [1.0, 1e-8])
def test_linear_functions_are_exact(diffusivity):
    solver = StreamlineUpwind(_square(9), _flow, diffusivity, dirichlet=("side",))
    exact = lambda p: 2 * p[:, 0] - p[:, 1] + 1  # noqa: E731
    found = solver.steady(exact, lambda p: _flow(p) @ [2.0, -1.0])
    np.testing.assert_allclose(found, exact(solver.space.points), atol=1e-11)


def test_layers_do_not_disturb_what_lies_upstream():
    """Corner layers at a Peclet number of 3000 per cell: the ramp outside of the layers has the error of the mesh, not of the layers."""
    a, diffusivity = np.array([1.0, 0.5]), 1e-5
    layers = lambda p: corner_layers(p, velocity=a, diffusivity=diffusivity)  # noqa: E731
    solver = StreamlineUpwind(_square(32), lambda p: np.broadcast_to(a, p.shape), diffusivity, dirichlet=("side",))
    found = solver.steady(lambda p: np.zeros(len(p)), lambda p: layers(p)[1])
    away = (solver.space.points < 0.8).all(axis=1)
    assert np.abs(found - layers(solver.space.points)[0])[away].max() < 2e-3


def _hill(p, t):
    return rotating_hill(p, t, rate=2 * np.pi, diffusivity=1e-3, width=0.2, start=[0.4, 0.0])


def test_rotating_hill_in_time():
    errors = []
    for n, step in ((24, 0.01), (48, 0.005), (96, 0.0025)):
        solver = StreamlineUpwind(_square(n, -1.0, 1.0), lambda p: 2 * np.pi * np.stack([-p[:, 1], p[:, 0]], axis=1), 1e-3, dirichlet=("side",))
        found = solver.march(lambda p: _hill(p, 0.0), [0.0, 0.25], _hill, step=step)
        errors.append(l2_error(solver.space, found[1], lambda p: _hill(p, 0.25)))
    assert (np.log2(np.array(errors[:-1]) / errors[1:]) > 1.9).all()


def test_bad_input():
    solver = StreamlineUpwind(_square(4), _flow, 1.0, dirichlet=())
    with pytest.raises(ConfigurationError, match="no value is given"):
        solver.steady(lambda p: p[:, 0])
    with pytest.raises(ConfigurationError, match="with step 0.3"):
        solver.march(lambda p: p[:, 0], [0.5], lambda p, t: p[:, 0], step=0.3)
    for times in (0.3, [np.nan]):
        with pytest.raises(ConfigurationError, match="with step 0.3"):
            solver.march(lambda p: p[:, 0], times, lambda p, t: p[:, 0], step=0.3)
    with pytest.raises(ConfigurationError, match="diffusivity 0.0"):
        StreamlineUpwind(_square(3), _flow, 0.0, dirichlet=())
