"""Values of a function that is known at some points, at other points, and its slopes there."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .geometry import Queries
from .neighbors import knn
from .pointset import BOUNDARY, Inputs, PointSet
from .segment import segment_max, segment_sum, take_source, take_target, weighted_sum

#: Distance at which the nearness of a known point has fallen to one half, in the unit of the positions.
HALF = 0.02
#: Of the largest moment of the neighbours of a point: directions with less are taken for a line or a plane, across which nothing is known.
_FLAT = 1e-6


def interpolate(function: PointSet, pos: Tensor, ptr: Tensor, neighbours: int = 3) -> Tensor:
    """(n, c + 1) values by inverse squared distances, exact where a point is known, and the nearness of the nearest known point.

    The nearness HALF / (HALF + distance) is 1 at a known point and falls to 0 away from all: with it a model can tell a known value from a
    guess, such as boundary values seen from the inside (Shepard 1968). Every known point is flat in it, however fine the points: its values converge
    and its derivatives do not, :func:`slopes` are for those.

    Args:
        function: known ``scalars`` (m, c) at points; samples without points give zeros.
        pos: (n, d) where it is asked for.
        ptr: (b+1,) samples of ``pos``.
        neighbours: known points per value.
    """
    values = function.scalars
    if function.pos.shape == pos.shape and (function.pos is pos or torch.equal(function.pos, pos)):
        return torch.cat([values, values.new_ones(len(values), 1)], dim=1)
    graph = knn(function.pos, pos, neighbours, function.ptr, ptr)
    squared = (take_source(function.pos, graph) - take_target(pos, graph)).square().sum(dim=1)
    weight = 1 / squared.clamp(min=1e-14)
    # the sum of the weights is that of a function that is 1 everywhere
    sums = weighted_sum(torch.cat([values, values.new_ones(len(values), 1)], dim=1), graph, weight.to(values.dtype))
    nearest = squared.new_full((graph.n_target,), torch.inf).scatter_reduce(0, graph.target, squared, "amin")
    nearest = nearest.clamp(min=1e-14).sqrt()  # a root has no derivative at a known point
    near = (HALF / (HALF + nearest))[:, None].to(values.dtype)
    return torch.cat([sums[:, :-1] / sums[:, -1:].clamp(min=1e-30), near], dim=1)


def known_at(inputs: Inputs, channels: Sequence[tuple[str, int]], places: PointSet, queries: Queries | None = None) -> list[Tensor]:
    """(n, c + 1) values and nearness of every input function at places: as queries carry them, if they do, else interpolated.

    Of queries that were moved (:meth:`Queries.following`) the values are those where they come from, and go on from there by :func:`slopes`: the
    answer at the start is that of queries that were not moved, and its derivative by position converges with the points of the function.

    Args:
        inputs: with all functions of ``channels``.
        channels: name and c of every function, in the order in which queries carry them.
        places: (n) points; those of the queries, if there are any.
        queries: what carries the functions behind the distance, or does not.
    """
    start, found = 1, []
    carried = queries is not None and queries.points.scalars.shape[1] == 1 + sum(count + 1 for _, count in channels)
    origin = None if queries is None else queries.origin
    for name, count in channels:
        function, boundary = inputs.functions[name], name.startswith(BOUNDARY)
        if carried and queries is not None:
            values = queries.points.scalars[:, start : start + count + 1]
        else:
            values = interpolate(function, places.pos if origin is None else origin, places.ptr)
            if not boundary:  # known in the whole field, as queries carry it: only boundary values fade
                values = torch.cat([values[:, :-1], torch.ones_like(values[:, -1:])], dim=1)
        if origin is not None:
            values = values + _change(function, origin, places, boundary=boundary)
        found.append(values)
        start += count + 1
    return found


def slopes(function: PointSet, pos: Tensor, ptr: Tensor, *, directions: int | None = None) -> Tensor:
    """(n, c, d) gradients at places: those of weighted least-squares planes through the nearest known points.

        g = S^+ sum_j w_j (y_j - m) f_j,    S = sum_j w_j (y_j - m)(y_j - m)^T,    m = sum_j w_j y_j,    w_j ~ (1 - |y_j - x|^2/r^2)^2,  sum_j w_j = 1

    with r the distance of the furthest of 3 d + 3 points, where w falls to 0 (moving least squares, Lancaster and Salkauskas 1981). Exact for linear
    functions, of first order for smooth ones. Across the line or plane on which all neighbours lie, and where there is one point or none, they are 0.
    Differentiable by the values and not by positions, in double precision inside.

    Args:
        function: known ``scalars`` (m, c) at points.
        pos: (n, d) where slopes are asked for.
        ptr: (b+1,) samples of ``pos``.
        directions: how many the points spread into at most, such as d - 1 on a boundary; None for d.
    """
    d = pos.shape[1]
    graph = knn(function.pos, pos, 3 * d + 3, function.ptr, ptr)
    with torch.no_grad():
        offset = (take_source(function.pos, graph) - take_target(pos, graph)).double()
        squared = offset.square().sum(dim=1)
        reach = segment_max(squared, graph).clamp_min(torch.finfo(torch.float64).tiny)
        size = take_target(reach.sqrt(), graph)[:, None]
        # a floor keeps a weight where all neighbours are equally far
        weight = (1 - squared / size[:, 0].square()).clamp_min(1e-4).square()
        weight = (weight / take_target(segment_sum(weight, graph), graph))[:, None]
        offset = offset / size
        offset = offset - take_target(segment_sum(weight * offset, graph), graph)
        moments = segment_sum((weight * offset)[:, :, None] * offset[:, None, :], graph)
        size_of, axes = torch.linalg.eigh(moments)  # ascending
        seen = size_of > _FLAT * size_of[:, -1:].clamp_min(_FLAT)
        seen[:, : d - (d if directions is None else directions)] = False
        inverse = axes * torch.where(seen, 1 / torch.where(seen, size_of, 1.0), 0.0)[:, None, :] @ axes.mT
        arm = (take_target(inverse, graph) @ (weight * offset)[:, :, None])[:, :, 0] / size
    values = take_source(function.scalars, graph)
    return segment_sum(values.double()[:, :, None] * arm[:, None, :], graph).to(values.dtype)


def _change(function: PointSet, origin: Tensor, places: PointSet, *, boundary: bool) -> Tensor:
    """(n, c + 1) change of values and nearness from the origin to the places, to first order: none where both are one.

    Boundary values change along the boundary alone, and their nearness with the distance from the nearest of their points.
    """
    slope = slopes(function, origin, places.ptr, directions=origin.shape[1] - 1 if boundary else None)
    values = (slope @ (places.pos - origin).to(slope.dtype)[:, :, None])[:, :, 0]
    nearness = values.new_zeros(len(values), 1)
    if boundary:
        graph = knn(function.pos, origin, 1, function.ptr, places.ptr)
        here, before = (segment_sum(_nearness(take_source(function.pos, graph) - take_target(x, graph)), graph) for x in (places.pos, origin))
        nearness = (here - before)[:, None].to(values.dtype)
    return torch.cat([values, nearness], dim=1)


def _nearness(offset: Tensor) -> Tensor:
    """(e,) HALF / (HALF + |offset|); a root has no derivative at a known point."""
    return HALF / (HALF + offset.square().sum(dim=1).clamp(min=1e-14).sqrt())
