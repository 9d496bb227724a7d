"""Learned interpolation between clouds that keeps constants and linear functions, whatever was learned."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from ..graph.graph import Graph
from ..graph.neighbors import knn
from ..graph.pointset import PointSet
from ..graph.segment import segment_max, segment_sum, take_source, take_target, weighted_sum
from ..layers.mlp import MLP
from ..layers.operator import AbstractOperator, Symmetry

#: Passes of the correction; the ridge that keeps neighbours on one line from being singular is worked off by the later ones.
PASSES = 3
#: Of the distance to the farthest neighbour: what a distance is never taken to be less than, so that a source point gives its own value back.
CORE = 1e-3


class MomentInterpolation(AbstractOperator):
    """Values at targets from the nearest sources, with weights of a network whose moments of order 0 and 1 are put right:

        w_j  ~  (1 - d_j^2/d_k^2)^2 / (d_j^2 + eps^2)^2 . exp(net((y_j - x)/d_k)),      sum_j w_j = 1
        w'_j =  w_j - v_j (r_j - nu) . S^-1 sum_i w_i r_i,      r_j = y_j - x,  v_j ~ (1 - d_j^2/d_k^2)^2,  nu = sum v_j r_j,  S = sum v_j (r_j - nu)(r_j - nu)^T

    so that sum w'_j = 1 and sum w'_j y_j = x, outside of the hull of the sources too: what the weights miss of a plane is added by a weighted
    least-squares fit (moving least squares, Lancaster and Salkauskas 1981). ItpNet of MM-PDE (Hu et al. 2024, arXiv 2312.05583) has no such
    correction, and loses a constant on its way to the moved mesh and back. Weights vanish at the k-th neighbour: the answer is continuous where
    neighbours change; before any training it is nearly that of inverse distances with a plane. Sources on one line let linear functions be reproduced
    along it alone.

    Source: ``scalars`` (n, c) any features. Target: places. Returns the target with ``scalars`` (m, c).

    Args:
        dimension: of space.
        neighbours: sources that a target hears; 2 d + 2 at least.
        hidden: features of the network's two hidden layers.
    """

    reference: ClassVar[str] = "hu-2024-mmpde"
    symmetry: ClassVar[Symmetry] = Symmetry.TRANSLATION

    def __init__(self, dimension: int = 2, *, neighbours: int = 10, hidden: int = 24) -> None:
        super().__init__()
        self.neighbours = max(int(neighbours), 2 * dimension + 2)
        self.net = MLP([dimension + 1, hidden, hidden, 1])

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return knn(source.pos, target.pos, self.neighbours, source.ptr, target.ptr)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        values = weighted_sum(source.scalars, graph, self.weights(source, target, graph))
        return target.with_features(scalars=values)

    def weights(self, source: PointSet, target: PointSet, graph: Graph) -> Tensor:
        """(e,) of every edge; over a target's edges they add up to 1 and their mean place is the target."""
        offset = take_source(source.pos, graph) - take_target(target.pos, graph)
        squared = offset.square().sum(dim=1)
        tiny = torch.finfo(offset.dtype).tiny
        reach = segment_max(squared, graph).clamp_min(tiny)
        size = take_target(reach, graph)
        offset, near = offset / size.sqrt()[:, None], squared / size
        # a floor keeps a weight where all neighbours are equally far
        window = (1 - near).clamp_min(1e-4).square()
        prior = window.log() - 2 * torch.log(near + CORE**2)
        logit = prior + self.net(torch.cat([offset, near[:, None]], dim=1))[:, 0]
        grown = (logit - take_target(segment_max(logit.detach(), graph), graph)).exp()
        # in double precision whatever the features: the correction solves for a plane through neighbours that may lie nearly on a line
        doubles = (_shared(item.double(), graph) for item in (grown, window))
        return _planar(*doubles, offset.double(), graph).to(offset.dtype)


def _shared(weight: Tensor, graph: Graph) -> Tensor:
    """Weights (e,) > 0 over their sum at every target."""
    return weight / take_target(segment_sum(weight, graph), graph)


def _planar(weight: Tensor, window: Tensor, offset: Tensor, graph: Graph) -> Tensor:
    """Weights (e,) of sum 1, changed in proportion to a window of sum 1 so that offsets (e, d) have mean 0."""
    d = offset.shape[1]
    from_mean = offset - take_target(segment_sum(window[:, None] * offset, graph), graph)
    outer = (window[:, None, None] * from_mean[:, :, None] * from_mean[:, None, :]).flatten(1)
    ridge = torch.finfo(weight.dtype).eps ** 0.5 * torch.eye(d, dtype=weight.dtype, device=weight.device)
    spread = segment_sum(outer, graph).view(-1, d, d) + ridge
    for _ in range(PASSES):
        missed = segment_sum(weight[:, None] * offset, graph)
        slope = torch.linalg.solve(spread, missed)
        weight = weight - window * (from_mean * take_target(slope, graph)).sum(dim=1)
    return weight
