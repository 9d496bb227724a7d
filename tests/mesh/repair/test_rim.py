"""Rims are covered without overlap, with least area, and never over an edge that is taken."""

import numpy as np
import pytest

from geoop.mesh.repair.rim import rim_triangles


def polygon(n: int, seed: int) -> np.ndarray:
    """A star-shaped polygon, mostly not convex."""
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * (np.arange(n) + 0.5 * rng.random(n)) / n
    radius = rng.uniform(0.4, 1, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.zeros(n)], axis=1)


def area(x: np.ndarray) -> float:
    return 0.5 * float((x[:, 0] * np.roll(x[:, 1], -1) - x[:, 1] * np.roll(x[:, 0], -1)).sum())


def covered(x: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(t, 3) area vectors."""
    a, b, c = (x[triangles[:, k]] for k in range(3))
    return 0.5 * np.cross(b - a, c - a)


@pytest.mark.parametrize("n", [3, 4, 5, 12, 60])
@pytest.mark.parametrize("seed", range(4))
def test_flat_rims_are_covered_exactly_once(n, seed):
    x = polygon(n, seed)
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    triangles = rim_triangles(x @ q, set())
    assert triangles.shape == (n - 2, 3)
    np.testing.assert_allclose(np.linalg.norm(covered(x, triangles), axis=1).sum(), area(x), rtol=1e-9)
    assert (covered(x, triangles)[:, 2] > 0).all(), "a triangle runs against the rim"


@pytest.mark.parametrize("n", [8, 400])
def test_every_edge_of_the_rim_is_used_once_in_its_direction(n):
    x = polygon(n, 1)
    x[:, 2] = 0.2 * np.sin(3 * np.arctan2(x[:, 1], x[:, 0]))
    triangles = rim_triangles(x, set())
    runs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    steps = {tuple(row) for row in runs.tolist()}
    assert len(steps) == len(runs)
    single = {(a, b) for a, b in steps if (b, a) not in steps}
    assert single == {(k, (k + 1) % n) for k in range(n)}


def test_a_long_round_rim_is_covered_nearly_flat():
    angle = 2 * np.pi * np.arange(300) / 300
    x = np.stack([np.cos(angle), np.sin(angle), np.zeros(300)], axis=1)
    triangles = rim_triangles(x, set())
    np.testing.assert_allclose(np.linalg.norm(covered(x, triangles), axis=1).sum(), area(x), rtol=1e-9)


def test_least_area_against_all_triangulations():
    rng = np.random.default_rng(4)
    for _ in range(5):
        x = polygon(7, 2)
        x[:, 2] = rng.normal(size=7)

        def best(i: int, j: int, x=x) -> float:
            if j - i < 2:
                return 0.0
            return min(best(i, k) + best(k, j) + np.linalg.norm(np.cross(x[k] - x[i], x[j] - x[i])) / 2 for k in range(i + 1, j))

        found = np.linalg.norm(covered(x, rim_triangles(x, set())), axis=1).sum()
        np.testing.assert_allclose(found, best(0, 6), rtol=2e-3)  # squared edges have a small say


@pytest.mark.parametrize("n", [6, 300])
def test_taken_edges_are_avoided(n):
    x = polygon(n, 3)
    free = rim_triangles(x, set())
    i, k = next((min(a, b), max(a, b)) for row in free.tolist() for a, b in zip(row, row[1:] + row[:1], strict=True) if abs(a - b) not in (1, n - 1))
    other = rim_triangles(x, {(i, k)})
    used = {tuple(sorted(pair)) for row in other.tolist() for pair in zip(row, row[1:] + row[:1], strict=True)}
    assert (i, k) not in used and len(other) == n - 2


def test_rims_that_cannot_be_covered():
    line = np.stack([np.arange(5.0), np.zeros(5), np.zeros(5)], axis=1)
    assert rim_triangles(line, set()) is None
    assert rim_triangles(line[:3], set()) is None
    assert rim_triangles(polygon(5, 0), {(i, k) for k in range(5) for i in range(k)}) is None
