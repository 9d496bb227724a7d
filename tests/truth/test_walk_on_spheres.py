"""Walks on spheres: Monte Carlo order, honest standard errors, bias of the shell, sources, shapes; answers from distances alone."""

import numpy as np
import pytest
from scipy import stats

from geoop.errors import ConfigurationError, ConvergenceError, FieldError
from geoop.mesh.distance import signed_distance
from geoop.mesh.generate.polygons import random_star
from geoop.mesh.primitives import box, circle, icosphere, ring, torus
from geoop.truth.walk_on_spheres import _green_radius, walk_on_spheres


def saddle(points):
    """x^2 - y^2: harmonic in the plane and in space."""
    return points[:, 0] ** 2 - points[:, 1] ** 2


def zero(points):
    return np.zeros(len(points))


def ball(points):
    return np.linalg.norm(points, axis=1) - 1.0


def doughnut(points):
    """A solid torus of radii 0.7 and 0.3: not convex, not simply connected."""
    return np.hypot(np.hypot(points[:, 0], points[:, 1]) - 0.7, points[:, 2]) - 0.3


L_SHAPE = ring(np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.0], [0.0, 0.0], [0.0, 0.5], [-0.5, 0.5]]), "L")
REGIONS = {
    "disk": (ball, 2),
    "square": (box((-0.5, -0.5), (0.5, 0.5)), 2),
    "L-shape": (L_SHAPE, 2),
    "star": (ring(random_star(np.random.default_rng(3), 96, roughness=0.5), "star"), 2),
    "cube": (box((-0.5,) * 3, (0.5,) * 3), 3),
    "doughnut": (doughnut, 3),
    "torus of triangles": (torus(24, 12, major=0.7, minor=0.3), 3),
}


def inner(region, d, count, margin=1e-3):
    """Random points of a region, not closer to its boundary than the margin."""
    p = np.random.default_rng(0).uniform(-1, 1, (200 * count, d))
    distance = region(p) if callable(region) else signed_distance(region, p).distance
    return p[distance < -margin][:count]


def shell_of(region):
    return 1e-4 if callable(region) else None


@pytest.mark.parametrize("name", REGIONS)
def test_the_error_falls_with_the_root_of_the_walks_and_standard_errors_are_honest(name):
    """Slope -1/2 over more than a decade (slow: over three or four); errors over standard errors are normal numbers."""
    region, d = REGIONS[name]
    points = inner(region, d, 48)
    counts = [8, 40, 200] if name in ("cube", "torus of triangles") else [8, 50, 320, 2000]
    errors = []
    for seed, walks in enumerate(counts):
        found = walk_on_spheres(region, points, saddle, walks=walks, shell=shell_of(region), seed=seed)
        errors.append(np.sqrt(np.mean((found.mean - saddle(points)) ** 2)))
    slope = np.polyfit(np.log(counts), np.log(errors), 1)[0]
    score = (found.mean - saddle(points)) / found.error
    assert slope == pytest.approx(-0.5, abs=0.15)  # 48 points: the slope itself scatters by 0.04
    assert stats.kstest(score, "norm").pvalue > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["disk", "square", "L-shape", "cube"])
def test_the_root_of_the_walks_over_three_or_four_decades(name):
    region, d = REGIONS[name]
    points = inner(region, d, 64)
    counts = [10, 100, 1000, 10_000, *([100_000] if name == "disk" else [])]
    found = [walk_on_spheres(region, points, saddle, walks=walks, shell=1e-5, seed=walks) for walks in counts]
    errors = [np.sqrt(np.mean((item.mean - saddle(points)) ** 2)) for item in found]
    assert np.polyfit(np.log(counts), np.log(errors), 1)[0] == pytest.approx(-0.5, abs=0.1)


def test_scores_over_many_points_are_standard_normal_and_wrong_errors_are_found():
    points = inner(ball, 2, 1500, margin=0.1)  # closer to it rare long walks count, of which 200 walks hold too few to tell their spread
    found = walk_on_spheres(ball, points, saddle, walks=200, shell=1e-5)
    score = (found.mean - saddle(points)) / found.error
    assert abs(score.mean()) < 4 / np.sqrt(len(points))
    assert score.std() == pytest.approx(1.0, abs=0.06)
    assert stats.kstest(score, "norm").pvalue > 1e-3
    assert stats.kstest(1.2 * score, "norm").pvalue < 1e-3  # the control: errors that are 20 % too small would be seen


@pytest.mark.parametrize("d", [2, 3])
def test_a_unit_source_in_a_ball(d):
    """-laplace(u) = 1, u = 0 on the boundary: u = (1 - r^2)/(2 d)."""
    points = inner(ball, d, 300, margin=0.1)
    found = walk_on_spheres(ball, points, zero, source=lambda p: np.ones(len(p)), walks=400, shell=1e-5)
    score = (found.mean - (1 - (points**2).sum(axis=1)) / (2 * d)) / found.error
    assert abs(score.mean()) < 4 / np.sqrt(len(points)) and score.std() == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("name", ["L-shape", "cube"])
def test_a_source_that_varies_with_boundary_values_that_vary(name):
    """u = sin(2 x) e^y, -laplace(u) = 3 u: values and source both count, on a region without a closed form of its own."""
    region, d = REGIONS[name]
    exact = lambda p: np.sin(2 * p[:, 0]) * np.exp(p[:, 1])  # noqa: E731
    points = inner(region, d, 80, margin=0.05)
    found = walk_on_spheres(region, points, exact, source=lambda p: 3 * exact(p), walks=600)
    score = (found.mean - exact(points)) / found.error
    assert abs(score.mean()) < 4 / np.sqrt(len(points)) and score.std() == pytest.approx(1.0, abs=0.3)
    without = walk_on_spheres(region, points, exact, walks=600)
    assert ((without.mean - exact(points)) / without.error).std() > 1.35  # the control: the source matters


@pytest.mark.parametrize("d", [2, 3])
def test_green_radii_have_the_moments_of_greens_function(d):
    """E s^2 = int s^2 G / int G: 1/4 in the plane, 3/10 in space."""
    s = _green_radius(np.random.default_rng(0), 400_000, d)
    assert (s**2).mean() == pytest.approx({2: 1 / 4, 3: 3 / 10}[d], rel=5e-3)
    assert s.min() >= 0 and s.max() <= 1


def test_the_bias_of_the_shell_is_of_first_order():
    """Under a unit load, walks that stop early miss the rest of u: the bias has one sign and doubles with the shell."""
    shells, points = [0.02, 0.04, 0.08], np.array([[0.3, 0.2]])
    bias = [walk_on_spheres(ball, points, zero, source=lambda p: np.ones(len(p)), walks=120_000, shell=s).mean[0] - 0.2175 for s in shells]
    assert max(bias) < 0
    assert np.polyfit(np.log(shells), np.log(np.negative(bias)), 1)[0] == pytest.approx(1.0, abs=0.25)


def test_steps_grow_with_the_logarithm_of_the_shell():
    steps = [walk_on_spheres(ball, np.zeros((1, 2)) + 0.3, saddle, walks=4000, shell=s).steps for s in (1e-2, 1e-4, 1e-6)]
    assert np.diff(steps)[0] == pytest.approx(np.diff(steps)[1], rel=0.15)


def test_columns_are_solutions_of_their_own_from_the_same_walks():
    region, d = REGIONS["square"]
    points = inner(region, d, 5)
    both = walk_on_spheres(region, points, lambda p: np.stack([saddle(p), p[:, 0]], axis=1), walks=64)
    one = walk_on_spheres(region, points, saddle, walks=64)
    np.testing.assert_array_equal(both.mean[:, 0], one.mean)
    np.testing.assert_array_equal(both.error[:, 0], one.error)
    assert both.mean.shape == both.error.shape == (5, 2)


def test_the_seed_decides_and_blocks_do_not_mix_points():
    region, d = REGIONS["disk"]
    points = inner(region, d, 30)
    first, again, other = (walk_on_spheres(region, points, saddle, walks=5000, shell=1e-3, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.mean, again.mean)
    assert (first.mean != other.mean).all()
    score = (first.mean - saddle(points)) / first.error  # 150 000 walks: points lie across the borders of blocks
    assert np.abs(score).max() < 4.5


def test_large_constants_do_not_spoil_the_standard_error():
    region, d = REGIONS["disk"]
    points = inner(region, d, 10)
    plain, lifted = (walk_on_spheres(region, points, lambda p, c=c: saddle(p) + c, walks=64, shell=1e-3) for c in (0.0, 1e6))
    np.testing.assert_allclose(plain.error, lifted.error, rtol=1e-6)


def test_a_distance_that_is_too_small_costs_steps_only():
    """Half the distance is a bound from below: balls stay in the region."""
    points = inner(ball, 2, 200)
    full = walk_on_spheres(ball, points, saddle, walks=100, shell=1e-4)
    half = walk_on_spheres(lambda p: 0.5 * ball(p), points, saddle, walks=100, shell=1e-4)
    score = (half.mean - saddle(points)) / half.error
    assert half.steps > 1.5 * full.steps and score.std() == pytest.approx(1.0, abs=0.2)


def test_mesh_and_formula_agree():
    """A fine sphere of triangles and the formula of its distance."""
    points = inner(ball, 3, 60)
    mesh = walk_on_spheres(icosphere(3), points, saddle, walks=200)
    assert np.abs((mesh.mean - saddle(points)) / mesh.error).max() < 4.5


def test_points_of_the_boundary_answer_its_values():
    body = circle(50)
    found = walk_on_spheres(body, body.points, saddle, walks=2)
    np.testing.assert_allclose(found.mean, saddle(body.points), atol=1e-12)
    assert found.error.max() < 1e-12


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"points": np.array([[2.0, 0.0]])}, ConfigurationError, "1 of 1 points lie outside"),
        ({"walks": 1}, ConfigurationError, "at least 2 walks"),
        ({"shell": None}, ConfigurationError, "shell is None"),
        ({"boundary": lambda p: np.full(len(p), np.nan)}, FieldError, "not finite"),
        ({"source": lambda p: np.ones(3)}, FieldError, r"source answers \(3,\)"),
        ({"region": lambda p: np.full(len(p), -1.0)}, ConvergenceError, "did not end"),
    ],
)
def test_what_cannot_be_walked_is_said(change, error, message):
    given = {"region": ball, "points": np.zeros((1, 2)), "boundary": saddle, "walks": 4, "shell": 1e-3, "source": None, **change}
    with pytest.raises(error, match=message):
        walk_on_spheres(given["region"], given["points"], given["boundary"], source=given["source"], walks=given["walks"], shell=given["shell"])
