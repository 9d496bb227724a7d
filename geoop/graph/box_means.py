"""Coarse points that are the weighted means of boxes of a cloud: tokens that converge when the cloud is refined."""

from __future__ import annotations

import torch

from .graph import Graph
from .pointset import PointSet
from .segment import segment_sum, take_target, weighted_sum
from .thinning import coarsen


def box_means(points: PointSet, count: int) -> tuple[PointSet, Graph, PointSet]:
    """Every sample cut into boxes of equally many points (:func:`geoop.graph.thinning.boxes`), each a point at its weighted centre.

    A point that is picked out of a box jumps when the cloud is refined; means over boxes are quotients of two quadratures and do not.

    Args:
        points: of one or several samples; features are not carried along.
        count: boxes per sample; a sample with fewer points keeps all.

    Returns:
        The means with the weights of their boxes; the graph from every point to its box; and one point per edge whose scalars (e, 1) are the shares in
        the mean: ``weighted_sum(values, graph, shares.scalars[:, 0])`` averages any values.
    """
    kept, _, graph = coarsen(points, count)
    weight = points.weight.detach()[graph.source]
    total = segment_sum(weight, graph)
    weight = torch.where(take_target(total, graph) > 0, weight, torch.ones_like(weight))  # a box without weight has a centre all the same
    share = weight / take_target(segment_sum(weight, graph), graph)
    means = PointSet(weighted_sum(points.pos.detach(), graph, share), weight=kept.weight, ptr=kept.ptr)
    return means, graph, PointSet(points.pos.new_zeros(graph.n_edges, points.dimension), share[:, None], ptr=graph.ptr[means.ptr])
