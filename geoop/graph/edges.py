"""What edges know about the geometry, computed once per geometry and kept, batched and thinned out like points."""

from __future__ import annotations

import torch
from torch import Tensor

from .graph import Graph
from .pointset import PointSet
from .segment import segment_max, segment_sum, take_source, take_target


def shares(weight: Tensor, graph: Graph) -> Tensor:
    """(e,) weights that add up to 1 over the edges of every target; equal ones where all weights of a target are 0."""
    lost = take_target(segment_sum(weight, graph) <= torch.finfo(weight.dtype).tiny, graph)
    weight = torch.where(lost, torch.ones_like(weight), weight)
    return weight / take_target(segment_sum(weight, graph), graph)


def length_of(offset: Tensor) -> Tensor:
    """(e, 1) lengths, with derivatives at 0 too."""
    return (offset.square().sum(dim=1, keepdim=True) + 1e-24).sqrt()


def scaled_edges(source: PointSet, target: PointSet, graph: Graph, size: Tensor, weight: Tensor) -> PointSet:
    """Edges in units of a length that every edge has: ``pos`` offset / size, ``scalars`` (e, 2) its length and the logarithm of the size.

    Args:
        source, target, graph: the two clouds and the edges.
        size: (e,) > 0.
        weight: (e,) kept as the edges' weight.
    """
    offset = (take_source(source.pos, graph) - take_target(target.pos, graph)) / size[:, None]
    return PointSet(offset, torch.cat([length_of(offset), _log(size[:, None])], dim=1), None, weight, _ptr(target, graph))


def mesh_edge_features(points: PointSet, graph: Graph, weight: Tensor | None = None) -> PointSet:
    """Edges within one cloud: ``pos`` unit direction, ``scalars`` (e, 2) logarithms of length and of the ratio of the ends' weights.

    Directions and logarithms, because the spacing of a cloud around a body varies by a factor of hundreds.

    Args:
        weight: (e,) kept as the edges' weight; the source point's own if None.
    """
    offset = take_source(points.pos, graph) - take_target(points.pos, graph)
    length = length_of(offset)
    size = (points.weight.clamp(min=1e-12).log() / points.dimension)[:, None]
    ratio = (take_source(size, graph) - take_target(size, graph)).clamp(-4, 4) / 2
    weight = take_source(points.weight, graph) if weight is None else weight
    return PointSet(offset / length, torch.cat([_log(length), ratio], dim=1), None, weight, _ptr(points, graph))


def masked(graph: Graph, edges: PointSet, share: float, generator: torch.Generator) -> tuple[Graph, PointSet]:
    """The graph without a random ``share`` of its edges, and what it knows of those that remain.

    Every target keeps at least one edge. Weights are normalised where they are used, so that a mean over the remaining neighbours is an estimate of
    the mean over all: without bias where weights are equal, since every subset of a size is equally likely.
    """
    draw = torch.rand(graph.n_edges, generator=generator, dtype=torch.float64).to(graph.target.device)
    kept = kept_edges(draw, graph, share)
    index = kept.nonzero()[:, 0]
    return Graph(graph.source[index], graph.target[index], graph.n_source, graph.n_target), edges.take(index)


def kept_edges(draw: Tensor, graph: Graph, share: float) -> Tensor:
    """(e,) which edges stay: those whose draw from [0, 1) is at least ``share``, and the largest of every target."""
    return (draw >= share) | (draw >= take_target(segment_max(draw, graph), graph))


def _log(length: Tensor) -> Tensor:
    """Logarithm of a length, of order one between a thousandth and one."""
    return (length.clamp(min=1e-6).log() + 3) / 2


def _ptr(target: PointSet, graph: Graph) -> Tensor:
    return graph.ptr[target.ptr]
