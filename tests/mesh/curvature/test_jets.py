"""Shape index by its definition; frames are frames; a polynomial surface is found exactly."""

import numpy as np

from geoop.mesh.curvature.jets import fit_jets, frames, shape_index


def test_shape_index_of_the_named_shapes():
    shapes = {(1, 1): 1.0, (1, 0): 0.5, (1, -1): 0.0, (0, -1): -0.5, (-2, -2): -1.0, (0, 2): 0.5}
    np.testing.assert_allclose(shape_index(np.array(list(shapes), dtype=float)), list(shapes.values()), atol=1e-15)
    assert np.isnan(shape_index(np.zeros((1, 2)))).all()
    k = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(shape_index(7 * k), shape_index(k))
    np.testing.assert_allclose(shape_index(-k), -shape_index(k))


def test_frames_are_right_handed():
    n = np.random.default_rng(0).normal(size=(100, 3))
    n = np.concatenate([n / np.linalg.norm(n, axis=1, keepdims=True), np.eye(3), -np.eye(3)])
    found = frames(n)
    np.testing.assert_allclose(np.einsum("nad,nbd->nab", found, found), np.broadcast_to(np.eye(3), (106, 3, 3)), atol=1e-15)
    np.testing.assert_allclose(np.linalg.det(found), 1.0)
    np.testing.assert_array_equal(found[:, 2], n)


def test_a_polynomial_surface_is_found_exactly():
    rng = np.random.default_rng(0)
    uv = rng.uniform(-1, 1, (40, 2))
    uv[0] = 0
    a, b, c, p, q = 0.7, -0.2, 1.1, 0.4, -0.3
    w = p * uv[:, 0] + q * uv[:, 1] - (a * uv[:, 0] ** 2 + 2 * b * uv[:, 0] * uv[:, 1] + c * uv[:, 1] ** 2) / 2 + uv[:, 0] ** 3
    points = np.concatenate([uv, w[:, None]], axis=1)
    at = fit_jets(points, np.array([0]), np.arange(40)[None], np.ones((1, 40), dtype=bool), np.array([[0.0, 0, 1]]), 3)
    g = 1 + p * p + q * q
    np.testing.assert_allclose(at.gauss, (a * c - b * b) / g**2, rtol=1e-8)
    np.testing.assert_allclose(at.mean, ((1 + p * p) * c - 2 * p * q * b + (1 + q * q) * a) / (2 * g**1.5), rtol=1e-8)
    np.testing.assert_allclose(at.normals[0], np.array([-p, -q, 1]) / np.sqrt(g), atol=1e-10)
    assert at.residual[0] < 1e-9
