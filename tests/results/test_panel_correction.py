"""The shipped model of bodies: exact flows, units and places, sweeps, fields around, what it says of open bodies and bad input."""

from dataclasses import replace

import numpy as np
import pytest

import geoop
from geoop.errors import ConditionError, InvalidMeshError
from geoop.interfaces.verdict import LEVELS
from geoop.mesh.bodies import superellipsoid
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import circle
from geoop.results.panel_correction import PanelCorrection
from geoop.results.panel_scene import PanelScene

POINT = OperatingPoint(30.0, alpha=4.0, beta=-3.0)


@pytest.fixture(scope="module")
def model():
    return geoop.load("body-potential")


@pytest.fixture(scope="module")
def body():
    return superellipsoid((1.5, 0.6, 0.5), 0.8, 0.9, 7)


@pytest.fixture(scope="module")
def result(model, body):
    return model.predict(Case(body, POINT))


def test_a_body_like_those_of_the_training_is_answered_on_its_own_points(result, body):
    assert np.array_equal(result.mesh.points, body.points)
    pressure, velocity = result["pressure_coefficient"], result["velocity"]
    assert pressure.shape == (len(body.points),) and velocity.shape == (len(body.points), 3)
    assert 0.9 < pressure.max() < 1.1 and result.outcome.ok and not result.viscous
    # Bernoulli's equation is not built in: both are learned
    assert np.sqrt(np.mean((1.0 - (velocity**2).sum(axis=1) / POINT.velocity**2 - pressure) ** 2)) < 0.1


def test_unit_place_and_speed_do_not_matter(model, body, result):
    point = OperatingPoint(3.0, alpha=4.0, beta=-3.0)
    again = model.predict(Case(body.moved(1000.0 * body.points + [5e3, 0.0, -2e3]), point))
    assert again["pressure_coefficient"] == pytest.approx(result["pressure_coefficient"], abs=2e-3)
    assert again["velocity"] / 3.0 == pytest.approx(result["velocity"] / 30.0, abs=2e-3)


def test_a_mirrored_stream_gives_the_mirrored_pressure(model, body, result):
    turned = model.predict(Case(body, OperatingPoint(30.0, alpha=4.0, beta=3.0)))
    mirrored = body.points * [1.0, -1.0, 1.0]
    number = np.linalg.norm(mirrored[:, None] - body.points[None], axis=2).argmin(axis=1)
    assert turned["pressure_coefficient"] == pytest.approx(result["pressure_coefficient"][number], abs=0.03)


def test_a_sweep_is_its_single_cases(model, body, result):
    sweep = model.predict_many(body, [OperatingPoint(30.0), POINT])
    assert sweep[1]["pressure_coefficient"] == pytest.approx(result["pressure_coefficient"], abs=1e-6)
    assert np.abs(sweep[0]["pressure_coefficient"] - sweep[1]["pressure_coefficient"]).max() > 0.05
    assert model.predict_many(body, []) == []


def test_the_field_tends_to_the_stream_and_is_blank_inside(result):
    far, inside = result.at(np.array([[30.0, 5.0, 1.0], [0.1, 0.0, 0.0]]))["velocity"]
    assert far == pytest.approx(30.0 * POINT.direction(3), abs=0.1) and np.isnan(inside).all()
    assert result.at(np.zeros((0, 3)))["pressure_coefficient"].shape == (0,)


def test_fine_and_coarse_triangles_of_one_body_agree(model):
    def pressure(n):
        mesh = superellipsoid((1.5, 0.6, 0.5), 1.0, 1.0, n)
        return model.predict(Case(mesh, OperatingPoint(30.0))).at(np.array([[0.0, 0.7, 0.0], [0.2, 0.0, 0.6], [-1.6, 0.0, 0.0]]))[
            "pressure_coefficient"
        ]

    assert pressure(8) == pytest.approx(pressure(12), abs=0.04)


def test_an_open_body_is_outside_and_says_so(model, body):
    kept = body.submesh(body.cells.take(np.arange(len(body.cells) - 9)))
    verdict = model.predict(Case(kept, POINT)).verdict
    assert verdict.level == "outside" and "open" in verdict.reason


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_facets_that_look_inwards_are_turned_and_it_is_said(model, body, result, share):
    which = np.random.default_rng(0).random(len(body.cells)) < share
    which[7] = True  # one alone once gave an empty wake
    mesh = Mesh(body.points, reversed_cells(body.cells, which))
    found = model.predict(Case(mesh, POINT))
    assert found["pressure_coefficient"] == pytest.approx(result["pressure_coefficient"], abs=1e-6)
    assert found.verdict.level == result.verdict.level and "turned" not in result.verdict.reason
    assert f"turned: {which.sum()} of {len(body.cells)}" in found.verdict.reason and found.verdict.reason.endswith(found.mesh.notes[-1])


def test_a_cavity_changes_nothing_outside(model, body, result):
    n, cells = len(body.points), body.cells
    inner = Mesh(0.9 * body.points, reversed_cells(cells, np.ones(len(cells), dtype=bool)))
    hollow = Mesh(np.concatenate([body.points, inner.points]), Cells.concatenate([cells, inner.cells.renumbered(n + np.arange(n))]))
    found = model.predict(Case(hollow, POINT))
    assert found["pressure_coefficient"][:n] == pytest.approx(result["pressure_coefficient"], abs=1e-6)
    assert not found["velocity"][n:].any() and found.verdict.level == result.verdict.level and "cavities" in found.verdict.reason


def test_a_surface_with_one_side_is_outside_and_says_so(result):
    scene = PanelScene.of(Case(result.mesh, POINT))
    verdict = replace(scene, unsided=3).judged(result.verdict, POINT)
    assert verdict.level == "outside" and "no outside: 3 pairs" in verdict.reason


def test_the_file_holds_the_verdict_and_the_expected_errors(result, tmp_path):
    back = geoop.read_case(result.write(tmp_path / "body.vtp"))
    assert back.fields["verdict_level"].values == LEVELS.index(result.verdict.level)
    for name, unit in (("velocity", "m/s"), ("pressure_coefficient", "1")):
        stated = back.fields[f"{name}_expected_error"]
        assert stated.quantity.unit == unit and float(stated.values) == pytest.approx(result.verdict.expected_errors[name], rel=1e-6)


def test_bad_input_is_refused_before_anything_is_computed(model, body):
    with pytest.raises(ConditionError, match="operating point"):
        model.predict(Case(body))
    with pytest.raises(ConditionError, match="mach"):
        model.predict(Case(body, OperatingPoint(30.0, mach=0.5)))
    with pytest.raises(InvalidMeshError, match="plane"):
        model.predict(Case(circle(), OperatingPoint(30.0)))
    with pytest.raises(InvalidMeshError, match="faces"):
        model.predict(Case(Mesh.cloud(body.points) if hasattr(Mesh, "cloud") else Mesh(body.points), POINT))


def test_saved_and_loaded_it_is_the_same(model, body, result, tmp_path):
    again = geoop.load(model.save(tmp_path / "again.safetensors"))
    assert isinstance(again, PanelCorrection) and again.about == model.about
    assert again.predict(Case(body, POINT))["pressure_coefficient"] == pytest.approx(result["pressure_coefficient"], abs=1e-6)
