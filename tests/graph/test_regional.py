"""Regional nodes: their weights, regions and links, and random masks on edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.edges import masked, mesh_edge_features, shares
from geoop.graph.graph import Graph
from geoop.graph.point_mesh import mesh_graph, simplices
from geoop.graph.pointset import PointSet
from geoop.graph.regional import multilevel_edges, regions, support_radius, within_reach
from geoop.graph.segment import segment_sum, weighted_sum

from .test_point_mesh import L_SHAPE, in_l_shape


def hops(n: int, source: np.ndarray, target: np.ndarray) -> int:
    """Edges from point 0 to the point furthest along the graph."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import shortest_path

    distance = shortest_path(csr_matrix((np.ones(len(source)), (target, source)), shape=(n, n)), unweighted=True, indices=0)
    return int(distance.max())


def test_the_radius_is_two_thirds_of_the_median_of_the_largest_triangle():
    i, j = np.meshgrid(np.arange(9), np.arange(9), indexing="ij")
    points = np.stack([i + 0.5 * (j % 2), j * np.sqrt(0.75)], -1).reshape(-1, 2)  # equilateral triangles of side 1
    radius = support_radius(points, simplices(points))
    inner = (np.abs(points - points.mean(0)) < 2).all(1)
    assert np.allclose(radius[inner], 1 / np.sqrt(3), atol=1e-12)


def test_radii_blow_up_on_the_hull_of_a_concave_region_unless_triangles_outside_are_left_out():
    points = in_l_shape()
    filtered = support_radius(points, simplices(points, L_SHAPE), cap=np.inf)
    hull = support_radius(points, simplices(points), cap=np.inf)  # as published
    assert filtered.max() < 0.07 < 0.15 < hull.max()
    assert support_radius(points, simplices(points)).max() < 0.2  # the cap catches them too


@pytest.mark.parametrize("choice", ["thinned", "random"])
def test_regions_carry_the_measure_and_are_linked(choice):
    g = np.random.default_rng(0)
    points, weight = g.uniform(size=(400, 2)), g.uniform(0.5, 1.5, 400)
    found = regions(points, weight, None, 100, choice=choice, seed=3)
    assert len(np.unique(found.index)) == 100 and found.weight.sum() == pytest.approx(weight.sum())
    assert np.allclose(np.bincount(found.target, weights=found.share, minlength=100), 1)
    assert (np.diff(found.target * 100 + found.source) > 0).all()
    again = regions(points, weight, None, 100, choice=choice, seed=3)
    assert (again.index == found.index).all() and (again.share == found.share).all()
    if choice == "random":
        assert set(regions(points, weight, None, 100, choice=choice, seed=4).index) != set(found.index)


def test_an_unknown_choice_is_refused():
    with pytest.raises(ConfigurationError, match="by 'best'"):
        regions(np.zeros((2, 2)), np.ones(2), None, 1, choice="best")  # type: ignore[arg-type]


def test_long_links_shorten_the_way_across():
    points = np.random.default_rng(1).uniform(size=(1500, 2))
    one = multilevel_edges(points, np.ones(1500), None, levels=1)
    many = multilevel_edges(points, np.ones(1500), None, levels=6)
    assert hops(1500, *many[:2]) < 0.5 * hops(1500, *one[:2])
    assert len(many[0]) < 1.5 * len(one[0])  # a quarter of the points per level: a third more edges


def test_weights_of_zero_and_single_points():
    assert [len(part) for part in multilevel_edges(np.zeros((1, 2)), np.ones(1), None)] == [0, 0, 0]
    source, target, share = multilevel_edges(np.random.default_rng(0).uniform(size=(30, 2)), np.zeros(30), None)
    assert np.allclose(np.bincount(target, weights=share), 1) and len(source) == len(target)
    assert regions(np.zeros((1, 2)), np.ones(1), None, 1).radius > 0
    assert (regions(np.zeros((6, 3)), np.ones(6), None, 3).radius > 0).all()


def test_reach_is_that_of_the_source_and_nobody_is_left_alone():
    source = PointSet(torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
    target = PointSet(torch.tensor([[0.3, 0.0], [0.6, 0.0], [9.0, 0.0]]))
    graph = within_reach(source, torch.tensor([0.5, 0.8]), target)
    assert list(zip(graph.source.tolist(), graph.target.tolist(), strict=True)) == [(0, 0), (1, 0), (1, 1), (1, 2)]


def cloud(n: int = 200) -> tuple[PointSet, Graph]:
    points = PointSet(torch.rand(n, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    return points, mesh_graph(points)


def test_masks_are_repeatable_leave_the_share_out_and_keep_one_edge_of_every_point():
    points, graph = cloud()
    edges = mesh_edge_features(points, graph)
    one, kept = masked(graph, edges, 0.5, torch.Generator().manual_seed(1))
    two, _ = masked(graph, edges, 0.5, torch.Generator().manual_seed(1))
    other, _ = masked(graph, edges, 0.5, torch.Generator().manual_seed(2))
    assert torch.equal(one.source, two.source) and not (one.n_edges == other.n_edges and torch.equal(one.source, other.source))
    assert abs(one.n_edges / graph.n_edges - 0.5) < 0.06 and len(kept) == one.n_edges
    assert int(masked(graph, edges, 0.99, torch.Generator().manual_seed(1))[0].degree.min()) == 1


def test_a_masked_mean_is_right_on_average_where_weights_are_equal():
    points, graph = cloud(60)
    edges = mesh_edge_features(points, graph)
    x = torch.rand(60, 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    whole = weighted_sum(x, graph, shares(edges.weight, graph))
    generator, found = torch.Generator().manual_seed(4), []
    for _ in range(1500):
        part, kept = masked(graph, edges, 0.5, generator)
        found.append(weighted_sum(x, part, shares(kept.weight, part)))
    found = torch.stack(found)
    score = (found.mean(0) - whole).abs() / (found.std(0) / len(found) ** 0.5 + 1e-12)
    assert float(score.max()) < 4.5 and float((score**2).mean()) < 2  # chance alone gives 1


def test_shares_add_up_to_one_even_of_nothing():
    _, graph = cloud(40)
    for weight in (torch.rand(graph.n_edges, dtype=torch.float64), torch.zeros(graph.n_edges, dtype=torch.float64)):
        assert torch.allclose(segment_sum(shares(weight, graph), graph), torch.ones(40, dtype=torch.float64))
