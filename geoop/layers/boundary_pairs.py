"""What two places in a region know of each other: invariants under rotation, reflection, translation and change of scale."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..graph.graph import Graph
from ..graph.segment import take_source, take_target

#: Squared distances below this, in squares of a source's spacing, count as zero.
_COINCIDENT = 1e-12
#: Share of its spacing that is added to a place's distance before a logarithm is taken.
_FLOOR = 0.05


@dataclass(frozen=True, eq=False)
class Places:
    """Points of a region or of its boundary, lengths in the size of their sample.

    Attributes:
        pos: (n, d).
        direction: (n, d) unit vectors away from the boundary: the normal on it, the gradient of the distance elsewhere.
        distance: (n,) to the boundary, not negative.
        spacing: (n,) length that a place stands for: of a boundary point (its weight)^(1/(d-1)), of a point inside (its weight)^(1/d).
    """

    pos: Tensor
    direction: Tensor
    distance: Tensor
    spacing: Tensor


@dataclass(frozen=True, eq=False)
class Pairs:
    """Edges between places.

    Attributes:
        graph: from sources to targets.
        squared: (e,) squared distances, never zero.
        offset: (e, d) unit vectors from the source to the target; zero where they coincide.
        invariants: (e, :data:`INVARIANTS`) features of order one.
    """

    graph: Graph
    squared: Tensor
    offset: Tensor
    invariants: Tensor


#: Number of invariants of a pair, see :func:`pairs`.
INVARIANTS = 10


def complete(source_ptr: Tensor, target_ptr: Tensor) -> Graph:
    """Edges from every source to every target of the same sample; ``ptr`` (b+1,) each."""
    m, n = source_ptr.diff(), target_ptr.diff()
    degree = torch.repeat_interleave(m, n)
    target = torch.repeat_interleave(torch.arange(int(target_ptr[-1]), device=degree.device), degree)
    first = torch.repeat_interleave(degree.cumsum(0) - degree, degree)
    start = torch.repeat_interleave(torch.repeat_interleave(source_ptr[:-1], n), degree)
    source = torch.arange(len(target), device=degree.device) - first + start
    return Graph(source, target, int(source_ptr[-1]), int(target_ptr[-1]))


def pairs(source: Places, target: Places, graph: Graph) -> Pairs:
    """Distances, cosines and logarithms of ratios of lengths.

    With o = x - y from the source y to the target x, r = |o|, spacing s, distances D and directions n, the invariants are log r, log r/s_y,
    log D_x/s_y, log D_x, r/(r + s_y), D_x/(D_x + r), log s_y/s_x, n_x . o/r, n_y . o/r and n_x . n_y: all pairs of the three vectors, so that in the
    plane nothing but the mirror image has the same ones.
    """
    y, x = take_source(source.pos, graph), take_target(target.pos, graph)
    own, other = take_source(source.spacing, graph), take_target(target.spacing, graph)
    reach = take_target(target.distance, graph)
    offset = x - y
    squared = offset.square().sum(dim=1) + _COINCIDENT * own.square()
    r = squared.sqrt()
    offset = offset / r[:, None]
    a, n = take_target(target.direction, graph), take_source(source.direction, graph)
    far = reach + _FLOOR * own
    columns = [
        r.log(),
        (r + _FLOOR * own).log() - own.log(),
        far.log() - own.log(),
        far.log(),
        r / (r + own),
        reach / (reach + r),
        own.log() - other.log(),
        (a * offset).sum(dim=1),
        (n * offset).sum(dim=1),
        (a * n).sum(dim=1),
    ]
    # the logarithm of the distance itself is unbounded where places coincide: floored, so that a network stays finite there
    columns[0] = (r + _FLOOR * own).log()
    return Pairs(graph, squared, offset, torch.stack(columns, dim=1))
