"""Cases labelled by walks: fields, and the identity that makes noisy labels sound for regression."""

import numpy as np
import pytest

from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle
from geoop.truth.diffusion.walk_labels import walked_case


def saddle(points):
    return points[:, 0] ** 2 - points[:, 1] ** 2


def test_a_case_holds_estimates_their_errors_and_exact_boundary_values():
    mesh = mesh_inside(circle(40), size=0.25)
    case = walked_case(mesh, saddle, walks=200, name="walked")
    u, error = (np.asarray(case.fields[key].values) for key in ("solution", "solution_standard_error"))
    exact = saddle(mesh.points)
    edge = np.unique(np.concatenate([mesh.patch_points(patch) for patch in mesh.patches]))
    inside = np.setdiff1d(np.arange(len(u)), edge)
    np.testing.assert_allclose(u[edge], exact[edge], atol=1e-9)
    assert (error[inside] > 0).all() and error[edge].max() < 1e-9
    assert ((u - exact)[inside] / error[inside]).std() == pytest.approx(1.0, abs=0.25)
    assert set(case.boundary) == set(mesh.patches) and "source" not in case.fields


def test_a_cloud_needs_only_an_outline():
    """No mesh of the region anywhere."""
    points = np.random.default_rng(0).uniform(-0.6, 0.6, (30, 2))
    case = walked_case(Mesh(points), lambda p: 0 * p[:, 0], source=lambda p: 4 + 0 * p[:, 0], outline=circle(400), walks=100)
    u, error = (np.asarray(case.fields[key].values) for key in ("solution", "solution_standard_error"))
    assert np.abs((u - (1 - (points**2).sum(axis=1))) / error).max() < 4.5
    np.testing.assert_array_equal(case.fields["source"].values, 4.0)


def test_noisy_labels_add_their_variance_and_nothing_else():
    """E |N - u^|^2 = |N - u|^2 + Var u^, for a predictor N that knows nothing of the labels; a biased label would not obey it."""
    points = np.random.default_rng(0).uniform(-0.6, 0.6, (8000, 2))
    case = walked_case(Mesh(points), saddle, outline=circle(400), walks=4, shell=1e-3, seed=3)
    u, error = (np.asarray(case.fields[key].values) for key in ("solution", "solution_standard_error"))
    predicted = 0.8 * saddle(points) + 0.1
    noisy, clean, variance = ((predicted - u) ** 2).mean(), ((predicted - saddle(points)) ** 2).mean(), (error**2).mean()
    spread = 4 * ((predicted - u) ** 2 - error**2).std() / np.sqrt(len(points))
    assert abs(noisy - clean - variance) < spread
    assert variance > 5 * spread  # the variance matters: without it the two sides differ


def test_regression_on_few_walks_finds_the_solution():
    """Labels of four walks are off by 0.2; harmonic polynomials fitted to 1500 of them are off by a tenth of that, elsewhere too."""
    random = np.random.default_rng(1)
    points, elsewhere = (random.uniform(-0.6, 0.6, (n, 2)) for n in (1500, 300))
    case = walked_case(Mesh(points), saddle, outline=circle(200), walks=4, shell=1e-3)
    label = np.asarray(case.fields["solution"].values)

    def basis(p):
        z = (p[:, :1] + 1j * p[:, 1:]) ** np.arange(5)
        return np.concatenate([z.real, z.imag[:, 1:]], axis=1)

    weights, *_ = np.linalg.lstsq(basis(points), label, rcond=None)
    of_labels = np.sqrt(np.mean((label - saddle(points)) ** 2))
    assert np.sqrt(np.mean((basis(elsewhere) @ weights - saddle(elsewhere)) ** 2)) < 0.15 * of_labels
