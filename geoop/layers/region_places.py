"""What places in a region and on its boundary learn of its shape."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..graph.geometry import Queries
from ..graph.pointset import PointSet
from ..graph.segment import segment_max
from .boundary_pairs import Places, complete, pairs
from .mlp import MLP
from .pair_attention import PairAttention


@dataclass(frozen=True, eq=False)
class Located:
    """Places with learned features.

    Attributes:
        places: n of them, lengths in the sizes of their samples.
        features: (n, width).
        ptr: (b+1,) start of every sample.
    """

    places: Places
    features: Tensor
    ptr: Tensor

    @property
    def batch(self) -> Tensor:
        """(n,) sample of every place."""
        return torch.repeat_interleave(torch.arange(len(self.ptr) - 1, device=self.ptr.device), self.ptr.diff(), output_size=len(self.features))

    def take(self, index: Tensor, ptr: Tensor) -> Located:
        """Those of the given (k,) indices, ordered by sample, which start at ``ptr``."""
        p = self.places
        return Located(Places(p.pos[index], p.direction[index], p.distance[index], p.spacing[index]), self.features[index], ptr)


class RegionPlaces(nn.Module):
    """Boundary points look at all boundary points of their region, other places at the boundary, and both, where something is known inside, at that.

    Args:
        width: features of a place, divisible by ``heads``.
        hidden: features of a pair.
        depth: rounds of attention among the boundary points.
        rounds: of other places to the boundary.
        heads: of the attention.
        told: (numbers that every boundary point is told beside its geometry, numbers known at every place inside).
        varies: whether what is known inside differs from place to place: only then all look at it.
    """

    def __init__(
        self, width: int, *, hidden: int = 32, depth: int = 2, rounds: int = 1, heads: int = 4, told: tuple[int, int] = (0, 0), varies: bool = False
    ) -> None:
        super().__init__()
        self.lift, self.place = MLP([2 + told[0], width, width]), MLP([4 + width + told[1], width, width])
        self.mix = nn.ModuleList(PairAttention(width, heads, hidden) for _ in range(depth))
        self.read = nn.ModuleList(PairAttention(width, heads, hidden) for _ in range(rounds))
        self.inside = nn.ModuleList(PairAttention(width, heads, hidden) for _ in range(2)) if varies else None

    def boundary(self, surface: PointSet, size: Tensor, imposed: Tensor, told: Tensor) -> Located:
        """The vertices of a boundary.

        Args:
            surface: positions, normals as ``vectors[:, 0]`` and shares of the measure as ``weight``.
            size: (b,) unit of length of every sample.
            imposed: (k,) vertices where the solution is imposed.
            told: (m, c) numbers.
        """
        d, unit = surface.dimension, size[surface.batch]
        spacing = surface.weight.clamp_min(1e-30) ** (1.0 / (d - 1)) / unit
        places = Places(surface.pos / unit[:, None], surface.vectors[:, 0], torch.zeros_like(spacing), spacing)
        mark = torch.zeros_like(spacing).index_fill(0, imposed, 1.0)
        features = self.lift(torch.cat([mark[:, None], spacing.log()[:, None] + 3.0, told], dim=1))
        if len(self.mix):
            seen = pairs(places, places, complete(surface.ptr, surface.ptr))
            for layer in self.mix:
                features = layer(features, features, seen, spacing ** (d - 1))
        return Located(places, features, surface.ptr)

    def informed(self, boundary: Located, cloud: Located) -> Located:
        """Boundary points that have looked at what is known inside."""
        if self.inside is None:
            return boundary
        seen = pairs(cloud.places, boundary.places, complete(cloud.ptr, boundary.ptr))
        measure = cloud.places.spacing ** boundary.places.pos.shape[1]
        return Located(boundary.places, self.inside[0](cloud.features, boundary.features, seen, measure), boundary.ptr)

    def at(self, queries: Queries, size: Tensor, boundary: Located, known: Tensor, weight: Tensor | None = None) -> Located:
        """Any places of the regions.

        Args:
            queries: n of them.
            size: (b,) unit of length of every sample.
            boundary: the vertices.
            known: (n, c) numbers that are known there.
            weight: (n,) measures that the places stand for; None takes the spacing of the boundary nearby.
        """
        points, d = queries.points, queries.points.dimension
        unit = size[points.batch]
        near = queries.closest(torch.cat([boundary.features, boundary.places.spacing[:, None]], dim=1))
        distance, beside = points.scalars[:, 0].clamp_min(0.0) / unit, near[:, -1]
        spacing = beside if weight is None else weight.clamp_min(1e-30) ** (1.0 / d) / unit
        places = Places(points.pos / unit[:, None], points.vectors[:, 0], distance, spacing)
        reach = distance + 0.05 * beside
        own = torch.stack([reach.log() + 3.0, reach.log() - beside.log(), distance / (distance + beside), beside.log() + 3.0], dim=1)
        features = self.place(torch.cat([own, near[:, :-1], known], dim=1))
        if len(self.read):
            seen = pairs(boundary.places, places, complete(boundary.ptr, points.ptr))
            for layer in self.read:
                features = layer(boundary.features, features, seen, boundary.places.spacing ** (d - 1))
        return Located(places, features, points.ptr)

    def aware(self, located: Located, cloud: Located) -> Located:
        """Places that have looked at what is known inside."""
        if self.inside is None:
            return located
        seen = pairs(cloud.places, located.places, complete(cloud.ptr, located.ptr))
        measure = cloud.places.spacing ** located.places.pos.shape[1]
        return Located(located.places, self.inside[1](cloud.features, located.features, seen, measure), located.ptr)


def reach(source: Located, target: Located) -> Tensor:
    """(n,) distance of every target from the nearest source of its sample, in sizes; 0 for samples without sources."""
    seen = pairs(source.places, target.places, complete(source.ptr, target.ptr))
    return (-segment_max(-seen.squared, seen.graph)).clamp_min(0.0).sqrt()
