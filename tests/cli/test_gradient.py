"""geoop gradient: a vector field for ParaView, and bad input."""

import json

import numpy as np
import pytest
import torch

import geoop
from geoop.cli.app import main
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import QUANTITIES
from geoop.models.body_field import BodyField
from geoop.models.ports import Ports
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope
from geoop.scaling.normaliser import Normaliser


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gradient")
    torch.manual_seed(0)
    cases = [geoop.Case(naca4(name, n_points=100), geoop.OperatingPoint(50.0, a)) for name in ("0012", "2412", "4412") for a in (-4.0, 0.0, 4.0)]
    normaliser = Normaliser((QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]), (0.0, -0.2), (0.3, 0.5))
    model = BodyField(Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True), width=32, depth=1, densities=4)
    path = Surrogate(model, normaliser, TrainingEnvelope.fit(cases)).save(folder / "model.safetensors")
    points = naca4("2412", 80).points
    rows = "\n".join(f"{x:.7f} {y:.7f}" for x, y in [*points, points[0]])
    (folder / "section.dat").write_text(f"section\n{rows}\n")
    return path, folder / "section.dat"


def test_arrows_and_json(files, tmp_path, capsys):
    model, section = files
    words = ["gradient", str(model), str(section), "-o", str(tmp_path / "g.vtp"), "--velocity", "60", "--alpha", "3", "--smoothing", "0.02", "--json"]
    assert main(words) == 0
    data = json.loads(capsys.readouterr().out)
    back = geoop.read_case(tmp_path / "g.vtp")
    np.testing.assert_allclose(back.fields["gradient_CL_by_point"].values, data["by_point"], rtol=1e-6, atol=1e-12)
    assert data["verdict"]["level"] in ("inside", "edge", "outside")
    assert "gradient_CL_smoothed" in back.fields


@pytest.mark.parametrize(("extra", "said"), [(["--of", "CX"], "CX"), (["--of", "CD"], "viscosity"), ([], "speed")])
def test_bad_input(files, tmp_path, capsys, extra, said):
    model, section = files
    velocity = [] if said == "speed" else ["--velocity", "60"]
    assert main(["gradient", str(model), str(section), "-o", str(tmp_path / "g.vtp"), *velocity, *extra]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "g.vtp").exists()


@pytest.mark.parametrize(("model", "kind"), [("body-potential", "bodies in space"), ("airfoil-rans-surface", "ensemble")])
def test_of_models_without_shape_gradients_one_that_has_them_is_named(files, tmp_path, capsys, model, kind):
    assert main(["gradient", model, str(files[1]), "-o", str(tmp_path / "g.vtp"), "--velocity", "60"]) != 0
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "single sections in the plane" in said and kind in said and "airfoil-potential" in said
