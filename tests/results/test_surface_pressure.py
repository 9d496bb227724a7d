"""Scores of surface pressure: constants are exact, lengths and nodes weigh as stated, the interval is that of the cases."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import DatasetError, FieldError, NonFiniteError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.results.surface_pressure import CP_RANGE, PressureScores, pressure_scores


def ring(n: int, angles: np.ndarray | None = None, name: str = "") -> Case:
    a = 2 * np.pi * np.arange(n) / n if angles is None else angles
    k = np.arange(len(a))
    mesh = Mesh(np.stack([np.cos(a), np.sin(a)], axis=1), Cells.of(line=np.stack([k, np.roll(k, -1)], axis=1)), name=name or f"ring-{n}")
    return Case(mesh, fields={"pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], 1.0 - 4.0 * np.sin(a) ** 2)})


def truth(case: Case) -> np.ndarray:
    return case.field("pressure_coefficient").values


def test_a_constant_error_is_that_constant_in_every_number() -> None:
    cases = [ring(n) for n in (20, 40, 60)]
    scores = pressure_scores(cases, [truth(case) + 0.5 for case in cases])
    expected = 0.25 / CP_RANGE**2
    assert scores.mean == pytest.approx(expected) and scores.median == pytest.approx(expected)
    assert scores.rmse == pytest.approx(0.5)
    assert scores.interval() == pytest.approx((expected, expected))
    assert pressure_scores(cases, [truth(case) for case in cases]).mean == 0.0


def test_the_mean_is_over_nodes_and_the_median_over_cases() -> None:
    cases = [ring(10), ring(20), ring(70)]
    scores = pressure_scores(cases, [truth(case) + e for case, e in zip(cases, (1.0, 2.0, 3.0), strict=True)])
    assert scores.mean == pytest.approx((10 * 1 + 20 * 4 + 70 * 9) / 100 / CP_RANGE**2)
    assert scores.median == pytest.approx(4 / CP_RANGE**2)
    assert scores.rmse == pytest.approx(np.sqrt(14 / 3))
    assert [name for name, _ in scores.worst] == ["ring-70", "ring-20", "ring-10"] and scores.share_of_worst == pytest.approx(1.0)


def test_crowded_nodes_do_not_weigh_more_in_the_root_mean_square() -> None:
    """An error on half of the circle is half of the mean square by arc length, however the nodes lie."""
    angles = np.concatenate([np.linspace(0, np.pi, 200, endpoint=False), np.linspace(np.pi, 2 * np.pi, 40, endpoint=False)])
    case = ring(0, angles, "crowded")
    scores = pressure_scores([case], [truth(case) + (angles < np.pi)])
    assert scores.rmse**2 == pytest.approx(0.5, abs=0.02)
    assert scores.mean * CP_RANGE**2 == pytest.approx(200 / 240)


def test_the_interval_covers_the_mean_of_the_law_about_as_often_as_it_says() -> None:
    names, nodes, covered = tuple(map(str, range(60))), np.full(60, 100.0), 0
    for seed in range(200):
        errors = np.random.default_rng(seed).exponential(size=60)
        low, high = PressureScores(names, errors, nodes, errors).interval(draws=300)
        covered += low <= 1.0 <= high
    assert 0.88 <= covered / 200 <= 0.98


def test_refusals() -> None:
    case = ring(12)
    with pytest.raises(DatasetError, match="0 predictions for 1"):
        pressure_scores([case], [])
    with pytest.raises(FieldError, match="shape"):
        pressure_scores([case], [np.zeros(5)])
    with pytest.raises(NonFiniteError):
        pressure_scores([case], [np.full(12, np.nan)])
