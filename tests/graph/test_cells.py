"""Delaunay cells of clouds and where points lie in them."""

import pytest
import torch

from geoop.graph.cells import barycentric, differences, locate, triangulate
from geoop.graph.pointset import PointSet
from geoop.graph.segment import weighted_sum


def cloud(n: int, d: int, seed: int = 0, grade: float = 1.0) -> PointSet:
    """Points of the unit cube, its corners among them; ``grade`` > 1 crowds them at one face."""
    g = torch.Generator().manual_seed(seed)
    pos = torch.rand(n, d, generator=g, dtype=torch.float64)
    pos[:, 0] = pos[:, 0] ** grade
    return PointSet(torch.cat([pos, torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * d)]))


@pytest.mark.parametrize(("d", "grade"), [(2, 1.0), (2, 4.0), (3, 1.0), (3, 3.0)])
def test_cells_fill_the_cube_and_every_point_is_found_in_its_cell(d, grade):
    points = cloud(300, d, grade=grade)
    graph, cells = triangulate(points)
    assert abs(float(cells.weight.sum()) - 1) < 1e-9
    g = torch.Generator().manual_seed(5)
    queries = PointSet(torch.rand(500, d, generator=g, dtype=torch.float64))
    found = locate(points, graph, cells, queries)
    corners = points.pos[found.source.view(500, d + 1)]
    share = barycentric(corners, queries.pos)
    assert (share > -1e-9).all() and torch.allclose(share.sum(1), torch.ones(500, dtype=torch.float64))
    assert torch.allclose((share[:, :, None] * corners).sum(1), queries.pos, atol=1e-10)


def test_points_outside_get_the_nearest_cell_and_company_does_not_matter():
    points = PointSet.concatenate([cloud(40, 2, 1), cloud(70, 2, 2)])
    graph, cells = triangulate(points)
    queries = PointSet(torch.tensor([[0.5, 1.7], [0.2, 0.3], [3.0, 3.0], [-1.0, 0.4]], dtype=torch.float64), ptr=torch.tensor([0, 2, 4]))
    whole = locate(points, graph, cells, queries).source.view(4, 3)
    assert (whole[:2] < 44).all() and (whole[2:] >= 44).all()
    assert float(points.pos[whole[0]][:, 1].max()) == 1.0  # the upper side
    assert ((points.pos[whole[2]] - 1).abs().sum(1) < 1e-12).any()  # the corner (1, 1)
    for k in range(4):
        assert torch.equal(locate(points, graph, cells, queries.take(torch.tensor([k]))).source, whole[k])


@pytest.mark.parametrize("pos", [[[0.3, 0.4]], [[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]])
def test_clouds_without_cells_give_the_nearest_point(pos):
    points = PointSet(torch.tensor(pos, dtype=torch.float64))
    graph, cells = triangulate(points)
    queries = PointSet(torch.tensor([[0.1, 0.0], [5.0, 5.0]], dtype=torch.float64))
    table = locate(points, graph, cells, queries).source.view(2, 3)
    nearest = torch.cdist(queries.pos, points.pos).argmin(1)
    assert (table == nearest[:, None]).all()


def test_cells_that_are_not_wanted_are_left_out_unless_none_were_left():
    points = cloud(200, 2)
    hole = lambda sample, cells: (points.pos.numpy()[cells].mean(axis=1) ** 2).sum(axis=1) > 0.25  # noqa: E731
    _, cells = triangulate(points, hole)
    assert abs(float(cells.weight.sum()) - (1 - torch.pi / 16)) < 0.03
    _, cells = triangulate(points, lambda sample, cells: cells[:, 0] < 0)
    assert abs(float(cells.weight.sum()) - 1) < 1e-9


@pytest.mark.parametrize("d", [2, 3])
def test_differences_are_exact_for_linear_functions(d):
    points = cloud(300, d)
    graph, cells = triangulate(points)
    near, entries = differences(points, graph, cells)
    star = torch.zeros(len(points), dtype=torch.float64).index_add_(0, graph.source, cells.weight[graph.target])
    slope = torch.arange(1, d + 1, dtype=torch.float64)
    values = points.pos @ slope + 3
    inside = ((points.pos > 0.15) & (points.pos < 0.85)).all(dim=1)  # no slivers, no half stars
    stiff, *gradient = (weighted_sum(values, near, column) for column in entries.scalars.unbind(dim=1))
    assert stiff[inside].abs().max() < 1e-12
    for found, exact in zip(gradient, slope, strict=True):
        assert (found / star ** (1 / d) - exact)[inside].abs().max() < 1e-10
    sums = torch.stack([weighted_sum(torch.ones_like(values), near, column) for column in entries.scalars.unbind(dim=1)])
    assert sums.abs().max() < 1e-12  # constants give zero, at slivers too
    size = torch.stack([torch.zeros(len(points), dtype=torch.float64).index_add_(0, near.target, c.abs()) for c in entries.scalars.unbind(dim=1)])
    assert size.max() < 8 + 1e-9


def test_differences_of_a_batch_are_those_of_its_samples_and_of_points_without_cells_none():
    parts = [cloud(30, 2, 1), PointSet(torch.tensor([[0.1, 0.2], [0.3, 0.4]], dtype=torch.float64)), cloud(50, 2, 2)]
    whole = differences(*[p := PointSet.concatenate(parts), *triangulate(p)])[1]
    own = [differences(part, *triangulate(part))[1] for part in parts]
    assert torch.allclose(whole.scalars, torch.cat([item.scalars for item in own]), atol=1e-14)
    assert whole.ptr.diff().tolist() == [len(item) for item in own] and len(own[1]) == 0
