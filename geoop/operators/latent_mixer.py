"""The processor of the default model: attention, message passing and layer potentials over the latent points of a body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..errors import ShapeError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.gated_mlp import GatedMLP
from ..layers.neighborhood import SoftNearest
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.pose import N_POSE, relative_pose
from .layer_potential import apply_kernel, layer_kernel

#: Ranges of exponential nearness features, in body lengths.
RANGES = (0.03, 0.15, 0.6)
#: Number of features of a pair of latents.
N_PAIR = N_POSE + 2 + len(RANGES)


@dataclass(frozen=True, eq=False)
class LatentPairs:
    """All pairs of latents of b samples, geometry only: computed once per geometry by :meth:`LatentMixer.pairs`.

    Attributes:
        features: (b, f, n, n) pose of latent j in the frame of latent i, and more.
        kernel_real, kernel_imag: (b, n, wall) layer potential of the wall latents at all latents, in the latents' own frames.
    """

    features: Tensor
    kernel_real: Tensor
    kernel_imag: Tensor

    def to(self, device: torch.device | str) -> LatentPairs:
        return LatentPairs(self.features.to(device), self.kernel_real.to(device), self.kernel_imag.to(device))

    @staticmethod
    def concatenate(items: list[LatentPairs]) -> LatentPairs:
        """Several batches as one."""
        return LatentPairs(*(torch.cat([getattr(item, name) for item in items]) for name in ("features", "kernel_real", "kernel_imag")))


@dataclass(frozen=True, eq=False)
class Mixing:
    """What all blocks share about the geometry of the latents of b samples with n latents each.

    Attributes:
        bias: (depth, b, heads, n, n) attention bias from the relative poses.
        edges: (b, n, k) neighbour numbers within the sample.
        edge_features: (b, n, k, f) relative poses along the edges.
        edge_weight: (b, n, k, 1) quadrature weights of the neighbours, normalised over each neighbourhood.
        kernel: layer potential of the wall latents at all latents in their frames, two (b, n, wall).
    """

    bias: Tensor
    edges: Tensor
    edge_features: Tensor
    edge_weight: Tensor
    kernel: tuple[Tensor, Tensor]


class MixerBlock(nn.Module):
    """One residual block: three ways to look at the other latents, side by side, then a gated perceptron."""

    def __init__(self, width: int, heads: int, densities: int, hidden: int) -> None:
        super().__init__()
        self.heads, self.densities = heads, densities
        self.norm, self.norm_hidden = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.message = nn.Linear(width, width // 2)
        self.edge_gain = nn.Linear(32, width // 2)
        self.to_density = nn.Linear(width, 2 * densities) if densities else None
        self.mix = nn.Linear(width + width // 2 + 2 * densities, width)
        self.hidden = GatedMLP(width, hidden, width, zero=True)

    def forward(self, x: Tensor, mixing: Mixing, bias: Tensor, edge: Tensor) -> Tensor:
        """x (b, n, width), bias (b, heads, n, n), edge (b, n, k, 32)."""
        b, n, width = x.shape
        y = self.norm(x)
        q, k, v = self.qkv(y).view(b, n, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        attention = torch.softmax(q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5 + bias, dim=-1)
        seen = [(attention @ v).transpose(1, 2).reshape(b, n, width)]
        messages = gather_rows(self.message(y), mixing.edges) * self.edge_gain(edge)
        seen.append((messages * mixing.edge_weight).sum(dim=2))
        if self.to_density is not None:
            density = self.to_density(y[:, : mixing.kernel[0].shape[-1]])
            seen.append(apply_kernel(mixing.kernel, density).flatten(2))
        x = x + self.mix(torch.cat(seen, dim=-1))
        return x + self.hidden(self.norm_hidden(x))


def gather_rows(values: Tensor, index: Tensor) -> Tensor:
    """values (b, n, c), index (b, ...) row numbers within the sample -> (b, ..., c)."""
    b, n, c = values.shape
    shift = torch.arange(b, device=values.device).view(b, *([1] * (index.dim() - 1))) * n
    return values.reshape(b * n, c).index_select(0, (index + shift).reshape(-1)).view(*index.shape, c)


class LatentMixer(AbstractOperator):
    """Depth residual blocks on latent points; the geometry of all pairs is computed once for all blocks.

    Every block adds three maps: dense attention with a bias from the relative pose (Vaswani et al. 2017; relative poses as in
    equivariant neural fields, Wessels et al. 2024), a graph kernel over the nearest latents with quadrature weights (Li et
    al. 2020), and layer potentials of learned densities on the wall latents.

    Source and target: the same latent points. ``vectors[:, 0]`` is the local normal, ``scalars`` (n, width + 1): the
    features, then the local spacing h. The first ``wall`` latents of every sample form a closed ring. All samples have
    equally many latents: their number is a choice of the model, not of the geometry. ``densities=0`` leaves the layer
    potentials out.
    """

    reference: ClassVar[str] = "li-2020-gkn"
    symmetry: ClassVar[Symmetry] = Symmetry.SE

    def __init__(self, width: int, depth: int, heads: int, densities: int, hidden: int, wall: int, neighbours: int = 9) -> None:
        super().__init__()
        self.depth, self.heads, self.wall, self.nearest = depth, heads, wall, SoftNearest(neighbours)
        # linear, because it is evaluated for every pair of latents: a perceptron here costs as much as all the blocks
        self.bias = nn.Parameter(0.1 * torch.randn(depth * heads, N_PAIR))
        self.edge = nn.Sequential(nn.Linear(N_PAIR, 32), nn.SiLU())
        self.blocks = nn.ModuleList([MixerBlock(width, heads, densities, hidden) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.nearest.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph, pairs: LatentPairs | None = None) -> PointSet:
        """``pairs``: what :meth:`pairs` returns, where it was kept from an earlier condition of the same geometry."""
        b = source.batch_size
        n = len(source) // b
        mixing = self._mixing(source, graph, pairs or self.pairs(source))
        edge = self.edge(mixing.edge_features)
        x = source.scalars[:, :-1].reshape(b, n, -1)
        for block, bias in zip(self.blocks, mixing.bias, strict=True):
            x = block(x, mixing, bias, edge)
        return target.with_features(scalars=self.norm(x).reshape(b * n, -1))

    def pairs(self, latents: PointSet) -> LatentPairs:
        """What the blocks need of the geometry of every pair.

        Wall latents look at the layer potential a tenth of a spacing off the wall: at a vertex itself it is singular.

        Raises:
            ShapeError: samples with different numbers of latents.
        """
        b, d = latents.batch_size, latents.dimension
        if bool((latents.ptr.diff() * b != len(latents)).any()):
            raise ShapeError(f"samples have {latents.ptr.diff().tolist()} latents", remedy="give every sample equally many latents")
        pos, normal = latents.pos.view(b, -1, d), latents.vectors[:, 0].view(b, -1, d)
        spacing, log_weight = latents.scalars[:, -1].view(b, -1), latents.weight.clamp_min(1e-12).log().view(b, -1)
        ring = pos[:, : self.wall]
        edge = (ring.roll(-1, dims=1) - ring).norm(dim=-1)
        lift = torch.zeros_like(pos[..., :1])
        lift[:, : self.wall, 0] = 0.05 * (edge + edge.roll(1, dims=1))
        real, imag = layer_kernel(pos + lift * normal, ring)
        # (u - i v)(n_x + i n_y): components along and across the latent's own normal, which do not change under rotation
        nx, ny = normal[..., :1], normal[..., 1:]
        return LatentPairs(_pair_features(pos, normal, spacing, log_weight), real * nx - imag * ny, real * ny + imag * nx)

    def _mixing(self, latents: PointSet, graph: Graph, pairs: LatentPairs) -> Mixing:
        b = latents.batch_size
        n = len(latents) // b
        # bmm, because a matrix times a batch copies the batch first
        bias = torch.bmm(self.bias.expand(b, -1, -1), pairs.features.flatten(2)).view(b, self.depth, self.heads, n, n).transpose(0, 1)
        edges = graph.source.view(b, n, -1) - latents.ptr[:-1, None, None]
        edge_features = torch.gather(pairs.features, 3, edges[:, None].expand(-1, pairs.features.shape[1], -1, -1)).permute(0, 2, 3, 1)
        weight = gather_rows(latents.weight.view(b, n, 1), edges)
        pos = latents.pos.view(b, n, -1)
        share = self.nearest.shares(weight, gather_rows(pos, edges) - pos[:, :, None], dim=2)
        return Mixing(bias, edges, edge_features, share, (pairs.kernel_real, pairs.kernel_imag))


def _pair_features(pos: Tensor, normal: Tensor, spacing: Tensor, log_weight: Tensor) -> Tensor:
    """(b, features, n, n): pose of latent j in the frame of latent i, its weight, the angle of their normals, its nearness.

    Features come first, so that the linear map over them is one product of a small with a long matrix.
    """
    b, n, _ = pos.shape
    offset = pos[:, None, :, :] - pos[:, :, None, :]
    pose = relative_pose(offset, normal[:, :, None, :], spacing[:, :, None], dim=1)
    distance = (offset.square().sum(dim=-1) + 1e-24).sqrt()  # of a latent to itself the root has no derivative
    rest = [log_weight[:, None, :].expand(b, n, n) / 2 + 2, normal @ normal.transpose(1, 2), *(torch.exp(-distance / r) for r in RANGES)]
    return torch.cat([pose, torch.stack(rest, dim=1)], dim=1)
