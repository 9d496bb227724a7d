"""Prediction on every kind of mesh, and what a surrogate refuses."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import geoop
from geoop.errors import CheckpointError, ConditionError, GeoopError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import icosphere, naca4
from geoop.mesh.quantity import QUANTITIES
from geoop.models.body_field import BodyField
from geoop.models.ports import Ports
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope
from geoop.scaling.normaliser import Normaliser


@pytest.fixture(scope="module")
def surrogate():
    torch.manual_seed(0)
    cases = [geoop.Case(naca4(name, n_points=100), geoop.OperatingPoint(50.0, a)) for name in ("0012", "2412", "4412") for a in (-4.0, 0.0, 4.0)]
    normaliser = Normaliser((QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]), (0.0, -0.2), (0.3, 0.5))
    model = BodyField(Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True), width=32, depth=1, densities=4)
    return Surrogate(model, normaliser, TrainingEnvelope.fit(cases), expected_errors={"velocity": 0.01, "pressure_coefficient": 0.02})


@pytest.fixture
def point():
    return geoop.OperatingPoint(velocity=60.0, alpha=2.0)


def test_a_bare_section_gets_a_grid_and_forces(surrogate, point):
    result = surrogate.predict(geoop.Case(naca4("2412", n_points=100), point))
    assert {"wall", "farfield"} <= set(result.mesh.patches)
    assert result["velocity"].shape == (len(result.mesh.points), 2)
    forces = geoop.forces(result, reference_length=1.0)
    assert np.isfinite(forces.CL)
    assert forces.CD is None
    assert "none (inviscid)" in str(forces)


def test_fields_that_came_with_the_mesh_are_not_returned_as_predictions(surrogate, point):
    """A file's own solution beside the prediction would be integrated by forces and compared with itself by evaluate."""
    section = naca4("2412", n_points=100)
    given = geoop.Case(section, point).with_fields(geoop.Field(QUANTITIES["pressure"], np.zeros(len(section.points))))
    result = surrogate.predict(given, surface_only=True)
    stated = {"verdict_level", *(f"{name}_expected_error" for name in result.verdict.expected_errors)}
    assert set(result.fields) == {"velocity", "pressure_coefficient"} | stated


def test_a_geometry_is_prepared_once_and_found_by_content(surrogate, point, monkeypatch):
    calls = []
    original = type(surrogate.model).prepare
    monkeypatch.setattr(type(surrogate.model), "prepare", lambda self, geometry: calls.append(1) or original(self, geometry))
    section, other = naca4("1408", n_points=100), naca4("1410", n_points=100)  # equal sizes, unequal shapes
    first = surrogate.predict(geoop.Case(section, point), surface_only=True)
    again = surrogate.predict(geoop.Case(section.moved(section.points.copy()), point), surface_only=True)
    assert len(calls) == 1
    np.testing.assert_array_equal(first["velocity"], again["velocity"])
    assert not np.array_equal(surrogate.predict(geoop.Case(other, point), surface_only=True)["velocity"], first["velocity"])
    assert len(calls) == 2


def test_another_device_leaves_the_original_alone(surrogate):
    assert surrogate.to("cpu").model is not surrogate.model


def test_surface_only_keeps_the_section_s_own_points(surrogate, point):
    section = naca4("2412", n_points=100)
    result = surrogate.predict(geoop.Case(section, point), surface_only=True)
    assert result.mesh is section
    around = surrogate.predict(geoop.Case(section, point))
    assert geoop.forces(result).CL == pytest.approx(geoop.forces(around).CL, abs=0.02)


def test_a_volume_mesh_is_predicted_at_its_own_points(surrogate, point):
    grid = ogrid(naca4("2412", n_points=100), n_wall=60, n_normal=12)
    result = surrogate.predict(geoop.Case(grid, point))
    assert result.mesh is grid


def test_expected_errors_are_in_the_quantity_s_unit(surrogate, point):
    verdict = surrogate.predict(geoop.Case(naca4("2412", n_points=100), point)).verdict
    assert verdict.level in ("inside", "edge")
    assert verdict.expected_errors["velocity"] == pytest.approx(0.01 * 60.0)
    assert verdict.expected_errors["pressure_coefficient"] == pytest.approx(0.02)


def test_outside_is_said_with_the_reason(surrogate):
    result = surrogate.predict(geoop.Case(naca4("2412", n_points=100), geoop.OperatingPoint(60.0, 25.0)))
    assert result.verdict.level == "outside"
    assert "alpha" in result.verdict.reason


def test_the_field_is_continuous_and_nan_inside_the_body(surrogate, point):
    result = surrogate.predict(geoop.Case(naca4("0012", n_points=100), point))
    on_mesh = result.at(result.mesh.points[500:520])
    np.testing.assert_allclose(on_mesh["velocity"], result["velocity"][500:520], atol=1e-3)
    inside = result.at([[0.5, 0.0]])
    assert np.isnan(inside["velocity"]).all()
    assert np.isfinite(result.at([0.5, 0.5])["pressure_coefficient"]).all()
    step = 1e-5
    around = result.at(np.array([[0.3, 0.3 - step], [0.3, 0.3], [0.3, 0.3 + step]]))["pressure_coefficient"]
    assert np.abs(np.diff(around)).max() < 1e-3


def test_beyond_the_training_cloud_perturbations_decay_as_one_over_r(surrogate, point):
    """An extrapolating network has no bound; the far field of a lifting body falls as 1/r, and is continuous at the rim."""
    near = replace(surrogate, framing=replace(surrogate.framing, reach=1.5))
    result = near.predict(geoop.Case(naca4("0012", n_points=100), point))
    direction = np.array([[0.6, 0.8]])
    centre = np.array([0.5, 0.0])
    stream = 60.0 * point.direction(2)
    at = {r: result.at(centre + r * direction) for r in (1.5 - 1e-9, 1.5 + 1e-9, 3.0, 30.0)}
    rim = at[1.5 - 1e-9]
    for r in (1.5 + 1e-9, 3.0, 30.0):
        np.testing.assert_allclose(at[r]["velocity"] - stream, (rim["velocity"] - stream) * 1.5 / r, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(at[r]["pressure_coefficient"], rim["pressure_coefficient"] * 1.5 / r, rtol=1e-3, atol=1e-6)
    assert surrogate.framing.reach == np.inf


def test_speed_only_scales_the_velocity(surrogate):
    """An incompressible, inviscid flow at twice the speed is twice the velocity and the same Cp."""
    slow, fast = (surrogate.predict(geoop.Case(naca4("2412", n_points=100), geoop.OperatingPoint(v, 3.0))) for v in (10.0, 20.0))
    np.testing.assert_array_equal(fast["pressure_coefficient"], slow["pressure_coefficient"])
    np.testing.assert_allclose(fast["velocity"], 2 * slow["velocity"], rtol=1e-12)


def test_a_series_equals_single_predictions(surrogate):
    section = naca4("2412", n_points=100)
    points = [geoop.OperatingPoint(60.0, a) for a in (0.0, 3.0)]
    for result, point in zip(surrogate.predict_many(section, points), points, strict=True):
        single = surrogate.predict(geoop.Case(section, point))
        np.testing.assert_array_equal(result["velocity"], single["velocity"])


def test_chunk_does_not_change_the_answer(surrogate, point):
    case = geoop.Case(ogrid(naca4("2412", n_points=100), n_wall=60, n_normal=12), point)
    whole, parts = surrogate.predict(case), surrogate.predict(case, chunk=50)
    np.testing.assert_allclose(parts["velocity"], whole["velocity"], atol=2e-4)


def test_write_opens_in_pyvista_with_units(surrogate, point, tmp_path):
    import pyvista

    path = surrogate.predict(geoop.Case(naca4("2412", n_points=100), point)).write(tmp_path / "a.vtu")
    read = pyvista.read(path)
    assert read["velocity [m/s]"].shape[1] == 3
    assert "pressure_coefficient [1]" in read.point_data


def test_refusals(surrogate, point):
    with pytest.raises(ConditionError, match="operating point"):
        surrogate.predict(geoop.Case(naca4("2412", n_points=100)))
    with pytest.raises(InvalidMeshError, match="2-D"):
        surrogate.predict(geoop.Case(icosphere(1, 1.0), point))
    points = naca4("2412", n_points=100).points
    index = np.arange(len(points) - 1)
    with pytest.raises(InvalidMeshError, match="open"):
        surrogate.predict(geoop.Case(Mesh(points, Cells.of(line=np.stack([index, index + 1], 1))), point))
    with pytest.raises(GeoopError):
        surrogate.predict(geoop.Case(Mesh(points), point))


def test_damaged_header_is_a_checkpoint_error(surrogate, tmp_path):
    from geoop.io.checkpoint import Checkpoint, read_checkpoint, write_checkpoint

    path = surrogate.save(tmp_path / "a.safetensors")
    good = read_checkpoint(path)
    for header in (
        {k: v for k, v in good.header.items() if k != "model"},
        {**good.header, "model": {**good.header["model"], "arguments": {"width": 64}}},
    ):
        write_checkpoint(path, Checkpoint(header, good.arrays))
        with pytest.raises(CheckpointError):
            geoop.load(path)


def test_predicting_imports_neither_pyg_nor_lightning(surrogate, tmp_path):
    path = surrogate.save(tmp_path / "a.safetensors")
    code = (
        "import sys, geoop\n"
        "from geoop.mesh.primitives import naca4\n"
        f"s = geoop.load({str(path)!r})\n"
        "r = s.predict(geoop.Case(naca4('0012', n_points=80), geoop.OperatingPoint(10.0, 1.0)))\n"
        "geoop.forces(r)\n"
        f"r.write({str(tmp_path / 'a.vtu')!r})\n"
        "heavy = [m for m in ('torch_geometric', 'lightning', 'sklearn', 'warp', 'trimesh', 'meshio', 'matplotlib') if m in sys.modules]\n"
        "print(heavy); sys.exit(bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
