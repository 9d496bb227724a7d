"""Attention over a measure in ragged batches."""

from __future__ import annotations

import pytest
import torch

from geoop.graph.pointset import PointSet
from geoop.layers.attention import PairBias, ragged_attention
from geoop.layers.operator import Symmetry

HEADS, WIDTH = 2, 4


def cloud(sizes, d=2, seed=0):
    g = torch.Generator().manual_seed(seed)
    n = sum(sizes)
    ptr = torch.tensor([0, *sizes]).cumsum(0)
    return PointSet(torch.rand(n, d, generator=g, dtype=torch.float64), weight=torch.rand(n, generator=g, dtype=torch.float64) + 0.1, ptr=ptr)


def features(n, seed):
    return torch.randn(n, HEADS, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_loop(query, key, value, source, target, bias):
    """The formula, one target point and one head at a time."""
    out = torch.zeros_like(query)
    for i, sample in enumerate(target.batch.tolist()):
        rows = slice(int(source.ptr[sample]), int(source.ptr[sample + 1]))
        for h in range(HEADS):
            logits = key[rows, h] @ query[i, h] / WIDTH**0.5
            if bias is not None:
                logits = logits + bias(target.pos[None, i : i + 1], source.pos[None, rows])[0, h, 0]
            a = source.weight[rows] * logits.exp()
            out[i, h] = (a[:, None] * value[rows, h]).sum(0) / a.sum() if len(a) else 0.0
    return out


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize(
    ("targets", "sources"),
    [((3, 3, 3), (4, 4, 4)), ((3, 1, 5, 3), (4, 7, 4, 4)), ((3, 2, 3, 2), (4, 5, 4, 5)), ((2, 0, 3), (3, 4, 0)), ((1,), (1,)), ((0,), (3,))],
)
def test_equals_the_formula(targets, sources, with_bias):
    torch.manual_seed(0)
    bias = PairBias(2, HEADS).double() if with_bias else None
    source, target = cloud(sources), cloud(targets, seed=1)
    q, k, v = features(len(target), 2), features(len(source), 3), features(len(source), 4)
    out = ragged_attention(q, k, v, source, target, bias)
    torch.testing.assert_close(out, by_loop(q, k, v, source, target, bias), rtol=0, atol=1e-13)


def test_a_split_point_counts_as_before_and_a_point_without_weight_does_not_count():
    source, target = cloud((4,)), cloud((3,), seed=1)
    q, k, v = features(3, 2), features(4, 3), features(4, 4)
    expected = ragged_attention(q, k, v, source, target)
    twice = torch.tensor([0, 1, 1, 2, 3])
    weight = source.weight[twice] * torch.tensor([1, 0.25, 0.75, 1, 1])
    split = PointSet(source.pos[twice], weight=weight)
    torch.testing.assert_close(ragged_attention(q, k[twice], v[twice], split, target), expected, rtol=0, atol=1e-13)
    more = PointSet(torch.cat([source.pos, source.pos[:1]]), weight=torch.cat([source.weight, torch.zeros(1, dtype=torch.float64)]))
    with_nothing = ragged_attention(q, torch.cat([k, k[:1]]), torch.cat([v, 1e6 * v[:1]]), more, target)
    torch.testing.assert_close(with_nothing, expected, rtol=0, atol=1e-13)


def test_bias_of_a_point_with_itself_has_a_gradient():
    bias = PairBias(2, HEADS).double()
    pos = torch.zeros(1, 3, 2, dtype=torch.float64, requires_grad=True)
    bias(pos, pos).sum().backward()
    assert torch.isfinite(pos.grad).all() and bias.symmetry is Symmetry.TRANSLATION
    radial = PairBias(2, HEADS, radial=True)
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    p, q = torch.rand(2, 4, 2), torch.rand(2, 5, 2)
    torch.testing.assert_close(radial(p @ turn.T, q @ turn.T), radial(p, q))
    assert radial(p, q).shape == (2, HEADS, 4, 5) and radial.symmetry is Symmetry.E


def test_half_precision_with_a_measure():
    source, target = cloud((4,)), cloud((3,), seed=1)
    q, k, v = features(3, 2), features(4, 3), features(4, 4)
    exact = ragged_attention(q, k, v, source, target)
    half = ragged_attention(*(t.bfloat16() for t in (q, k, v)), source.to(torch.float32), target.to(torch.float32))
    assert half.dtype == torch.bfloat16 and float((half.double() - exact).abs().max()) < 0.05
