"""Low-rank neural operator on a cloud: every layer is a sum of separable kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from torch import Tensor, nn

from ..graph.hierarchy import Connection
from ..graph.pointset import Inputs, PointSet
from ..layers.gated_update import GatedUpdate
from ..layers.graded_measure import graded_measure
from ..operators.low_rank import Basis, LowRank
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports


class LowRankBlock(nn.Module):
    """v' = v + update( W v + sum_j phi_j <psi_j, v>_w ), v read through LayerNorm; see :class:`~geoop.layers.gated_update.GatedUpdate`."""

    def __init__(self, width: int, terms: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        phi, psi = Basis(width, terms, hidden), Basis(width, terms, hidden)
        self.integral = LowRank(width, 2 * width, phi, psi, width=width, heads=heads, target_channels=width)
        self.update = GatedUpdate(width)

    def normed(self, points: PointSet) -> PointSet:
        """What the integral reads."""
        return points.with_features(scalars=self.norm(points.scalars))

    def forward(self, points: PointSet, moments: Tensor, normed: PointSet | None = None) -> PointSet:
        seen = self.integral.expand(moments, self.normed(points) if normed is None else normed)
        return points.with_features(scalars=points.scalars + self.update(seen.scalars))


class LowRankOperator(CloudModel):
    """The low-rank neural operator of Kovachki et al. 2021 (arXiv 2108.08481) on clouds of any geometry, with quadrature weights.

    A layer needs of the whole domain only the moments <psi_j, v>_w, a few numbers per sample. They are what encoding keeps: a query goes
    through the very layers that the points of the domain went through, reading those moments. So the decoded field is the network's own
    value there, at any point, in n r operations without any neighbour search. All sums are quadratures of means: second order on clouds
    whose weights are.

    Args:
        ports: channels in and out.
        width: features per point.
        layers: number of blocks.
        rank: separable terms per head and layer.
        heads: groups of channels with terms of their own.
        hidden: width of the perceptrons that the terms are made of.
        graded: average over :func:`~geoop.layers.graded_measure.graded_measure`; None for: around bodies.
    """

    reference: ClassVar[tuple[str, ...]] = ("kovachki-2021-no",)

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 64,
        *,
        layers: int = 4,
        rank: int = 16,
        heads: int = 4,
        hidden: int = 32,
        graded: bool | None = None,
    ) -> None:
        super().__init__(ports, width, layers=layers, rank=rank, heads=heads, hidden=hidden, graded=graded)
        self.graded = self.ports.body if graded is None else graded
        self.blocks = nn.ModuleList([LowRankBlock(width, rank * heads, heads, hidden) for _ in range(layers)])

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        """The measure alone: moments know no neighbours."""
        weight = graded_measure(domain) if self.graded else domain.weight
        return {"measure": PointSet(domain.pos, weight=weight, ptr=domain.ptr)}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        points, kept = replace(points, weight=prepared.points("measure").weight), {}
        for number, block in enumerate(self.blocks):
            normed = block.normed(points)
            moments = block.integral.moments(normed)
            kept[f"moments{number}"] = _rows(moments, points)
            if number + 1 < len(self.blocks):  # after the last block nobody asks the domain again
                points = block(points, moments, normed)
        return kept

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        for number, block in enumerate(self.blocks):
            rows = state.latents[f"moments{number}"].scalars
            queries = block(queries, rows.unflatten(0, (queries.batch_size, -1)))
        return queries.scalars


def _rows(moments: Tensor, points: PointSet) -> PointSet:
    """Moments (b, terms, width) as a cloud of one row per term and sample: they have no place."""
    b, terms, _ = moments.shape
    ptr = points.ptr.new_tensor([terms * i for i in range(b + 1)])
    return PointSet(points.pos.new_zeros(b * terms, points.dimension), moments.flatten(0, 1), ptr=ptr)
