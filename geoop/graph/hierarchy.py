"""Several clouds and the graphs between them: coarser levels, latent tokens, boxes, grids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from .graph import Graph
from .pointset import PointSet


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """What an operator that works on more than one level computes once per geometry.

    Attributes:
        points: name -> intermediate points (levels of subsets, tokens of a lattice, ...), positions, weights and geometric features.
        graphs: name -> graph between any two of: source points, intermediate points, target points. Which, is the operator's affair.
    """

    points: Mapping[str, PointSet] = field(default_factory=dict)
    graphs: Mapping[str, Graph] = field(default_factory=dict)

    def to(self, device: torch.device | str) -> Hierarchy:
        return Hierarchy({k: v.to(device) for k, v in self.points.items()}, {k: v.to(device) for k, v in self.graphs.items()})

    @staticmethod
    def concatenate(items: Sequence[Hierarchy]) -> Hierarchy:
        """Hierarchies of several samples as that of their batch; all have the same names."""
        return Hierarchy(
            {name: PointSet.concatenate([item.points[name] for item in items]) for name in items[0].points},
            {name: Graph.concatenate([item.graphs[name] for item in items]) for name in items[0].graphs},
        )


#: What ``connect`` of an operator returns: geometry only, computed once, moved between devices and batched.
Connection = Graph | Hierarchy
