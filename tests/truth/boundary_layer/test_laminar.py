"""Thwaites' method on the flows with a known answer: the flat plate, the stagnation point, Howarth's linear retardation."""

import numpy as np
import pytest
from scipy.optimize import brentq

from geoop.truth.boundary_layer.laminar import correlations, first_crossing, michel, separation, thwaites


def test_flat_plate_drag_is_that_of_blasius():
    s = np.linspace(0.0, 1.0, 401)
    layer = thwaites(s, np.full(401, 10.0), 1e-5)  # Re 1e6
    assert 2 * layer.momentum_thickness[-1] == pytest.approx(1.328e-3, rel=0.02)
    local = layer.friction[1:] * np.sqrt(10.0 * s[1:] / 1e-5)
    assert local == pytest.approx(0.664, rel=0.02)
    assert layer.shape_factor[1:] == pytest.approx(2.59, rel=0.02)


def test_stagnation_point():
    """ue = a s: Thwaites gives theta = sqrt(0.075 nu/a) everywhere; the similarity solution (Hiemenz) 0.2923 sqrt(nu/a), 7 % more."""
    s = np.linspace(0.0, 0.5, 51)
    layer = thwaites(s, 40.0 * s, 1.5e-5)
    unit = np.sqrt(1.5e-5 / 40.0)
    assert layer.momentum_thickness == pytest.approx(np.sqrt(0.075) * unit, rel=1e-9)
    assert layer.momentum_thickness == pytest.approx(0.2923 * unit, rel=0.07)
    assert layer.parameter == pytest.approx(0.075, rel=1e-9)
    assert layer.friction[1:] * 40.0 * s[1:] ** 1 == pytest.approx(2 * 1.2326 * np.sqrt(1.5e-5 * 40.0), rel=0.03)


@pytest.mark.parametrize(("m", "theta", "shape"), [(1 / 9, 0.5660, 2.41), (1 / 3, 0.4290, 2.30), (-0.05, 0.7515, 2.82)])
def test_falkner_skan(m, theta, shape):
    """ue = s^m: theta sqrt(ue/(nu s)) and H of the similarity solutions (White, Viscous Fluid Flow, table 4.3) within 6 %."""
    s = np.geomspace(1e-4, 1.0, 2001)
    layer = thwaites(s, s**m, 1e-6)
    assert layer.momentum_thickness[-1] * 1e3 == pytest.approx(theta, rel=0.06)
    assert layer.shape_factor[-1] == pytest.approx(shape, rel=0.06)


def test_howarth_separates_where_thwaites_says():
    """ue = 1 - s: 1 - 2.2^(-1/6) = 0.1232 for lambda = -0.09, 0.120 in the exact solution; order 2 in the stations."""
    exact = 1 - 2.2 ** (-1 / 6)
    errors = []
    for n in (41, 81, 161):
        s = np.linspace(0.0, 0.2, n)
        errors.append(abs(separation(s, thwaites(s, 1 - s, 1e-6)) - exact))
    assert errors[-1] < 1e-5 and errors[2] < errors[0] / 3
    assert exact == pytest.approx(0.120, rel=0.03)
    assert separation(s, thwaites(s, 1 + s, 1e-6)) is None


def test_michel_on_a_plate():
    """Natural transition of a plate is at one Re_x whatever speed and viscosity: where 0.671 sqrt(Re) meets Michel's curve (1.67e6)."""
    root = brentq(lambda x: np.sqrt(0.45 * x) - 1.174 * (1 + 22400 / x) * x**0.46, 1e5, 1e7)
    for speed, nu in ((10.0, 1e-6), (50.0, 2e-5)):
        s = np.linspace(0.0, 1e7 * nu / speed, 2001)
        ue = np.full(2001, speed)
        assert michel(s, ue, thwaites(s, ue, nu), nu) * speed / nu == pytest.approx(root, rel=1e-3)
    s = np.linspace(0.0, 1e6 * 1e-6, 101)
    assert michel(s, np.ones(101), thwaites(s, np.ones(101), 1e-6), 1e-6) is None


def test_correlations_are_continuous_and_end_at_separation():
    below, above = correlations(np.array([-1e-9])), correlations(np.array([1e-9]))
    assert below[0] == pytest.approx(above[0], abs=1e-6) and below[1] == pytest.approx(above[1], abs=2e-3)
    assert abs(correlations(np.array([-0.09]))[0][0]) < 0.01  # no wall shear left


def test_first_crossing():
    s = np.array([0.0, 1.0, 2.0])
    assert first_crossing(s, np.array([-1.0, 3.0, 5.0])) == pytest.approx(0.25)
    assert first_crossing(s, np.array([np.nan, 3.0, 5.0])) == 1.0
    assert first_crossing(s, np.array([-1.0, -3.0, -5.0])) is None
