"""Message passing on edges and nodes, weighted: encoder, processor and decoder of RIGNO."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.edges import length_of
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.message_step import Aggregation, EdgeEmbedding, EdgeUpdate, LeadTime, LeadTimeNorm, NodeUpdate, Routes
from ..layers.neighborhood import Ball, Nearest
from ..layers.operator import AbstractOperator, Symmetry


class MessagePassing(AbstractOperator):
    """Steps of message passing from source to target points, or within one cloud (Mousavi et al. 2025, RIGNO, arXiv 2501.19205):

        m_ij  = silu(A e_ij + B LN(x_j) + C LN(x_i)),      e_ij <- e_ij + D m_ij
        x_i  <- x_i + MLP([LN(x_i), sum_j w_j g_ij m_ij / sum_j w_j g_ij])

    with e_ij an embedding of the edge's offset and length in units of the neighbourhood. The paper takes the plain mean of the messages, which
    shifts when the density of the points changes (``aggregation="mean"``); with quadrature weights w and a window g the mean is that of an integral,
    and converges. The norms may follow a lead time.

    Source: ``scalars`` (m, source_channels). Target: ``scalars`` (n, width). Returns the target points with ``scalars`` (n, width).

    Args:
        width: features of the target points.
        neighborhood: :class:`Ball` or :class:`Nearest`; who hears whom, where no graph of another origin is passed to :meth:`forward`.
        source_channels: features of the source points; None: one cloud, source and target are the same points.
        edge_width: features of an edge.
        depth: steps; more than one only within one cloud.
        known: numbers known of an edge before learning: d of the offset, one for the length, and what precomputed edges carry beside.
        aggregation: ``quadrature``, ``mean`` or ``sum``.
        lead_time: whether norms take a lead time.

    Raises:
        ConfigurationError: several steps between two clouds.
    """

    reference: ClassVar[str] = "mousavi-2025-rigno"
    symmetry: ClassVar[Symmetry] = Symmetry.TRANSLATION
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(
        self,
        width: int,
        neighborhood: Ball | Nearest | None = None,
        *,
        source_channels: int | None = None,
        edge_width: int = 32,
        depth: int = 1,
        known: int = 3,
        aggregation: Aggregation = "quadrature",
        lead_time: bool = False,
    ) -> None:
        super().__init__()
        if source_channels is not None and depth != 1:
            raise ConfigurationError(f"{depth} steps from one cloud to another", where="MessagePassing", remedy="use depth=1 between two clouds")
        self.neighborhood = Nearest(6) if neighborhood is None else neighborhood
        self.aggregation: Aggregation = aggregation
        self.embed = EdgeEmbedding(known, edge_width)
        other = width if source_channels is None else source_channels
        self.source_norm = None if source_channels is None else LeadTimeNorm(source_channels, lead_time)
        self.norms = nn.ModuleList([LeadTimeNorm(width, lead_time) for _ in range(depth)])
        self.edges = nn.ModuleList([EdgeUpdate(other, width, edge_width, last=i == depth - 1) for i in range(depth)])
        self.nodes = nn.ModuleList([NodeUpdate(width, edge_width) for _ in range(depth)])
        smooth = isinstance(self.neighborhood, Ball) and self.neighborhood.smooth
        # what this instance can claim: its result on a cloud of its own is no function of other points' positions alone
        self.mesh_order = 2.0 if smooth and aggregation == "quadrature" and source_channels is not None else None

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.neighborhood.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph, edges: PointSet | None = None, lead_time: Tensor | None = None) -> PointSet:
        """
        Args:
            source, target, graph: as in every operator.
            edges: what is known of the edges, precomputed: ``pos`` (e, d) and ``scalars`` (e, known - d), ``weight`` (e,). None: offset and length in
                units of the neighbourhood, and the source's quadrature weight times the window.
            lead_time: (b, 1) of every sample.
        """
        if edges is None:
            pairs = self.neighborhood.pairs(source, target, graph)
            known, weight = torch.cat([pairs.offset, length_of(pairs.offset)], dim=1), pairs.weight
        else:
            known, weight = torch.cat([edges.pos, edges.scalars], dim=1), edges.weight
        routes, edge = Routes.of(graph, weight, self.aggregation), self.embed(known)
        lead, x = LeadTime.at(target, lead_time), target.scalars
        given = None if self.source_norm is None else self.source_norm(source.scalars, LeadTime.at(source, lead_time))
        for norm, edge_update, node_update in zip(self.norms, self.edges, self.nodes, strict=True):
            y = norm(x, lead)
            heard, edge = edge_update(y if given is None else given, y, edge, routes)
            x = node_update(x, y, [heard])
        return target.with_features(scalars=x)
