"""Edges between two point sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from ..axes import check
from ..errors import ShapeError


@dataclass(frozen=True, eq=False)
class Graph:
    """Edges from source points to target points, sorted by target, so that a reduction over neighbours is one pass.

    Derived orders (:attr:`ptr`, :attr:`by_source`) are computed once and kept with the object, which never changes.

    Attributes:
        source: (e,) int64 index into the source points.
        target: (e,) int64 index into the target points, ascending.
        n_source: number of source points.
        n_target: number of target points.

    Raises:
        ShapeError: an index is out of range, or targets are not ascending (:meth:`sorted` takes edges in any order).
    """

    source: Tensor
    target: Tensor
    n_source: int
    n_target: int

    def __post_init__(self) -> None:
        check(source=(self.source, "e"), target=(self.target, "e"))
        if not torch.compiler.is_compiling():
            problems = list(_problems(self))
            if problems:
                raise ShapeError("; ".join(problems), where="Graph", remedy="number the points from 0 and build with Graph.sorted(...)")

    @classmethod
    def sorted(cls, source: Tensor, target: Tensor, n_source: int, n_target: int) -> Graph:
        """A graph from edges in any order; ties are ordered by source, so that equal edge sets give equal graphs."""
        # the range must be known to be right before two indices are packed into one key
        problems = list(_out_of_range(source, target, n_source, n_target))
        if problems:
            raise ShapeError("; ".join(problems), where="Graph", remedy="number the points of each cloud from 0")
        width = max(n_source, 1)
        key = target.long() * width + source.long()
        # numpy sorts integers several times faster than torch does on a CPU
        key = torch.sort(key).values if key.is_cuda else torch.from_numpy(np.sort(key.numpy()))
        target = torch.div(key, width, rounding_mode="floor")
        return cls(key - target * width, target, n_source, n_target)

    @classmethod
    def unconnected(cls, n_source: int, n_target: int, device: torch.device | None = None) -> Graph:
        """A graph without edges: for operators that act on whole clouds."""
        none = torch.empty(0, dtype=torch.int64, device=device)
        return cls(none, none, n_source, n_target)

    @staticmethod
    def concatenate(graphs: Sequence[Graph]) -> Graph:
        """Graphs of several samples as the graph of their batch; goes with :meth:`PointSet.concatenate`.

        The derived orders are put together from those of the samples, which keep them: sorting every batch anew would cost as much as a layer.
        """
        n_source, n_target, n_edges = (
            [0, *accumulate(counts)] for counts in zip(*((g.n_source, g.n_target, g.n_edges) for g in graphs), strict=True)
        )
        orders = [g.by_source for g in graphs]
        return _known(
            source=torch.cat([g.source + k for g, k in zip(graphs, n_source, strict=False)]),
            target=torch.cat([g.target + k for g, k in zip(graphs, n_target, strict=False)]),
            n_source=n_source[-1],
            n_target=n_target[-1],
            ptr=_joined([g.ptr for g in graphs], n_edges),
            by_source=(
                _joined([order[0] for order in orders], n_edges),
                torch.cat([order[1] + k for order, k in zip(orders, n_target, strict=False)]),
                torch.cat([order[2] + k for order, k in zip(orders, n_edges, strict=False)]),
            ),
        )

    @property
    def n_edges(self) -> int:
        return self.source.shape[0]

    @cached_property
    def degree(self) -> Tensor:
        """(n_target,) number of edges that end at each target."""
        return torch.bincount(self.target, minlength=self.n_target)

    @cached_property
    def ptr(self) -> Tensor:
        """(n_target+1,) start of every target's edges."""
        return torch.cat([self.degree.new_zeros(1), self.degree.cumsum(0)])

    @property
    def table(self) -> Tensor:
        """(n_target, k) sources of every target.

        Raises:
            ShapeError: some targets have more edges than others.
        """
        k = self.n_edges // max(self.n_target, 1)
        if not torch.compiler.is_compiling() and bool((self.degree != k).any()):
            raise ShapeError(
                f"targets have {int(self.degree.min())} to {int(self.degree.max())} neighbours, all must have equally many",
                where="Graph.table",
                remedy="give every sample at least as many source points as there are neighbours",
            )
        return self.source.view(self.n_target, k)

    @cached_property
    def by_source(self) -> tuple[Tensor, Tensor, Tensor]:
        """The edges in order of source: (n_source+1,) start of every source's edges, (e,) their targets, (e,) their numbers here."""
        if self.source.is_cuda:
            order = torch.argsort(self.source, stable=True)
            counts = torch.bincount(self.source, minlength=self.n_source)
            return torch.cat([counts.new_zeros(1), counts.cumsum(0)]), self.target[order], order
        # transposing a sparse matrix is a sort by counting: linear in the edges
        numbers = np.arange(self.n_edges)
        rows = csr_matrix((numbers, self.source.numpy(), self.ptr.numpy()), shape=(self.n_target, self.n_source)).tocsc()
        start, target, order = (torch.from_numpy(a.astype(np.int64, copy=False)) for a in (rows.indptr, rows.indices, rows.data))
        return start, target, order

    def of_targets(self, start: int, stop: int) -> tuple[slice, Graph]:
        """The edges that end at the targets ``start`` to ``stop`` (left out).

        Returns:
            Where they stand among the (e,) edges, and the graph of them with ``stop - start`` targets, which count from 0.
        """
        first, last = self.ptr[[start, stop]].tolist()
        edges = slice(first, last)
        part = {"source": self.source[edges], "target": self.target[edges] - start, "n_source": self.n_source, "n_target": stop - start}
        return edges, _known(**part, ptr=self.ptr[start : stop + 1] - first)

    def to(self, device) -> Graph:
        """The same graph on another device, with the orders that are known."""
        return _known(**{name: _moved(value, device) for name, value in vars(self).items()})


def _known(**parts) -> Graph:
    """A graph of parts that are known to be right because they come from graphs: to look at every edge again would cost as much as a layer."""
    graph = object.__new__(Graph)
    vars(graph).update(parts)
    return graph


def _moved(value, device):
    """A tensor or a tuple of tensors on another device, anything else as it is."""
    if isinstance(value, tuple):
        return tuple(part.to(device) for part in value)
    return value.to(device) if isinstance(value, Tensor) else value


def _joined(starts: list[Tensor], shifts: list[int]) -> Tensor:
    """Starts of segments of several samples, each with its own end, as one list."""
    return torch.cat([starts[0][:1], *(start[1:] + shift for start, shift in zip(starts, shifts, strict=False))])


def _out_of_range(source: Tensor, target: Tensor, n_source: int, n_target: int):
    for name, index, count in (("source", source, n_source), ("target", target, n_target)):
        if index.numel() and (int(index.min()) < 0 or int(index.max()) >= count):
            yield f"{name} uses indices {int(index.min())}..{int(index.max())}, but there are {count} points"


def _problems(graph: Graph):
    yield from _out_of_range(graph.source, graph.target, graph.n_source, graph.n_target)
    if bool((graph.target[1:] < graph.target[:-1]).any()):
        yield "targets are not ascending, and reductions over neighbours would be wrong"
