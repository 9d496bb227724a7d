"""Who is a neighbour of a point, with which quadrature weight, and where, in units of the neighbourhood's size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.neighbors import knn, radius
from ..graph.pointset import PointSet
from ..graph.segment import segment_max, segment_sum, take_source, take_target


@dataclass(frozen=True, eq=False)
class Pairs:
    """What the edges of a graph know about the geometry.

    Attributes:
        offset: (e, d) from target to source in units of the neighbourhood's size: at most 1 long.
        squared: (e,) its squared length.
        weight: (e,) quadrature weight of the source point, times the window.
    """

    offset: Tensor
    squared: Tensor
    weight: Tensor

    def normalised(self, graph: Graph) -> Pairs:
        """Weights that add up to 1 over every neighbourhood: an integral becomes a mean."""
        total = segment_sum(self.weight, graph).clamp(min=torch.finfo(self.weight.dtype).tiny)
        return replace(self, weight=self.weight / take_target(total, graph))

    def take(self, edges: slice) -> Pairs:
        """The geometry of some edges."""
        return Pairs(self.offset[edges], self.squared[edges], self.weight[edges])

    def stored(self, graph: Graph, ptr: Tensor) -> PointSet:
        """As points, one per edge, that move between devices and batch as points do: for geometry that is computed once.

        Args:
            graph: the edges.
            ptr: (b+1,) start of every sample's target points.
        """
        return PointSet(self.offset, self.squared[:, None], weight=self.weight, ptr=graph.ptr[ptr])

    @classmethod
    def restored(cls, points: PointSet) -> Pairs:
        """What :meth:`stored` made."""
        return cls(points.pos, points.scalars[:, 0], points.weight)


@dataclass(frozen=True)
class Ball:
    """All source points within a radius; the nearest one where there is none.

    Attributes:
        radius: in the unit of the positions.
        smooth: weights fall to 0 at the rim as (1 - s^2)^3, s = distance / radius: twice differentiable, so that derivatives of a field that
            is summed over a moving ball exist, and the sum keeps the order of the quadrature (a ball with a hard rim cuts cells).
    """

    radius: float
    smooth: bool = True

    def __post_init__(self) -> None:
        if not self.radius > 0:
            raise ConfigurationError(f"the radius is {self.radius}", where="Ball", remedy="give a positive length in the unit of the positions")

    def connect(self, source: PointSet, target: PointSet) -> Graph:
        """The edges; ``source`` and ``target`` may be one object."""
        return radius(source.pos, target.pos, self.radius, source.ptr, target.ptr)

    def pairs(self, source: PointSet, target: PointSet, graph: Graph) -> Pairs:
        """Geometry of the edges, differentiable by positions and weights."""
        offset = _offset(source, target, graph)
        # only a neighbour that was taken for want of any is further away than the radius; it counts as lying on the rim
        size = offset.square().sum(dim=1, keepdim=True).clamp(min=self.radius**2).sqrt()
        return _pairs(offset / size, source, graph, self.smooth)


@dataclass(frozen=True)
class Nearest:
    """The k nearest source points; the size of the neighbourhood is the distance of the furthest.

    Follows graded clouds, but shrinks when they are refined: for encoders and decoders of fixed resolution, not for a kernel integral that converges.

    Attributes:
        k: number of neighbours; a sample with fewer source points gives all.
        smooth: weights fall to 0 at the furthest neighbour, so that the sum is continuous where neighbours change.
    """

    k: int
    smooth: bool = False

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ConfigurationError(f"k is {self.k}", where="Nearest", remedy="ask for at least one neighbour")

    def connect(self, source: PointSet, target: PointSet) -> Graph:
        """The edges; ``source`` and ``target`` may be one object."""
        return knn(source.pos, target.pos, self.k, source.ptr, target.ptr)

    def pairs(self, source: PointSet, target: PointSet, graph: Graph) -> Pairs:
        """Geometry of the edges, differentiable by positions and weights."""
        offset = _offset(source, target, graph)
        furthest = segment_max(offset.square().sum(dim=1), graph)
        # all neighbours in the point itself: any size will do, their offsets are 0
        size = torch.where(furthest > 0, furthest, torch.ones_like(furthest)).sqrt()
        return _pairs(offset / take_target(size, graph)[:, None], source, graph, self.smooth)


def smooth_window(squared: Tensor) -> Tensor:
    """(1 - s^2)^3 inside the unit ball, 0 outside, from squared distances: no root, hence smooth at the centre too."""
    return (1 - squared).clamp(min=0) ** 3


def _offset(source: PointSet, target: PointSet, graph: Graph) -> Tensor:
    return take_source(source.pos, graph) - take_target(target.pos, graph)


def _pairs(offset: Tensor, source: PointSet, graph: Graph, smooth: bool) -> Pairs:
    squared = offset.square().sum(dim=1)
    weight = take_source(source.weight, graph)
    if smooth:
        window = smooth_window(squared)
        # where every neighbour lies on the rim nothing would be left of the point: there the window is dropped
        nothing = segment_sum(window, graph) <= 1e-12
        weight = weight * torch.where(take_target(nothing, graph), torch.ones_like(window), window)
    return Pairs(offset, squared, weight)


@dataclass(frozen=True)
class SoftNearest:
    """The k nearest source points with a hard rim, as models are trained; or with a soft one, so that the sum is once differentiable where neighbours change.

    The soft weights are smooth steps c((1 - r / R) / softness) of the distances r, 1 inside and 0 outside of a shell about the radius R, with R such that
    they add up to k: two neighbours that change places both have the weight 1/2. The narrower the shell, the closer to the hard rim; where no source
    point lies in the shell the two are equal.

    Attributes:
        k: number of neighbours; a sample with fewer source points gives all.
        softness: half the thickness of the shell in units of R, below 1; 0 is the hard rim.
    """

    k: int
    softness: float = 0.0

    def __post_init__(self) -> None:
        if self.k < 1 or not 0.0 <= self.softness < 1.0:
            raise ConfigurationError(f"k {self.k}, softness {self.softness}", where="SoftNearest", remedy="k of at least 1, softness in [0, 1)")

    def connect(self, source: PointSet, target: PointSet) -> Graph:
        """The edges, equally many for every target; with a soft rim so many that no source point of the shell is left out."""
        if not self.softness:
            return knn(source.pos, target.pos, self.k, source.ptr, target.ptr)
        k, most = self.k, int(source.ptr.diff().min())
        while True:
            k = min(4 * k, most)
            graph = knn(source.pos, target.pos, k, source.ptr, target.ptr)
            if k == most or self._whole(source.pos.detach(), target.pos.detach(), graph, k):
                return graph

    def _whole(self, source: Tensor, target: Tensor, graph: Graph, k: int) -> bool:
        """Whether the last of k neighbours lies beyond the shell of every target: its radius is at most that of the k-th over 1 - softness."""
        distance = (source[graph.source].view(-1, k, source.shape[-1]) - target[:, None]).norm(dim=-1).sort(dim=-1).values
        return bool((distance[:, -1] > distance[:, min(self.k, k) - 1] * (1 + self.softness) / (1 - self.softness)).all())

    def windowed(self, weight: Tensor, offset: Tensor, dim: int = 1) -> Tensor:
        """Weights times the window.

        Args:
            weight: (..., k, ...) per edge, edges along ``dim``; axes behind it are features.
            offset: (..., k, d) of the edges.
            dim: the axis of edges, the same in both.
        """
        if not self.softness or offset.shape[dim] <= self.k:
            return weight
        distance = (offset.square().sum(dim=-1) + 1e-24).sqrt()
        window = self._window(distance)
        return weight * window.reshape(window.shape + (1,) * (weight.dim() - window.dim()))

    def shares(self, weight: Tensor, offset: Tensor, dim: int = 1) -> Tensor:
        """:meth:`windowed` weights that add up to 1; equal ones where all of a target are 0."""
        weight = self.windowed(weight, offset, dim)
        total = weight.sum(dim=dim, keepdim=True)
        lost = total <= torch.finfo(weight.dtype).tiny
        return torch.where(lost, 1.0 / max(weight.shape[dim], 1), weight / torch.where(lost, 1.0, total))

    def _window(self, distance: Tensor) -> Tensor:
        """(..., m) distances -> weights that add up to k along the last axis."""
        with torch.no_grad():
            ordered = distance.sort(dim=-1).values
            low, high = ordered[..., :1] * (1 - self.softness), ordered[..., -1:] / (1 - self.softness)
            for _ in range(60):
                middle = 0.5 * (low + high)
                enough = self._steps(distance, middle)[0].sum(dim=-1, keepdim=True) >= self.k
                low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
            found = 0.5 * (low + high)
        # one step of Newton with a graph: the derivative of the implicit radius
        window, slope = self._steps(distance, found)
        total = slope.sum(dim=-1, keepdim=True).detach()
        step = torch.where(total > 1e-9, (self.k - window.sum(dim=-1, keepdim=True)) / total.clamp_min(1e-9), 0.0)
        return self._steps(distance, found + step)[0]

    def _steps(self, distance: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        """Smooth steps from 0 to 1 across the shell, and their derivatives by its radius."""
        place = (1 - distance / radius) / self.softness
        t = (0.5 * (1 + place)).clamp(0.0, 1.0)
        return t**3 * (10 - 15 * t + 6 * t**2), 15 * t**2 * (1 - t) ** 2 * distance / (radius.square() * self.softness)
