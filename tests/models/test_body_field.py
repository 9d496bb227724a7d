"""The default model: what it promises whatever its weights are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError, ShapeError
from geoop.graph.geometry import Geometry, Queries
from geoop.graph.pointset import Inputs
from geoop.mesh.case import Case
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import naca4
from geoop.models.body_field import BodyField
from geoop.models.ports import Ports
from geoop.scaling.casting import FramedBody

PORTS = Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return BodyField(PORTS, width=32, depth=2, densities=4).eval()


def framed(name: str, alpha: float = 3.0):
    case = Case(naca4(name, n_points=120), OperatingPoint(30.0, alpha))
    return case, FramedBody.of(case, 200)


def points(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform((-0.5, 0.15), (1.5, 1.0), (n, 2))


def answer(model, name, where, alpha=3.0, chunk=10**6):
    case, body = framed(name, alpha)
    latent = model.encode(model.prepare(body.geometry), body.inputs(case))
    return model.decode(latent, body.queries(where), chunk)


def test_chunks_equal_the_whole(model):
    where = points(301)
    whole = answer(model, "2412", where)
    for chunk in (1, 7, 100):
        part = answer(model, "2412", where, chunk=chunk)
        torch.testing.assert_close(part.vectors, whole.vectors, atol=2e-6, rtol=1e-5)
        torch.testing.assert_close(part.scalars, whole.scalars, atol=2e-6, rtol=1e-5)


def test_batch_of_two_with_different_numbers_of_queries_is_two_batches_of_one(model):
    one, two = framed("2412", 3.0), framed("0012", -2.0)
    queries = [one[1].queries(points(40)), two[1].queries(points(75, seed=1))]
    apart = [
        model.field(model.encode(model.prepare(body.geometry), body.inputs(case)), q) for (case, body), q in zip((one, two), queries, strict=True)
    ]
    geometry = Geometry.concatenate([one[1].geometry, two[1].geometry])
    inputs = Inputs.concatenate([one[1].inputs(one[0]), two[1].inputs(two[0])])
    together = model(model.prepare(geometry), inputs, Queries.concatenate(queries, [200, 200]))
    torch.testing.assert_close(together.vectors, torch.cat([a.vectors for a in apart]), atol=2e-6, rtol=1e-5)
    joined = model(
        model.concatenate([model.prepare(one[1].geometry), model.prepare(two[1].geometry)]), inputs, Queries.concatenate(queries, [200, 200])
    )
    torch.testing.assert_close(joined.scalars, together.scalars, atol=2e-6, rtol=1e-5)


def test_order_of_queries_does_not_matter(model):
    where = points(50)
    order = np.random.default_rng(3).permutation(50)
    plain, shuffled = answer(model, "4415", where), answer(model, "4415", where[order])
    torch.testing.assert_close(shuffled.vectors, plain.vectors[order], atol=2e-6, rtol=1e-5)


def test_place_size_and_attitude_of_the_body_do_not_matter(model):
    """The frame takes them out: the same section turned, moved and in millimetres has the same dimensionless field."""
    case, body = framed("2412", 3.0)
    where = points(30)
    plain = model.field(model.encode(model.prepare(body.geometry), body.inputs(case)), body.queries(where))
    angle = np.radians(20.0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def move(x):
        return 1e-3 * x @ turn.T + np.array([4.0, -7.0])

    moved_case = Case(case.mesh.moved(move(case.mesh.points)), OperatingPoint(90.0, 3.0 + 20.0))
    moved_body = FramedBody.of(moved_case, 200)
    moved = model.field(model.encode(model.prepare(moved_body.geometry), moved_body.inputs(moved_case)), moved_body.queries(move(where)))
    torch.testing.assert_close(moved.vectors, plain.vectors, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(moved.scalars, plain.scalars, atol=1e-4, rtol=1e-3)


def test_every_parameter_gets_a_gradient():
    torch.manual_seed(0)
    model = BodyField(PORTS, width=32, depth=2, densities=4)
    for p in model.parameters():  # zero-initialised layers would hide what lies behind them
        torch.nn.init.normal_(p, std=0.1)
    case, body = framed("2412")
    out = model(model.prepare(body.geometry), body.inputs(case), body.queries(points(20)))
    (out.vectors.square().sum() + out.scalars.square().sum()).backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not silent


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("outputs", [{"scalars_out": 0, "vectors_out": 1}, {"scalars_out": 1, "vectors_out": 0}], ids=["vectors", "scalars"])
def test_no_outputs_of_a_kind_are_no_matter_for_a_warning(outputs):
    BodyField(replace(PORTS, **outputs))


def test_condition_changes_the_field_but_not_what_was_prepared(model):
    case, body = framed("0012")
    prepared = model.prepare(body.geometry)
    fields = [
        model.field(model.encode(prepared, body.inputs(Case(case.mesh, OperatingPoint(30.0, a)))), body.queries(points(10))).vectors
        for a in (0.0, 8.0)
    ]
    assert (fields[0] - fields[1]).abs().max() > 1e-3


def test_without_layer_potentials(model):
    torch.manual_seed(0)
    plain = BodyField(PORTS, width=32, depth=1, densities=0)
    assert answer(plain, "2412", points(5)).vectors.shape == (5, 1, 2)
    assert sum(p.numel() for p in plain.parameters()) < sum(p.numel() for p in BodyField(PORTS, width=32, depth=1, densities=4).parameters())


@pytest.mark.parametrize("sizes", [{"width": 30}, {"surface_points": 201}, {"surface_points": 10}, {"densities": 1}, {"depth": 0}])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ConfigurationError, match="width"):
        BodyField(PORTS, **sizes)


def test_wrong_number_of_vertices_is_refused(model):
    case = Case(naca4("0012", n_points=120), OperatingPoint(30.0))
    with pytest.raises(ShapeError, match="200"):
        model.prepare(FramedBody.of(case, 100).geometry)
