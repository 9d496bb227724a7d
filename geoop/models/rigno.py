"""RIGNO: regional nodes with links of every length between an encoder and a decoder by message passing, with masks on the edges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..errors import ConfigurationError
from ..graph.edges import kept_edges, masked, mesh_edge_features, scaled_edges
from ..graph.geometry import Queries
from ..graph.graph import Graph
from ..graph.hierarchy import Connection
from ..graph.point_mesh import to_graph
from ..graph.pointset import Inputs, PointSet
from ..graph.regional import Choice, regions, within_reach
from ..graph.segment import take_source
from ..layers.message_step import Aggregation
from ..layers.mlp import MLP
from ..layers.neighborhood import smooth_window
from ..operators.message_passing import MessagePassing
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .ports import Ports

#: Regions reach the queries up to this many times their radius, as published; the points of the cloud up to once.
OVERLAP = 2.0


class RIGNO(CloudModel):
    """Region interaction graph neural operator (Mousavi et al. 2025, arXiv 2501.19205).

    A quarter of the points are regional nodes. Each hears the points of its region, then the regional nodes talk to each other along the union of the
    Delaunay edges of nested subsets, then every query hears the nodes whose regions, doubled, it lies in. All three by
    :class:`~geoop.operators.message_passing.MessagePassing`.

    Beside the paper: simplices outside the region are left out by the signed distance, where the published radii blow up on the hull of non-convex
    domains; means are weighted by quadrature (``aggregation="mean"`` is the paper's); queries are any points, and hear through a smooth partition of
    unity, so that the field is continuous.

    Edge masking: in training a random share of the edges of all three graphs is left out, drawn from torch's generator (repeatable after
    ``torch.manual_seed``). Otherwise nothing is left out, unless :meth:`masked` or :meth:`ensemble` is called.

    Args:
        ports: channels in and out.
        width: features of points and nodes.
        edge_width: features of an edge.
        depth: steps between regional nodes.
        share: of the points that become regional nodes; at most ``most`` of them.
        choice: ``thinned`` follows the density of the cloud, whatever the order of its points; ``random`` as published.
        levels: of the mesh between regional nodes.
        mask: share of the edges left out in training.
        lead_time: number of the global scalar that modulates all norms; None for steady problems.
        aggregation: ``quadrature``, ``mean`` or ``sum``.
        seed: of random nodes.
    """

    reference: ClassVar[tuple[str, ...]] = ("mousavi-2025-rigno", "barill-2018-winding")
    may_be_zero: ClassVar[tuple[str, ...]] = ("depth", "seed", "lead_time")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 64,
        *,
        edge_width: int = 32,
        depth: int = 6,
        share: float = 0.25,
        most: int = 2048,
        choice: Choice = "thinned",
        levels: int = 6,
        mask: float = 0.5,
        lead_time: int | None = None,
        aggregation: Aggregation = "quadrature",
        seed: int = 0,
    ) -> None:
        sizes: dict[str, Any] = {"edge_width": edge_width, "depth": depth, "share": share, "most": most, "choice": choice, "levels": levels}
        super().__init__(ports, width, **sizes, mask=mask, lead_time=lead_time, aggregation=aggregation, seed=seed)
        if not (0 < share <= 1 and 0 <= mask < 1 and (lead_time is None or 0 <= lead_time < self.ports.scalars_in)):
            raise ConfigurationError(
                f"share={share}, mask={mask}, lead_time={lead_time} of {self.ports.scalars_in} global scalars",
                where="RIGNO",
                remedy="a share above 0 and at most 1, a mask of at least 0 and below 1, and a lead time that is among the global scalars",
            )
        self.share, self.most, self.choice, self.levels, self.seed = share, most, choice, levels, seed
        self.mask, self.lead_time = mask, lead_time
        common: dict[str, Any] = {"edge_width": edge_width, "known": self.ports.dimension + 2, "lead_time": lead_time is not None}
        self.region = MLP([1, width, width])
        self.encoder = MessagePassing(width, source_channels=width, aggregation=aggregation, **common)
        self.processor = MessagePassing(width, depth=depth, aggregation=aggregation, **common)
        self.decoder = MessagePassing(width, source_channels=width, **common)

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        nodes, own, encode, mesh, shares = [], [], [], [], []
        for points, boundary in zip(domain.split(), surface.split(), strict=True):
            pos, weight = points.pos.cpu().double().numpy(), points.weight.cpu().double().numpy()
            count = min(self.most, max(1, math.ceil(self.share * len(points))))
            found = regions(pos, weight, boundary, count, choice=self.choice, seed=self.seed, levels=self.levels)
            index, kind = torch.from_numpy(found.index), points.pos
            radius, carried = (torch.from_numpy(array).to(kind) for array in (found.radius, found.weight))
            node = PointSet(points.pos[index], radius[:, None], None, carried)
            nodes.append(node)
            own.append(Graph(index, torch.arange(len(index)), len(points), len(index)))
            encode.append(_hearing_all(node, points))
            mesh.append(to_graph((found.source, found.target), len(index), len(index)))
            shares.append(torch.from_numpy(found.share).to(kind))
        regional, graphs = PointSet.concatenate(nodes), {"own": own, "encode": encode, "mesh": mesh}
        connections: dict[str, Connection | PointSet] = {name: Graph.concatenate(parts) for name, parts in graphs.items()}
        to_nodes, between = connections["encode"], connections["mesh"]
        assert isinstance(to_nodes, Graph) and isinstance(between, Graph)
        size = regional.scalars[:, 0][to_nodes.target]
        connections["encode_edges"] = scaled_edges(domain, regional, to_nodes, size, take_source(domain.weight, to_nodes))
        connections["mesh_edges"] = mesh_edge_features(regional, between, torch.cat(shares))
        return {**connections, "regional": regional}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        if self.training and self.mask > 0 and "draws" not in prepared.connections:
            prepared = self.masked(prepared, int(torch.randint(2**62, ())))
        lead, regional = self._lead(inputs), prepared.points("regional")
        # a regional node is a point of the cloud and starts with what that point knows, and with the size of its region
        start = points.scalars.index_select(0, prepared.graph("own").source) + self.region(regional.scalars.clamp(min=1e-6).log() + 2)
        nodes = regional.with_features(scalars=start)
        nodes = self.encoder(points, nodes, prepared.graph("encode"), prepared.points("encode_edges"), lead)
        nodes = self.processor(nodes, nodes, prepared.graph("mesh"), prepared.points("mesh_edges"), lead)
        draws = {"draws": prepared.points("draws")} if "draws" in prepared.connections else {}
        return {"nodes": nodes, **draws}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        nodes, reach = state.latents["nodes"], OVERLAP * state.prepared.points("regional").scalars[:, 0]
        graph = within_reach(nodes, reach, queries)
        size = take_source(reach, graph)
        edges = scaled_edges(nodes, queries, graph, size, torch.ones_like(size))
        edges = replace(edges, weight=smooth_window(edges.pos.square().sum(dim=1)))
        if "draws" in state.latents:
            index = kept_edges(_draws(state.latents["draws"], queries, graph), graph, self.mask).nonzero()[:, 0]
            graph, edges = Graph(graph.source[index], graph.target[index], graph.n_source, graph.n_target), edges.take(index)
        return self.decoder(nodes, queries, graph, edges, self._lead(state.inputs)).scalars

    def masked(self, prepared: PreparedCloud, seed: int) -> PreparedCloud:
        """The geometry without a random share ``mask`` of the edges of all three graphs; the same seed leaves out the same edges."""
        generator = torch.Generator().manual_seed(seed)
        connections = dict(prepared.connections)
        for name in ("encode", "mesh"):
            graph, edges = masked(prepared.graph(name), prepared.points(f"{name}_edges"), self.mask, generator)
            connections |= {name: graph, f"{name}_edges": edges}
        regional = prepared.points("regional")
        numbers = torch.randn(len(regional), regional.dimension + 1, generator=generator, dtype=torch.float64)
        return replace(prepared, connections={**connections, "draws": regional.with_features(scalars=numbers.to(regional.pos.device))})

    @torch.no_grad()
    def ensemble(self, prepared: PreparedCloud, inputs: Inputs, queries: Queries, members: int = 8, seed: int = 0) -> tuple[PointSet, PointSet]:
        """Mean and spread (standard deviation) of the fields over ``members`` random masks of the edges.

        Repeatable by ``seed``, and every query by itself: asked in parts, queries get the same answers.

        Raises:
            ConfigurationError: fewer than two members, or a model without masks.
        """
        if members < 2 or self.mask == 0:
            raise ConfigurationError(
                f"{members} members with mask={self.mask}", where="RIGNO.ensemble", remedy="two members or more, of a model with mask > 0"
            )
        generator = torch.Generator().manual_seed(seed)
        seeds = torch.randint(2**62, (members,), generator=generator).tolist()
        found = [self.decode(self.encode(self.masked(prepared, member), inputs), queries) for member in seeds]
        scalars, vectors = torch.stack([f.scalars for f in found]), torch.stack([f.vectors for f in found])
        mean = queries.points.with_features(scalars.mean(dim=0), vectors.mean(dim=0))
        return mean, queries.points.with_features(scalars.std(dim=0), vectors.std(dim=0))

    def _lead(self, inputs: Inputs) -> Tensor | None:
        return None if self.lead_time is None else inputs.scalars[:, self.lead_time : self.lead_time + 1]


def _hearing_all(nodes: PointSet, points: PointSet) -> Graph:
    """Edges from the points to the nodes in whose regions they lie; a point in none of them is heard by the nearest."""
    found = within_reach(nodes, nodes.scalars[:, 0] * (1 + 1e-9), points)
    return Graph.sorted(found.target, found.source, len(points), len(nodes))


def _draws(numbers: PointSet, queries: PointSet, graph: Graph) -> Tensor:
    """(e,) numbers in [0, 1), one for every node and place: a hash, so that a query's masks do not depend on who else is asked."""
    node = numbers.scalars.index_select(0, graph.source)
    place = queries.pos.detach().to(node.dtype).index_select(0, graph.target)
    return ((place * node[:, :-1]).sum(dim=1) * 1e5 + node[:, -1] * 1e3) % 1
