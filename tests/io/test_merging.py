"""Exact merging, against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.io.merging import degenerate_triangles, merge_equal


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_merging_against_brute_force(kind):
    rng = np.random.default_rng(0)
    points = rng.integers(-2, 3, size=(500, 3)).astype(kind) * kind(0.1)
    unique, index = merge_equal(points)
    assert np.array_equal(unique[index], points) and len(unique) == len({tuple(row) for row in (points + 0.0).tolist()})
    first = [index.tolist().index(i) for i in range(len(unique))]
    assert first == sorted(first)  # order of first appearance
    assert merge_equal(np.array([[-0.0, 0.0], [0.0, -0.0]]))[1].tolist() == [0, 0]
    assert merge_equal(np.zeros((0, 3)))[0].shape == (0, 3)


def test_collisions_of_the_hash_do_no_harm(monkeypatch):
    points = np.random.default_rng(0).integers(0, 4, size=(200, 3)).astype(np.float64)
    expected = merge_equal(points)
    real = np.unique
    calls = []

    def colliding(array, *args, **kwargs):
        calls.append(array.ndim)
        return real(array % np.uint64(3) if array.ndim == 1 else array, *args, **kwargs)

    monkeypatch.setattr(np, "unique", colliding)
    got = merge_equal(points)
    assert calls == [1, 2] and np.array_equal(got[0], expected[0]) and np.array_equal(got[1], expected[1])


def test_degenerate_triangles():
    points = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1e-6, 0], [0, 1e-15, 0]])
    assert degenerate_triangles(points, np.array([[0, 1, 2], [0, 0, 1], [0, 1, 3], [0, 1, 4]])) == 3
    assert degenerate_triangles(points[:, :2], np.array([[0, 1, 2], [0, 1, 3]])) == 1
