"""Features of whole samples among the latent clouds of a state."""

from __future__ import annotations

import torch
from torch import Tensor

from ..graph.pointset import PointSet


def sample_token(features: Tensor, points: PointSet) -> PointSet:
    """Features (b, c) of the samples of ``points`` as one point per sample, at the origin."""
    ptr = torch.arange(len(features) + 1, device=features.device)
    return PointSet(points.pos.new_zeros(len(features), points.dimension), features, ptr=ptr)
