"""Formulas of distance: unit gradient, zero on the points of their meshes, the volume by Monte Carlo."""

import numpy as np
import pytest

from geoop.mesh.analytic import box_distance, capsule_distance, sphere_distance, torus_distance
from geoop.mesh.primitives import box, capsule, icosphere, torus

SHAPES = {
    "sphere": (sphere_distance, icosphere(2), 4 / 3 * np.pi),
    "box": (lambda p: box_distance(p, (-1, -1, -1), (1, 0.5, 1)), box((-1, -1, -1), (1, 0.5, 1), 3), 6.0),
    "torus": (torus_distance, torus(), 2 * np.pi**2 / 16),
    "capsule": (capsule_distance, capsule(), np.pi / 4 * 2 + np.pi / 6),
}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_distances_are_distances(name):
    distance, mesh, volume = SHAPES[name]
    np.testing.assert_allclose(distance(mesh.points), 0.0, atol=1e-14)
    p = np.random.default_rng(0).uniform(-2, 2, (200_000, 3))
    assert (distance(p) < 0).mean() * 64 == pytest.approx(volume, rel=0.03)
    q = p[:2000]
    slope = np.stack([(distance(q + h) - distance(q - h)) / 2e-6 for h in 1e-6 * np.eye(3)], axis=1)
    steep = np.linalg.norm(slope, axis=1)
    assert (np.abs(steep - 1) < 1e-6).mean() > 0.99  # all but the points on the medial axis
    assert steep.max() < 1 + 1e-6


def test_circle_and_rectangle():
    np.testing.assert_allclose(sphere_distance([[3.0, 4.0]], 2.0, (0.0, 0.0)), [3.0])
    np.testing.assert_allclose(box_distance([[2.0, 2.0], [0.5, 0.25]], (0, 0), (1, 1)), [np.sqrt(2), -0.25])
