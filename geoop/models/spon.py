"""Structure-preserving operator network: a model whose answer is a finite-element function with exact boundary values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..decoders.finite_element import FiniteElement
from ..graph.box_means import box_means
from ..graph.cells import differences, locate, triangulate
from ..graph.graph import Graph
from ..graph.hierarchy import Connection, Hierarchy
from ..graph.pointset import Inputs, PointSet
from ..graph.segment import weighted_sum
from ..layers.attention import PairBias
from ..layers.lifting import DirichletData
from ..layers.mlp import MLP
from ..layers.neighborhood import Nearest
from ..layers.sites import SCALES, Sites
from ..operators.attention import Attention
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports
from .units import Units

#: how tokens are interpolated to the nodes
_PROLONG = Nearest(6, smooth=True)
#: points of the domain this near to the boundary are replaced by its vertices, in the unit of the positions
_ON_BOUNDARY = 1e-6


class StructurePreservingOperator(CloudModel):
    """Encode, process, and give the coefficients of a finite-element function (SPON, Bouziani and Boulle 2024, arXiv 2410.01065).

    The nodes are the vertices of the boundary and the points of the domain between them; their Delaunay cells without those outside of the domain
    carry the space. Coarse tokens read the cloud by attention over its quadrature weights, mix, and are interpolated to the nodes (the coarse level
    of the paper's multigrid variant); there they are smoothed by the stiffness matrix and the gradients of the space itself
    (:class:`Smoothing`), and a perceptron turns every node into coefficients. At vertices of the boundary the coefficients of the listed fields
    are then *replaced* by the Dirichlet data: the field takes them exactly there, and on every facet that is an edge of the cells takes the linear
    function between them (all facets, where the boundary is sampled more finely than the body is thin).

    Everything else (free fields, Neumann boundaries) is learned. Training brings boundary values into the units of the standardised outputs, see
    :class:`~geoop.layers.lifting.DirichletData`, here the attribute ``data``.

    Args:
        ports: channels in and out.
        width: features per node, divisible by ``heads``.
        tokens: coarse points per sample, means of boxes of the domain.
        depth: blocks of attention among them.
        smoothings: of the nodes' features, before the coefficients.
        heads: of the attention.
        degree: of the space, 1 or 2.
        dirichlet: name of the input function that holds boundary values, best at the boundary's vertices; None for zero.
        fields: numbers of the outputs that take them, vectors by component; None for all, an empty list for none.
    """

    reference: ClassVar[tuple[str, ...]] = ("bouziani-2024-spon", "vaswani-2017", "kovachki-2021-no")
    may_be_zero: ClassVar[tuple[str, ...]] = ("depth", "smoothings")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 48,
        *,
        tokens: int = 64,
        depth: int = 3,
        smoothings: int = 1,
        heads: int = 4,
        degree: int = 1,
        dirichlet: str | None = None,
        fields: Sequence[int] | None = (),
    ) -> None:
        known = Ports.of(ports)
        chosen = DirichletData.chosen(fields, dirichlet, known.out, known.functions)
        sizes = {"tokens": tokens, "depth": depth, "smoothings": smoothings, "heads": heads, "degree": degree}
        super().__init__(ports, width, **sizes, dirichlet=dirichlet, fields=chosen)
        # the decoder interpolates fields, not features: nothing is learned after it
        self.ask, self.head = nn.Identity(), nn.Identity()
        d = self.ports.dimension
        self.tokens, self.fields = tokens, chosen
        self.gather = Attention(width, heads=heads)  # places are among the features; a bias for every pair costs more than the rest
        self.mix = nn.ModuleList(Attention(width, heads=heads, bias=PairBias(d, heads)) for _ in range(depth))
        self.norm_tokens, self.prolong = nn.LayerNorm(width), nn.Linear(width, width)
        self.smoothings = nn.ModuleList(Smoothing(d, width) for _ in range(smoothings))
        self.norm, self.coefficient_head = nn.LayerNorm(width), MLP([width, width, self.ports.out])
        self.space = FiniteElement(self.ports.out, degree=degree, hidden=width if degree == 2 else 0)
        self.data = DirichletData(dirichlet, len(chosen), d) if chosen else None

    def fit_units(self, units: Units) -> None:
        if self.data is not None:
            self.data.fit_units([units.outputs(self.ports.dimension)[field] for field in self.fields], units.function(self.data.name))

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        inside = signed_distance(domain).abs() > _ON_BOUNDARY
        nodes, from_surface, from_domain = self._nodes(domain, surface, inside)
        cells, centroids = triangulate(nodes, keep=_Kept(nodes, surface, from_surface.degree > 0))
        # every node stands for its share of the cells around it: lumped masses
        share = torch.zeros_like(nodes.weight).index_add_(0, cells.source, (centroids.weight / (domain.dimension + 1))[cells.target])
        nodes = PointSet(nodes.pos, nodes.scalars, nodes.vectors, share.clamp(min=share.max() * 1e-9), nodes.ptr)
        tokens, boxes, means = box_means(domain, self.tokens)
        near, entries = differences(nodes, cells, centroids)
        prolong = _PROLONG.connect(tokens, nodes)
        share = _PROLONG.pairs(tokens, nodes, prolong).normalised(prolong).weight
        shares = PointSet(nodes.pos.new_zeros(prolong.n_edges, nodes.dimension), share[:, None], ptr=prolong.ptr[nodes.ptr])
        graphs = {"cells": cells, "from_surface": from_surface, "from_domain": from_domain, "near": near, "prolong": prolong}
        return {
            "mesh": Hierarchy({"nodes": nodes, "cells": centroids, "entries": entries, "shares": shares}, graphs),
            "tokens": tokens,
            "boxes": boxes,
            "means": means,
        }

    def _nodes(self, domain: PointSet, surface: PointSet, inside: Tensor) -> tuple[PointSet, Graph, Graph]:
        """Vertices of the boundary with their site features, then the points inside, sample by sample; and where each comes from."""
        normal = surface.vectors[:, 0]
        site = Sites(surface.pos, torch.zeros_like(surface.weight), normal, surface.pos, normal, surface.scalars)
        samples = torch.cat([surface.batch, domain.batch[inside]])
        order = torch.argsort(samples, stable=True)
        pos = torch.cat([surface.pos, domain.pos[inside]])[order]
        known = torch.cat([site.features(ends=self.ports.body), domain.scalars[inside]])[order]
        counts = torch.bincount(samples, minlength=domain.batch_size)
        ptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        place = torch.empty_like(order)
        place[order] = torch.arange(len(order), device=order.device)
        vertices = torch.arange(len(surface), device=order.device)
        from_surface = Graph(vertices, place[: len(surface)], len(surface), len(order))
        from_domain = Graph(inside.nonzero()[:, 0], place[len(surface) :], len(domain), len(order))
        vectors = torch.cat([surface.vectors[:, :1], domain.vectors[inside]])[order]
        return PointSet(pos, known, vectors, ptr=ptr), from_surface, from_domain

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        mesh, nodes = prepared.hierarchy("mesh"), prepared.hierarchy("mesh").points["nodes"]
        from_surface, surface = mesh.graphs["from_surface"], prepared.surface
        sites = nodes.take(from_surface.target)  # surface vertices, in their order
        lifted = self.lift(self._known(sites, inputs))
        features = weighted_sum(lifted, from_surface) + weighted_sum(points.scalars, mesh.graphs["from_domain"])
        means = weighted_sum(points.scalars, prepared.graph("boxes"), prepared.points("means").scalars[:, 0])
        tokens = prepared.points("tokens").with_features(scalars=means)
        tokens = self.gather(points, tokens, Graph.unconnected(len(points), len(tokens), points.pos.device))
        for block in self.mix:
            tokens = block(tokens, tokens, Graph.unconnected(len(tokens), len(tokens), points.pos.device))
        shares, entries = mesh.points["shares"].scalars[:, 0], mesh.points["entries"].scalars
        hidden = features + weighted_sum(self.prolong(self.norm_tokens(tokens.scalars)), mesh.graphs["prolong"], shares)
        for smoothing in self.smoothings:
            hidden = smoothing(hidden, mesh.graphs["near"], entries)
        hidden = self.norm(hidden)
        coefficients = self.coefficient_head(hidden)
        fixed = torch.zeros(len(nodes), 1, dtype=hidden.dtype, device=hidden.device)
        if self.data is not None:
            values = weighted_sum(self.data(inputs, surface).scalars, from_surface)
            at = from_surface.degree > 0
            fixed = at[:, None].to(hidden.dtype)
            columns = list(coefficients.unbind(dim=1))
            for k, field in enumerate(self.fields):
                columns[field] = torch.where(at, values[:, k].to(hidden.dtype), columns[field])
            coefficients = torch.stack(columns, dim=1)
        if self.space.degree == 1:
            return {"nodes": nodes.with_features(scalars=coefficients)}
        return {"nodes": nodes.with_features(scalars=torch.cat([coefficients, hidden, fixed], dim=1))}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        mesh, nodes = state.prepared.hierarchy("mesh"), state.latents["nodes"]
        graph = locate(nodes, mesh.graphs["cells"], mesh.points["cells"], queries)
        return self.space(nodes, queries, graph).scalars


class Smoothing(nn.Module):
    """Residual block on the nodes of a finite-element mesh: v' = v + B gelu(A v~ + sum_k C_k D_k E v~), v~ = norm(v).

    D_k are fixed sparse matrices of the space, the stiffness matrix and the components of the gradient
    (:func:`geoop.graph.cells.differences`): a step of a smoother with learned coefficients that knows directions.

    Args:
        dimension: of space.
        width: features per node.
    """

    def __init__(self, dimension: int, width: int) -> None:
        super().__init__()
        inner = max(width // 2, 1)
        self.norm, self.own, self.inner = nn.LayerNorm(width), nn.Linear(width, width), nn.Linear(width, inner, bias=False)
        self.mix, self.out = nn.Linear((1 + dimension) * inner, width, bias=False), nn.Linear(width, width)

    def forward(self, v: Tensor, near: Graph, entries: Tensor) -> Tensor:
        """(n, width) features, and the matrices by one graph and (e, 1 + dimension) entries."""
        x = self.norm(v)
        inner = self.inner(x)
        changes = [weighted_sum(inner, near, column) for column in entries.to(inner.dtype).unbind(dim=1)]
        return v + self.out(nn.functional.gelu(self.own(x) + self.mix(torch.cat(changes, dim=1))))


def signed_distance(points: PointSet) -> Tensor:
    """(n,) the signed distance from site features (:meth:`geoop.layers.sites.Sites.features`), which hold it as s / (|s| + 1)."""
    ratio = points.scalars[:, 4 * points.dimension + 2 + SCALES.index(1.0)]
    return ratio / (1 - ratio.abs())


class _Kept:
    """Which cells belong to the domain: those with a corner in it, and of the others those whose middle the boundary turns around as often.

    The winding number w(x) = sum_j w_j n_j . (y_j - x) / (S |y_j - x|^d) over the vertices (Barill et al. 2018) is the same, up to rounding
    and sampling, all over the domain, and differs by one outside of it: behind a wall, in a hole.
    """

    def __init__(self, nodes: PointSet, surface: PointSet, on_boundary: Tensor) -> None:
        self.nodes = [part.pos.cpu().double().numpy() for part in nodes.split()]
        self.walls = [[x.cpu().double().numpy() for x in (part.pos, part.vectors[:, 0], part.weight)] for part in surface.split()]
        self.on_boundary = [part.numpy() for part in on_boundary.cpu().split(nodes.ptr.diff().tolist())]

    def __call__(self, sample: int, cells: np.ndarray) -> np.ndarray:
        pos, edge = self.nodes[sample], self.on_boundary[sample]
        doubtful = np.flatnonzero(edge[cells].all(axis=1))
        inner = np.flatnonzero(~edge)
        kept = np.ones(len(cells), dtype=bool)
        if len(inner) and len(doubtful):
            usual = np.median(self._turns(sample, pos[inner[:: max(1, len(inner) // 64)]]))
            kept[doubtful] = np.abs(self._turns(sample, pos[cells[doubtful]].mean(axis=1)) - usual) < 0.5
        return kept

    def _turns(self, sample: int, x: np.ndarray) -> np.ndarray:
        y, normal, weight = self.walls[sample]
        sphere = 2 * math.pi if x.shape[1] == 2 else 4 * math.pi
        out = np.empty(len(x))
        step = max(1, 2**21 // max(len(y), 1))
        for at in range(0, len(x), step):
            offset = y[None] - x[at : at + step, None]
            far = np.maximum((offset**2).sum(axis=2), 1e-24) ** (x.shape[1] / 2)
            out[at : at + step] = ((np.einsum("nmd,md->nm", offset, normal) / far) @ weight) / sphere
        return out
