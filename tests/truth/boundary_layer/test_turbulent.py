"""The turbulent layer on a smooth plate, its scaling and order, and separation."""

import numpy as np
import pytest
from scipy.optimize import brentq

from geoop.truth.boundary_layer.turbulent import SEPARATED, equilibrium, head, plate_friction, plate_shape, plate_start


def plate(reynolds, n=200):
    s = np.geomspace(1e-5, 1.0, n)
    return s, head(s, np.ones(n), 1 / reynolds, plate_start(1e-5, 1.0, 1 / reynolds))


@pytest.mark.parametrize("reynolds", [1e6, 3e6, 1e7, 3e7, 1e8])
def test_smooth_plate_is_on_the_line_of_schoenherr(reynolds):
    """0.242/sqrt(CF) = log10(Re CF) (K. E. Schoenherr, Trans. SNAME 40, 1932) within 2 %; friction and momentum agree."""
    s, layer = plate(reynolds)
    schoenherr = brentq(lambda c: 0.242 / np.sqrt(c) - np.log10(reynolds * c), 1e-4, 1e-1)
    assert 2 * layer.momentum_thickness[-1] == pytest.approx(schoenherr, rel=0.02)
    assert np.trapezoid(layer.friction, s) == pytest.approx(2 * (layer.momentum_thickness[-1] - layer.momentum_thickness[0]), rel=2e-3)
    assert layer.separation is None


def test_a_plate_stays_in_equilibrium():
    """Far behind its start the shape is the plate's own H0(Re_theta), which needs no tuning: the lag equation keeps it."""
    _, layer = plate(1e7)
    reynolds = layer.momentum_thickness * 1e7
    own = np.array([plate_shape(r) for r in reynolds])
    assert layer.shape_factor[-20:] == pytest.approx(own[-20:], rel=0.02)
    assert layer.friction[-1] == pytest.approx(plate_friction(reynolds[-1]), rel=0.03)
    _, gradient, _ = equilibrium(own[-1], reynolds[-1])
    assert abs(gradient) < 3e-4


def test_scale_does_not_matter():
    """The same Reynolds number at another length, speed and viscosity: the same layer in lengths."""
    s = np.linspace(0.1, 1.0, 60)
    ue = 1.1 - 0.3 * s
    one = head(s, ue, 1e-6, 1e-4)
    other = head(5 * s, 20 * ue, 1e-4, 5e-4)
    assert other.momentum_thickness == pytest.approx(5 * one.momentum_thickness, rel=1e-9)
    assert other.shape_factor == pytest.approx(one.shape_factor, rel=1e-9)


def test_steps_do_not_matter(monkeypatch):
    s = np.linspace(0.1, 1.0, 60)
    ue = 1.1 - 0.3 * s
    coarse = head(s, ue, 1e-6, 1e-4)
    monkeypatch.setattr("geoop.truth.boundary_layer.turbulent._STEP", 2.0)
    fine = head(s, ue, 1e-6, 1e-4)
    assert coarse.momentum_thickness == pytest.approx(fine.momentum_thickness, rel=1e-4)
    assert coarse.shape_factor == pytest.approx(fine.shape_factor, rel=1e-3)


def test_retardation_separates_and_acceleration_does_not():
    s = np.linspace(0.0, 1.0, 101)
    strong = head(s, 1.0 - 0.6 * s, 1e-6, 1e-3)
    assert strong.separation is not None and 0.05 < strong.separation < 0.9
    behind = s > strong.separation
    assert (strong.shape_factor[behind] == SEPARATED).all() and (strong.friction[behind] == 0).all()
    assert np.isfinite(strong.momentum_thickness).all() and (np.diff(strong.momentum_thickness) > 0).all()
    stronger = head(s, 1.0 - 0.8 * s, 1e-6, 1e-3)
    assert stronger.separation < strong.separation
    fast = head(s, 1.0 + 0.3 * s, 1e-6, 1e-3)
    assert fast.separation is None and fast.shape_factor[-1] < plate_shape(1e3)
