"""Weights whose mean place is the target: what linear functions need to be reproduced exactly."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..graph.graph import Graph
from ..graph.segment import segment_max, segment_sum, take_target

#: Newton's steps without gradients, and by how much the logarithm of a weight may change in one.
_STEPS, _LARGEST = 8, 1.0
#: Of the mean square distance: where all sources that count lie on a line, nothing is moved across it.
_RIDGE = 1e-6


def tilted(shares: Sequence[tuple[Graph, Tensor, Tensor]]) -> list[Tensor]:
    """Positive weights w_j of sum 1 as w_j exp(a . (y_j - x))/Z, with the a(x) for which sum_j w_j y_j = x.

    Of all positive weights with these moments they are the closest to the given ones in relative entropy (I. Csiszar, Ann. Probab. 3, 1975, theorem 3.1). There
    is an a for every target inside of the convex hull of its sources; on the hull and beyond, weights go as far as the largest step lets them. The gradient is
    that of the solution: a is found without one, and one more of Newton's steps carries it (implicit differentiation).

    Args:
        shares: groups of sources of the same targets: graph from a group to the targets, weights (e,) that add up to 1 over all groups, and (e, d) places of
            the sources seen from the target.

    Returns:
        weights of every group.
    """
    graphs = [graph for graph, _, _ in shares]
    n, d = graphs[0].n_target, shares[0][2].shape[1]
    with torch.no_grad():
        a = shares[0][1].new_zeros(n, d)
        for _ in range(_STEPS):
            mean, spread = _moments(shares, _weights(shares, a))
            a = a + _limited(shares, -torch.linalg.solve(spread, mean))
    mean, spread = _moments(shares, _weights(shares, a))
    return _weights(shares, a + _limited(shares, -torch.linalg.solve(spread.detach(), mean)))


def _weights(shares: Sequence[tuple[Graph, Tensor, Tensor]], a: Tensor) -> list[Tensor]:
    """Weights with the tilt a (n, d), of sum 1."""
    logits = [(offset * take_target(a, graph)).sum(dim=1) for graph, _, offset in shares]
    top = torch.stack([segment_max(logit.detach(), graph) for logit, (graph, _, _) in zip(logits, shares, strict=True)]).amax(dim=0)
    grown = [share * (logit - take_target(top, graph)).exp() for logit, (graph, share, _) in zip(logits, shares, strict=True)]
    total = torch.stack([segment_sum(value, graph) for value, (graph, _, _) in zip(grown, shares, strict=True)]).sum(dim=0)
    return [value / take_target(total.clamp_min(torch.finfo(value.dtype).tiny), graph) for value, (graph, _, _) in zip(grown, shares, strict=True)]


def _moments(shares: Sequence[tuple[Graph, Tensor, Tensor]], weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(n, d) mean offset and (n, d, d) covariance of the offsets, never singular."""
    d = shares[0][2].shape[1]
    first = torch.stack([segment_sum(w[:, None] * offset, graph) for w, (graph, _, offset) in zip(weights, shares, strict=True)]).sum(dim=0)
    square = torch.stack(
        [
            segment_sum((w[:, None, None] * offset[:, :, None] * offset[:, None, :]).flatten(1), graph)
            for w, (graph, _, offset) in zip(weights, shares, strict=True)
        ]
    ).sum(dim=0)
    square = square.view(-1, d, d)
    spread = square - first[:, :, None] * first[:, None, :]
    size = square.diagonal(dim1=1, dim2=2).sum(dim=1).clamp_min(torch.finfo(square.dtype).tiny)
    return first, spread + _RIDGE * size[:, None, None] * torch.eye(d, dtype=square.dtype, device=square.device)


def _limited(shares: Sequence[tuple[Graph, Tensor, Tensor]], step: Tensor) -> Tensor:
    """A step (n, d) that changes no logarithm of a weight by more than the largest change."""
    change = [segment_max((offset * take_target(step.detach(), graph)).sum(dim=1).abs(), graph) for graph, _, offset in shares]
    most = torch.stack(change).amax(dim=0)
    return step * (_LARGEST / most.clamp_min(_LARGEST))[:, None]


def moment_matched(matrices: Tensor, share: Tensor, offset: Tensor, graph: Graph) -> Tensor:
    """Matrices W_j (e, d, d) of sum I, changed so that sum_j W_j (y_j - x)_l = 0 for every l: affine vector fields are reproduced exactly.

    W_j - w_j sum_l B_l (r_j)_l with r_j the offsets less their mean over the weights w_j (e,): the sum of the matrices is kept, and B solves a (d, d) system.
    """
    d = offset.shape[1]
    mean = segment_sum(share[:, None] * offset, graph)
    r = offset - take_target(mean, graph)
    spread = segment_sum((share[:, None, None] * r[:, :, None] * r[:, None, :]).flatten(1), graph).view(-1, d, d)
    size = segment_sum(share[:, None] * offset.square(), graph).sum(dim=1).clamp_min(torch.finfo(share.dtype).tiny)
    spread = spread + _RIDGE * size[:, None, None] * torch.eye(d, dtype=share.dtype, device=share.device)
    missed = segment_sum((matrices[:, :, :, None] * offset[:, None, None, :]).flatten(1), graph).view(-1, d * d, d)
    b = torch.linalg.solve(spread, missed.mT).mT.reshape(-1, d, d, d)
    return matrices - share[:, None, None] * (take_target(b.flatten(1), graph).view(-1, d, d, d) * r[:, None, None, :]).sum(dim=3)
