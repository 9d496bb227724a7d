"""Layers beside what one would write without geoop: the same sums by index_select and index_add_, and PyTorch Geometric's layers. Ratios of one run."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from geoop.graph.graph import Graph
from geoop.graph.pointset import PointSet
from geoop.graph.pyg import edge_index
from geoop.graph.segment import weighted_sum
from geoop.layers.neighborhood import Nearest
from geoop.layers.pair_kernel import PairKernel
from geoop.operators.attention import Attention
from geoop.operators.graph_kernel import GraphKernel
from geoop.operators.mesh_graph_net import MeshGraphNetProcessor


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmark layers", description=__doc__)
    parser.add_argument("--points", type=int, default=8192)
    parser.add_argument("--neighbours", type=int, default=8)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    points = PointSet(torch.rand(given.points, 2), torch.randn(given.points, given.width), weight=torch.rand(given.points) + 0.5)
    graph = Nearest(given.neighbours).connect(points, points)
    print(
        f"{given.points} points, {graph.n_edges} edges, width {given.width}, {given.threads} thread(s); forward and backward, medians of {given.repeats}\n"
    )
    print("| what | geoop [ms] | plain [ms] | ratio | largest difference |\n| --- | --- | --- | --- | --- |")
    for name, (ours, theirs, same) in rows(points, graph, given.width).items():
        mine, plain = alternating([ours, theirs], given.repeats)
        gap = f"{float((ours() - theirs()).detach().abs().max()):.1e}" if same else "other weights"
        print(f"| {name} | {1e3 * mine:.1f} | {1e3 * plain:.1f} | {plain / mine:.1f} | {gap} |")


def alternating(functions: Sequence[Callable[[], Tensor]], repeats: int) -> list[float]:
    """Median seconds of forward and backward, in turns, so that what else the machine does meets all alike."""
    taken: list[list[float]] = [[] for _ in functions]
    gradients = [torch.ones_like(function().detach()) for function in functions]
    for turn in range(repeats + 2):
        for function, gradient, times in zip(functions, gradients, taken, strict=True):
            started = time.perf_counter()
            function().backward(gradient)
            if turn >= 2:
                times.append(time.perf_counter() - started)
    return [statistics.median(times) for times in taken]


def rows(points: PointSet, graph: Graph, width: int) -> dict[str, tuple[Callable[[], Tensor], Callable[[], Tensor], bool]]:
    """Name -> geoop's, the plain one, and whether both compute the same numbers."""
    from torch_geometric.nn import MetaLayer, NNConv, TransformerConv

    x = points.scalars.clone().requires_grad_()
    weight = torch.rand(graph.n_edges)

    def by_index() -> Tensor:
        out = torch.zeros(graph.n_target, width)
        return out.index_add_(0, graph.target, x.index_select(0, graph.source) * weight[:, None])

    edges = edge_index(graph)
    near = Nearest(8, smooth=True)
    kernel = GraphKernel(width, width, near, PairKernel(2, width, hidden=32))
    offset = near.pairs(points, points, graph).offset
    plain_kernel = NNConv(width, width, nn.Sequential(nn.Linear(2, 32), nn.GELU(), nn.Linear(32, width * width)), aggr="mean", root_weight=False)
    return {
        "message passing, fixed weights": (lambda: weighted_sum(x, graph, weight), by_index, True),
        "graph kernel (factored) against NNConv": (
            lambda: kernel(points.with_features(scalars=x), points, graph).scalars,
            lambda: plain_kernel(x, edges, offset),
            False,
        ),
        **attention_rows(points, x, width, TransformerConv),
        **mesh_rows(points, graph, width, MetaLayer),
    }


def attention_rows(points: PointSet, x: Tensor, width: int, transformer: Callable[..., nn.Module]) -> dict:
    """Attention among all latent points of 8 samples of 128."""
    count = min(1024, len(points))
    ptr = torch.arange(0, count + 1, count // 8)
    latents = PointSet(points.pos[:count], points.scalars[:count], weight=points.weight[:count], ptr=ptr)
    sample = latents.batch
    pairs = (sample[:, None] == sample[None, :]).nonzero().T.flip(0).contiguous()
    ours, theirs = Attention(width, heads=4), transformer(width, width // 4, heads=4)
    z = x.detach()[:count].clone().requires_grad_()
    none = ours.connect(latents, latents)
    return {
        "attention within 8 samples of 128 against TransformerConv": (
            lambda: ours(latents.with_features(scalars=z), latents.with_features(scalars=z), none).scalars,
            lambda: theirs(z, pairs),
            False,
        )
    }


def mesh_rows(points: PointSet, graph: Graph, width: int, meta: Callable[..., nn.Module]) -> dict:
    """One block of MeshGraphNet against PyG's MetaLayer with perceptrons of the published width on every edge."""

    class Edges(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(3 * width, width), nn.ReLU(), nn.Linear(width, width), nn.LayerNorm(width))

        def forward(self, source: Tensor, target: Tensor, edge: Tensor, *_: object) -> Tensor:
            return edge + self.net(torch.cat([source, target, edge], 1))

    class Nodes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width), nn.LayerNorm(width))

        def forward(self, x: Tensor, index: Tensor, edge: Tensor, *_: object) -> Tensor:
            total = torch.zeros_like(x).index_add_(0, index[1], edge)
            return x + self.net(torch.cat([x, total], 1))

    ours = MeshGraphNetProcessor(width, edge_width=width, depth=1, world=False)
    theirs, edges = meta(Edges(), Nodes()), edge_index(graph)
    x = points.scalars.clone().requires_grad_()
    messages = torch.randn(graph.n_edges, width)
    connection = ours.connect(points, points)
    return {
        "block of MeshGraphNet against MetaLayer": (
            lambda: ours(points.with_features(scalars=x), points.with_features(scalars=x), connection).scalars,
            lambda: theirs(x, edges, messages)[0],
            False,
        )
    }


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
