"""Boundary layer and drag of a section: published drag of NACA 0012, symmetry, trips, separation, bad input."""

import numpy as np
import pytest

from geoop.errors import ConditionError, ConfigurationError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import circle, naca4
from geoop.truth.boundary_layer.section import boundary_layer
from geoop.truth.panels.system import panel_flow


def at(alpha, reynolds=6e6, **more):
    return OperatingPoint(50.0, alpha=alpha, viscosity=1.225 * 50.0 / reynolds, reference_length=1.0, **more)


@pytest.mark.parametrize("n", [100, 200, 400])
def test_drag_of_naca0012_fully_turbulent(n):
    """CFL3D, Spalart-Allmaras, Re 6e6 (NASA Turbulence Modeling Resource): 0.0081 at 0 degrees, 0.0123 at 10."""
    outline = naca4("0012", 400)
    level = boundary_layer(panel_flow(outline, at(0.0), n), 0.0)
    assert level.drag_coefficient == pytest.approx(0.0081, rel=0.10)
    assert not level.separated and np.isnan(level.upper_separation)
    inclined = boundary_layer(panel_flow(outline, at(10.0), n), 0.0)
    assert inclined.drag_coefficient == pytest.approx(0.0123, rel=0.10)
    assert not inclined.separated


def test_blunt_edge_has_nearly_the_drag_of_the_sharp_one():
    drags = [
        boundary_layer(panel_flow(naca4("0012", n, closed_trailing_edge=closed), at(0.0)), 0.0).drag_coefficient
        for n, closed in ((400, True), (401, False))
    ]
    assert drags[1] == pytest.approx(drags[0], rel=0.05)


def test_a_symmetrical_section_has_two_equal_sides():
    layer = boundary_layer(panel_flow(naca4("0012", 400), at(0.0)))
    assert layer.upper_transition == pytest.approx(layer.lower_transition, abs=1e-6)
    assert layer.upper.momentum_thickness[-1] == pytest.approx(layer.lower.momentum_thickness[-1], rel=1e-6)
    up, down = (boundary_layer(panel_flow(naca4("0012", 400), at(a)), 0.0) for a in (4.0, -4.0))
    assert up.drag_coefficient == pytest.approx(down.drag_coefficient, rel=1e-5)
    assert up.upper.momentum_thickness[-1] == pytest.approx(down.lower.momentum_thickness[-1], rel=1e-5)


def test_units_do_not_matter():
    """Five times the chord at the same Reynolds number: the same coefficients."""
    outline = naca4("2412", 300)
    one = boundary_layer(panel_flow(outline, at(3.0)))
    large = outline.moved(5 * outline.points)
    condition = OperatingPoint(50.0, alpha=3.0, viscosity=5 * 1.225 * 50.0 / 6e6, reference_length=5.0)
    other = boundary_layer(panel_flow(large, condition))
    assert other.drag_coefficient == pytest.approx(one.drag_coefficient, rel=1e-6)
    assert other.upper_transition == pytest.approx(one.upper_transition, abs=1e-6)


def test_transition_moves_as_it_must():
    """Forward with incidence on the upper side, forward with the Reynolds number; a trip is where it is asked for; less laminar, more drag."""
    outline = naca4("0012", 400)
    free = [boundary_layer(panel_flow(outline, at(a))) for a in (0.0, 4.0)]
    assert free[1].upper_transition < free[0].upper_transition < free[1].lower_transition
    slow = boundary_layer(panel_flow(outline, at(0.0, 2e6)))
    assert slow.upper_transition > free[0].upper_transition
    tripped = boundary_layer(panel_flow(outline, at(0.0)), (0.1, 0.2))
    assert (tripped.upper_transition, tripped.lower_transition) == pytest.approx((0.1, 0.2), abs=1e-3)
    assert tripped.upper.why == "tripped" and free[0].upper.why == "natural"
    turbulent = boundary_layer(panel_flow(outline, at(0.0)), 0.0)
    assert free[0].drag_coefficient < tripped.drag_coefficient < turbulent.drag_coefficient


def test_separation_is_flagged():
    outline = naca4("0012", 400)
    flags = [boundary_layer(panel_flow(outline, at(a)), 0.0) for a in (0.0, 8.0, 18.0)]
    assert [f.separated for f in flags] == [False, False, True]
    assert 0.0 < flags[2].upper_separation < 0.95 and np.isnan(flags[2].lower_separation)
    cylinder = boundary_layer(panel_flow(circle(200), OperatingPoint(1.0, viscosity=1.225e-6), None), 0.0)
    assert cylinder.separated
    finest = boundary_layer(panel_flow(circle(200), OperatingPoint(1.0, viscosity=1.225e-6), 200), 0.0)
    assert finest.separated and all((side.friction[side.s >= side.separation] == 0.0).all() for side in (finest.upper, finest.lower))
    low = boundary_layer(panel_flow(outline, at(6.0, 5e5)))
    assert low.upper.why == "laminar separation" and low.upper.laminar_separation == low.upper.transition


def test_laminar_cylinder_separates_where_thwaites_says():
    """On the potential flow around a circle the laminar layer separates at 103 to 105 degrees (Thwaites 103.1)."""
    layer = boundary_layer(panel_flow(circle(400), OperatingPoint(1.0, density=1.0, viscosity=1e-4), None))
    angle = np.degrees(layer.upper.laminar_separation)  # arc length on the unit circle
    assert angle == pytest.approx(103.1, abs=1.0)


def test_bad_input():
    outline = naca4("0012", 100)
    with pytest.raises(ConditionError, match="no viscosity"):
        boundary_layer(panel_flow(outline, OperatingPoint(50.0)))
    pair = [boundary_layer(panel_flow(outline, at(0.0)), kind((0.1, 0.2))).drag_coefficient for kind in (tuple, list)]
    assert pair[0] == pair[1]
    for bad in (1.5, -0.1, (0.1, 2.0), [0.1, 2.0], (0.1, np.nan), (0.1, 0.2, 0.3)):
        with pytest.raises(ConfigurationError, match="transition is"):
            boundary_layer(panel_flow(outline, at(0.0)), bad)
    both = Mesh(
        np.concatenate([outline.points, outline.points + [3, 0]]), Cells.concatenate([outline.cells, outline.cells.renumbered(np.arange(100) + 100)])
    )
    with pytest.raises(InvalidMeshError, match="2 bodies"):
        boundary_layer(panel_flow(both, at(0.0)))


@pytest.mark.parametrize("alpha", [90.0, -90.0, 135.0, 180.0])
def test_flow_from_behind_is_refused(alpha):
    """The Kutta condition lets such a flow part at the trailing edge: no layer begins at a nose."""
    with pytest.raises(ConditionError, match="does not part on the nose"):
        boundary_layer(panel_flow(naca4("0012", 200), at(alpha)))
