"""One step of message passing with features on edges and nodes: what mesh-graph networks are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function

from ..errors import ConfigurationError
from ..graph.edges import shares
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import _silence_beta_warning as silence_beta_warning
from ..graph.segment import segment_sum, take_source, take_target
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
    """A graph along which messages travel.

    Attributes:
        graph: the edges.
        share: (e,) factor of every message in the sum at its target.
    """

    graph: Graph
    share: Tensor

    @classmethod
    def of(cls, graph: Graph, weight: Tensor, aggregation: Aggregation) -> Routes:
        """Routes along a graph whose edges have quadrature weights (e,)."""
        return cls(graph, edge_shares(weight, graph, aggregation))


class EdgeUpdate(nn.Module):
    """Messages m_ij = silu(A e_ij + B x_j + C x_i), their sum at every target, and the edges' own features e_ij + D m_ij for the next step.

    B and C act on points, not on edges, so that an edge costs one or two small products. D has no shift of its own: the next A has one.

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
        self.outer = None if last else nn.Linear(edge_width, edge_width, bias=False)

    def forward(self, source: Tensor, target: Tensor, edge: Tensor, routes: Routes) -> tuple[Tensor, Tensor]:
        """(n_target, edge_width) what every target hears, and (e, edge_width) new features.

        Args:
            source: (n_source, source_width). target: (n_target, target_width).
            edge: (e, edge_width).
        """
        sent, asked = self.source(source), self.target(target)
        outer = None if self.outer is None else self.outer.weight
        given = (edge, sent, asked, routes.share, self.edge.weight, self.edge.bias, outer)
        if _fused(edge, sent):
            heard, new = _Step.apply(routes.graph, *given)
        else:
            heard, new = _step(routes.graph, *given)
        return heard, edge if new is None else new


def _fused(edge: Tensor, sent: Tensor) -> bool:
    """Whether the step may run as one function: full precision on a CPU, where passes over the edges' features in memory are what costs."""
    on_cpu = edge.device.type == "cpu" and edge.dtype == sent.dtype and edge.dtype in (torch.float32, torch.float64)
    return on_cpu and not torch.is_autocast_enabled("cpu") and not torch.compiler.is_compiling()


def _step(
    graph: Graph, edge: Tensor, sent: Tensor, asked: Tensor, share: Tensor, weight: Tensor, bias: Tensor, outer: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """The step of :class:`EdgeUpdate` as its formula stands there."""
    message = F.silu(F.linear(edge, weight, bias) + take_source(sent, graph) + take_target(asked, graph))
    return segment_sum(message * share[:, None], graph), None if outer is None else edge + F.linear(message, outer)


class _Step(Function):
    """As :func:`_step` with a third of its passes over memory: gathers and sums are sparse products that add to what is there.

    Measured on one core with 50k edges of width 24: 8 ms instead of 30, forward and backward.
    """

    @staticmethod
    def forward(ctx, graph, edge, sent, asked, share, weight, bias, outer):
        number = torch.arange(graph.n_edges + 1)
        ones = edge.new_ones(graph.n_edges)
        hidden = torch.addmm(bias, edge, weight.t())
        for values, index in ((sent, graph.source), (asked, graph.target)):
            _add_product(hidden, number, index, ones, values)
        message = F.silu(hidden)
        heard = edge.new_zeros(graph.n_target, message.shape[1])
        _add_product(heard, graph.ptr, number[:-1], share, message)
        ctx.graph = graph
        ctx.save_for_backward(edge, sent, asked, share, weight, bias, outer, hidden, None if outer is None else message)
        return heard, None if outer is None else torch.addmm(edge, message, outer.t())

    @staticmethod
    def backward(ctx, grad_heard, grad_new):  # type: ignore[override]
        edge, sent, asked, share, weight, bias, outer, hidden, message = ctx.saved_tensors
        graph, needed = ctx.graph, ctx.needs_input_grad
        if torch.is_grad_enabled():  # to be differentiated again: by the formula
            inputs = [edge, sent, asked, share, weight, bias, outer]
            wanted = [x for x, need in zip(inputs, needed[1:], strict=True) if need]
            outputs = [(y, g) for y, g in zip(_step(graph, *inputs), (grad_heard, grad_new), strict=True) if y is not None and g is not None]
            found = iter(torch.autograd.grad([y for y, _ in outputs], wanted, [g for _, g in outputs], create_graph=True, allow_unused=True))
            return None, *(next(found) if need else None for need in needed[1:])
        at_edges = grad_heard.index_select(0, graph.target)
        by_share = None
        if needed[4]:
            by_share = (at_edges * (F.silu(hidden) if message is None else message)).sum(dim=1)
        at_edges.mul_(share[:, None])
        by_outer = None
        if outer is not None:
            at_edges.addmm_(grad_new, outer)
            by_outer = grad_new.t() @ message
        inner = torch.ops.aten.silu_backward(at_edges, hidden)
        by_edge = None
        if needed[1]:
            by_edge = inner @ weight if outer is None else torch.addmm(grad_new, inner, weight)
        ones = inner.new_ones(graph.n_edges)
        starts, _, order = graph.by_source
        by_sent, by_asked = torch.zeros_like(sent), torch.zeros_like(asked)
        _add_product(by_sent, starts, order, ones, inner)
        _add_product(by_asked, graph.ptr, torch.arange(graph.n_edges), ones, inner)
        return None, by_edge, by_sent, by_asked, by_share, inner.t() @ edge, inner.sum(dim=0), by_outer


def _add_product(to: Tensor, starts: Tensor, columns: Tensor, values: Tensor, x: Tensor) -> None:
    """Add the product of a sparse matrix, by rows, with x in place."""
    if len(values):
        silence_beta_warning()
        torch.addmm(to, torch.sparse_csr_tensor(starts, columns, values, (len(starts) - 1, len(x))), x, out=to)


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
