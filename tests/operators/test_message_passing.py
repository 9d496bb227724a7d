"""Message passing: what weights and lead times do, and what no weights would do."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.graph import Graph
from geoop.graph.pointset import PointSet
from geoop.layers.message_step import LeadTimeNorm, _Step, _step
from geoop.layers.neighborhood import Ball
from geoop.operators.mesh_graph_net import MeshGraphNetProcessor
from geoop.operators.message_passing import MessagePassing


def cloud(n: int, channels: int, seed: int) -> PointSet:
    g = torch.Generator().manual_seed(seed)
    pos, scalars, weight = torch.rand(n, 2, generator=g), torch.randn(n, channels, generator=g), torch.rand(n, generator=g) + 0.1
    return PointSet(pos.double(), scalars.double(), None, weight.double())


def doubled(points: PointSet) -> PointSet:
    """Every point right of the middle twice, with half of its weight: another density, the same measure."""
    twice = points.pos[:, 0] > 0.5
    index = torch.cat([torch.arange(len(points)), twice.nonzero()[:, 0]])
    both = points.take(index)
    return replace(both, weight=torch.where(twice[index], 0.5, 1.0) * both.weight)


def change(aggregation: str) -> float:
    """Of the result when points are split into two of half the weight."""
    torch.manual_seed(0)
    operator = MessagePassing(4, Ball(0.4), source_channels=3, edge_width=8, aggregation=aggregation).double()  # type: ignore[arg-type]
    source, target = cloud(80, 3, 1), cloud(20, 4, 2)
    with torch.no_grad():
        first, second = (operator(s, target, operator.connect(s, target)).scalars for s in (source, doubled(source)))
    return float((first - second).abs().max() / first.abs().max())


def test_the_density_of_points_does_not_shift_a_weighted_mean():
    assert change("quadrature") < 1e-14
    assert change("mean") > 1e-3  # as published
    assert change("sum") > 1e-2


@pytest.mark.parametrize("last", [False, True])
def test_the_step_in_one_function_equals_its_formula_and_has_both_derivatives(last):
    graph = Graph.sorted(torch.tensor([3, 1, 0, 2, 2]), torch.tensor([0, 0, 2, 2, 1]), 4, 4)  # nobody speaks to the last target
    torch.manual_seed(0)
    given = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((5, 3), (4, 3), (4, 3), (5,), (3, 3), (3,), (3, 3))]
    if last:
        given[-1] = None

    def run(step, *arguments):
        return [part for part in step(graph, *arguments) if part is not None]

    for one, other in zip(run(_Step.apply, *given), run(_step, *given), strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-14)
    assert torch.autograd.gradcheck(lambda *arguments: tuple(run(_Step.apply, *arguments)), given)
    assert torch.autograd.gradgradcheck(lambda *arguments: tuple(run(_Step.apply, *arguments)), given)
    no_edges = Graph.unconnected(4, 4)
    empty = [None if x is None else x[:0] if len(x) == 5 else x for x in given]
    heard, new = _Step.apply(no_edges, *empty)
    assert not heard.any() and (new is None or new.shape == (0, 3))
    (heard.sum() + (0 if new is None else new.sum())).backward()


def test_a_lead_time_modulates_the_norm_per_sample():
    norm = LeadTimeNorm(4, modulated=True).double()
    points = PointSet.concatenate([cloud(3, 4, 1), cloud(5, 4, 2)])
    from geoop.layers.message_step import LeadTime

    early, late = (LeadTime.at(points, torch.tensor([[t], [1.0]], dtype=torch.float64)) for t in (0.0, 2.0))
    assert torch.equal(norm(points.scalars, early), norm(points.scalars))  # no effect before training
    for parameter in norm.parameters():
        torch.nn.init.normal_(parameter)
    moved = (norm(points.scalars, early) - norm(points.scalars, late)).abs().amax(dim=1)
    assert (moved[:3] > 1e-3).all() and (moved[3:] == 0).all()


def test_several_steps_between_two_clouds_are_refused():
    with pytest.raises(ConfigurationError, match="2 steps from one cloud to another"):
        MessagePassing(4, source_channels=3, depth=2)


def test_world_edges_carry_what_mesh_edges_do_not():
    torch.manual_seed(0)
    operator = MeshGraphNetProcessor(4, edge_width=8, depth=2).double()
    points = cloud(6, 4, 3)
    mesh = Graph.sorted(torch.tensor([0, 1, 1, 2, 3, 4, 4, 5]), torch.tensor([1, 0, 2, 1, 4, 3, 5, 4]), 6, 6)  # two chains
    world = Graph.sorted(torch.tensor([2, 3]), torch.tensor([3, 2]), 6, 6)
    other = points.with_features(points.scalars + torch.tensor([0.0, 0, 1, 0, 0, 0], dtype=torch.float64)[:, None] * torch.arange(4))
    with torch.no_grad():
        apart = operator(points, points, mesh).scalars - operator(other, other, mesh).scalars
        joined = operator(points, points, mesh, world).scalars - operator(other, other, mesh, world).scalars
    assert (apart[3:] == 0).all() and (apart[:3].abs().amax(dim=1) > 1e-6).all()
    assert (joined[3:5].abs().amax(dim=1) > 1e-6).all()
