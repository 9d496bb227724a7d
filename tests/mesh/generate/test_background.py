"""Background points: outside the body, evenly spread at their spacing, weights that add up to the volume and integrate."""

import functools
import re

import numpy as np
import pytest
from scipy.spatial import KDTree

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.generate.background import background_points
from geoop.mesh.measure import enclosed_volume
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle, icosphere, naca4, ring

BODIES = {
    "circle": (circle(100, 0.5), 1500, {"wall_zone": 0.02}),
    "thin section": (naca4("0006", 160), 2500, {"wall_zone": 0.02}),
    "two bodies": (
        Mesh(
            np.concatenate([circle(60, 0.3).points, circle(60, 0.3).points + [0.9, 0.0]]),
            Cells.concatenate([circle(60).cells, circle(60).cells.renumbered(np.arange(60) + 60)]),
        ),
        1500,
        {"wall_zone": 0.02},
    ),
    "sphere": (icosphere(2, 0.5), 1200, {"wall_zone": 0.1}),
    "cube": (box(), 1200, {"wall_zone": 0.15, "lower": (-1.5, -1.0, -1.0), "upper": (2.5, 2.0, 2.0)}),
}


@functools.cache
def points_of(name: str):
    body, n, options = BODIES[name]
    return background_points(body, n, **options)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_points_lie_outside_and_keep_their_spacing(name):
    body, n, options = BODIES[name]
    found = points_of(name)
    assert found.points.shape == (n, body.dimension)
    distance = signed_distance(body, found.points).distance
    assert (distance > 0).all()
    np.testing.assert_allclose(found.distance, distance, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.spacing, found.growth * np.maximum(distance, options["wall_zone"]), rtol=1e-5)
    nearest = KDTree(found.points).query(found.points, k=2)[0][:, 1] / found.spacing
    assert np.percentile(nearest, 1) > 0.45  # of a Poisson process of that density 1 % would be below 0.06 (2-D) or 0.13 (3-D)
    assert nearest.min() > 0.2
    assert 0.7 < np.median(nearest) < 1.1
    share = found.weights / found.spacing**body.dimension
    assert 0.8 < np.median(share) < 1.25
    assert share.min() > 0.15
    assert share.max() < 5.0


@pytest.mark.parametrize("name", sorted(BODIES))
def test_weights_add_up_to_the_volume_of_the_region_exactly(name):
    body, _, options = BODIES[name]
    found = points_of(name)
    extent = np.ptp(body.points, axis=0).max()
    low = np.array(options.get("lower", body.bounds[0] - 2 * extent))
    high = np.array(options.get("upper", body.bounds[1] + 2 * extent))
    assert ((found.points > low) & (found.points < high)).all()
    np.testing.assert_allclose(found.weights.sum(), (high - low).prod() - enclosed_volume(body), rtol=1e-12)
    assert (found.weights > 0).all()


def test_weighted_sums_are_integrals():
    """Over a cube of side 2 without a ball of radius 1/2: x^2 + y^2 + z^2 gives 8 - 4 pi / 5 / 2^5, x + 1 the volume."""
    body = icosphere(3, 0.5)
    found = background_points(body, 1500, lower=(-1, -1, -1), upper=(1, 1, 1), wall_zone=0.2)
    volume = 8 - enclosed_volume(body)
    assert (found.weights * (found.points[:, 0] + 1)).sum() == pytest.approx(volume, rel=3e-3)
    square = (found.weights * (found.points**2).sum(axis=1)).sum()
    inertia = (found.weights * 3 * found.spacing**2 / 12).sum()  # of cubes about their middles, which one point per cell leaves out
    assert 0 < 8 - 4 * np.pi / 5 / 2**5 - square < 1.3 * inertia < 0.4


def test_more_points_finer_everywhere_and_the_error_of_a_sum_falls():
    body = circle(200, 0.5)
    exact = 2 * np.pi * (0.5 / 4 + 1 / 16)  # exp(-4 (r - 1/2)) over the plane beyond radius 1/2
    growths, errors = [], []
    for n in (300, 1200, 4800):
        found = background_points(body, n, lower=(-3, -3), upper=(3, 3), wall_zone=0.1)
        growths.append(found.growth)
        r = np.linalg.norm(found.points, axis=1)
        value = (found.weights * np.exp(-4 * (r - 0.5))).sum()
        errors.append(abs(value - exact))
    np.testing.assert_allclose(np.array(growths[:-1]) / growths[1:], 2.0, rtol=0.05)  # n growth^2 stays the same
    assert errors[2] < 0.25 * errors[0]
    assert errors[2] < 0.01


def test_the_seed_decides_and_nothing_else():
    body = naca4("2412", 100)
    first, again, other = (background_points(body, 400, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.points, again.points)
    np.testing.assert_array_equal(first.weights, again.weights)
    assert not np.array_equal(first.points, other.points)


def test_scaled_bodies_have_scaled_points():
    body = naca4("2412", 100)
    one, big = (background_points(body.moved(scale * body.points), 300) for scale in (1.0, 1024.0))
    np.testing.assert_allclose(big.points / 1024.0, one.points, atol=1e-12)
    np.testing.assert_allclose(big.weights / 1024.0**2, one.weights, rtol=1e-9)


def test_what_is_impossible_is_said_together():
    with pytest.raises(ConfigurationError) as caught:
        background_points(circle(50), 2, wall_zone=-1.0, lower=(0, 0), upper=(2, 2))
    for word in ("n is 2", "wall_zone", "does not hold the body"):
        assert word in str(caught.value)
    with pytest.raises(ConfigurationError, match="2 numbers each"):
        background_points(circle(50), 100, lower=(0, 0, 0))
    with pytest.raises(InvalidMeshError, match="surface"):
        background_points(Mesh(np.zeros((3, 2))), 100)
    opened = Mesh(naca4().points, naca4().cells.take(np.arange(150)))
    with pytest.raises(InvalidMeshError, match="open"):
        background_points(opened, 100)


def together(*parts: Mesh) -> Mesh:
    starts = np.cumsum([0] + [len(part.points) for part in parts])
    cells = [part.cells.renumbered(np.arange(len(part.points)) + at) for part, at in zip(parts, starts[:-1], strict=True)]
    return Mesh(np.concatenate([part.points for part in parts]), Cells.concatenate(cells))


ROUND, LENS = circle(100), 2 * np.arccos(0.5) - 0.5 * np.sqrt(3)
TANGLED = {
    "two equal circles": (together(ROUND, ROUND), 100 - enclosed_volume(ROUND), 500),
    "overlapping circles": (together(ROUND, circle(100, 1.0, (1.0, 0.0))), 15 * 14 - 2 * enclosed_volume(ROUND) + LENS, 500),
    "figure eight": (ring(np.array([[0, 0], [1, 1], [1, 0], [0, 1.0]]), "eight"), 25 - 0.5, 300),
}


@pytest.mark.parametrize("name", sorted(TANGLED))
def test_of_bodies_that_overlap_the_weights_add_up_to_the_region_outside_their_union_and_a_note_says_so(name):
    body, volume, n = TANGLED[name]
    found = background_points(body, n)
    assert found.weights.sum() == pytest.approx(volume, rel=2e-3)
    assert len(found.notes) == 1 and "overlaps, repeats or cuts itself" in found.notes[0]


def test_of_two_copies_of_a_surface_the_weights_are_those_of_one():
    one = icosphere(1)
    found = background_points(together(one, one), 300)
    extent = np.ptp(one.points, axis=0)
    box_volume = (extent + 4 * extent.max()).prod()
    assert found.weights.sum() == pytest.approx(box_volume - enclosed_volume(one), rel=1e-3)
    assert found.notes


@pytest.mark.parametrize("name", sorted(BODIES))
def test_of_sound_bodies_there_is_nothing_to_note(name):
    assert points_of(name).notes == ()


@pytest.mark.parametrize(("body", "zone"), [(ROUND, 1e-5), (ROUND, 1e-9), (icosphere(1), 1e-4)], ids=["plane", "plane, tiny", "space"])
def test_a_zone_too_thin_for_the_points_is_refused_before_memory_is_asked_for_and_the_remedy_is_true(body, zone):
    import tracemalloc

    tracemalloc.start()
    with pytest.raises(ConfigurationError, match="wall_zone") as caught:
        background_points(body, 400, wall_zone=zone)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6
    asked = float(re.search(r"wall_zone=([0-9.e+-]+)", str(caught.value))[1])
    found = background_points(body, 400, wall_zone=asked)
    assert found.growth < 1.5 and len(found.points) == 400


def test_a_thin_zone_and_the_points_that_it_asks_for_fit_together():
    found = background_points(ROUND, 4000, wall_zone=3e-3)
    assert found.growth == pytest.approx(np.sqrt(2 * 2 * np.pi / 3e-3 / 4000), rel=0.05)  # wall 2 pi, and what is far adds little


@pytest.mark.parametrize("corner", [np.inf, np.nan])
def test_a_box_without_end_is_refused(corner):
    with pytest.raises(ConfigurationError, match="NaN or infinite"):
        background_points(ROUND, 300, lower=(-5, -5), upper=(corner, 5))
