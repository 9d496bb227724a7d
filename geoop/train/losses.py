"""Losses on the fields of a batch of cases."""

from __future__ import annotations

import torch
from torch import Tensor

from ..graph.pointset import PointSet
from ..graph.segment import segment_sum


def relative_l2(prediction: PointSet, target: PointSet, weight: Tensor, reference: Tensor | None = None, floor: float = 1e-6) -> Tensor:
    """Weighted relative L2 error of every part and channel.

        e_bc = sqrt( sum_i w_i |p_ic - t_ic|^2 / sum_i w_i ) / r_bc,    r_bc = rms of the target unless given

    With quadrature weights as ``weight`` this is the ratio of L2 norms over the domain (area-weighted); with ones it is
    the ratio over the nodes, as most published tables have it.

    Args:
        prediction: its channels; a vector counts as one channel per component.
        target: the truth; its ``ptr`` says which points form a part (a case, or a region of a case).
        weight: (n,) non-negative.
        reference: (b, c) rms of every channel over the whole part: with a random subset of points the subset's own rms
            would be a biased, noisy denominator. None takes it from the subset.
        floor: smallest reference, so that a field that is zero everywhere does not divide by zero.

    Returns:
        (b, c) errors; 0 for parts without points.
    """
    error = _channels(prediction) - _channels(target)
    mean_square = segment_sum(weight[:, None] * error.square(), target.ptr) / _total(target, weight)
    if reference is None:
        reference = channel_rms(target, weight)
    # the tiny constant keeps the gradient of the root finite where a prediction is exact
    return (mean_square + 1e-12).sqrt() / reference.clamp_min(floor)


def channel_rms(target: PointSet, weight: Tensor) -> Tensor:
    """(b, c) weighted root mean square of every channel over every part."""
    return (segment_sum(weight[:, None] * _channels(target).square(), target.ptr) / _total(target, weight)).sqrt()


def _total(points: PointSet, weight: Tensor) -> Tensor:
    return segment_sum(weight[:, None], points.ptr).clamp_min(1e-30)


def _channels(points: PointSet) -> Tensor:
    """(n, s + v d) scalars, then vector components."""
    return torch.cat([points.scalars, points.vectors.flatten(1)], dim=1)
