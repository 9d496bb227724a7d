"""The plate with a hole: equilibrium, Hooke's law, free hole, uniform tension far away, known factors."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.fem.elastic_laws import LinearElastic
from geoop.truth.exact.kirsch import Kirsch, finite_width_factor

PLATE = Kirsch(radius=0.7, tension=2.0, young=5.0, poisson=0.25)


def ring_points(n=200):
    random = np.random.default_rng(0)
    r, t = 0.7 * (1.05 + 4 * random.random(n)), 2 * np.pi * random.random(n)
    return np.stack([r * np.cos(t), r * np.sin(t)], axis=1)


def slope(function, points, step=1e-5):
    return np.stack([(function(points + step * axis) - function(points - step * axis)) / (2 * step) for axis in np.eye(2)], axis=-1)


def test_equilibrium():
    divergence = np.einsum("nijj->ni", slope(PLATE.stress, ring_points()))
    assert np.abs(divergence).max() < 1e-7


@pytest.mark.parametrize("plane", ["stress", "strain"])
def test_displacement_gives_the_stress_by_hookes_law(plane):
    plate = Kirsch(0.7, 2.0, 5.0, 0.25, plane)
    points = ring_points()
    law = LinearElastic(5.0, 0.25, f"plane {plane}")
    assert np.abs(law.stress(slope(plate.displacement, points)) - plate.stress(points)).max() < 1e-8


def test_hole_and_far_field():
    angle = np.linspace(0, 2 * np.pi, 73)
    rim = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert np.abs(PLATE.traction(0.7 * rim, rim)).max() < 1e-14
    hoop = np.einsum("ni,nij,nj->n", np.stack([-rim[:, 1], rim[:, 0]], axis=1), PLATE.stress(0.7 * rim), np.stack([-rim[:, 1], rim[:, 0]], axis=1))
    assert np.allclose(hoop, 2.0 * (1 - 2 * np.cos(2 * angle)))
    assert hoop.max() == pytest.approx(3 * 2.0) and hoop.min() == pytest.approx(-2.0)
    assert np.allclose(PLATE.stress(1e5 * rim), np.diag([2.0, 0.0]), atol=1e-9)


def test_finite_width_factor():
    """3 for the infinite plate; Howland's own values 3.14 and 4.32 of the stress far away at ratios 0.2 and 0.5."""
    assert finite_width_factor(0.0) == pytest.approx(3.0, abs=0.01)
    assert finite_width_factor(0.2) == pytest.approx(3.14, rel=0.006)
    assert finite_width_factor(0.5) == pytest.approx(4.32, rel=0.006)
    with pytest.raises(ConfigurationError, match="width is 0.95"):
        finite_width_factor(0.95)


def test_bad_input():
    with pytest.raises(ConfigurationError, match="no plate with a hole"):
        Kirsch(radius=-1.0)
    with pytest.raises(ConfigurationError, match="no plate with a hole"):
        Kirsch(plane="thin")
