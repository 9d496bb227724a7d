"""Graph kernel network: the kernel integral operator over a neighbourhood."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import weighted_sum
from ..layers.neighborhood import Ball, Nearest, Pairs
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.pair_kernel import PairKernel

#: At most so many edges at once where no gradient is asked for.
_EDGES = 2**20


class GraphKernel(AbstractOperator):
    """Kernel integral of Li et al. 2020 (arXiv 2003.03485) and Kovachki et al. 2021 (arXiv 2108.08481), weighted, with a factored kernel:

        v'(x) = W v(x) + M sum_j w_j g(|y_j - x| / r) k(x, y_j) * (N u(y_j)) / sum_j w_j g(|y_j - x| / r) + b

    The paper's kernel is a C x C matrix on every edge. Here it is M diag(k) N: k gives ``kernel.width`` gains and the matrices M and N
    mix channels at the points, so memory is edges x width instead of edges x C^2. The window g and the weights w make the sum a
    quadrature: refine the cloud and it converges.

    Source: ``scalars`` (m, in_channels) u, ``weight``. Target: ``scalars`` (n, target_channels) v. Returns the target points with
    ``scalars`` (n, out_channels).

    Args:
        in_channels: scalars of the source points.
        out_channels: scalars of the result.
        neighborhood: :class:`Ball` or :class:`Nearest`. Only a smooth ball claims an order.
        kernel: the gains; a radial one makes the operator invariant under rotations and reflections.
        target_channels: scalars of the target points that the local term W v(x) reads; 0 leaves it out.
        measure: what the sum is divided by instead of its own weights, e.g. pi r^2: a true integral, which feels the rim of the
            domain, instead of a mean over the neighbourhood.
    """

    reference: ClassVar[str] = "li-2020-gkn"
    symmetry: ClassVar[Symmetry] = Symmetry.TRANSLATION
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        neighborhood: Ball | Nearest,
        kernel: PairKernel,
        *,
        target_channels: int = 0,
        measure: float | None = None,
    ) -> None:
        super().__init__()
        self.neighborhood, self.kernel, self.measure = neighborhood, kernel, measure
        self.inner = nn.Linear(in_channels, kernel.width)
        self.mix = nn.Linear(kernel.width, out_channels)
        self.local = nn.Linear(target_channels, out_channels, bias=False) if target_channels else None
        self.symmetry = kernel.symmetry  # what this instance can claim
        self.mesh_order = 2.0 if isinstance(neighborhood, Ball) and neighborhood.smooth else None

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.neighborhood.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        return self.over(self.pairs(source, target, graph), source, target, graph)

    def pairs(self, source: PointSet, target: PointSet, graph: Graph) -> Pairs:
        """Geometry of the edges, differentiable by positions and weights; the weights are those of the sum."""
        pairs = self.neighborhood.pairs(source, target, graph)
        return pairs.normalised(graph) if self.measure is None else replace(pairs, weight=pairs.weight / self.measure)

    def over(self, pairs: Pairs, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        """As a call, for geometry that is known: what :meth:`pairs` returned, which may be kept as long as the points stay.

        Without gradients the gains of the edges are made and summed up part by part, so that memory is that of the points and of the geometry.
        """
        values = self.inner(source.scalars)
        if torch.is_grad_enabled() or graph.n_edges <= _EDGES:
            seen = self._seen(values, pairs, source, target, graph)
        else:
            step = max(1, _EDGES * graph.n_target // graph.n_edges)
            seen = torch.cat([self._part(values, pairs, source, target, graph, k, min(k + step, len(target))) for k in range(0, len(target), step)])
        result = self.mix(seen)
        return target.with_features(scalars=result if self.local is None else result + self.local(target.scalars))

    def _part(self, values: Tensor, pairs: Pairs, source: PointSet, target: PointSet, graph: Graph, start: int, stop: int) -> Tensor:
        """What the targets ``start`` to ``stop`` (left out) see."""
        edges, part = graph.of_targets(start, stop)
        return self._seen(values, pairs.take(edges), source, PointSet(target.pos[start:stop], target.scalars[start:stop]), part)

    def _seen(self, values: Tensor, pairs: Pairs, source: PointSet, target: PointSet, graph: Graph) -> Tensor:
        """(n, width) the sum over the edges of a graph, before the matrix M."""
        return weighted_sum(values, graph, self.kernel(pairs, source, target, graph) * pairs.weight[:, None])
