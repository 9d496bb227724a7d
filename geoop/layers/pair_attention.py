"""Attention and scores between places that know their relative pose."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..graph.segment import segment_softmax, segment_sum, take_source, take_target
from .boundary_pairs import INVARIANTS, Pairs
from .gated_mlp import GatedMLP
from .sizes import check_heads


class PairAttention(nn.Module):
    """Residual attention with logits and values that see the pair, and a measure:

        logit_ij = q(a_i) . k(b_j) / sqrt(c) + beta(p_ij) + log mu_j
        a_i <- a_i + O sum_j softmax_j(logit) v(b_j) (1 + gamma(p_ij)),      a_i <- a_i + GatedMLP(a_i)

    mu_j is what a source stands for: with it sums over sources approximate integrals (Kovachki et al. 2021, sec. 5.2), and refining the
    sources changes little.

    Args:
        width: features of sources and targets.
        heads: divide the width.
        hidden: features of a pair.
    """

    def __init__(self, width: int, heads: int = 4, hidden: int = 16) -> None:
        super().__init__()
        check_heads("PairAttention", width, heads)
        self.heads = heads
        self.norm_source, self.norm_target, self.norm = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.pose, self.bias_head, self.scale_head = nn.Linear(INVARIANTS, hidden), nn.Linear(hidden, heads), nn.Linear(hidden, width)
        self.out, self.mix = nn.Linear(width, width), GatedMLP(width, width, width, zero=True)

    def forward(self, source: Tensor, target: Tensor, pairs: Pairs, measure: Tensor) -> Tensor:
        """(n, width) new features of the targets.

        Args:
            source: (m, width).
            target: (n, width).
            pairs: from sources to targets.
            measure: (m,) positive.
        """
        graph = pairs.graph
        pose = F.gelu(self.pose(pairs.invariants))
        seen = torch.cat([self.key_value(self.norm_source(source)), measure.log()[:, None]], dim=1)
        key, value, share = take_source(seen, graph).split([source.shape[1], source.shape[1], 1], dim=1)
        query = take_target(self.query(self.norm_target(target)), graph)
        split = (graph.n_edges, self.heads, -1)
        logit = (query * key).view(split).sum(dim=2) * (self.heads / source.shape[1]) ** 0.5 + self.bias_head(pose) + share
        value = value * (1 + self.scale_head(pose))
        read = segment_sum((segment_softmax(logit, graph)[:, :, None] * value.view(split)).flatten(1), graph)
        target = target + self.out(read)
        return target + self.mix(self.norm(target))


class PairScore(nn.Module):
    """Numbers of a pair from its pose and the features of both ends: a perceptron whose first layer is a sum of three, so that only pairs' own
    invariants are multiplied per pair. It starts at zero.

    Args:
        width: features of sources and targets.
        hidden: features of a pair.
        out: numbers per pair.
    """

    def __init__(self, width: int, hidden: int, out: int = 1) -> None:
        super().__init__()
        self.pose, self.source, self.target = nn.Linear(INVARIANTS, hidden), nn.Linear(width, hidden), nn.Linear(width, hidden, bias=False)
        self.norm_source, self.norm_target = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inner, self.head = nn.Linear(hidden, hidden), nn.Linear(hidden, out)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, source: Tensor, target: Tensor, pairs: Pairs) -> Tensor:
        """(e, out) from sources (m, width), targets (n, width) and their pairs."""
        own, other = self.source(self.norm_source(source)), self.target(self.norm_target(target))
        h = F.gelu(self.pose(pairs.invariants) + take_source(own, pairs.graph) + take_target(other, pairs.graph))
        return self.head(h + F.gelu(self.inner(h)))
