"""Edges: order, derived orders, batches, bad input."""

from __future__ import annotations

import pytest
import torch

from geoop.errors import ShapeError
from geoop.graph.graph import Graph


def test_equal_edge_sets_give_equal_graphs():
    source, target = torch.tensor([2, 0, 1, 0]), torch.tensor([1, 1, 0, 3])
    graph = Graph.sorted(source, target, 3, 4)
    assert graph.target.tolist() == [0, 1, 1, 3] and graph.source.tolist() == [1, 0, 2, 0]
    order = torch.randperm(4)
    other = Graph.sorted(source[order], target[order], 3, 4)
    assert torch.equal(other.source, graph.source) and torch.equal(other.target, graph.target)
    assert graph.degree.tolist() == [1, 2, 0, 1] and graph.ptr.tolist() == [0, 1, 3, 3, 4] and graph.n_edges == 4


def test_by_source_is_the_transpose():
    generator = torch.Generator().manual_seed(0)
    graph = Graph.sorted(torch.randint(5, (30,), generator=generator), torch.randint(9, (30,), generator=generator), 6, 9)
    ptr, target, order = graph.by_source
    assert torch.equal(ptr.diff(), torch.bincount(graph.source, minlength=6)) and len(ptr) == 7
    assert torch.equal(order, torch.argsort(graph.source, stable=True)) and torch.equal(graph.target[order], target)
    assert {part.dtype for part in graph.by_source} == {torch.int64}


def test_a_batch_of_graphs_is_their_union_with_shifted_numbers():
    one = Graph(torch.tensor([1, 0]), torch.tensor([0, 2]), 2, 3)
    none = Graph.unconnected(4, 1)
    batch = Graph.concatenate([one, none, one])
    assert (batch.n_source, batch.n_target) == (8, 7)
    assert batch.source.tolist() == [1, 0, 7, 6] and batch.target.tolist() == [0, 2, 4, 6]
    assert batch.to("cpu").ptr.tolist() == batch.ptr.tolist()


def test_bad_edges_are_named():
    zero, one = torch.tensor([0, 0]), torch.tensor([1, 1])
    with pytest.raises(ShapeError, match="not ascending"):
        Graph(zero, torch.tensor([1, 0]), 1, 2)
    with pytest.raises(ShapeError, match=r"source uses indices 1..1, but there are 1 points; target uses indices -1..-1"):
        Graph.sorted(one, -one, 1, 2)
    with pytest.raises(ShapeError, match="target uses"):
        Graph(zero, one, 1, 1)
    with pytest.raises(ShapeError):
        Graph(zero, torch.tensor([0]), 1, 1)


def test_a_batch_keeps_the_orders_of_its_samples():
    g = torch.Generator().manual_seed(0)
    parts = [
        Graph.sorted(torch.randint(n, (5 * n,), generator=g), torch.randint(m, (5 * n,), generator=g), n, m) for n, m in ((4, 7), (9, 2), (1, 3))
    ]
    whole = Graph.concatenate(parts)
    fresh = Graph(whole.source, whole.target, whole.n_source, whole.n_target)
    assert torch.equal(whole.ptr, fresh.ptr)
    assert all(torch.equal(a, b) for a, b in zip(whole.by_source, fresh.by_source, strict=True))


def test_equally_many_neighbours_make_a_table_and_others_are_named():
    graph = Graph(torch.tensor([3, 1, 0, 2]), torch.tensor([0, 0, 1, 1]), 4, 2)
    assert graph.table.tolist() == [[3, 1], [0, 2]]
    assert Graph.unconnected(3, 0).table.shape == (0, 0)
    with pytest.raises(ShapeError, match="1 to 3 neighbours"):
        Graph(torch.tensor([0, 1, 2, 3]), torch.tensor([0, 1, 1, 1]), 4, 2).table  # noqa: B018


def test_parts_of_the_targets_have_the_edges_of_the_whole():
    graph = Graph(torch.tensor([3, 1, 0, 2, 2]), torch.tensor([0, 0, 1, 3, 3]), 4, 6)
    edges, part = graph.of_targets(1, 4)
    assert edges == slice(2, 5) and part.source.tolist() == [0, 2, 2] and part.target.tolist() == [0, 2, 2]
    fresh = Graph(part.source, part.target, 4, 3)
    assert part.ptr.tolist() == fresh.ptr.tolist() and torch.equal(part.by_source[0], fresh.by_source[0])
    assert graph.of_targets(4, 6)[1].n_edges == 0 and graph.of_targets(0, 6)[1].ptr.tolist() == graph.ptr.tolist()
