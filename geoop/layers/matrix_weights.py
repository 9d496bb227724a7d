"""Matrices as weights of vectors, with sum I."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..graph.segment import segment_sum, take_target
from .boundary_pairs import Pairs, Places
from .pair_attention import PairScore


class MatrixWeights(nn.Module):
    """W_j = w_j (I + A_j - sum_k w_k A_k): equivariant matrices around positive weights of sum 1, themselves of sum I.

    A_j = c_ab a b^T summed over the unit vectors a, b from the source to the target, of the source's normal and of the target's direction, with learned
    invariant coefficients: equivariant under rotations and reflections. Zero at first.

    Args:
        width: features of both ends.
        hidden: features of a pair.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.score = PairScore(width, hidden, 9)

    def forward(self, source: tuple[Places, Tensor], target: tuple[Places, Tensor], pairs: Pairs, weight: Tensor) -> Tensor:
        """(e, d, d) from places with features (n, width) at both ends, their pairs, and weights (e,)."""
        graph, d = pairs.graph, pairs.offset.shape[1]
        vectors = torch.stack([pairs.offset, source[0].direction[graph.source], target[0].direction[graph.target]], dim=1)
        coefficient = self.score(source[1], target[1], pairs).view(-1, 3, 3)
        matrix = vectors.mT @ coefficient @ vectors
        mean = segment_sum((weight[:, None, None] * matrix).flatten(1), graph)
        identity = torch.eye(d, dtype=weight.dtype, device=weight.device)
        return weight[:, None, None] * (identity + matrix - take_target(mean, graph).view(-1, d, d))
