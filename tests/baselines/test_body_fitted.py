"""Coordinates around a section: exact distances, a smooth monotone first coordinate, nothing but the shape matters."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.baselines.body_fitted import BodyFitted
from geoop.errors import InvalidMeshError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle, icosphere, naca4
from geoop.truth.exact.karman_trefftz import KarmanTrefftz


def around(count: int, radius: float) -> np.ndarray:
    """Points on an ellipse around a section of unit chord, starting above its wake."""
    angle = 2 * np.pi * (np.arange(count) + 0.5) / count
    return np.stack([0.5 + (0.5 + radius) * np.cos(angle), radius * np.sin(angle)], axis=1)


def test_around_a_circle_s_is_the_same_along_every_ray() -> None:
    fitted = BodyFitted.of(Case(circle(200, 0.5)))
    angle = np.linspace(0.1, 2 * np.pi - 0.1, 50)
    rays = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    near, far = (fitted.coordinates(r * rays) for r in (0.51, 3.0))
    assert np.allclose(near[0], far[0], atol=2e-4)
    assert np.allclose(far[1], 2.5, atol=1e-4) and np.allclose(near[1], 0.01, atol=1e-4)
    assert (np.diff(far[0]) > 0).all()


@pytest.mark.parametrize("radius", [0.12, 0.5, 2.0])
def test_s_grows_smoothly_on_the_way_around(radius: float) -> None:
    fitted = BodyFitted.of(Case(naca4("2412")))
    points = around(4000, radius)
    s, d = fitted.coordinates(points)
    s = np.roll(s, -int(np.argmin(s)))  # begin behind the cut
    steps = np.diff(s)
    assert (steps > 0).all() and s[0] < 0.001 and s[-1] > 0.999
    turns = np.abs(np.diff(steps)) / steps.mean()
    assert np.quantile(turns, 0.95) < 0.1 and np.median(turns) < 0.01  # no staircase of the ring's 400 segments
    outline = naca4("2412", n_points=800)
    assert np.allclose(d * fitted.frame.length, signed_distance(outline, points).distance, atol=2e-4)


def test_only_the_shape_matters() -> None:
    """Other points on the same section, in millimetres, turned, begun elsewhere and run through backwards: the same coordinates."""
    section = KarmanTrefftz(-0.1, 0.06, 12.0)
    first = section.outline(300)
    even = section.outline(np.sort((np.arange(260) + 0.3 * np.sin(np.arange(260))) * 2 * np.pi / 260 % (2 * np.pi)))
    points = around(60, 0.3)
    s, d = BodyFitted.of(Case(first)).coordinates(points)
    a = np.radians(40.0)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    ring = np.roll(even.points, 77, axis=0)[::-1]
    index = np.arange(len(ring))
    other = Mesh(1e-3 * ring @ turn.T + 5.0, Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1)))
    s2, d2 = BodyFitted.of(Case(other)).coordinates(1e-3 * points @ turn.T + 5.0)
    assert np.allclose(s, s2, atol=3e-3) and np.allclose(d, d2, atol=2e-3)


def test_the_wall_runs_from_0_to_1_and_the_fan_takes_no_room_on_it() -> None:
    outline = naca4("0012")
    fitted = BodyFitted.of(Case(outline))
    along = fitted.along_wall(fitted.vertices)
    assert along[0] == 0.0 and along[-1] == 1.0 and (np.diff(along) > 0).all()
    nose = fitted.coordinates(np.array([[-1.0, 0.0]]))[0]
    assert nose[0] == pytest.approx(0.5, abs=1e-3)  # symmetric
    shape = fitted.shape(40)
    assert np.allclose(shape[1:], shape[1:][::-1] * [1, -1], atol=1e-4)


def test_points_inside_have_negative_distance() -> None:
    _, d = BodyFitted.of(Case(naca4("0012"))).coordinates(np.array([[0.3, 0.0], [0.3, 0.2]]))
    assert d[0] == pytest.approx(-0.06, abs=1e-3) and d[1] > 0


def test_what_is_no_single_section_is_refused() -> None:
    with pytest.raises(InvalidMeshError, match="3-D"):
        BodyFitted.of(Case(icosphere(1)))
    outline = naca4()
    with pytest.raises(InvalidMeshError, match="open|loop"):
        BodyFitted.of(Case(Mesh(outline.points, outline.cells.take(np.arange(1, len(outline.cells))))))
