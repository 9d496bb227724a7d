"""Physics attention: points are pooled into a few slices, slices attend to one another, points read them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum
from ..layers.operator import AbstractOperator, Symmetry


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
        if channels % heads:
            raise ConfigurationError(
                f"{channels} channels do not divide among {heads} heads", where="heads", remedy="choose a divisor of the channels"
            )
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
        tiles = Tiles.of(source.ptr)
        folded = tiles.fold(source.scalars)
        share = self._share(folded)
        mean, _ = self._pool(share, folded, folded, tiles, source)
        slices = self._attend(self._values(mean))
        if target is not source:
            tiles = Tiles.of(target.ptr)
            share = self._share(tiles.fold(target.scalars))
        # O acts on the slices: (b, heads, slices, channels)
        read = torch.einsum("bhmc,ohc->bhmo", slices, self.out.weight.unflatten(1, (self.heads, -1))).flatten(1, 2)
        out = torch.bmm(share, tiles.spread(read).to(share.dtype)) + self.out.bias
        return target.with_features(scalars=tiles.unfold(out, len(target)))

    def tokens(self, source: PointSet) -> PointSet:
        """The slices after their attention as points: ``pos`` mean position, ``weight`` share of the measure, ``scalars`` (b slices, channels)."""
        tiles = Tiles.of(source.ptr)
        folded, pos = tiles.fold(source.scalars), tiles.fold(source.pos)
        mean, mass = self._pool(self._share(folded), folded, torch.cat([folded, pos.to(folded.dtype)], dim=2), tiles, source)
        mean, place = mean.split([folded.shape[2], pos.shape[2]], dim=3)
        slices = self.out(self._attend(self._values(mean)).transpose(1, 2).flatten(2)).flatten(0, 1)
        place, mass = (values.mean(dim=1).flatten(0, 1).to(source.pos.dtype) for values in (place, mass))
        return PointSet(place, slices, weight=mass, ptr=self.slices * torch.arange(source.batch_size + 1, device=source.ptr.device))

    def _share(self, folded: Tensor) -> Tensor:
        """(t, l, heads slices) share of every point in every slice, from features (t, l, channels)."""
        # the temperature divides the small matrix instead of all logits
        cool = self.temperature.clamp(0.1, 5.0).repeat_interleave(self.slices)
        logits = F.linear(folded, self.assign.weight / cool[:, None], self.assign.bias / cool)
        return logits.unflatten(2, (self.heads, -1)).softmax(dim=3).flatten(2)

    def _pool(self, share: Tensor, folded: Tensor, values: Tensor, tiles: Tiles, source: PointSet) -> tuple[Tensor, Tensor]:
        """Weighted means (b, heads, slices, c) of values (t, l, c), and the measure of every slice (b, heads, slices)."""
        tiny = torch.finfo(source.weight.dtype).tiny
        total = segment_sum(source.weight, source.ptr).clamp(min=tiny)
        weight = tiles.fold((source.weight / total[source.batch])[:, None]).to(share.dtype)
        if self.density is not None:
            # bounded, so that no point can take everything
            weight = weight * (8 * torch.tanh(self.density(folded) / 8)).exp()
        across = share.transpose(1, 2)
        mass, mean = tiles.gather(torch.bmm(across, weight)), tiles.gather(torch.bmm(across, values.to(share.dtype) * weight))
        mean = mean / mass.clamp(min=tiny)
        return mean.unflatten(1, (self.heads, -1)), mass[:, :, 0].unflatten(1, (self.heads, -1))

    def _values(self, mean: Tensor) -> Tensor:
        """(b, heads, slices, c) values of the slices: V of a mean is the mean of V."""
        weight, bias = self.value.weight.unflatten(0, (self.heads, -1)), self.value.bias.unflatten(0, (self.heads, -1))
        return torch.einsum("bhmi,hci->bhmc", mean, weight) + bias[:, None, :]

    def _attend(self, slices: Tensor) -> Tensor:
        q, k, v = self.qkv(slices).chunk(3, dim=-1)
        return F.scaled_dot_product_attention(q, k, v)


@dataclass(frozen=True, eq=False)
class Tiles:
    """Samples of any sizes as equal tiles (t, l, ...) of consecutive points, for dense products; no tile holds points of two samples.

    Samples of equal size are one tile each, without a copy. Otherwise only the end of each sample's last tile is empty, so the waste does not
    depend on how different the samples are; empty places carry weight 0.
    """

    count: int
    length: int
    slot: Tensor | None
    ptr: Tensor | None
    sample: Tensor | None

    @classmethod
    def of(cls, ptr: Tensor, length: int = 256) -> Tiles:
        """The tiles of samples that start at ``ptr`` (b+1,)."""
        sizes = ptr.diff()
        known = sizes.tolist()
        if len(set(known)) == 1:
            return cls(len(known), known[0], None, None, None)
        length = min(length, max(known))
        counts = (sizes + length - 1) // length
        start = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        sample = torch.repeat_interleave(torch.arange(len(known), device=ptr.device), counts)
        slot = torch.arange(sum(known), device=ptr.device) + torch.repeat_interleave(start[:-1] * length - ptr[:-1], sizes, output_size=sum(known))
        return cls(len(sample), length, slot, start, sample)

    def fold(self, values: Tensor) -> Tensor:
        """(n, c) -> (t, l, c)."""
        if self.slot is not None:
            values = values.new_zeros(self.count * self.length, values.shape[1]).index_copy(0, self.slot, values)
        return values.reshape(self.count, self.length, values.shape[1])

    def unfold(self, values: Tensor, n: int) -> Tensor:
        """(t, l, c) -> (n, c)."""
        values = values.reshape(self.count * self.length, values.shape[2])
        return values[:n] if self.slot is None else values.index_select(0, self.slot)

    def gather(self, values: Tensor) -> Tensor:
        """Sums over the tiles of every sample: (t, ...) -> (b, ...)."""
        return values if self.ptr is None else segment_sum(values, self.ptr)

    def spread(self, values: Tensor) -> Tensor:
        """(b, ...) -> (t, ...)."""
        return values if self.sample is None else values.index_select(0, self.sample)
