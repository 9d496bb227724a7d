"""The benchmark of distances measures what it says: on few points, without timing assertions."""

import json

import benchmark_distance as benchmark
import numpy as np
import pytest


def test_a_measurement_is_right_and_can_be_written(monkeypatch):
    monkeypatch.setattr(benchmark, "LEVEL", 3)
    row = benchmark.geoop_one(2000)
    assert 0 < row["error"] <= row["facet_error"] < 0.02
    assert row["wrong_signs"] == 0
    assert row["seconds"] > 0
    json.dumps(row)


def test_signs_with_holes_are_compared_with_the_whole_body():
    from geoop.mesh.primitives import icosphere

    row = benchmark.holes(lambda: icosphere(4))(2000)
    assert row["wrong_signs"] == 0
    assert 0 < row["removed"] < 0.02 * row["facets"]
    assert row["confidence_min"] < 0.9
    json.dumps(row)


def test_half_of_the_cloud_lies_within_one_percent():
    points, exact = benchmark.cloud(1000)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1) - 1, exact, atol=1e-15)
    assert (np.abs(exact) <= 0.01).mean() >= 0.5
    assert (exact < -0.05).any()
    assert (exact > 0.05).any()


def test_ratios_take_the_best_of_each_at_equal_points():
    def row(what: str, points: int, seconds: float, preparation: float) -> dict:
        return {"what": what, "points": points, "seconds": seconds, "preparation": preparation}

    rows = [row("trimesh", 10, 40.0, 1.0), row("geoop", 10, 2.0, 1.0), row("trimesh", 10, 30.0, 1.0), row("geoop", 99, 0.1, 0.0)]
    found = benchmark.ratios(rows)
    assert found is not None
    assert found["query"] == pytest.approx(15.0)
    assert found["with preparation"] == pytest.approx(31 / 3)
    assert benchmark.ratios(rows[-1:]) is None
