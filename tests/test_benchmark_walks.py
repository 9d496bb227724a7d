"""The benchmark of walks on spheres measures what it says."""

import benchmark_walks
import numpy as np
import pytest

from geoop.mesh.distance import signed_distance


def test_the_table_has_a_row_per_number_of_walks_and_one_of_finite_elements(capsys):
    benchmark_walks.main(["--points", "20", "--walks", "4", "16", "--shapes", "L"])
    printed = capsys.readouterr().out
    assert "4 walks" in printed and "16 walks" in printed and "unknowns" in printed


@pytest.mark.parametrize("name", list(benchmark_walks.SHAPES))
def test_points_lie_inside_and_errors_are_of_the_size_of_standard_errors(name):
    shape = benchmark_walks.SHAPES[name]
    points = benchmark_walks.inside(shape, 30)
    assert len(points) == 30 and (signed_distance(shape, points).distance < 0).all()
    error, spread, jumps, _ = benchmark_walks.walked(shape, points, 20)
    assert 0.4 < error / spread < 2.5 and 3 < jumps < 60


def test_finite_elements_answer_at_the_same_points():
    shape = benchmark_walks.SHAPES["square"]
    error, _, unknowns = benchmark_walks.by_finite_elements(shape, benchmark_walks.inside(shape, 50))
    assert error < 1e-3 and unknowns > 500 and np.isfinite(error)
