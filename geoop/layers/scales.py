"""Neighbourhoods of several sizes around one point, over one graph: that of the largest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.neighbors import knn, radius
from ..graph.pointset import PointSet
from ..graph.segment import segment_max, segment_sum, take_source, take_target
from .neighborhood import Pairs, smooth_window


@dataclass(frozen=True, eq=False)
class ScaledPairs:
    """What the edges know about the geometry on every scale.

    Attributes:
        pairs: offsets in units of the largest neighbourhood, with its weights.
        log_weight: (e, m) logarithm of quadrature weight times window of every scale; minus infinity outside. Added to the scores of a
            softmax it makes the softmax a quotient of two quadratures.
        size: (n, m) sizes of the neighbourhoods.
        taper: (n,) factor on whatever depends on the arrangement of the neighbours, None for 1.
    """

    pairs: Pairs
    log_weight: Tensor
    size: Tensor
    taper: Tensor | None

    def stored(self, ptr: Tensor) -> PointSet:
        """As points, one per edge, that move between devices and batch as points do: for geometry that is computed once.

        Args:
            ptr: (b+1,) start of every sample's edges.
        """
        assert self.taper is None  # only of neighbourhoods of fixed size, whose (n, m) sizes nobody asks for again
        return PointSet(self.pairs.offset, torch.cat([self.log_weight, self.pairs.squared[:, None]], dim=1), weight=self.pairs.weight, ptr=ptr)

    @classmethod
    def restored(cls, points: PointSet) -> ScaledPairs:
        """What :meth:`stored` made."""
        log_weight, squared = points.scalars[:, :-1], points.scalars[:, -1]
        return cls(Pairs(points.pos, squared, points.weight), log_weight, log_weight.new_zeros(0, log_weight.shape[1]), None)


class Scales(ABC):
    """Concentric neighbourhoods. A smooth window falls to 0 at the rim of each; the nearest point where one is empty."""

    #: sizes stay when the source cloud is refined: sums converge
    fixed: bool = True
    #: the last scalar of a target point is its own length and no feature
    own_length: bool = False
    #: length below which the arrangement of the neighbours loses its say; None where neighbourhoods do not shrink on refinement
    unit: float | None = None

    @property
    @abstractmethod
    def count(self) -> int:
        """Number of scales."""

    @abstractmethod
    def connect(self, source: PointSet, target: PointSet) -> Graph:
        """The edges of the largest neighbourhood."""

    @abstractmethod
    def squared_sizes(self, squared: Tensor, target: PointSet, graph: Graph) -> Tensor:
        """(n, m) squared sizes in ascending order, given the (e,) squared lengths of the edges."""

    def features(self, target: PointSet) -> PointSet:
        """The target points with what is a feature only."""
        return target.with_features(scalars=target.scalars[:, :-1]) if self.own_length else target

    def pairs(self, source: PointSet, target: PointSet, graph: Graph) -> ScaledPairs:
        """Geometry of the edges on every scale, differentiable by positions and weights."""
        offset = take_source(source.pos, graph) - take_target(target.pos, graph)
        squared = offset.square().sum(dim=1)
        sizes = self.squared_sizes(squared, target, graph).clamp(min=1e-20)
        nearest = take_target(-segment_max(-squared, graph), graph)
        window = smooth_window(squared[:, None] / take_target(sizes, graph))
        # where a neighbourhood is empty, or all its points lie on the rim, it consists of the nearest points
        nothing = take_target((segment_sum(window, graph) <= 1e-12).to(window.dtype), graph) > 0
        window = torch.where(nothing, (squared <= nearest * (1 + 1e-9))[:, None].to(window.dtype), window)
        inside = window > 0
        weight = take_source(source.weight, graph).clamp(min=torch.finfo(source.weight.dtype).tiny)
        # the inner "where" keeps the derivative of the logarithm finite where it is thrown away
        log_window = torch.where(inside, torch.where(inside, window, torch.ones_like(window)).log(), -torch.inf)
        # a neighbour that was taken for want of any lies outside: it counts as lying on the rim
        length = torch.maximum(take_target(sizes[:, -1].contiguous(), graph), squared).sqrt()[:, None]
        pairs = Pairs(offset / length, squared / length[:, 0].square(), weight * window[:, -1])
        size = sizes.sqrt()
        taper = None if self.unit is None else size[:, -1] / (size[:, -1] + self.unit)
        return ScaledPairs(pairs, weight.log()[:, None] + log_window, size, taper)


@dataclass(frozen=True)
class Balls(Scales):
    """Balls of fixed radii, in the unit of the positions."""

    radii: tuple[float, ...]

    def __post_init__(self) -> None:
        _ascending(self.radii, "Balls")

    @property
    def count(self) -> int:
        return len(self.radii)

    def connect(self, source: PointSet, target: PointSet) -> Graph:
        return radius(source.pos, target.pos, self.radii[-1], source.ptr, target.ptr)

    def squared_sizes(self, squared: Tensor, target: PointSet, graph: Graph) -> Tensor:
        return squared.new_tensor([r * r for r in self.radii]).expand(graph.n_target, -1).contiguous()


@dataclass(frozen=True)
class OwnBalls(Scales):
    """Balls whose radii are multiples of a length that every target point brings along as its last scalar.

    Where that length is the distance between tokens, balls follow a graded cloud and yet stay when it is refined, so sums converge.
    """

    factors: tuple[float, ...]
    own_length = True

    def __post_init__(self) -> None:
        _ascending(self.factors, "OwnBalls")

    @property
    def count(self) -> int:
        return len(self.factors)

    def connect(self, source: PointSet, target: PointSet) -> Graph:
        lengths = self.factors[-1] * target.scalars[:, -1].detach().clamp(min=1e-9)
        return radius(source.pos, target.pos, lengths, source.ptr, target.ptr)

    def squared_sizes(self, squared: Tensor, target: PointSet, graph: Graph) -> Tensor:
        return (target.scalars[:, -1:] * squared.new_tensor(self.factors)).square()


@dataclass(frozen=True)
class NearestScales(Scales):
    """The k nearest source points for several k; the size of each neighbourhood is the distance of its furthest point.

    Follows graded clouds but shrinks when they are refined, and then the arrangement of the k neighbours never settles. What depends on it is
    therefore multiplied by size / (size + unit): what is left in the limit is a mean of the neighbours' features, and that converges.

    Attributes:
        counts: of neighbours.
        unit: a length, in the unit of the positions.
    """

    counts: tuple[int, ...]
    unit: float = 0.1
    fixed = False

    def __post_init__(self) -> None:
        _ascending(self.counts, "NearestScales")

    @property
    def count(self) -> int:
        return len(self.counts)

    def connect(self, source: PointSet, target: PointSet) -> Graph:
        return knn(source.pos, target.pos, self.counts[-1], source.ptr, target.ptr)

    def squared_sizes(self, squared: Tensor, target: PointSet, graph: Graph) -> Tensor:
        if not graph.n_edges:
            return squared.new_ones(graph.n_target, self.count)
        counts = torch.tensor(self.counts, device=squared.device)
        width = graph.n_edges // graph.n_target
        if int(graph.degree.min()) == int(graph.degree.max()):  # edges are sorted by target: rows of one length
            ordered = squared.view(-1, width).sort(dim=1).values
            return ordered[:, counts.clamp(max=width) - 1]
        order = torch.argsort(squared.detach(), stable=True)
        order = order[torch.argsort(graph.target[order], stable=True)]
        place = graph.ptr[:-1, None] + torch.minimum(counts, graph.degree[:, None]) - 1
        return squared[order][place.clamp(min=0, max=graph.n_edges - 1)]


def _ascending(sizes: tuple[float, ...], where: str) -> None:
    if not sizes or sizes[0] <= 0 or any(b <= a for a, b in zip(sizes, sizes[1:], strict=False)):
        raise ConfigurationError(f"sizes {sizes}", where=where, remedy="give one or more positive sizes in ascending order")
