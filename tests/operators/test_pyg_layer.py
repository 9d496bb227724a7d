"""Layers of PyTorch Geometric as operators, against calling them by hand."""

from __future__ import annotations

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.layers.neighborhood import Ball, Nearest
from geoop.operators.pyg_layer import PyGLayer


@pytest.fixture
def clouds():
    source = PointSet(torch.rand(12, 2), torch.randn(12, 3), ptr=torch.tensor([0, 7, 12]))
    target = PointSet(torch.rand(9, 2), torch.randn(9, 5), ptr=torch.tensor([0, 4, 9]))
    return source, target


def by_hand(source, target, k):
    """(2, e) edges from a loop over samples and targets."""
    edges = []
    for s in range(2):
        mine = range(int(source.ptr[s]), int(source.ptr[s + 1]))
        for i in range(int(target.ptr[s]), int(target.ptr[s + 1])):
            edges += [(j, i) for j in sorted(mine, key=lambda j: float((source.pos[j] - target.pos[i]).norm()))[:k]]
    return torch.tensor(edges).T


def offsets(source, target, edges):
    offset = source.pos[edges[0]] - target.pos[edges[1]]
    furthest = torch.stack([offset[edges[1] == i].norm(dim=1).max() for i in range(len(target))])
    return offset / furthest[edges[1], None]


def test_layers_on_features_alone(clouds):
    from torch_geometric.nn import GraphConv, SAGEConv

    source, target = clouds
    for layer in (SAGEConv((3, 5), 8), SAGEConv((3, 5), 8, aggr="max"), GraphConv((3, 5), 8)):
        operator = PyGLayer(layer, Nearest(3))
        result = operator(source, target, operator.connect(source, target))
        torch.testing.assert_close(result.scalars, layer((source.scalars, target.scalars), by_hand(source, target, 3)), rtol=0, atol=1e-6)
        assert result.scalars.shape == (9, 8) and result.pos is target.pos


def test_layers_with_edge_features(clouds):
    from torch_geometric.nn import GATv2Conv, TransformerConv

    source, target = clouds
    for layer in (GATv2Conv((3, 5), 4, heads=2, edge_dim=2, add_self_loops=False), TransformerConv((3, 5), 8, edge_dim=2)):
        operator = PyGLayer(layer, Nearest(3), edge_attr=True)
        edges = by_hand(source, target, 3)
        expected = layer((source.scalars, target.scalars), edges, offsets(source, target, edges))
        torch.testing.assert_close(operator(source, target, operator.connect(source, target)).scalars, expected, rtol=0, atol=1e-5)


def test_layers_with_positions(clouds):
    from torch_geometric.nn import PointNetConv, PointTransformerConv

    source, target = clouds
    edges = by_hand(source, target, 3)
    plain = PointNetConv(torch.nn.Linear(5, 8), add_self_loops=False)
    attending = PointTransformerConv((3, 5), 8, pos_nn=torch.nn.Linear(2, 8), add_self_loops=False)
    for layer in (plain, attending):
        operator = PyGLayer(layer, Nearest(3), pos=True)
        expected = layer((source.scalars, target.scalars), (source.pos, target.pos), edges)
        torch.testing.assert_close(operator(source, target, operator.connect(source, target)).scalars, expected, rtol=0, atol=1e-5)


def test_a_layer_learns_inside_an_operator(clouds):
    from torch_geometric.nn import SAGEConv

    source, target = clouds
    operator = PyGLayer(SAGEConv((3, 5), 1), Ball(0.5))
    graph, wanted = operator.connect(source, target), torch.randn(9, 1)
    optimiser = torch.optim.Adam(operator.parameters(), lr=0.1)
    losses = []
    for _ in range(20):
        loss = (operator(source, target, graph).scalars - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_self_loops_between_two_clouds_are_refused():
    from torch_geometric.nn import GATv2Conv

    with pytest.raises(ConfigurationError, match="connects point i") as error:
        PyGLayer(GATv2Conv((3, 5), 4), Nearest(3))
    assert "add_self_loops=False" in error.value.remedy
