"""GNOT: linear attention over several input functions, with perceptrons that share space among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ..graph.hierarchy import Connection
from ..graph.pointset import Inputs, PointSet
from ..graph.segment import weighted_sum
from ..graph.thinning import coarsen
from ..layers.gated_experts import GatedExperts
from ..operators.linear_attention import LinearAttention
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .input_clouds import InputClouds
from .ports import Ports
from .sample_token import sample_token


class GNOT(CloudModel):
    """General neural operator transformer (Hao et al. 2023, arXiv 2302.14376).

    Every block: attention to J clouds at once (the domain, the boundary, and every named input function on its own points), then perceptrons gated by
    the position; both pre-norm with a residual. The attention is linear, so what it needs of all clouds is one matrix per head and cloud: ``process``
    takes the domain through the blocks and keeps these matrices, ``read`` takes any query through the same blocks with the same weights. A query
    therefore runs the published network as if it were a point of the cloud, at a cost that does not depend on the size of the clouds, without a
    neighbour search, and without being seen by any other point.

    The paper attends to the input functions and to the domain in two layers per block; here both stand in one sum, at half the cost.

    Args:
        ports: channels in and out.
        width: features per point.
        depth: number of blocks.
        heads: of the attention; divides ``width``.
        experts: perceptrons per block.
        points: of the domain that go through the blocks; each stands for the mean of a box of equally many points, so that the sums see all of them,
            weights included. None for all points: only then do the sums converge when the domain is refined.
        kind: of the attention, see :class:`LinearAttention`; "galerkin" makes this a Galerkin transformer with several inputs.
    """

    reference: ClassVar[tuple[str, ...]] = ("hao-2023-gnot", "cao-2021-galerkin")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 64,
        *,
        depth: int = 3,
        heads: int = 4,
        experts: int = 3,
        points: int | None = None,
        kind: Literal["softmax", "galerkin"] = "softmax",
    ) -> None:
        super().__init__(ports, width, depth=depth, heads=heads, experts=experts, points=points, kind=kind)
        self.clouds = InputClouds(self.ports, width)
        sources = (width,) * (1 + self.clouds.count)
        self.attention = nn.ModuleList([LinearAttention(width, source_channels=sources, heads=heads, kind=kind) for _ in range(depth)])
        self.norm = nn.ModuleList([nn.LayerNorm(width) for _ in range(depth)])
        self.experts = nn.ModuleList([GatedExperts(width, self.ports.dimension, experts=experts) for _ in range(depth)])
        self.norm_out = nn.LayerNorm(width)

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        """The boxes whose means stand for the domain; no other neighbours, since all points of a sample act on all others through one matrix."""
        if self.arguments["points"] is None:
            return {}
        means, *_, member = coarsen(domain, self.arguments["points"])
        return {"means": means, "boxes": member}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        others, latents = self.clouds(prepared.surface, inputs), {}
        if "means" in prepared.connections:
            means, boxes = prepared.points("means"), prepared.graph("boxes")
            share = points.weight[boxes.source] / means.weight[boxes.target].clamp(min=torch.finfo(means.weight.dtype).tiny)
            points = means.with_features(scalars=weighted_sum(points.scalars, boxes, share))
        for level, attention in enumerate(self.attention):
            summary = attention.summarise([points, *others])
            latents[f"summary {level}"] = sample_token(summary.flatten(1), points)
            if level + 1 < len(self.attention):  # nothing asks for the points after the last summary
                points = points.with_features(scalars=self._block(level, points, summary))
        return latents

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        for level in range(len(self.attention)):
            token = state.latents[f"summary {level}"]
            summary = token.scalars.unflatten(1, (-1, self.width, self.width + 1))
            queries = queries.with_features(scalars=self._block(level, queries, summary))
        return self.norm_out(queries.scalars)

    def _block(self, level: int, points: PointSet, summary: Tensor) -> Tensor:
        """(n, width) features of points after a block."""
        x = self.attention[level].attend(points, summary)
        return x + self.experts[level](self.norm[level](x), points.pos)
