"""Multi-head attention from one cloud to another, or within one."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.attention import PairBias, ragged_attention
from ..layers.mlp import MLP
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.sizes import check_heads


class Attention(AbstractOperator):
    """Transformer block (Vaswani et al. 2017, arXiv 1706.03762; normalised before, not after) whose softmax is over the measure of the source cloud:

        x_i = v_i + O sum_j softmax_j(q_i . k_j / sqrt(c) + log w_j + b_ij) (V u_j),      v'_i = x_i + MLP(x_i)

    Every target point attends to all source points of its sample: for latent points and other small clouds, n x m per sample.

    Source: ``scalars`` (m, source_channels) u, ``weight``. Target: ``scalars`` (n, channels) v; may be the source. Returns the target
    points with ``scalars`` (n, channels).

    Args:
        channels: scalars of the target points, in and out.
        source_channels: scalars of the source points; None for ``channels``.
        heads: divides ``channels``.
        expansion: hidden width of the perceptron over ``channels``.
        bias: from the relative positions; None lets only features speak.
    """

    reference: ClassVar[str] = "vaswani-2017"
    symmetry: ClassVar[Symmetry] = Symmetry.E
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(
        self, channels: int, *, source_channels: int | None = None, heads: int = 4, expansion: int = 2, bias: PairBias | None = None
    ) -> None:
        super().__init__()
        check_heads("Attention", channels, heads)
        source_channels = channels if source_channels is None else source_channels
        self.heads, self.bias = heads, bias
        self.norm_target, self.norm_source, self.norm_hidden = nn.LayerNorm(channels), nn.LayerNorm(source_channels), nn.LayerNorm(channels)
        self.query, self.key_value = nn.Linear(channels, channels), nn.Linear(source_channels, 2 * channels)
        self.out = nn.Linear(channels, channels)
        self.hidden = MLP([channels, expansion * channels, channels])
        self.symmetry = Symmetry.E if bias is None else bias.symmetry  # what this instance can claim

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        """No edges: all points of a sample are connected, and their list would be larger than the attention itself."""
        return Graph.unconnected(len(source), len(target), source.pos.device)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        query = self.query(self.norm_target(target.scalars)).unflatten(-1, (self.heads, -1))
        key, value = self.key_value(self.norm_source(source.scalars)).unflatten(-1, (2, self.heads, -1)).unbind(1)
        x = target.scalars + self.out(ragged_attention(query, key, value, source, target, self.bias).flatten(1))
        return target.with_features(scalars=x + self.hidden(self.norm_hidden(x)))
