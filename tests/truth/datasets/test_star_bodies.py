"""Bodies of one radius per angle."""

import numpy as np
import pytest

from geoop.mesh.loops import signed_area
from geoop.truth.datasets.star_bodies import StarBody, fourier_radius, superellipse_radius


def test_areas_in_closed_form():
    t = 2 * np.pi * np.arange(4000) / 4000
    ellipse = StarBody((1.0, 2.0), superellipse_radius(0.3, 0.5, 2.0, 0.4)).wall(t)
    assert signed_area(ellipse) == pytest.approx(np.pi * 0.15, rel=1e-5)
    fourier = StarBody((0.0, 0.0), fourier_radius(0.5, {2: (0.1, 0.2), 5: (0.0, 0.1)})).wall(t)
    assert signed_area(fourier) == pytest.approx(np.pi * 0.25 * (1 + 0.5 * (0.01 + 0.04 + 0.01)), rel=1e-5)
    square = StarBody((0.0, 0.0), superellipse_radius(0.5, 0.5, 400.0)).wall(t)
    assert signed_area(square) == pytest.approx(1.0, rel=1e-3)


def test_turning():
    """The long axis of a turned ellipse points where it is told."""
    t = 2 * np.pi * np.arange(3600) / 3600
    radius = superellipse_radius(1.0, 0.2, 2.0, np.radians(30))
    assert np.degrees(t[radius(t)[:1800].argmax()]) == pytest.approx(30.0)


def test_points_move_along_their_rays():
    body = StarBody((0.3, -0.2), fourier_radius(0.5, {3: (0.15, -0.1)}))
    near = np.random.default_rng(0).normal(size=(50, 2))
    moved = body.onto(near)
    a, b = near - body.center, moved - body.center
    assert np.allclose(a[:, 0] * b[:, 1], a[:, 1] * b[:, 0]) and ((a * b).sum(axis=1) > 0).all()
    assert np.allclose(body.onto(moved), moved, atol=1e-14)


@pytest.mark.parametrize("radius", [fourier_radius(0.05, {4: (0.1, 0.0)}), superellipse_radius(0.05, 0.05, 6.0)], ids=["fourier", "square"])
def test_segments(radius):
    """Not longer than asked, no sudden changes, and no more than 15 degrees per segment where that is not too short."""
    body = StarBody((0.2, 0.2), radius)
    outline = body.outline(0.006)
    x = outline.points
    step = np.roll(x, -1, axis=0) - x
    length = np.linalg.norm(step, axis=1)
    assert length.max() <= 0.006 * 1.001 and length.min() > 0.15 * 0.006
    assert np.maximum(length / np.roll(length, 1), np.roll(length, 1) / length).max() < 1.35
    before = np.roll(step, 1, axis=0)
    turn = np.degrees(np.arctan2(before[:, 0] * step[:, 1] - before[:, 1] * step[:, 0], (before * step).sum(axis=1)))
    assert np.abs(turn).max() < 17
    assert np.allclose(body.onto(x), x, atol=1e-15) and signed_area(x) > 0
    coarse = body.outline(0.006, finest=0.8).points
    assert len(coarse) <= len(x)
