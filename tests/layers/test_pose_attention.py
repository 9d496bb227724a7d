"""Attention to posed latents: restricted it is the full softmax where it can be and continuous where it cannot, and all its derivatives are right."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from geoop.decoders.equivariant_field import EquivariantField
from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.layers.bi_invariants import Periodic, bi_invariant
from geoop.layers.pose_attention import PairNetwork, PoseAttention, PoseSpace


def latents_of(count: int, dimension: int = 2, context: int = 4, seed: int = 0) -> PointSet:
    g = torch.Generator().manual_seed(seed)
    pos, scalars = torch.rand(count, dimension, generator=g, dtype=torch.float64), torch.randn(count, context, generator=g, dtype=torch.float64)
    vectors = torch.randn(count, dimension, dimension, generator=g, dtype=torch.float64)
    vectors = vectors / vectors.norm(dim=-1, keepdim=True)
    weight = torch.full((count,), 1.0 / count, dtype=torch.float64) * (0.5 + torch.rand(count, generator=g, dtype=torch.float64))
    return PointSet(pos, scalars, vectors, weight)


def points_of(count: int, dimension: int = 2, seed: int = 1) -> PointSet:
    return PointSet(torch.rand(count, dimension, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))


def field_of(nearest: int | None = None, *, dimension: int = 2, name: str = "offset", out: int = 2) -> EquivariantField:
    """The same weights whatever ``nearest`` is."""
    torch.manual_seed(0)
    space = PoseSpace(bi_invariant(name, [1.0] * dimension), dimension, dimension, nearest)
    return EquivariantField(4, out, space, 16).double().requires_grad_(False)


def at(field: EquivariantField, latents: PointSet, points: PointSet) -> torch.Tensor:
    return field(latents, points, field.connect(latents, points)).scalars


# ---- restricted attention ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("nearest", [7, 8, 50])
def test_where_all_latents_are_seen_nothing_is_cut(nearest, dimension):
    latents, points = latents_of(7, dimension), points_of(40, dimension)
    full = at(field_of(dimension=dimension), latents, points)
    assert torch.equal(at(field_of(nearest, dimension=dimension), latents, points), full)


def test_a_sample_with_few_latents_is_not_cut_by_its_neighbour_in_the_batch():
    few, many, points = latents_of(4, seed=1), latents_of(12, seed=2), points_of(20)
    field = field_of(4)
    both = at(field, PointSet.concatenate([few, many]), PointSet.concatenate([points, points]))
    assert torch.allclose(both[:20], at(field_of(), few, points), atol=1e-15, rtol=0)
    assert torch.allclose(both[20:], at(field, many, points), atol=1e-14, rtol=0)


def largest_increment(value, steps: int) -> float:
    """Of a function along a path through many changes of neighbours."""
    t = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    path = torch.stack([0.1 + 0.8 * t, 0.5 + 0.3 * torch.sin(5 * t)], dim=1)
    return float(value(PointSet(path)).diff(dim=0).abs().max())


def changes_of_neighbours(field: EquivariantField, latents: PointSet) -> int:
    t = torch.linspace(0, 1, 2001, dtype=torch.float64)
    path = PointSet(torch.stack([0.1 + 0.8 * t, 0.5 + 0.3 * torch.sin(5 * t)], dim=1))
    graph = field.connect(latents, path)
    seen = graph.source.view(len(path), -1).sort(dim=1).values
    return int((seen[1:] != seen[:-1]).any(dim=1).sum())


@pytest.mark.parametrize("nearest", [2, 4])
def test_the_field_does_not_jump_where_neighbours_change(nearest):
    latents, field = latents_of(20), field_of(nearest)
    latents = replace(latents, weight=torch.full_like(latents.weight, 0.5))  # wide windows: the furthest latent seen still matters
    assert changes_of_neighbours(field, latents) > 5
    coarse, middle, fine = (largest_increment(lambda p: at(field, latents, p), n) for n in (1_000, 10_000, 100_000))
    assert middle == pytest.approx(coarse / 10, rel=0.35)  # to first order in the step
    assert fine == pytest.approx(middle / 10, rel=0.2, abs=1e-5)  # down to the constant of 1e-6 that keeps the weights from vanishing together


def test_a_hard_cut_would_jump():
    latents, field = latents_of(20), field_of(4)
    latents = replace(latents, weight=torch.full_like(latents.weight, 0.5))

    def cut(points: PointSet) -> torch.Tensor:
        graph = PoseSpace(bi_invariant("offset"), 2, 2, 3).connect(latents, points)  # four latents, and no fifth that closes the window
        return field(latents, points, graph).scalars

    steps = [largest_increment(cut, n) for n in (1_000, 10_000, 100_000)]
    assert steps[2] > 0.8 * steps[1] > 0.5 * steps[0]  # refining the step does not help
    assert steps[2] > 100 * largest_increment(lambda p: at(field, latents, p), 100_000)


def test_a_point_that_all_latents_are_equally_far_from_has_a_value():
    square = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    latents = replace(latents_of(4), pos=square, weight=torch.full((4,), 0.25, dtype=torch.float64))
    middle = PointSet(torch.full((1, 2), 0.5, dtype=torch.float64))
    assert torch.allclose(at(field_of(3), latents, middle), at(field_of(), latents, middle), atol=1e-12)  # all count alike, none is left out


# ---- what a field is for -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["offset", "distance", "components", "oriented", "periodic"])
def test_the_order_of_latents_and_of_queries_does_not_matter(name):
    field, latents, points = field_of(name=name), latents_of(9), points_of(30)
    expected, order, other = at(field, latents, points), torch.randperm(9), torch.randperm(30)
    assert torch.allclose(at(field, latents.take(order), points), expected, atol=1e-13)
    assert torch.allclose(at(field, latents, points.take(other)), expected[other], atol=1e-13)


@pytest.mark.parametrize("nearest", [None, 3])
def test_every_query_is_answered_by_itself_in_any_number(nearest):
    field, latents, points = field_of(nearest), latents_of(9), points_of(501)
    whole = at(field, latents, points)
    chunks = torch.cat([at(field, latents, points.take(index)) for index in torch.arange(501).split(37)])
    alone = torch.cat([at(field, latents, points.take(torch.tensor([k]))) for k in (0, 250, 500)])
    assert torch.allclose(chunks, whole, atol=1e-14, rtol=0)
    assert torch.allclose(alone, whole[[0, 250, 500]], atol=1e-14, rtol=0)
    assert at(field, latents, points.take(torch.arange(0))).shape == (0, 2)


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("name", ["offset", "components", "oriented"])
def test_a_field_moves_with_its_latents(name, dimension):
    field, latents, points = field_of(name=name, dimension=dimension), latents_of(9, dimension), points_of(30, dimension)
    turn = torch.linalg.qr(torch.randn(dimension, dimension, dtype=torch.float64)).Q
    turn[0] *= torch.linalg.det(turn).sign()
    if name == "offset":
        turn = torch.eye(dimension, dtype=torch.float64)
    moved = replace(latents, pos=latents.pos @ turn.T + 2.5, vectors=latents.vectors @ turn.T)
    assert torch.allclose(at(field, moved, PointSet(points.pos @ turn.T + 2.5)), at(field, latents, points), atol=1e-9)


@pytest.mark.parametrize("name", ["offset", "distance", "components", "oriented"])
def test_a_field_is_the_same_in_another_unit(name):
    """Offsets are counted in windows: lengths and windows in millimetres give what metres gave."""
    field, latents, points = field_of(name=name), latents_of(9), points_of(30)
    other = replace(latents, pos=1000 * latents.pos, weight=1e6 * latents.weight)
    assert torch.allclose(at(field, other, PointSet(1000 * points.pos)), at(field, latents, points), atol=1e-6)


# ---- derivatives -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize(("name", "nearest"), [("offset", None), ("components", None), ("oriented", 3), ("periodic", None)])
def test_slopes_and_laplacian_are_those_of_finite_differences(name, nearest, dimension):
    field, latents = field_of(nearest, name=name, dimension=dimension, out=1), latents_of(9, dimension)
    x = points_of(12, dimension).pos.requires_grad_()
    (slope,) = torch.autograd.grad(at(field, latents, PointSet(x)).sum(), x, create_graph=True)
    rows = [torch.autograd.grad(slope[:, k].sum(), x, retain_graph=True)[0] for k in range(dimension)]
    hessian = torch.stack(rows, dim=1).detach()
    h, one = 1e-4, torch.eye(dimension, dtype=torch.float64)

    def value(shift: torch.Tensor) -> torch.Tensor:
        return at(field, latents, PointSet(x.detach() + shift))[:, 0]

    middle = value(torch.zeros(dimension, dtype=torch.float64))
    differences = torch.stack([(value(h * e) - value(-h * e)) / (2 * h) for e in one], dim=1)
    laplacian = sum(value(h * e) - 2 * middle + value(-h * e) for e in one) / h**2
    size = float(slope.detach().abs().max())
    assert torch.allclose(slope.detach(), differences, atol=1e-5 * size)
    assert torch.allclose(hessian.diagonal(dim1=1, dim2=2).sum(dim=1), laplacian, atol=1e-4 * float(hessian.abs().max()))
    assert torch.allclose(hessian, hessian.mT, atol=1e-10 * float(hessian.abs().max()))


def test_contexts_and_poses_can_be_learned_through():
    field, points, latents = field_of(3, name="components", out=1), points_of(5), latents_of(6)

    def value(pos, scalars, weight):
        return at(field, PointSet(pos, scalars, latents.vectors, weight), points)

    arguments = tuple(t.clone().requires_grad_() for t in (latents.pos, latents.scalars, latents.weight))
    assert torch.autograd.gradcheck(value, arguments, atol=1e-6)
    assert torch.autograd.gradgradcheck(lambda a: value(latents.pos, a, latents.weight), arguments[1], atol=1e-6)


def test_what_a_query_asks_adds_to_its_query_alone():
    torch.manual_seed(0)
    attention = PoseAttention(PoseSpace(bi_invariant("offset")), 16, scalars=1, asked=3, pairs=PairNetwork(hidden=8)).double()
    latents, points = latents_of(6, context=16), replace(points_of(10), scalars=torch.randn(10, 1, dtype=torch.float64))
    graph, asked = attention.space.connect(latents, points), torch.randn(10, 3, dtype=torch.float64)
    plain = attention(latents, points, graph)
    assert torch.equal(attention(latents, points, graph, torch.zeros_like(asked)), plain)
    assert not torch.allclose(attention(latents, points, graph, asked), plain)
    alone = latents.take(torch.tensor([2]))  # with one latent a query has nothing to choose
    graph = attention.space.connect(alone, points)
    assert torch.allclose(attention(alone, points, graph, asked), attention(alone, points, graph), atol=1e-14)
    assert not torch.allclose(attention(alone, replace(points, scalars=points.scalars + 1), graph), attention(alone, points, graph))


@pytest.mark.parametrize(
    "make",
    [
        lambda: PoseSpace(bi_invariant("offset"), nearest=0),
        lambda: PoseSpace(Periodic((1.0, 1.0)), nearest=3),
        lambda: PoseAttention(PoseSpace(bi_invariant("offset")), 15, 2),
        lambda: PoseAttention(PoseSpace(bi_invariant("offset")), 16, 0),
    ],
)
def test_bad_settings_say_what_to_do(make):
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert caught.value.remedy


def test_the_window_of_the_periodic_field_wraps():
    field, latents, points = field_of(name="periodic"), latents_of(9), points_of(20)
    over = PointSet(points.pos + torch.from_numpy(np.array([1.0, -2.0])))
    assert torch.allclose(at(field, latents, over), at(field, latents, points), atol=1e-10)
