"""The spectral Burgers solver against Cole-Hopf on the line and heat modes in the plane; orders; refusal of what it cannot resolve."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, ConvergenceError
from geoop.truth.exact.burgers import ColeHopf, HeatModes
from geoop.truth.transport.burgers_periodic import PeriodicBurgers


def _error_on_the_line(size, courant=0.6, viscosity=0.02):
    exact = ColeHopf(viscosity, 1.0, 0.3, (0.1,), (1.0, -0.2))
    solver = PeriodicBurgers(size, viscosity=viscosity, dimension=1)
    x = solver.points[:, 0]
    found = solver.solve(exact.initial(x)[None], [0.1, 0.3], courant=courant)
    return max(np.abs(u[0] - exact.velocity(x, t)).max() for u, t in zip(found, (0.1, 0.3), strict=True))


def test_order_four_in_time():
    errors = [_error_on_the_line(192, courant) for courant in (1.2, 0.6, 0.3)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 3.7).all() and errors[-1] < 1e-8


def test_spectral_in_space():
    """At the same time step, twice the points leave 1e-4 of the error."""
    coarse, fine = _error_on_the_line(64, 0.05), _error_on_the_line(128, 0.1)
    assert coarse < 1e-4 and fine < 1e-4 * coarse + 1e-10


def test_the_plane():
    exact = HeatModes(0.02, [0.4, 0.3], 2 * np.pi * np.array([[1.0, 1.0], [1.0, -2.0]]), [0.3, 1.0])
    solver = PeriodicBurgers(64, viscosity=0.02)
    shaped = lambda t: exact.velocity(solver.points, t).T.reshape(2, 64, 64)  # noqa: E731
    found = solver.solve(shaped(0.0), [0.0, 0.1, 0.5])
    np.testing.assert_allclose(found[0], shaped(0.0), atol=1e-4)  # the waves that the grid does not keep
    assert np.abs(found[1] - shaped(0.1)).max() < 3e-6 and np.abs(found[2] - shaped(0.5)).max() < 2e-8


def test_the_plane_is_the_line_where_nothing_depends_on_y():
    plane, line = PeriodicBurgers(96, viscosity=0.02), PeriodicBurgers(96, viscosity=0.02, dimension=1)
    start = np.sin(2 * np.pi * line.points[:, 0])
    on_line = line.solve(start[None], [0.2])[0, 0]
    u, v = plane.solve(np.stack([np.tile(start[:, None], (1, 96)), np.zeros((96, 96))]), [0.2])[0]
    np.testing.assert_allclose(u, np.tile(on_line[:, None], (1, 96)), atol=1e-12)
    assert np.abs(v).max() < 1e-13


def test_axes_are_alike_and_rotational_flow_is_advected():
    """Exchanging x and y exchanges the components; a shear flow (f(y), 0) only diffuses."""
    solver = PeriodicBurgers(48, viscosity=0.02)
    random = np.random.default_rng(0)
    x, y = solver.points.reshape(48, 48, 2).transpose(2, 0, 1) * 2 * np.pi
    a = random.standard_normal(4)
    start = 0.2 * np.stack([a[0] * np.sin(x + y) + a[1] * np.cos(y), a[2] * np.sin(x) + a[3] * np.cos(x - y)])
    u = solver.solve(start, [0.3])[0]
    swapped = solver.solve(start[::-1].transpose(0, 2, 1).copy(), [0.3])[0]
    np.testing.assert_allclose(swapped, u[::-1].transpose(0, 2, 1), atol=1e-13)
    shear = solver.solve(np.stack([np.sin(y), 0 * y]), [0.3])[0]
    np.testing.assert_allclose(shear[0], np.exp(-0.02 * 4 * np.pi**2 * 0.3) * np.sin(y), atol=1e-12)


def test_what_is_not_resolved_is_refused_with_a_remedy():
    solver = PeriodicBurgers(64, viscosity=1e-3, dimension=1)
    with pytest.raises(ConvergenceError, match=r"64 points per direction do not resolve") as error:
        solver.solve(np.sin(2 * np.pi * solver.points[:, 0])[None], [0.3])
    assert "size=128" in error.value.remedy


@pytest.mark.parametrize("mean", [0.0, 10.0, -10.0])
def test_a_mean_velocity_does_not_hide_what_is_not_resolved(mean):
    solver = PeriodicBurgers(48, viscosity=6e-3, dimension=1)
    start = np.sin(2 * np.pi * solver.points[:, 0])[None]
    with pytest.raises(ConvergenceError, match="do not resolve"):
        solver.solve(start + mean, [0.3])


@pytest.mark.parametrize("size", [8, 10, 12, 14])
def test_the_smallest_grids_work(size):
    solver = PeriodicBurgers(size, viscosity=1.0, dimension=1)
    wave = np.sin(2 * np.pi * solver.points[:, 0])[None]
    found = solver.solve(1e-4 * wave, [0.01])[0]
    np.testing.assert_allclose(found, 1e-4 * np.exp(-4 * np.pi**2 * 0.01) * wave, atol=1e-9)
    np.testing.assert_allclose(solver.solve(np.full((1, size), 3.7), [0.01]), 3.7)


def test_bad_input():
    with pytest.raises(ConfigurationError, match=r"viscosity is 0.*size is 7.*dimension is 3"):
        PeriodicBurgers(7, viscosity=0.0, dimension=3)
    solver = PeriodicBurgers(8, viscosity=1.0)
    with pytest.raises(ConfigurationError, match=r"shape \(2, 8\).*times.*courant"):
        solver.solve(np.zeros((2, 8)), [1.0, 0.5], courant=9.0)
