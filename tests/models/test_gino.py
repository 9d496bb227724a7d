"""GINO: derivatives of the decoded field by the query, and places that no ball reaches."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.geometry import Geometry, Queries
from geoop.graph.lattice import lattice_nodes
from geoop.graph.neighbors import radius
from geoop.graph.pointset import Inputs, PointSet
from geoop.models.gino import GINO
from geoop.models.nuno import NUNO
from geoop.models.ports import Ports

from .zoo import PORTS, ask, geometry, inputs

MAKE = {
    "GINO": lambda: GINO(PORTS, 16, resolution=10, modes=3, rank=6, depth=2),
    "GINO, hard rim": lambda: GINO(PORTS, 16, resolution=10, modes=3, rank=6, depth=2, smooth=False),
    "NUNO": lambda: NUNO(PORTS, 16, levels=3, resolution=5, modes=2, rank=6, depth=2),
    "NUNO, seams": lambda: NUNO(PORTS, 16, levels=3, resolution=5, modes=2, rank=6, depth=2, overlap=0.0),
}


def encoded(name: str):
    """A model and its state on one case."""
    torch.manual_seed(0)
    model, given = MAKE[name]().double().eval(), geometry(200, 1)
    with torch.no_grad():
        return model, model.encode(model.prepare(given), inputs(given, PORTS, 1))


def along(model, state, pos: torch.Tensor) -> torch.Tensor:
    """(n, width) what is read at positions, everything else that a query knows being the same at all of them."""
    return model.read(state, PointSet(pos, torch.zeros(len(pos), model.width, dtype=torch.float64)))


def line(n: int, start=(-0.6, -0.31), end=(0.63, 0.37)) -> torch.Tensor:
    s = torch.linspace(0, 1, n, dtype=torch.float64)[:, None]
    return torch.tensor(start, dtype=torch.float64) * (1 - s) + torch.tensor(end, dtype=torch.float64) * s


def slopes(model, state, pos: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A number per query and its gradient by the position."""
    pos = pos.clone().requires_grad_()
    value = along(model, state, pos).sum(dim=1)
    return value.detach(), torch.autograd.grad(value.sum(), pos)[0]


@pytest.mark.parametrize("name", MAKE)
def test_the_integral_of_the_gradient_is_the_difference_of_the_values(name):
    """Holds for a field without jumps; the hard rim of a ball and the seams of boxes are the controls."""
    model, state = encoded(name)
    pos = line(8001)
    value, gradient = slopes(model, state, pos)
    rate = (gradient * (pos[-1] - pos[0])).sum(dim=1)
    integral = float((rate[1:] + rate[:-1]).sum()) / 2 / (len(pos) - 1)
    gap = abs(integral - float(value[-1] - value[0])) / float(value.std())
    smooth = name in ("GINO", "NUNO")
    assert gap < 1e-5 if smooth else gap > 1e-2, gap
    # the largest step between neighbours: as small as the spacing, or a jump
    step = float(value.diff().abs().max() / value.std())
    assert step < 0.01 if smooth else step > 0.03, step


@pytest.mark.parametrize("name", ["GINO", "NUNO"])
def test_gradients_are_continuous_and_agree_with_differences(name):
    model, state = encoded(name)
    pos = line(400)
    _, gradient = slopes(model, state, pos)
    for axis in range(2):
        step = torch.zeros(1, 2, dtype=torch.float64)
        step[0, axis] = 1e-5
        with torch.no_grad():
            difference = (along(model, state, pos + step) - along(model, state, pos - step)).sum(dim=1) / 2e-5
        assert torch.allclose(difference, gradient[:, axis], rtol=1e-5, atol=1e-5 * float(gradient.abs().max()))
    changes = [float(slopes(model, state, line(n))[1].diff(dim=0).norm(dim=1).max()) for n in (2001, 4001, 8001)]
    assert changes[2] < 0.6 * changes[1] < 0.36 * changes[0], changes  # a jump would not shrink


@pytest.mark.parametrize("name", ["GINO", "NUNO"])
def test_no_constant_outside_every_radius(name):
    model, state = encoded(name)
    g = torch.Generator().manual_seed(0)
    far = torch.nn.functional.normalize(torch.randn(20, 2, generator=g, dtype=torch.float64), dim=1) * torch.linspace(1, 20, 20)[:, None]
    with torch.no_grad():
        found = along(model, state, far)
    apart = torch.cdist(found, found) + 1e9 * torch.eye(len(far))
    assert float(apart.min()) > 1e-6 * float(found.abs().max())
    # what the paper's search makes of them: a lattice over the region, a ball of fixed radius, nothing in it
    nodes = lattice_nodes(10, 2, far)
    assert radius(nodes, far, 0.1, at_least_one=False).n_edges == 0


def test_a_radius_that_leaves_balls_empty_is_refused():
    with pytest.raises(ConfigurationError, match="1.2 spacings"):
        GINO(PORTS, 16, reach=1.2)


@pytest.mark.parametrize("name", ["GINO", "NUNO"])
def test_the_boundary_reaches_the_lattice(name):
    """The distance channel alone: other normals, other answer, although the points of the domain know nothing of it."""
    torch.manual_seed(0)
    model, given = MAKE[name]().double().eval(), geometry(200, 1)
    conditions, queries = inputs(given, PORTS, 1), ask(given, 7, 1)
    with torch.no_grad():
        prepared = model.prepare(given)
        shifted = replace(given.surface, vectors=-given.surface.vectors)
        other = replace(prepared, connections=model.connect(prepared.domain, shifted))
        change = model(prepared, conditions, queries).scalars - model(other, conditions, queries).scalars
    assert float(change.abs().max()) > 1e-4


def ball_in_space(n: int, vertices: int) -> tuple[Geometry, Queries]:
    """Points around a sphere of diameter 1, and some queries."""
    i = torch.arange(vertices, dtype=torch.float64) + 0.5
    height, turn = 1 - 2 * i / vertices, i * torch.pi * (3 - 5**0.5)
    normal = torch.stack([(1 - height**2).sqrt() * turn.cos(), (1 - height**2).sqrt() * turn.sin(), height], 1)
    surface = PointSet(0.5 * normal, torch.zeros(vertices, 0, dtype=torch.float64), normal[:, None], torch.full_like(height, torch.pi / vertices))

    def around(count: int, seed: int) -> Queries:
        g = torch.Generator().manual_seed(seed)
        way = torch.nn.functional.normalize(torch.randn(count, 3, generator=g, dtype=torch.float64), dim=1)
        distance = 1.5 * torch.rand(count, 1, generator=g, dtype=torch.float64) ** 2
        nearest = torch.cdist(way, normal).argmin(dim=1)
        weight = (0.5 + distance[:, 0]) ** 2 * distance[:, 0].sqrt()
        share = torch.tensor([[1.0, 0, 0]], dtype=torch.float64).expand(count, 3)
        return Queries(PointSet((0.5 + distance) * way, distance, way[:, None], weight), nearest[:, None].expand(count, 3), share)

    facets = torch.arange(3)[None]
    return Geometry(surface, facets, torch.tensor([0, 1]), around(n, 1)), around(11, 2)


@pytest.mark.parametrize("kind", [GINO, NUNO])
def test_in_space(kind):
    """Three dimensions: batches, decoding one by one, and a field without jumps."""
    torch.manual_seed(0)
    ports = Ports(dimension=3, scalars_out=1, vectors_out=1, vectors_in=1)
    sizes = {"resolution": 6, "modes": 2, "rank": 4, "depth": 1}
    model = kind(ports, 8, **sizes).double().eval()
    given, queries = ball_in_space(400, 200)
    other, others = ball_in_space(250, 150)
    wind = [Inputs(torch.zeros(1, 0, dtype=torch.float64), torch.tensor([[v]], dtype=torch.float64)) for v in ([1.0, 0, 0], [0, 1.0, 0.5])]
    with torch.no_grad():
        state = model.encode(model.prepare(given), wind[0])
        alone = model.field(state, queries)
        batch = model.concatenate([model.prepare(given), model.prepare(other)])
        both = model(batch, Inputs.concatenate(wind), Queries.concatenate([queries, others], [200, 150]))
        assert torch.allclose(both.vectors[:11], alone.vectors, atol=1e-10)
        assert torch.allclose(model.decode(state, queries, chunk=4).scalars, alone.scalars, atol=1e-10)
    s = torch.linspace(0, 1, 4001, dtype=torch.float64)[:, None]
    pos = torch.tensor([[-0.9, -0.7, -0.8]]) * (1 - s) + torch.tensor([[0.8, 0.9, 0.6]]) * s
    value, gradient = slopes(model, state, pos)
    rate = gradient @ (pos[-1] - pos[0])
    assert abs(float((rate[1:] + rate[:-1]).sum()) / 8000 - float(value[-1] - value[0])) < 1e-5 * float(value.std())
