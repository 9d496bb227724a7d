"""Models that come with geoop: found by name, listed with what they are for, small, with a card; and they fly."""

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

import geoop
from geoop.cli.app import main
from geoop.errors import CheckpointError, InvalidMeshError
from geoop.mesh.primitives import naca4, ring
from geoop.results import shipped
from geoop.results.shipped import FOLDER, model_file, shipped_model, shipped_models
from geoop.results.surrogate import Surrogate
from geoop.truth.panels.system import PanelSystem

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(shipped_models())
AIRFOIL = "airfoil-potential"
needs_airfoil = pytest.mark.skipif(AIRFOIL not in NAMES, reason=f"{AIRFOIL} is not made yet: tools/make_models {AIRFOIL}")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_is_small_loads_and_has_a_card_of_its_own_data(name):
    model = shipped_model(name)
    assert model.size <= 5_000_000 and model.summary and model.errors
    surrogate = geoop.load(name)
    assert model.card.startswith(f"# {name}") and model.errors in model.card
    for word in ("## Errors", "## What it refuses", "## Licence", "tools/make_models", "@"):
        assert word in model.card
    if isinstance(surrogate, Surrogate):
        assert surrogate.about["dataset_hash"] in model.card
        assert str(sum(p.numel() for p in surrogate.model.parameters())) in model.card


def test_every_file_of_the_folder_goes_into_the_package():
    """By the patterns of pyproject.toml, beginning at geoop/; a wheel is built of them."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["geoop"]
    packed = {path for pattern in patterns for path in (ROOT / "geoop").glob(pattern)}
    files = {path for path in FOLDER.iterdir() if path.is_file()}
    assert files <= packed and {path.suffix for path in files} <= {".safetensors", ".md"}
    assert {path.stem for path in files if path.suffix == ".md"} == {path.stem for path in files if path.suffix == ".safetensors"}


@pytest.fixture
def pretended(monkeypatch, tmp_path):
    """Two models that come with geoop, in a folder of this test."""
    from geoop.models.body_field import BodyField
    from geoop.models.ports import Ports
    from geoop.scaling.envelope import TrainingEnvelope
    from geoop.scaling.normaliser import Normaliser

    folder = tmp_path / "shipped"
    folder.mkdir()
    from geoop.mesh.quantity import QUANTITIES

    cases = [geoop.Case(naca4(name, n_points=80), geoop.OperatingPoint(50.0, 2.0)) for name in ("0012", "2412", "4412")]
    model = BodyField(Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True), width=16, depth=1, densities=4)
    normaliser = Normaliser((QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]), (0.0, -0.2), (0.3, 0.5))
    about = {"shipped": {"summary": "wings", "errors": "CL 0.01"}, "dataset": "none"}
    Surrogate(model, normaliser, TrainingEnvelope.fit(cases), about=about).save(folder / "wing-potential.safetensors")
    shutil.copy(folder / "wing-potential.safetensors", folder / "hull-potential.safetensors")
    (folder / "wing-potential.md").write_text("# wing-potential\n\nthe card\n")
    monkeypatch.setattr(shipped, "FOLDER", folder)
    return folder


def test_names_and_paths(pretended, tmp_path, monkeypatch):
    assert geoop.load("wing-potential").about["dataset"] == "none"
    assert model_file(Path("wing-potential")) == pretended / "wing-potential.safetensors"
    with pytest.raises(CheckpointError, match="did you mean 'wing-potential'") as error:
        geoop.load("wing-potental")
    assert "hull-potential" in error.value.remedy
    with pytest.raises(CheckpointError, match="no such file"):
        geoop.load("runs/wing-potential")  # a folder was named: a path
    with pytest.raises(CheckpointError, match="no such file"):
        geoop.load("other.safetensors")
    monkeypatch.chdir(tmp_path)
    shutil.copy(pretended / "wing-potential.safetensors", tmp_path / "mine")
    assert model_file("mine") == Path("mine") and geoop.load("mine").about["dataset"] == "none"
    shutil.copy(pretended / "wing-potential.safetensors", tmp_path / "wing-potential")
    assert model_file("wing-potential").parent == pretended and model_file("./wing-potential").resolve().parent == tmp_path


def test_the_command_line_lists_shows_and_uses_them(pretended, tmp_path, capsys):
    assert main(["models"]) == 0
    listed = capsys.readouterr().out
    assert "wing-potential (0." in listed and "wings" in listed and "CL 0.01" in listed
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["hull-potential", "wing-potential"] and rows[1]["errors"] == "CL 0.01"
    assert main(["models", "wing-potential"]) == 0
    assert "the card" in capsys.readouterr().out
    assert main(["models", "wing"]) == 2
    assert "did you mean 'wing-potential'" in " ".join(capsys.readouterr().err.split())
    assert main(["predict", "wing-potential", str(ROOT / "meshes" / "naca2412.dat"), "--velocity", "50", "-o", str(tmp_path / "a.vtu")]) == 0
    assert (tmp_path / "a.vtu").exists()
    assert main(["cite", "wing-potential"]) == 0
    assert main(["cite", "wing-potentials"]) == 2


def test_without_any_model_that_is_said(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    assert main(["models"]) == 0 and "no models" in capsys.readouterr().out
    with pytest.raises(CheckpointError, match="no model 'airfoil-potential'"):
        geoop.load(AIRFOIL)


@needs_airfoil
def test_the_airfoil_model_agrees_with_panels_on_sections_of_this_repository():
    """NACA sections by their formula, a sweep of angles: CL within 0.03 and surface Cp within 8 % of the panel method at every angle."""
    surrogate = geoop.load(AIRFOIL)
    assert not surrogate.viscous
    points = [geoop.OperatingPoint(60.0, alpha=float(a)) for a in (-6, -2, 3, 8, 14)]
    for digits in ("0012", "2412", "4415"):
        section = naca4(digits, n_points=160)
        system = PanelSystem(section, 200)
        truth = system.surface_velocity(section.points, points)
        for result, velocity, point in zip(surrogate.predict_many(section, points, surface_only=True), truth, points, strict=True):
            lift = float(system.lift_coefficient([point])[0])
            assert geoop.forces(result, reference_length=1.0).CL == pytest.approx(lift, abs=0.03), (digits, point.alpha)
            expected = 1.0 - (velocity**2).sum(axis=1) / point.velocity**2
            error = np.linalg.norm(result["pressure_coefficient"] - expected) / np.linalg.norm(expected)
            assert error < 0.08, (digits, point.alpha, error)
            assert result.verdict.level in ("inside", "edge")


@needs_airfoil
@pytest.mark.parametrize("digits", ["0012", "2412"])
def test_unit_place_and_attitude_of_the_file_do_not_change_the_coefficients(digits):
    """Symmetric sections, too, where latents on both sides are as far from the others and rounding must not choose."""
    section, found = naca4(digits), []
    for metres, place, turn in ((1.0, 0.0, 0.0), (1e-3, 3.3, 0.0), (0.7, 0.0, 7.0), (10.0, -5.0, 11.0)):
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))  # nose up
        mesh = section.moved((section.points @ np.array([[c, -s], [s, c]]) + place) * metres)
        result = geoop.load(AIRFOIL).predict(geoop.Case(mesh, geoop.OperatingPoint(40.0, alpha=4.0 - turn)), surface_only=True)
        found.append(geoop.forces(result).CL)
    assert np.ptp(found) < 1e-5 * np.mean(found)


@needs_airfoil
def test_shapes_that_the_airfoil_model_does_not_know_are_outside():
    surrogate, point = geoop.load(AIRFOIL), geoop.OperatingPoint(60.0, alpha=4.0)
    angle = np.linspace(0.0, 2.0 * np.pi, 81)[:-1]
    ellipse = ring(np.stack([0.5 + 0.5 * np.cos(angle), 0.2 * np.sin(angle)], axis=1), "ellipse")
    for mesh in (ellipse, naca4("0060", n_points=120)):
        assert surrogate.predict(geoop.Case(mesh, point), surface_only=True).verdict.level == "outside"
    steep = surrogate.predict(geoop.Case(naca4("2412", n_points=120), geoop.OperatingPoint(60.0, alpha=25.0)), surface_only=True)
    assert steep.verdict.level != "inside" and "alpha" in steep.verdict.reason  # the model is linear in it, the flow would have separated


@needs_airfoil
def test_a_section_that_crosses_itself_is_refused_with_or_without_a_field_around_it():
    points = naca4("2412", n_points=100).points.copy()
    points[[30, 70]] = points[[70, 30]]
    for surface_only in (True, False):
        with pytest.raises(InvalidMeshError, match="crosses itself 2 times"):
            geoop.load(AIRFOIL).predict(geoop.Case(ring(points, "crossed"), geoop.OperatingPoint(60.0)), surface_only=surface_only)
