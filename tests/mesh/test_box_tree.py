"""The tree finds exactly the pairs that comparing all boxes finds."""

import numpy as np
import pytest

from geoop.mesh.box_tree import BoxTree


def boxes(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of sizes over four decades, on a grid coarse enough that some touch exactly."""
    rng = np.random.default_rng(seed)
    low = np.round(rng.random((n, d)) * 64) / 64
    return low, low + np.round(10.0 ** rng.uniform(-4, -0.5, (n, d)) * 64) / 64


def found(tree: BoxTree) -> set[tuple[int, int]]:
    pairs = [np.sort(np.stack(piece, axis=1), axis=1) for piece in tree.overlapping_pairs()]
    rows = [tuple(row) for row in np.concatenate(pairs).tolist()]
    assert len(rows) == len(set(rows)), "a pair came twice"
    return set(rows)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 300])
def test_overlaps_are_those_of_all_pairs(n, d):
    low, high = boxes(n, d, n + d)
    meet = (low[:, None] <= high[None]).all(axis=2) & (low[None] <= high[:, None]).all(axis=2)
    expected = {(i, j) for i, j in np.argwhere(meet).tolist() if i < j}
    got = found(BoxTree.of(low, high))
    assert expected <= got
    gap = np.maximum(low[:, None] - high[None], low[None] - high[:, None]).max(axis=2)
    assert all(gap[i, j] < 1e-6 for i, j in got), "more than single precision apart"


def test_many_equal_boxes():
    low = np.zeros((9, 3))
    assert len(found(BoxTree.of(low, low + 1))) == 36


@pytest.mark.parametrize("d", [2, 3])
def test_no_box_within_reach_is_missed(d):
    low, high = boxes(200, d, 5)
    x = np.random.default_rng(6).random((50, d)) * 2
    gap = np.linalg.norm(np.maximum(np.maximum(low[None] - x[:, None], x[:, None] - high[None]), 0), axis=2)
    reach = np.quantile(gap, 0.1, axis=1)
    got = {pair for q, box in BoxTree.of(low, high).near(x, reach) for pair in zip(q.tolist(), box.tolist(), strict=True)}
    assert {(int(i), int(j)) for i, j in np.argwhere(gap <= reach[:, None])} <= got
    assert all(gap[i, j] <= reach[i] * (1 + 1e-5) + 1e-6 for i, j in got)
