"""Graph neural operator: kernel integrals over neighbourhoods on several scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..graph.graph import Graph
from ..graph.pointset import Inputs, PointSet
from ..graph.segment import weighted_sum
from ..graph.thinning import coarsen
from ..layers.gated_update import GatedUpdate
from ..layers.neighborhood import Ball, Nearest, Pairs
from ..layers.pair_kernel import PairKernel
from ..layers.share import Share, mean_weights
from ..layers.sizes import check_sizes
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports


class IntegralBlock(nn.Module):
    """v' = v + update( W v + sum_s M_s int k_s * N_s v ), v read through LayerNorm; see :class:`~geoop.layers.gated_update.GatedUpdate`.

    The gains k_s of the edges come from outside: one kernel serves all layers (Li et al. 2020), each of which factors it with matrices of its
    own, and every source is what :meth:`sources` made of the features of the domain.
    """

    def __init__(self, width: int, gains: int, scales: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.ModuleList([nn.Linear(width, gains) for _ in range(scales)])
        self.local = nn.Linear(width, 2 * width)
        self.mix = nn.Linear(scales * gains, 2 * width, bias=False)
        self.update = GatedUpdate(width)

    def sources(self, normed: Tensor) -> list[Tensor]:
        """N_s v of every scale, at the points of the domain, from normalised features: (n, gains) each."""
        return [inner(normed) for inner in self.inner]

    def forward(self, x: Tensor, normed: Tensor, sources: Sequence[Tensor], graphs: Sequence[Graph], gains: Sequence[Tensor]) -> Tensor:
        """x (n, width) and its normalised form at the targets of the graphs, ``sources`` at their sources, ``gains`` (e, gains) times quadrature
        weights."""
        seen = [weighted_sum(source, graph, gain).to(x.dtype) for source, graph, gain in zip(sources, graphs, gains, strict=True)]
        return x + self.update(self.local(normed) + self.mix(torch.cat(seen, dim=1)))


class GraphNeuralOperator(CloudModel):
    """Graph neural operator of Li et al. 2020 (arXiv 2003.03485) and Kovachki et al. 2021 (arXiv 2108.08481):

        v_{t+1}(x) = v_t(x) + A norm act( W v_t(x) + sum_s int k_s(x, y, v_0(x), v_0(y)) v_t(y) dy )

    One kernel for all layers, which depends on the relative position and on what is known at both ends, in the factored form
    M diag(k) N of :class:`~geoop.operators.graph_kernel.GraphKernel`: memory is edges x gains. A layer sees the domain only through its source values,
    so a query goes through the very layers that the points of the domain went through: the decoded field is a kernel integral at any point.

    Scale 0 reads the cloud itself: a share of it that follows the grading, or with ``radius`` a smooth ball of fixed size, which converges
    with the second order of the quadrature on any cloud. Every further scale reads means over ``scales[s]`` boxes of the cloud, placed at
    their kept points, so that a far point is felt whatever the number of points and the depth.

    With ``points`` the integrals are taken over that many boxes of the cloud, which carry its measure and the means of the lifted features, as the
    paper's Nystroem approximation takes them over a subset: the cost of a layer no longer depends on the cloud.

    Args:
        ports: channels in and out.
        width: features per point.
        layers: number of blocks.
        gains: of an edge; channels that a kernel integral passes on.
        hidden: width of the kernel's perceptron.
        neighbours: of scale 0 in a cloud of ``of`` points.
        of: that number of points.
        scales: boxes of the further scales; () for none.
        scale_neighbours: boxes that a point reads on each.
        radius: of a ball for scale 0 instead, in the unit of the frame (a body has length 1).
        points: boxes that stand for the cloud, and then ``of`` is their number; None for the cloud itself.
    """

    reference: ClassVar[tuple[str, ...]] = ("li-2020-gkn", "kovachki-2021-no")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 48,
        *,
        layers: int = 4,
        gains: int = 24,
        hidden: int = 24,
        neighbours: int = 8,
        of: int = 1000,
        scales: Sequence[int] = (64,),
        scale_neighbours: int = 8,
        radius: float | None = None,
        points: int | None = None,
    ) -> None:
        sizes = {"layers": layers, "gains": gains, "hidden": hidden, "neighbours": neighbours, "of": of, "scale_neighbours": scale_neighbours}
        super().__init__(ports, width, **sizes, scales=list(scales), radius=radius, points=points)
        check_sizes("GraphNeuralOperator", {f"scales[{s}]": count for s, count in enumerate(scales)})
        self.scales, self.points = tuple(scales), points
        near = Share(neighbours, points or of) if radius is None else Ball(radius)
        self.neighborhoods = [near, *(Nearest(scale_neighbours, smooth=True) for _ in scales)]
        dimension, count = self.ports.dimension, 1 + len(self.scales)
        self.kernels = nn.ModuleList(
            [PairKernel(dimension, gains, hidden=hidden, depth=1, source_channels=width, target_channels=width) for _ in range(count)]
        )
        for kernel in self.kernels:
            nn.init.ones_(kernel.gain.layers[-1].bias)  # starts as a mean over the neighbourhood, not as almost nothing
        self.blocks = nn.ModuleList([IntegralBlock(width, gains, count) for _ in range(layers)])

    def connect(self, domain: PointSet, surface: PointSet) -> dict:
        found: dict[str, Any] = {}
        if self.points is not None:
            domain, _, found["gather"] = coarsen(domain, self.points)
        clouds, found["points0"] = [domain], domain.with_features(domain.scalars[:, :0], domain.vectors[:, :0])
        for s, count in enumerate(self.scales, start=1):
            found[f"points{s}"], _, found[f"pool{s}"] = coarsen(domain, count)
            clouds.append(found[f"points{s}"])
        for s, (neighborhood, cloud) in enumerate(zip(self.neighborhoods, clouds, strict=True)):
            found[f"graph{s}"] = graph = neighborhood.connect(cloud, domain)
            found[f"edges{s}"] = neighborhood.pairs(cloud, domain, graph).normalised(graph).stored(graph, domain.ptr)
        return found

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        clouds = [prepared.points(f"points{s}") for s in range(1 + len(self.scales))]
        if self.points is not None:
            gather = prepared.graph("gather")
            points = clouds[0].with_features(scalars=weighted_sum(points.scalars, gather, mean_weights(points, gather)))
        pools = [prepared.graph(f"pool{s + 1}") for s in range(len(self.scales))]
        means = [mean_weights(points, pool) for pool in pools]

        def pooled(values: Sequence[Tensor]) -> list[PointSet]:
            """Values at the points of the domain, for every scale, as sources of that scale."""
            seen = [values[0], *(weighted_sum(v, pool, mean) for v, pool, mean in zip(values[1:], pools, means, strict=True))]
            return [cloud.with_features(scalars=v) for cloud, v in zip(clouds, seen, strict=True)]

        known = pooled([points.scalars] * len(clouds))
        graphs = [prepared.graph(f"graph{s}") for s in range(len(clouds))]
        pairs = [Pairs.restored(prepared.points(f"edges{s}")) for s in range(len(clouds))]
        gains = self._gains(pairs, known, points, graphs)
        kept, x = {f"known{s}": cloud for s, cloud in enumerate(known)}, points.scalars
        for number, block in enumerate(self.blocks):
            normed = block.norm(x)
            sources = pooled(block.sources(normed))
            kept |= {f"layer{number}-{s}": cloud for s, cloud in enumerate(sources)}
            if number + 1 < len(self.blocks):  # after the last block nobody asks the domain again
                x = block(x, normed, [source.scalars for source in sources], graphs, gains)
        return kept

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        scales = range(1 + len(self.scales))
        known = [state.latents[f"known{s}"] for s in scales]
        graphs = [neighborhood.connect(cloud, queries) for neighborhood, cloud in zip(self.neighborhoods, known, strict=True)]
        pairs = [n.pairs(s, queries, g).normalised(g) for n, s, g in zip(self.neighborhoods, known, graphs, strict=True)]
        gains, x = self._gains(pairs, known, queries, graphs), queries.scalars
        for number, block in enumerate(self.blocks):
            x = block(x, block.norm(x), [state.latents[f"layer{number}-{s}"].scalars for s in scales], graphs, gains)
        return x

    def _gains(self, pairs: Sequence[Pairs], sources: Sequence[PointSet], target: PointSet, graphs: Sequence[Graph]) -> list[Tensor]:
        """(e, gains) kernel times normalised quadrature weight on the edges of every scale."""
        parts = zip(self.kernels, pairs, sources, graphs, strict=True)
        return [kernel(known, source, target, graph) * known.weight[:, None] for kernel, known, source, graph in parts]
