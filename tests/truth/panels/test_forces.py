"""Lift, drag and moment by pressure: they add up, agree with Kutta-Joukowski, thin-section theory and the cylinder."""

import numpy as np
import pytest

from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import circle, naca4
from geoop.truth.datasets.two_element import elements
from geoop.truth.panels.system import panel_flow


def at(alpha, velocity=1.0):
    return OperatingPoint(velocity, alpha=alpha, reference_length=1.0)


def test_forces_add_up():
    """CL of all bodies by pressure is that of Kutta-Joukowski; the moment about another point is that of the resultant."""
    outline = elements("2412", "2412", 0.35, 20.0, 0.03, 0.0)
    flow = panel_flow(outline, at(4.0), 300)
    lift, drag = flow.pressure_force_coefficients
    assert lift == pytest.approx(flow.lift_coefficient, rel=3e-4) and abs(drag) < 1e-3
    assert sum(f.circulation for f in flow.forces()) == pytest.approx(flow.circulation, rel=1e-12)
    here, there = (sum(f.moment_coefficient for f in flow.forces(point)) for point in ((0.25, 0.0), (1.25, 0.0)))
    a = np.radians(4.0)
    assert there - here == pytest.approx(lift * np.cos(a) + drag * np.sin(a), rel=1e-9)


@pytest.mark.parametrize("code", ["0012", "2412", "4412"])
def test_moment_of_a_section(code):
    """About the quarter chord: zero for a symmetrical section as it gets thin, the value of thin-section theory within a tenth."""
    m, p = int(code[0]) / 100, int(code[1]) / 10
    thin = 0.0
    if m:
        theta = np.linspace(0, np.pi, 20001)
        x = 0.5 * (1 - np.cos(theta))
        slope = np.where(x < p, 2 * m / p**2 * (p - x), 2 * m / (1 - p) ** 2 * (p - x))
        a1, a2 = (2 / np.pi * np.trapezoid(slope * np.cos(k * theta), theta) for k in (1, 2))
        thin = -np.pi / 4 * (a1 - a2)
    found = panel_flow(naca4(code, 300), at(0.0)).moment_coefficient
    assert found == pytest.approx(thin, abs=0.11 * abs(thin) + 1e-9)


def test_cylinder_with_circulation():
    """CL = 8 pi sin(alpha) on the radius 1 (reference length 1), no drag; the resultant passes through the centre."""
    (found,) = panel_flow(circle(200), at(5.0), None).forces((0.0, 0.0))
    assert found.lift_coefficient == pytest.approx(8 * np.pi * np.sin(np.radians(5.0)), rel=2e-3)
    assert abs(found.drag_coefficient) < 2e-3 and abs(found.moment_coefficient) < 2e-3
    assert found.circulation == pytest.approx(4 * np.pi * np.sin(np.radians(5.0)), rel=2e-3)


def test_moment_is_of_second_order():
    """Nose up positive: lift behind the reference point gives a negative moment; order 2 in the panels."""
    outline = naca4("2412", 600)
    values = np.array([panel_flow(outline, at(4.0), n).forces((0.0, 0.0))[0].moment_coefficient for n in (50, 100, 200, 400)])
    assert values[-1] < -0.1
    steps = np.abs(np.diff(values))
    assert (steps[:-1] / steps[1:] > 3.0).all()
