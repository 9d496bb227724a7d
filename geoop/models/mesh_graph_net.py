"""MeshGraphNet on a cloud: the graph baseline that everyone knows, with world edges, coarse levels and a decoder to any place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..errors import ConfigurationError
from ..graph.edges import scaled_edges
from ..graph.graph import Graph
from ..graph.hierarchy import Connection
from ..graph.neighbors import knn
from ..graph.point_mesh import mesh_edges, mesh_graph, to_graph, world_edges
from ..graph.pointset import Inputs, PointSet
from ..graph.segment import segment_max, take_source, take_target
from ..graph.thinning import thin
from ..layers.message_step import Aggregation
from ..layers.neighborhood import smooth_window
from ..operators.mesh_graph_net import MeshGraphNetProcessor
from ..operators.message_passing import MessagePassing
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports

#: Points of the coarse level that a point of the cloud hears.
UP = 2


class MeshGraphNet(CloudModel):
    """MeshGraphNet (Pfaff et al. 2021, arXiv 2010.03409), with the coarse level of multiscale MeshGraphNet (Fortunato et al. 2022, arXiv 2210.00612).

    The model sees a cloud, not its mesh: mesh edges are those of the Delaunay simplices inside the region, world edges join what is close in space and
    far along them. ``fine`` steps on the cloud, ``coarse`` steps on a thinned cloud with edges of its own between two steps down and up, ``fine``
    steps again. Without coarse steps a message travels 2 ``fine`` edges, whatever their length. Queries hear the nearest points of the cloud.

    Args:
        ports: channels in and out.
        width: features of a point.
        edge_width: features of an edge.
        fine: steps on the cloud, before and after the coarse steps.
        coarse: steps on the thinned cloud; 0 for the original MeshGraphNet with 2 ``fine`` steps.
        share: of the points that stay on the coarse level; at most ``most``.
        world: nearest points among which world edges are looked for; 0 for none.
        neighbours: points that a query hears.
        aggregation: ``quadrature``, ``mean`` or ``sum`` (as published).
    """

    reference: ClassVar[tuple[str, ...]] = ("pfaff-2021-mgn", "fortunato-2022-msmgn", "barill-2018-winding")
    may_be_zero: ClassVar[tuple[str, ...]] = ("fine", "coarse", "world")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 48,
        *,
        edge_width: int = 32,
        fine: int = 1,
        coarse: int = 6,
        share: float = 0.25,
        most: int = 2048,
        world: int = 8,
        neighbours: int = 6,
        aggregation: Aggregation = "quadrature",
    ) -> None:
        sizes: dict[str, Any] = {"edge_width": edge_width, "fine": fine, "coarse": coarse, "share": share, "most": most, "world": world}
        super().__init__(ports, width, **sizes, neighbours=neighbours, aggregation=aggregation)
        if not fine + coarse:
            raise ConfigurationError("fine=0 and coarse=0: no message passes", where="MeshGraphNet", remedy="give at least one step of either")
        self.share, self.most, self.world = share, most, world
        d = self.ports.dimension
        step: dict[str, Any] = {"edge_width": edge_width, "dimension": d, "aggregation": aggregation}
        between: dict[str, Any] = {"source_channels": width, "edge_width": edge_width, "known": d + 2}
        self.before = MeshGraphNetProcessor(width, depth=fine, world=world > 0, **step)
        self.after = MeshGraphNetProcessor(width, depth=fine, world=world > 0, **step)
        self.middle = MeshGraphNetProcessor(width, depth=coarse, world=False, **step) if coarse else None
        self.down = MessagePassing(width, aggregation=aggregation, **between) if coarse else None
        self.up = MessagePassing(width, **between) if coarse else None
        self.neighbours = neighbours
        self.decoder = MessagePassing(width, **between)

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        mesh, world = [], []
        for points, boundary in zip(domain.split(), surface.split(), strict=True):
            pos, n = points.pos.cpu().double().numpy(), len(points)
            edges = mesh_edges(pos, boundary)
            mesh.append(to_graph(edges, n, n))
            world.append(to_graph(world_edges(pos, edges, nearest=self.world), n, n) if self.world else Graph.unconnected(n, n))
        found: dict[str, Connection | PointSet] = {}
        for kind, graph in (("mesh", Graph.concatenate(mesh)), ("world", Graph.concatenate(world))):
            found |= {kind: graph, f"{kind}_edges": self.before.known(domain, graph)}
        if self.middle is None:
            return found
        coarse = PointSet.concatenate([self._thinned(points) for points in domain.split()])
        nearest = knn(coarse.pos, domain.pos, 1, coarse.ptr, domain.ptr)
        down = Graph.sorted(nearest.target, nearest.source, len(domain), len(coarse))
        up = knn(coarse.pos, domain.pos, UP, coarse.ptr, domain.ptr)
        # a coarse point is as large as what it stands for
        size = coarse.weight.clamp(min=1e-12) ** (1 / coarse.dimension)
        down_edges = scaled_edges(domain, coarse, down, size[down.target], take_source(domain.weight, down))
        up_edges = scaled_edges(coarse, domain, up, size[up.source], torch.ones_like(take_source(size, up)))
        middle = mesh_graph(coarse, surface)
        found |= {"coarse": coarse, "coarse_mesh": middle, "coarse_edges": self.middle.known(coarse, middle)}
        return {**found, "down": down, "down_edges": down_edges, "up": up, "up_edges": up_edges}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        points = self._fine(self.before, points, prepared)
        if self.middle is not None and self.down is not None and self.up is not None:
            coarse = prepared.points("coarse")
            start = coarse.with_features(scalars=points.scalars.new_zeros(len(coarse), self.width))
            coarse = self.down(points, start, prepared.graph("down"), prepared.points("down_edges"))
            coarse = self.middle(coarse, coarse, prepared.graph("coarse_mesh"), None, prepared.points("coarse_edges"))
            points = self.up(coarse, points, prepared.graph("up"), prepared.points("up_edges"))
        return {"nodes": self._fine(self.after, points, prepared)}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        nodes = state.latents["nodes"]
        graph = knn(nodes.pos, queries.pos, self.neighbours, nodes.ptr, queries.ptr)
        squared = (take_source(nodes.pos, graph) - take_target(queries.pos, graph)).square().sum(dim=1)
        size = segment_max(squared, graph).clamp(min=1e-16).sqrt()
        edges = scaled_edges(nodes, queries, graph, take_target(size, graph), torch.ones_like(squared))
        # an interpolation between the nearest points, not an integral over them: a partition of unity, continuous where neighbours change
        edges = replace(edges, weight=smooth_window(edges.pos.square().sum(dim=1)))
        return self.decoder(nodes, queries, graph, edges).scalars

    def _thinned(self, points: PointSet) -> PointSet:
        """Points of the coarse level of one sample, with the weights of what they stand for."""
        count = min(self.most, max(1, math.ceil(self.share * len(points))))
        kept, weight = thin(points.pos.cpu().double().numpy(), points.weight.cpu().double().numpy(), count)
        return PointSet(points.pos[torch.from_numpy(kept)], None, None, torch.from_numpy(weight).to(points.weight))

    def _fine(self, processor: MeshGraphNetProcessor, points: PointSet, prepared: PreparedCloud) -> PointSet:
        mesh, world = prepared.graph("mesh"), prepared.graph("world")
        return processor(points, points, mesh, world, prepared.points("mesh_edges"), prepared.points("world_edges"))
