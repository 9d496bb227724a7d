"""geoop calibrate and geoop judge: files, what they print, what they refuse."""

import json

import pytest
import torch

import geoop
from geoop.cli.app import main
from geoop.io.dataset_writing import write_dataset
from geoop.io.paraview import patch_case
from geoop.mesh.quantity import QUANTITIES
from geoop.models.body_field import BodyField
from geoop.models.ports import Ports
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope
from geoop.scaling.normaliser import Normaliser
from geoop.truth.datasets import kt_airfoils


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Walls of sections with their fields, and a surrogate that was never trained."""
    out = tmp_path_factory.mktemp("judging")
    data = write_dataset(out / "data", kt_airfoils.plan(90, 0), lambda name: patch_case(kt_airfoils.case(0, name), "wall"))
    torch.manual_seed(0)
    model = BodyField(Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True), width=16, depth=1, densities=2)
    normaliser = Normaliser((QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]), (0.0, -0.2), (0.3, 0.5))
    Surrogate(model, normaliser, TrainingEnvelope.fit(data.cases("train"))).save(out / "plain.safetensors")
    return out


def test_calibrate_then_judge(folder, capsys):
    calibrated = folder / "calibrated.safetensors"
    assert main(["calibrate", str(folder / "plain.safetensors"), str(folder / "data"), "-o", str(calibrated), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cases"] == 9 and {"CL", "CM", "pressure_coefficient"} <= set(told["bounds"])
    assert geoop.load(calibrated).calibration.coverage == 0.9
    picture = folder / "confidence.png"
    assert main(["judge", str(calibrated), str(folder / "data"), "--split", "ood", "--usual", "test", "--plot", str(picture)]) == 0
    text = capsys.readouterr().out
    assert "90 % nominal, 9 calibration cases" in text and "rank correlation" in text and "bad" in text
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert main(["judge", str(calibrated), str(folder / "data"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["levels"]) == {"inside", "edge", "outside"} and len(found["cases"]) == 18
    assert 0 <= found["coverage"]["pressure_coefficient_band surface"] <= 1
    assert found["flags"]["CL"]["good"] >= 16


def test_what_it_refuses(folder, capsys):
    plain, data = str(folder / "plain.safetensors"), str(folder / "data")
    for words, told in (
        (["judge", plain, data], "not calibrated"),
        (["calibrate", plain, data, "-o", str(folder / "x.pt")], "x.pt"),
        (["calibrate", plain, data, "-o", str(folder / "x.safetensors"), "--coverage", "0.95"], "needs 19"),
        (["calibrate", plain, data, "-o", str(folder / "x.safetensors"), "--split", "train"], "training cases"),
        (["judge", plain, data, "--plot", "a.txt"], "a.txt"),
    ):
        assert main(words) == 2
        assert told in capsys.readouterr().err.replace("\n", " ")
    assert not (folder / "x.safetensors").exists()
