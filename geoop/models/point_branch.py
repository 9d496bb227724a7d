"""Clouds of any size pooled into a vector of fixed size: the branch of a DeepONet without sensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.attention import ragged_attention
from ..layers.mlp import MLP
from ..operators.attention import Attention


class PointBranch(nn.Module):
    """Learned tokens attend to every cloud, talk to each other, and say the coefficients.

        s'_i = s_i + M [sum_j softmax_j(q_i . k_j / sqrt(c) + log w_j) v_j]_clouds,      b = MLP([blocks(s'), said])

    The pooling is a quotient of two quadratures (:func:`ragged_attention`), so the coefficients converge when a cloud is refined, and clouds need
    neither equal sizes nor common sensors. A cloud without points adds zeros.

    Args:
        clouds: number of clouds.
        width: features of their points.
        said: global numbers that go straight to the last perceptron.
        modes: coefficients.
        tokens: number of tokens.
        depth: attention blocks among the tokens.
        heads: of all attention; divides ``width``.
    """

    def __init__(self, clouds: int, width: int, said: int, modes: int, *, tokens: int = 8, depth: int = 1, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.seeds = nn.Parameter(torch.randn(tokens, width))
        self.query = nn.Linear(width, width)
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(clouds)])
        self.key_values = nn.ModuleList([nn.Linear(width, 2 * width) for _ in range(clouds)])
        self.mix = nn.Linear(clouds * width, width)
        self.blocks = nn.ModuleList([Attention(width, heads=heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.out = MLP([tokens * width + said, 2 * width, modes])

    def forward(self, clouds: Sequence[PointSet], said: Tensor) -> Tensor:
        """(b, modes) coefficients; ``clouds`` carry ``scalars`` (n, width), ``said`` is (b, said)."""
        b, count = len(said), len(self.seeds)
        seeds = self.seeds.repeat(b, 1)
        pos = clouds[0].pos.new_zeros(b * count, clouds[0].dimension)
        tokens = PointSet(pos, seeds, ptr=count * torch.arange(b + 1, device=pos.device))
        query, seen = self.query(seeds).unflatten(1, (self.heads, -1)), []
        for cloud, norm, key_value in zip(clouds, self.norms, self.key_values, strict=True):
            key, value = key_value(norm(cloud.scalars)).unflatten(1, (2, self.heads, -1)).unbind(1)
            seen.append(ragged_attention(query.to(key.dtype), key, value, cloud, tokens).flatten(1))
        tokens = tokens.with_features(scalars=seeds + self.mix(torch.cat(seen, dim=1)))
        for block in self.blocks:
            tokens = block(tokens, tokens, Graph.unconnected(len(tokens), len(tokens), pos.device))
        return self.out(torch.cat([self.norm(tokens.scalars).view(b, -1), said], dim=1))
