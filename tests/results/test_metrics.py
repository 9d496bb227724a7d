"""Errors in the definitions of the field, on numbers that can be checked by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import FieldError, NonFiniteError, ShapeError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.results.metrics import evaluate, perturbation_l2, relative_l2, statistics, z_scored_l1

STREAM = OperatingPoint(velocity=2.0)


def sample(seed: int, weights: bool = True) -> Case:
    """Four surface points and six field points, as in a data set."""
    rng = np.random.default_rng(seed)
    ring = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    lines = Cells.of(line=ring)
    cells = Cells.concatenate([lines, Cells.of(vertex=4 + np.arange(6)[:, None])])
    mesh = Mesh(np.concatenate([[[1, 0], [0, 1], [-1, 0], [0, -1]], 2 + rng.random((6, 2))]), cells, {"wall": lines}, name=f"case-{seed}")
    fields = {
        "velocity": Field(QUANTITIES["velocity"], [2.0, 0.0] + rng.normal(size=(10, 2))),
        "pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], rng.normal(size=10)),
    }
    if weights:
        fields["quadrature_weight"] = Field(Quantity("quadrature_weight", "w", "m^2"), np.append(np.zeros(4), rng.random(6)))
    return Case(mesh, STREAM, fields)


def scaled(case: Case, factor: float) -> dict[str, Field]:
    return {name: Field(item.quantity, factor * item.values) for name, item in case.fields.items() if name != "quadrature_weight"}


def test_relative_l2_by_hand() -> None:
    assert relative_l2(np.array([3.0, 4.0]), np.array([0.0, 4.0])) == pytest.approx(3 / 4)
    assert relative_l2(np.array([3.0, 4.0]), np.array([0.0, 4.0]), np.array([0.0, 1.0])) == 0.0
    assert relative_l2(np.array([[1.0, 1.0]]), np.array([[1.0, 0.0]])) == pytest.approx(1.0)
    assert relative_l2(np.zeros(3), np.zeros(3)) == 0.0
    assert relative_l2(np.ones(3), np.zeros(3)) == math.inf


def test_the_perturbation_is_not_flattered_by_the_far_field() -> None:
    stream = np.array([1.0, 0.0])
    near = stream + np.array([[0.5, 0.0]])
    far = np.tile(stream, (99, 1))
    true = np.concatenate([near, far])
    predicted = np.concatenate([near + [0.05, 0.0], far])
    assert relative_l2(predicted, true) < 0.006
    assert perturbation_l2(predicted, true, stream) == pytest.approx(0.1)


def test_z_scored_l1_by_hand() -> None:
    predicted, true = np.array([1.0, 3.0]), np.array([2.0, 4.0])
    assert z_scored_l1(predicted, true, mean=1.0, deviation=5.0) == pytest.approx(2 / 4)
    assert math.isnan(z_scored_l1(predicted, true, mean=1.0, deviation=0.0))


def test_z_scored_l1_of_vectors_weighs_components_by_their_deviation() -> None:
    rng = np.random.default_rng(0)
    predicted, true = rng.normal(size=(2, 50, 3))
    mean, deviation = np.array([0.5, -1.0, 2.0]), np.array([0.1, 1.0, 30.0])
    found = z_scored_l1(predicted, true, mean, deviation)
    scaled = z_scored_l1((predicted - mean) / deviation, (true - mean) / deviation, 0.0, 1.0)
    assert found == pytest.approx(scaled)  # the same as of variables that were z-scored before
    assert found == pytest.approx(z_scored_l1(7 * predicted, 7 * true, 7 * mean, 7 * deviation))
    parts = [np.abs((a[:, k] - mean[k]) / deviation[k]).sum() for a in (predicted - true + mean, true) for k in range(3)]
    assert found == pytest.approx(sum(parts[:3]) / sum(parts[3:]))
    alone = z_scored_l1(predicted[:, :1], true[:, :1], mean[:1], deviation[:1])  # a component that is constant in training is left out
    assert z_scored_l1(predicted[:, :2], true[:, :2], mean[:2], np.array([0.1, 0.0])) == pytest.approx(alone)


def test_scores_of_a_known_error() -> None:
    """A prediction 10 % too large is 10 % wrong in every row but that of the perturbation."""
    cases = [sample(k) for k in range(5)]
    known = statistics(cases, ["velocity", "pressure_coefficient"])
    scores = evaluate([(scaled(case, 1.1), case) for case in cases], statistics=known, title="test")
    for region in ("field", "surface"):
        for name in ("velocity_x", "velocity_y", "velocity", "pressure_coefficient"):
            assert np.allclose(scores.row(name, region).l2, 0.1)
    perturbation = scores.row("velocity perturbation").l2
    expected = []
    for case in cases:
        u = case.field("velocity").values[4:]
        expected.append(0.1 * np.linalg.norm(u) / np.linalg.norm(u - [2.0, 0.0]))
    assert np.allclose(perturbation, expected)
    assert np.allclose(scores.row("velocity_x").weighted_l2, 0.1)
    assert np.isnan(scores.row("velocity_x", "surface").weighted_l2).all()  # the ring carries no area
    cp = [case.field("pressure_coefficient").values[4:] for case in cases]
    mean = known["pressure_coefficient"][0]
    assert np.allclose(scores.row("pressure_coefficient").l1, [0.1 * np.abs(c).sum() / np.abs(c - mean).sum() for c in cp])


def test_mean_median_and_worst_are_over_cases() -> None:
    cases = [sample(k, weights=False) for k in range(3)]
    factors = [1.01, 1.02, 1.5]
    scores = evaluate([(scaled(case, f), case) for case, f in zip(cases, factors, strict=True)], quantities=["pressure_coefficient"])
    data = scores.row("pressure_coefficient").to_dict()
    assert data["mean_relative_l2"] == pytest.approx(0.53 / 3)
    assert data["median_relative_l2"] == pytest.approx(0.02)
    assert data["largest_relative_l2"] == pytest.approx(0.5)
    assert data["mean_weighted_relative_l2"] is None and data["median_z_scored_relative_l1"] is None
    assert scores.worst("pressure_coefficient", count=2) == [("case-2", pytest.approx(0.5)), ("case-1", pytest.approx(0.02))]
    assert {row.region for row in scores.rows} == {"field", "surface"}


def test_the_table_prints_and_serialises() -> None:
    cases = [sample(k) for k in range(2)]
    scores = evaluate([(scaled(case, 1.1), case) for case in cases], title="nearest shape")
    text = str(scores)
    assert text.startswith("nearest shape: relative errors over 2 cases")
    assert "velocity perturbation" in text and "10" in text
    assert len({len(line) for line in text.splitlines()[1:]}) == 1
    assert json.loads(json.dumps(scores.to_dict()))["rows"][0]["cases"] == 2


def test_a_bare_cloud_has_field_rows_only() -> None:
    mesh = Mesh(np.random.default_rng(0).random((7, 3)), name="cloud")
    case = Case(mesh, fields={"pressure": Field(QUANTITIES["pressure"], np.arange(7.0))})
    assert [(r.quantity, r.region) for r in evaluate([({"pressure": case.field("pressure")}, case)]).rows] == [("pressure", "field")]


def test_bad_input_is_refused() -> None:
    case = sample(0)
    with pytest.raises(FieldError, match="shape"):
        relative_l2(np.zeros(3), np.zeros(4))
    with pytest.raises(ShapeError):
        relative_l2(np.zeros(3), np.zeros(3), np.zeros(4))
    with pytest.raises(NonFiniteError, match="1 of 3 values of the prediction"):
        relative_l2(np.array([0, np.nan, 1]), np.zeros(3))
    with pytest.raises(FieldError, match="nothing to compare"):
        evaluate([])
    with pytest.raises(FieldError, match="'temperature' is not predicted; 'temperature' is not a field"):
        evaluate([(scaled(case, 1.0), case)], quantities=["temperature"])
    with pytest.raises(FieldError, match="choose one of|no scores"):
        evaluate([(scaled(case, 1.0), case)]).row("temperature")


def test_weights_come_from_the_cells_where_no_field_states_them() -> None:
    """A square of 3 x 3 points whose last column is four times as wide: the points of the wide strip count for more."""
    x, y = np.meshgrid([0.0, 1.0, 5.0], [0.0, 1.0, 2.0], indexing="ij")
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    quads = np.array([[0, 3, 4, 1], [1, 4, 5, 2], [3, 6, 7, 4], [4, 7, 8, 5]])
    mesh = Mesh(
        points, Cells.of(quad=quads), patches={"rim": Cells.of(line=np.array([[0, 3], [3, 6], [6, 7], [7, 8], [8, 5], [5, 2], [2, 1], [1, 0]]))}
    )
    quantity = Quantity("solution", "u", "1")
    case = Case(mesh, fields={"solution": Field(quantity, np.ones(9))})
    wrong = {"solution": Field(quantity, 1.0 + (points[:, 0] == 5.0))}
    scores = evaluate([(wrong, case)])
    assert [(row.quantity, row.region) for row in scores.rows] == [("solution", "field")]  # no flow, no named wall: no surface
    assert scores.row("solution").l2[0] == pytest.approx(np.sqrt(3 / 9))
    assert scores.row("solution").weighted_l2[0] == pytest.approx(np.sqrt(4 / 10))
    walled = evaluate([(wrong, replace(case, wall=("rim",)))])
    assert walled.row("solution", "surface").weighted_l2[0] == pytest.approx(np.sqrt((2.5 + 1.0 + 2.5) / 14))
    assert np.isfinite(walled.row("solution", "field").weighted_l2).all()


def test_what_is_zero_in_truth_has_no_row() -> None:
    case = sample(0)
    values = case.field("velocity").values.copy()
    values[:4] = 0.0
    case = case.with_fields(Field(QUANTITIES["velocity"], values))
    rows = {(row.quantity, row.region) for row in evaluate([({"velocity": Field(QUANTITIES["velocity"], values + 0.1)}, case)]).rows}
    assert ("velocity", "field") in rows and ("velocity", "surface") not in rows and ("velocity perturbation", "surface") in rows
