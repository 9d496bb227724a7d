"""Neighbourhoods that hold a fixed share of the cloud: they follow its grading and keep their size when it is refined."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.neighbors import knn
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum, take_target
from .neighborhood import Nearest, Pairs


@dataclass(frozen=True)
class Share:
    """The k nearest of every ``of`` points: k n / of neighbours in a sample of n points, with a window that falls to 0 at the furthest.

    :class:`~geoop.layers.neighborhood.Nearest` shrinks with the spacing when a cloud is refined, and a ball of one radius holds either nothing
    far from a wall or everything near it. A share does neither: its size follows the grading and has a limit, so a kernel integral over it
    converges when all of the cloud is refined alike. Edges grow with n^2, hence the cap ``most``, from which on it shrinks like ``Nearest``.

    Attributes:
        k: number of neighbours in a sample of ``of`` points.
        of: that number of points.
        least, most: bounds of the number of neighbours.
    """

    k: int
    of: int = 1000
    least: int = 4
    most: int = 64

    def __post_init__(self) -> None:
        if self.k < 1 or self.of < 1 or not 1 <= self.least <= self.most:
            raise ConfigurationError(f"no neighbourhood: {self}", where="Share", remedy="positive numbers, least not above most")

    def neighbours(self, count: int) -> int:
        """Number of neighbours in a sample of ``count`` source points."""
        return min(max(round(self.k * count / self.of), self.least), self.most)

    def connect(self, source: PointSet, target: PointSet) -> Graph:
        """The edges; samples whose number of neighbours is the same are searched together."""
        counts = [self.neighbours(n) for n in source.ptr.diff().tolist()]
        if len(set(counts)) <= 1:
            return knn(source.pos, target.pos, counts[0] if counts else 1, source.ptr, target.ptr)
        pairs = zip(source.split(), target.split(), counts, strict=True)
        return Graph.concatenate([knn(s.pos, t.pos, k) for s, t, k in pairs])

    def pairs(self, source: PointSet, target: PointSet, graph: Graph) -> Pairs:
        """Geometry of the edges, differentiable by positions and weights."""
        return Nearest(1, smooth=True).pairs(source, target, graph)


def mean_weights(source: PointSet, graph: Graph) -> torch.Tensor:
    """(e,) quadrature weights of the source points that add up to 1 over every target."""
    weight = source.weight.index_select(0, graph.source)
    total = segment_sum(weight, graph).clamp(min=torch.finfo(weight.dtype).tiny)
    return weight / take_target(total, graph)
