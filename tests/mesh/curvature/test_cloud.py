"""Curvature of raw points: accuracy without and with noise, normals turned to one side, bad input."""

import numpy as np
import pytest
from shapes import random_sphere, random_torus

from geoop.errors import ConfigurationError, NonFiniteError, ShapeError
from geoop.mesh.curvature import cloud_curvature, cloud_normals
from geoop.mesh.primitives import box, icosphere
from geoop.mesh.sampling import sample_surface


def off(found: np.ndarray, exact: np.ndarray | float) -> np.ndarray:
    return np.abs(found - exact) / np.abs(exact).max()


@pytest.mark.parametrize("seed", range(3))
def test_five_thousand_points_of_a_sphere_within_a_thousandth(seed):
    at = cloud_curvature(3.0 * random_sphere(5000, seed))
    assert off(3 * at.mean, 1.0).max() < 1e-3
    assert off(9 * at.gauss, 1.0).max() < 1e-3
    assert at.residual.max() < 1e-4


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("minor", "worst"), [(0.4, 0.02), (0.25, 0.04)])
def test_five_thousand_points_of_a_torus_within_a_hundredth(seed, minor, worst):
    """95 % of independent random points; the rest lie at gaps that chance leaves."""
    points, mean, gauss = random_torus(5000, minor, seed)
    at = cloud_curvature(points)
    for error in (off(at.mean, mean), off(at.gauss, gauss)):
        assert np.quantile(error, 0.95) < 0.01
        assert error.max() < worst


def test_noise_needs_more_neighbours_and_is_estimated():
    """What the docstring states: noise of 0.1 % and 1 % of the diameter, degree 2, error of the mean curvature of a sphere."""
    rng = np.random.default_rng(1)
    for noise, neighbors, typical, most in ((0.002, 128, 0.03, 0.06), (0.02, 256, 0.06, 0.16)):
        at = cloud_curvature(random_sphere(5000) + noise * rng.normal(size=(5000, 3)), neighbors=neighbors, degree=2)
        error = off(at.mean, 1.0)
        assert np.median(error) < typical
        assert np.quantile(error, 0.95) < most
        assert np.median(at.residual) == pytest.approx(noise, rel=0.1)


@pytest.mark.parametrize("shape", ["sphere", "torus", "two spheres", "box"])
def test_normals_point_out_of_the_body(shape):
    if shape == "box":
        sample = sample_surface(box((0, 0, 0), (1, 1, 0.4)), 6000)
        points, exact = sample.points, sample.normals
    elif shape == "torus":
        points, _, _ = random_torus(4000)
        axis = points * [1, 1, 0] / np.linalg.norm(points[:, :2], axis=1, keepdims=True)
        exact = (points - axis) / 0.4
    else:
        exact = random_sphere(2000)
        points = exact
        if shape == "two spheres":
            points, exact = np.concatenate([points, 0.5 * points + [0, 0, 4.0]]), np.concatenate([exact, exact])
    agree = np.einsum("nd,nd->n", cloud_normals(points), exact)
    assert (agree > 0).mean() > (0.999 if shape == "box" else 1 - 1e-12)
    assert np.median(agree) > 0.99


def test_given_normals_choose_the_side_and_their_length_is_nothing():
    points = random_sphere(800)
    out, inward = cloud_curvature(points, 5 * points), cloud_curvature(points, -points)
    np.testing.assert_allclose(out.principal, -inward.principal[:, ::-1], atol=1e-9)
    np.testing.assert_allclose(out.mean, 1.0, rtol=0.02)


def test_bad_input_is_named():
    points = random_sphere(50)
    with pytest.raises(ConfigurationError, match="15 coefficients"):
        cloud_curvature(points[:14])
    with pytest.raises(ConfigurationError, match="neighbours"):
        cloud_curvature(points, neighbors=5)
    with pytest.raises(ConfigurationError, match="degree"):
        cloud_curvature(points, degree=1)
    with pytest.raises(ShapeError):
        cloud_curvature(points[:, :2])
    with pytest.raises(ShapeError, match="normals"):
        cloud_curvature(points, points[:10])
    with pytest.raises(NonFiniteError):
        cloud_normals(np.full((9, 3), np.nan))
    assert np.isfinite(cloud_curvature(np.zeros((40, 3)) + np.arange(40)[:, None] * [1.0, 0, 0]).mean).all()  # a line: no surface, no crash


@pytest.mark.parametrize("copies", [2, 3, 40])
def test_repeated_points_change_nothing(copies):
    points = random_sphere(600)
    one, more = cloud_curvature(points), cloud_curvature(np.concatenate([points] * copies))
    for name in ("principal", "directions", "normals", "residual"):
        np.testing.assert_array_equal(getattr(more, name), np.concatenate([getattr(one, name)] * copies))
    np.testing.assert_array_equal(cloud_normals(np.concatenate([points] * copies)), np.concatenate([cloud_normals(points)] * copies))


def test_the_corners_of_an_stl_file_are_a_cloud():
    sphere = icosphere(3)
    corners = sphere.cells.block("triangle")
    found = cloud_curvature(sphere.points[corners].reshape(-1, 3))
    np.testing.assert_allclose(found.mean, 1.0, atol=0.01)
    with pytest.raises(ConfigurationError, match="14 different points"):
        cloud_curvature(np.concatenate([random_sphere(14)] * 10))


def test_zero_normals_are_estimated_and_others_must_be_finite():
    points = random_sphere(600)
    for side in (1.0, -1.0):
        some = side * points
        some[::7] = 0.0
        np.testing.assert_allclose(cloud_curvature(points, some).mean, side, rtol=0.02)
    for bad in (np.nan, np.inf):
        some = points.copy()
        some[3, 1] = bad
        with pytest.raises(NonFiniteError, match="normals"):
            cloud_curvature(points, some)
