"""Local cross-attention: a query reads the few latent points nearest to it."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.neighborhood import SoftNearest
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.pose import N_POSE, relative_pose


class LocalAttention(AbstractOperator):
    """Cross-attention of queries to their k nearest latents with relative poses.

        a_ij = softmax_j( q_i . k_j / sqrt(c) + b(p_ij) ),    out_i = sum_j a_ij g(p_ij) * v_j,    j in the k nearest of i

    where p_ij is the pose of the query in the latent's frame, b a bias per head and g a gain per feature. Local because
    attention over all latents costs as much as a field on all pairs, and most of a field is local once the latents have
    talked to each other; the same idea as the windowed attention of equivariant neural fields (Wessels et al. 2024) and the
    anchor attention of AB-UPT (Alkin et al. 2025).

    Source: latents, ``scalars`` (m, width + 1) features then spacing h, ``vectors[:, 0]`` local normals.
    Target: queries, ``scalars`` (n, width). Returns the queries with ``scalars`` (n, width).
    """

    reference: ClassVar[str] = "wessels-2024-enf"
    symmetry: ClassVar[Symmetry] = Symmetry.SE

    def __init__(self, width_latent: int, width: int, heads: int = 4, neighbours: int = 6) -> None:
        super().__init__()
        self.width, self.heads, self.nearest = width, heads, SoftNearest(neighbours)
        self.key_value = nn.Linear(width_latent, 2 * width)
        self.query = nn.Linear(width, width)
        self.pose = nn.Sequential(nn.Linear(N_POSE, 32), nn.SiLU(), nn.Linear(32, heads + width))

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.nearest.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        n, heads, width = len(target), self.heads, self.width
        edges = graph.table

        def rows(values: Tensor) -> Tensor:
            return values.index_select(0, edges.reshape(-1)).unflatten(0, edges.shape)

        offset = target.pos[:, None, :] - rows(source.pos)
        pose = self.pose(relative_pose(offset, rows(source.vectors[:, 0]), rows(source.scalars[:, -1])))
        key, value = rows(self.key_value(source.scalars[:, :-1])).chunk(2, dim=-1)
        query = self.query(target.scalars)[:, None, :]
        split = (n, edges.shape[1], heads, width // heads)
        logits = (query * key).view(split).sum(dim=-1) * (width // heads) ** -0.5 + pose[..., :heads]
        attention = self.nearest.windowed(torch.softmax(logits, dim=1), offset)
        attention = attention / attention.sum(dim=1, keepdim=True) if self.nearest.softness else attention
        value = (value * pose[..., heads:]).view(split)
        return target.with_features(scalars=(attention[..., None] * value).sum(dim=1).reshape(n, width))
