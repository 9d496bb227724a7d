"""Zoo entries of the graph kernel, attention, the parts of the default model, and layers of PyTorch Geometric."""

from __future__ import annotations

import torch

from geoop.decoders.local_attention import LocalAttention
from geoop.encoders.body_latents import BodyLatents
from geoop.layers.attention import PairBias
from geoop.layers.neighborhood import Ball, Nearest
from geoop.layers.operator import Symmetry
from geoop.layers.pair_kernel import PairKernel
from geoop.operators.attention import Attention
from geoop.operators.graph_kernel import GraphKernel
from geoop.operators.latent_mixer import LatentMixer
from geoop.operators.layer_potential import LayerPotential
from geoop.operators.pyg_layer import PyGLayer

from .zoo import QUERIES, Cloud, Entry, placed, ring


def sage():
    from torch_geometric.nn import SAGEConv

    return PyGLayer(SAGEConv((3, 2), 5), Nearest(4), symmetry=Symmetry.E)


def gat():
    from torch_geometric.nn import GATv2Conv

    layer = GATv2Conv((3, 2), 2, heads=2, edge_dim=2, add_self_loops=False)
    return PyGLayer(layer, Ball(0.7), edge_attr=True, symmetry=Symmetry.TRANSLATION)


def transformer():
    from torch_geometric.nn import TransformerConv

    return PyGLayer(TransformerConv((3, 2), 4, edge_dim=2), Nearest(4), edge_attr=True, symmetry=Symmetry.TRANSLATION)


def pointnet():
    from torch_geometric.nn import PointNetConv

    layer = PointNetConv(torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4)), add_self_loops=False)
    return PyGLayer(layer, Nearest(4), pos=True, symmetry=Symmetry.TRANSLATION)


ENTRIES: dict[str, Entry] = {
    "graph kernel in a ball": Entry(lambda: GraphKernel(3, 5, Ball(0.7), PairKernel(2, 8, octaves=1)), target=QUERIES),
    "graph kernel, hard rim, integral": Entry(lambda: GraphKernel(3, 5, Ball(0.7, smooth=False), PairKernel(2, 8), measure=1.5), target=QUERIES),
    "graph kernel, conditioned, local term": Entry(
        lambda: GraphKernel(3, 5, Ball(0.7), PairKernel(2, 8, source_channels=3, target_channels=2), target_channels=2), target=QUERIES
    ),
    "graph kernel, nearest": Entry(lambda: GraphKernel(3, 5, Nearest(4), PairKernel(2, 8)), target=QUERIES),
    "graph kernel, nearest, smooth, 3-D": Entry(
        lambda: GraphKernel(3, 5, Nearest(5, smooth=True), PairKernel(3, 8)),
        source=Cloud(dimension=3),
        target=Cloud(scalars=0, dimension=3, sizes=(5, 1, 8)),
    ),
    "radial graph kernel": Entry(lambda: GraphKernel(3, 5, Ball(0.7), PairKernel(2, 8, radial=True)), target=QUERIES),
    "radial graph kernel within one cloud, 3-D": Entry(
        lambda: GraphKernel(3, 3, Ball(0.9), PairKernel(3, 8, radial=True, octaves=2), target_channels=3), source=Cloud(dimension=3)
    ),
    "cross-attention": Entry(lambda: Attention(4, source_channels=3, heads=2), target=Cloud(scalars=4, sizes=(5, 1, 8))),
    "cross-attention with relative positions": Entry(
        lambda: Attention(4, source_channels=3, heads=2, bias=PairBias(2, 2)), target=Cloud(scalars=4, sizes=(5, 1, 8))
    ),
    "self-attention with distances": Entry(lambda: Attention(4, heads=2, bias=PairBias(3, 2, radial=True)), source=Cloud(scalars=4, dimension=3)),
    "latent mixer": Entry(
        lambda: LatentMixer(4, depth=2, heads=2, densities=2, hidden=8, wall=6, neighbours=4),
        source=Cloud(scalars=5, vectors=1, sizes=(12, 12, 12), adapt=lambda points: ring(placed(points), 6)),
        ordered=True,
        any_size=False,
        fixed_geometry=True,
    ),
    "layer potential": Entry(
        LayerPotential, source=Cloud(scalars=4, lattice=1, adapt=ring), target=QUERIES, ordered=True, any_size=False, weighted=False
    ),
    "body latents": Entry(
        lambda: BodyLatents(3, 4, 5), source=Cloud(scalars=3, vectors=1), target=Cloud(scalars=5, vectors=1, sizes=(5, 1, 8), adapt=placed)
    ),
    "local attention": Entry(
        lambda: LocalAttention(4, 4, heads=2), source=Cloud(scalars=5, vectors=1, adapt=placed), target=Cloud(scalars=4, sizes=(5, 1, 8))
    ),
    "SAGEConv": Entry(sage, target=QUERIES),
    "GATv2Conv": Entry(gat, target=QUERIES),
    "TransformerConv": Entry(transformer, target=QUERIES),
    "PointNetConv": Entry(pointnet, target=QUERIES),
}
