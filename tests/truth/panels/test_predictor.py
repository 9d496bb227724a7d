"""The panel method asked as a predictor."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import geoop
from geoop.errors import ConditionError, InvalidMeshError
from geoop.interfaces.protocols import Predictor
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.primitives import icosphere, naca4
from geoop.truth.panels.predictor import PanelPredictor
from geoop.truth.panels.system import PanelSystem, panel_flow

POINT = geoop.OperatingPoint(40.0, 5.0)


def test_it_is_a_predictor_and_travels():
    predictor = PanelPredictor(120)
    assert isinstance(predictor, Predictor)
    predictor.predict(geoop.Case(naca4("2412"), POINT), surface_only=True)
    again = pickle.loads(pickle.dumps(predictor))
    assert again.n_panels == 120


def test_a_bare_section_is_answered_at_its_panels_or_on_a_grid_around_it():
    case = geoop.Case(naca4("2412", 160), POINT)
    flow = panel_flow(case.mesh, POINT)
    wall = PanelPredictor().predict(case, surface_only=True)
    assert np.allclose(wall["velocity"], flow.surface.velocity) and geoop.forces(wall).CL == pytest.approx(flow.lift_coefficient, abs=2e-3)
    assert geoop.forces(wall).CD is None and wall.verdict.level == "inside"
    whole = PanelPredictor().predict(case)
    assert {"wall", "farfield"} <= set(whole.mesh.patches) and np.isfinite(whole["velocity"]).all()
    outer = whole.mesh.patch_points("farfield")
    assert np.allclose(whole["velocity"][outer], flow.velocity(whole.mesh.points[outer]))
    assert np.allclose(whole.at([[0.5, 0.4]])["velocity"], flow.velocity(np.array([[0.5, 0.4]])))


def test_a_mesh_around_a_section_keeps_its_points_and_loses_its_fields():
    grid = ogrid(naca4("0012", 160), n_wall=60, n_normal=12)
    given = geoop.Case(grid, POINT).with_fields(geoop.Field(geoop.Quantity("old", "o", "1"), np.zeros(len(grid.points))))
    result = PanelPredictor().predict(given)
    assert np.array_equal(result.mesh.points, grid.points) and set(result.fields) == {"velocity", "pressure_coefficient"}


def test_many_angles_solve_the_equations_once(monkeypatch):
    calls = []
    original = PanelSystem._solve
    monkeypatch.setattr(PanelSystem, "_solve", lambda self: calls.append(1) or original(self))
    predictor, section = PanelPredictor(), naca4("2412", 120)
    points = [replace(POINT, alpha=a) for a in (0.0, 3.0, 6.0)]
    many = predictor.predict_many(section, points, surface_only=True)
    alone = [predictor.predict(geoop.Case(section, point), surface_only=True) for point in points]
    assert len(calls) == 1 and all(np.allclose(a["velocity"], b["velocity"], atol=1e-9) for a, b in zip(many, alone, strict=True))
    assert predictor.predict_many(section, []) == []


@pytest.mark.parametrize("turned", [0.0, 60.0, 120.0, 180.0])
def test_a_nose_taken_for_the_trailing_edge_is_said(turned):
    a = np.radians(turned)
    section = naca4("2412", 120)
    section = section.moved(section.points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]))
    verdict = PanelPredictor().predict(geoop.Case(section, POINT), surface_only=True).verdict
    assert (verdict.level, "nose" in verdict.reason) == (("edge", True) if turned > 90.0 else ("inside", False))


def test_refusals():
    predictor = PanelPredictor()
    with pytest.raises(ConditionError, match="no operating point"):
        predictor.predict(geoop.Case(naca4("2412")))
    with pytest.raises(ConditionError, match="incompressible"):
        predictor.predict(geoop.Case(naca4("2412"), replace(POINT, mach=0.5)), surface_only=True)
    with pytest.raises(InvalidMeshError, match="trailing-edge angle"):
        predictor.predict(geoop.Case(naca4("0003"), POINT), surface_only=True)
    with pytest.raises(InvalidMeshError, match="plane"):
        predictor.predict(geoop.Case(icosphere(1), POINT))
