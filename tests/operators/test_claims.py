"""What every operator claims, measured. A new operator is one line in a table ``ENTRIES`` of a file ``zoo_*.py`` beside this one.

Everything runs in float64: the tolerance of float32 hides a broken symmetry.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from safetensors.torch import load, save

from geoop.errors import GeoopError
from geoop.graph.graph import Graph
from geoop.graph.hierarchy import Hierarchy
from geoop.graph.pointset import PointSet
from geoop.layers.operator import AbstractOperator, Symmetry
from geoop.references import bibtex

from .zoo import Cloud, Entry

EXACT = 1e-9
ZOO: dict[str, Entry] = {}
for _path in sorted(Path(__file__).parent.glob("zoo_*.py")):
    ZOO |= importlib.import_module(f"{__package__}.{_path.stem}").ENTRIES


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
    other = (
        Hierarchy(graph.points, {k: with_other_order(v) for k, v in graph.graphs.items()})
        if isinstance(graph, Hierarchy)
        else with_other_order(graph)
    )
    with torch.no_grad():
        assert difference(operator(source, target, other), operator(source, target, graph)) < EXACT


def with_other_order(graph: Graph) -> Graph:
    order = torch.randperm(graph.n_edges)
    order = order[torch.argsort(graph.target[order], stable=True)]
    return Graph(graph.source[order], graph.target[order], graph.n_source, graph.n_target)


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
@pytest.mark.parametrize("every", [1, 3])
def test_points_that_stand_for_nothing_leave_everything_finite(entry, every):
    """All weights are 0, or all but every third."""
    operator, (source, target) = build(entry), clouds(entry)
    kept = torch.arange(len(source)) % 3 == 0 if every == 3 else torch.zeros(len(source))
    source = replace(source, weight=source.weight * kept, scalars=source.scalars.clone().requires_grad_())
    target = source if entry.target is None else replace(target, weight=target.weight * 0)
    found = operator(source, target, operator.connect(source, target))
    assert torch.isfinite(found.scalars).all() and torch.isfinite(found.vectors).all()
    loss = found.scalars.square().sum() + found.vectors.square().sum()
    if loss.requires_grad:
        (gradient,) = torch.autograd.grad(loss, source.scalars, allow_unused=True)
        assert gradient is None or torch.isfinite(gradient).all()


@zoo(lambda entry: entry.target is not None)
def test_no_targets_have_no_answer_and_a_sample_without_source_has_one_or_is_named(entry):
    operator, (source, target) = build(entry), clouds(entry)
    nothing = torch.arange(0)
    assert len(apply(operator, source, target.take(nothing))) == 0
    first, _, last = source.split()
    without = PointSet.concatenate([first, first.take(nothing), last])
    try:
        found = apply(operator, without, target)
    except GeoopError:
        return
    assert torch.isfinite(found.scalars).all() and torch.isfinite(found.vectors).all()


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


@zoo(lambda entry: build(entry).mesh_order is not None and entry.sizes != ())
def test_refinement_converges_with_the_declared_order_and_drifts_without_weights(entry):
    operator, cloud = build(entry), entry.source
    where = torch.rand(10, cloud.dimension, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    sizes = entry.sizes or ((8, 16, 32, 96) if cloud.dimension == 2 else (4, 8, 16, 32))
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
