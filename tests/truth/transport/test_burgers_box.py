"""The Chebyshev Burgers solver against the travelling front and Cole-Hopf between walls."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, ConvergenceError
from geoop.truth.exact.burgers import ColeHopf, shock_wave, travelling_front
from geoop.truth.transport.burgers_box import BoxBurgers


def _front_error(degree, step=None, viscosity=0.05):
    solver = BoxBurgers(degree, (0.0, 0.0), (1.0, 1.0), viscosity=viscosity)
    shape = (2, degree + 1, degree + 1)
    front = lambda points, time: travelling_front(points, time, viscosity)  # noqa: E731
    found = solver.solve(front(solver.grid.points, 0.0).T.reshape(shape), [0.5], front, step=step)
    return np.abs(found[0] - front(solver.grid.points, 0.5).T.reshape(shape)).max()


def test_travelling_front_converges_spectrally():
    errors = [_front_error(degree, step=0.001) for degree in (12, 16, 24)]
    assert errors[0] > 8 * errors[1] > 64 * errors[2] and errors[2] < 6e-6


def test_order_three_in_time_with_boundary_values_that_change():
    errors = [_front_error(32, step) for step in (0.01, 0.005, 0.0025)]
    assert (np.log2(np.array(errors[:-1]) / errors[1:]) > 2.8).all()


def test_cole_hopf_between_walls():
    exact = ColeHopf.between_walls(0.02, 1.0, [1.0, 0.5])
    solver = BoxBurgers(64, (0.0,), (1.0,), viscosity=0.02)
    x = solver.grid.points[:, 0]
    found = solver.solve(exact.initial(x)[None], [0.2, 0.5], lambda points, time: np.zeros_like(points))
    for u, time in zip(found, (0.2, 0.5), strict=True):
        assert np.abs(u[0] - exact.velocity(x, time)).max() < 2e-8
    between = np.random.default_rng(0).random((20, 1))
    np.testing.assert_allclose(solver.grid.interpolate(found[-1], between)[0], exact.velocity(between[:, 0], 0.5), atol=2e-8)


def test_shock_on_a_box_that_is_not_the_unit_one():
    """The nearest pole of tanh leaves an error of 1.23^-degree there."""
    solver = BoxBurgers(96, (-1.0,), (2.0,), viscosity=0.05)
    wave = lambda points, time: shock_wave(points[:, 0], time, 0.05, 1.2, 0.2)[:, None]  # noqa: E731
    found = solver.solve(wave(solver.grid.points, 0.0).T, [1.0], wave, step=2e-4)
    assert np.abs(found[0, 0] - wave(solver.grid.points, 1.0)[:, 0]).max() < 1e-7


def test_what_is_not_resolved_is_refused():
    with pytest.raises(ConvergenceError, match="degree 16 does not resolve it|not finite"):
        _front_error(16, viscosity=0.004)


def test_the_step_follows_sides_that_speed_up():
    """From rest with a side that accelerates: the speed at the start says nothing about the step."""
    solver = BoxBurgers(24, (0.0,), (1.0,), viscosity=0.05)
    side = lambda points, time: np.where(points < 0.5, 2.0 * min(time, 1.0), 0.0)  # noqa: E731
    found, fine = (solver.solve(np.zeros((1, 25)), [1.0, 2.0], side, step=step) for step in (None, 1e-4))
    assert np.abs(found - fine).max() < 1e-5


def test_a_constant_velocity_does_not_hide_what_is_not_resolved():
    solver = BoxBurgers(16, (0.0,), (1.0,), viscosity=1e-4)
    x = solver.grid.points[:, 0]
    for mean in (0.0, 300.0):
        rough = mean + np.cos(np.pi * np.arange(17))[None] * (x * (1 - x) * 4)[None]
        with pytest.raises(ConvergenceError, match="does not resolve"):
            solver.solve(rough, [1e-6], lambda points, time, mean=mean: np.full((len(points), 1), mean))
    slow = BoxBurgers(16, (0.0,), (1.0,), viscosity=10.0)
    still = slow.solve(np.full((1, 17), 300.0), [0.01], lambda points, time: np.full((len(points), 1), 300.0))
    np.testing.assert_allclose(still, 300.0, rtol=1e-9)


def test_bad_input():
    for step in (0.0, -1.0, np.nan):
        with pytest.raises(ConfigurationError, match="step"):
            BoxBurgers(8, (0.0,), (1.0,), viscosity=1.0).solve(np.zeros((1, 9)), [1.0], lambda points, time: points, step=step)
    with pytest.raises(ConfigurationError, match="finite values"):
        BoxBurgers(8, (0.0,), (1.0,), viscosity=1.0).solve(np.full((1, 9), np.nan), [1.0], lambda points, time: points)
    with pytest.raises(ConfigurationError, match=r"degree is 3.*no box.*viscosity is -1"):
        BoxBurgers(3, (0.0,), (0.0,), viscosity=-1.0)
    solver = BoxBurgers(8, (0.0,), (1.0,), viscosity=1.0)
    with pytest.raises(ConfigurationError, match=r"velocity \(1, 8\)"):
        solver.solve(np.zeros((1, 8)), [1.0], lambda points, time: points)
