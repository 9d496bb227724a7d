"""Queries that follow moved positions: first-order exact against the search for closest points itself."""

import numpy as np
import pytest
import torch

from geoop.graph.geometry import Queries
from geoop.graph.pointset import PointSet
from geoop.mesh.distance import signed_distance
from geoop.mesh.primitives import box, icosphere, naca4, ring

L_SHAPE = ring(np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.0], [0.0, 0.0], [0.0, 0.5], [-0.5, 0.5]]), "L")
BODIES = {"L": L_SHAPE, "naca2412": naca4("2412", 60), "sphere": icosphere(1), "box": box(divisions=2)}


def queries(surface, pos, dtype=torch.float64):
    found = signed_distance(surface, pos)
    parameter = np.asarray(found.parameter)
    share = np.stack([1 - parameter, parameter], axis=1) if pos.shape[1] == 2 else parameter
    points = PointSet(torch.tensor(pos), torch.tensor(found.distance)[:, None], torch.tensor(found.gradient)[:, None])
    return Queries(points, torch.tensor(found.corners), torch.tensor(share)).to(dtype)


def known(item, vertices):
    """(n, 1 + 2 d) distance, gradient and closest point."""
    return torch.cat([item.points.scalars[:, :1], item.points.vectors[:, 0], item.closest(vertices)], dim=1)


@pytest.mark.parametrize("name", BODIES)
def test_what_follows_differs_from_the_search_in_second_order(name):
    """Faces, edges and corners; the error of a step of length s falls as s^2 for all but the points that change their facet."""
    surface = BODIES[name]
    random = np.random.default_rng(0)
    low, high = surface.bounds
    pos = random.uniform(low - 0.5, high + 0.5, (400, surface.dimension))
    step = random.normal(size=pos.shape)
    vertices, start = torch.tensor(surface.points), queries(surface, pos)
    errors = []
    for size in (1e-3, 1e-4, 1e-5):
        moved = start.following(torch.tensor(pos + size * step), vertices)
        again = queries(surface, pos + size * step)
        error = (known(moved, vertices) - known(again, vertices)).abs().amax(dim=1)
        assert torch.allclose(moved.share.sum(dim=1), torch.ones(len(pos), dtype=torch.float64), atol=1e-9)
        errors.append(error.quantile(0.9))
    bound = 30 * torch.tensor([1e-6, 1e-8, 1e-10])
    assert (torch.stack(errors) < bound).all(), errors
    standing = (known(start, vertices) - known(queries(surface, pos + 1e-3 * step), vertices)).abs().amax(dim=1)
    assert standing.quantile(0.5) > 30 * bound[0]  # the control: queries that stay where they are


@pytest.mark.parametrize("name", BODIES)
def test_derivatives_are_those_of_the_differentiable_distance(name):
    """Another route to the same Jacobian: signed_distance on tensors that require a gradient."""
    surface = BODIES[name]
    low, high = surface.bounds
    pos = np.random.default_rng(1).uniform(low - 0.3, high + 0.3, (60, surface.dimension))
    vertices, start = torch.tensor(surface.points), queries(surface, pos)
    at = torch.tensor(pos, requires_grad=True)
    direct = signed_distance(surface, at)
    ours = start.following(at, vertices)
    for mine, theirs in (
        (ours.points.scalars[:, 0], direct.distance),
        (ours.closest(vertices), direct.closest),
        (ours.points.vectors[:, 0], direct.gradient),
    ):
        weight = torch.randn(mine.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        (a,), (b,) = (torch.autograd.grad((item * weight).sum(), at, retain_graph=True) for item in (mine, theirs))
        assert torch.allclose(a, b, atol=1e-8 * float(b.abs().max()))


def test_nothing_changes_where_nothing_moves():
    surface = BODIES["naca2412"]
    start = queries(surface, np.random.default_rng(2).uniform(-1, 2, (50, 2)), torch.float32)
    same = start.following(start.points.pos, torch.tensor(surface.points, dtype=torch.float32))
    assert torch.equal(same.points.scalars, start.points.scalars) and torch.equal(same.points.vectors, start.points.vectors)
    assert torch.equal(same.share, start.share) and same.points.pos.dtype == torch.float32


def test_points_of_the_wall_slide_along_their_facet_also_at_its_ends():
    """On the boundary the closest point is the point itself: its tangential derivative is the tangent."""
    surface = BODIES["L"]
    on = np.array([[0.1, -0.5], [0.5, -0.5], [0.0, 0.2]])
    start = queries(surface, on)
    at = torch.tensor(on, requires_grad=True)
    vertices = torch.tensor(surface.points)
    closest = start.following(at, vertices).closest(vertices)
    jacobian = torch.stack([torch.autograd.grad(closest[:, k].sum(), at, retain_graph=True)[0] for k in range(2)], dim=1)
    assert torch.allclose(torch.einsum("nij,nij->n", jacobian, jacobian), torch.ones(3, dtype=torch.float64), atol=1e-9)  # a projection to a line
