"""What every operator claims, measured. A new operator is one line in ``ZOO``.

Everything runs in float64: the tolerance of float32 hides a broken symmetry.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pytest
import torch
from safetensors.torch import load, save

from geoop.decoders.local_attention import LocalAttention
from geoop.encoders.body_latents import BodyLatents
from geoop.graph.graph import Graph
from geoop.graph.pointset import PointSet
from geoop.layers.attention import PairBias
from geoop.layers.neighborhood import Ball, Nearest
from geoop.layers.operator import AbstractOperator, Symmetry
from geoop.layers.pair_kernel import PairKernel
from geoop.operators.attention import Attention
from geoop.operators.graph_kernel import GraphKernel
from geoop.operators.latent_mixer import LatentMixer
from geoop.operators.layer_potential import LayerPotential
from geoop.operators.pyg_layer import PyGLayer
from geoop.references import bibtex

EXACT = 1e-9


@dataclass(frozen=True)
class Cloud:
    """Random points with random features.

    ``sizes``: points of three samples; ``adapt``: gives the arrays the meaning that an operator needs, e.g. unit normals, a closed ring;
    ``lattice``: dimension of the lattice that is refined, of space if None.
    """

    scalars: int = 3
    vectors: int = 0
    dimension: int = 2
    sizes: tuple[int, int, int] = (9, 14, 6)
    lattice: int | None = None
    adapt: Callable[[PointSet], PointSet] = field(default=lambda points: points)

    def sample(self, n: int, seed: int) -> PointSet:
        g = torch.Generator().manual_seed(seed)
        shapes = ((self.dimension,), (self.scalars,), (self.vectors, self.dimension))
        pos, scalars, vectors = (torch.randn(n, *s, generator=g, dtype=torch.float64) for s in shapes)
        return self.adapt(PointSet(0.5 * pos, scalars, vectors, torch.rand(n, generator=g, dtype=torch.float64) + 0.1))

    def batch(self) -> PointSet:
        return PointSet.concatenate([self.sample(n, seed) for seed, n in enumerate(self.sizes)])


@dataclass(frozen=True)
class Entry:
    """An operator of the zoo.

    ``target=None``: it mixes one cloud, target and source are the same object. ``ordered``: the order of the points carries meaning, so
    they cannot be permuted. ``any_size``: it takes samples of any size, one point included. ``weighted``: it reads quadrature weights.
    ``fixed_geometry``: it keeps no derivative by what belongs to the geometry.
    """

    make: Callable[[], AbstractOperator]
    source: Cloud = Cloud()
    target: Cloud | None = None
    ordered: bool = False
    any_size: bool = True
    weighted: bool = True
    fixed_geometry: bool = False


def placed(points: PointSet) -> PointSet:
    """The first vector is a unit normal, the last scalar a positive spacing."""
    normal = torch.nn.functional.normalize(points.vectors[:, :1], dim=2)
    spacing = points.scalars[:, -1:].abs() + 0.2
    return points.with_features(torch.cat([points.scalars[:, :-1], spacing], 1), torch.cat([normal, points.vectors[:, 1:]], 1))


def ring(points: PointSet, count: int | None = None) -> PointSet:
    """The first ``count`` points (all of them) on a smooth closed curve around the origin, in order and at uneven distances."""
    n = len(points) if count is None else count
    angle = 2 * torch.pi * torch.arange(n, dtype=torch.float64) / n
    angle = angle + 0.3 * torch.sin(angle)
    curve = (2 + 0.2 * torch.cos(3 * angle) + 0.3 * torch.sin(angle))[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    return replace(points, pos=torch.cat([curve, points.pos[n:]]))


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


QUERIES = Cloud(scalars=2, sizes=(5, 1, 8))

ZOO: dict[str, Entry] = {
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


def zoo(keep: Callable[[Entry], bool] = lambda entry: True):
    """Parametrise over the zoo, or over a part of it."""
    return pytest.mark.parametrize("entry", [pytest.param(entry, id=name) for name, entry in ZOO.items() if keep(entry)])


def build(entry: Entry, seed: int = 0) -> AbstractOperator:
    torch.manual_seed(seed)
    return entry.make().double().eval()


def clouds(entry: Entry) -> tuple[PointSet, PointSet]:
    source = entry.source.batch()
    return source, source if entry.target is None else entry.target.batch()


def apply(operator: AbstractOperator, source: PointSet, target: PointSet) -> PointSet:
    with torch.no_grad():
        return operator(source, target, operator.connect(source, target))


def difference(a: PointSet, b: PointSet) -> float:
    """Largest difference of the features, in units of their size."""
    pairs = [(x, y) for x, y in ((a.scalars, b.scalars), (a.vectors, b.vectors)) if x.numel()]
    return max(float((x - y).abs().max() / (1e-3 + y.abs().max())) for x, y in pairs)


def shuffled(points: PointSet, seed: int) -> tuple[PointSet, torch.Tensor]:
    """The points of every sample in another order, and that order."""
    g = torch.Generator().manual_seed(seed)
    order = torch.cat([a + torch.randperm(int(b - a), generator=g) for a, b in zip(points.ptr, points.ptr[1:], strict=False)])
    return points.take(order), order


@zoo(lambda entry: not entry.ordered)
def test_the_order_of_points_does_not_matter(entry):
    operator, (source, target) = build(entry), clouds(entry)
    expected = apply(operator, source, target)
    other_source, order = shuffled(source, 1)
    other_target, order = (other_source, order) if entry.target is None else shuffled(target, 2)
    assert difference(apply(operator, other_source, other_target), expected.take(order)) < EXACT


@zoo()
def test_the_order_of_edges_does_not_matter(entry):
    operator, (source, target) = build(entry), clouds(entry)
    graph = operator.connect(source, target)
    order = torch.randperm(graph.n_edges)
    order = order[torch.argsort(graph.target[order], stable=True)]
    other = Graph(graph.source[order], graph.target[order], graph.n_source, graph.n_target)
    with torch.no_grad():
        assert difference(operator(source, target, other), operator(source, target, graph)) < EXACT


@zoo()
def test_a_batch_equals_its_samples(entry):
    operator, (source, target) = build(entry), clouds(entry)
    whole = apply(operator, source, target)
    parts = [(s, s if entry.target is None else t) for s, t in zip(source.split(), target.split(), strict=True)]
    assert difference(whole, PointSet.concatenate([apply(operator, s, t) for s, t in parts])) < EXACT


@zoo()
def test_it_repeats_itself_bit_by_bit(entry):
    operator, (source, target) = build(entry), clouds(entry)
    assert difference(apply(operator, source, target), apply(operator, source, target)) == 0


def moves(dimension: int) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """name -> matrix and shift."""
    one, none = torch.eye(dimension, dtype=torch.float64), torch.zeros(dimension, dtype=torch.float64)
    turn = torch.arange(dimension**2, dtype=torch.float64).reshape(dimension, dimension)
    mirror = one.clone()
    mirror[0, 0] = -1
    return {"translation": (one, none + 3.7), "rotation": (torch.linalg.matrix_exp(turn - turn.T), none), "reflection": (mirror, none)}


CLAIMED = {
    Symmetry.NONE: (),
    Symmetry.TRANSLATION: ("translation",),
    Symmetry.SE: ("translation", "rotation"),
    Symmetry.E: ("translation", "rotation", "reflection"),
}


def moved(points: PointSet, matrix: torch.Tensor, shift: torch.Tensor) -> PointSet:
    return replace(points, pos=points.pos @ matrix.T + shift, vectors=points.vectors @ matrix.T)


def broken_symmetries(operator: AbstractOperator, source: PointSet, target: PointSet) -> set[str]:
    expected, broken = apply(operator, source, target), set()
    for name, move in moves(source.dimension).items():
        moved_source = moved(source, *move)
        result = apply(operator, moved_source, moved_source if target is source else moved(target, *move))
        error = difference(result, moved(expected, move[0], move[1]))
        if error > EXACT:
            broken.add(name)
            assert error > 1e-4, f"{name} is broken by {error:.1e} only: rounding or a real dependence?"
    return broken


@zoo()
def test_declared_symmetry_holds_and_no_other(entry):
    operator, (source, target) = build(entry), clouds(entry)
    assert broken_symmetries(operator, source, target) == set(moves(2)) - set(CLAIMED[operator.symmetry])


@zoo(lambda entry: entry.target is not None)
def test_every_target_is_computed_by_itself(entry):
    operator, (source, target) = build(entry), clouds(entry)
    whole = apply(operator, source, target)
    assert len(whole) == len(target) and torch.equal(whole.pos, target.pos) and torch.equal(whole.ptr, target.ptr)
    for index in (torch.arange(0, len(target), 2), torch.tensor([len(target) - 1])):  # leaves whole samples without targets
        assert difference(apply(operator, source, target.take(index)), whole.take(index)) < EXACT


@zoo(lambda entry: entry.any_size)
def test_single_points_and_empty_balls(entry):
    operator = build(entry)
    width = apply(operator, *clouds(entry)).scalars.shape[1]
    for n_source, n_target in ((1, 1), (2, 3), (3, 1)):
        source = entry.source.sample(n_source, 7)
        target = source if entry.target is None else entry.target.sample(n_target, 8)
        if entry.target is not None:
            target = replace(target, pos=target.pos + 50.0)  # far outside every ball
        result = apply(operator, source, target)
        assert result.scalars.shape == (len(target), width) and torch.isfinite(result.scalars).all() and torch.isfinite(result.vectors).all()


@zoo(lambda entry: entry.any_size and entry.target is not None)
def test_an_empty_ball_still_sees_its_nearest_point(entry):
    operator = build(entry)
    source, target = entry.source.sample(1, 7), entry.target.sample(2, 8)
    target = replace(target, pos=target.pos + 50.0)
    other = source.with_features(source.scalars + 1.0 * torch.arange(source.scalars.shape[1]))
    assert difference(apply(operator, source, target), apply(operator, other, target)) > 1e-4


@zoo()
def test_gradients(entry):
    operator = build(entry)
    source = entry.source.sample(min(entry.source.sizes), 3)
    target = source if entry.target is None else entry.target.sample(3, 4)
    graph = operator.connect(source, target)
    arrays = [t.clone() for points in (source, target) for t in (points.pos, points.scalars, points.vectors, points.weight)]
    at = [a.requires_grad_(i % 4 == 1 or not entry.fixed_geometry) for i, a in enumerate(arrays)]

    def features(*arrays):
        moved_source = PointSet(*arrays[:4])
        result = operator(moved_source, moved_source if entry.target is None else PointSet(*arrays[4:]), graph)
        return torch.cat([result.scalars.flatten(), result.vectors.flatten()])

    assert torch.autograd.gradcheck(features, at, fast_mode=True)
    parameters = list(operator.parameters())
    gradients = torch.autograd.grad(features(*at).square().sum(), parameters, allow_unused=True) if parameters else ()
    assert all(g is not None and torch.isfinite(g).all() for g in gradients), "a parameter without effect"


@zoo(lambda entry: any(True for _ in build(entry).parameters()))
def test_saved_and_loaded_bit_by_bit(entry):
    operator, other, (source, target) = build(entry), build(entry, seed=1), clouds(entry)
    expected = apply(operator, source, target)
    assert difference(apply(other, source, target), expected) > 0
    other.load_state_dict(load(save(operator.state_dict())))
    result = apply(other, source, target)
    assert torch.equal(result.scalars, expected.scalars) and torch.equal(result.vectors, expected.vectors)


def refined(cloud: Cloud, n: int) -> PointSet:
    """n^d points of a graded lattice on the unit cube with midpoint weights, carrying smooth functions: spacing varies sevenfold per axis."""
    d = cloud.dimension if cloud.lattice is None else cloud.lattice
    s = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    axis, slope = torch.expm1(2 * s) / torch.expm1(torch.tensor(2.0)), 2 * torch.exp(2 * s) / torch.expm1(torch.tensor(2.0))
    pos = torch.cartesian_prod(*[axis] * d).reshape(-1, d)
    weight = torch.cartesian_prod(*[slope / n] * d).reshape(-1, d).prod(dim=1)
    empty = smooth(cloud, torch.nn.functional.pad(pos, (0, cloud.dimension - d)))
    return cloud.adapt(smooth(cloud, cloud.adapt(empty).pos, weight))


def smooth(cloud: Cloud, pos: torch.Tensor, weight: torch.Tensor | None = None) -> PointSet:
    """Smooth functions of the position as features."""
    phase = torch.linspace(0.3, 2.0, cloud.scalars, dtype=torch.float64)
    scalars = torch.sin(pos.sum(dim=1, keepdim=True) * (1 + phase) + phase) + pos[:, :1] * phase
    turn = torch.linspace(0.0, 1.0, cloud.vectors, dtype=torch.float64)[:, None]
    vectors = torch.cos(pos[:, None, :] * 2 + turn)
    return PointSet(pos, scalars, vectors, weight)


@zoo(lambda entry: build(entry).mesh_order is not None)
def test_refinement_converges_with_the_declared_order_and_drifts_without_weights(entry):
    operator, cloud = build(entry), entry.source
    where = torch.rand(10, cloud.dimension, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    sizes = (8, 16, 32, 96) if cloud.dimension == 2 else (4, 8, 16, 32)
    target = (entry.target or cloud).adapt(smooth(entry.target or cloud, where))
    results = [apply(operator, refined(cloud, n), target) for n in sizes]
    errors = [difference(r, results[-1]) for r in results[:-1]]
    order = float(torch.log2(torch.tensor(errors[0] / errors[-1]))) / (len(errors) - 1)
    assert order > operator.mesh_order - 0.3, f"order {order:.2f}, claimed {operator.mesh_order}, errors {errors}"
    if entry.weighted:
        finest = refined(cloud, sizes[-2])
        unweighted = replace(finest, weight=torch.full_like(finest.weight, 1 / len(finest)))
        assert difference(apply(operator, unweighted, target), results[-1]) > 10 * errors[-1]


class _Absolute(AbstractOperator):
    """A control: reads coordinates and the first point of the batch, and claims too much."""

    reference: ClassVar[str] = "none"
    symmetry: ClassVar[Symmetry] = Symmetry.E

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return Graph.unconnected(len(source), len(target))

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        return target.with_features(scalars=target.pos * source.scalars[:1, :1])


def test_a_false_claim_is_found():
    entry = Entry(_Absolute)
    source, target = clouds(entry)
    assert broken_symmetries(_Absolute(), source, target) == {"translation", "rotation", "reflection"}
    for claim in (test_declared_symmetry_holds_and_no_other, test_a_batch_equals_its_samples, test_the_order_of_points_does_not_matter):
        with pytest.raises(AssertionError):
            claim(entry)


def test_every_operator_is_in_the_zoo_and_names_its_paper():
    tested = {type(build(entry)) for entry in ZOO.values()}
    for room in ("encoders", "operators", "decoders"):
        package = importlib.import_module(f"geoop.{room}")
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and issubclass(value, AbstractOperator) and value.__module__ == module.name:
                    assert value in tested, f"{value.__name__} is not in the zoo: add one line to ZOO"
    assert bibtex(entry.make().reference for entry in ZOO.values()).count("@") >= 3
