"""Curvature along outlines: circles, ellipses, order on uneven points, sides, corners."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.curvature import outline_curvature
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle, icosphere, ring


def ellipse(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Unevenly spaced points on an ellipse of half axes 2 and 1, and the curvature there."""
    t = 2 * np.pi * (np.arange(n) + 0.3 * np.random.default_rng(0).uniform(-1, 1, n)) / n
    return np.stack([2 * np.cos(t), np.sin(t)], axis=1), 2 / (4 * np.sin(t) ** 2 + np.cos(t) ** 2) ** 1.5


def test_third_order_on_uneven_points():
    errors = []
    for n in (60, 120, 240):
        points, exact = ellipse(n)
        errors.append(np.abs(outline_curvature(ring(points, "ellipse")) - exact).max())
    assert np.log2(errors[1] / errors[2]) > 2.5
    assert errors[2] < 1e-3


def test_circle_scale_and_direction_of_the_file():
    np.testing.assert_allclose(outline_curvature(circle(100, 0.5)), 2.0, rtol=1e-5)
    points, _ = ellipse(50)
    forward = outline_curvature(ring(points, "forward"))
    np.testing.assert_allclose(outline_curvature(ring(points[::-1], "backward"))[::-1], forward, atol=1e-12)


def test_hollow_sides_are_negative_and_straight_ones_zero():
    t = 2 * np.pi * np.arange(400) / 400
    r = 1 + 0.4 * np.cos(3 * t)
    k = outline_curvature(ring(np.stack([r * np.cos(t), r * np.sin(t)], axis=1), "clover"))
    assert k[t == np.pi][0] < 0 < k[0]
    square = outline_curvature(box((0, 0), (1, 1), 20))
    flat = np.setdiff1d(np.arange(80), [i + j for i in range(0, 81, 20) for j in range(-2, 3)])
    np.testing.assert_allclose(square[flat], 0.0, atol=1e-9)
    assert square[0] > 1 / 0.05 / 2  # a corner: one over the spacing


def test_open_arcs_reach_their_ends_and_lone_points_have_none():
    arc = circle(200)
    half = Mesh(np.concatenate([arc.points, [[9.0, 9.0]]]), arc.cells.take(np.arange(100)))
    k = outline_curvature(half)
    np.testing.assert_allclose(k[:101], 1.0, rtol=1e-4)
    assert np.isnan(k[-1])


def test_spikes_are_finite():
    spike = ring(np.array([(0.0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (3, 0.01), (2, 0.02), (1, 0.02)]), "spike")
    assert np.isfinite(outline_curvature(spike)).all()


def test_bad_input_is_named():
    with pytest.raises(InvalidMeshError, match="2-D"):
        outline_curvature(icosphere(1))
    assert np.isnan(outline_curvature(Mesh([[0, 0], [1, 0.0]], Cells.of(line=np.array([[0, 1]]))))).all()
