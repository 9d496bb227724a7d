"""Predictions in regions, around several bodies and in space: what must not depend on the mesh, the unit or the file.

The models are untrained: every claim here is about how cases become tensors and back, and random weights hide nothing.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import geoop
from geoop.errors import ConditionError, ConfigurationError, DatasetError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, naca4
from geoop.mesh.quantity import QUANTITIES, Quantity
from geoop.models.deeponet import DeepONet
from geoop.models.ports import Ports
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope
from geoop.scaling.framing import Framing
from geoop.scaling.normaliser import Normaliser

sys.path.insert(0, str(Path(__file__).parents[1] / "scaling"))
from test_framing import plate, source_case

U = Quantity("solution", "u", "1")
VELOCITY, PRESSURE, CP = (QUANTITIES[name] for name in ("velocity", "pressure", "pressure_coefficient"))


def untrained(cases, quantities, inputs=(), **options):
    """A surrogate with random weights, framed on the cases."""
    framing = Framing.fit(cases, inputs=inputs, **{"domain_points": 150, **options})
    framed = [framing.of(case) for case in cases]
    given = framing.inputs(cases[0], framed[0])
    scalars = tuple(q for q in quantities if q.rank == 0)
    ports = Ports(
        cases[0].mesh.dimension,
        len(scalars),
        len(quantities) - len(scalars),
        given.scalars.shape[1],
        given.vectors.shape[1],
        framing.surface_scalars,
        tuple((item.name, item.channels) for item in framing.functions),
        not (framing.region or framing.bodies),
    )
    torch.manual_seed(0)
    normaliser = Normaliser(tuple(quantities), (0.0,) * len(quantities), (1.0,) * len(quantities))
    envelope = TrainingEnvelope.of_descriptors([framing.describe(case) for case in cases] * 3)
    # without training a trunk of sines varies over the region, one of GELUs hardly does: tolerances in units of the variation would be about nothing
    return Surrogate(DeepONet(ports, 16, modes=8, activation="sine"), normaliser, envelope, framing, {q.name: 0.1 for q in quantities})


def channel(scale=1.0, speed=2.0):
    """A flow around a square between walls."""
    mesh = plate(12, hole=True)
    mesh = replace(mesh, points=mesh.points * scale)
    left = np.unique(mesh.patches["left"].connectivity)
    y = mesh.points[left, 1] / scale
    inflow = geoop.Field(VELOCITY, np.stack([speed * y * (2 - y), 0 * y], axis=1))
    point = geoop.OperatingPoint(speed, 0.0, viscosity=1e-3 * scale * speed)
    return geoop.Case(mesh, point, wall=("hole",), boundary={"left": {"velocity": inflow}})


def sections(scale=1.0, speed=50.0):
    """Two sections, and points around them."""
    first, second = naca4("2412", n_points=60).points, naca4("0012", n_points=40).points * 0.3 + [1.05, -0.1]
    around = np.random.default_rng(0).uniform([-1.0, -1.0], [2.0, 1.0], (300, 2))
    ring = lambda start, n: np.stack([start + np.arange(n), start + (np.arange(n) + 1) % n], axis=1)  # noqa: E731
    patches = {"main": Cells.of(line=ring(0, len(first))), "flap": Cells.of(line=ring(len(first), len(second)))}
    walls = len(first) + len(second)
    cells = Cells.concatenate([Cells.of(vertex=walls + np.arange(len(around))[:, None]), *patches.values()])
    mesh = Mesh(scale * np.concatenate([first, second, around]), cells, patches=patches)
    return geoop.Case(mesh, geoop.OperatingPoint(speed, 3.0), wall=("main", "flap"))


def brick(scale=1.0, speed=30.0):
    """A box in space, and points around it."""
    surface = box((-0.5, -0.3, -0.2), (0.5, 0.3, 0.2), 4)
    around = np.random.default_rng(1).uniform(-1.0, 1.0, (200, 3))
    cells = Cells.concatenate([Cells.of(vertex=len(surface.points) + np.arange(200)[:, None]), surface.cells])
    return geoop.Case(Mesh(scale * np.concatenate([surface.points, around]), cells), geoop.OperatingPoint(speed, 3.0, 5.0))


def test_a_finer_mesh_of_the_same_region_changes_next_to_nothing():
    """No feature may tell how fine the mesh is: the length of boundary cells as a feature moved this by 40 %."""
    model = untrained([source_case(plate(16)), source_case(plate(16), 2.0)], [U], ("source", "boundary solution"))
    where = np.random.default_rng(1).uniform(0.1, 1.9, (50, 2))
    fine = model.predict(source_case(plate(64))).at(where)["solution"]
    for n in (8, 16, 32):
        coarse = model.predict(source_case(plate(n))).at(where)["solution"]
        assert np.abs(coarse - fine).max() < 0.02 * np.ptp(fine)


@pytest.mark.parametrize(("make", "frame"), [(channel, "region"), (channel, "body"), (sections, "auto"), (brick, "auto")])
def test_flows_of_all_kinds_do_not_depend_on_unit_and_speed(make, frame):
    quantities = [VELOCITY, PRESSURE] if make is channel else [VELOCITY, CP]
    model = untrained([make(), make(1.0, 1.1)], quantities, frame=frame)
    assert model.flow and model.framing.bodies == (make is not channel)
    speed = make().operating_point.velocity
    a, b = model.predict(make()), model.predict(make(1e-3, 2 * speed))
    np.testing.assert_allclose(b["velocity"], 2 * a["velocity"], atol=2e-3 * speed)
    name = quantities[1].name
    np.testing.assert_allclose(b[name], (4 if name == "pressure" else 1) * a[name], atol=2e-3 * np.abs(b[name]).max())
    assert b.verdict.expected_errors["velocity"] == pytest.approx(2 * a.verdict.expected_errors["velocity"])
    assert a.verdict.trusted and b.verdict.trusted


@pytest.mark.parametrize("frame", ["region", "body"])
def test_known_functions_of_a_flow_lose_their_unit(frame):
    """An inflow profile in m/s: what the model is given is the profile over the speed, in the axes of the frame."""
    framing = untrained([channel(), channel(1.0, 2.2)], [VELOCITY], ("boundary velocity",), frame=frame).framing
    a, b = (framing.inputs(case, framing.of(case)).functions["boundary velocity"] for case in (channel(), channel(1e-3, 4.0)))
    torch.testing.assert_close(a.pos, b.pos, atol=1e-6, rtol=0)
    torch.testing.assert_close(a.scalars, b.scalars, atol=1e-6, rtol=0)


def test_there_is_no_field_inside_bodies_and_outside_of_regions():
    where = np.array([[0.3, 0.0], [1.1, -0.1], [0.3, 0.5], [-0.5, 0.3]])
    value = untrained([sections(), sections()], [VELOCITY]).predict(sections()).at(where)["velocity"][:, 0]
    np.testing.assert_array_equal(np.isnan(value), [True, True, False, False])
    value = untrained([brick(), brick()], [CP]).predict(brick()).at(np.array([[0.0, 0.0, 0.0], [0.8, 0.0, 0.0]]))["pressure_coefficient"]
    np.testing.assert_array_equal(np.isnan(value), [True, False])
    value = untrained([channel(), channel()], [PRESSURE], frame="region").predict(channel()).at(np.array([[1.0, 1.0], [0.2, 1.0], [-0.1, 1.0]]))
    np.testing.assert_array_equal(np.isnan(value["pressure"]), [True, False, True])


def test_far_from_bodies_in_space_perturbations_vanish_with_the_square_of_the_distance():
    model = untrained([brick(), brick()], [CP])
    near, far = model.predict(brick()).at(np.array([[0.0, 10.0, 0.0], [0.0, 20.0, 0.0]]))["pressure_coefficient"]
    assert far == pytest.approx(near / 4, rel=1e-4)


def test_a_cloud_around_bodies_measures_the_space_between():
    case = sections()
    framing = Framing.fit([case], domain_points=2000)
    domain = framing.of(case).geometry.domain
    assert domain is not None and abs(len(domain) - 2000) < 50
    distance = domain.points.scalars[:, 0]
    assert (distance >= 0).all() and int((distance == 0).sum()) == 2000 // 3
    bodies = 0.0
    for patch in ("main", "flap"):
        x, y = framing.of(case).mesh.points[case.mesh.patches[patch].connectivity[::2]].T
        bodies += 0.5 * abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)))
    field = float(domain.points.weight[distance > 0].sum())
    assert field == pytest.approx(np.pi * max(framing.reach, 1.3) ** 2 - bodies, rel=0.03)


def test_a_bare_surface_is_predicted_at_its_own_points():
    model = untrained([brick(), brick()], [CP])
    surface = box((-0.5, -0.3, -0.2), (0.5, 0.3, 0.2), 4)
    result = model.predict(geoop.Case(surface, geoop.OperatingPoint(30.0, 3.0, 5.0)))
    assert result.mesh is surface
    np.testing.assert_allclose(result["pressure_coefficient"], model.predict(brick())["pressure_coefficient"][: len(surface.points)], atol=1e-5)


def test_learned_beyond_a_known_field_needs_it_everywhere(tmp_path):
    def with_coarse(case):
        return case.with_fields(geoop.Field(Quantity("coarse", "c", "1"), case.mesh.points[:, 0] ** 2))

    model = untrained([with_coarse(source_case(plate(16))), with_coarse(source_case(plate(16), 2.0))], [U], beyond={"solution": "coarse"})
    case = with_coarse(source_case(plate(16)))
    result = model.predict(case)
    np.testing.assert_allclose(result.at(case.mesh.points)["solution"], result["solution"], atol=1e-5)
    loaded = geoop.load(model.save(tmp_path / "a.safetensors"))
    np.testing.assert_array_equal(loaded.predict(case)["solution"], result["solution"])
    with pytest.raises(ConfigurationError, match="coarse"):
        model.predict(source_case(plate(8)))


def test_a_known_function_that_is_missing_is_named():
    model = untrained([source_case(plate(8)), source_case(plate(8), 2.0)], [U], ("source", "boundary solution"))
    with pytest.raises(ConfigurationError, match="given 'source'"):
        model.predict(replace(source_case(plate(8)), fields={}))
    with pytest.raises(ConfigurationError, match="given 'boundary solution'") as caught:
        model.predict(replace(source_case(plate(8)), boundary={}))
    assert "boundary values 'solution'" in caught.value.remedy
    twice = source_case(plate(8))
    twice = twice.with_fields(geoop.Field(Quantity("source", "f", "1/m^2", rank=1), np.ones((len(twice.mesh.points), 2))))
    with pytest.raises(ConfigurationError, match="2 numbers per point"):
        model.predict(twice)


def test_boundary_values_that_some_training_cases_do_not_impose_may_be_missing():
    flux = geoop.Field(Quantity("flux", "q", "1/m"), np.array(2.0), "global")
    with_flux = replace(source_case(plate(8)), boundary={**source_case(plate(8)).boundary, "top": {"flux": flux}})
    model = untrained([source_case(plate(8)), with_flux], [U], ("boundary flux",))
    assert model.framing.functions[0].optional
    assert model.framing.describe(source_case(plate(8)))["size_boundary flux"] == 0
    a, b = (model.predict(case)["solution"] for case in (source_case(plate(8)), with_flux))
    assert np.isfinite(a).all() and np.abs(a - b).max() > 1e-6


def test_a_number_of_the_whole_case_is_a_constant_function():
    def conducting(value):
        return source_case(plate(8)).with_fields(geoop.Field(Quantity("conductivity", "k", "1"), np.array(value), "global"))

    model = untrained([conducting(1.0), conducting(3.0)], [U], ("conductivity",))
    assert (model.framing.functions[0].mean, model.framing.functions[0].deviation) == (2.0, 1.0)
    assert np.abs(model.predict(conducting(1.0))["solution"] - model.predict(conducting(3.0))["solution"]).max() > 1e-6


def test_a_free_stream_is_asked_for_by_models_of_flows_and_refused_by_others():
    with pytest.raises(ConditionError, match="trained without a free stream"):
        untrained([source_case(plate(8))], [U]).predict(replace(source_case(plate(8)), operating_point=geoop.OperatingPoint(1.0)))
    for make, frame in ((channel, "region"), (sections, "auto")):
        with pytest.raises(ConditionError, match="no operating point"):
            untrained([make()], [VELOCITY], frame=frame).predict(replace(make(), operating_point=None))


def test_cases_of_two_kinds_are_refused():
    case = channel()
    with pytest.raises(DatasetError, match="1 of 2 training cases have no operating point"):
        Framing.fit([case, replace(case, operating_point=None)])
    with pytest.raises(ConfigurationError, match="is for flows"):
        Framing.fit([source_case(plate())], frame="body")
    with pytest.raises(InvalidMeshError, match="2 outlines") as caught:
        Framing.fit([sections()], frame="body")
    assert "on clouds" in caught.value.remedy
