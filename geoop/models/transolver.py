"""Transolver with quadrature weights, decoded anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from torch import Tensor, nn

from ..encoders.multiscale_attention import MultiscaleAttention
from ..graph.graph import Graph
from ..graph.hierarchy import Connection
from ..graph.pointset import Inputs, PointSet
from ..layers.gated_mlp import GatedMLP
from ..layers.pair_kernel import PairKernel
from ..layers.scales import NearestScales
from ..operators.attention import Attention
from ..operators.slice_attention import SliceAttention
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports

#: Distance from the wall below which a graded measure stops growing, in body lengths.
_WALL = 0.01


class SliceBlock(nn.Module):
    """x + slices(norm(x)), then x + gated perceptron(norm(x)): all points of a sample exchange what they know, at linear cost."""

    def __init__(self, width: int, slices: int, heads: int, expansion: float) -> None:
        super().__init__()
        self.norm, self.norm_hidden = nn.LayerNorm(width), nn.LayerNorm(width)
        self.slices = SliceAttention(width, heads=heads, slices=slices, density=True)
        self.hidden = GatedMLP(width, int(expansion * width), width)

    def forward(self, points: PointSet) -> PointSet:
        normed = points.with_features(scalars=self.norm(points.scalars))
        mixed = self.slices(normed, normed, Graph.unconnected(len(points), len(points), points.pos.device))
        x = points.scalars + mixed.scalars
        return points.with_features(scalars=x + self.hidden(self.norm_hidden(x)))


class Transolver(CloudModel):
    """Transolver of Wu et al. 2024 (arXiv 2402.02366): blocks of slice attention over all points of the domain.

    The published model answers at its input points only. Here queries attend, as in a cross-attention decoder, to the nearest points of the domain
    (what is local) and to the slices of a last pooling (what is global), so any point can be asked for.

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
        neighbours: nearest points of the domain that a query attends to.
        kernel: gains per edge of that attention, and width of its perceptron.
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
        neighbours: int = 8,
        kernel: int = 32,
        graded: bool | None = None,
    ) -> None:
        sizes = {"slices": slices, "depth": depth, "heads": heads, "expansion": expansion, "neighbours": neighbours, "kernel": kernel}
        super().__init__(ports, width, **sizes, graded=graded)
        self.graded = self.ports.body if graded is None else graded
        d = self.ports.dimension
        self.blocks = nn.ModuleList(SliceBlock(width, slices, heads, expansion) for _ in range(depth))
        self.norm, self.norm_asked = nn.LayerNorm(width), nn.LayerNorm(width)
        self.pool = SliceAttention(width, heads=heads, slices=slices, density=True)
        near = PairKernel(d, kernel + heads, hidden=kernel, octaves=1, source_channels=width, target_channels=width)
        self.local = MultiscaleAttention(width, width, NearestScales((neighbours,)), near, heads=heads, target_channels=width)
        self.globally = Attention(width, heads=heads)

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        """The measure alone: slices know no neighbours, and those of the queries are not known yet."""
        d, weight = domain.dimension, domain.weight
        if self.graded:
            distance = (domain.pos - domain.scalars[:, 3 * d : 4 * d]).norm(dim=1)  # to the closest point of the boundary, see Sites.features
            weight = weight / (distance + _WALL) ** d
        return {"measure": PointSet(domain.pos, weight=weight, ptr=domain.ptr)}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        points = replace(points, weight=prepared.points("measure").weight)
        for block in self.blocks:
            points = block(points)
        points = points.with_features(scalars=self.norm(points.scalars))
        return {"points": points, "slices": self.pool.tokens(points)}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        points, slices = state.latents["points"], state.latents["slices"]
        asked = queries.with_features(scalars=self.norm_asked(queries.scalars))
        x = queries.scalars + self.local(points, asked, self.local.connect(points, asked)).scalars
        x = replace(queries, scalars=x)
        return self.globally(slices, x, Graph.unconnected(len(slices), len(x), x.pos.device)).scalars
