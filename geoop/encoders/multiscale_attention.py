"""Multiscale attentional graph neural operator: the encoder and decoder of GAOT."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_softmax, take_target, weighted_sum
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.pair_kernel import PairKernel
from ..layers.scales import ScaledPairs, Scales


class MultiscaleAttention(AbstractOperator):
    """MAGNO of Wen et al. 2025 (arXiv 2505.18781) with the softmax over the measure of the source cloud and a factored kernel:

        v(x) = M sum_m b_m(x) sum_j a_mj(x) (1 + K(x, y_j)) * (N u(y_j)) + b
        a_mj = softmax over the ball of scale m of  s(x, y_j) + log( w_j g(|y_j - x| / r_m) ),     b = softmax over scales of B a(x)

    Kernel K (gains of every channel) and scores s (one per head) come from one perceptron of the *relative* position, and of features at
    both ends; the paper's cosine of raw coordinates depends on the origin. The paper's softmax replaces the quadrature weight; here w_j and a
    smooth window g enter it as a measure, so each scale is a quotient of two quadratures and converges when the cloud is refined.
    Gains are 1 + K, so that a layer starts near the attention mean of the features and not near 0. Where neighbourhoods shrink on refinement
    (the nearest points), K is multiplied by size/(size + unit), and v converges to the features themselves.
    All scales share edges (those of the largest ball), K and s: a further scale costs one number per edge and head, no further sum.

    Source: ``scalars`` (m, in_channels) u, ``weight``. Target: ``scalars`` (n, target_channels) a, and behind them its own length where
    ``scales`` asks for one. Returns the target points with ``scalars`` (n, out_channels).

    Args:
        in_channels: scalars of the source points.
        out_channels: scalars of the result.
        scales: the neighbourhoods; one scale is the ablation of several. Only those of fixed size claim an order.
        kernel: gives one score per head and, with the rest of its width, the gains K; gains divide among the heads.
        heads: of the softmax.
        target_channels: features of the target points, by which the weights of the scales are chosen; 0 for the same everywhere.
    """

    reference: ClassVar[str] = "wen-2025-gaot"
    symmetry: ClassVar[Symmetry] = Symmetry.TRANSLATION
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        scales: Scales,
        kernel: PairKernel,
        *,
        heads: int = 4,
        target_channels: int = 0,
    ) -> None:
        super().__init__()
        width = kernel.width - heads
        if width <= 0 or width % heads:
            raise ConfigurationError(
                f"{kernel.width} numbers per edge, less {heads} scores, do not divide among {heads} heads",
                where="kernel",
                remedy="give the kernel a width of heads x (1 + gains per head)",
            )
        self.scales, self.kernel, self.width, self.heads = scales, kernel, width, heads
        self.inner = nn.Linear(in_channels, width)
        self.mix = nn.Linear(width, out_channels)
        several = scales.count > 1
        self.choice = nn.Parameter(torch.zeros(scales.count)) if several else None
        self.choose = nn.Linear(target_channels, scales.count, bias=False) if several and target_channels else None
        self.symmetry = kernel.symmetry  # what this instance can claim
        self.mesh_order = 2.0 if scales.fixed else None

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.scales.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        return self.attend(source, target, graph, self.scales.pairs(source, target, graph))

    def attend(self, source: PointSet, target: PointSet, graph: Graph, found: ScaledPairs) -> PointSet:
        """As :meth:`forward`, given the geometry of the edges, which a model computes once."""
        told = self.scales.features(target)
        gains, scores = self.kernel(found.pairs, source, told, graph).split([self.width, self.heads], dim=1)
        with torch.autocast(scores.device.type, enabled=False):  # logarithms of weights span decades: too much for half precision
            share = self._attention(scores.to(found.log_weight.dtype), found.log_weight, told, graph)
        gains = 1 + (gains if found.taper is None else take_target(found.taper, graph)[:, None] * gains)
        gains = gains.unflatten(1, (self.heads, -1)) * share[:, :, None]
        return target.with_features(scalars=self.mix(weighted_sum(self.inner(source.scalars), graph, gains.flatten(1))))

    def _attention(self, scores: Tensor, log_weight: Tensor, target: PointSet, graph: Graph) -> Tensor:
        """(e, heads) attention of all scales together."""
        shares = segment_softmax(scores[:, :, None] + log_weight[:, None, :], graph)
        if self.choice is None:
            return shares[:, :, 0]
        choice = self.choice if self.choose is None else self.choice + self.choose(target.scalars.to(self.choice.dtype))
        choice = choice.softmax(dim=-1).expand(graph.n_target, -1).to(shares.dtype)
        return (shares * take_target(choice.contiguous(), graph)[:, None, :]).sum(dim=2)
