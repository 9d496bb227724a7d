"""Multipole graph neural operator: every layer is a V-cycle over nested subsets of the cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ..graph.hierarchy import Hierarchy
from ..graph.pointset import Inputs, PointSet
from ..layers.gated_mlp import GatedMLP
from ..layers.share import Share
from ..operators.multipole import MultipoleKernel
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports


class MultipoleBlock(nn.Module):
    """v' = v + A gelu(W v + multipole kernel of v), then a gated perceptron; both residual, with LayerNorm over the features."""

    def __init__(self, width: int, **sizes: Any) -> None:
        super().__init__()
        self.norm, self.norm_hidden = nn.LayerNorm(width), nn.LayerNorm(width)
        self.integral = MultipoleKernel(width, width, target_channels=width, **sizes)
        self.out = nn.Linear(width, width)
        self.hidden = GatedMLP(width, width, width)

    def normed(self, points: PointSet) -> PointSet:
        """What the kernel integrals read."""
        return points.with_features(scalars=self.norm(points.scalars))

    def forward(self, points: PointSet, source: PointSet, coarse: PointSet, hierarchy: Hierarchy) -> PointSet:
        seen = self.integral.reach(source, coarse, self.normed(points), hierarchy)
        x = points.scalars + self.out(F.gelu(seen.scalars))
        return points.with_features(scalars=x + self.hidden(self.norm_hidden(x)))


class MultipoleGNO(CloudModel):
    """Multipole graph neural operator of Li et al. 2020 (arXiv 2006.09535), weighted, on clouds of any geometry.

    Every layer reaches all of the cloud in linear cost, see :class:`~geoop.operators.multipole.MultipoleKernel`; the levels are found once per
    geometry and serve all layers. What a target reads of the domain, in every layer, are the features of near points and of the first coarse
    level. Encoding keeps both, and a query goes through the very layers that the points of the domain went through.

    Args:
        ports: channels in and out.
        width: features per point.
        layers: number of blocks.
        levels: points of the coarse levels, descending.
        channels: features on the coarse levels.
        gains, hidden: width of every kernel, and of its perceptron.
        neighbours: read on the fine level, in a cloud of ``of`` points.
        of: that number of points.
        level_neighbours: points that are read on a coarse level.
    """

    reference: ClassVar[tuple[str, ...]] = ("li-2020-multipole", "kovachki-2021-no")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 48,
        *,
        layers: int = 3,
        levels: Sequence[int] = (256, 64, 16),
        channels: int = 48,
        gains: int = 16,
        hidden: int = 16,
        neighbours: int = 8,
        of: int = 1000,
        level_neighbours: int = 6,
    ) -> None:
        kernels = {"channels": channels, "gains": gains, "hidden": hidden}
        reach = {"neighbours": neighbours, "of": of, "level_neighbours": level_neighbours}
        super().__init__(ports, width, layers=layers, levels=list(levels), **kernels, **reach)
        near = Share(neighbours, of)
        sizes = {"dimension": self.ports.dimension, "levels": tuple(levels), "near": near, "neighbours": level_neighbours, **kernels}
        self.blocks = nn.ModuleList([MultipoleBlock(width, **sizes) for _ in range(layers)])

    @property
    def _first(self) -> MultipoleKernel:
        """All layers have the same neighbourhoods, so the graphs of one serve all."""
        return self.blocks[0].integral  # type: ignore[return-value]

    def connect(self, domain: PointSet, surface: PointSet) -> dict:
        return {"levels": self._first.connect(domain, domain)}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        hierarchy, kept = prepared.hierarchy("levels"), {}
        for number, block in enumerate(self.blocks):
            source = block.normed(points)
            coarse = block.integral.far_field(source, hierarchy)
            kept |= {f"source{number}": source, f"coarse{number}": coarse}
            if number + 1 < len(self.blocks):  # after the last block nobody asks the domain again
                points = block(points, source, coarse, hierarchy)
        return kept

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        source, coarse = state.latents["source0"], state.latents["coarse0"]
        graphs = {"near": self._first.near.connect(source, queries), "far": self._first.far.connect(coarse, queries)}
        for number, block in enumerate(self.blocks):
            queries = block(queries, state.latents[f"source{number}"], state.latents[f"coarse{number}"], Hierarchy(graphs=graphs))
        return queries.scalars
