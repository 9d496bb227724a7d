"""Friction from the velocity near the wall against flows whose wall shear is known."""

import numpy as np
import pytest

from geoop.errors import ConditionError, FieldError
from geoop.interfaces.outcome import Outcome
from geoop.interfaces.result import Result
from geoop.interfaces.verdict import Verdict
from geoop.mesh.case import Case
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import circle
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.results.forces import forces

RATE, RADIUS = 3.0, 0.5
POINT = OperatingPoint(1.0, density=2.0, viscosity=0.05, reference_length=2 * RADIUS)


def result(n=400, velocity=True, point=POINT, dent=0.0):
    """Fluid that turns about a cylinder at rest: u_theta = A (r - R^2/r), shear 2 mu A at the wall (Taylor and Couette)."""

    def at(points):
        r = np.linalg.norm(points, axis=1)
        speed = RATE * (r - RADIUS**2 / r) / r
        values = np.stack([-speed * points[:, 1], speed * points[:, 0]], axis=1)
        values[r < RADIUS + dent] = np.nan
        name = "velocity" if velocity else "pressure"
        return {name: Field(QUANTITIES[name], values if velocity else values[:, 0])}

    mesh = circle(n, RADIUS)
    case = Case(mesh, point, {"pressure": Field(QUANTITIES["pressure"], np.zeros(n))})
    return Result(case, Outcome("converged"), Verdict("inside", "exact"), at, viscous=True)


def test_moment_of_a_turning_fluid():
    """The polygon's chords lie inside the circle by their sagitta: the error falls with it, to that of the difference, (h/R)^2."""
    exact = 2 * np.pi * RADIUS**2 * 2 * POINT.viscosity * RATE
    found = forces(result(1600), friction="velocity", reference_point=(0.0, 0.0))
    assert found.moment[2] == pytest.approx(exact, rel=5e-4)
    coarse = forces(result(100), friction="velocity", reference_point=(0.0, 0.0))
    assert abs(coarse.moment[2] - exact) > 10 * abs(found.moment[2] - exact)
    assert np.abs(found.force).max() < 1e-12
    assert "slope of the velocity" in found.references.friction


def test_what_it_needs():
    with pytest.raises(ConditionError, match="needs the viscosity"):
        forces(result(point=OperatingPoint(1.0, reference_length=1.0)), friction="velocity")
    with pytest.raises(ConditionError, match="needs a result"):
        forces(result().case, friction="velocity")
    with pytest.raises(FieldError, match="no velocity"):
        forces(result(velocity=False), friction="velocity")
    with pytest.raises(FieldError, match="lie inside a body"):
        forces(result(dent=0.1), friction="velocity")
