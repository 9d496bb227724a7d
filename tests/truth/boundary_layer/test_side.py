"""One surface: what makes it turbulent, where, and that thickness is continuous there."""

import numpy as np
import pytest

from geoop.truth.boundary_layer.laminar import thwaites
from geoop.truth.boundary_layer.side import LEAST_TURBULENT, side_layer
from geoop.truth.boundary_layer.turbulent import head, plate_start


def march(s, ue, nu, trip=None):
    return side_layer(np.stack([s, 0 * s], axis=1), s, ue, nu, trip)


def test_a_plate_tripped_at_its_edge_is_turbulent_from_there():
    s = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, 120)])
    layer = march(s, np.ones(121), 1e-6, 0.0)
    alone = head(s[1:], np.ones(120), 1e-6, plate_start(1e-4, 1.0, 1e-6))
    assert layer.why == "tripped" and layer.transition == 0.0
    assert layer.momentum_thickness[-1] == pytest.approx(alone.momentum_thickness[-1], rel=2e-3)


@pytest.mark.parametrize("trip", [0.2, 0.5])
def test_trip_on_a_plate(trip):
    """Laminar ahead of the trip; the momentum thickness has no step there, the friction has."""
    s = np.linspace(0.0, 1.0, 401)
    layer = march(s, np.ones(401), 1e-6, trip)
    laminar = thwaites(s, np.ones(401), 1e-6)
    ahead = s < trip
    assert layer.momentum_thickness[ahead] == pytest.approx(laminar.momentum_thickness[ahead], rel=1e-12)
    k = int(ahead.sum())
    assert layer.momentum_thickness[k] == pytest.approx(laminar.momentum_thickness[k], rel=0.02)
    assert layer.friction[k + 3] > 2 * layer.friction[k - 3]
    assert layer.shape_factor[k - 3] > 2.4 and layer.shape_factor[-1] < 1.5
    assert layer.place(layer.transition) == pytest.approx([trip, 0.0])


def test_a_layer_that_stays_laminar():
    s = np.linspace(0.0, 1.0, 201)
    layer = march(s, np.ones(201), 1e-5)
    assert layer.why == "laminar" and layer.transition is None and layer.separation is None
    assert 2 * layer.momentum_thickness[-1] == pytest.approx(1.328 / np.sqrt(1e5), rel=0.02)


def test_no_trip_works_ahead_of_prestons_limit():
    """Behind a stagnation point the layer is turbulent only where Re_theta has grown to 320."""
    s = np.linspace(0.0, 1.0, 401)
    ue = np.tanh(8 * s)
    layer = march(s, ue, 1e-6, 0.0)
    reynolds = np.interp(layer.transition, s, ue * thwaites(s, ue, 1e-6).momentum_thickness / 1e-6)
    assert layer.why == "tripped" and reynolds == pytest.approx(LEAST_TURBULENT, rel=1e-2)
    assert march(s, ue, 1e-4, 0.0).why == "laminar"


def test_laminar_separation_starts_a_turbulent_layer():
    s = np.linspace(0.0, 0.5, 401)
    layer = march(s, 1 - s, 1e-6)
    assert layer.why == "laminar separation" and layer.transition == pytest.approx(0.1232, abs=1e-3)
    assert layer.laminar_separation == layer.transition
