"""Fewer points that carry the same measure: subsets of a cloud for operators, and nested levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..errors import ConfigurationError, ShapeError
from .graph import Graph
from .pointset import PointSet


@dataclass(frozen=True, eq=False)
class Boxes:
    """A cloud cut into boxes of equally many points, one point of each kept.

    Attributes:
        kept: (k,) int64 ascending indices of the kept points.
        weight: (k,) quadrature weight of every box; their sum is that of the cloud.
        member: (n,) int64 box of every point, an index into ``kept``.
    """

    kept: np.ndarray
    weight: np.ndarray
    member: np.ndarray

    def shares(self, weight: np.ndarray) -> np.ndarray:
        """(n,) part that every point has in the (n,) weights of its box; in a box without weight all have the same. What
        :func:`geoop.graph.box_means.box_means` does with tensors."""
        whole = np.bincount(self.member, weight, len(self.kept))[self.member]
        even = np.bincount(self.member, minlength=len(self.kept))[self.member]
        return np.where(whole > 0, weight / np.where(whole > 0, whole, 1.0), 1.0 / even)


def thin(points: np.ndarray, weight: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A subset that follows the density of the cloud, with the quadrature weights of what it stands for: see :func:`boxes`.

    Returns:
        (k,) int64 ascending indices of the kept points, and (k,) their weights, whose sum is that of ``weight``.
    """
    found = boxes(points, weight, count)
    return found.kept, found.weight


def boxes(points: np.ndarray, weight: np.ndarray, count: int) -> Boxes:
    """The cloud cut by a k-d tree into ``count`` boxes of equally many points (one more or less).

    Of every box the point nearest to its weighted centre is kept and carries the weight of the whole box. Deterministic, and the same for
    a permuted cloud unless points coincide. All boxes of one depth are cut at once: n log(n) operations, none of them a loop over boxes.

    Args:
        points: (n, d).
        weight: (n,) non-negative quadrature weights.
        count: points to keep; all are kept where there are no more.

    Raises:
        ConfigurationError: ``count`` < 1.
        ShapeError: ``weight`` is not one number per point.
    """
    points, weight = np.asarray(points, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    if count < 1:
        raise ConfigurationError(f"{count} points to keep", where="thin", remedy="keep at least one point")
    if weight.shape != points.shape[:1]:
        raise ShapeError(f"{weight.shape} weights for {points.shape} points", where="thin", remedy="give one weight per point")
    n = len(points)
    if n <= count:
        return Boxes(np.arange(n), weight.copy(), np.arange(n))
    # ties are cut by the other coordinates: a structured grid has thousands of equal ones, and the numbers of its points mean nothing
    listed = np.lexsort(points.T[::-1])
    order, start = _cut(points[listed], count)
    order = listed[order]
    number = np.repeat(np.arange(count), np.diff(start, append=n))
    kept, carried = _centres(points[order], weight[order], start, number)
    kept = order[kept]
    rank = np.argsort(kept)
    place = np.empty(count, dtype=np.int64)
    place[rank] = np.arange(count)
    member = np.empty(n, dtype=np.int64)
    member[order] = place[number]
    return Boxes(kept[rank], carried[rank], member)


def coarsen(points: PointSet, count: int) -> tuple[PointSet, Graph, Graph]:
    """The kept points of every sample and how the cloud is cut, see :func:`boxes`.

    Args:
        points: of one or several samples; features are not carried along.
        count: points to keep per sample; a sample with fewer keeps all.

    Returns:
        The kept points with the weights of their boxes; the graph from every kept point in the cloud to itself among the kept ones; and the
        graph from every point of the cloud to the kept point of its box.
    """
    kept, carried, member, ptr, first = [], [], [], [0], 0
    for sample in points.split():
        found = boxes(sample.pos.detach().cpu().numpy(), sample.weight.detach().cpu().numpy(), count)
        kept.append(found.kept + first)
        carried.append(found.weight)
        member.append(found.member + ptr[-1])
        ptr.append(ptr[-1] + len(found.kept))
        first += len(sample)
    index = torch.from_numpy(np.concatenate(kept)).to(points.pos.device)
    weight = torch.from_numpy(np.concatenate(carried)).to(points.weight)
    coarse = PointSet(points.pos.detach()[index], weight=weight, ptr=torch.tensor(ptr, device=points.pos.device))
    to_box = torch.from_numpy(np.concatenate(member)).to(points.pos.device)
    same = Graph(index, torch.arange(len(index), device=index.device), first, len(index))
    return coarse, same, Graph.sorted(torch.arange(first, device=to_box.device), to_box, first, len(coarse))


def _cut(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the points, box after box and by number within a box, and (count,) the start of every box."""
    n, d = points.shape
    # one order of all points along every axis and one by number; cutting a box in two keeps all of them sorted within the halves
    orders = [np.argsort(points[:, axis], kind="stable") for axis in range(d)] + [np.arange(n)]
    start, leaves = np.zeros(1, dtype=np.int64), np.array([count])
    to_left = np.empty(n, dtype=bool)
    while (leaves > 1).any():
        size = np.diff(start, append=n)
        last = start + size - 1
        axis = np.stack([points[o[last], i] - points[o[start], i] for i, o in enumerate(orders[:d])]).argmax(axis=0)
        whole = leaves == 1
        cut = np.where(whole, size, np.rint(size * (leaves // 2) / leaves)).astype(np.int64)
        number = np.repeat(np.arange(len(start)), size)
        in_first = np.arange(n) - start[number] < cut[number]
        for i in range(d):
            chosen = (axis == i)[number]
            to_left[orders[i][chosen]] = in_first[chosen]
        orders = [_divide(o, to_left, start, cut, number) for o in orders]
        start, leaves = _children(start, leaves, cut)
    return orders[-1], start


def _divide(order: np.ndarray, to_left: np.ndarray, start: np.ndarray, cut: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Within every box, first the points that go left, then the others, each in the order they had."""
    left = to_left[order]
    before = np.cumsum(left) - left  # of all boxes
    before -= before[start][number]  # of the own box
    position = np.arange(len(order))
    target = np.where(left, start[number] + before, position + cut[number] - before)
    divided = np.empty_like(order)
    divided[target] = order
    return divided


def _children(start: np.ndarray, leaves: np.ndarray, cut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Start and number of leaves of the halves; a box of one leaf stays as it is."""
    two = leaves > 1
    left = np.where(two, leaves // 2, 1)
    starts = np.stack([start, start + cut], axis=1)
    parts = np.stack([left, leaves - left], axis=1)
    keep = np.stack([np.ones_like(two), two], axis=1)
    return starts[keep], parts[keep]


def _centres(points: np.ndarray, weight: np.ndarray, start: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(count,) position of the point nearest to the weighted centre of every box (the first of several), and (count,) the box's weight."""
    total = np.add.reduceat(weight, start)
    share = np.where((total > 0)[number], weight, 1.0)  # a box without weight has a centre all the same
    centre = np.add.reduceat(share[:, None] * points, start) / np.add.reduceat(share, start)[:, None]
    squared = ((points - centre[number]) ** 2).sum(axis=1)
    nearest = np.flatnonzero(squared == np.minimum.reduceat(squared, start)[number])
    return nearest[np.unique(number[nearest], return_index=True)[1]], total
