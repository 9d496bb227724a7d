"""Derivatives of distances in the points and in the surface: against finite differences, and what theory says they are."""

import numpy as np
import pytest
import torch

from geoop.errors import ShapeError
from geoop.mesh.distance import signed_distance
from geoop.mesh.primitives import box, circle, icosphere, naca4, torus

BODIES = {"circle": circle(7), "section": naca4("2412", 12), "sphere": icosphere(0), "box": box((0, 0, 0), (1, 1.5, 2)), "torus": torus(5, 4)}


def near(body, n: int = 24, seed: int = 0) -> torch.Tensor:
    low, high = body.bounds
    return torch.from_numpy(np.random.default_rng(seed).uniform(low - 0.4, high + 0.4, (n, body.dimension)))


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("name", sorted(BODIES))
def test_derivatives_in_points_and_vertices(name, signed):
    body = BODIES[name]
    points, vertices = near(body).requires_grad_(), torch.from_numpy(body.points.copy()).requires_grad_()

    def values(p, v):
        found = signed_distance(body, p, vertices=v, signed=signed)
        return found.distance, found.closest, found.gradient  # next to a corner any of its facets may be named, so no parameter

    assert torch.autograd.gradcheck(values, (points, vertices), eps=1e-7, atol=1e-5, nondet_tol=0.0)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_gradients_are_unit_normals_and_pull_the_surface_back(name):
    body = BODIES[name]
    points, vertices = near(body, 60).requires_grad_(), torch.from_numpy(body.points.copy()).requires_grad_()
    found = signed_distance(body, points, vertices=vertices)
    plain = signed_distance(body, points.detach())
    torch.testing.assert_close(found.distance.detach(), plain.distance, atol=1e-13, rtol=0)
    slope, pull = torch.autograd.grad(found.distance.sum(), (points, vertices))
    torch.testing.assert_close(slope, plain.gradient, atol=1e-9, rtol=0)
    # moving body and points together changes nothing
    torch.testing.assert_close(slope.sum(dim=0), -pull.sum(dim=0), atol=1e-10, rtol=0)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_on_the_wall_the_derivative_is_the_normal(name):
    body = BODIES[name]
    corners = np.stack([body.points[cell[:3]].mean(axis=0) if body.dimension == 3 else body.points[cell].mean(axis=0) for cell in body.cells])
    points = torch.from_numpy(corners if name != "box" else corners[:0]).requires_grad_()
    found = signed_distance(body, points)
    (slope,) = torch.autograd.grad(found.distance.sum(), points)
    torch.testing.assert_close(slope, found.gradient.detach(), atol=1e-9, rtol=0)
    assert bool(torch.isfinite(slope).all())
    assert found.distance.detach().abs().max() < 1e-12 if len(points) else True


def test_a_sphere_can_be_fitted_to_points_through_its_vertices():
    body = icosphere(2)
    target = torch.from_numpy(icosphere(3, 1.3).points.copy())
    radius = torch.ones((), dtype=torch.float64, requires_grad=True)
    for _ in range(15):
        found = signed_distance(body, target, vertices=radius * torch.from_numpy(body.points.copy()))
        (slope,) = torch.autograd.grad((found.distance**2).mean(), radius)
        radius = (radius - 0.4 * slope).detach().requires_grad_()
    assert float(radius.detach()) == pytest.approx(1.3, abs=0.03)


def test_single_precision_no_points_and_bad_vertices():
    body = icosphere(1)
    points = near(body).float().requires_grad_()
    found = signed_distance(body, points)
    assert found.distance.dtype == found.parameter.dtype == torch.float32
    found.distance.sum().backward()
    assert points.grad.dtype == torch.float32
    assert signed_distance(body, torch.zeros(0, 3, requires_grad=True)).distance.shape == (0,)
    with torch.no_grad():
        assert not signed_distance(body, points).distance.requires_grad
    with pytest.raises(ShapeError, match="vertices"):
        signed_distance(body, points, vertices=torch.zeros(3, 3))
