"""Holes are found as rings and closed by triangles."""

import numpy as np

from geoop.mesh.cells import Cells
from geoop.mesh.distance.caps import cap, capped, rings
from geoop.mesh.measure import area_vectors, cell_measures
from geoop.mesh.mesh import Mesh


def polygon(n: int, lift: float = 0.0) -> np.ndarray:
    angle = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angle), np.sin(angle), lift * np.cos(2 * angle)], axis=1)


def test_rings_are_found_whatever_the_order_and_chains_are_left_out():
    edges = np.array([[0, 1], [1, 2], [2, 0], [5, 4], [3, 4], [3, 6], [6, 5], [7, 8], [8, 9]])
    shuffled = np.random.default_rng(0).permutation(edges)
    assert sorted(sorted(ring.tolist()) for ring in rings(shuffled)) == [[0, 1, 2], [3, 4, 5, 6]]


def test_rings_that_touch_in_a_point_are_told_apart():
    edges = np.array([[0, 1], [1, 2], [2, 0], [0, 3], [3, 4], [4, 0]])
    for seed in range(5):
        found = rings(np.random.default_rng(seed).permutation(edges))
        assert sorted(sorted(ring.tolist()) for ring in found) == [[0, 1, 2], [0, 3, 4]]


def test_caps_have_the_area_vector_of_their_ring_and_the_least_area():
    for n in (3, 4, 7, 16, 17, 60):
        points, triangles = capped(polygon(n), np.stack([np.arange(n), np.roll(np.arange(n), -1)], axis=1), np.arange(n))
        assert len(points) == n + (n > 16)
        assert len(triangles) == (n - 2 if n <= 16 else n)
        flat = Mesh(points, Cells.of(triangle=triangles))
        exact = n / 2 * np.sin(2 * np.pi / n)
        assert abs(area_vectors(flat).sum(axis=0)[2]) - exact < 1e-13
        assert abs(cell_measures(flat).sum() - exact) < 1e-13
    bent = np.array([(0.0, 0, 0), (1, 0, 0), (1, 1, 1.0), (0, 1, 0)])
    corners = cap(bent, np.arange(4), np.zeros(4, dtype=bool))
    assert {tuple(sorted(row)) for row in corners.tolist()} == {(0, 1, 3), (1, 2, 3)}  # the diagonal 0-2 would be the longer
    other = cap(bent, np.arange(4), np.arange(4) == 0)  # unless a face lies in that corner already
    assert {tuple(sorted(row)) for row in other.tolist()} == {(0, 1, 2), (0, 2, 3)}
    for tip in range(7):
        corners = cap(polygon(7), np.arange(7), np.arange(7) == tip)
        assert sorted(((tip - 1) % 7, tip, (tip + 1) % 7)) not in np.sort(corners, axis=1).tolist()


def test_several_long_rings_get_a_middle_each():
    one = np.concatenate([polygon(20), polygon(20) + [5.0, 0, 0]])
    index = np.arange(20)
    edges = np.stack([index, np.roll(index, -1)], axis=1)
    points, triangles = capped(one, np.concatenate([edges, edges + 20]), np.arange(40))
    np.testing.assert_allclose(points[40:], [[0, 0, 0], [5, 0, 0]], atol=1e-15)
    assert set(triangles[:20].ravel()) == {*range(20), 40}
