"""One step of message passing with features on edges and nodes: what mesh-graph networks are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.edges import shares
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import weighted_sum
from .mlp import MLP

#: How messages are added up: a mean with quadrature weights, a plain mean, or the plain sum of the published mesh-graph networks.
Aggregation = Literal["quadrature", "mean", "sum"]


@dataclass(frozen=True, eq=False)
class LeadTime:
    """The time from now to the answer.

    Attributes:
        value: (b, 1) of every sample.
        batch: (n,) sample of every point.
    """

    value: Tensor
    batch: Tensor

    @classmethod
    def at(cls, points: PointSet, value: Tensor | None) -> LeadTime | None:
        """At points of as many samples as there are values; None where there is no lead time."""
        return None if value is None else cls(value, points.batch)


class LeadTimeNorm(nn.Module):
    """LayerNorm over features whose gain and shift may follow the lead time: y = LN(x) (1 + a(tau)) + b(tau).

    a and b start at 0. Mousavi et al. 2025 (RIGNO, arXiv 2501.19205) with 16 hidden features.

    Args:
        width: features.
        modulated: whether it takes a lead time.
    """

    def __init__(self, width: int, modulated: bool = False, hidden: int = 16) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.time = MLP([1, hidden, 2 * width], zero=True) if modulated else None

    def forward(self, x: Tensor, lead: LeadTime | None = None) -> Tensor:
        y = self.norm(x)
        if self.time is None or lead is None:
            return y
        gain, shift = self.time(lead.value).index_select(0, lead.batch).chunk(2, dim=1)
        return y * (1 + gain) + shift


@dataclass(frozen=True, eq=False)
class Routes:
    """A graph as two sparse matrices: from the ends of the edges to the edges, and from the edges to their targets.

    Their products are several times cheaper than a gather per end, a sum, a product with the weights and a reduction.

    Attributes:
        ends: two edges to every edge of the graph: from its source, and from n_source + its target.
        total: from the edges to their targets.
        share: (e,) factor of every message in the sum at its target.
    """

    ends: Graph
    total: Graph
    share: Tensor

    @classmethod
    def of(cls, graph: Graph, weight: Tensor, aggregation: Aggregation) -> Routes:
        """Routes along a graph whose edges have quadrature weights (e,)."""
        e, number = graph.n_edges, torch.arange(graph.n_edges, device=graph.source.device)
        both = torch.stack([graph.source, graph.n_source + graph.target], dim=1).flatten()
        ends = Graph(both, number.repeat_interleave(2), graph.n_source + graph.n_target, e)
        total = Graph(number, graph.target, e, graph.n_target)
        # the orders by source follow from those of the graph: no sorting of twice as many edges in every step of training
        starts, _, order = graph.by_source
        starts = torch.cat([starts, e + graph.ptr[1:]])
        vars(ends)["by_source"] = starts, torch.cat([order, number]), torch.cat([2 * order, 2 * number + 1])
        vars(total)["by_source"] = torch.arange(e + 1, device=number.device), graph.target, number
        return cls(ends, total, edge_shares(weight, graph, aggregation))

    def heard(self, message: Tensor) -> Tensor:
        """(n_target, c) messages (e, c) with their shares, summed over the edges of every target."""
        return weighted_sum(message, self.total, self.share)


class EdgeUpdate(nn.Module):
    """Messages m_ij = silu(A e_ij + B x_j + C x_i), and the edges' own features e_ij + D m_ij for the next step.

    B and C act on points, not on edges, so that an edge costs one or two small products.

    Args:
        source_width, target_width: features of the ends.
        edge_width: features of an edge and of its message.
        last: no step follows that would read the edges' new features.
    """

    def __init__(self, source_width: int, target_width: int, edge_width: int, *, last: bool = False) -> None:
        super().__init__()
        self.edge = nn.Linear(edge_width, edge_width)
        self.source = nn.Linear(source_width, edge_width, bias=False)
        self.target = nn.Linear(target_width, edge_width, bias=False)
        self.outer = None if last else nn.Linear(edge_width, edge_width)

    def forward(self, source: Tensor, target: Tensor, edge: Tensor, routes: Routes) -> tuple[Tensor, Tensor]:
        """(e, edge_width) messages and new features; ``source`` (n_source, c), ``target`` (n_target, c), ``edge`` (e, edge_width)."""
        ends = torch.cat([self.source(source), self.target(target)])
        message = F.silu(self.edge(edge) + weighted_sum(ends, routes.ends))
        return message, edge if self.outer is None else edge + self.outer(message)


class EdgeEmbedding(nn.Module):
    """What is known of an edge, (e, features), as (e, edge_width): silu of a linear map; the perceptron's second map is the A of the step."""

    def __init__(self, features: int, edge_width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(features, edge_width)

    def forward(self, known: Tensor) -> Tensor:
        return F.silu(self.inner(known))


class NodeUpdate(nn.Module):
    """x_i + MLP([y_i, s_i]) with y_i the normalised features of a point and s_i what it heard from every kind of edge.

    Args:
        width: features of a point.
        heard: features of all s_i together.
    """

    def __init__(self, width: int, heard: int) -> None:
        super().__init__()
        self.inner = MLP([width + heard, width, width])

    def forward(self, x: Tensor, normal: Tensor, heard: list[Tensor]) -> Tensor:
        return x + self.inner(torch.cat([normal, *heard], dim=1))


def edge_shares(weight: Tensor, graph: Graph, aggregation: Aggregation) -> Tensor:
    """(e,) factor of every message in the sum at its target.

    Raises:
        ConfigurationError: an unknown aggregation.
    """
    if aggregation == "quadrature":
        return shares(weight, graph)
    if aggregation == "mean":
        return shares(torch.ones_like(weight), graph)
    if aggregation == "sum":
        return torch.ones_like(weight)
    raise ConfigurationError(f"unknown aggregation '{aggregation}'", where="aggregation", remedy="use 'quadrature', 'mean' or 'sum'")
