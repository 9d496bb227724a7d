"""A flap against the theory of thin aerofoils, and that the bend neither opens nor folds the skin."""

import math

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.crossings import crossing_segments
from geoop.mesh.flap import deflected
from geoop.mesh.loops import signed_area
from geoop.mesh.mesh import Mesh
from geoop.mesh.naca import _mean_line, naca, naca5, naca_between
from geoop.mesh.outline import loops
from geoop.mesh.primitives import circle, naca4, ring
from geoop.mesh.resample import closed_ring
from geoop.truth.panels.system import PanelSystem


def lift(section) -> float:
    point = geoop.OperatingPoint(1.0, 0.0, reference_length=1.0)
    return PanelSystem(section, 200, smallest_edge_angle=0.0).lift_coefficient([point])[0]


def slope(hinge: float, thickness: float) -> float:
    base = naca_between(0.0, 40.0, thickness, 300)
    up, down = (lift(deflected(base, d, hinge=hinge, blend=0.02)) for d in (-2.0, 2.0))
    return (down - up) / math.radians(4.0)


@pytest.mark.parametrize("hinge", [0.6, 0.8])
def test_effectiveness_tends_to_that_of_a_thin_aerofoil(hinge):
    """dCL/d(delta) = 2 (pi - theta + sin theta), cos theta = 1 - 2 x_hinge (Glauert 1927); thickness adds its first order, which is extrapolated."""
    theta = math.acos(1.0 - 2.0 * hinge)
    exact = 2.0 * (math.pi - theta + math.sin(theta))
    thick, thin = slope(hinge, 4.0), slope(hinge, 2.0)
    assert 2.0 * thin - thick == pytest.approx(exact, rel=3e-3)
    assert 0.0 < thin - exact < thick - exact < 0.06 * exact


def test_the_nose_stays_and_the_rear_turns_as_a_rigid_body_about_the_hinge():
    base = naca4("0012", 300)
    x, y = deflected(base, 10.0, hinge=0.7, blend=0.04).points.T
    ahead = (x > 0.05) & (x < 0.65)
    upper = base.points[1:150]
    assert np.allclose(np.abs(y[ahead]), np.interp(x[ahead], *upper[np.argsort(upper[:, 0])].T), atol=2e-5)
    tail = np.array([x.max(), y[np.argmax(x)]]) - [0.7, 0.0]
    assert np.linalg.norm(tail) == pytest.approx(0.3, abs=1e-6) and math.degrees(math.atan2(-tail[1], tail[0])) == pytest.approx(10.0, abs=1e-4)


def test_a_deflection_and_its_opposite_are_mirror_images():
    base = naca4("0012", 300)
    down, up = deflected(base, 15.0), deflected(base, -15.0)
    assert signed_area(closed_ring(down)) == pytest.approx(signed_area(closed_ring(up)), rel=1e-6)
    assert lift(down) == pytest.approx(-lift(up), rel=1e-5)


def test_area_changes_by_the_integral_over_the_bend():
    """dA = -int S'(u) delta (v_upper^2 - v_lower^2)/2 du with v measured from the hinge; it vanishes for a symmetric section."""
    symmetric = deflected(naca4("0012", 400), 20.0, n_points=2000)
    assert signed_area(closed_ring(symmetric)) == pytest.approx(signed_area(naca4("0012", 2000).points), rel=1e-5)
    hinge, blend, delta = 0.7, 0.2, math.radians(-20.0)
    x = 0.5 * (1.0 + np.cos(np.pi * np.arange(1001) / 1000))
    height = 0.6 * x * (1.0 - x) ** 2  # flat below, so that the chord is the x axis
    base = ring(np.concatenate([np.stack([x, height], axis=1), np.stack([x[-2:0:-1], 0 * x[1:-1]], axis=1)]), "lens")
    bent, flat = (deflected(base, angle, hinge=hinge, blend=blend, n_points=6000) for angle in (20.0, 0.0))
    u = np.linspace(-blend, blend, 2001)
    high = 0.6 * (hinge + u) * (1.0 - hinge - u) ** 2
    centre, t = 0.5 * high[1000], 0.5 * (u / blend + 1.0)
    change = -np.trapezoid(3.0 * (t - t**2) / blend * delta * 0.5 * ((high - centre) ** 2 - centre**2), u)
    found = signed_area(closed_ring(bent)) - signed_area(closed_ring(flat))
    assert abs(change) > 1e-5 and found == pytest.approx(change, rel=0.02)
    assert f"{100 * found / signed_area(closed_ring(flat)):+.3f} %" in bent.notes[-1]


@pytest.mark.parametrize("deflection", [-30.0, -5.0, 0.0, 5.0, 30.0])
@pytest.mark.parametrize("code", ["0012", "2412", "23012", "4421"])
def test_the_outline_is_closed_simple_and_without_kinks(code, deflection):
    bent = deflected(naca(code, 200), deflection, blend=0.08)
    (loop,) = loops(bent)
    points = bent.points[loop.points]
    assert loop.closed and not len(crossing_segments(points, np.roll(points, -1, axis=0)))
    z = points @ np.array([1.0, 1j])
    turns = np.abs(np.angle((np.roll(z, -1) - z) / (z - np.roll(z, 1))))
    assert np.sort(turns)[-2] < math.radians(20.0)  # the trailing edge is the only corner
    assert bent.name == f"naca{code}_flap{deflection:+g}"


def test_a_turned_and_scaled_section_is_bent_as_the_section_itself():
    base = naca4("2412", 200)
    angle = math.radians(25.0)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved = base.moved(0.3 * base.points @ turn.T + [5.0, -2.0])
    one, other = deflected(base, 12.0, n_points=100), deflected(moved, 12.0, n_points=100)
    assert np.allclose(other.points, 0.3 * one.points @ turn.T + [5.0, -2.0], atol=1e-6)


def test_what_cannot_be_bent_is_refused_with_the_remedy():
    base = naca4("0012")
    with pytest.raises(ConfigurationError, match="70 degrees; a hinge at x/c = 1.2"):
        deflected(base, 70.0, hinge=1.2)
    with pytest.raises(ConfigurationError, match="blend"):
        deflected(base, 5.0, hinge=0.97)
    with pytest.raises(InvalidMeshError, match="folds") as caught:
        deflected(circle(200, 0.5), 60.0, hinge=0.5, blend=0.1)
    assert "blend above" in caught.value.remedy
    lines = base.cells.block("line")
    two = Mesh(np.concatenate([base.points, base.points + [2.0, 0.0]]), Cells.of(line=np.concatenate([lines, lines + len(base.points)])))
    with pytest.raises(InvalidMeshError, match="loops"):
        deflected(two, 5.0)


@pytest.mark.parametrize(("code", "place"), [("21012", 0.05), ("22012", 0.10), ("23012", 0.15), ("24012", 0.20), ("25012", 0.25)])
def test_five_digits_put_the_camber_where_the_second_digit_says(code, place):
    x = np.linspace(0.0, 1.0, 20001)
    height, slope_there = _mean_line(x, code[1:3], int(code[0]))
    assert x[np.argmax(height)] == pytest.approx(place, abs=2e-3)
    assert height[0] == 0.0 and height[-1] == pytest.approx(0.0, abs=1e-12)
    assert np.allclose(np.gradient(height, x)[1:-1], slope_there[1:-1], atol=1e-3)


@pytest.mark.parametrize("code", ["23012", "24015", "43012"])
def test_design_lift_of_five_digits_is_fifteen_hundredths_of_the_first(code):
    """CL of the mean line at its ideal angle, A1 pi of thin-aerofoil theory: 0.15 times the first digit."""
    theta = (np.arange(40000) + 0.5) / 40000 * np.pi
    _, slope_there = _mean_line(0.5 * (1 - np.cos(theta)), code[1:3], int(code[0]))
    assert 2.0 * np.mean(slope_there * np.cos(theta)) * np.pi == pytest.approx(0.15 * int(code[0]), rel=0.01)


def test_reflexed_mean_lines_have_no_moment_about_the_quarter_chord():
    theta = (np.arange(40000) + 0.5) / 40000 * np.pi
    moments = []
    for digits in ("31", "30"):
        _, slope_there = _mean_line(0.5 * (1 - np.cos(theta)), digits, 2)
        a1, a2 = (2.0 * np.mean(slope_there * np.cos(k * theta)) for k in (1, 2))
        moments.append(np.pi / 4 * (a2 - a1))
    assert abs(moments[0]) < 1.5e-3 and moments[1] < -0.01  # the report's constants are rounded


def test_real_digits_are_the_four_digits():
    assert np.allclose(naca_between(2.0, 40.0, 12.0, 200).points, naca4("2412", 200).points, atol=1e-14)


@pytest.mark.parametrize("code", ["26012", "2301", "230123", "23000", "x3012"])
def test_bad_digits(code):
    with pytest.raises(ConfigurationError):
        naca5(code)


def test_an_outline_in_any_order_is_bent():
    base = naca4("2412", 120)
    backwards = ring(base.points[::-1], "naca2412")
    assert np.allclose(np.sort(deflected(base, 8.0).points, axis=0), np.sort(deflected(backwards, 8.0).points, axis=0), atol=1e-5)
