"""Losses on the fields of a batch of cases."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..axes import check
from ..graph.geometry import Queries
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
    if reference is None:
        reference = channel_rms(target, weight)
    return _root(mean_square(prediction, target, weight)) / reference.clamp_min(floor)


def relative_l1(prediction: PointSet, target: PointSet, weight: Tensor, reference: Tensor | None = None, floor: float = 1e-6) -> Tensor:
    """Weighted relative L1 error of every part and channel, less drawn to a few large errors than L2.

        e_bc = ( sum_i w_i |p_ic - t_ic| / sum_i w_i ) / r_bc,    r_bc = mean magnitude of the target unless given

    Arguments and shapes as for :func:`relative_l2`.
    """
    mean = segment_sum(weight[:, None] * (_channels(prediction) - _channels(target)).abs(), target.ptr) / _total(target, weight)
    if reference is None:
        reference = segment_sum(weight[:, None] * _channels(target).abs(), target.ptr) / _total(target, weight)
    return mean / reference.clamp_min(floor)


def mean_square(prediction: PointSet, target: PointSet, weight: Tensor) -> Tensor:
    """(b, c) weighted mean square error of every part and channel, in the units of the fields as they are.

        e_bc = sum_i w_i |p_ic - t_ic|^2 / sum_i w_i

    Arguments as for :func:`relative_l2`.
    """
    return segment_sum(weight[:, None] * (_channels(prediction) - _channels(target)).square(), target.ptr) / _total(target, weight)


def relative_h1(
    prediction: tuple[PointSet, Tensor],
    target: tuple[PointSet, Tensor],
    weight: Tensor,
    *,
    length: float = 1.0,
    reference: Tensor | None = None,
    floor: float = 1e-6,
) -> Tensor:
    """Weighted relative H1 error of every part and channel: values and gradients.

        e_bc^2 = sum_i w_i ( |p_ic - t_ic|^2 + L^2 |grad p_ic - grad t_ic|^2 ) / sum_i w_i / r_bc^2,    r_bc^2 the same of p = 0 unless given

    Gradients come from :func:`position_gradient` (autograd of the decoded field) or from finite elements
    (:func:`geoop.fem.sparse_tensor.gradient`); both are (n, c, d).

    Args:
        prediction, target: values as for :func:`relative_l2`, and their (n, c, d) gradients, scalars first, then vector components.
        weight: (n,) non-negative.
        length: L, what makes gradients comparable with values; 0 is the L2 error.
        reference: (b, c) denominators; None takes them from the target.
        floor: smallest reference.

    Returns:
        (b, c) errors; 0 for parts without points.
    """
    points = target[0]
    values = _channels(prediction[0]), _channels(points)
    n, c = values[1].shape
    check({"n": n, "c": c, "d": points.dimension}, prediction=(prediction[1], "n c d"), target=(target[1], "n c d"))

    def energy(value: Tensor, slope: Tensor) -> Tensor:
        density = value.square() + length**2 * slope.square().sum(dim=2)
        return segment_sum(weight[:, None] * density, points.ptr) / _total(points, weight)

    if reference is None:
        reference = energy(values[1], target[1]).sqrt()
    error = energy(values[0] - values[1], prediction[1] - target[1])
    return _root(error) / reference.clamp_min(floor)


def position_gradient(field: Callable[[Queries], PointSet], queries: Queries, vertices: Tensor) -> tuple[PointSet, Tensor]:
    """A decoded field and its gradient by position, by autograd through everything that a query knows.

    Distance, gradient of the distance and closest point follow the position (:meth:`Queries.following`); without that the derivative
    would miss the way in which a model sees the wall. Input functions follow by least-squares slopes through the points where the model knows
    them (:func:`geoop.graph.interpolation.slopes`): exact for linear functions, of first order in the spacing of these points for smooth ones. What a
    function does between them, though a mesh may say it, the derivative does not see; nor, across a boundary, what is known on it alone.
    The field is that of the queries as they are, to the last bit but for rounding. Every query must be decoded by itself, as models here do, and with gradients on:
    weights that a model computes under ``torch.no_grad`` count as constants. One backward pass per channel.

    Args:
        field: decodes queries, for example ``lambda q: model.field(latent, q)``.
        queries: where.
        vertices: (v, d) of the surface that ``queries.anchor`` counts.

    Returns:
        the field, and (n, c, d) gradients of its channels (scalars, then vector components), differentiable in turn where gradients are on.
    """
    keep = torch.is_grad_enabled()
    with torch.enable_grad():
        pos = queries.points.pos.detach().requires_grad_()
        answer = field(queries.following(pos, vertices))
        channels = _channels(answer)
        slopes = []
        for c in range(channels.shape[1]):
            (slope,) = torch.autograd.grad(channels[:, c].sum(), pos, create_graph=keep, retain_graph=True, allow_unused=True)
            slopes.append(torch.zeros_like(pos) if slope is None else slope)
    gradient = torch.stack(slopes, dim=1) if slopes else pos.new_zeros(len(pos), 0, pos.shape[1])
    return (answer, gradient) if keep else (answer.with_features(answer.scalars.detach(), answer.vectors.detach()), gradient.detach())


def debiased_mean_square(prediction: PointSet, estimate: PointSet, error: Tensor, weight: Tensor) -> Tensor:
    """(b, c) estimates of the mean square error against a truth that is known only with independent noise, such as walks on spheres.

        E |p - t^|^2 = |p - t|^2 + Var t^     so that     sum_i w_i ( |p_ic - t^_ic|^2 - s_ic^2 ) / sum_i w_i

    is without bias; it may come out below zero where the prediction is better than the labels. As a loss it has the gradient of the
    plain mean square: the variance of labels is nothing that a predictor could reduce.

    Args:
        prediction: the predictor, which must not have seen these labels.
        estimate: the labels t^.
        error: (n, c) their standard errors s.
        weight: (n,) non-negative.
    """
    check({"n": len(estimate), "c": _channels(estimate).shape[1]}, error=(error, "n c"))
    excess = (_channels(prediction) - _channels(estimate)).square() - error.square()
    return segment_sum(weight[:, None] * excess, estimate.ptr) / _total(estimate, weight)


def channel_rms(target: PointSet, weight: Tensor) -> Tensor:
    """(b, c) weighted root mean square of every channel over every part."""
    return (segment_sum(weight[:, None] * _channels(target).square(), target.ptr) / _total(target, weight)).sqrt()


def _root(square: Tensor) -> Tensor:
    """The square root with gradient 0 at 0, where a prediction is exact or a part is empty."""
    some = square != 0
    return torch.where(some, torch.where(some, square, 1.0).sqrt(), 0.0)


def _total(points: PointSet, weight: Tensor) -> Tensor:
    return segment_sum(weight[:, None], points.ptr).clamp_min(1e-30)


def _channels(points: PointSet) -> Tensor:
    """(n, s + v d) scalars, then vector components."""
    return torch.cat([points.scalars, points.vectors.flatten(1)], dim=1)
