"""A polar is what single angles give, and has the shape of a polar."""

import numpy as np
import pytest

from geoop.errors import ConditionError
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import naca4
from geoop.truth.boundary_layer.polar import polar
from geoop.truth.boundary_layer.section import boundary_layer
from geoop.truth.panels.system import panel_flow

CONDITION = OperatingPoint(50.0, alpha=77.0, viscosity=1.225 * 50.0 / 6e6, reference_length=1.0)


def test_a_polar_is_its_single_angles():
    outline = naca4("2412", 200)
    found = polar(outline, [-2.0, 5.0], CONDITION, transition=0.05, n_panels=100)
    flow = panel_flow(outline, OperatingPoint(50.0, alpha=5.0, viscosity=CONDITION.viscosity, reference_length=1.0), 100)
    layer = boundary_layer(flow, 0.05)
    assert found.alpha.tolist() == [-2.0, 5.0]
    assert found.lift_coefficient[1] == pytest.approx(flow.lift_coefficient, rel=1e-12)
    assert found.moment_coefficient[1] == pytest.approx(flow.moment_coefficient, rel=1e-12)
    assert found.drag_coefficient[1] == pytest.approx(layer.drag_coefficient, rel=1e-12)
    assert found.upper_transition[1] == pytest.approx(layer.upper_transition)


def test_a_polar_of_a_symmetrical_section():
    """Drag least at zero and even, lift odd, the moment about the quarter chord small; stalled ends are flagged."""
    found = polar(naca4("0012", 300), [-18.0, -8.0, 0.0, 8.0, 18.0], CONDITION, transition=0.0)
    assert found.drag_coefficient == pytest.approx(found.drag_coefficient[::-1], rel=1e-4)
    assert found.lift_coefficient == pytest.approx(-found.lift_coefficient[::-1], abs=1e-6)
    assert found.drag_coefficient.argmin() == 2 and np.abs(found.moment_coefficient).max() < 0.05
    assert found.separated.tolist() == [True, False, False, False, True]


def test_no_angles_is_an_empty_polar():
    assert polar(naca4("0012", 100), [], CONDITION).drag_coefficient.shape == (0,)


def test_one_angle_needs_no_list():
    outline = naca4("2412", 100)
    one, listed = polar(outline, 4.0, CONDITION), polar(outline, [4.0], CONDITION)
    assert one.alpha.tolist() == [4.0] and np.array_equal(one.drag_coefficient, listed.drag_coefficient)


def test_flow_from_behind_loses_only_its_own_angle():
    outline = naca4("0012", 100)
    found, alone = polar(outline, [0.0, 180.0, 4.0], CONDITION), polar(outline, [0.0, 4.0], CONDITION)
    assert np.array_equal(found.drag_coefficient[[0, 2]], alone.drag_coefficient)
    assert np.isnan(found.drag_coefficient[1]) and np.isfinite(found.lift_coefficient[1]) and found.separated.tolist()[1]
    with pytest.raises(ConditionError, match="at 180 degrees the flow does not part on the nose"):
        polar(outline, [180.0], CONDITION)
    with pytest.raises(ConditionError, match="no viscosity"):
        polar(outline, [0.0, 4.0], OperatingPoint(50.0))
