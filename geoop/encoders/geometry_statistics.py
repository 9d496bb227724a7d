"""What the points in the ball of a token say about the geometry, before any learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum, take_target
from ..layers.mlp import MLP
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.scales import Scales


class GeometryStatistics(AbstractOperator):
    """Statistics of the ball of every target point, and a perceptron of them (Wen et al. 2025, arXiv 2505.18781, geometry embedding).

        z = [ log(share of the ball that is filled), log(radius), mean distance, its variance, centroid (d), eigenvalues of the covariance (d) ]

    All are averages over the measure p_j = w_j g(|y_j - x|/r) in units of the radius r: of order one without any fitting, and they converge when the
    cloud is refined. The paper's number of neighbours does not; ``count=True`` adds its logarithm for whoever wants the density of the cloud itself.
    The paper standardises over the tokens of each sample, which throws absolute density away. Here :meth:`fit` takes mean and deviation
    from the training geometries; without it they are 0 and 1.

    Source: ``weight``; its features are not read. Target: its own length as last scalar where ``scales`` asks for one. Returns the target
    points with ``scalars`` (n, out_channels).

    Args:
        out_channels: features of the embedding.
        scales: neighbourhoods; statistics are those of the largest.
        dimension: of space.
        hidden: width of the perceptron.
        count: add log(number of neighbours).
    """

    reference: ClassVar[str] = "wen-2025-gaot"
    symmetry: ClassVar[Symmetry] = Symmetry.TRANSLATION
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(self, out_channels: int, scales: Scales, *, dimension: int = 2, hidden: int = 32, count: bool = False) -> None:
        super().__init__()
        self.scales, self.count = scales, count
        width = 4 + 2 * dimension + count
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.embedding = MLP([width, hidden, out_channels])
        self.mesh_order = 2.0 if scales.fixed and not count else None  # what this instance can claim

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.scales.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        return target.with_features(scalars=self.embed(self.describe(source, target, graph)))

    def describe(self, source: PointSet, target: PointSet, graph: Graph) -> Tensor:
        """(n, 4 + 2 d) statistics, geometry only: to be computed once."""
        found = self.scales.pairs(source, target, graph)
        size, d = found.size[:, -1], source.dimension
        total = segment_sum(found.pairs.weight, graph)
        p = found.pairs.normalised(graph).weight[:, None]
        offset, distance = found.pairs.offset, (found.pairs.squared + 1e-12).sqrt()[:, None]
        mean, centroid = segment_sum(p * distance, graph), segment_sum(p * offset, graph)
        variance = segment_sum(p * (distance - take_target(mean, graph)).square(), graph)
        centred = offset - take_target(centroid, graph)
        # products written out: a matrix product would be rounded to half precision under autocast
        covariance = segment_sum(p[:, :, None] * centred[:, :, None] * centred[:, None, :], graph)
        filled = (total / size**d).clamp(1e-4, 1e4).log() / 2
        parts = [filled[:, None], size.log()[:, None] / 2 + 1, 2 * mean, 8 * variance, 2 * centroid, 4 * torch.linalg.eigvalsh(covariance)]
        if self.count:
            parts.append(torch.log1p(graph.degree.to(size.dtype))[:, None] / 3)
        return torch.cat(parts, dim=1)

    def embed(self, statistics: Tensor) -> Tensor:
        """(n, out_channels) from (n, 4 + 2 d) statistics."""
        return self.embedding((statistics - self.mean) / self.deviation)

    @torch.no_grad()
    def fit(self, statistics: Sequence[Tensor]) -> None:
        """Standardise by the mean and deviation over the tokens of all training geometries.

        Args:
            statistics: of every geometry, from :meth:`describe`.

        Raises:
            ConfigurationError: no geometries.
        """
        if not statistics:
            raise ConfigurationError("no geometries to take statistics from", where="GeometryStatistics.fit", remedy="give the training geometries")
        rows = torch.cat([s.to(self.mean) for s in statistics]).double()
        self.mean.copy_(rows.mean(dim=0))
        # what never varies in training keeps its unit: divided by its rounding errors it would explode on another geometry
        deviation = rows.std(dim=0, correction=0)
        self.deviation.copy_(torch.where(deviation > 1e-3, deviation, 1.0))
