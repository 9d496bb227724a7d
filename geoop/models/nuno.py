"""Non-uniform neural operator: a lattice for every box of a k-d tree, blended by a partition of unity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.boxes import Boxes
from ..graph.graph import Graph
from ..graph.hierarchy import Connection
from ..graph.lattice import Chart, lattice_nodes, surrounding
from ..graph.neighbors import knn
from ..graph.pointset import Inputs, PointSet
from ..graph.segment import weighted_sum
from ..layers.gated_mlp import GatedMLP
from ..layers.neighborhood import Ball
from ..operators.polynomial_kernel import PolynomialKernel
from ..operators.spectral import FourierBlock, Spectral
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .gino import SCALES, checked_reach, in_chart, kept_pairs, pairs_of, place_features
from .ports import Ports

#: Heads of the attention between boxes.
HEADS = 4


class BoxExchange(nn.Module):
    """What the boxes tell each other: where two overlap their values are blended into one, and far ones attend to each other.

        x <- P x,    x_k <- x_k + attention( mean of LN(x_k) over the nodes of box k, and its place )

    P takes the blend of the boxes' multilinear interpolants at every node; it is the identity where a node lies in one box alone.

    Args:
        width: channels.
        place: features of a box.
        heads: of the attention.
    """

    def __init__(self, width: int, place: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.place = nn.LayerNorm(width), nn.Linear(place, width)
        self.inner, self.outer = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor, blend: Graph, share: Tensor, leaves: Tensor) -> Tensor:
        """(b, k, m, width) -> the same.

        Args:
            x: values at the m nodes of k boxes.
            blend: from nodes to nodes.
            share: (e,) weights of its edges.
            leaves: (b, k, place) features of the boxes.
        """
        x = weighted_sum(x.flatten(0, 2), blend, share).reshape(x.shape)
        b, k = x.shape[:2]
        token = self.norm(x).mean(dim=2) + self.place(leaves)
        q, key, value = (part.reshape(b, k, self.heads, -1).transpose(1, 2) for part in self.inner(token).chunk(3, dim=2))
        heard = F.scaled_dot_product_attention(q, key, value).transpose(1, 2).reshape(b, k, -1)
        return x + self.outer(heard)[:, :, None]


class NUNO(CloudModel):
    """Non-uniform neural operator of Liu et al. 2023 (arXiv 2305.18900), with overlap and a partition of unity instead of seams.

        h_k  = K_in u + E(lattice of box k)                   boxes of equally many points, each with its own lattice
        h    <- exchange(h),  h_k <- h_k + B gelu( Fourier layer of h_k )        ``depth`` times, weights shared by all boxes
        v(x) = sum_k w_k(x) (K_out h_k)(x) + W u(x),    sum_k w_k = 1

    The boxes are leaves of a k-d tree (:class:`geoop.graph.boxes.Boxes`) in the coordinates of :class:`geoop.graph.lattice.Chart`, so that
    every point of space lies in at least one. They go through the Fourier layers as a batch and talk to each other between them; the paper
    stacks them as channels and reads every point from one box, which makes the field jump at its border: so does ``overlap=0``.

    Args:
        ports: channels in and out.
        width: features per point and node.
        levels: of the tree: 2^levels boxes.
        resolution: nodes along every axis of a box.
        modes: highest wave number of the Fourier layers on every axis of a box.
        rank: channels that the Fourier layers transform; None for all.
        depth: exchanges and Fourier layers.
        overlap: half width of an overlap as a share of the smaller part beside the cut, in [0, 1/2].
        gather: radius of the balls around nodes, from which they take what the cloud knows, in spacings of the box's lattice.
    """

    reference = ("liu-2023-nuno", "li-2021-fno")
    may_be_zero: ClassVar[tuple[str, ...]] = ("depth", "modes")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 48,
        *,
        levels: int = 4,
        resolution: int = 8,
        modes: int = 4,
        rank: int | None = 16,
        depth: int = 4,
        overlap: float = 0.15,
        gather: float = 1.0,
    ) -> None:
        sizes: dict[str, Any] = {"levels": levels, "resolution": resolution, "modes": modes, "rank": rank, "depth": depth}
        super().__init__(ports, width, **sizes, overlap=overlap, gather=gather)
        if width % HEADS:
            raise ConfigurationError(
                f"a width of {width}", where="NUNO", remedy=f"take a multiple of {HEADS}, the heads of the attention between boxes"
            )
        d = self.ports.dimension
        self.levels, self.resolution, self.overlap, self.reach = levels, resolution, overlap, checked_reach(None, d)
        seen, ball = (Ball(size / (resolution - 1)) for size in (gather, self.reach))
        self.encoder = PolynomialKernel(width, width, seen, d, rank=width // 2, degree=1)
        self.place = nn.Linear(2 * d + len(SCALES), width)
        spectral = [Spectral(width, 2 * width, (resolution,) * d, modes=modes, rank=rank, padding=0.25) for _ in range(depth)]
        self.blocks = nn.ModuleList([FourierBlock(layer, width, 2 * width) for layer in spectral])
        self.exchanges = nn.ModuleList([BoxExchange(width, 2 * d, heads=HEADS) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.decoder = PolynomialKernel(width, width, ball, d, rank=width // 2)
        self.local = nn.Linear(width, width)
        self.refine = nn.Sequential(nn.LayerNorm(width), GatedMLP(width, 2 * width, width))

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        chart = Chart.of(domain, surface)
        cloud = in_chart(chart, domain)
        boxes = Boxes.of(cloud, self.levels, self.overlap)
        members, member = _members(cloud, boxes)
        nodes = lattice_nodes(self.resolution, domain.dimension, domain.pos)
        pos, per_box, count = boxes.spread(nodes), len(nodes), 2**self.levels
        total = pos.shape[0] * per_box
        lattice = PointSet(nodes.repeat(pos.shape[0], 1), ptr=per_box * torch.arange(pos.shape[0] + 1, device=pos.device))
        in_cube = PointSet(pos.flatten(0, 1), ptr=per_box * count * torch.arange(domain.batch_size + 1, device=pos.device))
        features = place_features(in_cube, chart.outside(in_cube.pos, in_cube.batch), surface)
        lattice = lattice.with_features(scalars=features)
        blend, share = _blend(in_cube, boxes, self.resolution)
        cuts, leaves = boxes.keep()
        seen = self.encoder.connect(members, lattice)
        edges = kept_pairs(self.encoder.pairs(members, lattice, seen), in_cube.batch[seen.target], domain.batch_size)
        # from the points themselves, not from their copies in every box
        encode = Graph(member[seen.source], seen.target, len(domain), total)
        clouds = {"chart": chart.keep(), "cuts": cuts, "leaves": leaves, "lattice": lattice, "edges": edges, "share": share}
        return {**clouds, "encode": encode, "blend": blend}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        lattice, leaves = prepared.points("lattice"), prepared.points("leaves")
        h = self.encoder.over(pairs_of(prepared.points("edges")), points, lattice, prepared.graph("encode")).scalars + self.place(lattice.scalars)
        b, k, shape = leaves.batch_size, 2**self.levels, (self.resolution,) * self.ports.dimension
        place = 2 * leaves.scalars.reshape(b, k, -1)
        blend, share = prepared.graph("blend"), prepared.points("share").weight
        for exchange, block in zip(self.exchanges, self.blocks, strict=True):
            h = exchange(h.reshape(b, k, -1, self.width), blend, share, place)
            h = block(h.reshape(b * k, *shape, self.width))
        return {"lattice": lattice.with_features(scalars=self.norm(h).flatten(0, -2))}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        prepared, lattice = state.prepared, state.latents["lattice"]
        boxes = Boxes.read(prepared.points("cuts"), prepared.points("leaves"))
        batch = queries.batch
        pos = Chart.read(prepared.points("chart")).inside(queries.pos, batch)
        weight = boxes.weights(pos, batch)
        row, leaf = (weight.detach() > 0).nonzero(as_tuple=True)
        box = batch[row] * weight.shape[1] + leaf
        places = PointSet(boxes.local(pos[row], box))
        graph = surrounding(places.pos, lattice.ptr[box], len(lattice), self.resolution, self.reach)
        seen = self.decoder(lattice, places, graph).scalars
        blend = Graph(torch.arange(len(row), device=row.device), row, len(row), len(queries))
        h = weighted_sum(seen, blend, weight[row, leaf]) + self.local(queries.scalars) + queries.scalars
        return h + self.refine(h)


def _members(cloud: PointSet, boxes: Boxes) -> tuple[PointSet, Tensor]:
    """The points of every box at their coordinates in it, and which points they are; a box without any takes the nearest to its middle."""
    batch = cloud.batch
    weight = boxes.weights(cloud.pos, batch)
    point, leaf = (weight > 0).nonzero(as_tuple=True)
    _, k, _ = boxes.low.shape
    box = batch[point] * k + leaf
    total = boxes.low.shape[0] * k
    empty = (torch.bincount(box, minlength=total) == 0).nonzero()[:, 0]
    if len(empty) and len(cloud):
        leaves = boxes.keep()[1]
        nearest = knn(cloud.pos, leaves.pos, 1, cloud.ptr, leaves.ptr)
        found = torch.isin(nearest.target, empty)
        point, box = torch.cat([point, nearest.source[found]]), torch.cat([box, nearest.target[found]])
    order = torch.argsort(box * len(cloud) + point)
    point, box = point[order], box[order]
    counts = torch.bincount(box, minlength=total)
    ptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    members = PointSet(boxes.local(cloud.pos[point], box), weight=cloud.weight[point], ptr=ptr)
    return members, point


def _blend(nodes: PointSet, boxes: Boxes, resolution: int) -> tuple[Graph, PointSet]:
    """From nodes to nodes: the blend of the boxes' multilinear interpolants, as a graph, and its weights as ``weight`` of one point per edge."""
    batch = nodes.batch
    weight = boxes.weights(nodes.pos, batch)
    row, leaf = (weight > 0).nonzero(as_tuple=True)
    box = batch[row] * weight.shape[1] + leaf
    local = boxes.local(nodes.pos[row], box)
    d = nodes.dimension
    graph = surrounding(local, box * resolution**d, len(nodes), resolution, d**0.5)
    spacing = 1 / (resolution - 1)
    axis = torch.linspace(-0.5, 0.5, resolution, dtype=local.dtype, device=local.device)
    place = graph.source % resolution**d
    index = torch.stack([place // resolution ** (d - 1 - i) % resolution for i in range(d)], dim=1)
    hat = (1 - (axis[index] - local[graph.target]).abs() / spacing).clamp(min=0).prod(dim=1)
    share = hat * weight[row, leaf][graph.target]
    used = share > 1e-12
    source, target, share = graph.source[used], row[graph.target[used]], share[used]
    counts = torch.bincount(batch[target], minlength=nodes.batch_size)
    ptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return Graph(source, target, len(nodes), len(nodes)), PointSet(share.new_zeros(len(share), d), weight=share, ptr=ptr)
