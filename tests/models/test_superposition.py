"""Potential flow is linear in the free stream, and so is its model: exactly, whatever its weights are."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

import geoop
from geoop.errors import ConfigurationError
from geoop.graph.geometry import Geometry, Queries
from geoop.graph.pointset import Inputs
from geoop.mesh.primitives import icosphere, naca4
from geoop.mesh.quantity import QUANTITIES, Quantity
from geoop.models.body_field import BodyField
from geoop.models.enf2enf import Enf2Enf
from geoop.models.ports import Ports
from geoop.models.presets import PRESETS
from geoop.models.superposition import Superposition
from geoop.models.units import Units
from geoop.results.surrogate import Surrogate
from geoop.scaling.casting import OUTLINE_ODD
from geoop.scaling.envelope import TrainingEnvelope
from geoop.scaling.framing import Framing
from geoop.scaling.normaliser import Normaliser
from geoop.train.fit import FitSettings

VELOCITY, PRESSURE = QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]
PLANE = Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True, surface_odd=OUTLINE_ODD)
SMALL = {"width": 16, "depth": 1, "densities": 4, "surface_points": 60}
KINDS = {
    "BodyField, together": (2, {"inner": "BodyField", "sizes": SMALL}),
    "BodyField, apart": (2, {"inner": "BodyField", "sizes": SMALL, "together": False}),
    "Enf2Enf in space, together": (3, {"inner": "Enf2Enf", "sizes": {"width": 16, "latents": 24}}),
    "Enf2Enf in space, apart": (3, {"inner": "Enf2Enf", "sizes": {"width": 16, "latents": 24}, "together": False}),
}


def _case(dimension: int, alpha: float = 3.0) -> geoop.Case:
    mesh = naca4("2412", n_points=100) if dimension == 2 else icosphere(2)
    return geoop.Case(mesh, geoop.OperatingPoint(50.0, alpha=alpha))


@pytest.fixture(scope="module", params=list(KINDS))
def made(request):
    """(model in float64, geometry, queries on and off the wall)."""
    dimension, arguments = KINDS[request.param]
    case = _case(dimension)
    framing = Framing.fit([case], surface_points=60, domain_points=64 if dimension == 3 else 0)
    framed = framing.of(case)
    extent = np.linspace(-0.9, 1.7, 5 * dimension).reshape(-1, dimension)
    points = np.concatenate([case.mesh.points[::17], extent + 1.5])
    queries = framed.queries(points, np.arange(len(points)) < len(points) - len(extent))
    ports = PLANE if dimension == 2 else Ports(3, vectors_out=1, vectors_in=1, surface_scalars=framing.surface_scalars)
    torch.manual_seed(0)
    model = Superposition(ports, **arguments).double().eval()
    model.fit_units(Units((PRESSURE, VELOCITY), (-0.2, 0.0), (0.6, 0.35)))
    return model, framed.geometry.to(torch.float64), queries.to(torch.float64)


def _inputs(*streams) -> Inputs:
    vectors = torch.tensor(np.array(streams))[:, None]
    return Inputs(vectors.new_zeros(len(vectors), 0), vectors)


def _velocity(model: Superposition, geometry: Geometry, queries: Queries, stream) -> tuple[torch.Tensor, torch.Tensor]:
    """Velocity over that of the unit stream, and pressure coefficient, in the units of the fields."""
    with torch.no_grad():
        found = model(model.prepare(geometry), _inputs(stream), queries)
    assert found.scalars.dtype == torch.float64
    return torch.tensor(stream) + 0.35 * found.vectors[:, 0], -0.2 + 0.6 * found.scalars[:, 0]


def test_flows_superpose_and_bernoulli_holds_exactly(made):
    """Any two flows span those of the plane of their streams, three all of space: u(a U + b W) = a u(U) + b u(W), and u(-U) = -u(U), Cp(-U) = Cp(U)."""
    model, geometry, queries = made
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, queries.points.dimension))
    u, _ = _velocity(model, geometry, queries, first)
    w, _ = _velocity(model, geometry, queries, second)
    both, pressure = _velocity(model, geometry, queries, 0.7 * first - 1.3 * second)
    assert float((both - (0.7 * u - 1.3 * w)).abs().max()) < 1e-12
    assert float((pressure - (1.0 - both.square().sum(dim=1))).abs().max()) < 1e-12
    unit = first / np.linalg.norm(first)
    (ahead, front), (back, behind) = (_velocity(model, geometry, queries, sign * unit) for sign in (1.0, -1.0))
    assert float((ahead + back).abs().max()) < 1e-12 and float((front - behind).abs().max()) < 1e-12
    assert float(ahead.std(dim=0).min()) > 1e-4, "the same everywhere"


def test_a_batch_equals_its_samples(made):
    model, geometry, queries = made
    count = len(geometry.surface)
    streams = [[1.0, 0.2, -0.3][: queries.points.dimension], [0.4, -0.9, 0.1][: queries.points.dimension]]
    with torch.no_grad():
        prepared = model.prepare(geometry)
        alone = [model(prepared, _inputs(stream), queries) for stream in streams]
        batch = model(model.concatenate([prepared, prepared]), _inputs(*streams), Queries.concatenate([queries, queries], [count, count]))
    for name in ("scalars", "vectors"):
        expected = torch.cat([getattr(one, name) for one in alone])
        assert float((getattr(batch, name) - expected).abs().max()) < 1e-12


def test_a_sweep_asks_the_model_inside_once(made, monkeypatch):
    model, geometry, queries = made
    asked = {"encode": 0, "field": 0}

    def counted(name, original):
        def call(*arguments):
            asked[name] += 1
            return original(*arguments)

        return call

    prepared, dimension = model.prepare(geometry), queries.points.dimension
    streams = [_inputs(np.eye(dimension)[0] * np.cos(a) + np.eye(dimension)[-1] * np.sin(a)) for a in np.linspace(-0.3, 0.3, 9)]
    with torch.no_grad():
        alone = [model(prepared, stream, queries) for stream in streams]
        for name in asked:
            monkeypatch.setattr(model.inner, name, counted(name, getattr(model.inner, name)))
        found = model.field_many(model.encode_many(prepared, streams), queries)
    flows = 1 if model.together else dimension
    assert asked == {"encode": flows, "field": flows}
    for one, other in zip(found, alone, strict=True):
        assert torch.equal(one.vectors, other.vectors) and torch.equal(one.scalars, other.scalars)


def test_saved_and_loaded_bit_by_bit(made):
    model, geometry, queries = made
    other = type(model)(**json.loads(json.dumps(model.arguments))).double().eval()
    other.load_state_dict(load(save(model.state_dict())))
    stream = [0.9, 0.1, 0.3][: queries.points.dimension]
    for one, two in zip(_velocity(model, geometry, queries, stream), _velocity(other, geometry, queries, stream), strict=True):
        assert torch.equal(one, two)


def test_gradients_reach_every_weight_that_counts(made):
    model, geometry, queries = made
    found = model(model.prepare(geometry), _inputs([0.8, 0.3, 0.2][: queries.points.dimension]), queries)
    model.zero_grad()
    (found.scalars.square().sum() + found.vectors.square().sum()).backward()
    heads = ("scalar_head", "product")  # of the model inside, whose scalars nobody asks for
    for name, parameter in model.named_parameters():
        if not any(head in name for head in heads):
            assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
    model.zero_grad()


def test_what_is_not_linear_is_refused_before_anything_is_learned():
    with pytest.raises(ConfigurationError, match="1 scalar conditions") as error:
        Superposition(replace(PLANE, scalars_in=1, scalars_out=2))
    assert "2 scalar fields out" in error.value.message and "viscosity" in error.value.remedy
    for inner in ("Superposition", "ExactDirichlet", "MultiTaskDeepONet"):  # would take the basis for the fields themselves
        with pytest.raises(ConfigurationError, match="units of the fields"):
            Superposition(PLANE, inner=inner)
    with pytest.raises(ConfigurationError, match="did you mean|no model") as error:
        Superposition(PLANE, inner="BodyFeld")
    assert "BodyField" in error.value.remedy
    model = Superposition(PLANE, sizes=SMALL)
    with pytest.raises(ConfigurationError, match="temperature"):
        model.fit_units(Units((VELOCITY, Quantity("temperature", "T", "K")), (0.0, 0.0), (1.0, 1.0)))


def test_presets_and_papers():
    sizes = [sum(p.numel() for p in Superposition(PLANE, **PRESETS["Superposition"][size]).parameters()) for size in ("small", "medium", "large")]
    assert sizes == sorted(sizes) and sizes[0] < 500_000
    model = Superposition(PLANE, inner="Enf2Enf", together=False)
    assert set(model.reference) == {"katz-plotkin-2001", *Enf2Enf.reference} and model.on_clouds
    assert not Superposition(PLANE, sizes=SMALL).on_clouds and Superposition(PLANE, sizes=SMALL).outline_points == 60


@pytest.fixture(scope="module")
def surrogate():
    torch.manual_seed(0)
    cases = [_case(2, alpha) for alpha in (-4.0, 0.0, 4.0)]
    normaliser = Normaliser((VELOCITY, PRESSURE), (0.0, -0.2), (0.3, 0.5))
    model = Superposition(PLANE, sizes=SMALL)
    model.fit_units(Units(normaliser.quantities, normaliser.mean, normaliser.deviation))
    framing = replace(Framing.fit(cases, surface_points=60), reach=np.inf)  # beyond it fields decay, each by itself
    return Surrogate(model, normaliser, TrainingEnvelope.fit(cases), framing)


def test_predictions_of_a_sweep_are_those_of_its_angles_and_keep_bernoulli(surrogate):
    """In SI units, at the points of the mesh and at any others; a section that is turned with the stream has the same pressures."""
    points = [geoop.OperatingPoint(40.0 + a, alpha=a) for a in (-3.0, 2.0, 9.0)]
    sweep = surrogate.predict_many(_case(2).mesh, points, surface_only=True)
    for result, point in zip(sweep, points, strict=True):
        alone = surrogate.predict(geoop.Case(_case(2).mesh, point), surface_only=True)
        np.testing.assert_allclose(result["velocity"], alone["velocity"], atol=1e-6 * point.velocity)
        pressure = 1.0 - (result["velocity"] ** 2).sum(axis=1) / point.velocity**2
        np.testing.assert_allclose(result["pressure_coefficient"], pressure, atol=2e-5)
        there = result.at(np.array([[0.4, 0.3], [1.4, -0.2]]))
        speed = (there["velocity"] ** 2).sum(axis=1)
        np.testing.assert_allclose(there["pressure_coefficient"], 1.0 - speed / point.velocity**2, atol=2e-5)
    reversed_stream = surrogate.predict(geoop.Case(_case(2).mesh, replace(points[1], alpha=points[1].alpha - 180.0)), surface_only=True)
    np.testing.assert_allclose(reversed_stream["velocity"], -sweep[1]["velocity"], atol=1e-4)


def test_it_trains_like_any_other_model(tmp_path):
    """Through fit, on exact flows: the buffers are the normaliser's, the file gives the same answers, and the error falls."""
    data = geoop.generate("kt-airfoils", tmp_path / "data", n=20, workers=1)
    from functools import partial

    settings = FitSettings(epochs=12, batch=2, field_points=96, wall_points=48, reflect=False, validate_every=6)
    model = partial(Superposition, sizes={**SMALL, "width": 32})
    found = geoop.fit(data, tmp_path / "run", model=model, settings=settings, progress=False)
    assert found.framing.surface_points == 60
    quantities = [q.name for q in found.normaliser.quantities]
    deviation, mean = dict(zip(quantities, found.normaliser.deviation, strict=True)), dict(zip(quantities, found.normaliser.mean, strict=True))
    assert float(found.model.velocity_scale) == pytest.approx(deviation["velocity"], rel=1e-6)
    expected = [mean["pressure_coefficient"], deviation["pressure_coefficient"]]
    assert found.model.pressure_scale.tolist() == pytest.approx(expected, rel=1e-6)
    again = geoop.load(tmp_path / "run" / "best.safetensors")
    case = data.case(data.splits["test"][0])
    np.testing.assert_array_equal(again.predict(case)["velocity"], found.predict(case)["velocity"])
    torch.manual_seed(1)
    untrained = Surrogate(type(found.model)(**found.model.arguments), found.normaliser, found.envelope, found.framing)
    untrained.model.fit_units(Units(found.normaliser.quantities, found.normaliser.mean, found.normaliser.deviation))
    truth = case.field("velocity").values
    errors = [np.linalg.norm(s.predict(case)["velocity"] - truth) for s in (found, untrained)]
    assert errors[0] < 0.5 * errors[1]


def test_cases_of_one_geometry_are_prepared_once(monkeypatch, tmp_path):
    from geoop.train.preparing import prepared_by

    case = _case(2)
    framing = Framing.fit([case], surface_points=60)
    samples = [type("Sample", (), {"geometry": framing.of(replace(case, name=name)).geometry})() for name in ("a", "b")]
    other = type("Sample", (), {"geometry": framing.of(geoop.Case(naca4("2415", n_points=100), case.operating_point)).geometry})()
    model = BodyField(PLANE, **SMALL)
    first, second, third = prepared_by(model, [*samples, other])
    assert first is second and third is not first
