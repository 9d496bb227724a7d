"""The boundary and every named input function as clouds of features, each on points of its own."""

from __future__ import annotations

import torch
from torch import nn

from ..graph.pointset import Inputs, PointSet
from ..layers.bounded import bounded
from ..layers.condition import condition_features
from ..layers.mlp import MLP
from .ports import Ports


class InputClouds(nn.Module):
    """A perceptron per cloud, from what its points say and where they are to ``width`` features; no point sees another one.

    The boundary's points say their scalars, their normal and the global conditions seen from there; those of a function say its values.

    Args:
        ports: which functions there are.
        width: features of every cloud.
    """

    def __init__(self, ports: Ports, width: int) -> None:
        super().__init__()
        self.names = tuple(name for name, _ in ports.functions)
        d = ports.dimension
        self.boundary = MLP([2 * d + ports.surface_scalars + ports.condition, width, width])
        self.functions = nn.ModuleList([MLP([d + count, width, width]) for _, count in ports.functions])

    @property
    def count(self) -> int:
        """Number of clouds."""
        return 1 + len(self.names)

    def forward(self, surface: PointSet, inputs: Inputs) -> list[PointSet]:
        """The boundary first, then the functions in order of name; weights and positions as given."""
        normal = surface.vectors[:, 0]
        said = torch.cat([bounded(surface.pos), normal, surface.scalars, condition_features(inputs, normal, surface.batch)], dim=1)
        clouds = [surface.with_features(scalars=self.boundary(said))]
        for name, lift in zip(self.names, self.functions, strict=True):
            cloud = inputs.functions[name]
            clouds.append(cloud.with_features(scalars=lift(torch.cat([bounded(cloud.pos), cloud.scalars], dim=1))))
        return clouds
