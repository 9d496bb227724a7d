"""The equivariant neural field: a continuous function of space that a cloud of posed latents stands for."""

from __future__ import annotations

from typing import ClassVar

import torch.nn.functional as F
from torch import nn

from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.mlp import MLP
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.pose_attention import PairNetwork, PoseAttention, PoseSpace


class EquivariantField(AbstractOperator):
    """f(x; z) = out(FFN(attention of x to z)): continuous, differentiable, and steerable by its latents (arXiv 2406.05753, eq. 6 to 8).

    Every query is decoded by itself, so the number of points is free: zero-shot super-resolution is a matter of asking. Values and derivatives of every
    order exist wherever all latents are seen; with ``nearest`` values are continuous and derivatives jump a little where neighbours change.

    Source: latents, ``scalars`` (m, c) contexts, ``vectors`` (m, k, d) of the poses, ``weight`` (m,) the length, area or volume a latent stands for: the
    square, cube, ... of its window. Target: queries, ``scalars[:, :s]`` what they know of themselves. Returns the queries with ``scalars`` (n, out).

    Args:
        context: channels of the latents.
        out: channels of the field.
        space: poses and who sees whom; its bi-invariant decides the symmetry.
        width, heads: of the attention.
        scalars: features of a query beside the invariants, such as its signed distance.
        stem: layers from the context to the keys and values: 1 as in the published encoder, 2 as in its decoder.
        pairs: the networks for pairs.
    """

    reference: ClassVar[str] = "wessels-2024-enf"
    symmetry: ClassVar[Symmetry] = Symmetry.E

    def __init__(
        self,
        context: int,
        out: int,
        space: PoseSpace,
        width: int = 32,
        heads: int = 2,
        *,
        scalars: int = 0,
        stem: int = 1,
        pairs: PairNetwork | None = None,
    ) -> None:
        super().__init__()
        self.context, self.out = context, out
        self.symmetry = space.invariant.symmetry  # what an instance claims is what its bi-invariant does
        self.stem = nn.Linear(context, width) if stem == 1 else MLP([context] + [width] * stem)
        self.attention = PoseAttention(space, width, heads, scalars=scalars, pairs=pairs)
        self.collect = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, width))
        self.head = MLP([width, width, width, out])

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        """The nearest latents of every query; all of its sample where the attention is not restricted."""
        return self.attention.space.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        read = self.attention(source.with_features(scalars=self.stem(source.scalars)), target, graph)
        return target.with_features(scalars=self.head(F.gelu(self.collect(read))))
