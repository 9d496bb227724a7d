"""Exact Dirichlet values: of random networks, to rounding, by elimination (finite elements) and by lifting."""

import json
from dataclasses import replace

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.geometry import Queries
from geoop.graph.pointset import PointSet
from geoop.layers.sites import Sites
from geoop.models.exact_dirichlet import ExactDirichlet
from geoop.models.inner import inner_class
from geoop.models.ports import Ports
from geoop.models.spon import StructurePreservingOperator, signed_distance

from . import test_claims as claims
from .zoo import PORTS, Entry, geometry, inputs, queries_at

SMALL = {"tokens": 24, "depth": 1, "heads": 2, "smoothings": 1}
MODELS = {
    "finite elements, P1": lambda **k: StructurePreservingOperator(PORTS, 16, **SMALL, **k),
    "finite elements, P2": lambda **k: StructurePreservingOperator(PORTS, 16, **SMALL, degree=2, **k),
    "lifting": lambda **k: ExactDirichlet(PORTS, 16, sizes=SMALL, **k),
}


def on_the_boundary(given, count: int = 300) -> tuple[Queries, torch.Tensor]:
    """Points of the facets, vertices among them, as queries; and their weights at the vertices (count, v)."""
    surface, n = given.surface, len(given.surface)
    g = torch.Generator().manual_seed(0)
    facet = torch.cat([torch.arange(n), torch.randint(n, (count - n,), generator=g)])
    t = torch.rand(count, generator=g, dtype=torch.float64) * (torch.arange(count) >= n)
    share = torch.zeros(count, n, dtype=torch.float64)
    share[torch.arange(count), facet] += 1 - t
    share[torch.arange(count), (facet + 1) % n] += t
    return queries_at(share @ surface.pos, surface, edge=count), share


def build(make, seed: int, **arguments):
    torch.manual_seed(seed)
    model = make(**arguments).double().eval()
    for parameter in model.parameters():  # away from the gentle start
        torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("seed", range(2))
def test_boundary_values_are_exact_to_rounding(make, seed):
    given = geometry(150, seed, vertices=40)
    conditions, (queries, share) = inputs(given, PORTS, seed), on_the_boundary(given)
    model = build(make, seed, dirichlet="boundary", fields=[1])
    with torch.no_grad():
        out = model(model.prepare(given), conditions, queries)
        free = build(make, seed, fields=[0])(model.prepare(given), conditions, queries)
    exact = share @ conditions.functions["boundary"].scalars[:, 0]
    assert (out.scalars[:, 1] - exact).abs().max() < 1e-12
    assert (free.scalars[:, 1] - exact).abs().max() > 0.1  # the control: nobody told it
    assert free.scalars[:, 0].abs().max() < 1e-12 < out.scalars[:, 0].abs().max()


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_zero_in_standardised_units_and_all_fields(make):
    given = geometry(100, 1, vertices=30)
    conditions, (queries, _) = inputs(given, PORTS, 1), on_the_boundary(given, 100)
    model = build(make, 1, fields=None)
    offset = torch.tensor([0.3, -1.5, 0.0, 2.0])
    model.data.offset.copy_(offset)
    with torch.no_grad():
        out = model(model.prepare(given), conditions, queries)
        other = type(model)(**json.loads(json.dumps(model.arguments))).double().eval()
        other.load_state_dict(model.state_dict())  # the units travel with the weights
        again = other(other.prepare(given), conditions, queries)
    found = torch.cat([out.scalars, out.vectors.flatten(1)], 1)
    assert (found - offset).abs().max() < 1e-12
    assert torch.equal(again.scalars, out.scalars)


def test_lifting_has_finite_gradients_everywhere_and_feels_the_data_inside():
    given = geometry(100, 1, vertices=30)
    conditions, (edge, _) = inputs(given, PORTS, 1), on_the_boundary(given, 40)
    model = build(MODELS["lifting"], 1, dirichlet="boundary", fields=[0])
    prepared = model.prepare(given)
    values = conditions.functions["boundary"].scalars.clone().requires_grad_()
    told = replace(conditions, functions={**conditions.functions, "boundary": replace(conditions.functions["boundary"], scalars=values)})
    assert given.domain is not None
    for queries in (given.domain, edge):
        pos = queries.points.pos.clone().requires_grad_()
        moved = replace(queries, points=replace(queries.points, pos=pos))
        out = model(prepared, told, moved)
        gradient = torch.autograd.grad(out.scalars.sum(), [pos, values, *model.parameters()], allow_unused=True)
        assert all(g is None or torch.isfinite(g).all() for g in gradient)
        assert gradient[1].abs().sum() > 0


def test_a_body_in_unbounded_flow_keeps_cells_outside_of_it_only():
    """A disc of radius 0.3 in a cloud out to radius 2: the cells fill the ring between."""
    n = 60
    t = 2 * torch.pi * torch.arange(n, dtype=torch.float64) / n
    normal = torch.stack([t.cos(), t.sin()], 1)
    surface = PointSet(
        0.3 * normal, torch.zeros(n, 0, dtype=torch.float64), normal[:, None], torch.full((n,), 0.6 * torch.pi / n, dtype=torch.float64)
    )
    radius = 0.3 + torch.linspace(0.02, 1.7, 14, dtype=torch.float64)
    pos = (radius[:, None, None] * normal[None]).reshape(-1, 2)
    distance = pos.norm(dim=1) - 0.3
    model = StructurePreservingOperator(Ports(body=True), 16, **SMALL)
    scalars = Sites(pos, distance, pos, pos, pos, pos[:, :0]).features()
    domain = PointSet(torch.cat([pos]), scalars, torch.nn.functional.normalize(pos, dim=1)[:, None])
    assert torch.allclose(signed_distance(domain), distance, atol=1e-12)
    mesh = model.connect(domain, surface)["mesh"]
    area = n * 0.5 * torch.sin(torch.tensor(2 * torch.pi / n, dtype=torch.float64))
    assert abs(float(mesh.points["cells"].weight.sum() / (area * (2.0**2 - 0.3**2))) - 1) < 1e-9
    assert abs(float(mesh.points["nodes"].weight.sum() / (area * (2.0**2 - 0.3**2))) - 1) < 1e-6


CLAIMS = (
    "test_a_batch_equals_its_samples",
    "test_the_order_of_points_does_not_matter",
    "test_every_query_is_decoded_by_itself_and_chunks_change_nothing",
    "test_conditions_functions_and_geometry_all_matter",
    "test_a_far_point_of_a_function_is_felt",
    "test_tiny_clouds",
    "test_every_parameter_is_used_and_has_a_finite_gradient",
    "test_gradients_by_the_inputs",
    "test_saved_and_loaded_bit_by_bit",
    "test_bfloat16_stays_within_a_few_per_cent",
)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("claim", CLAIMS)
def test_the_claims_of_all_models_hold_with_boundary_values(make, claim):
    def pinned(ports):
        return make(dirichlet="boundary", fields=[0])

    getattr(claims, claim)(Entry(pinned))


@pytest.mark.slow
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_it_overfits_a_field_with_its_boundary_values(make):
    """Below 1 % within 1000 steps, with the boundary exact at every step."""
    torch.manual_seed(0)
    given = geometry(150, 1, vertices=40)
    model = make(dirichlet="boundary", fields=[0]).double()
    truth = lambda x: (3 * x[:, :1]).sin() * (4 * x[:, 1:]).cos()  # noqa: E731
    conditions = inputs(given, PORTS, 1)
    told = given.surface.with_features(truth(given.surface.pos), given.surface.vectors[:, :0])
    conditions = replace(conditions, functions={**conditions.functions, "boundary": told})
    prepared, edge = model.prepare(given), torch.arange(40)
    assert given.domain is not None
    exact = truth(given.domain.points.pos)[:, 0]
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, 1000)
    for _ in range(1000):
        found = model(prepared, conditions, given.domain).scalars[:, 0]
        assert (found - exact)[edge].abs().max() < 1e-12
        loss = ((found - exact).square().sum() / exact.square().sum()).sqrt()
        if loss < 0.008:
            return
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    raise AssertionError(f"{100 * float(loss.detach()):.2f} %")


def test_bad_arguments_are_named():
    with pytest.raises(ConfigurationError, match="no model 'Nonsense'"):
        ExactDirichlet(PORTS, 16, inner="Nonsense")
    with pytest.raises(ConfigurationError, match="boundary values"):
        ExactDirichlet(PORTS, 16, dirichlet="source", fields=[0])
    with pytest.raises(ConfigurationError, match="reach"):
        ExactDirichlet(PORTS, 16, reach=0.0)
    with pytest.raises(ConfigurationError, match="boundary values of 0 fields"):
        StructurePreservingOperator(PORTS, 16, dirichlet="boundary")
    for name in ("BodyField", "ExactDirichlet", "PotentialField"):
        with pytest.raises(ConfigurationError, match="cannot stand inside"):
            ExactDirichlet(PORTS, 16, inner=name)
    assert inner_class("StructurePreservingOperator") is StructurePreservingOperator
