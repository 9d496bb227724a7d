"""The same body in any unit, place, attitude and at any speed is one dimensionless problem."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import ConditionError, FieldError, InvalidMeshError
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import icosphere, naca4
from geoop.mesh.quantity import QUANTITIES, Quantity
from geoop.scaling.body_frame import SCALES, BodyFrame

VELOCITY, PRESSURE, CP = (QUANTITIES[name] for name in ("velocity", "pressure", "pressure_coefficient"))


def turned(angle: float) -> np.ndarray:
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.array([[c, -s], [s, c]])


@pytest.mark.parametrize("speed", [1.0, 60.0, 340.0])
@pytest.mark.parametrize("unit", [1.0, 1e-3, 25.4])
@pytest.mark.parametrize("angle", [0.0, 30.0, -145.0])
def test_a_section_in_any_unit_attitude_and_speed_is_one_problem(unit: float, speed: float, angle: float) -> None:
    """A flow that is scaled and turned as a whole has the same coordinates, free stream and fields in the frame of its body."""
    section, point = naca4("2412"), OperatingPoint(1.0, alpha=5.0)
    rng = np.random.default_rng(1)
    u, cp = rng.normal(size=(len(section.points), 2)), rng.normal(size=len(section.points))
    first = BodyFrame.of(section)
    expected = first.fields_in({VELOCITY: u, PRESSURE: point.dynamic_pressure * cp, CP: cp}, point)
    turn, shift = turned(angle), np.array([3.0, -1.0])
    moved = section.moved(unit * section.points @ turn.T + unit * shift)
    there = OperatingPoint(speed, alpha=5.0 + angle, density=0.4)
    frame = BodyFrame.of(moved)
    assert np.allclose(frame.points_in(moved.points), first.points_in(section.points), atol=1e-12)
    assert np.allclose(frame.vectors_in(there.direction(2)), first.vectors_in(point.direction(2)), atol=1e-12)
    physical = {VELOCITY: speed * u @ turn.T, PRESSURE: there.dynamic_pressure * cp, CP: cp}
    found = frame.fields_in(physical, there)
    for name, values in expected.items():
        assert np.allclose(found[name], values, rtol=1e-12, atol=1e-12)
    assert np.array_equal(found["pressure_coefficient"], cp)  # exactly
    back = frame.fields_out({q: found[q.name] for q in physical}, there)
    for quantity, values in physical.items():
        assert np.allclose(back[quantity.name], values, rtol=1e-12, atol=1e-12 * np.abs(values).max())
    assert np.allclose(frame.points_out(frame.points_in(moved.points)), moved.points, rtol=0, atol=1e-13 * unit)


def test_powers_of_two_scale_without_rounding() -> None:
    section = naca4("0012")
    frame, small = BodyFrame.of(section), BodyFrame.of(section.moved(section.points / 1024))
    assert np.array_equal(frame.points_in(section.points), small.points_in(section.points / 1024))


def test_the_ends_of_a_section_lie_at_plus_and_minus_one_half() -> None:
    frame = BodyFrame.of(naca4("4412", chord=2.0))
    ends = frame.points_in(np.array([[2.0, 0.0]]))
    assert np.allclose(ends, [[0.5, 0.0]], atol=1e-3)
    x = frame.points_in(naca4("4412", chord=2.0).points)[:, 0]
    assert x.min() >= -0.5 - 1e-12 and x.max() == pytest.approx(0.5)


def test_a_body_in_space_keeps_its_axes_and_has_a_length_that_no_rotation_changes() -> None:
    rng = np.random.default_rng(3)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    mesh = icosphere(1)
    mesh = mesh.moved(mesh.points * [3.0, 1.0, 0.5])
    frame, other = BodyFrame.of(mesh), BodyFrame.of(mesh.moved(mesh.points @ turn.T))
    assert np.array_equal(frame.axes, np.eye(3))
    assert other.length == pytest.approx(frame.length, rel=1e-13)
    plate = Mesh(mesh.points * [0.0, 1.0, 1.0], mesh.cells)  # no extent along the flow
    assert BodyFrame.of(plate).length == pytest.approx(2.0, rel=0.2)
    with pytest.raises(InvalidMeshError, match="no extent"):
        BodyFrame.of(Mesh(np.zeros((3, 3)), name="point"))


def test_units_are_powers_of_speed_density_and_length() -> None:
    point, frame = OperatingPoint(velocity=3.0, density=2.0), BodyFrame(np.zeros(2), 5.0, np.eye(2))
    scale = {unit: frame.scale(Quantity("x", "x", unit), point) for unit in SCALES}
    assert scale["m/s"] == 3.0 and scale["m"] == 5.0 and scale["kg/m^3"] == 2.0
    assert scale["m^2/s"] == scale["m"] * scale["m/s"]
    assert scale["m^2/s^2"] == scale["m/s"] ** 2
    assert scale["Pa"] == scale["kg/m^3"] * scale["m/s"] ** 2
    assert scale["1/s"] == pytest.approx(scale["m/s"] / scale["m"])


def test_what_has_no_rule_is_refused() -> None:
    frame = BodyFrame(np.zeros(2), 1.0, np.eye(2))
    with pytest.raises(FieldError, match=r"\[K\]"):
        frame.scale(QUANTITIES["temperature"], OperatingPoint(1.0))
    with pytest.raises(ConditionError, match="speed"):
        frame.scale(VELOCITY, None)
    assert frame.scale(QUANTITIES["signed_distance"], None) == 1.0
    with pytest.raises(FieldError, match="rank 2"):
        frame.fields_in({Quantity("stress", "s", "Pa", 2): np.zeros((3, 2, 2))}, OperatingPoint(1.0))
