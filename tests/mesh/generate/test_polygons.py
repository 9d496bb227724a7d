"""Random outlines: simple, counter-clockwise, within their limits, functions of the generator's state."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.crossings import crossing_segments
from geoop.mesh.generate.polygons import area_of, clearance_of, random_polygon, random_slit_polygon, random_star, random_strip, sharpest_angle

SQUARE = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])


@pytest.mark.parametrize("vertices", [3, 4, 7, 12])
def test_polygons_are_simple_and_keep_their_limits(vertices):
    for seed in range(10):
        points = random_polygon(np.random.default_rng(seed), vertices)
        assert points.shape == (vertices, 2) and np.abs(points).max() <= 0.5
        assert not len(crossing_segments(points, np.roll(points, -1, axis=0)))
        assert area_of(points) >= 0.1 and sharpest_angle(points) >= 20.0 and clearance_of(points) >= 0.06
        np.testing.assert_array_equal(points, random_polygon(np.random.default_rng(seed), vertices))


def test_measures_of_known_shapes():
    assert area_of(SQUARE) == 4.0 and area_of(SQUARE[::-1]) == -4.0
    assert sharpest_angle(SQUARE) == pytest.approx(90.0) and clearance_of(SQUARE) == 2.0
    dart = np.array([[0.0, 0.0], [4.0, 1.0], [0.0, 2.0], [3.0, 1.0]])
    assert clearance_of(dart) == pytest.approx(1.0 / np.hypot(4.0, 1.0))  # of the inner corner from the outer sides
    assert sharpest_angle(dart) == pytest.approx(np.degrees(np.arctan(1 / 3) - np.arctan(1 / 4)), abs=1e-9)


def test_slits_are_as_narrow_as_asked_and_lie_inside():
    for seed in range(10):
        points = random_slit_polygon(np.random.default_rng(seed), 5, width=(0.02, 0.03))
        assert points.shape == (9, 2) and not len(crossing_segments(points, np.roll(points, -1, axis=0)))
        gaps = np.linalg.norm(points - np.roll(points, -3, axis=0), axis=1)
        assert 0.02 <= gaps.min() <= 0.03 and area_of(points) > 0
        assert clearance_of(points) >= 0.95 * 0.02


def test_strips_are_long_and_their_ends_are_where_they_are_said_to_be():
    for seed in range(20):
        points = random_strip(np.random.default_rng(seed), thin=(0.12, 0.3))
        k = len(points) // 2
        assert 2 <= k <= 4 and np.ptp(points, axis=0).max() == pytest.approx(1.0) and np.abs(points.max(axis=0) + points.min(axis=0)).max() < 1e-12
        assert not len(crossing_segments(points, np.roll(points, -1, axis=0))) and area_of(points) > 0 and clearance_of(points) >= 0.06
        ends = np.linalg.norm(points[[k - 1, -1]] - points[[k, 0]], axis=1)
        sides = np.linalg.norm(np.diff(points[:k], axis=0), axis=1).sum(), np.linalg.norm(np.diff(points[k:], axis=0), axis=1).sum()
        assert ends.max() < np.mean(sides)
        np.testing.assert_array_equal(points, random_strip(np.random.default_rng(seed), thin=(0.12, 0.3)))


def test_stars_are_smooth_and_of_the_radius():
    points = random_star(np.random.default_rng(0), 256, radius=0.4)
    radius = np.linalg.norm(points, axis=1)
    assert radius.max() == pytest.approx(0.4) and area_of(points) > 0
    assert np.abs(np.fft.rfft(np.log(radius))[6:]).max() < 1e-10  # no wave above the highest mode
    np.testing.assert_allclose(np.linalg.norm(random_star(np.random.default_rng(0), roughness=0.0), axis=1), 0.5)


def test_bad_input():
    with pytest.raises(ConfigurationError, match="2 vertices"):
        random_polygon(np.random.default_rng(0), 2)
    with pytest.raises(ConfigurationError, match="2000 draws of 4 vertices"):
        random_polygon(np.random.default_rng(0), 4, smallest=1.1)
    for width in ((0.0, 0.1), (-0.1, 0.1), (0.2, 0.1), (0.1, np.nan)):
        with pytest.raises(ConfigurationError, match="slits"):
            random_slit_polygon(np.random.default_rng(0), 5, width=width)
    with pytest.raises(ConfigurationError, match="strips"):
        random_strip(np.random.default_rng(0), thin=(0.3, 0.2))
    with pytest.raises(ConfigurationError, match="no strip with clearance"):
        random_strip(np.random.default_rng(0), clearance=0.9)
    with pytest.raises(ConfigurationError, match="radius inf"):
        random_star(np.random.default_rng(0), radius=np.inf)
    with pytest.raises(ConfigurationError, match="1 modes"):
        random_star(np.random.default_rng(0), modes=1)
