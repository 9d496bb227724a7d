"""The box that fits any cloud, the nodes around a point, and the distance to vertices."""

from __future__ import annotations

import math

import pytest
import torch

from geoop.graph.boxes import Boxes
from geoop.graph.lattice import Chart, lattice_nodes, surrounding, vertex_distance
from geoop.graph.neighbors import radius
from geoop.graph.pointset import PointSet
from geoop.mesh.distance.polygon import segment_distance


def ring(count: int, thickness: float = 1.0) -> PointSet:
    """An ellipse of chord 1 with outward normals and shares of length."""
    angle = 2 * math.pi * torch.arange(count, dtype=torch.float64) / count
    pos = 0.5 * torch.stack([angle.cos(), thickness * angle.sin()], 1)
    normal = torch.nn.functional.normalize(torch.stack([thickness * angle.cos(), angle.sin()], 1), dim=1)
    after, before = pos.roll(-1, 0), pos.roll(1, 0)
    return PointSet(pos, vectors=normal[:, None], weight=0.5 * ((after - pos).norm(dim=1) + (pos - before).norm(dim=1)))


def cloud(n: int, reach: float, seed: int = 0) -> PointSet:
    g = torch.Generator().manual_seed(seed)
    angle = 2 * math.pi * torch.rand(n, generator=g, dtype=torch.float64)
    distance = 0.5 + (reach - 0.5) * torch.rand(n, generator=g, dtype=torch.float64) ** 3
    return PointSet(distance[:, None] * torch.stack([angle.cos(), angle.sin()], 1))


CASES = {
    "region": (PointSet(torch.rand(500, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) - 0.5), ring(40)),
    "thin body": (cloud(500, 2.5), ring(60, 0.1)),
    "ring alone": (ring(80, 0.1), ring(80, 0.1)),
    "plate": (cloud(300, 2.0), ring(30, 0.0)),
    "far field": (cloud(500, 80.0), ring(60, 0.2)),
}


@pytest.mark.parametrize("name", CASES)
def test_all_of_space_has_a_place_in_the_box(name):
    domain, surface = CASES[name]
    chart = Chart.of(domain, surface)
    line = torch.linspace(-8, 8, 4001, dtype=torch.float64).sinh()
    for axis in range(2):
        pos = torch.zeros(len(line), 2, dtype=torch.float64)
        pos[:, axis] = line
        found = chart.inside(pos, torch.zeros(len(line), dtype=torch.int64))[:, axis]
        assert found.abs().max() < 0.5 and (found.diff() > 0).all()
    own = chart.inside(domain.pos, domain.batch)
    assert own.abs().max() <= 0.5 / 1.125 + 1e-12
    assert torch.allclose(chart.outside(own, domain.batch), domain.pos, atol=1e-9 * float(domain.pos.abs().max()))


@pytest.mark.parametrize("name", CASES)
def test_the_density_is_the_determinant_and_derivatives_are_continuous_at_the_rim(name):
    domain, surface = CASES[name]
    chart, one = Chart.of(domain, surface), torch.zeros(1, dtype=torch.int64)
    for pos in domain.pos[:5]:
        jacobian = torch.autograd.functional.jacobian(lambda x: chart.inside(x[None], one)[0], pos)
        assert torch.allclose(torch.linalg.det(jacobian), chart.density(pos[None], one)[0], rtol=1e-9)
    # value, first and second derivative on both sides of the rim
    edge = chart.outside(torch.full((1, 2), 0.5 / 1.125, dtype=torch.float64), one)[0, 0]

    def derivatives(x):
        x = x.clone().requires_grad_()
        value = chart.inside(torch.stack([x, torch.zeros_like(x)])[None], one)[0, 0]
        first = torch.autograd.grad(value, x, create_graph=True)[0]
        return torch.stack([value, first, torch.autograd.grad(first, x)[0]]).detach()

    step = 1e-7 * edge
    assert torch.allclose(derivatives(edge - step), derivatives(edge + step), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("dimension", "reach"), [(2, 1.5), (2, 2.2), (3, 1.8)])
def test_nodes_by_counting_are_those_of_a_search(dimension, reach):
    g = torch.Generator().manual_seed(0)
    nodes = lattice_nodes(6, dimension, torch.zeros(1, dtype=torch.float64))
    pos = torch.rand(40, dimension, generator=g, dtype=torch.float64) - 0.5
    pos[0], pos[1] = -0.5, 0.5
    first = torch.where(torch.arange(40) < 15, 0, len(nodes))
    found = surrounding(pos, first, 2 * len(nodes), 6, reach)
    ptr = torch.tensor([0, len(nodes), 2 * len(nodes)])
    expected = radius(nodes.repeat(2, 1), pos, reach / 5, ptr, torch.tensor([0, 15, 40]), at_least_one=False)
    assert torch.equal(found.source, expected.source) and torch.equal(found.target, expected.target)
    assert (found.degree > 0).all()  # no ball between the nodes is empty


def test_distance_to_vertices_is_of_second_order_and_has_the_sign_of_the_normals():
    places = cloud(400, 1.5, seed=3)
    places = PointSet(torch.cat([places.pos, 0.4 * places.pos / places.pos.norm(dim=1, keepdim=True).clamp(min=0.5)]))
    exact = places.pos.norm(dim=1) - 0.5
    away = exact.abs() > 0.02
    errors = [float((vertex_distance(places, ring(n))[0] - exact)[away].abs().max()) for n in (25, 50, 100)]
    assert errors[0] / errors[2] > 2 ** (2 * 1.7), errors
    surface = ring(100, 0.1)  # thin, with sharp ends
    distance = vertex_distance(places, surface)[0]
    truth = segment_distance(places.pos, surface.pos, surface.pos.roll(-1, 0)).distance
    near = truth.abs() > 2e-3
    assert (distance[near].sign() == truth[near].sign()).all() and float((distance - truth).abs().max()) < 2e-3


def test_the_boxes_hold_equally_many_points_and_their_weights_add_up_to_one():
    g = torch.Generator().manual_seed(0)
    sets = PointSet.concatenate([PointSet((torch.rand(n, 2, generator=g, dtype=torch.float64) - 0.5).sign() * 0.4 *
                                          torch.rand(n, 2, generator=g, dtype=torch.float64) ** power) for n, power in ((640, 1), (400, 1.5), (1, 1))])  # fmt: skip
    for depth, overlap in ((1, 0.5), (4, 0.25), (5, 0.0)):
        boxes = Boxes.of(sets, depth, overlap)
        far = torch.cat([sets.pos, 1e6 * sets.pos, torch.randn(500, 2, generator=g, dtype=torch.float64)])
        batch = torch.arange(len(far)) % 3
        weight = boxes.weights(far, batch)
        assert float((weight.sum(dim=1) - 1).abs().max()) < 1e-14 and (weight >= 0).all()
        inside = boxes.weights(sets.pos, sets.batch)
        count = torch.zeros(2**depth).index_add_(0, inside[:640].argmax(dim=1), torch.ones(640))
        assert count.min() >= 0.85 * 640 / 2**depth and count.max() <= 1.15 * 640 / 2**depth
        row, leaf = (inside > 0).nonzero(as_tuple=True)
        assert float(boxes.local(sets.pos[row], sets.batch[row] * 2**depth + leaf).abs().max()) <= 0.5 + 1e-12  # nothing outside a support
        again = Boxes.read(*boxes.keep())
        assert all(torch.equal(getattr(again, name), getattr(boxes, name)) for name in ("cut", "overlap", "low", "high"))


def test_an_empty_sample_has_boxes_too():
    boxes = Boxes.of(PointSet(torch.zeros(0, 3)), 3, 0.25)
    assert torch.allclose(boxes.cut, torch.zeros(1, 7)) and boxes.low.shape == (1, 8, 3)
