"""MeshGraphNet: message passing along mesh edges and, apart from them, between places that are close in space."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch
from torch import nn

from ..graph.edges import mesh_edge_features
from ..graph.graph import Graph
from ..graph.point_mesh import mesh_graph
from ..graph.pointset import PointSet
from ..layers.message_step import Aggregation, EdgeEmbedding, EdgeUpdate, LeadTimeNorm, NodeUpdate, Routes, edge_shares
from ..layers.operator import AbstractOperator, Symmetry


class MeshGraphNetProcessor(AbstractOperator):
    """Steps of message passing within one cloud with two sets of edges (Pfaff et al. 2021, arXiv 2010.03409):

        m_ij  = silu(A e_ij + B LN(x_j) + C LN(x_i)),     e_ij <- e_ij + D m_ij                      on mesh edges, and with other matrices on world edges
        x_i  <- x_i + MLP([LN(x_i), sum over mesh edges of w_j m_ij / sum w_j, the same over world edges])

    Mesh edges follow the discretisation, world edges join places that are close in space but far along the mesh: contact in the paper, the two sides
    of a thin body or of a gap here. The paper adds messages up without weights (``aggregation="sum"``), normalises after every perceptron and gives the
    edge perceptron two more layers; here norms come first, and B and C act on points, at a fraction of the cost.

    Source and target: the same points, ``scalars`` (n, width). Returns them with new ``scalars`` (n, width).

    Args:
        width: features of a point.
        edge_width: features of an edge.
        depth: steps.
        dimension: of space.
        aggregation: ``quadrature``, ``mean`` or ``sum``.
        world: whether there are world edges.
    """

    reference: ClassVar[str] = "pfaff-2021-mgn"
    symmetry: ClassVar[Symmetry] = Symmetry.TRANSLATION

    def __init__(
        self,
        width: int,
        *,
        edge_width: int = 32,
        depth: int = 4,
        dimension: int = 2,
        aggregation: Aggregation = "quadrature",
        world: bool = True,
    ) -> None:
        super().__init__()
        self.aggregation: Aggregation = aggregation
        self.mesh_embed = EdgeEmbedding(dimension + 2, edge_width)
        self.world_embed = EdgeEmbedding(dimension + 2, edge_width) if world else None
        self.norms = nn.ModuleList([LeadTimeNorm(width) for _ in range(depth)])
        last = [i == depth - 1 for i in range(depth)]
        self.mesh_updates = nn.ModuleList([EdgeUpdate(width, width, edge_width, last=end) for end in last])
        self.world_updates = nn.ModuleList([EdgeUpdate(width, width, edge_width, last=end) for end in last] if world else [])
        self.nodes = nn.ModuleList([NodeUpdate(width, (1 + world) * edge_width) for _ in range(depth)])

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        """Mesh edges: Delaunay, for want of a boundary also across what lies outside; a model that knows the boundary passes its own."""
        return mesh_graph(source)

    def known(self, points: PointSet, graph: Graph) -> PointSet:
        """What :func:`geoop.graph.edges.mesh_edge_features` knows of the edges, with the share of each in what its target hears as ``weight``."""
        edges = mesh_edge_features(points, graph)
        return replace(edges, weight=edge_shares(edges.weight, graph, self.aggregation))

    def forward(
        self,
        source: PointSet,
        target: PointSet,
        graph: Graph,
        world: Graph | None = None,
        mesh_edges: PointSet | None = None,
        world_edges: PointSet | None = None,
    ) -> PointSet:
        """
        Args:
            source, target: the same points.
            graph: mesh edges.
            world: world edges; none if None.
            mesh_edges, world_edges: what :meth:`known` knows of them, where it was kept.
        """
        mesh_edges = self.known(source, graph) if mesh_edges is None else mesh_edges
        routes = [Routes(graph, mesh_edges.weight)]
        edges = [self.mesh_embed(torch.cat([mesh_edges.pos, mesh_edges.scalars], dim=1))]
        updates = [self.mesh_updates]
        if self.world_embed is not None:
            world = Graph.unconnected(len(source), len(target), source.pos.device) if world is None else world
            world_edges = self.known(source, world) if world_edges is None else world_edges
            routes.append(Routes(world, world_edges.weight))
            edges.append(self.world_embed(torch.cat([world_edges.pos, world_edges.scalars], dim=1)))
            updates.append(self.world_updates)
        x = source.scalars
        for norm, node, *steps in zip(self.norms, self.nodes, *updates, strict=True):
            y, heard = norm(x), []
            for i, step in enumerate(steps):
                total, edges[i] = step(y, y, edges[i], routes[i])
                heard.append(total)
            x = node(x, y, heard)
        return target.with_features(scalars=x)
