"""Values of a function that is known at some points, at other points."""

from __future__ import annotations

import torch
from torch import Tensor

from .neighbors import knn
from .pointset import PointSet
from .segment import take_source, take_target, weighted_sum

#: Distance at which the nearness of a known point has fallen to one half, in the unit of the positions.
HALF = 0.02


def interpolate(function: PointSet, pos: Tensor, ptr: Tensor, neighbours: int = 3) -> Tensor:
    """(n, c + 1) values by inverse squared distances, exact where a point is known, and the nearness of the nearest known point.

    The nearness HALF / (HALF + distance) is 1 at a known point and falls to 0 away from all: with it a model can tell a known value from a
    guess, such as boundary values seen from the inside (Shepard 1968).

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
