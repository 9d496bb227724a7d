"""Exact solutions of Burgers' equation: the equation itself, published values, small viscosities, symmetries."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.truth.exact.burgers import ColeHopf, HeatModes, shock_wave, travelling_front


def _residual(u, points, time, nu, h=2e-4):
    """Largest |u_t + (u . grad) u - nu laplace u| by central differences of a velocity u(points, time) -> (n, d)."""
    now = u(points, time)
    rest = (u(points, time + h) - u(points, time - h)) / (2 * h)
    for k, unit in enumerate(np.eye(points.shape[1])):
        ahead, behind = u(points + h * unit, time), u(points - h * unit, time)
        rest = rest + now[:, k : k + 1] * (ahead - behind) / (2 * h) - nu * (ahead - 2 * now + behind) / h**2
    return np.abs(rest).max()


@pytest.fixture
def places():
    return np.random.default_rng(0).random((40, 2))


def test_cole_hopf_solves_the_equation(places):
    exact = ColeHopf(0.02, 1.0, 0.3, (0.2, -0.1), (0.8,))
    assert _residual(lambda x, t: exact.velocity(x[:, 0], t)[:, None], places[:, :1], 0.3, 0.02) < 2e-4


def test_steepest_slope_of_basdevant():
    """-sin(pi x) on [-1, 1], nu = 0.01/pi: largest slope 152.00516 at t = 1.6037/pi (Basdevant et al., Computers and Fluids 14, 1986)."""
    exact = ColeHopf(0.01 / np.pi, 2.0, sines=(-1.0,))
    h = 1e-6
    slope = np.diff(exact.velocity(np.array([-h, h]), 1.6037 / np.pi))[0] / (2 * h)
    assert slope == pytest.approx(-152.00516, abs=1e-4)


def test_small_viscosity_is_the_inviscid_solution_beside_the_shock():
    """Characteristics x = x_0 + t u_0(x_0) where they do not cross; nothing overflows."""
    start = np.linspace(0.02, 0.3, 15)
    exact = ColeHopf(1e-7, 1.0, sines=(1.0,))
    time = 0.3
    speed = np.sin(2 * np.pi * start)
    there = start + time * speed
    ahead = there < 0.45  # the shock stands at x = 1/2
    assert np.abs(exact.velocity(there[ahead], time) - speed[ahead]).max() < 1e-5


def test_mean_velocity_is_a_moving_frame():
    x = np.linspace(0, 1, 30)
    still, moving = ColeHopf(0.01, 1.0, 0.0, (0.3,), (0.5,)), ColeHopf(0.01, 1.0, 0.7, (0.3,), (0.5,))
    np.testing.assert_allclose(moving.velocity(x + 0.7 * 0.4, 0.4), 0.7 + still.velocity(x, 0.4), atol=1e-13)


def test_between_walls_stays_zero_on_the_walls_and_starts_as_said():
    exact = ColeHopf.between_walls(0.01, 2.0, [1.0, 0.5])
    x = np.linspace(0, 2, 21)
    assert np.abs(exact.velocity(np.array([0.0, 2.0]), 0.7)).max() < 1e-12
    np.testing.assert_allclose(exact.velocity(x, 0.0), np.sin(np.pi * x / 2) + 0.5 * np.sin(np.pi * x), atol=1e-13)
    np.testing.assert_allclose(exact.velocity(x, 1e-7), exact.velocity(x, 0.0), atol=1e-5)


def test_heat_modes_solve_the_equation_in_the_plane(places):
    exact = HeatModes(0.03, [0.5, -0.3], 2 * np.pi * np.array([[1.0, 1.0], [2.0, -1.0]]), [0.2, 1.0])
    assert _residual(exact.velocity, places, 0.2, 0.03) < 1e-3


def test_heat_modes_and_cole_hopf_agree_on_the_line():
    """phi = 1 + a cos(k x) gives u_0 = 2 nu a k sin / (1 + a cos), whose Fourier sines are 4 nu k (-1)^{m+1} r^m."""
    nu, a, k = 0.05, 0.4, 2 * np.pi
    r = (1 - np.sqrt(1 - a * a)) / a
    sines = tuple(4 * nu * k * (-1) ** (m + 1) * r**m for m in range(1, 40))
    x = np.linspace(0, 1, 17)
    modes = HeatModes(nu, [a], [[k]], [0.0])
    np.testing.assert_allclose(ColeHopf(nu, 1.0, sines=sines).velocity(x, 0.15), modes.velocity(x[:, None], 0.15)[:, 0], atol=1e-12)


def test_travelling_front_solves_the_equation_and_does_not_overflow(places):
    assert _residual(lambda x, t: travelling_front(x, t, 0.1), places, 0.8, 0.1) < 1e-5
    sharp = travelling_front(np.array([[0.0, 0.0], [1.0, 1.0], [0.25, 0.25]]), 0.5, 1e-6)
    np.testing.assert_allclose(sharp, [[1, 1], [0, 0], [0.5, 0.5]], atol=1e-12)
    x = np.array([[0.3, 0.4]])
    assert travelling_front(x, 0.5, 0.1)[0, 0] == pytest.approx(1 / (1 + np.exp((0.7 - 0.5) / 0.2)))


def test_shock_wave_solves_the_equation_and_moves_at_the_mean_of_its_sides(places):
    assert _residual(lambda x, t: shock_wave(x[:, 0], t, 0.05, 1.2, 0.2)[:, None], places[:, :1], 0.3, 0.05) < 1e-4
    assert shock_wave(np.array([0.7 * 2.0]), 2.0, 1e-3, 1.2, 0.2)[0] == pytest.approx(0.7)


def test_bad_input_in_one_error():
    with pytest.raises(ConfigurationError, match=r"viscosity is 0.*period is -1.*coefficient"):
        ColeHopf(0.0, -1.0, float("nan"))
    with pytest.raises(ConfigurationError, match="time is -1"):
        ColeHopf(0.1, 1.0, sines=(1.0,)).velocity(np.zeros(1), -1.0)
    with pytest.raises(ConfigurationError, match="sum to 1.2"):
        HeatModes(0.1, [0.6, 0.6], np.ones((2, 2)), [0.0, 0.0])
    with pytest.raises(ConfigurationError, match="rarefaction"):
        shock_wave(np.zeros(1), 0.0, 0.1, 0.0, 1.0)
    with pytest.raises(ConfigurationError, match="viscosity"):
        travelling_front(np.zeros((1, 2)), 0.0, -1.0)
