"""geoop schwarz: a plane mesh with a model and without, a solid from STL, its files and its table, bad input."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import geoop
from geoop.cli.app import main
from geoop.cli.printing import NOT_CONVERGED
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.generate.quadratic import quadratic
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope

from ..models.local_problems import framing_of, kernel, problem

MESHES = Path(__file__).resolve().parents[2] / "meshes"
LINK, BRACKET = MESHES / "link.msh", MESHES / "bracket.stl"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An untrained kernel: its answers are weighted means of what is imposed."""
    cases = [problem("laplace", shape) for shape in (0, 1, 2)]
    framing, normaliser = framing_of(cases, "laplace")
    framing = replace(framing, box=np.array([[-0.5, -0.5], [0.5, 0.5]]))
    torch.manual_seed(0)
    made = Surrogate(kernel("laplace", framing).float(), normaliser, TrainingEnvelope.of_descriptors([framing.describe(c) for c in cases]), framing)
    return made.save(tmp_path_factory.mktemp("model") / "laplace.safetensors")


def run(*words):
    return main(["schwarz", *map(str, words)])


def everywhere(value):
    return [word for name in geoop.read(LINK).patches for word in ("--dirichlet", f"{name}={value}")]


def test_finite_elements_find_a_harmonic_function(tmp_path, capsys):
    """Im (x + iy)^2 = 2xy on the boundary: what comes out is the interpolant, to the error of the mesh, and the files hold it."""
    names = ["-o", tmp_path / "out.vtu", "--plot", tmp_path / "conv.png", "--picture", tmp_path / "parts.png"]
    assert run("exact", LINK, *names, *everywhere("2*x*y"), "--parts", 6, "--certify", "1e-11", "--compare-direct") == 0
    text = capsys.readouterr().out
    for words in (
        "491 unknowns in 6 parts",
        "overlap 2 layers",
        "outcome: converged",
        "certificate: residual",
        "a direct solve",
        "out.vtu",
        "conv.png",
    ):
        assert words in text, text
    written = geoop.read_case(tmp_path / "out.vtu")
    x, y = written.mesh.points[:, :2].T
    u = written.field("solution").values
    assert np.sqrt(np.mean((u - 2 * x * y) ** 2)) < 2e-3 * np.ptp(u)
    assert {"part", "part_residual"} <= set(written.fields) and set(np.unique(written.field("part").values)) == set(range(6))
    assert set(written.mesh.patches) >= {"left hole", "bar"}
    assert all((tmp_path / name).read_bytes()[:4] == b"\x89PNG" for name in ("conv.png", "parts.png"))


def test_a_model(model, tmp_path, capsys):
    assert run(model, LINK, "-o", tmp_path / "out.vtu", *everywhere("sin(3*x)+y"), "--sweeps", 5, "--compare-direct", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["sweeps"] <= 5 and data["contraction"]["factor"] < 1.0 and data["parts"] == 12 and data["certificate"] is None
    assert 0.0 < data["direct"]["difference"] < 1.0 and data["output"].endswith("out.vtu")
    u = geoop.read_case(tmp_path / "out.vtu").field("solution").values
    case = geoop.read(LINK)
    rim = np.unique(np.concatenate([case.patch_points(name) for name in case.patches]))
    given = np.sin(3 * case.points[rim, 0]) + case.points[rim, 1]
    assert given.min() - 1e-6 <= u.min() and u.max() <= given.max() + 1e-6  # of weighted means there are none outside
    assert run(model, LINK, "-o", tmp_path / "out.vtu", *everywhere("sin(3*x)+y"), "--sweeps", 60) == 0
    text = capsys.readouterr().out
    assert "contraction: " in text and "repaired: " in text


def test_a_script_sees_that_sweeps_were_too_few(tmp_path, capsys):
    few = ["exact", LINK, "-o", tmp_path / "out.vtu", *everywhere("x"), "--sweeps", 2, "--json"]
    assert run(*few) == NOT_CONVERGED
    assert json.loads(capsys.readouterr().out)["outcome"]["status"] == "max_sweeps_reached" and (tmp_path / "out.vtu").exists()
    assert run(*few[:-1], "--certify", "1e-9") == 0  # a proof counts, however it was come by


def test_a_certificate_does_not_care_who_guessed(model, tmp_path, capsys):
    arguments = [LINK, "-o", tmp_path / "out.vtu", *everywhere("x^2+y"), "--certify", "1e-10", "--compare-direct", "--json"]
    for solver in (model, "exact"):
        assert run(solver, *arguments) == 0
        data = json.loads(capsys.readouterr().out)
        assert data["outcome"]["status"] == "converged" and data["certificate"]["residual"] <= 1e-10 and data["direct"]["difference"] < 1e-8


def test_a_solid_from_a_surface(tmp_path, capsys):
    """A bracket of steel, clamped and pulled: the top follows the load, and its deflection is that of a beam, which linear elements stay below."""
    said = ["--equation", "elasticity", "--young", "210e9", "--dirichlet", "foot=0,0,0", "--neumann", "top=1e6,0,0"]
    options = ["--unit", "mm", "--size", "0.01", "--parts", 6, "--acceleration", "gmres", "--compare-direct"]
    assert run("exact", BRACKET, "-o", tmp_path / "out.vtu", *said, *options) == 0
    text = capsys.readouterr().out
    assert "filled with" in text and "certificate" not in text
    case = geoop.read_case(tmp_path / "out.vtu")
    moved = case.field("displacement").values[case.mesh.patch_points("top")]
    load, height, inertia = 1e6 * 0.02 * 0.06, 0.06, 0.06 * 0.02**3 / 12
    beam = load * height**3 / (3 * 210e9 * inertia)
    assert 0.7 * beam < moved[:, 0].mean() < 1.5 * beam
    assert case.boundary["foot"]["displacement"].values.shape == (len(case.mesh.patch_points("foot")), 3)


def test_what_a_file_carries_is_taken(tmp_path, capsys):
    """The output of one run has its boundary values with it: it is the input of the next."""
    assert run("exact", LINK, "-o", tmp_path / "a.vtu", *everywhere("x"), "--conductivity", "1+x*x", "--source", "y") == 0
    assert run("exact", tmp_path / "a.vtu", "-o", tmp_path / "b.vtu", "--parts", 5) == 0
    first, second = (geoop.read_case(tmp_path / f"{name}.vtu").field("solution").values for name in "ab")
    np.testing.assert_allclose(first, second, atol=1e-6)
    capsys.readouterr()


def test_it_says_that_curved_cells_are_taken_by_their_corners(tmp_path, capsys):
    write(Case(quadratic(geoop.read(LINK))), tmp_path / "curved.vtu")
    assert run("exact", tmp_path / "curved.vtu", "-o", tmp_path / "a.vtu", *everywhere("x"), "--json") == 0
    assert any("taken by their corners" in note for note in json.loads(capsys.readouterr().out)["notes"])
    assert run("exact", tmp_path / "curved.vtu", "-o", tmp_path / "b.vtu", *everywhere("x")) == 0
    assert "taken by their corners" in capsys.readouterr().out


def test_nonlinear_and_the_other_choices(tmp_path, capsys):
    sphere = ["exact", MESHES / "sphere.stl", "--unit", "m", "-o", tmp_path / "out.vtu", "--parts", 3]
    assert run(*sphere, "--equation", "nonlinear", "--dirichlet", "wall=x", "--json") == 0
    assert json.loads(capsys.readouterr().out)["outcome"]["status"] == "converged"
    for options in (
        ["--rule", "multiplicative", "--coarse", "none"],
        ["--transmission", "robin", "--acceleration", "anderson", "--sweeps", 400],
        ["--coarse", "spectral", "--rule", "additive", "--relaxation", "0.25", "--sweeps", 400],
    ):
        assert run("exact", LINK, "-o", tmp_path / "out.vtu", *everywhere("x*y"), *options, "--compare-direct", "--json") == 0
        data = json.loads(capsys.readouterr().out)
        assert data["direct"]["difference"] < 1e-5, options


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["exact", LINK, "-o", "a.txt", "--dirichlet", "bar=1"], ".vtu"),
        (["exact", LINK, "-o", "no/a.vtu", "--dirichlet", "bar=1"], "no folder"),
        (["exact", LINK, "-o", "a.vtu", "--plot", "a.doc", "--dirichlet", "bar=1"], "--plot"),
        (["exact", LINK, "-o", "a.vtu"], "nothing drives"),
        (["exakt", LINK, "-o", "a.vtu", "--dirichlet", "bar=1"], "write 'exact'"),
        (["exact", LINK, "-o", "a.vtu", "--dirichlet", "bar"], "names no value"),
        (["exact", LINK, "-o", "a.vtu", "--dirichlet", "lid=1"], "no patch 'lid'"),
        (["exact", LINK, "-o", "a.vtu", "--dirichlet", "bar=1", "--dirichlet", "bar=2"], "two values"),
        (["exact", LINK, "-o", "a.vtu", "--dirichlet", "bar=__import__('os')"], "not known"),
        (["exact", LINK, "-o", "a.vtu", "--dirichlet", "bar=1", "--rule", "hasty"], "hasty"),
        (["exact", LINK, "-o", "a.vtu", "--dirichlet", "bar=1", "--overlap", "0"], "overlap"),
        (["exact", LINK, "-o", "a.vtu", "--dirichlet", "bar=1", "--parts", "9999"], "parts"),
        (["exact", LINK, "-o", "a.vtu", "--dirichlet", "bar=1", "--size", "0.1"], "cells already"),
        (["exact", LINK, "-o", "a.vtu", "--dirichlet", "bar=1", "--equation", "waves"], "waves"),
        (["exact", LINK, "-o", "a.vtu", "--dirichlet", "bar=1", "--equation", "elasticity"], "2 components"),
        (["exact", BRACKET, "-o", "a.vtu", "--dirichlet", "foot=1"], "unit"),
        (["exact", BRACKET, "-o", "a.vtu", "--dirichlet", "foot=1", "--unit", "mm", "--picture", "p.png"], "ParaView"),
        (["nothing.safetensors", LINK, "-o", "a.vtu", "--dirichlet", "bar=1"], "nothing.safetensors"),
    ],
)
def test_bad_input_is_one_block(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert "try:" in error and message in " ".join(error.replace("│", " ").split()) and "Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_a_model_of_imposed_values_refuses_insulation(model, tmp_path, capsys):
    assert run(model, LINK, "-o", tmp_path / "a.vtu", "--dirichlet", "left hole=1") == 2
    error = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "120 facets" in error and "right hole" in error and "polygons-mixed" in error
