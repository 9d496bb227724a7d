"""A stepper on two meshes: order of points, the gate, its control, what interpolation keeps, and what it is told at moved points."""

from dataclasses import replace

import pytest
import torch
from scipy.spatial import Delaunay

from geoop.errors import ConfigurationError, ShapeError
from geoop.graph.graph import Graph
from geoop.graph.pointset import PointSet
from geoop.models.moving_mesh_stepper import MovingMeshStepper, TwoMeshes
from geoop.references import bibtex

every_gate = pytest.mark.parametrize("gate", ["global", "place"])


def cloud(n: int, seed: int) -> tuple[PointSet, Graph]:
    """Random points of the unit square, and the edges of their Delaunay triangles."""
    pos = torch.rand(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    triangles = torch.from_numpy(Delaunay(pos.numpy()).simplices).long()
    pairs = torch.cat([triangles[:, [i, j]] for i in range(3) for j in range(3) if i != j]).unique(dim=0)
    return PointSet(pos, weight=torch.full((n,), 1 / n, dtype=torch.float64)), Graph.sorted(pairs[:, 0], pairs[:, 1], n, n)


def shifted(points: PointSet) -> PointSet:
    """The points moved by a smooth map."""
    x, y = points.pos.unbind(1)
    return replace(points, pos=torch.stack([x + 0.04 * torch.sin(3 * y), y - 0.03 * torch.cos(4 * x)], dim=1))


def state(points: PointSet) -> torch.Tensor:
    x, y = points.pos.unbind(1)
    return torch.stack([torch.sin(5 * x + y), torch.cos(3 * x * y)], dim=1)


def trained(gate: str = "global", seed: int = 0, **sizes) -> MovingMeshStepper:
    """A model whose weights are all away from where training begins, so that nothing holds only at the start."""
    torch.manual_seed(seed)
    model = MovingMeshStepper(2, 1, **{"width": 8, "edge_width": 6, "depth": 2, "scale": 0.3, **sizes}, gate=gate)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    return model.double().eval()


CONDITION = torch.tensor([[0.4]], dtype=torch.float64)


@every_gate
def test_the_order_of_the_points_changes_nothing(gate):
    model, (points, graph) = trained(gate), cloud(60, 1)
    moved = shifted(points)
    expected = model(state(points), CONDITION, model.prepare(points, moved, graph))
    order = torch.randperm(60, generator=torch.Generator().manual_seed(2))
    place = torch.argsort(order)
    renamed = Graph.sorted(place[graph.source], place[graph.target], 60, 60)
    found = model(state(points)[order], CONDITION, model.prepare(points.take(order), moved.take(order), renamed))
    assert torch.allclose(found, expected[order], atol=1e-10)
    assert not torch.allclose(found, expected, atol=1e-2)


@every_gate
def test_the_place_of_the_origin_changes_nothing(gate):
    model, (points, graph) = trained(gate), cloud(60, 1)
    moved, away = shifted(points), torch.tensor([3.0, -2.0], dtype=torch.float64)
    expected = model(state(points), CONDITION, model.prepare(points, moved, graph))
    elsewhere = [replace(item, pos=item.pos + away) for item in (points, moved)]
    assert torch.allclose(model(state(points), CONDITION, model.prepare(*elsewhere, graph)), expected, atol=1e-9)


@every_gate
def test_before_training_nothing_changes_and_the_moved_mesh_is_not_heard(gate):
    """The gate starts at 0; the moved branch does not, so that the gate learns from the first step on."""
    torch.manual_seed(0)
    model, (points, graph) = MovingMeshStepper(2, 1, width=8, edge_width=6, depth=1, gate=gate).double(), cloud(40, 3)
    u, meshes = state(points), model.prepare(points, shifted(points), graph)
    found = model(u, CONDITION, meshes)
    assert torch.equal(found, u)
    (found * torch.rand_like(found)).sum().backward()
    slopes = [parameter.grad for parameter in ([model.gate] if gate == "global" else model.gate.parameters())]
    assert max(float(slope.abs().max()) for slope in slopes) > 1e-6


def test_a_closed_gate_shuts_the_moved_mesh_out_and_an_open_one_does_not():
    model, (points, graph) = trained(), cloud(60, 4)
    u = state(points)
    one, other = (model.prepare(points, moved, graph) for moved in (points, shifted(points)))
    assert not torch.allclose(model(u, CONDITION, one), model(u, CONDITION, other), atol=1e-4)
    with torch.no_grad():
        model.gate.zero_()
    assert torch.equal(model(u, CONDITION, one), model(u, CONDITION, other))


@every_gate
def test_with_a_mesh_that_stays_it_is_two_networks_on_one_mesh(gate):
    """The fair control: both interpolations give every point its own value."""
    model, (points, graph) = trained(gate), cloud(60, 5)
    u, meshes = state(points), model.prepare(points, points, graph)
    expected = model(u, CONDITION, meshes, known=u)
    assert torch.allclose(model(u, CONDITION, meshes), expected, atol=1e-6)
    back = model.back(points.with_features(scalars=u), points, meshes.back).scalars
    assert torch.allclose(back, u, atol=1e-6)


def test_linear_states_reach_the_moved_points_exactly():
    model, (points, graph) = trained(), cloud(60, 6)
    moved = shifted(points)
    meshes = model.prepare(points, moved, graph)

    def linear(p: PointSet) -> torch.Tensor:
        return p.pos @ torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64) + 0.7

    assert torch.allclose(model(linear(points), CONDITION, meshes), model(linear(points), CONDITION, meshes, known=linear(moved)), atol=1e-8)
    gap = model(state(points), CONDITION, meshes) - model(state(points), CONDITION, meshes, known=state(moved))
    assert gap.abs().max() > 1e-4  # what is not linear, interpolation does not know


@every_gate
def test_a_batch_equals_its_samples(gate):
    model = trained(gate)
    parts = []
    for n, seed in ((40, 7), (55, 8)):
        points, graph = cloud(n, seed)
        parts.append((state(points), model.prepare(points, shifted(points), graph)))
    conditions = torch.tensor([[0.4], [-1.0]], dtype=torch.float64)
    whole = model(torch.cat([u for u, _ in parts]), conditions, TwoMeshes.concatenate([meshes for _, meshes in parts]))
    alone = torch.cat([model(u, conditions[k : k + 1], meshes) for k, (u, meshes) in enumerate(parts)])
    assert torch.allclose(whole, alone, atol=1e-10)


def test_the_second_mesh_may_have_other_points():
    model, (points, graph), (finer, other) = trained(), cloud(40, 9), cloud(90, 10)
    found = model(state(points), CONDITION, model.prepare(points, finer, graph, other))
    assert found.shape == (40, 2)
    assert torch.isfinite(found).all()


@every_gate
def test_it_is_built_again_from_its_arguments_and_cites_its_sources(gate):
    model, (points, graph) = trained(gate), cloud(40, 11)
    again = MovingMeshStepper(**model.arguments).double()
    again.load_state_dict(model.state_dict())
    meshes = model.prepare(points, shifted(points), graph)
    assert torch.equal(again(state(points), CONDITION, meshes), model(state(points), CONDITION, meshes))
    assert "Hu, Peiyan" in bibtex(model.reference)


def test_bad_input_is_named_all_at_once():
    with pytest.raises(ConfigurationError, match=r"width is 0.*scale is -1.*conditions is -2.*dimension is 4.*gate is 'wide'"):
        MovingMeshStepper(2, -2, width=0, dimension=4, scale=-1.0, gate="wide")  # type: ignore[arg-type]
    model, (points, graph), (more, _) = trained(), cloud(40, 12), cloud(50, 13)
    with pytest.raises(ShapeError, match="edges of 40 and 40 for 50 moved points"):
        model.prepare(points, more, graph)
    with pytest.raises(ShapeError, match="points in 3-D, the model's are in 2-D"):
        model.prepare(PointSet(torch.rand(40, 3)), points, graph)
    meshes = model.prepare(points, shifted(points), graph)
    with pytest.raises(ShapeError, match=r"u is \(40, 1\), expected \(40, 2\); conditions is \(2, 1\), expected \(1, 1\); known is \(39, 2\)"):
        model(state(points)[:, :1], torch.zeros(2, 1), meshes, state(points)[:39])
