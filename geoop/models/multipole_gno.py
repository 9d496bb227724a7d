"""Multipole graph neural operator: every layer is a V-cycle over nested subsets of the cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from ..graph.hierarchy import Hierarchy
from ..graph.pointset import Inputs, PointSet
from ..layers.gated_update import GatedUpdate
from ..layers.neighborhood import Pairs
from ..layers.share import Share
from ..operators.multipole import Levels, MultipoleKernel
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports


class MultipoleBlock(nn.Module):
    """v' = v + update( multipole kernel of v ), v read through LayerNorm; see :class:`~geoop.layers.gated_update.GatedUpdate`."""

    def __init__(self, width: int, dimension: int, levels: Levels, near: Share) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.integral = MultipoleKernel(width, 2 * width, dimension, levels=levels, target_channels=width, near=near)
        self.update = GatedUpdate(width)

    def normed(self, points: PointSet) -> PointSet:
        """What the kernel integrals read."""
        return points.with_features(scalars=self.norm(points.scalars))

    def forward(self, points: PointSet, seen: Tensor) -> PointSet:
        """``seen``: (n, 2 width) the kernel integral at the points."""
        return points.with_features(scalars=points.scalars + self.update(seen))


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
        sizes = {"channels": channels, "gains": gains, "hidden": hidden, "neighbours": neighbours, "of": of, "level_neighbours": level_neighbours}
        super().__init__(ports, width, layers=layers, levels=list(levels), **sizes)
        coarse, near = Levels(tuple(levels), channels, gains, hidden, level_neighbours), Share(neighbours, of)
        self.blocks = nn.ModuleList([MultipoleBlock(width, self.ports.dimension, coarse, near) for _ in range(layers)])

    @property
    def _first(self) -> MultipoleKernel:
        """All layers have the same neighbourhoods, so the graphs of one serve all."""
        return self.blocks[0].integral  # type: ignore[return-value]

    def connect(self, domain: PointSet, surface: PointSet) -> dict:
        found = self._first.connect(domain, domain)
        clouds = self._first.clouds(domain, domain, found)
        pairs = self._first.pairs(clouds, found)
        return {"levels": found, **{f"pairs_{name}": pairs[name].stored(found.graphs[name], clouds[name][1].ptr) for name in pairs}}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        hierarchy, kept = prepared.hierarchy("levels"), {}
        pairs = {name: Pairs.restored(prepared.points(f"pairs_{name}")) for name in hierarchy.graphs if f"pairs_{name}" in prepared.connections}
        for number, block in enumerate(self.blocks):
            source = block.normed(points)
            coarse = block.integral.far_field(source, hierarchy, pairs)
            kept |= {f"source{number}": source, f"coarse{number}": coarse}
            if number + 1 < len(self.blocks):  # after the last block nobody asks the domain again
                points = block(points, block.integral.reach(source, coarse, source, hierarchy, pairs).scalars)
        return kept

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        first, source, coarse = self._first, state.latents["source0"], state.latents["coarse0"]
        near, far = first.near.connect(source, queries), first.far.connect(coarse, queries)
        seen = Hierarchy(graphs={"near": near, "far": far})
        pairs = first.pairs({"near": (source, queries), "far": (coarse, queries)}, seen)
        for number, block in enumerate(self.blocks):
            source, coarse = state.latents[f"source{number}"], state.latents[f"coarse{number}"]
            queries = block(queries, block.integral.reach(source, coarse, block.normed(queries), seen, pairs).scalars)
        return queries.scalars
