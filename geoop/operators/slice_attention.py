"""Physics attention: points are pooled into a few slices, slices attend to one another, points read them back."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.sizes import check_heads, check_sizes
from ..layers.tiles import Tiles


class SliceAttention(AbstractOperator):
    """Slice attention of Wu et al. 2024 (Transolver, arXiv 2402.02366) over the measure of the cloud:

        a_im = softmax over slices m of (A u_i + c)_m / T                       for every head
        s_m  = sum_i w_i a_im (V u_i) / sum_i w_i a_im,      s' = attention(s),      v(x) = O sum_m a_m(x) s'_m

    With equal weights this is the published layer; with quadrature weights every s_m is a quotient of two quadratures, so it converges when the
    cloud is refined. Linear cost. V and O act on slices instead of points, which is the same map, and the assignment is one matrix per head
    (published: a product of two), so that a layer is three matrix products per point.

    ``density`` multiplies the weights by exp(D u_i), learned and 1 at the start: a density is a function on the region and keeps the
    convergence, and lets a layer look at a thin zone that is small by area, such as the neighbourhood of a wall.

    Source: ``scalars`` (m, channels), ``weight``. Target: ``scalars`` (n, channels), of the same meaning; may be the source. Returns the target
    points with ``scalars`` (n, channels), without the identity.

    Args:
        channels: in and out.
        heads: divides ``channels``.
        slices: of every head.
        density: learn a density.
    """

    reference: ClassVar[str] = "wu-2024-transolver"
    symmetry: ClassVar[Symmetry] = Symmetry.E
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(self, channels: int, *, heads: int = 4, slices: int = 32, density: bool = False) -> None:
        super().__init__()
        check_sizes("SliceAttention", {"slices": slices})
        check_heads("SliceAttention", channels, heads)
        self.heads, self.slices = heads, slices
        self.assign = nn.Linear(channels, heads * slices)
        nn.init.orthogonal_(self.assign.weight)
        self.temperature = nn.Parameter(torch.full((heads,), 0.5))
        self.value, self.out = nn.Linear(channels, channels), nn.Linear(channels, channels)
        self.qkv = nn.Linear(channels // heads, 3 * (channels // heads), bias=False)
        self.density = nn.Linear(channels, 1) if density else None
        if self.density is not None:
            nn.init.zeros_(self.density.weight)
            nn.init.zeros_(self.density.bias)

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        """No edges: all points of a sample meet in its slices."""
        return Graph.unconnected(len(source), len(target), source.pos.device)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        spoken, share = self.summarise(source)
        share = share if target is source else self.share(target)
        return target.with_features(scalars=self.read(share, spoken, target))

    def share(self, points: PointSet) -> Tensor:
        """(n, heads slices) share of every point in every slice."""
        # the temperature divides the small matrix instead of all logits
        cool = self.temperature.clamp(0.1, 5.0).repeat_interleave(self.slices)
        logits = F.linear(points.scalars, self.assign.weight / cool[:, None], self.assign.bias / cool)
        return logits.unflatten(1, (self.heads, -1)).softmax(dim=2).flatten(1)

    def summarise(self, source: PointSet) -> tuple[Tensor, Tensor]:
        """(b, heads slices, channels) what every slice says after the attention among them, through O; and the shares of the source points.

        That is all a target point needs, so any number of them can read it later at a cost that does not depend on the source.
        """
        share = self.share(source)
        slices = self._attend(self._values(self._pool(share, source)))
        # O acts on the slices, and so does its bias: the shares of a point add up to 1 in every head
        spoken = torch.einsum("bhmc,ohc->bhmo", slices, self.out.weight.unflatten(1, (self.heads, -1))) + self.out.bias / self.heads
        return spoken.flatten(1, 2), share

    def read(self, share: Tensor, spoken: Tensor, target: PointSet) -> Tensor:
        """(n, channels) what points with shares (n, heads slices) hear from the slices of their samples, see :meth:`summarise`."""
        return Tiles.of(target.ptr).apply(share, spoken.to(share.dtype))

    def _pool(self, share: Tensor, source: PointSet) -> Tensor:
        """(b, heads, slices, channels) weighted means over the points of every sample, with shares (n, heads slices)."""
        tiles, tiny = Tiles.of(source.ptr), torch.finfo(source.weight.dtype).tiny
        total = segment_sum(source.weight, source.ptr).clamp(min=tiny)
        weight = (source.weight / total[source.batch])[:, None].to(share.dtype)
        if self.density is not None:
            # bounded, so that no point can take everything
            weight = weight * (8 * torch.tanh(self.density(source.scalars) / 8)).exp()
        mass, sums = tiles.gram(share, weight), tiles.gram(share, source.scalars.to(share.dtype) * weight)
        return (sums / mass.clamp(min=tiny)).unflatten(1, (self.heads, -1))

    def _values(self, mean: Tensor) -> Tensor:
        """(b, heads, slices, c) values of the slices: V of a mean is the mean of V."""
        weight, bias = self.value.weight.unflatten(0, (self.heads, -1)), self.value.bias.unflatten(0, (self.heads, -1))
        return torch.einsum("bhmi,hci->bhmc", mean, weight) + bias[:, None, :]

    def _attend(self, slices: Tensor) -> Tensor:
        q, k, v = self.qkv(slices).chunk(3, dim=-1)
        return F.scaled_dot_product_attention(q, k, v)
