"""Stagnation points, suction peak and centre of pressure, against flows whose places are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geoop.mesh.case import Case
from geoop.mesh.chord import chord_line
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import icosphere, naca4
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.results.forces import forces
from geoop.results.section_points import section_points
from geoop.truth.panels.system import PanelSystem


def solved(code: str, alpha: float, *, turned: float = 0.0) -> Case:
    point = OperatingPoint(60.0, alpha=alpha)
    outline = naca4(code)
    case = PanelSystem(outline, 200).flow(point).solve_case(Case(outline, point))
    if not turned:
        return case
    c, s = np.cos(np.radians(turned)), np.sin(np.radians(turned))
    turn = np.array([[c, -s], [s, c]])
    fields = {**case.fields, "velocity": Field(QUANTITIES["velocity"], case.field("velocity").values @ turn.T)}
    return replace(
        case, mesh=replace(case.mesh, points=case.mesh.points @ turn.T), fields=fields, operating_point=replace(point, alpha=alpha + turned)
    )


def test_a_symmetric_section_without_incidence_stops_the_flow_on_its_nose():
    found = section_points(solved("0012", 0.0))
    assert np.abs(found.stagnation).max() < 1e-3 and len(found.stagnation) == 1
    assert found.center_of_pressure is None  # no force, no place where it acts


def test_thin_aerofoil_theory_puts_the_force_at_the_quarter_chord():
    found = section_points(solved("0006", 4.0))
    assert found.center_of_pressure == pytest.approx(0.25, abs=0.01)
    assert found.stagnation[0, 1] < 0 and found.lowest is not None and found.lowest_at is not None and found.lowest < -1 and found.lowest_at[1] > 0


def test_the_moment_about_the_centre_of_pressure_vanishes():
    case = solved("4415", 3.0)
    x = section_points(case).center_of_pressure
    assert x is not None
    line = chord_line(case.mesh)
    loads = forces(case, reference_length=1.0, reference_point=line.leading_edge + x * (line.trailing_edge - line.leading_edge))
    assert loads.CM == pytest.approx(0.0, abs=1e-9 + 1e-6 * abs(loads.CL or 0))


def test_places_turn_with_the_section():
    here, there = section_points(solved("2412", 5.0)), section_points(solved("2412", 5.0, turned=-20.0))
    assert there.stagnation == pytest.approx(here.stagnation, abs=1e-9)
    assert there.center_of_pressure == pytest.approx(here.center_of_pressure, abs=1e-9)
    assert there.lowest_at == pytest.approx(here.lowest_at, abs=1e-9)


@pytest.mark.parametrize("alpha", [2.0, 8.0])
def test_pressure_alone_finds_the_stagnation_point_to_a_point_of_the_wall(alpha):
    case = solved("2412", alpha)
    blind = replace(case, fields={"pressure_coefficient": case.fields["pressure_coefficient"]})
    assert section_points(blind).stagnation == pytest.approx(section_points(case).stagnation, abs=6e-3)


def test_a_sphere_stops_the_flow_ahead_and_behind_and_is_fastest_at_its_equator():
    mesh = icosphere(3)
    x = mesh.points / np.linalg.norm(mesh.points, axis=1, keepdims=True)
    cp = 1 - 2.25 * (1 - x[:, 0] ** 2)
    found = section_points(Case(mesh, OperatingPoint(10.0), fields={"pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], cp)}))
    assert len(found.stagnation) == 2
    assert np.abs(np.abs(found.stagnation[:, 0]) - 1).max() < 0.01 and found.lowest == pytest.approx(-1.25, abs=0.02)
