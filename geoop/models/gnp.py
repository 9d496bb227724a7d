"""Geometric neural operator: kernel integrals on a boundary and the cloud around it that see frames, curvature and the Laplace-Beltrami operator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..graph.box_means import box_means
from ..graph.graph import Graph
from ..graph.hierarchy import Connection, Hierarchy
from ..graph.pointset import Inputs, PointSet
from ..graph.segment import weighted_sum
from ..layers.attention import PairBias
from ..layers.mlp import MLP
from ..layers.neighborhood import Nearest
from ..layers.sites import Sites
from ..mesh.curvature import cloud_curvature, cloud_laplacian, curve_curvature
from ..operators.attention import Attention
from ..operators.geometric_kernel import BoundaryBlock, GeometricKernel
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports

#: neighbours of the two fits (small and large patches) on a curve and on a surface; the degree of both is 2, which noise and corners disturb least
_FITS = {2: (5, 15), 3: (12, 40)}
#: sum of the absolute entries of a row of the scaled Laplacian; 4 is that of second differences
_LARGEST_ROW = 16.0
#: geometric features of a boundary point: two curvatures at two sizes of patch, and the logarithm of the patch's size
_GEOMETRIC = 5


class GeometricNeuralOperator(CloudModel):
    """GNP (Quackenbush and Atzberger, arXiv 2404.10843 and 2503.04649) for clouds with a boundary, and for boundaries alone.

    On the boundary: its points know normal, curvatures from patches of two sizes and the size of the patch; residual blocks add a kernel integral in
    local frames and the Laplace-Beltrami operator of the features (:class:`~geoop.operators.geometric_kernel.BoundaryBlock`). Tokens, means over
    boxes of the domain, read the boundary and the domain by attention over their quadrature weights and mix. A query reads the tokens, and by
    :class:`~geoop.operators.geometric_kernel.GeometricKernel` the boundary and the domain next to it. Where the cloud is the boundary, this is
    the papers' operator with a coarse level; the frames away from the boundary are those of the signed distance.

    Curvature and the Laplacian come from least squares here, exact without noise; for noisy surfaces see
    :class:`geoop.operators.geometric_patch.GeometricPatch`, which learns them.

    Args:
        ports: channels in and out.
        width: features per point, divisible by ``heads``.
        depth: blocks on the boundary, and of attention among the tokens.
        tokens: per sample.
        gains: kernel values per edge.
        hidden: width of the kernels' perceptrons.
        neighbours: boundary points that a kernel on the boundary sees.
        near: boundary points, and domain points, that a query sees.
        heads: of the attention.
    """

    reference: ClassVar[tuple[str, ...]] = ("quackenbush-2024-gnp", "quackenbush-2025-gnp", "kovachki-2021-no", "vaswani-2017")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 48,
        *,
        depth: int = 3,
        tokens: int = 64,
        gains: int = 24,
        hidden: int = 16,
        neighbours: int = 12,
        near: int = 6,
        heads: int = 4,
    ) -> None:
        sizes = {"depth": depth, "tokens": tokens, "gains": gains, "hidden": hidden, "neighbours": neighbours, "near": near, "heads": heads}
        super().__init__(ports, width, **sizes)
        d = self.ports.dimension
        self.tokens, self.near = tokens, Nearest(near, smooth=True)
        self.shape = MLP([_GEOMETRIC + width, width, width])
        self.boundary = nn.ModuleList(BoundaryBlock(width, Nearest(neighbours, smooth=True), gains, hidden) for _ in range(depth))
        self.gather_boundary = Attention(width, heads=heads)
        self.gather = Attention(width, heads=heads)
        self.mix = nn.ModuleList(Attention(width, heads=heads, bias=PairBias(d, heads)) for _ in range(depth))
        self.spread = Attention(width, heads=heads, expansion=1)  # places are among the features; a bias for every pair costs more than the rest
        self.from_boundary = GeometricKernel(width, width, self.near, gains=gains, hidden=hidden, target_channels=width)
        self.from_domain = GeometricKernel(width, width, self.near, gains=gains, hidden=hidden, target_channels=width)
        self.final_norm, self.final = nn.LayerNorm(3 * width), MLP([3 * width, width, width])

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        block = self.boundary[0]
        assert isinstance(block, BoundaryBlock)
        normal = surface.vectors[:, 0]
        site = Sites(surface.pos, torch.zeros_like(surface.weight), normal, surface.pos, normal, surface.scalars).features(ends=self.ports.body)
        features, laplacian, entries = _geometry(surface)
        vertices = PointSet(surface.pos, torch.cat([features, site], dim=1), normal[:, None], surface.weight, surface.ptr)
        tokens, boxes, means = box_means(domain, self.tokens)
        near = block.kernel.connect(vertices, vertices)
        known = block.kernel.pairs(vertices, vertices, near)
        pairs = PointSet(surface.pos.new_zeros(len(known), surface.dimension), known, ptr=near.ptr[surface.ptr])
        wall = Hierarchy({"vertices": vertices, "pairs": pairs, "entries": entries}, {"near": near, "laplacian": laplacian})
        return {"wall": wall, "tokens": tokens, "boxes": boxes, "means": means}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        wall = prepared.hierarchy("wall")
        vertices = wall.points["vertices"]
        geometric, site = vertices.scalars.split([_GEOMETRIC, self.ports.site], dim=1)
        lifted = self.lift(self._known(vertices.with_features(scalars=site), inputs))
        v = vertices.with_features(scalars=lifted + self.shape(torch.cat([geometric.to(lifted.dtype), lifted], dim=1)))
        pairs, entries = wall.points["pairs"].scalars, wall.points["entries"].scalars[:, 0]
        for block in self.boundary:
            v = block(v, wall.graphs["near"], pairs, wall.graphs["laplacian"], entries)
        means = weighted_sum(points.scalars, prepared.graph("boxes"), prepared.points("means").scalars[:, 0])
        tokens = prepared.points("tokens").with_features(scalars=means)
        tokens = self.gather_boundary(v, tokens, self.gather.connect(v, tokens))
        tokens = self.gather(points, tokens, self.gather.connect(points, tokens))
        for block in self.mix:
            tokens = block(tokens, tokens, self.gather.connect(tokens, tokens))
        return {"boundary": v, "domain": points, "tokens": tokens}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        tokens, boundary, domain = (state.latents[name] for name in ("tokens", "boundary", "domain"))
        coarse = self.spread(tokens, queries, self.spread.connect(tokens, queries))
        parts = [coarse.scalars]
        for kernel, points in ((self.from_boundary, boundary), (self.from_domain, domain)):
            parts.append(kernel(points, coarse, kernel.connect(points, coarse)).scalars)
        return coarse.scalars + self.final(self.final_norm(torch.cat(parts, dim=1)))


def _geometry(surface: PointSet) -> tuple[Tensor, Graph, PointSet]:
    """(n, 5) geometric features, the graph of the scaled Laplace-Beltrami matrix, and its entries as scalars of one point per edge."""
    features, sources, targets, entries, counts, start = [], [], [], [], [0], 0
    for part in surface.split():
        pos, normal = part.pos.detach().cpu().double().numpy(), part.vectors[:, 0].detach().cpu().double().numpy()
        size = np.maximum(part.weight.cpu().double().numpy(), 1e-12) ** (1 / (part.dimension - 1))
        curvature, matrix = _fits(pos, normal)
        # curvature over decades: a leading edge has 1e2, a flat side 1e-2
        features.append(np.concatenate([np.arcsinh(curvature) / 3, np.log(size)[:, None] / 3 + 1.5], axis=1))
        if matrix is not None:
            targets.append(matrix.row + start)
            sources.append(matrix.col + start)
            scaled = matrix.data * size[matrix.row] ** 2
            # at corners a fit may be nearly undetermined: no row weighs more than a usual one several times
            total = np.bincount(matrix.row, weights=np.abs(scaled), minlength=len(part))
            entries.append(scaled * np.minimum(1.0, _LARGEST_ROW / np.maximum(total, 1e-300))[matrix.row])
        counts.append(counts[-1] + (0 if matrix is None else matrix.nnz))
        start += len(part)
    device, none = surface.pos.device, [np.zeros(0, dtype=np.int64)]
    source, target = (torch.from_numpy(np.concatenate(none + found).astype(np.int64)).to(device) for found in (sources, targets))
    values = torch.from_numpy(np.concatenate([np.zeros(0), *entries])).to(surface.pos)
    rows = PointSet(surface.pos.new_zeros(len(values), surface.dimension), values[:, None], ptr=torch.tensor(counts, device=device))
    return torch.from_numpy(np.concatenate(features)).to(surface.pos), Graph(source, target, start, start), rows


def _fits(pos: np.ndarray, normal: np.ndarray):
    """(n, 4) curvatures from small and from large patches, and the Laplace-Beltrami matrix in order of rows; zeros and None for a few points."""
    d = pos.shape[1]
    different = len(np.unique(pos, axis=0))
    if different < _FITS[d][0]:
        return np.zeros((len(pos), 4)), None
    found = []
    for count in _FITS[d]:
        if d == 2:
            kappa = curve_curvature(pos, normal, neighbors=count, degree=2)
            found.append(np.stack([kappa, np.abs(kappa)], axis=1))
        else:
            found.append(cloud_curvature(pos, normal, neighbors=min(count, different), degree=2).principal)
    matrix = cloud_laplacian(pos, normal, neighbors=_FITS[d][0], degree=2).tocsr()
    matrix.sort_indices()
    return np.nan_to_num(np.concatenate(found, axis=1)), matrix.tocoo()
