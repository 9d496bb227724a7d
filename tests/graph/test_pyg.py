"""Out to PyTorch Geometric and back, in ragged batches."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from geoop.errors import ShapeError
from geoop.graph.graph import Graph
from geoop.graph.neighbors import knn
from geoop.graph.pointset import PointSet
from geoop.graph.pyg import edge_index, from_data, from_hetero, graph_from_data, loader, to_data, to_hetero

SIZES = (5, 1, 9, 3)


def cloud(n, d=2, seed=0):
    g = torch.Generator().manual_seed(seed + n)
    return PointSet(*(torch.rand(n, *s, generator=g) for s in ((d,), (3,), (2, d), ())))


def assert_equal(a, b):
    for name in ("pos", "scalars", "vectors", "weight", "ptr"):
        assert torch.equal(getattr(a, name), getattr(b, name)), name


def test_one_sample_comes_back():
    points = cloud(7, d=3)
    graph = knn(points.pos, points.pos, 2)
    data = to_data(points, graph)
    assert data.num_nodes == 7 and data.validate()
    assert sorted(data.keys()) == ["edge_index", "pos", "vectors", "weight", "x"]
    assert_equal(from_data(data), points)
    assert torch.equal(graph_from_data(data).source, graph.source)


def test_a_batch_of_different_sizes_comes_back():
    from torch_geometric.data import Batch

    parts = [cloud(n) for n in SIZES]
    graphs = [knn(p.pos, p.pos, 2) for p in parts]
    batch = Batch.from_data_list([to_data(p, g) for p, g in zip(parts, graphs, strict=True)])
    assert_equal(from_data(batch), PointSet.concatenate(parts))
    graph, expected = graph_from_data(batch), Graph.concatenate(graphs)
    assert torch.equal(graph.source, expected.source) and torch.equal(graph.target, expected.target)
    for part, data in zip(parts, batch.to_data_list(), strict=True):
        assert_equal(from_data(data), part)


def test_several_clouds_and_graphs_between_them():
    from torch_geometric.data import Batch

    surfaces, queries = [cloud(n) for n in SIZES], [cloud(n, seed=50) for n in (2, 8, 4, 1)]
    graphs = [knn(s.pos, q.pos, 3) for s, q in zip(surfaces, queries, strict=True)]
    samples = [to_hetero({"surface": s, "queries": q}, {("surface", "queries"): g}) for s, q, g in zip(surfaces, queries, graphs, strict=True)]
    clouds, found = from_hetero(Batch.from_data_list(samples))
    assert_equal(clouds["surface"], PointSet.concatenate(surfaces))
    assert_equal(clouds["queries"], PointSet.concatenate(queries))
    expected, graph = Graph.concatenate(graphs), found["surface", "queries"]
    assert torch.equal(graph.source, expected.source) and torch.equal(graph.target, expected.target)
    whole = knn(clouds["surface"].pos, clouds["queries"].pos, 3, clouds["surface"].ptr, clouds["queries"].ptr)
    assert torch.equal(graph.source, whole.source)
    alone, _ = from_hetero(samples[0])
    assert_equal(alone["queries"], queries[0])


def test_the_loader_repeats_its_order_and_changes_it_every_epoch():
    data = [to_data(cloud(n)) for n in range(1, 9)]

    def epochs(seed):
        batches = loader(data, 3, shuffle=True, seed=seed)
        return [[from_data(b).ptr.diff().tolist() for b in batches] for _ in range(2)]

    first, second = epochs(0)
    assert [first, second] == epochs(0) and first != second and first != epochs(1)[0]
    assert sorted(size for batch in first for size in batch) == list(range(1, 9))
    assert [from_data(b).batch_size for b in loader(data, 3)] == [3, 3, 2]


def test_data_of_others_is_read():
    from torch_geometric.data import Data

    points = from_data(Data(pos=torch.rand(4, 3), x=torch.tensor([[1], [0], [2], [1]]), y=torch.rand(4)))
    assert points.scalars.dtype == torch.float32 and points.vectors.shape == (4, 0, 3) and points.weight.tolist() == [1.0] * 4
    edges = torch.tensor([[0, 1, 2], [2, 0, 1]])
    assert graph_from_data(Data(pos=torch.rand(3, 2), edge_index=edges)).source.tolist() == [1, 2, 0]
    assert edge_index(graph_from_data(Data(pos=torch.rand(3, 2), edge_index=edges))).tolist() == [[1, 2, 0], [0, 1, 2]]


def test_bad_input_is_named():
    from torch_geometric.data import Data

    with pytest.raises(ShapeError, match="no positions"):
        from_data(Data(x=torch.rand(4, 3)))
    with pytest.raises(ShapeError, match="no edge_index"):
        graph_from_data(Data(pos=torch.rand(4, 3)))
    with pytest.raises(ShapeError, match="2 samples"):
        to_data(PointSet.concatenate([cloud(2), cloud(3)]))
    with pytest.raises(ShapeError, match="leads from 3 to 3"):
        to_data(cloud(2), Graph.unconnected(3, 3))
    with pytest.raises(ShapeError, match="leads from"):
        to_hetero({"a": cloud(2), "b": cloud(3)}, {("a", "b"): Graph.unconnected(3, 2)})


def test_nothing_of_pyg_is_loaded_before_it_is_used():
    code = "import sys, geoop.graph.pyg, geoop.graph.segment, geoop.graph.neighbors; print('torch_geometric' in sys.modules, 'warp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == ["False", "False"]
