"""Resampling depends on the shape, not on the file's own points."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle, naca4
from geoop.mesh.resample import closed_ring, resample, turning_angles


def outline(points: np.ndarray) -> Mesh:
    index = np.arange(len(points))
    return Mesh(points, Cells.of(line=np.stack([index, np.roll(index, -1)], 1)))


def test_turning_angles_of_a_closed_ring_add_up_to_one_turn():
    ring = resample(naca4("4415", n_points=160), 200).points
    assert turning_angles(ring).sum() == pytest.approx(2 * np.pi, abs=1e-12)


def test_circle_stays_on_the_circle_at_fourth_order():
    errors = []
    for n in (16, 32, 64):
        ring = resample(circle(n, 1.0, (0.0, 0.0)), 200).points
        errors.append(np.abs(np.linalg.norm(ring, axis=1) - 1).max())
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert (orders > 3.0).all(), orders  # cubic splines interpolate a smooth closed curve at fourth order


def test_starts_at_the_sharp_trailing_edge_and_keeps_it():
    ring = resample(naca4("2412", n_points=121), 200).points
    assert len(ring) == 200
    np.testing.assert_allclose(ring[0], [1.0, 0.0], atol=1e-9)
    assert np.abs(turning_angles(ring)[0]) > 2.5


def test_same_shape_from_other_points_gives_nearly_the_same_ring():
    fine, coarse = (resample(naca4("2412", n_points=n), 200).points for n in (400, 120))
    assert np.abs(fine - coarse).max() < 2e-3


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_scale_rotation_and_direction_do_not_matter(scale):
    section = naca4("2412", n_points=160).points
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    plain = resample(outline(section), 200).points
    moved = resample(outline((scale * section @ turn.T + 5 * scale)[::-1]), 200).points
    np.testing.assert_allclose((moved - 5 * scale) @ turn / scale, plain, atol=1e-9)


def test_polygon_with_corners_keeps_every_corner():
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float)
    dense = np.concatenate([a + (b - a) * np.linspace(0, 1, 9, endpoint=False)[:, None] for a, b in zip(square, np.roll(square, -1, 0), strict=True)])
    ring = resample(outline(dense), 64).points
    for corner in square:
        assert np.linalg.norm(ring - corner, axis=1).min() < 1e-12


def test_repeated_points_are_dropped_and_too_few_refused():
    points = naca4("0012", n_points=60).points
    assert len(closed_ring(outline(np.repeat(points, 2, axis=0)))) == len(points)
    with pytest.raises(InvalidMeshError, match="distinct"):
        resample(outline(np.array([[0, 0], [1, 0], [0.5, 1.0]])))


def test_open_outline_is_refused_with_a_remedy():
    points = naca4("0012", n_points=60).points
    index = np.arange(len(points) - 1)
    broken = Mesh(points, Cells.of(line=np.stack([index, index + 1], 1)))
    with pytest.raises(InvalidMeshError, match="open") as caught:
        resample(broken)
    assert "close" in caught.value.remedy


@pytest.mark.parametrize("thickness", [0.12, 0.18])
def test_the_nose_of_a_section_given_at_few_stations_is_round(thickness):
    """The classical stations of old reports put one vertex into the nose, which turns by 60 to 80 degrees there: a curve, no corner. The trailing edge is one."""
    x = np.array([0, 1.25, 2.5, 5, 7.5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 95, 100]) / 100
    half = lambda x: 5 * thickness * (0.2969 * np.sqrt(x) - 0.126 * x - 0.3516 * x**2 + 0.2843 * x**3 - 0.1036 * x**4)  # noqa: E731
    ring = np.concatenate([np.stack([x, half(x)], 1)[::-1], np.stack([x, -half(x)], 1)[1:-1]])
    assert np.degrees(np.abs(turning_angles(ring)))[len(x) - 1] > 45.0
    made = resample(outline(ring), 200).points
    inside = made[made[:, 0] >= 0.0]
    # the spline through so few points, not the formula, is the curve: between the first two stations they differ by up to 1e-3 chords
    assert np.abs(np.abs(inside[:, 1]) - half(inside[:, 0])).max() < 2.5e-3
    assert np.degrees(np.abs(turning_angles(made)))[1:].max() < 15.0 and made[0] == pytest.approx([1.0, 0.0], abs=1e-9)


def test_two_sharp_turns_are_a_base_only_if_the_sides_beside_them_are_straight():
    """A flat-bottomed section of few points (as fg4 of the UIUC database) turns by 58 and 49 degrees at two vertices of its nose; a base by 90 and 90."""
    upper = np.array([[1, 0.0075], [0.9, 0.02], [0.7, 0.05], [0.4, 0.095], [0.2, 0.105], [0.1, 0.09], [0.05, 0.073], [0.0125, 0.043], [0, 0.02]])
    nose = np.array([[0.0125, 0.0015], [0.1, 0.0], [0.5, 0.0]])
    sharp = np.concatenate([upper, nose])
    turn = np.degrees(np.abs(turning_angles(sharp)))
    assert turn[8] > 45.0 and turn[9] > 45.0 and turn[7] > 8.0
    made = resample(outline(sharp), 400).points
    assert np.degrees(np.abs(turning_angles(made)))[1:].max() < 20.0
    blunt = np.concatenate([[[1.0, 0.0095]], upper[1:], nose, [[1.0, 0.0055]]])
    ends = resample(outline(blunt), 400).points
    for corner in ([1.0, 0.0095], [1.0, 0.0055]):
        assert np.linalg.norm(ends - corner, axis=1).min() < 1e-12
    square = resample(outline(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])), 64).points
    for corner in ([0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]):
        assert np.linalg.norm(square - corner, axis=1).min() < 1e-12
