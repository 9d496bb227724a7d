"""Self-attention of posed latents: how they talk to each other before a field is read from them."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch
from torch import nn

from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.gated_mlp import GatedMLP
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.pose_attention import PairNetwork, PoseAttention, PoseSpace
from .slice_attention import SliceAttention


class LatentAttention(AbstractOperator):
    """The cross-attention of an equivariant neural field with the latents themselves as points, as residual blocks with normalisation before:

        h <- h + W att(norm h) + slices(norm h),    h <- h + mlp(norm h)

    (arXiv 2504.18591, app. A: the self-attention of its decoder). Queries carry the relative pose and their own features. ``slices`` is what this adds:
    the nearest latents are heard with their poses, all others through the tokens of a :class:`~geoop.operators.slice_attention.SliceAttention`, which
    sees features alone and so breaks no symmetry. Without it a word crosses a body only as fast as blocks pass it on. A token is a mean over latents
    that all count alike, whatever their window: volumes of windows grow with the distance to the power of d, so that means over them hear the few
    latents far away and none at the wall.

    Source and target: one cloud of latents, ``scalars`` (m, width), ``vectors`` (m, k, d), ``weight``. Returns it with new ``scalars``.

    Args:
        width: features.
        space: poses and who sees whom; its bi-invariant decides the symmetry.
        heads: of the attention.
        slices: of every head, see above; 0 leaves them out.
        pairs: the networks for pairs.
    """

    reference: ClassVar[str] = "catalani-2025-enf2enf"
    symmetry: ClassVar[Symmetry] = Symmetry.E

    def __init__(self, width: int, space: PoseSpace, heads: int = 4, *, slices: int = 0, pairs: PairNetwork | None = None) -> None:
        super().__init__()
        self.symmetry = space.invariant.symmetry  # what this instance can claim
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.attention = PoseAttention(space, width, heads, asked=width, pairs=pairs)
        self.mix = nn.Linear(width, width)
        self.slices = SliceAttention(width, heads=heads, slices=slices, density=True) if slices else None
        self.mlp = GatedMLP(width, 3 * width // 2, width, zero=True)
        with torch.no_grad():
            self.mix.weight.mul_(0.3)  # close to the identity at the start

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.attention.space.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        told = source.with_features(scalars=self.norms[0](source.scalars))
        asking = told if target is source else target.with_features(scalars=self.norms[0](target.scalars))
        h = target.scalars + self.mix(self.attention(told, target, graph, asking.scalars))
        if self.slices is not None:
            alike = replace(told, weight=torch.ones_like(told.weight))
            h = h + self.slices(alike, alike if target is source else asking, graph).scalars
        return target.with_features(scalars=h + self.mlp(self.norms[1](h)))
