"""Cross-attention between points and posed latents: the kernel of equivariant neural fields."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.neighbors import knn
from ..graph.pointset import PointSet
from ..graph.segment import segment_max, segment_softmax, segment_sum, take_source, take_target
from .bi_invariants import BiInvariant, Periodic
from .fourier import FourierFeatures
from .mlp import MLP
from .neighborhood import smooth_window
from .pose import windows
from .sizes import check_heads


@dataclass(frozen=True)
class PoseSpace:
    """What poses are, and who sees whom.

    Attributes:
        invariant: of a point and a pose: it decides the symmetry.
        dimension: of space.
        vectors: that every pose carries.
        nearest: latents that a point sees; None for all.
    """

    invariant: BiInvariant
    dimension: int = 2
    vectors: int = 0
    nearest: int | None = None

    def __post_init__(self) -> None:
        if self.nearest is not None and (self.nearest < 1 or isinstance(self.invariant, Periodic)):
            raise ConfigurationError(
                f"nearest {self.nearest}", where="PoseSpace", remedy="at least one latent; on a torus leave nearest=None: all are seen"
            )

    def connect(self, latents: PointSet, points: PointSet) -> Graph:
        """Every point with its nearest latents, one more than it sees (see :class:`PoseAttention`), or with all of its sample."""
        most = int(latents.ptr.diff().max()) if len(latents) else 1
        k = most if self.nearest is None else min(self.nearest + 1, most)
        return knn(latents.pos, points.pos, k, latents.ptr, points.ptr)


@dataclass(frozen=True)
class PairNetwork:
    """The networks that every pair of a point and a latent is put through.

    Attributes:
        frequencies: standard deviation of the wave vectors of the query's and of the value's random Fourier features, in cycles per window.
        waves: number of wave vectors.
        hidden: features.
    """

    frequencies: tuple[float, float] = (0.5, 0.5)
    waves: int = 16
    hidden: int = 32


class PoseAttention(nn.Module):
    """Attention in which queries carry relative poses only, values are modulated by them, and every latent has a window:

        logit_i(x) = q(x, i) . k_i / sqrt(c) - |x - p_i|^2 / s_i^2,      q = RFFnet(inv_i(x)),   k_i = W a_i
        v_i(x)     = (W a_i) (1 + gamma(e)) + beta(e),                   gamma, beta = RFFnet(inv_i(x))
        out(x)     = sum_i softmax_i(logit) v_i(x), heads side by side

    (arXiv 2406.05753, eq. 6 to 8; window: 2406.06660, sec. 3.2). A latent's ``weight`` is the length, area or volume that it stands for, and its window
    s_i the d-th root of it: on a regular grid the spacing, which is the published constant.

    Restricted to the k nearest latents the softmax jumps where neighbours change. So the (k+1)-th is looked up too and a smooth weight falls to 0 at
    its distance; where there are no more than k latents nothing is cut, the weight is 1, and the result is the full softmax exactly.

    Args:
        space: poses, and who sees whom.
        width: features of the latents and of the result, over all heads; the published widths count every head's own.
        heads: divide the width.
        scalars: features of a query point itself that stand beside the invariants, such as its signed distance.
        asked: features of a query point that add to its query and not to its place, such as what it already knows; 0 as published.
        pairs: the networks for pairs.
    """

    def __init__(self, space: PoseSpace, width: int, heads: int = 2, *, scalars: int = 0, asked: int = 0, pairs: PairNetwork | None = None) -> None:
        super().__init__()
        check_heads("PoseAttention", width, heads)
        pairs = pairs or PairNetwork()
        self.space, self.width, self.heads, self.scalars = space, width, heads, scalars
        seen = space.invariant.width(space.dimension, space.vectors) + scalars
        self.query_waves, self.value_waves = (FourierFeatures.random(seen, pairs.waves, f, seed=k) for k, f in enumerate(pairs.frequencies))
        self.query = MLP([self.query_waves.width, pairs.hidden, width])
        self.value = MLP([self.value_waves.width, pairs.hidden, 2 * width])
        self.key, self.context = nn.Linear(width, width), nn.Linear(width, width)
        self.asked = nn.Linear(asked, width, bias=False) if asked else None

    def forward(self, latents: PointSet, points: PointSet, graph: Graph, asked: Tensor | None = None) -> Tensor:
        """(n, width) what the points read.

        Args:
            latents: ``scalars`` (m, width), ``vectors`` (m, k, d) of the poses, ``weight`` (m,).
            points: ``scalars[:, :s]`` features of the points themselves.
            graph: from latents to points.
            asked: (n, asked) features that add to the queries.
        """
        position, x = take_source(latents.pos, graph), take_target(points.pos, graph)
        window = windows(take_source(latents.weight, graph), points.dimension)
        # in windows, so that one network reads fine and coarse latents alike
        seen = self.space.invariant.of(x, position, take_source(latents.vectors.flatten(1), graph).view(len(x), *latents.vectors.shape[1:]))
        seen = seen if isinstance(self.space.invariant, Periodic) or self.space.invariant.symmetry.value == "none" else seen / window[:, None]
        if self.scalars:
            seen = torch.cat([seen, take_target(points.scalars[:, : self.scalars], graph)], dim=1)
        split = (len(x), self.heads, self.width // self.heads)
        query = self.query(self.query_waves(seen))
        if self.asked is not None and asked is not None:
            query = query + take_target(self.asked(asked), graph)
        key, context = take_source(torch.cat([self.key(latents.scalars), self.context(latents.scalars)], dim=1), graph).chunk(2, dim=1)
        logit = (query * key).view(split).sum(dim=-1) * split[2] ** -0.5 + self.log_window(latents, points, graph)
        scale, shift = self.value(self.value_waves(seen)).chunk(2, dim=1)
        value = torch.addcmul(context + shift, context, scale)
        share = segment_softmax(logit, graph)
        return segment_sum((share[:, :, None] * value.view(split)).flatten(1), graph)

    def log_window(self, latents: PointSet, points: PointSet, graph: Graph) -> Tensor:
        """(e, 1) -|x - p|^2 / s^2, and the logarithm of the weight that falls to 0 at the furthest connected latent."""
        squared = self.squared_distance(take_target(points.pos, graph), take_source(latents.pos, graph))
        return (self._taper(squared, graph) - squared / windows(take_source(latents.weight, graph), points.dimension, 2.0))[:, None]

    def squared_distance(self, x: Tensor, position: Tensor) -> Tensor:
        """(e,) squared distances; on a torus to the nearest image."""
        if isinstance(self.space.invariant, Periodic):
            return self.space.invariant.squared_distance(x, position)
        return (x - position).square().sum(dim=-1)

    def _taper(self, squared: Tensor, graph: Graph) -> Tensor | float:
        """(e,) logarithm of a weight that falls to 0 at the furthest connected latent; 0 where all of them are seen."""
        if self.space.nearest is None or graph.n_edges == 0 or int(graph.degree.max()) <= self.space.nearest:
            return 0.0
        rim = take_target(segment_max(squared, graph), graph)
        # a point to which all connected latents are equally near lies on the rim of all of them: the tiny constant shares it out evenly
        weight = smooth_window((squared / rim.clamp_min(1e-30)).square()) + 1e-6
        cut = take_target((graph.degree > self.space.nearest).to(squared.dtype), graph) > 0
        return torch.where(cut, weight.log(), torch.zeros_like(weight))
