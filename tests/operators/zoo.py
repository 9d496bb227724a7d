"""What the zoo of operators is made of: an entry, the clouds it is tried on, and points with a meaning.

Entries stand in the files ``zoo_*.py`` beside this one, one file per family, each with a table ``ENTRIES``; test_claims.py finds them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch

from geoop.graph.pointset import PointSet
from geoop.layers.operator import AbstractOperator


@dataclass(frozen=True)
class Cloud:
    """Random points with random features.

    ``sizes``: points of three samples; ``adapt``: gives the arrays the meaning that an operator needs, e.g. unit normals, a closed ring;
    ``lattice``: dimension of the lattice that is refined, of space if None.
    """

    scalars: int = 3
    vectors: int = 0
    dimension: int = 2
    sizes: tuple[int, int, int] = (9, 14, 6)
    lattice: int | None = None
    adapt: Callable[[PointSet], PointSet] = field(default=lambda points: points)

    def sample(self, n: int, seed: int) -> PointSet:
        g = torch.Generator().manual_seed(seed)
        shapes = ((self.dimension,), (self.scalars,), (self.vectors, self.dimension))
        pos, scalars, vectors = (torch.randn(n, *s, generator=g, dtype=torch.float64) for s in shapes)
        return self.adapt(PointSet(0.5 * pos, scalars, vectors, torch.rand(n, generator=g, dtype=torch.float64) + 0.1))

    def batch(self) -> PointSet:
        return PointSet.concatenate([self.sample(n, seed) for seed, n in enumerate(self.sizes)])


@dataclass(frozen=True)
class Entry:
    """An operator of the zoo.

    ``target=None``: it mixes one cloud, target and source are the same object. ``ordered``: the order of the points carries meaning, so
    they cannot be permuted. ``any_size``: it takes samples of any size, one point included. ``weighted``: it reads quadrature weights.
    ``fixed_geometry``: it keeps no derivative by what belongs to the geometry. ``sizes``: points per side of the lattices of refinement; None for those
    of all, empty where another test measures the order.
    """

    make: Callable[[], AbstractOperator]
    source: Cloud = Cloud()
    target: Cloud | None = None
    ordered: bool = False
    any_size: bool = True
    weighted: bool = True
    fixed_geometry: bool = False
    sizes: tuple[int, ...] | None = None


def placed(points: PointSet) -> PointSet:
    """The first vector is a unit normal, the last scalar a positive spacing."""
    normal = torch.nn.functional.normalize(points.vectors[:, :1], dim=2)
    spacing = points.scalars[:, -1:].abs() + 0.2
    return points.with_features(torch.cat([points.scalars[:, :-1], spacing], 1), torch.cat([normal, points.vectors[:, 1:]], 1))


def ring(points: PointSet, count: int | None = None) -> PointSet:
    """The first ``count`` points (all of them) on a smooth closed curve around the origin, in order and at uneven distances."""
    n = len(points) if count is None else count
    angle = 2 * torch.pi * torch.arange(n, dtype=torch.float64) / n
    angle = angle + 0.3 * torch.sin(angle)
    curve = (2 + 0.2 * torch.cos(3 * angle) + 0.3 * torch.sin(angle))[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    return replace(points, pos=torch.cat([curve, points.pos[n:]]))


QUERIES = Cloud(scalars=2, sizes=(5, 1, 8))
