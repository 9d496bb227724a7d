"""Geometry-informed neural operator: cloud -> lattice that knows the boundary -> Fourier layers -> any point."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.hierarchy import Connection
from ..graph.lattice import Chart, lattice_nodes, surrounding, vertex_distance
from ..graph.pointset import Inputs, PointSet
from ..layers.gated_mlp import GatedMLP
from ..layers.neighborhood import Ball, Pairs
from ..layers.sizes import check_sizes
from ..operators.polynomial_kernel import PolynomialKernel
from ..operators.spectral import FourierBlock, Spectral
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports

#: Lengths at which a signed distance looks near or far.
SCALES = (0.02, 0.1, 0.5)


class GINO(CloudModel):
    """Geometry-informed neural operator of Li et al. 2023 (arXiv 2309.00583).

        h  = K_in u + E(lattice)                  kernel integral over a ball from the cloud to every node of a lattice
        h <- h + B gelu( F^-1 R F (h) + W h )     Fourier layers, ``depth`` times
        v(x) = K_out h (x) + W u(x)               kernel integral over a ball from the lattice to any point

    E sees the coordinates of the node, the signed distance to the boundary and the normal of its nearest part; the distance is that to the discs
    which the vertices stand for (:func:`geoop.graph.lattice.vertex_distance`), as ``connect`` is given vertices, not facets.

    What differs from the paper, and why. The lattice lives in the coordinates of :class:`geoop.graph.lattice.Chart`: around a body it is finer
    near the body, in a region nearly uniform, and every point of space has a place inside of it. Radii are given in spacings. That of decoding is
    at least sqrt(d), so that no ball is empty; at encode, where the ball is smaller, an empty one takes its nearest point. The window falls smoothly to 0 at the
    rim: the decoded field is twice differentiable by the position of the query. With the paper's hard rim (``smooth=False``) it jumps.

    Args:
        ports: channels in and out.
        width: features per point and node.
        resolution: nodes along every axis of the lattice.
        modes: highest wave number of the Fourier layers on every axis.
        rank: channels that the Fourier layers transform; None for all.
        depth: Fourier layers.
        gather: radius of the balls around nodes, from which they take what the cloud knows, in spacings of the lattice.
        reach: radius of the balls around points that are asked about, in spacings; at least sqrt(d), None for 1.1 sqrt(d).
        smooth: the window falls smoothly to 0 at the rim.
    """

    reference = ("li-2023-gino", "li-2021-fno")
    may_be_zero: ClassVar[tuple[str, ...]] = ("depth", "modes")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 48,
        *,
        resolution: int = 24,
        modes: int = 8,
        rank: int | None = 16,
        depth: int = 4,
        gather: float = 1.0,
        reach: float | None = None,
        smooth: bool = True,
    ) -> None:
        sizes: dict[str, Any] = {"resolution": resolution, "modes": modes, "rank": rank, "depth": depth}
        super().__init__(ports, width, **sizes, gather=gather, reach=reach, smooth=smooth)
        check_sizes("GINO", {"resolution": resolution}, least=2)
        d = self.ports.dimension
        self.resolution, self.reach = resolution, checked_reach(reach, d)
        seen, ball = (Ball(size / (resolution - 1), smooth=smooth) for size in (gather, self.reach))
        self.encoder = PolynomialKernel(width, width, seen, d, rank=width // 2, degree=1)
        self.place = nn.Linear(2 * d + len(SCALES), width)
        spectral = [Spectral(width, 2 * width, (resolution,) * d, modes=modes, rank=rank, padding=0.25) for _ in range(depth)]
        self.blocks = nn.ModuleList([FourierBlock(layer, width, 2 * width) for layer in spectral])
        self.norm = nn.LayerNorm(width)
        self.decoder = PolynomialKernel(width, width, ball, d, rank=width // 2, target_channels=width)
        self.refine = nn.Sequential(nn.LayerNorm(width), GatedMLP(width, 2 * width, width))

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        chart = Chart.of(domain, surface)
        nodes = lattice_nodes(self.resolution, domain.dimension, domain.pos)
        count, b = len(nodes), domain.batch_size
        ptr = count * torch.arange(b + 1, device=domain.pos.device)
        lattice = PointSet(nodes.repeat(b, 1), ptr=ptr)
        lattice = lattice.with_features(scalars=place_features(lattice, chart.outside(lattice.pos, lattice.batch), surface))
        cloud = in_chart(chart, domain)
        encode = self.encoder.connect(cloud, lattice)
        edges = kept_pairs(self.encoder.pairs(cloud, lattice, encode), lattice.batch[encode.target], b)
        return {"chart": chart.keep(), "lattice": lattice, "encode": encode, "edges": edges}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        lattice, pairs = prepared.points("lattice"), pairs_of(prepared.points("edges"))
        h = self.encoder.over(pairs, points, lattice, prepared.graph("encode")).scalars + self.place(lattice.scalars)
        h = h.reshape(-1, *(self.resolution,) * self.ports.dimension, self.width)
        for block in self.blocks:
            h = block(h)
        return {"lattice": lattice.with_features(scalars=self.norm(h).flatten(0, -2))}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        lattice, batch = state.latents["lattice"], queries.batch
        places = PointSet(Chart.read(state.prepared.points("chart")).inside(queries.pos, batch), queries.scalars, ptr=queries.ptr)
        graph = surrounding(places.pos, lattice.ptr[batch], len(lattice), self.resolution, self.reach)
        h = self.decoder(lattice, places, graph).scalars + queries.scalars
        return h + self.refine(h)


def checked_reach(reach: float | None, dimension: int) -> float:
    """The radius of a ball in spacings of a lattice, large enough that no ball between the nodes is empty.

    Raises:
        ConfigurationError: it is smaller than the diagonal of a cell.
    """
    least = math.sqrt(dimension)
    if reach is not None and reach < least:
        raise ConfigurationError(
            f"a ball of {reach:g} spacings",
            where="reach",
            remedy=f"at least the diagonal of a cell, {least:.3f}, lest balls between the nodes be empty",
        )
    return 1.1 * least if reach is None else float(reach)


def in_chart(chart: Chart, cloud: PointSet) -> PointSet:
    """The points at their coordinates, with weights that measure volume there, without features."""
    batch = cloud.batch
    return PointSet(chart.inside(cloud.pos, batch), weight=cloud.weight * chart.density(cloud.pos, batch), ptr=cloud.ptr)


def kept_pairs(pairs: Pairs, batch: Tensor, samples: int) -> PointSet:
    """The geometry of edges as a cloud of one point per edge, so that it is moved and batched as clouds are.

    Args:
        pairs: offsets and weights.
        batch: (e,) ascending sample of every edge.
        samples: number of samples.
    """
    counts = torch.bincount(batch, minlength=samples)
    return PointSet(pairs.offset, weight=pairs.weight, ptr=torch.cat([counts.new_zeros(1), counts.cumsum(0)]))


def pairs_of(kept: PointSet) -> Pairs:
    """Inverse of :func:`kept_pairs`."""
    return Pairs(kept.pos, kept.pos.square().sum(dim=1), kept.weight)


def place_features(nodes: PointSet, pos: Tensor, surface: PointSet) -> Tensor:
    """(n, 2 d + 3) what a node of a lattice knows of its place: coordinates, signed distance on several scales, normal.

    Args:
        nodes: at their coordinates.
        pos: (n, d) where they are in space.
        surface: boundary vertices.
    """
    distance, normal = vertex_distance(PointSet(pos, ptr=nodes.ptr), surface)
    near = [distance / (distance.abs() + scale) for scale in SCALES]
    return torch.cat([2 * nodes.pos, torch.stack(near, dim=1), normal], dim=1)
