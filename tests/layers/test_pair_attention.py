"""Attention and scores of pairs: order of sources, refinement, and where they start."""

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.layers.boundary_pairs import complete, pairs
from geoop.layers.pair_attention import PairAttention, PairScore

from .test_boundary_pairs import places

PTR = (torch.tensor([0, 6]), torch.tensor([0, 4]))


def given(seed=0):
    torch.manual_seed(seed)
    return torch.randn(6, 16, dtype=torch.float64), torch.randn(4, 16, dtype=torch.float64), torch.rand(6, dtype=torch.float64) + 0.5


def test_the_order_of_sources_does_not_matter():
    source, target, measure = given()
    a, b = places(6, 2, 1), places(4, 2, 2)
    layer, order = PairAttention(16, 4, 8).double(), torch.randperm(6)
    shuffled = type(a)(a.pos[order], a.direction[order], a.distance[order], a.spacing[order])
    graph = complete(*PTR)
    one = layer(source, target, pairs(a, b, graph), measure)
    other = layer(source[order], target, pairs(shuffled, b, graph), measure[order])
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_a_source_in_two_halves_counts_as_one():
    """Sums over sources are averages over their measure."""
    source, target, measure = given()
    a, b = places(6, 2, 1), places(4, 2, 2)
    layer, twice = PairAttention(16, 4, 8).double(), torch.tensor([0, 0, 1, 2, 3, 4, 5])
    doubled = type(a)(a.pos[twice], a.direction[twice], a.distance[twice], a.spacing[twice])
    halved = torch.cat([measure[:1] / 2, measure[:1] / 2, measure[1:]])
    one = layer(source, target, pairs(a, b, complete(*PTR)), measure)
    other = layer(source[twice], target, pairs(doubled, b, complete(torch.tensor([0, 7]), PTR[1])), halved)
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_scores_start_at_zero_and_depend_on_both_ends_after_a_step():
    source, target, _ = given()
    seen = pairs(places(6, 2, 1), places(4, 2, 2), complete(*PTR))
    score = PairScore(16, 8, 3).double()
    assert score(source, target, seen).shape == (24, 3) and not score(source, target, seen).any()
    torch.nn.init.normal_(score.head.weight)
    first = score(source, target, seen)
    assert (score(source.flip(0), target, seen) - first).abs().max() > 1e-3
    assert (score(source, target.flip(0), seen) - first).abs().max() > 1e-3


def test_heads_must_divide_the_width():
    with pytest.raises(ConfigurationError, match="heads"):
        PairAttention(16, 3)
