"""What a place near a body knows about itself, before any learning."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..graph.geometry import Queries
from ..graph.pointset import PointSet

#: Distances below and above which the wall looks near or far, in body lengths.
SCALES = (1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True, eq=False)
class Sites:
    """Places near a body, in the body's frame (chord or length 1, ends at (-1/2, 0) and (1/2, 0)).

    Attributes:
        pos: (n, d).
        distance: (n,) signed distance to the body.
        gradient: (n, d) its gradient; the normal on the wall.
        closest: (n, d) closest point of the body.
        normal: (n, d) normal there.
        scalars: (n, c) what the surface says about itself there.
    """

    pos: Tensor
    distance: Tensor
    gradient: Tensor
    closest: Tensor
    normal: Tensor
    scalars: Tensor

    @classmethod
    def of(cls, queries: Queries, surface: PointSet) -> Sites:
        """What queries know of the boundary that ``surface`` (its vertices, with normals as ``vectors[:, 0]``) is of."""
        d, points = surface.dimension, queries.points
        known = queries.closest(torch.cat([surface.vectors[:, 0], surface.pos, surface.scalars], dim=1))
        normal = nn.functional.normalize(known[:, :d], dim=1)
        return cls(points.pos, points.scalars[:, 0], points.vectors[:, 0], known[:, d : 2 * d], normal, known[:, 2 * d :])

    def features(self, *, ends: bool = True) -> Tensor:
        """(n, width) features, all of order one; logarithms where the flow has structure on every scale down to a corner.

        Args:
            ends: directions and distances from the two ends of the body too; a region has none.
        """
        d = self.distance.abs()[:, None]
        wall = [torch.log(d / 3e-4 + 1) / 2 - 1, torch.log(d + 1e-5) / 4 + 1.5, *(self.distance[:, None] / (d + scale) for scale in SCALES)]
        both = [part for sign in (-0.5, 0.5) for part in _from_end(self.pos, sign)] if ends else []
        radius = self.pos.norm(dim=1, keepdim=True)
        bounded = self.pos / (1 + radius.square()).sqrt()
        return torch.cat([bounded, self.gradient, self.normal, self.closest, *wall, *both, 1 / (1 + radius), self.scalars], dim=1)

    @staticmethod
    def width(dimension: int, scalars: int, *, ends: bool = True) -> int:
        """Number of features for a dimension and a number of surface scalars."""
        return 4 * dimension + 2 + len(SCALES) + 4 * (dimension + 1) * ends + 1 + scalars


def _from_end(pos: Tensor, end: float) -> tuple[Tensor, ...]:
    """Direction and log distance from one end of the body's axis, coarse and fine: a trailing edge is singular."""
    offset = pos.clone()
    offset[:, 0] -= end
    distance = offset.norm(dim=1, keepdim=True)
    coarse = (offset / (distance + 0.03), (torch.log(distance + 1e-3) + 2) / 2)
    return (*coarse, offset / (distance + 1e-6), (torch.log(distance + 1e-6) + 6) / 4)
