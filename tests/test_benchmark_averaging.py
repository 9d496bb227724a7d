"""The benchmark of averaged sources measures what it says."""

import benchmark_averaging
import numpy as np
import pytest

from geoop.mesh.case import Case
from geoop.mesh.generate.disk import star
from geoop.mesh.quantity import Field, Quantity


@pytest.fixture
def case():
    mesh = star(16, lambda angle: 1.0 + 0.2 * np.cos(2 * angle))
    source = np.sin(20 * mesh.points[:, 0]) * np.sin(17 * mesh.points[:, 1]) + 0.3
    return Case(mesh, fields={"source": Field(Quantity("source", "1", 0), source)})


def test_all_points_lose_nothing(case):
    assert benchmark_averaging.errors(case, benchmark_averaging.cloud(case, 10**6)) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def test_few_points_lose_much_and_means_less_than_samples(case):
    left_out, samples, means = benchmark_averaging.errors(case, benchmark_averaging.cloud(case, 100))
    assert 0.1 < left_out < 1 and samples > 2 * means > 0.01


def test_a_constant_is_known_by_any_cloud(case):
    flat = case.with_fields(Field(Quantity("source", "1", 0), np.full(len(case.mesh.points), 2.0)))
    assert benchmark_averaging.errors(flat, benchmark_averaging.cloud(flat, 50)) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)
