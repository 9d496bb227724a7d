"""Closed forms of a triangle against quadrature, and the potentials of closed surfaces."""

import numpy as np
import pytest

from geoop.mesh import primitives
from geoop.truth.panels3d.influence import Kernel
from geoop.truth.panels3d.surface import TriangleSet, panel_surface

CORNERS = np.array([[0.1, -0.3, 0.2], [1.2, 0.1, -0.1], [0.3, 0.9, 0.4]])
POINTS = np.array([[0.5, 0.2, 1.0], [0.5, 0.2, -0.7], [3.0, -2.0, 1.0], [0.0, 1.5, 0.3]])


def quadrature(n=300):
    """Points and weights of a tensor Gauss rule collapsed to the triangle."""
    t, w = np.polynomial.legendre.leggauss(n)
    u, v = np.meshgrid(0.5 * (t + 1), 0.5 * (t + 1), indexing="ij")
    weight = np.outer(w, w) / 4 * 2 * u
    hats = np.stack([1 - u, u * (1 - v), u * v], axis=-1).reshape(-1, 3)
    area = 0.5 * np.linalg.norm(np.cross(CORNERS[1] - CORNERS[0], CORNERS[2] - CORNERS[0]))
    return hats, hats @ CORNERS, area * weight.ravel()


def test_source_potential_velocity_and_angle_against_quadrature():
    kernel = Kernel.of(TriangleSet.of(CORNERS, np.array([[0, 1, 2]])))
    _, y, w = quadrature(60)
    r = POINTS[:, None] - y
    d = np.linalg.norm(r, axis=2)
    logarithm, angle = kernel.logarithms_and_angles(POINTS)
    one = np.ones((1, 1))
    assert angle[:, 0] == pytest.approx((r @ kernel.normals[0] / d**3) @ w, abs=1e-10)
    potential = kernel.source_potential(POINTS, logarithm, angle, kernel.source_coefficients(one))
    assert potential[:, 0] == pytest.approx(-(1 / d) @ w / (4 * np.pi), abs=1e-12)
    velocity = kernel.velocity(POINTS, kernel.velocity_coefficients(one, np.zeros((1, 3, 1))))
    assert velocity[:, :, 0] == pytest.approx(np.einsum("psc,ps,s->pc", r, d**-3, w) / (4 * np.pi), abs=1e-10)


def test_linear_doublets_on_a_closed_surface_are_the_gradient_of_their_potential():
    skin = panel_surface(primitives.icosphere(1)).skin
    kernel = Kernel.of(skin)
    mu = (skin.points[:, 0] ** 2 - 0.3 * skin.points[:, 1] + skin.points[:, 2] * skin.points[:, 0])[skin.triangles]
    t, w = np.polynomial.legendre.leggauss(16)
    u, v = np.meshgrid(0.5 * (t + 1), 0.5 * (t + 1), indexing="ij")
    hats = np.stack([1 - u, u * (1 - v), u * v], axis=-1).reshape(-1, 3)
    weight = (np.outer(w, w) / 2 * u).ravel()

    def potential(p):
        r = p - np.einsum("sk,tkc->tsc", hats, skin.points[skin.triangles])
        return np.einsum("tsc,tc,ts,tk,sk,s->", r, skin.area_vectors, np.linalg.norm(r, axis=2) ** -3, mu, hats, weight) / (4 * np.pi)

    point, h = np.array([1.4, 0.9, -0.7]), 1e-4
    exact = [(potential(point + h * e) - potential(point - h * e)) / (2 * h) for e in np.eye(3)]
    found = kernel.velocity(point[None], kernel.velocity_coefficients(np.zeros((len(mu), 1)), mu[:, :, None]))
    assert found[0, :, 0] == pytest.approx(exact, rel=1e-6, abs=1e-8)


def test_solid_angle_of_a_closed_surface():
    kernel = Kernel.of(panel_surface(primitives.box(divisions=3)).skin)
    angle = kernel.logarithms_and_angles(np.array([[0.3, 0.4, 0.9], [1.5, 0.2, 0.1], [-8.0, 3.0, 1.0]]))[1]
    assert angle.sum(axis=1) == pytest.approx([-4 * np.pi, 0.0, 0.0], abs=1e-10)


def test_chunks_do_not_change_the_answer(monkeypatch):
    kernel = Kernel.of(panel_surface(primitives.icosphere(1)).skin)
    points = np.random.default_rng(1).normal(size=(40, 3)) * 3
    coefficients = kernel.velocity_coefficients(kernel.normals, np.zeros((80, 3, 3)))
    whole = kernel.velocity(points, coefficients)
    monkeypatch.setattr("geoop.truth.panels3d.influence.PAIRS", 7 * 80)
    assert kernel.velocity(points, coefficients) == pytest.approx(whole, abs=1e-14)
