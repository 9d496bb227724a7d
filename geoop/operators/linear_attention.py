"""Attention whose cost grows linearly with the points: sums over each source cloud are matrices of the size of a head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.sizes import check_heads
from ..layers.tiles import Tiles

#: What the softmax of a head may at least reach: below, the quotient of two sums would overflow.
_LEAST = 1e-12


class LinearAttention(AbstractOperator):
    """Heterogeneous normalised attention of GNOT (Hao et al. 2023, arXiv 2302.14376, eq. 7-10) over J functions, each on a cloud of its own:

        z_i = q_i + 1/J sum_j  q~_i (sum_l w_l k~_l v_l^T)_j / (q~_i . (sum_l w_l k~_l)_j),      v'_i = u_i + O z_i

    with q~ = softmax(s q), k~ = softmax(s k) over the features of a head, and the quadrature weights w of cloud j in both sums: for every head a mean of
    v under the measure w with the positive kernel q~_i . k~_l. It converges when a cloud is refined, a point that is split in two counts as before, and
    the unit of the weights does not matter. Pre-norm, with a residual around everything.

    ``kind="galerkin"`` is the attention of Cao 2021 (arXiv 2105.14995) instead, without softmax and quotient: keys and values are normalised over the
    features of a head, sum_l w_l LN(k_l) LN(v_l)^T is a Petrov-Galerkin projection, and w / sum w takes the place of the paper's 1/n.

    The sums do not depend on the target: :meth:`summarise` makes them once, then :meth:`attend` costs the same for every target point, whatever the
    size of the clouds. A cloud without points adds zeros.

    Source: ``scalars`` (m, source_channels), ``weight``; one point set per function, or one that all functions read. Target: ``scalars`` (n, channels);
    may be the source. Returns the target points with ``scalars`` (n, channels).

    Args:
        channels: scalars of the target points, in and out.
        source_channels: scalars of every function's points; None for one function with ``channels``.
        heads: divides ``channels``. On a CPU torch's softmax is ten times slower for heads whose size is no multiple of 8 from 16 on.
        kind: "softmax" or "galerkin".
        sharpness: the factor s, 1 in the paper. There the softmax is nearly flat at the start and all target points see the same mean. Not used by
            "galerkin".
    """

    reference: ClassVar[str] = "hao-2023-gnot"
    symmetry: ClassVar[Symmetry] = Symmetry.E
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(
        self,
        channels: int,
        *,
        source_channels: Sequence[int] | None = None,
        heads: int = 4,
        kind: Literal["softmax", "galerkin"] = "softmax",
        sharpness: float = 3.0,
    ) -> None:
        super().__init__()
        check_heads("LinearAttention", channels, heads)
        if kind not in ("softmax", "galerkin"):
            raise ConfigurationError(f"unknown attention '{kind}'", where="kind", remedy="use 'softmax' or 'galerkin'")
        sources = (channels,) if source_channels is None else tuple(source_channels)
        self.heads, self.kind, self.sharpness = heads, kind, sharpness
        self.norm_target, self.query, self.out = nn.LayerNorm(channels), nn.Linear(channels, channels), nn.Linear(channels, channels)
        self.norm_sources = nn.ModuleList([nn.LayerNorm(count) for count in sources])
        self.keys = nn.ModuleList([nn.Linear(count, channels) for count in sources])
        self.values = nn.ModuleList([nn.Linear(count, channels) for count in sources])
        member = torch.eye(heads).repeat_interleave(channels // heads, dim=0)  # (channels, heads): which head a feature belongs to
        self.member: Tensor
        self.blocks: Tensor
        self.register_buffer("member", member, persistent=False)
        self.register_buffer("blocks", member @ member.T, persistent=False)
        if kind == "galerkin":
            self.reference = "cao-2021-galerkin"

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        """No edges: every source point acts on every target point of its sample, through one matrix."""
        return Graph.unconnected(len(source), len(target), source.pos.device)

    def forward(self, source: PointSet | Sequence[PointSet], target: PointSet, graph: Graph) -> PointSet:
        return target.with_features(scalars=self.attend(target, self.summarise(source)))

    def summarise(self, source: PointSet | Sequence[PointSet]) -> Tensor:
        """(b, J, channels, channels + 1) the sums over every cloud: blocks sum w k~ v^T of all heads on the diagonal, sum w k~ in the last column."""
        clouds = [source] * len(self.keys) if isinstance(source, PointSet) else source
        layers = zip(clouds, self.norm_sources, self.keys, self.values, strict=True)
        return torch.stack([self._moment(cloud, norm, key, value) for cloud, norm, key, value in layers], dim=1)

    def attend(self, target: PointSet, summary: Tensor) -> Tensor:
        """(n, channels) new scalars of the target points; ``summary`` is what :meth:`summarise` returned for the samples of the target."""
        query, tiles = self.query(self.norm_target(target.scalars)), Tiles.of(target.ptr)
        products, sums = summary[..., :-1], summary[..., -1]
        if self.kind == "galerkin":
            seen = tiles.cut(query) @ tiles.per_tile(products.mean(dim=1)).to(query.dtype)
        else:
            seen = self._quotients(tiles.cut(self._softmax(self.sharpness * query)), tiles.per_tile(products), tiles.per_tile(sums))
        return target.scalars + self.out(query + tiles.join(seen))

    def _quotients(self, q: Tensor, products: Tensor, sums: Tensor) -> Tensor:
        """(t, rows, channels) mean over the clouds of what tiles of queries q~ (t, rows, channels) see, each cloud with its own normalisation.

        All heads at once by matrices with blocks on the diagonal: the zeros between the blocks cost less than taking the heads apart.
        """
        count, spread = products.shape[1], self.member.T.to(q.dtype)
        reach = q @ (sums[..., None] * self.member).transpose(1, 2).flatten(2).to(q.dtype)  # (t, rows, J heads)
        inverse = torch.where(reach > _LEAST, 1 / (count * reach.clamp(min=_LEAST)), 0)
        scaled = q[:, :, None, :] * (inverse.unflatten(2, (count, -1)) @ spread)
        return scaled.flatten(2) @ products.flatten(1, 2).to(q.dtype)

    def _moment(self, cloud: PointSet, norm: nn.Module, key: nn.Linear, value: nn.Linear) -> Tensor:
        """(b, channels, channels + 1) sums over the points of every sample, for weights that add up to 1."""
        x, tiles = norm(cloud.scalars), Tiles.of(cloud.ptr)
        total = segment_sum(cloud.weight, cloud.ptr).clamp(min=torch.finfo(cloud.weight.dtype).tiny)
        k = (
            self._normalised(key(x))
            if self.kind == "galerkin"
            else self._softmax(F.linear(x, self.sharpness * key.weight, self.sharpness * key.bias))
        )
        k = tiles.masked(k * (cloud.weight / total[cloud.batch])[:, None].to(k.dtype))
        sums = tiles.per_sample(k.sum(dim=1))
        if self.kind == "galerkin":
            product = tiles.per_sample(k.mT @ tiles.cut(self._normalised(value(x))))
        else:  # the value of a mean is the mean of the values: the matrix acts on sums instead of points
            product = tiles.per_sample(k.mT @ tiles.cut(x)) @ value.weight.T + sums[:, :, None] * value.bias
        return torch.cat([product * self.blocks.to(product.dtype), sums[:, :, None].to(product.dtype)], dim=2)

    def _softmax(self, x: Tensor) -> Tensor:
        """(n, channels), over the features of every head."""
        return torch.softmax(x.unflatten(1, (self.heads, -1)), dim=-1).flatten(1)

    def _normalised(self, x: Tensor) -> Tensor:
        split = x.unflatten(1, (self.heads, -1))
        return F.layer_norm(split, split.shape[-1:]).flatten(1)
