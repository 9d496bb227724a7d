"""The transformer block over a measure."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.layers.attention import PairBias
from geoop.layers.operator import Symmetry
from geoop.operators.attention import Attention


def test_equal_weights_give_the_block_of_the_paper():
    torch.manual_seed(0)
    block = Attention(8, heads=2).double()
    x = torch.randn(2, 6, 8, dtype=torch.float64)
    points = PointSet(torch.rand(12, 3, dtype=torch.float64), x.flatten(0, 1), ptr=torch.tensor([0, 6, 12]))
    theirs = nn.MultiheadAttention(8, 2, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([block.query.weight, block.key_value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([block.query.bias, block.key_value.bias]))
        theirs.out_proj.weight.copy_(block.out.weight)
        theirs.out_proj.bias.copy_(block.out.bias)
        y = x + theirs(block.norm_target(x), block.norm_source(x), block.norm_source(x))[0]
        y = y + block.hidden(block.norm_hidden(y))
        ours = block(points, points, block.connect(points, points)).scalars
    torch.testing.assert_close(ours, y.flatten(0, 1), rtol=0, atol=1e-12)


def test_claims_follow_the_bias():
    assert Attention(8).symmetry is Symmetry.E
    assert Attention(8, bias=PairBias(2, 4)).symmetry is Symmetry.TRANSLATION
    assert Attention(8, bias=PairBias(2, 4, radial=True)).symmetry is Symmetry.E


def test_it_lists_no_edges():
    points = PointSet(torch.rand(5000, 2))
    assert Attention(8).connect(points, points).n_edges == 0


def test_heads_must_divide_the_channels():
    with pytest.raises(ConfigurationError, match="3 heads"):
        Attention(8, heads=3)
