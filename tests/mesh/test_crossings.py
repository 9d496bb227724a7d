"""Crossing segments against all pairs, and the special cases."""

import numpy as np
import pytest

from geoop.mesh.crossings import crossing_segments
from geoop.mesh.primitives import circle, naca4


def count(*segments: tuple[float, float, float, float]) -> int:
    s = np.array(segments, dtype=float)
    return len(crossing_segments(s[:, :2], s[:, 2:]))


@pytest.mark.parametrize("seed", range(4))
def test_random_segments_equal_all_pairs(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, 150, 2))
    b = a + (b - a) * rng.choice([0.05, 1.0])
    found = {tuple(pair) for pair in crossing_segments(a, b)}
    exact = set()
    for i in range(150):
        for j in range(i):
            matrix = np.stack([b[i] - a[i], a[j] - b[j]], axis=1)
            s, t = np.linalg.solve(matrix, a[j] - a[i])
            if 0 <= s <= 1 and 0 <= t <= 1:
                exact.add((j, i))
    assert found == exact


def test_special_cases():
    assert count((0, 0, 1, 1), (1, 1, 2, 0)) == 0  # a common end
    assert count((0, 0, 2, 0), (1, 0, 1, 1)) == 1  # an end in the middle of another
    assert count((0, 0, 2, 0), (1, 0, 3, 0)) == 1  # overlap on one line
    assert count((0, 0, 1, 0), (2, 0, 3, 0)) == 0  # apart on one line
    assert count((0, 0, 2, 0), (2, 0, 1, 0)) == 1  # folded back over itself
    assert count((0, 0, 1, 0), (1, 0, 2, 0)) == 0  # going straight on
    assert count((0, 0, 1, 0), (0, 1, 1, 1)) == 0  # parallel


def test_simple_outlines_do_not_cross_and_a_figure_of_eight_does():
    for mesh in (circle(500), naca4("0006", 300)):
        ends = mesh.points[mesh.cells.block("line")]
        assert len(crossing_segments(ends[:, 0], ends[:, 1])) == 0
    t = 2 * np.pi * (np.arange(100) + 0.5) / 100
    eight = np.stack([np.sin(t), np.sin(2 * t)], axis=1)
    pairs = crossing_segments(eight, np.roll(eight, -1, axis=0))
    assert len(pairs) == 1
