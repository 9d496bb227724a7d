"""Training through files and command lines on regions, on several bodies and in space, and what is refused before any of it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import pyvista as pv

import geoop
from geoop.cli.app import main
from geoop.errors import ConfigurationError, DatasetError
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.primitives import naca4
from geoop.models.body_field import BodyField
from geoop.models.deeponet import DeepONet
from geoop.results.evaluation import evaluate
from geoop.train.preparing import Preparation, TrainingData
from geoop.train.settings import FitSettings

HEAD = '[settings]\nepochs = 1\nbatch = 4\ndomain_points = 120\n[model]\nclass = "DeepONet"\nwidth = 16\nmodes = 8\n'


def small(ports):
    return DeepONet(ports, 16, modes=8, trunk=1)


def fit(data, directory, quantities, inputs=(), model=small, **options):
    settings = FitSettings(**{"epochs": 1, "batch": 4, "domain_points": 120, **options})
    return geoop.fit(data, directory, quantities=quantities, inputs=inputs, model=model, settings=settings, progress=False)


@pytest.fixture(scope="module")
def polygons(tmp_path_factory):
    return geoop.generate("polygons-mixed", tmp_path_factory.mktemp("data") / "mixed", n=20, workers=1)


@pytest.fixture(scope="module")
def flaps(tmp_path_factory):
    return geoop.generate("two-element", tmp_path_factory.mktemp("data") / "two", n=12, workers=1)


def output(capsys, *arguments, status=0):
    assert main([str(word) for word in arguments]) == status
    said = capsys.readouterr()
    return said.err.replace("\n", " ") if status else said.out


def test_a_region_from_run_file_to_written_prediction(polygons, tmp_path, capsys):
    run = tmp_path / "run.toml"
    known = 'inputs = ["boundary solution", "boundary boundary_flux"]\n'
    run.write_text(f'data = {json.dumps(str(polygons.directory))}\ndirectory = "run"\nquantities = ["solution"]\n{known}{HEAD}')
    output(capsys, "fit", run, "--json")
    model = tmp_path / "run" / "best.safetensors"
    file = polygons.directory / polygons.manifest.cases[polygons.splits["test"][0]].file
    text = output(capsys, "predict", model, file, "-o", tmp_path / "a.vtu")
    assert "verdict" in text and "expected error of solution" in text and "CL" not in text
    written, case = geoop.read_case(tmp_path / "a.vtu"), polygons.case(polygons.splits["test"][0])
    assert written.field("solution").quantity.unit == "1"
    np.testing.assert_allclose(written.field("solution").values, geoop.load(model).predict(case)["solution"], atol=1e-6)
    assert "without a free stream" in output(capsys, "predict", model, file, "--velocity", 3, "-o", tmp_path / "b.vtu", status=2)
    data = json.loads(output(capsys, "evaluate", model, polygons.directory, "--json"))
    assert [(row["quantity"], row["region"]) for row in data["rows"]] == [("solution", "field")]
    assert data["rows"][0]["mean_weighted_relative_l2"] > 0 and data["lift"]["mean_error"] is None


@pytest.mark.parametrize("patches", [True, False], ids=["named", "bare"])
def test_own_regions_that_are_said_to_have_no_body(polygons, tmp_path, capsys, patches):
    """Files without flow, collected with `--wall none`: training, evaluation, calibration and prediction ask for no body."""
    (tmp_path / "raw").mkdir()
    for name in polygons.manifest.cases:
        case = polygons.case(name)
        mesh = case.mesh if patches else replace(case.mesh, patches={})
        geoop.write(geoop.Case(mesh).with_fields(case.field("solution")), tmp_path / "raw" / f"{name}.vtu")
    output(capsys, "collect", tmp_path / "raw", "-o", tmp_path / "data", "--wall", "none")
    run, model = tmp_path / "run.toml", tmp_path / "run" / "best.safetensors"
    run.write_text(f'data = "data"\ndirectory = "run"\nquantities = ["solution"]\n{HEAD}')
    output(capsys, "fit", run, "--json")
    rows = json.loads(output(capsys, "evaluate", model, tmp_path / "data", "--json"))["rows"]
    assert [row["region"] for row in rows] == ["field"]
    output(capsys, "calibrate", model, tmp_path / "data", "-o", tmp_path / "c.safetensors", "--split", "test")
    output(capsys, "judge", tmp_path / "c.safetensors", tmp_path / "data", "--split", "val")
    file = next((tmp_path / "data" / "cases").glob("*.vtu"))
    assert "verdict" in output(capsys, "predict", model, file, "-o", tmp_path / "a.vtu")
    # where the file that the case was collected from has no patches, those of its rim are found here, too
    raw = tmp_path / "raw" / file.name
    assert bool(geoop.read(raw).patches) == patches and "verdict" in output(capsys, "predict", model, raw, "-o", tmp_path / "b.vtu")
    one, other = (geoop.read_case(tmp_path / name) for name in ("a.vtu", "b.vtu"))
    np.testing.assert_array_equal(one.field("solution").values, other.field("solution").values)
    assert one.mesh.patches.keys() == other.mesh.patches.keys() != set()


def test_a_file_without_patches_is_predicted_on_as_the_case_that_was_collected_from_it(tmp_path, capsys):
    """Flows around sections in files of another program: no patches, millimetres, a unit of its own."""
    for number in range(8):
        mesh = ogrid(naca4(f"24{10 + number}", 60), n_wall=40, n_normal=12)
        flow = pv.UnstructuredGrid({pv.CellType.QUAD: mesh.cells.block("quad")}, np.pad(1e3 * mesh.points, ((0, 0), (0, 1))))
        flow.point_data["p [kPa]"] = -mesh.points[:, 1]
        flow.point_data["guess [kPa]"] = -mesh.points[:, 1] - 0.1 * mesh.points[:, 0]
        (tmp_path / "raw").mkdir(exist_ok=True)
        flow.save(tmp_path / "raw" / f"run {number}.vtu")
    said = ["--unit", "mm", "--velocity", 30, "--density", 1.2, "--inviscid", "--map", "p=pressure", "--map", "guess=first guess:kPa"]
    output(capsys, "collect", tmp_path / "raw", "-o", tmp_path / "data", *said)
    run, model = tmp_path / "run.toml", tmp_path / "run" / "best.safetensors"
    run.write_text(f'data = "data"\ndirectory = "run"\nquantities = ["pressure"]\ninputs = ["first guess"]\n{HEAD}')
    output(capsys, "fit", run, "--json")
    file = sorted((tmp_path / "data" / "cases").glob("*.vtu"))[0]
    raw = tmp_path / "raw" / file.name.replace("run_", "run ")
    output(capsys, "predict", model, file, "-o", tmp_path / "a.vtu")
    how = ["--unit", "mm", "--velocity", 30, "--density", 1.2, "--map", "guess=first guess"]
    told = output(capsys, "predict", model, raw, *how, "-o", tmp_path / "b.vtu")
    one, other = (geoop.read_case(tmp_path / name) for name in ("a.vtu", "b.vtu"))
    np.testing.assert_allclose(one.field("pressure").values, other.field("pressure").values, rtol=1e-5)
    assert "body" in told and other.wall == ("body",)


def test_two_sections_from_run_file_to_forces(flaps, tmp_path, capsys):
    run = tmp_path / "run.toml"
    run.write_text(f'data = {json.dumps(str(flaps.directory))}\ndirectory = "run"\n{HEAD}')
    output(capsys, "fit", run, "--json")
    model, file = tmp_path / "run" / "best.safetensors", flaps.directory / flaps.manifest.cases[flaps.splits["test"][0]].file
    own = output(capsys, "predict", model, file, "-o", tmp_path / "a.vtu")
    assert "CL" in own and f"alpha {flaps.case(flaps.splits['test'][0]).operating_point.alpha:g} deg" in own  # the file's own condition
    series = json.loads(output(capsys, "predict", model, file, "--velocity", 60, "--alpha", 0, "--alpha", 2, "-o", tmp_path / "a.pvd", "--json"))
    assert [row["alpha"] for row in series["results"]] == [0.0, 2.0]
    assert {"main", "flap"} <= set(json.dumps(series["results"][0]["forces"]).replace('"', " ").split())
    geoop.write(geoop.read(file), tmp_path / "bare.vtu")
    assert "--velocity" in output(capsys, "predict", model, tmp_path / "bare.vtu", "--alpha", 2, "-o", tmp_path / "c.vtu", status=2)


def test_a_model_for_one_body_says_at_once_what_to_take_instead(polygons, flaps, tmp_path):
    with pytest.raises(ConfigurationError, match="not cases without a free stream") as caught:
        fit(polygons, tmp_path / "a", ("solution",), model=BodyField)
    assert 'class = "DeepONet"' in caught.value.remedy
    with pytest.raises(ConfigurationError, match="input functions"):
        fit(flaps, tmp_path / "b", ("velocity",), ("pressure_coefficient",), model=BodyField)
    prepared = TrainingData.of(flaps, ("velocity",), domain=False, preparation=Preparation(frame="bodies"), progress=False)
    with pytest.raises(ConfigurationError, match="prepared without points"):
        fit(prepared, tmp_path / "c", ("velocity",))
    assert not list(tmp_path.glob("*/run.json"))


def test_series_in_time_are_refused(polygons, tmp_path):
    names = {split: tuple(f"{split}_t{k:02d}" for k in range(2)) for split in ("train", "val", "test")}
    series = {name: split for split, frames in names.items() for name in frames}
    source = polygons.case(polygons.splits["train"][0])
    data = write_dataset(tmp_path / "frames", DatasetPlan("frames", "of a film", names, geometry=series, series=series), lambda name: source)
    with pytest.raises(DatasetError, match="series in time"):
        fit(data, tmp_path / "run", ("solution",))


@pytest.mark.parametrize(
    ("beyond", "words"),
    [
        ({"velocity": "velocity"}, "not learned"),
        ({"pressure_coefficient": "velocity"}, "rank 1 in m/s"),
        ({"pressure_coefficient": "cp0"}, "no point"),
    ],
)
def test_a_known_field_to_learn_beyond_must_be_of_the_same_kind(flaps, tmp_path, beyond, words):
    with pytest.raises(ConfigurationError, match=words):
        fit(flaps, tmp_path / "run", ("pressure_coefficient",), beyond=beyond)


def test_several_bodies_train_validate_and_resume(flaps, tmp_path):
    model = fit(flaps, tmp_path / "run", ("velocity", "pressure_coefficient"), epochs=2)
    assert model.framing.bodies and model.framing.kinds == ("flap", "main") and model.framing.domain == "around"
    case = flaps.case(flaps.splits["test"][0])
    again = geoop.load(tmp_path / "run" / "best.safetensors").predict(case)
    np.testing.assert_array_equal(again["velocity"], model.predict(case)["velocity"])
    rows = {(row.quantity, row.region) for row in evaluate(model, flaps).scores.rows}
    assert ("pressure_coefficient", "surface") in rows and ("velocity perturbation", "field") in rows
    settings = FitSettings(epochs=2, batch=4, domain_points=120)
    resumed = geoop.fit(flaps, tmp_path / "run", model=small, settings=settings, progress=False, resume=True)
    np.testing.assert_array_equal(resumed.predict(case)["velocity"], model.predict(case)["velocity"])


def test_computing_time_is_a_budget(flaps, tmp_path):
    assert fit(flaps, tmp_path / "run", ("velocity",), epochs=None, cpu_minutes=0.02).about["training_seconds"] >= 1.2
