"""geoop encode: a small STL, its file, its surface, its table, bad input."""

import json

import numpy as np
import pytest

import geoop
from geoop.cli.app import main
from geoop.mesh.primitives import icosphere


@pytest.fixture(scope="module")
def stl(tmp_path_factory):
    path = tmp_path_factory.mktemp("encode") / "ball.stl"
    geoop.write(icosphere(1, radius=0.05), path, unit="mm")
    return path


def test_encode(stl, tmp_path, capsys):
    arguments = ["encode", stl, "-o", tmp_path / "ball.safetensors", "--unit", "mm", "--minutes", "0.04", "--latents", "32"]
    assert main([str(a) for a in [*arguments, "--surface", tmp_path / "out.stl", "--resolution", "32"]]) == 0
    text = capsys.readouterr().out
    for words in ("zero set to body", "body to zero set", "tangent planes", "mm", "closed, no doubt", "length 100 mm", "32 latents"):
        assert words in text, text
    shape = geoop.EncodedShape.load(tmp_path / "ball.safetensors")
    assert shape.at(np.array([[0.0, 0.0, 0.06]]))[0] == pytest.approx(0.01, abs=0.003)
    assert np.abs(geoop.read(tmp_path / "out.stl", unit="mm").bounds).max() == pytest.approx(0.05, abs=0.004)


def test_json(stl, tmp_path, capsys):
    arguments = ["encode", stl, "-o", tmp_path / "a.safetensors", "--unit", "m", "--steps", "2", "--latents", "16", "--json"]
    assert main([str(a) for a in [*arguments, "--surface", tmp_path / "out.vtu", "--resolution", "24"]]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["steps"] == 2 and data["latents"] == 16 and data["deviation"]["length"] == pytest.approx(100, rel=0.02)
    assert geoop.read(tmp_path / "out.vtu").is_surface


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-o", "a.txt", "--unit", "m"], ".safetensors"),
        (["-o", "a.safetensors"], "unit"),
        (["-o", "a.safetensors", "--unit", "m", "--minutes", "-1"], "budget"),
        (["-o", "a.safetensors", "--unit", "m", "--surface", "a.docx"], "--surface"),
        (["-o", "a.safetensors", "--unit", "m", "--resolution", "9"], "--surface"),
    ],
)
def test_bad_input_is_one_block(stl, options, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["encode", str(stl), *options]) == 2
    error = capsys.readouterr().err
    assert "try:" in error and words in error and "Traceback" not in error


def test_a_file_without_a_surface(tmp_path, capsys):
    (tmp_path / "points.csv").write_text("x,y,z\n0,0,0\n1,0,0\n0,1,0\n0,0,1\n1,1,1\n")
    assert main(["encode", str(tmp_path / "points.csv"), "-o", str(tmp_path / "a.safetensors"), "--unit", "m"]) == 2
    assert "normals" in capsys.readouterr().err
