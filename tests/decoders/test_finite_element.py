"""The finite-element decoder: its order of convergence, in two and three dimensions and on clouds without structure."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from geoop.decoders.finite_element import FiniteElement
from geoop.graph.pointset import PointSet


def truth(x: torch.Tensor) -> torch.Tensor:
    """(n, 2) smooth functions on the unit cube."""
    return torch.stack([torch.sin(3 * x[:, 0] + 1) * torch.cos(2 * x[:, 1]), torch.exp(x.sum(dim=1) / 2)], 1)


def cloud(n: int, d: int, seed: int = 0) -> PointSet:
    """About n^d points: a lattice shaken by a third of its spacing, its faces on the cube's, so that the cells fill the cube."""
    g = torch.Generator().manual_seed(seed)
    s = torch.arange(n + 1, dtype=torch.float64) / n
    pos = torch.cartesian_prod(*[s] * d)
    inner = ((pos > 0) & (pos < 1)).double()  # a point on a face stays on it
    pos = pos + inner * (torch.rand(len(pos), d, generator=g, dtype=torch.float64) - 0.5) * 0.6 / n
    return PointSet(pos, truth(pos))


def l2_error(space: FiniteElement, points: PointSet, count: int = 4000) -> float:
    """Relative, over random points of the cube."""
    g = torch.Generator().manual_seed(9)
    queries = PointSet(torch.rand(count, points.dimension, generator=g, dtype=torch.float64))
    found, exact = space(points, queries, space.connect(points, queries)).scalars, truth(queries.pos)
    return float((found - exact).norm() / exact.norm())


@pytest.mark.parametrize(("d", "sizes"), [(2, (8, 16, 32, 64)), (3, (4, 8, 16))])
def test_linear_elements_converge_with_second_order(d, sizes):
    errors = np.array([l2_error(FiniteElement(2), cloud(n, d)) for n in sizes])
    orders = np.log2(errors[:-1] / errors[1:])
    assert (orders > 1.8).all() and (orders < 2.3).all(), f"orders {orders}, errors {errors}"


def test_the_nearest_value_converges_with_first_order_only():
    """The control: cells of single points, as a sample without cells has them, are no linear interpolation."""

    def nearest(points: PointSet) -> float:
        g = torch.Generator().manual_seed(9)
        x = torch.rand(4000, 2, generator=g, dtype=torch.float64)
        found, exact = points.scalars[torch.cdist(x, points.pos).argmin(dim=1)], truth(x)
        return float((found - exact).norm() / exact.norm())

    errors = np.array([nearest(cloud(n, 2)) for n in (8, 16, 32)])
    assert (np.log2(errors[:-1] / errors[1:]) < 1.3).all()


def test_linear_functions_are_exact():
    points = cloud(6, 2)
    linear = PointSet(points.pos, points.pos @ torch.tensor([[2.0], [-1.0]], dtype=torch.float64) + 0.5)
    queries = PointSet(torch.rand(500, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    space = FiniteElement(1)
    found = space(linear, queries, space.connect(linear, queries)).scalars[:, 0]
    assert (found - (2 * queries.pos[:, 0] - queries.pos[:, 1] + 0.5)).abs().max() < 1e-13


def test_bubbles_fall_with_the_square_of_the_edges():
    """Degree 2 with any weights converges to degree 1, with second order."""
    torch.manual_seed(0)
    space = FiniteElement(2, degree=2, hidden=4).double()
    torch.nn.init.normal_(space.bubble_head.weight)
    g = torch.Generator().manual_seed(2)
    queries = PointSet(torch.rand(2000, 2, generator=g, dtype=torch.float64))
    heights = []
    for n in (64, 128, 256):
        points = cloud(n, 2)
        features = torch.cat([points.scalars, torch.sin(points.pos @ torch.ones(2, 4, dtype=torch.float64)), torch.zeros(len(points), 1)], 1)
        graph = space.connect(points, queries)
        with torch.no_grad():
            whole = space(points.with_features(scalars=features), queries, graph).scalars
            flat = FiniteElement(2)(points, queries, graph).scalars
        heights.append(float((whole - flat).norm()))
    orders = np.log2(np.array(heights[:-1]) / np.array(heights[1:]))
    assert (orders > 1.7).all() and heights[-1] > 0, f"orders {orders}"
