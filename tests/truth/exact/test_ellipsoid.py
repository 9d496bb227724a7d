"""The exact flow around ellipsoids: sphere, published added masses, no flow through the wall, no divergence, no rotation."""

import numpy as np
import pytest

from geoop.errors import ConditionError, ConfigurationError
from geoop.mesh.operating_point import OperatingPoint
from geoop.truth.exact.ellipsoid import Ellipsoid

CONDITION = OperatingPoint(3.0, alpha=20.0, beta=-35.0)
BODY = Ellipsoid(2.0, 1.0, 0.6)


def around(seed=0, n=50, near=1.0, far=4.0):
    random = np.random.default_rng(seed)
    directions = random.normal(size=(n, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * [2.0, 1.0, 0.6] * random.uniform(near, far, (n, 1))


def test_sphere_is_a_dipole():
    x = around(far=3.0) / [2.0, 1.0, 0.6]
    stream = CONDITION.velocity * CONDITION.direction(3)
    r = np.linalg.norm(x, axis=1)[:, None]
    exact = stream * (1 + 0.5 / r**3) - 1.5 * (x @ stream)[:, None] * x / r**5
    assert Ellipsoid(1.0, 1.0, 1.0).velocity(x, CONDITION) == pytest.approx(exact, abs=1e-12)


def test_added_mass_of_a_prolate_spheroid():
    """Lamb 1932, art. 115: fineness ratio 2 has k1 = 0.209 and k2 = 0.702; a sphere 1/2."""
    assert Ellipsoid(2.0, 1.0, 1.0).added_mass_coefficients() == pytest.approx([0.209, 0.702, 0.702], abs=6e-3 * 0.5)
    assert Ellipsoid(1.5, 1.5, 1.5).added_mass_coefficients() == pytest.approx([0.5] * 3)


def test_no_flow_through_the_wall_and_none_of_the_disturbance_far_away():
    wall = around(near=1.0, far=1.0)
    normal = wall / np.array([2.0, 1.0, 0.6]) ** 2
    assert np.abs((BODY.velocity(wall, CONDITION) * normal).sum(axis=1)).max() < 1e-12
    assert BODY.velocity(500.0 * wall, CONDITION) == pytest.approx(np.tile(3.0 * CONDITION.direction(3), (50, 1)), abs=1e-7)


def test_divergence_and_rotation_vanish():
    x, h = around(near=1.2), 1e-5
    gradient = np.stack([(BODY.velocity(x + h * e, CONDITION) - BODY.velocity(x - h * e, CONDITION)) / (2 * h) for e in np.eye(3)], axis=1)
    assert np.abs(np.trace(gradient, axis1=1, axis2=2)).max() < 1e-8
    assert np.abs(gradient - gradient.transpose(0, 2, 1)).max() < 1e-8


def test_inside_there_is_no_flow_and_confocal_surfaces_are_found():
    assert np.isnan(BODY.velocity(np.array([[0.0, 0.0, 0.0], [1.9, 0.0, 0.0], [0.5, 0.5, 0.1]]), CONDITION)).all()
    x = around(near=1.0)
    root = BODY.confocal(x)[:, None]
    assert (x**2 / (np.array([2.0, 1.0, 0.6]) ** 2 + root)).sum(axis=1) == pytest.approx(np.ones(50), abs=1e-12)
    assert (root > -1e-12).all()


def test_bad_input():
    with pytest.raises(ConfigurationError, match="no ellipsoid"):
        Ellipsoid(1.0, 0.0, 1.0)
    with pytest.raises(ConditionError, match="mach"):
        BODY.velocity(around(), OperatingPoint(1.0, mach=0.3))
