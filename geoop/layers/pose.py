"""Relative position in the frame of a surface normal: what an edge between two places knows."""

from __future__ import annotations

import torch
from torch import Tensor

#: Number of features of :func:`relative_pose`.
N_POSE = 7


#: Windows are at least so long, in the unit of the positions: what stands for nothing still has a length to divide by.
_LEAST = 1e-12


def windows(weight: Tensor, dimension: int, power: float = 1.0) -> Tensor:
    """Lengths of the windows of poses to some power, of the shape of ``weight``.

    Args:
        weight: length, area or volume that every pose stands for; may be 0.
        dimension: of space.
        power: of the length.
    """
    return weight.clamp_min(_LEAST**dimension) ** (power / dimension)


def frame_components(vector: Tensor, normal: Tensor) -> Tensor:
    """(..., 2) component of vectors along a unit normal and across it.

    Across is signed in 2-D (positive along the tangent (-n_y, n_x)); in 3-D, where no tangent is distinguished, it is the
    length of the tangential part.

    Args:
        vector: (..., d).
        normal: (..., d) unit vectors.
    """
    return torch.stack(_components(vector, normal), dim=-1)


def _components(vector: Tensor, normal: Tensor) -> tuple[Tensor, Tensor]:
    along = (vector * normal).sum(dim=-1)
    if vector.shape[-1] == 2:
        return along, vector[..., 1] * normal[..., 0] - vector[..., 0] * normal[..., 1]
    return along, ((vector - along[..., None] * normal).square().sum(dim=-1) + 1e-12).sqrt()


def relative_pose(offset: Tensor, normal: Tensor, scale: Tensor, dim: int = -1) -> Tensor:
    """Features of an offset in a local frame: direction, and distance on a logarithmic and on a saturating scale.

    Distances between places around a body span four decades; on one linear scale a network sees only the largest.

    Args:
        offset: (..., d) from the local point to the other one.
        normal: (..., d) unit normal of the local frame.
        scale: (...) local spacing h > 0.
        dim: where the axis of the features goes.

    Returns:
        (..., 7): log(1 + r/h) times the direction (2), offset/(r + h) (2), log r, 1/(1 + r/h), log h.
    """
    along, across = _components(offset, normal)
    distance = (along.square() + across.square() + 1e-12).sqrt()
    ratio = distance / scale
    stretch, saturate = torch.log1p(ratio) / (distance + 1e-9), 1.0 / (distance + scale)
    parts = [along * stretch, across * stretch, along * saturate, across * saturate]
    parts += [torch.log(distance + 1e-3) / 2 + 2, 1 / (1 + ratio), torch.log(scale).expand_as(distance) / 2 + 2]
    return torch.stack(parts, dim=dim)
