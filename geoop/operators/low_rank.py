"""Low-rank neural operator: a sum of separable kernels."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum
from ..layers.mlp import MLP
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.sizes import check_heads, check_sizes
from ..layers.tiles import Tiles


class Basis(nn.Module):
    """Functions of a place, a perceptron of its scalars: (n, count)."""

    def __init__(self, channels: int, count: int, hidden: int) -> None:
        super().__init__()
        check_sizes("Basis", {"count": count, "hidden": hidden})
        self.values = MLP([channels, hidden, count])

    def forward(self, points: PointSet) -> Tensor:
        return self.values(points.scalars)


class LowRank(AbstractOperator):
    """Low-rank kernel integral of Kovachki et al. 2021 (arXiv 2108.08481, section 4.2), with quadrature weights:

        v'(x) = W v(x) + M sum_j phi_j(x) <psi_j, N u>_w + b,    <f, g>_w = sum_i w_i f(y_i) g(y_i) / sum_i w_i

    The kernel is sum_j phi_j(x) psi_j(y) M N: a global operator in n r operations. Channels of N u are split among ``heads``, each with an equal
    part of the functions phi and psi, so the rank of the whole is their number. Exact for a separable kernel of that rank when phi and psi
    are its factors. The sums are quadratures of means over the sample: refine the cloud and they converge. M and N act on the moments
    <psi_j, u>_w, a few numbers per sample, not on the points: the same map, two products per point cheaper.

    Source: ``scalars`` (m, in_channels) u, ``weight``. Target: ``scalars`` (n, target_channels). Returns the target points with
    ``scalars`` (n, out_channels).

    Args:
        in_channels: scalars of the source points.
        out_channels: scalars of the result.
        phi, psi: modules from a point set to (n, r) values at the target and at the source points, e.g. :class:`Basis`; r a multiple of ``heads``.
        width: channels of N u, a multiple of ``heads``.
        heads: groups of channels with functions of their own.
        target_channels: scalars of the target points that the local term W v(x) reads; 0 leaves it out.
        measure: what the sums are divided by instead of the sample's own measure: 1 for a true integral.
    """

    reference: ClassVar[str] = "kovachki-2021-no"
    symmetry: ClassVar[Symmetry] = Symmetry.E  # positions enter through scalars alone
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        phi: nn.Module,
        psi: nn.Module,
        *,
        width: int = 32,
        heads: int = 1,
        target_channels: int = 0,
        measure: float | None = None,
    ) -> None:
        super().__init__()
        check_heads("LowRank", width, heads)
        self.phi, self.psi, self.heads, self.measure = phi, psi, heads, measure
        self.inner = nn.Linear(in_channels, width, bias=False)
        self.mix = nn.Linear(width, out_channels)
        self.local = nn.Linear(target_channels, out_channels, bias=False) if target_channels else None

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return Graph.unconnected(len(source), len(target), source.pos.device)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        return self.expand(self.moments(source), target)

    def moments(self, source: PointSet) -> Tensor:
        """(b, r, width) the numbers <psi_j, N u>_w of every sample: all that the target needs to know of the source.

        All functions times all channels in one product, then those of other heads are dropped: cheaper than to sort them by head before.
        """
        total = (
            segment_sum(source.weight, source.ptr)
            if self.measure is None
            else torch.full_like(source.weight[:1], self.measure).expand(source.batch_size)
        )
        share = source.weight / total.clamp(min=torch.finfo(total.dtype).tiny)[source.batch]
        psi = self.psi(source) * share[:, None]
        return self._own(self.inner(Tiles.of(source.ptr).gram(psi, source.scalars.to(psi.dtype))).to(psi.dtype))

    def expand(self, moments: Tensor, target: PointSet) -> PointSet:
        """The target points with the sum of the terms; every target by itself."""
        phi, table = self.phi(target), nn.functional.linear(moments, self.mix.weight.to(moments.dtype))
        result = Tiles.of(target.ptr).apply(phi, table.to(phi.dtype)) + self.mix.bias
        return target.with_features(scalars=result if self.local is None else result + self.local(target.scalars))

    def _own(self, moments: Tensor) -> Tensor:
        """Moments (b, r, width) without those of functions and channels that belong to different heads."""
        if self.heads == 1:
            return moments
        parts = moments.unflatten(1, (self.heads, -1)).unflatten(3, (self.heads, -1))
        same = torch.eye(self.heads, dtype=moments.dtype, device=moments.device)
        return (parts * same[:, None, :, None]).flatten(3).flatten(1, 2)
