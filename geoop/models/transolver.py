"""Transolver with quadrature weights, decoded anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from torch import Tensor, nn

from ..graph.hierarchy import Connection
from ..graph.pointset import Inputs, PointSet
from ..layers.graded_measure import graded_measure
from ..layers.mlp import MLP
from ..operators.slice_attention import SliceAttention
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports
from .sample_token import sample_token


class SliceBlock(nn.Module):
    """x + slices(norm(x)), then x + perceptron(norm(x)): all points of a sample exchange what they know, at linear cost."""

    def __init__(self, width: int, slices: int, heads: int, expansion: float) -> None:
        super().__init__()
        self.norm, self.norm_hidden = nn.LayerNorm(width), nn.LayerNorm(width)
        self.slices = SliceAttention(width, heads=heads, slices=slices, density=True)
        self.hidden = MLP([width, int(expansion * width), width])

    def summarise(self, points: PointSet) -> tuple[Tensor, Tensor]:
        """What the slices of the points say, and the shares of the points in them."""
        return self.slices.summarise(points.with_features(scalars=self.norm(points.scalars)))

    def forward(self, points: PointSet, spoken: Tensor, share: Tensor | None = None) -> PointSet:
        """Points after the block; their shares are computed where none are given."""
        if share is None:
            share = self.slices.share(points.with_features(scalars=self.norm(points.scalars)))
        x = points.scalars + self.slices.read(share, spoken, points)
        return points.with_features(scalars=x + self.hidden(self.norm_hidden(x)))


class Transolver(CloudModel):
    """Transolver of Wu et al. 2024 (arXiv 2402.02366): blocks of slice attention over all points of the domain.

    The published model answers at its input points only. But what a point hears in a block is a function of its own features and of the slices:
    ``process`` takes the domain through the blocks and keeps what the slices said in each, ``read`` takes any query through the same blocks with the
    same weights. A query therefore gets the answer of the published network as if it were a point of the cloud that no other point sees.

    Around a body the area is far away: with the plain measure nearly all of every slice is the far field. There the measure starts as
    dx / (distance + 0.01)^d, about equally much per decade of the distance to the wall. It is a density on the region and not one of the cloud, so
    slices converge all the same; blocks learn densities of their own on top of it.

    Args:
        ports: channels in and out.
        width: features per point.
        slices: per head.
        depth: blocks.
        heads: of all attention.
        expansion: hidden width of the perceptrons over ``width``.
        graded: start from the graded measure; None for: around bodies.
    """

    reference: ClassVar[tuple[str, ...]] = ("wu-2024-transolver",)

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 64,
        *,
        slices: int = 16,
        depth: int = 4,
        heads: int = 4,
        expansion: float = 1.0,
        graded: bool | None = None,
    ) -> None:
        super().__init__(ports, width, slices=slices, depth=depth, heads=heads, expansion=expansion, graded=graded)
        self.graded = self.ports.body if graded is None else graded
        self.blocks = nn.ModuleList(SliceBlock(width, slices, heads, expansion) for _ in range(depth))
        self.norm_out = nn.LayerNorm(width)

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        """The measure alone: slices know no neighbours."""
        weight = graded_measure(domain) if self.graded else domain.weight
        return {"measure": PointSet(domain.pos, weight=weight, ptr=domain.ptr)}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        points, latents = replace(points, weight=prepared.points("measure").weight), {}
        for level, block in enumerate(self.blocks):
            spoken, share = block.summarise(points)
            latents[f"slices {level}"] = sample_token(spoken.flatten(1), points)
            if level + 1 < len(self.blocks):  # nothing asks for the points after the last summary
                points = block(points, spoken, share)
        return latents

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        for level, block in enumerate(self.blocks):
            queries = block(queries, state.latents[f"slices {level}"].scalars.unflatten(1, (-1, self.width)))
        return self.norm_out(queries.scalars)
