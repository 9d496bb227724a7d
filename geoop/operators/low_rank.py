"""Low-rank neural operator: a sum of separable kernels."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum
from ..layers.mlp import MLP
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.ragged import ragged_apply, ragged_gram


class Basis(nn.Module):
    """heads x rank functions of a place, a perceptron of its scalars: (n, heads rank)."""

    def __init__(self, channels: int, count: int, hidden: int) -> None:
        super().__init__()
        self.values = MLP([channels, hidden, count])

    def forward(self, points: PointSet) -> Tensor:
        return self.values(points.scalars)


class LowRank(AbstractOperator):
    """Low-rank kernel integral of Kovachki et al. 2021 (arXiv 2108.08481, section 4.2), with quadrature weights:

        v'(x) = W v(x) + M sum_j phi_j(x) <psi_j, N u>_w + b,    <f, g>_w = sum_i w_i f(y_i) g(y_i) / sum_i w_i

    The kernel is sum_j phi_j(x) psi_j(y) M N: a global operator in n r operations. Channels are split among ``heads``, each with ``rank``
    functions phi and psi of its own, so the rank of the whole is heads x rank. Exact for a separable kernel of that rank when phi and psi
    are its factors. The sums are quadratures of means over the sample: refine the cloud and they converge.

    Source: ``scalars`` (m, in_channels) u, ``weight``. Target: ``scalars`` (n, target_channels). Returns the target points with
    ``scalars`` (n, out_channels).

    Args:
        in_channels: scalars of the source points.
        out_channels: scalars of the result.
        target_channels: scalars of the target points; W v(x) reads them, and phi unless it is given.
        width: channels of N u, a multiple of ``heads``.
        rank: separable terms per head.
        heads: groups of channels with terms of their own.
        hidden: width of the perceptrons phi and psi.
        phi, psi: modules from a point set to (n, heads x rank) values; None: perceptrons of the scalars.
        local: the term W v(x).
        measure: what the sums are divided by instead of the sample's own measure: 1 for a true integral.
    """

    reference: ClassVar[str] = "kovachki-2021-no"
    symmetry: ClassVar[Symmetry] = Symmetry.E  # positions enter through scalars alone
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        target_channels: int,
        *,
        width: int = 32,
        rank: int = 16,
        heads: int = 1,
        hidden: int = 32,
        phi: nn.Module | None = None,
        psi: nn.Module | None = None,
        local: bool = True,
        measure: float | None = None,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ConfigurationError(f"{width} channels for {heads} heads", where="LowRank", remedy="make width a multiple of heads")
        self.heads, self.rank, self.measure = heads, rank, measure
        own = torch.block_diag(*[torch.ones(rank, width // heads)] * heads)
        self.own: Tensor  # (heads rank, width) 1 where a function and a channel belong to one head
        self.register_buffer("own", own, persistent=False)
        self.inner = nn.Linear(in_channels, width)
        self.mix = nn.Linear(width, out_channels)
        self.phi = Basis(target_channels, heads * rank, hidden) if phi is None else phi
        self.psi = Basis(in_channels, heads * rank, hidden) if psi is None else psi
        self.local = nn.Linear(target_channels, out_channels, bias=False) if local else None

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return Graph.unconnected(len(source), len(target), source.pos.device)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        return self.expand(self.moments(source), target)

    def moments(self, source: PointSet) -> Tensor:
        """(b, heads x rank, width) the numbers <psi_j, N u>_w of every sample: all that the target needs to know of the source.

        All functions times all channels in one product, then those of other heads are dropped: cheaper than to sort them by head before.
        """
        total = (
            segment_sum(source.weight, source.ptr)
            if self.measure is None
            else torch.full_like(source.weight[:1], self.measure).expand(source.batch_size)
        )
        share = source.weight / total.clamp(min=torch.finfo(total.dtype).tiny)[source.batch]
        psi = self.psi(source) * share[:, None]
        return ragged_gram(psi, self.inner(source.scalars).to(psi.dtype), source.ptr) * self.own

    def expand(self, moments: Tensor, target: PointSet) -> PointSet:
        """The target points with the sum of the terms; every target by itself."""
        phi = self.phi(target)
        result = self.mix(ragged_apply(phi, moments.to(phi.dtype), target.ptr))
        return target.with_features(scalars=result if self.local is None else result + self.local(target.scalars))
