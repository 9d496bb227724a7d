"""Drag of inviscid fields: the boundary layer on their wall speed is that on the panel method's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import ConditionError, ConfigurationError, FieldError, InvalidMeshError
from geoop.mesh.case import Case
from geoop.mesh.chord import chord_line
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import icosphere, naca4, ring
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.results.section_drag import boundary_layer_drag
from geoop.truth.boundary_layer.section import boundary_layer
from geoop.truth.panels.system import PanelSystem

POINT = OperatingPoint(60.0, alpha=4.0, viscosity=1.8e-5)


def solved(code: str = "2412", point: OperatingPoint = POINT, mesh: Mesh | None = None) -> Case:
    outline = naca4(code)
    return PanelSystem(outline, 200).flow(point).solve_case(Case(outline if mesh is None else mesh, point))


def without(case: Case, name: str) -> Case:
    return replace(case, fields={key: item for key, item in case.fields.items() if key != name})


@pytest.mark.parametrize("code", ["0012", "2412", "4415"])
@pytest.mark.parametrize("alpha", [0.0, 6.0])
def test_the_drag_of_given_fields_is_that_of_the_flow_itself(code, alpha):
    point = replace(POINT, alpha=alpha)
    found, own = boundary_layer_drag(solved(code, point)), boundary_layer(PanelSystem(naca4(code), 200).flow(point))
    assert found.CD == pytest.approx(own.drag_coefficient, rel=3e-3)
    assert found.upper_transition == pytest.approx(own.upper_transition, abs=2e-3)
    assert found.separated == own.separated and "not from the fields" in found.note


def test_pressure_alone_tells_the_same_and_a_volume_mesh_too():
    case = solved()
    assert boundary_layer_drag(without(case, "velocity")).CD == pytest.approx(boundary_layer_drag(case).CD, rel=1e-2)
    around = ogrid(naca4("2412"), smooth=True)
    wide = solved(mesh=around)
    assert boundary_layer_drag(replace(wide, wall=("wall",))).CD == pytest.approx(boundary_layer_drag(case).CD, rel=1e-2)


@pytest.mark.parametrize("coarse", ["upper", "lower"])
def test_pressure_alone_tells_the_same_where_one_side_has_far_fewer_points(coarse):
    points = naca4("2412", 400).points
    points = np.roll(points, -int(np.argmax(points[:, 0])), axis=0)
    nose = int(np.argmin(points[:, 0]))
    first, last = (points[: nose - 6 : 8], points[nose - 6 :]) if coarse == "upper" else (points[: nose + 6], points[nose + 6 :: 8])
    case = solved(mesh=ring(np.concatenate([first, last]), coarse))
    assert boundary_layer_drag(without(case, "velocity")).CD == pytest.approx(boundary_layer_drag(case).CD, rel=2e-2)


def test_it_depends_on_the_reynolds_number_alone_not_on_size_or_place():
    case, scale = solved(), 3.0
    moved = replace(case, mesh=replace(case.mesh, points=case.mesh.points * scale + 7.0), operating_point=replace(POINT, velocity=20.0))
    fields = {**case.fields, "velocity": Field(QUANTITIES["velocity"], case.field("velocity").values / 3.0)}
    assert boundary_layer_drag(replace(moved, fields=fields)).CD == pytest.approx(boundary_layer_drag(case).CD, rel=1e-9)
    length = chord_line(case.mesh).length
    stated = boundary_layer_drag(replace(case, operating_point=replace(POINT, viscosity=None)), reynolds=POINT.density * 60.0 * length / 1.8e-5)
    assert stated.CD == pytest.approx(boundary_layer_drag(case).CD, rel=1e-6)


def test_a_turbulent_layer_drags_more_and_more_so_at_lower_reynolds_numbers():
    case = solved()
    free, tripped = boundary_layer_drag(case), boundary_layer_drag(case, transition=0.0)
    assert tripped.CD > 1.2 * free.CD and tripped.upper_transition == pytest.approx(0.0, abs=0.05)
    assert boundary_layer_drag(case, reynolds=1e6, transition=0.0).CD > 1.2 * boundary_layer_drag(case, reynolds=1e7, transition=0.0).CD


def test_separation_is_said():
    found = boundary_layer_drag(solved("4415", replace(POINT, alpha=16.0)), reynolds=1e6)
    assert found.separated and "separates" in found.note and min(found.upper_separation or 1.0, 1.0) < 0.95


def test_what_is_missing_is_said():
    case = solved()
    with pytest.raises(ConditionError, match="Reynolds"):
        boundary_layer_drag(replace(case, operating_point=replace(POINT, viscosity=None)))
    with pytest.raises(ConditionError, match="Reynolds number is -1"):
        boundary_layer_drag(case, reynolds=-1.0)
    with pytest.raises(ConditionError, match="no operating point"):
        boundary_layer_drag(replace(case, operating_point=None))
    with pytest.raises(ConfigurationError, match="transition"):
        boundary_layer_drag(case, transition=2.0)
    with pytest.raises(FieldError, match="no pressure_coefficient"):
        boundary_layer_drag(replace(case, fields={}))
    with pytest.raises(InvalidMeshError, match="chord line"):
        boundary_layer_drag(Case(icosphere(2), POINT))
    with pytest.raises(ConditionError, match="does not part on the nose"):
        boundary_layer_drag(solved(point=replace(POINT, alpha=180.0)))


def test_nothing_of_the_input_changes():
    case = solved()
    before = {name: item.values.copy() for name, item in case.fields.items()}
    boundary_layer_drag(case)
    assert all(np.array_equal(case.fields[name].values, values) for name, values in before.items())
