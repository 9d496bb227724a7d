"""Neighbourhoods: windows, weights, sizes, and what happens at their rim."""

from __future__ import annotations

import math

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.pointset import PointSet
from geoop.graph.segment import segment_sum
from geoop.layers.neighborhood import Ball, Nearest, smooth_window


def lattice(n, d=2):
    """n^d midpoints of the unit cube with their cell volumes."""
    axis = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return PointSet(torch.cartesian_prod(*[axis] * d), weight=torch.full((n**d,), n**-d, dtype=torch.float64))


def middle(d=2):
    return PointSet(torch.full((1, d), 0.5, dtype=torch.float64))


@pytest.mark.parametrize("d", [2, 3])
def test_weights_of_a_ball_are_its_measure(d):
    source, target, r = lattice(48 if d == 3 else 200, d), middle(d), 0.4
    volume = {2: math.pi, 3: 4 / 3 * math.pi}[d] * r**d
    window = {2: math.pi / 4, 3: 64 * math.pi / 315}[d] * r**d  # integral of (1 - s^2)^3 over the ball
    for smooth, exact, tolerance in ((False, volume, 1e-2), (True, window, 1e-6)):
        ball = Ball(r, smooth=smooth)
        pairs = ball.pairs(source, target, ball.connect(source, target))
        assert float(pairs.weight.sum()) == pytest.approx(exact, rel=tolerance)


def test_window_is_one_at_the_centre_and_flat_at_the_rim():
    s = torch.tensor([0.0, 0.5, 1.0, 1.5], dtype=torch.float64, requires_grad=True)
    value = smooth_window(s**2)
    assert value.tolist() == [1.0, 0.75**3, 0.0, 0.0]
    (first,) = torch.autograd.grad(value.sum(), s, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), s)
    assert first[2] == 0 and second[2] == 0 and first[0] == 0 and second[0] == -6


@pytest.mark.parametrize("neighborhood", [Ball(0.3), Ball(0.3, smooth=False), Nearest(5), Nearest(5, smooth=True), Nearest(1, smooth=True)])
def test_normalised_weights_add_up_to_one_and_offsets_stay_in_the_unit_ball(neighborhood):
    source = PointSet(torch.rand(30, 2, dtype=torch.float64), weight=torch.rand(30, dtype=torch.float64) + 0.1)
    target = PointSet(torch.cat([torch.rand(9, 2), torch.tensor([[40.0, -3.0]]), source.pos[:1]]).double())
    graph = neighborhood.connect(source, target)
    pairs = neighborhood.pairs(source, target, graph).normalised(graph)
    torch.testing.assert_close(segment_sum(pairs.weight, graph), torch.ones(11, dtype=torch.float64), rtol=0, atol=1e-12)
    assert float(pairs.squared.max()) <= 1 + 1e-12
    torch.testing.assert_close(pairs.squared, pairs.offset.square().sum(1))
    direction = source.pos[graph.source] - target.pos[graph.target]
    assert ((pairs.offset * direction).sum(1) >= 0).all()


def test_a_point_among_its_own_copies():
    points = PointSet(torch.zeros(6, 2, dtype=torch.float64, requires_grad=True))
    near = Nearest(3, smooth=True)
    graph = near.connect(points, points)
    pairs = near.pairs(points, points, graph).normalised(graph)
    assert pairs.offset.abs().sum() == 0 and torch.allclose(pairs.weight, torch.tensor(1 / 3, dtype=torch.float64))
    pairs.weight.sum().backward()
    assert torch.isfinite(points.pos.grad).all()


def test_a_smooth_ball_moves_smoothly():
    # a hard ball jumps when a point enters it; a smooth one, its slope and its curvature do not
    source, ball = lattice(12), Ball(0.2)
    x = torch.linspace(0.4, 0.6, 2000, dtype=torch.float64, requires_grad=True)
    target = PointSet(torch.stack([x, torch.full_like(x, 0.37)], dim=1))
    graph = ball.connect(source, target)
    assert len(graph.degree.unique()) > 1  # points do enter and leave
    total = segment_sum(ball.pairs(source, target, graph).weight, graph)
    (slope,) = torch.autograd.grad(total.sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    h = 0.2 / 1999
    for value, derivative in ((total, slope), (slope, curvature)):
        difference = value.detach().diff() / h
        mean = (derivative.detach()[1:] + derivative.detach()[:-1]) / 2
        assert float((difference - mean).abs().max()) < 1e-3 * float(derivative.detach().abs().max())


def test_bad_sizes_are_refused():
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(ConfigurationError, match="radius"):
            Ball(bad)
    with pytest.raises(ConfigurationError, match="k is 0"):
        Nearest(0)
