"""Gated experts and tiles against what they abbreviate."""

from __future__ import annotations

import torch

from geoop.layers.gated_experts import GatedExperts


def test_experts_are_perceptrons_weighted_by_a_partition_of_unity():
    torch.manual_seed(0)
    layer = GatedExperts(4, 2, experts=3, hidden=5).double()
    torch.nn.init.normal_(layer.shift)
    x, pos = torch.randn(7, 4, dtype=torch.float64), 10 * torch.randn(7, 2, dtype=torch.float64)
    share = layer.partition(pos)
    assert torch.allclose(share.sum(dim=1), torch.ones(7, dtype=torch.float64)) and (share > 0).all() and share.std(dim=0).max() > 0
    expected = torch.zeros_like(x)
    for e in range(3):
        rows = slice(5 * e, 5 * e + 5)
        hidden = torch.nn.functional.gelu(x @ layer.inner.weight[rows].T + layer.inner.bias[rows])
        expected = expected + share[:, e, None] * (hidden @ layer.outer.weight[:, rows].T + layer.shift[e])
    assert torch.allclose(layer(x, pos), expected, rtol=0, atol=1e-13)


def test_one_expert_does_not_see_the_position():
    layer = GatedExperts(4, 3, experts=1)
    x = torch.randn(5, 4)
    assert torch.equal(layer(x, torch.zeros(5, 3)), layer(x, torch.randn(5, 3)))


def test_the_partition_is_smooth_and_settles_far_away():
    torch.manual_seed(0)
    layer = GatedExperts(4, 2, experts=3).double()
    pos = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer.partition, pos)
    far = torch.tensor([[1e6, 0.0], [1e8, 0.0]], dtype=torch.float64)
    assert torch.allclose(*layer.partition(far), rtol=0, atol=1e-6)
