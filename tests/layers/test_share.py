"""Neighbourhoods that keep their size when a cloud is refined."""

from __future__ import annotations

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.graph import Graph
from geoop.graph.pointset import PointSet
from geoop.graph.segment import segment_max, segment_sum
from geoop.layers.neighborhood import Nearest
from geoop.layers.share import Share, mean_weights


def graded(n: int) -> PointSet:
    """n x n points of the unit square, graded to its lower edge."""
    s = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return PointSet(torch.cartesian_prod(s, s * s), weight=torch.cartesian_prod(torch.ones_like(s), 2 * s).prod(dim=1) / n**2)


def sizes(neighborhood, source: PointSet, target: PointSet) -> torch.Tensor:
    graph = neighborhood.connect(source, target)
    return segment_max((source.pos[graph.source] - target.pos[graph.target]).norm(dim=1), graph)


def test_the_size_has_a_limit_and_follows_the_grading():
    target = PointSet(torch.tensor([[0.5, 0.02], [0.5, 0.3], [0.4, 0.8]], dtype=torch.float64))
    share = Share(20, of=1000, most=10_000)
    coarse, fine, finest = (sizes(share, graded(n), target) for n in (32, 64, 128))
    torch.testing.assert_close(fine, finest, rtol=0.05, atol=0)
    assert (coarse / finest - 1).abs().max() < 0.25 and finest[0] < finest[1] < finest[2]
    shrinking = [sizes(Nearest(20), graded(n), target) for n in (32, 64)]
    assert (shrinking[0] / shrinking[1] > 1.7).all()


def test_numbers_of_neighbours_and_their_bounds():
    share = Share(8, of=1000, least=3, most=20)
    assert [share.neighbours(n) for n in (1, 250, 1000, 2000, 10**6)] == [3, 3, 8, 16, 20]
    with pytest.raises(ConfigurationError):
        Share(0)
    with pytest.raises(ConfigurationError):
        Share(3, least=5, most=4)


def test_samples_of_different_sizes_have_different_numbers():
    a, b = graded(10), graded(20)
    share = Share(10, of=100)
    together = share.connect(PointSet.concatenate([a, b]), PointSet.concatenate([a, b]))
    parts = Graph.concatenate([share.connect(a, a), share.connect(b, b)])
    assert torch.equal(together.source, parts.source) and torch.equal(together.target, parts.target)
    assert set(together.degree[:100].tolist()) == {10} and set(together.degree[100:].tolist()) == {40}


def test_means_over_boxes():
    source, graph = graded(5), Graph(torch.arange(25), torch.arange(25) // 5, 25, 6)  # the last target has none
    weight = mean_weights(source, graph)
    torch.testing.assert_close(segment_sum(weight, graph), torch.tensor([1.0] * 5 + [0.0], dtype=torch.float64))
