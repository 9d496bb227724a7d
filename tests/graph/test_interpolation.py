"""Slopes of functions that are known at points, and what queries that follow a position know of functions."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from geoop.graph.geometry import Queries
from geoop.graph.interpolation import HALF, interpolate, known_at, slopes
from geoop.graph.pointset import Inputs, PointSet

SLOPE = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.0, 4.0]], dtype=torch.float64)


def cloud(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def whole(pos: torch.Tensor) -> torch.Tensor:
    return torch.tensor([0, len(pos)])


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("length", [1.0, 1e-6, 1e6])
def test_slopes_of_linear_functions_are_exact(d, length):
    """Between known points, at them, and outside of their hull; in any unit of length."""
    pos = cloud(200, d) * length
    function = PointSet(pos, pos @ SLOPE[:, :d].T + 3.0 * length)
    at = torch.cat([cloud(50, d, 1) * length, pos[:50], (1.0 + cloud(20, d, 2)) * length])
    found = slopes(function, at, whole(at))
    assert torch.allclose(found, SLOPE[:, :d].expand(len(at), 2, d), atol=1e-9)


@pytest.mark.parametrize(("d", "numbers"), [(2, (256, 1024, 4096)), (3, (512, 4096))])
def test_slopes_of_smooth_functions_converge_with_the_spacing(d, numbers):
    """Against the true gradient, between known points and at them; the inverse distances of the values do not converge."""
    wave = torch.tensor([4.0, 3.0, 2.0][:d], dtype=torch.float64)
    at = 0.1 + 0.8 * cloud(500, d, 1)
    errors, controls = [], []
    for n in numbers:
        pos = cloud(n, d)
        function = PointSet(pos, (pos @ wave).sin()[:, None])
        asked = torch.cat([at, pos[((pos - 0.5).abs() < 0.4).all(dim=1)]]).requires_grad_()
        exact = ((asked @ wave).cos()[:, None] * wave).detach()
        (flat,) = torch.autograd.grad(interpolate(function, asked, whole(asked))[:, 0].sum(), asked)
        for found, kept in ((slopes(function, asked, whole(asked))[:, 0], errors), (flat, controls)):
            kept.append(float(((found - exact).square().sum() / exact.square().sum()).sqrt()))
    order = torch.tensor(errors[:-1]).div(torch.tensor(errors[1:])).log2()
    assert (order > 0.8).all() and errors[-1] < 0.1, errors
    assert min(controls) > 0.5, controls


def test_a_batch_has_the_slopes_of_its_samples():
    clouds = [cloud(n, 2, n) for n in (40, 1, 70)]
    functions = [PointSet(pos, pos.sin()) for pos in clouds]
    places = [PointSet(cloud(n, 2, 9)) for n in (5, 3, 8)]
    together = slopes(PointSet.concatenate(functions), *(lambda p: (p.pos, p.ptr))(PointSet.concatenate(places)))
    parts = [slopes(function, place.pos, place.ptr) for function, place in zip(functions, places, strict=True)]
    assert torch.allclose(together, torch.cat(parts), atol=1e-12)


def test_degenerate_neighbourhoods():
    """Slopes along what the points span and none across it, where they span less than space."""
    at = torch.tensor([[0.31, 0.2], [0.5, 0.0]], dtype=torch.float64)
    line = torch.stack([torch.linspace(0, 1, 20), torch.zeros(20)], dim=1).double()
    found = slopes(PointSet(line, 3 * line[:, :1]), at, whole(at))[:, 0]
    assert torch.allclose(found, torch.tensor([3.0, 0.0], dtype=torch.float64).expand(2, 2), atol=1e-9)
    pair = torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    assert torch.allclose(slopes(PointSet(pair, pair[:, :1]), at, whole(at)), torch.full((2, 1, 2), 0.5, dtype=torch.float64), atol=1e-9)
    for pos in (at[:1], at[:1].expand(30, 2).contiguous(), at[:0]):  # one point, coincident points, none
        assert torch.equal(slopes(PointSet(pos, cloud(len(pos), 1)), at, whole(at)), torch.zeros(2, 1, 2, dtype=torch.float64))
    flat = torch.cat([cloud(40, 2), torch.full((40, 1), 0.7, dtype=torch.float64)], dim=1)  # a plane in space, in single precision
    found = slopes(PointSet(flat.float(), (flat @ SLOPE.T).float()), flat[:5].float(), whole(flat[:5]))
    assert found.dtype == torch.float32
    assert torch.allclose(found, (SLOPE * torch.tensor([1.0, 1.0, 0.0])).float().expand(5, 2, 3), atol=1e-4)


def test_slopes_are_differentiable_by_the_values():
    pos, at = cloud(30, 2), cloud(4, 2, 1)
    assert torch.autograd.gradcheck(lambda values: slopes(PointSet(pos, values), at, whole(at)), pos.clone().requires_grad_())


VERTICES = torch.tensor([[-1.0, 0.0], [2.0, 0.0], [2.0, 2.0], [-1.0, 2.0]], dtype=torch.float64)
CHANNELS = (("boundary u", 1), ("source", 2))


def case(n: int = 12) -> tuple[Inputs, Queries]:
    """Queries above a lower wall, a source known at points, and boundary values that are linear along the wall."""
    pos, at = cloud(150, 2), 0.1 + 0.8 * cloud(n, 2, 5)
    wall = torch.stack([torch.linspace(-1, 2, 61), torch.zeros(61)], dim=1).double()
    functions = {"boundary u": PointSet(wall, 2 * wall[:, :1]), "source": PointSet(pos, pos @ SLOPE[:, :2].T)}
    up = torch.tensor([0.0, 1.0], dtype=torch.float64).expand(n, 1, 2)
    share = torch.stack([(2 - at[:, 0]) / 3, (at[:, 0] + 1) / 3], dim=1)
    return Inputs(torch.zeros(1, 0), torch.zeros(1, 0, 2), functions), Queries(
        PointSet(at, at[:, 1:], up), torch.tensor([[0, 1]]).expand(n, 2), share
    )


def carrying(inputs: Inputs, queries: Queries) -> Queries:
    """With values that nobody could interpolate: what is carried is taken as it is."""
    columns = [queries.points.scalars, *known_at(inputs, CHANNELS, queries.points), torch.zeros(len(queries), 0)]
    columns[2] = columns[2] + torch.sin(1e3 * columns[2])
    return replace(queries, points=replace(queries.points, scalars=torch.cat(columns, dim=1)))


@pytest.mark.parametrize("carried", [False, True])
def test_functions_follow_by_their_slopes_and_start_where_they_were(carried):
    inputs, queries = case()
    queries = carrying(inputs, queries) if carried else queries
    step = 1e-5 * (cloud(len(queries), 2, 3) - 0.5)
    start = known_at(inputs, CHANNELS, queries.points, queries)
    still = queries.following(queries.points.pos, VERTICES)
    moved = queries.following(queries.points.pos + step, VERTICES)
    again = queries.following(queries.points.pos - step, VERTICES).following(moved.points.pos, VERTICES)
    assert torch.equal(still.points.scalars, queries.points.scalars)
    boundary, source = known_at(inputs, CHANNELS, moved.points, moved)
    for a, b in zip(start, known_at(inputs, CHANNELS, still.points, still), strict=True):
        assert torch.equal(a, b)
    assert torch.allclose(source[:, :2] - start[1][:, :2], step @ SLOPE[:, :2].T, atol=1e-12) and torch.equal(source[:, 2], start[1][:, 2])
    # boundary values change along the wall alone, their nearness with the distance of the nearest known point
    assert torch.allclose(boundary[:, 0] - start[0][:, 0], 2 * step[:, 0], atol=1e-12)
    wall = inputs.functions["boundary u"].pos
    near = [HALF / (HALF + torch.cdist(pos, wall).amin(dim=1)) for pos in (queries.points.pos, moved.points.pos)]
    assert torch.allclose(boundary[:, 1] - start[0][:, 1], near[1] - near[0], atol=1e-10)
    assert near[1].sub(near[0]).abs().max() > 1e-7
    for a, b in zip(known_at(inputs, CHANNELS, moved.points, moved), known_at(inputs, CHANNELS, again.points, again), strict=True):
        assert torch.allclose(a, b, atol=1e-12)  # two steps are one: slopes are those of where the queries come from


def test_the_origin_goes_with_queries():
    _, queries = case()
    moved = queries.following(queries.points.pos + 1.0, VERTICES)
    index = torch.tensor([1, 4])
    assert torch.equal(moved.take(index).origin, queries.points.pos[index])
    assert moved.to(torch.float32).origin.dtype == torch.float32 and queries.to(torch.float32).origin is None
    both = Queries.concatenate([queries, moved], [4, 4])
    assert torch.equal(both.origin, torch.cat([queries.points.pos] * 2))
    assert Queries.concatenate([queries, queries], [4, 4]).origin is None
