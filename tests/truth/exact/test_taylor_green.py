"""The exact flows satisfy the equations: residuals by finite differences."""

import numpy as np
import pytest

from geoop.errors import ConditionError
from geoop.truth.exact.kovasznay import Kovasznay
from geoop.truth.exact.poiseuille import Poiseuille
from geoop.truth.exact.taylor_green import TaylorGreen

POINTS = np.random.default_rng(0).uniform(0.1, 0.4, (40, 2))
H = 1e-4


def residuals(velocity, pressure, viscosity, time):
    """Of momentum (k, 2) and continuity (k,) for functions of points and time."""
    ex, ey = H * np.eye(2)
    u = velocity(POINTS, time)
    dx, dy = ((velocity(POINTS + e, time) - velocity(POINTS - e, time)) / (2 * H) for e in (ex, ey))
    laplace = sum(velocity(POINTS + e, time) + velocity(POINTS - e, time) - 2 * u for e in (ex, ey)) / H**2
    gradient = np.stack([(pressure(POINTS + e, time) - pressure(POINTS - e, time)) / (2 * H) for e in (ex, ey)], axis=1)
    change = (velocity(POINTS, time + H) - velocity(POINTS, time - H)) / (2 * H)
    return change + u[:, :1] * dx + u[:, 1:] * dy + gradient - viscosity * laplace, dx[:, 0] + dy[:, 1]


@pytest.mark.parametrize("kind", ["taylor-green", "kovasznay", "poiseuille"])
def test_navier_stokes(kind):
    if kind == "taylor-green":
        flow, nu = TaylorGreen(0.3, 1.7, 2.0), 0.3
        velocity, pressure = flow.velocity, flow.pressure
    elif kind == "kovasznay":
        flow, nu = Kovasznay(40.0), 1 / 40
        velocity, pressure = flow.velocity, lambda x, t: flow.pressure(x)
    else:
        flow, nu = Poiseuille(0.7, 0.5, 0.2), 0.2
        velocity, pressure = flow.velocity, lambda x, t: flow.pressure_gradient * x[:, 0]
    momentum, continuity = residuals(velocity, pressure, nu, 0.2)
    assert np.abs(momentum).max() < 2e-6 and np.abs(continuity).max() < 1e-6


def test_box_of_taylor_green_is_frictionless():
    side = np.stack([np.zeros(9), np.linspace(0, np.pi, 9)], axis=1)
    flow = TaylorGreen()
    assert np.allclose(flow.velocity(side)[:, 0], 0.0)
    assert np.allclose(flow.velocity(side + [H, 0])[:, 1], flow.velocity(side - [H, 0])[:, 1])


def test_poiseuille_balances_and_needs_numbers():
    flow = Poiseuille(0.7, 0.5, 0.2)
    assert -flow.pressure_gradient * 0.5 == pytest.approx(2 * flow.wall_shear)
    y = np.linspace(0, 0.5, 20001)
    assert np.trapezoid(flow.velocity(np.stack([0 * y, y], axis=1))[:, 0], y) / 0.5 == pytest.approx(0.7)
    with pytest.raises(ConditionError, match="height 0"):
        Poiseuille(1.0, 0.0)
