"""One pass of displacement: its limits, its symmetries, and what it takes away from the lift."""

from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import ConditionError, InvalidMeshError
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import circle, naca4
from geoop.truth.boundary_layer.displacement import displaced_speed, displacement
from geoop.truth.panels.system import PanelSystem


def stream(reynolds, alpha=4.0, *, velocity=50.0, length=1.0):
    return OperatingPoint(velocity, alpha, density=1.2, viscosity=1.2 * velocity * length / reynolds, reference_length=length)


@pytest.fixture(scope="module")
def system():
    return PanelSystem(naca4("2412", 200), 160)


def test_the_layer_vanishes_with_growing_reynolds_number(system):
    points = [stream(reynolds) for reynolds in (1e6, 1e8, 1e10)]
    off = [np.sqrt(np.mean((displaced_speed(system, [p]) - system.speed([p])) ** 2)) / p.velocity for p in points]
    assert off[0] > 1.5 * off[1] > 2.25 * off[2]
    assert off[2] < 0.02


def test_it_takes_lift_and_suction_away(system):
    """Real sections have less of both; a layer that added some would be worse than none."""
    points = [stream(3e6, alpha) for alpha in (2.0, 6.0, 10.0)]
    inviscid, displaced = system.speed(points), displaced_speed(system, points)
    assert (np.abs(displaced).max(axis=0) < np.abs(inviscid).max(axis=0)).all()

    def lift(speed):  # circulation over U c / 2, clockwise
        length = system.bodies[0].arc_length[:, None]
        return -2.0 * (length * 0.5 * (speed[:-1] + speed[1:])).sum(axis=0) / 50.0

    share = lift(displaced) / lift(inviscid)
    assert (share < 0.99).all() and (share > 0.75).all()


def test_unit_of_length_and_speed_have_no_effect(system):
    large = PanelSystem(naca4("2412", 200, chord=7.0), 160)
    own = displaced_speed(system, [stream(3e6)])[:, 0] / 50.0
    other = displaced_speed(large, [stream(3e6, velocity=11.0, length=7.0)])[:, 0] / 11.0
    np.testing.assert_allclose(other, own, atol=1e-6)


def test_a_symmetric_section_without_incidence_stays_symmetric():
    system = PanelSystem(naca4("0012", 200), 160)
    speed = displaced_speed(system, [stream(3e6, 0.0)])[:, 0]
    np.testing.assert_allclose(speed, -speed[::-1], atol=1e-3 * 50.0)


def test_a_thin_section_carries_the_layer_of_a_plate():
    """delta*/x = 0.048 Re^(-1/5) of a turbulent plate (Schlichting, Boundary-Layer Theory, chapter 21)."""
    system, point = PanelSystem(naca4("0003", 200), 160, smallest_edge_angle=1.0), stream(3e6, 0.0)
    found = displacement(system, system.speed([point])[:, 0], point)
    x = system.nodes.real
    middle = np.abs(x - 0.7).argmin()
    assert found[middle] == pytest.approx(0.048 * x[middle] * (3e6 * x[middle]) ** -0.2, rel=0.2)


def test_bad_input_is_named(system):
    with pytest.raises(ConditionError, match="viscosity"):
        displaced_speed(system, [replace(stream(1e6), viscosity=None)])
    with pytest.raises(ConditionError, match="part on the nose"):
        displaced_speed(system, [stream(1e6, 180.0)])
    with pytest.raises(InvalidMeshError, match="round"):
        displaced_speed(PanelSystem(circle(100), 100), [stream(1e6)])
