"""Geometry-aware operator transformer: cloud -> tokens -> transformer -> any query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ..encoders.geometry_statistics import GeometryStatistics
from ..encoders.multiscale_attention import MultiscaleAttention
from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.hierarchy import Connection
from ..graph.neighbors import knn
from ..graph.pointset import Inputs, PointSet
from ..graph.thinning import thin
from ..layers.gated_mlp import GatedMLP
from ..layers.pair_kernel import PairKernel
from ..layers.scales import NearestScales, OwnBalls, ScaledPairs
from ..operators.token_transformer import TokenTransformer
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports

#: Tokens whose distance is the length of a token: a ball of that radius holds the points of about five tokens.
_NEIGHBOUR = 4


class GAOT(CloudModel):
    """GAOT of Wen et al. 2025 (arXiv 2505.18781): multiscale attention to tokens, transformer on the tokens, multiscale attention to the queries.

    Differences from the paper, each for a reason: tokens may follow the cloud instead of a regular grid, which leaves most balls empty around a body;
    balls are as large as the distance between the tokens, never empty (the nearest point stands in) and never capped; the softmax is over the
    quadrature measure and of relative positions; geometry statistics keep absolute density (see :class:`GeometryStatistics`).

    Args:
        ports: channels in and out.
        width: features of points, tokens and queries.
        tokens: their number; a ``lattice`` has the nearest number that fills the box evenly. A cloud with fewer points has fewer ``points``.
        placement: ``points`` thins the cloud and follows its density; ``lattice`` is a regular grid over the box of cloud and boundary, whose
            tokens do not move when the cloud is refined.
        scales: radii of the balls of a token, in units of the distance to its 4th nearest token. One scale is the ablation of several.
        neighbours: tokens that a query sees, per scale.
        depth: blocks of the transformer.
        heads: of all attention.
        kernel: gains per edge, and width of the perceptron on the edges.
        positions: of the transformer: ``bias`` or ``rotary``.
    """

    reference: ClassVar[tuple[str, ...]] = ("wen-2025-gaot",)
    may_be_zero: ClassVar[tuple[str, ...]] = ("depth",)

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 64,
        *,
        tokens: int = 128,
        placement: Literal["points", "lattice"] = "points",
        scales: Sequence[float] = (0.5, 1.0),
        neighbours: Sequence[int] = (4, 12),
        depth: int = 4,
        heads: int = 4,
        kernel: int = 32,
        positions: Literal["bias", "rotary"] = "bias",
    ) -> None:
        sizes = {"tokens": tokens, "placement": placement, "scales": list(scales), "neighbours": list(neighbours)}
        super().__init__(ports, width, **sizes, depth=depth, heads=heads, kernel=kernel, positions=positions)
        if placement not in ("points", "lattice"):
            raise ConfigurationError(f"tokens placed by '{placement}'", where="GAOT", remedy="tokens placed by 'points' or 'lattice'")
        self.tokens, self.placement = tokens, placement
        d, balls = self.ports.dimension, OwnBalls(tuple(scales))
        self.statistics = GeometryStatistics(kernel, balls, dimension=d)
        inward, outward = (PairKernel(d, kernel + heads, hidden=kernel, octaves=1, source_channels=width, target_channels=n) for n in (kernel, width))
        self.encoder = MultiscaleAttention(width, width, balls, inward, heads=heads, target_channels=kernel)
        self.join = nn.Linear(width + kernel, width)
        self.transformer = TokenTransformer(width, depth=depth, heads=heads, dimension=d, positions=positions, measure=False)
        self.decoder = MultiscaleAttention(width, width, NearestScales(tuple(neighbours)), outward, heads=heads, target_channels=width)
        self.norm_asked, self.norm_hidden = nn.LayerNorm(width), nn.LayerNorm(width)
        self.hidden = GatedMLP(width, 2 * width, width)

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        if self.placement == "points":
            parts = [_thinned(part, self.tokens) for part in domain.split()]
        else:
            parts = [_lattice(*pair, self.tokens) for pair in zip(domain.split(), surface.split(), strict=True)]
        return self.connect_tokens(domain, PointSet.concatenate(parts))

    def connect_tokens(self, domain: PointSet, tokens: PointSet) -> dict[str, Connection | PointSet]:
        """As :meth:`connect`, for tokens whose only scalar is their length."""
        graph = self.statistics.connect(domain, tokens)
        statistics = self.statistics.describe(domain, tokens, graph)
        edges = self.encoder.scales.pairs(domain, tokens, graph).stored(graph.ptr[tokens.ptr])
        return {"tokens": tokens.with_features(scalars=torch.cat([statistics, tokens.scalars], dim=1)), "encoder": graph, "edges": edges}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        tokens = prepared.points("tokens")
        embedded = self.statistics.embed(tokens.scalars[:, :-1])
        asking = tokens.with_features(scalars=torch.cat([embedded.to(tokens.pos.dtype), tokens.scalars[:, -1:]], dim=1))
        edges = ScaledPairs.restored(prepared.points("edges"))
        encoded = self.encoder.attend(points, asking, prepared.graph("encoder"), edges)
        joined = tokens.with_features(scalars=self.join(torch.cat([encoded.scalars, embedded], dim=1)))
        return {"tokens": self.transformer(joined, joined, Graph.unconnected(len(tokens), len(tokens), tokens.pos.device))}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        tokens = state.latents["tokens"]
        asked = queries.with_features(scalars=self.norm_asked(queries.scalars))
        x = queries.scalars + self.decoder(tokens, asked, self.decoder.connect(tokens, asked)).scalars
        return x + self.hidden(self.norm_hidden(x))

    def fit_geometries(self, prepared: Sequence[PreparedCloud]) -> None:
        """Standardise the geometry statistics by those of the training geometries; without it they are of order one by their definition."""
        self.statistics.fit([item.points("tokens").scalars[:, :-1] for item in prepared])


def _thinned(points: PointSet, count: int) -> PointSet:
    """At most ``count`` points of one cloud with the weights of what they stand for; ``scalars`` their length."""
    index, weight = thin(points.pos.double().cpu().numpy(), points.weight.double().cpu().numpy(), count)
    pos = points.pos[torch.from_numpy(index).to(points.pos.device)]
    return PointSet(pos, _lengths(pos), weight=torch.from_numpy(weight).to(pos))


def _lattice(points: PointSet, surface: PointSet, count: int) -> PointSet:
    """Centres of about ``count`` equal cells over the box of one cloud and its boundary; ``scalars`` their length."""
    both = torch.cat([points.pos, surface.pos])
    low, high = both.amin(dim=0), both.amax(dim=0)
    extent = (high - low).clamp(min=1e-3 * float((high - low).max().clamp(min=1e-6)))
    edge = float((extent.prod() / count) ** (1 / points.dimension))
    numbers = np.maximum(np.round(extent.cpu().numpy() / edge), 1).astype(int)
    axes = [low[i] + extent[i] * (torch.arange(n).to(low) + 0.5) / n for i, n in enumerate(numbers)]
    pos = torch.cartesian_prod(*axes).reshape(-1, points.dimension)
    return PointSet(pos, _lengths(pos), weight=(extent.prod() / len(pos)).expand(len(pos)).contiguous())


def _lengths(pos: Tensor) -> Tensor:
    """(n, 1) distance of every token to its 4th nearest other one, the furthest where there are fewer; 1 for a token alone."""
    graph = knn(pos, pos, _NEIGHBOUR + 1)
    distance = (pos[graph.source] - pos[graph.target]).norm(dim=1)
    furthest = torch.zeros(len(pos)).to(pos).scatter_reduce(0, graph.target, distance, "amax")
    return torch.where(furthest > 0, furthest, torch.ones_like(furthest))[:, None]
