"""Samples: weights that add up, laws of density, reproducibility, thinning."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, ConvergenceError, InvalidMeshError, NonFiniteError
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.measure import cell_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, capsule, circle, icosphere, naca4, ring, torus, wing
from geoop.mesh.sampling import farthest_points, sample_by_curvature, sample_near_wall, sample_surface, sample_volume, thinned_weights


@pytest.mark.parametrize(
    "surface", [naca4("2412", 60), circle(7, 2.0), icosphere(2), box((0, 0, 0), (1, 2, 3), 2), wing(naca4("0012", 30))], ids=lambda m: m.name
)
def test_surface_weights_add_up_to_the_area_and_points_lie_on_their_facets(surface):
    sample = sample_surface(surface, 500, seed=1)
    assert sample.weights.sum() == pytest.approx(cell_measures(surface).sum(), rel=1e-13)
    found = signed_distance(surface, sample.points, signed=False)
    assert np.abs(found.distance).max() < 1e-7
    offset = sample.points - surface.points[surface.cells.connectivity[surface.cells.offsets[sample.facet]]]
    assert np.abs((offset * sample.normals).sum(axis=1)).max() < 1e-12


def test_weights_of_sub_clouds_add_up():
    sphere = icosphere(3)
    sample = sample_surface(sphere, 20_000)
    top = sample.points[:, 2] > 0
    assert sample.weights[top].sum() + sample.weights[~top].sum() == pytest.approx(cell_measures(sphere).sum(), rel=1e-12)
    assert sample.weights[top].sum() == pytest.approx(cell_measures(sphere).sum() / 2, rel=0.01)


def test_stratified_sampling_integrates_better_than_independent_points():
    ring_ = circle(400)
    exact = cell_measures(ring_) @ ring_.points[ring_.cells.block("line")].mean(axis=1)[:, 0] ** 2
    errors = [abs((s.weights * s.points[:, 0] ** 2).sum() - exact) for s in (sample_surface(ring_, 1000, seed=k) for k in range(5))]
    assert max(errors) < 0.01 * np.pi / np.sqrt(1000)  # independent points err by about 0.7 pi / sqrt(n)


def test_same_seed_same_points():
    for draw in (
        lambda seed: sample_surface(icosphere(1), 20, seed=seed).points,
        lambda seed: sample_volume((-2, -2), (2, 2), 20, body=circle(9), seed=seed).points,
        lambda seed: sample_near_wall(naca4(), 20, nearest=1e-3, farthest=1.0, seed=seed).points,
    ):
        np.testing.assert_array_equal(draw(3), draw(3))
        np.testing.assert_array_equal(draw(np.random.default_rng(3)), draw(3))
        assert (draw(3) != draw(4)).any()


def test_volume_samples_stay_outside_and_weigh_the_fluid():
    body = circle(100)
    sample = sample_volume((-2, -2), (2, 2), 20_000, body=body)
    assert (sample.distance > 0).all()
    np.testing.assert_array_equal(sample.distance, signed_distance(body, sample.points).distance)
    assert sample.weights.sum() == pytest.approx(16 - np.pi, rel=0.02)
    empty = sample_volume((0, 0, 0), (1, 2, 3), 10)
    assert empty.weights.sum() == pytest.approx(6.0)


@pytest.mark.parametrize("body", [circle(12), naca4("2412", 60), box((0, 0), (2, 1))], ids=lambda m: m.name)
def test_near_wall_law_in_the_plane(body):
    low, high = 1e-4, 0.5
    sample = sample_near_wall(body, 8000, nearest=low, farthest=high)
    u = np.sort(np.log(sample.distance / low) / np.log(high / low))
    assert np.abs(u - (np.arange(8000) + 0.5) / 8000).max() < 1.95 / np.sqrt(8000)  # Kolmogorov-Smirnov at 0.1 %
    np.testing.assert_allclose(signed_distance(body, sample.points).distance, sample.distance, atol=1e-14)
    # Steiner: a layer round a convex body has the area L h + pi h^2; the aerofoil is convex but for its camber
    layer = cell_measures(body).sum() * (high - low) + np.pi * (high**2 - low**2)
    assert sample.weights.sum() == pytest.approx(layer, rel=0.05)


@pytest.mark.parametrize("body", [box((0, 0, 0), (1, 2, 3)), icosphere(2)], ids=lambda m: m.name)
def test_near_wall_weights_in_space_add_up_to_the_steiner_volume(body):
    area, edges = (22.0, 24.0 * np.pi / 4) if body.name == "box" else (cell_measures(body).sum(), None)
    sample = sample_near_wall(body, 6000, nearest=1e-3, farthest=1.0)
    exact = area + edges + 4 / 3 * np.pi if edges else 4 / 3 * np.pi * (2**3 - 1)
    assert sample.weights.sum() == pytest.approx(exact, rel=0.06)
    assert sample.distance.min() >= 1e-3 * (1 - 1e-3)


def test_a_sharp_trailing_edge_gets_its_share():
    sample = sample_near_wall(naca4("0012", 200), 5000, nearest=1e-3, farthest=1.0)
    behind = (sample.points[:, 0] > 1.0) & (np.abs(sample.points[:, 1]) < sample.points[:, 0] - 1.0)
    assert behind.sum() > 100  # a quarter turn at one point, although the segments there have next to no length


def test_gaps_are_thinned_out_and_too_narrow_ones_are_named():
    u = ring(np.array([(0.0, 0), (3, 0), (3, 3), (2, 3), (2, 1), (1, 1), (1, 3), (0, 3)]), "u")
    sample = sample_near_wall(u, 2000, nearest=0.01, farthest=2.0)
    inside_gap = (np.abs(sample.points[:, 0] - 1.5) < 0.5) & (sample.points[:, 1] > 1) & (sample.points[:, 1] < 3)
    assert sample.distance[inside_gap].max() <= 0.5 + 1e-9
    tooth = np.array([(0.0, 0), (0, 20), (0.005, 20), (0.005, 0)])
    teeth = np.concatenate([tooth + [0.01 * k, 0] for k in range(300)])
    comb = ring(np.concatenate([teeth, [(3.0, 0), (3, -0.1), (0, -0.1)]])[::-1], "comb")
    with pytest.raises(ConvergenceError, match="keeps that distance") as caught:
        sample_near_wall(comb, 64, nearest=0.05, farthest=0.1)
    assert "farthest" in caught.value.remedy


def test_farthest_points_are_the_greedy_ones():
    rng = np.random.default_rng(0)
    for d in (2, 3):
        points = rng.normal(size=(300, d))
        chosen = farthest_points(points, 40, 7)
        assert chosen[0] == 7
        assert len(set(chosen.tolist())) == 40
        for i in range(1, 40):
            nearest = np.linalg.norm(points[:, None] - points[chosen[:i]], axis=2).min(axis=1)
            assert nearest[chosen[i]] == pytest.approx(nearest.max(), rel=1e-5)
    assert sorted(farthest_points(np.zeros((5, 2)), 5).tolist()) == list(range(5))  # equal points are taken once each


def test_rounding_does_not_choose_among_mirrored_points():
    ring = naca4("0012", 100).points
    plain = farthest_points(ring, 30)
    for seed in range(5):
        noise = 1.0 + 1e-7 * np.random.default_rng(seed).standard_normal(ring.shape)
        np.testing.assert_array_equal(farthest_points(3.7 * noise * ring, 30), plain)


SURFACES = [naca4("2412", 60), icosphere(2), box((0, 0, 0), (1, 2, 3), 2), box((0, 0), (1, 2), 3), wing(naca4("0012", 30)), torus(20, 9), capsule(12)]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("surface", SURFACES, ids=lambda m: f"{m.name}-{m.dimension}")
def test_weights_of_curvature_aware_samples_add_up_to_the_area(surface, share):
    sample = sample_by_curvature(surface, 400, share=share, seed=3)
    area = cell_measures(surface).sum()
    assert sample.weights.sum() == pytest.approx(area, rel=1e-12)
    assert (sample.weights >= 0).all()
    assert np.abs(signed_distance(surface, sample.points, signed=False).distance).max() < 1e-6
    np.testing.assert_array_equal(sample.points, sample_by_curvature(surface, 400, share=share, seed=3).points)
    if share == 0:
        np.testing.assert_allclose(sample.weights, area / 400, rtol=1e-9)
        np.testing.assert_allclose(sample.points, sample_surface(surface, 400, seed=3).points, atol=1e-9)


def test_density_follows_curvature():
    """Half of the points by area, half by curvedness: on the ends of a capsule c = 2, on its cylinder c = sqrt(2)."""
    body = capsule(48, length=2.0, radius=0.5)
    sample = sample_by_curvature(body, 20_000, share=1.0)
    round_ = np.abs(sample.points[:, 0]) > 1
    ends, side = np.pi * 2.0, 2 * np.pi * np.sqrt(2)  # curvedness times area
    assert round_.mean() == pytest.approx(ends / (ends + side), rel=0.02)
    section = naca4("0012", 200)
    nose = sample_by_curvature(section, 2000).points[:, 0] < 0.02  # where the section turns by almost as much as at its trailing edge
    assert nose.mean() > 5 * (sample_surface(section, 2000).points[:, 0] < 0.02).mean()


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_weighted_sums_of_curvature_aware_samples_are_integrals(share):
    surface = torus(60, 30, major=1.0, minor=0.4)
    sample = sample_by_curvature(surface, 20_000, share=share)
    x, y, _ = surface.points[surface.cells.block("triangle")].mean(axis=1).T
    exact = cell_measures(surface) @ (x**2 + y**2)
    assert (sample.weights * (sample.points[:, :2] ** 2).sum(axis=1)).sum() == pytest.approx(exact, rel=3e-3)


@pytest.mark.parametrize("surface", SURFACES, ids=lambda m: f"{m.name}-{m.dimension}")
def test_weights_of_thinned_points_add_up_to_the_area(surface):
    sample = sample_surface(surface, 600)
    chosen = farthest_points(sample.points, 50)
    weights = thinned_weights(sample.points, sample.weights, chosen)
    assert weights.sum() == pytest.approx(cell_measures(surface).sum(), rel=1e-12)
    assert (weights > 0).all()
    with pytest.raises(ConfigurationError, match="no point is left"):
        thinned_weights(sample.points, sample.weights, chosen[:0])


def test_bad_input_is_named():
    with pytest.raises(ConfigurationError, match="share"):
        sample_by_curvature(circle(5), 10, share=1.5)
    with pytest.raises(InvalidMeshError, match="zero area"):
        sample_by_curvature(Mesh([[0, 0], [0, 0.0]], Cells.of(line=np.array([[0, 1]]))), 3)
    with pytest.raises(ConfigurationError, match="0 points"):
        sample_surface(circle(5), 0)
    with pytest.raises(InvalidMeshError, match="zero area"):
        sample_surface(Mesh([[0, 0], [0, 0.0]], Cells.of(line=np.array([[0, 1]]))), 3)
    with pytest.raises(InvalidMeshError, match="boundary|surface|outline"):
        sample_surface(Mesh([[0, 0], [1, 0], [0, 1.0]], Cells.of(triangle=np.array([[0, 1, 2]]))), 3)
    with pytest.raises(ConfigurationError, match="box"):
        sample_volume((0, 0), (1, -1), 3)
    with pytest.raises(ConfigurationError, match="3-D"):
        sample_volume((0, 0), (1, 1), 3, body=icosphere(1))
    with pytest.raises(ConvergenceError, match="less than 1 %"):
        sample_volume((-0.1, -0.1), (0.1, 0.1), 3, body=circle(30))
    with pytest.raises(ConfigurationError, match="distances"):
        sample_near_wall(circle(9), 3, nearest=1.0, farthest=0.5)
    with pytest.raises(ConfigurationError, match="cannot choose"):
        farthest_points(np.zeros((3, 2)), 4)


def twice(body: Mesh) -> Mesh:
    """Every facet listed twice, on points of its own."""
    again = body.cells.renumbered(np.arange(len(body.points)) + len(body.points))
    return Mesh(np.concatenate([body.points, body.points]), Cells.concatenate([body.cells, again]))


@pytest.mark.parametrize("body", [box(), box((0, 0), (1, 1))], ids=["3-D", "2-D"])
def test_facets_that_are_listed_twice_count_once_next_to_the_wall(body):
    one, two = (sample_near_wall(surface, 4000, nearest=0.01, farthest=0.1) for surface in (body, twice(body)))
    assert two.weights.sum() == pytest.approx(one.weights.sum(), rel=1e-9)
    grown = {2: 4 * 0.09 + np.pi * (0.1**2 - 0.01**2), 3: 6 * 0.09 + 3 * np.pi * (0.1**2 - 0.01**2) + 4 / 3 * np.pi * (0.1**3 - 0.01**3)}
    assert two.weights.sum() == pytest.approx(grown[body.dimension], rel=0.03)


@pytest.mark.parametrize("body", [icosphere(1), circle(20)], ids=["3-D", "2-D"])
def test_an_open_surface_has_no_layer_next_to_its_wall(body):
    with pytest.raises(InvalidMeshError, match="open"):
        sample_near_wall(Mesh(body.points, body.cells.take(np.arange(3, len(body.cells)))), 10, nearest=1e-3, farthest=1e-1)


def test_numbers_that_are_not_finite_are_named():
    for upper in ((np.inf, 1.0), (np.nan, 1.0)):
        with pytest.raises(ConfigurationError, match="box"):
            sample_volume((0, 0), upper, 3)
    with pytest.raises(NonFiniteError):
        farthest_points(np.array([[0, 0], [np.nan, 0], [1, 1.0]]), 2)


def test_curvature_that_cannot_be_fitted_still_gives_samples():
    sample = sample_by_curvature(box(), 300, share=0.8)
    assert sample.weights.sum() == pytest.approx(6.0, rel=1e-12)
