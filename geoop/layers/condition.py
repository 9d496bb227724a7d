"""Global conditions seen from local frames."""

from __future__ import annotations

import torch
from torch import Tensor

from ..graph.pointset import Inputs
from .pose import frame_components


def condition_features(inputs: Inputs, normal: Tensor, batch: Tensor) -> Tensor:
    """(n, s + v (d + 2)) global scalars, and every global vector in global and in local components.

    Args:
        inputs: scalars (b, s), vectors (b, v, d).
        normal: (n, d) unit normal of every local frame.
        batch: (n,) sample of every place.
    """
    vectors = inputs.vectors[batch]
    local = frame_components(vectors, normal[:, None, :].expand_as(vectors))
    return torch.cat([inputs.scalars[batch], vectors.flatten(1), local.flatten(1)], dim=1)


def condition_width(scalars: int, vectors: int, dimension: int) -> int:
    """Number of features of :func:`condition_features`."""
    return scalars + vectors * (dimension + 2)
