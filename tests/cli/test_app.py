"""The command line: every command on real files, and one readable block on bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from geoop.cli.app import app, main

MESHES = Path(__file__).parents[2] / "meshes"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A data set and a small trained model, made by the commands themselves."""
    folder = tmp_path_factory.mktemp("cli")
    assert main(["generate", "kt-airfoils", "-o", str(folder / "kt"), "-n", "12"]) == 0
    (folder / "run.toml").write_text(
        'data = "kt"\ndirectory = "run"\n[settings]\nepochs = 2\nbatch = 4\nvalidate_every = 1\n[model]\nwidth = 32\ndepth = 1\ndensities = 4\n'
    )
    assert main(["fit", str(folder / "run.toml")]) == 0
    return folder


def output(capsys, *arguments) -> str:
    assert main([str(a) for a in arguments]) == 0
    return capsys.readouterr().out


def test_inspect(capsys):
    assert "line" in output(capsys, "inspect", MESHES / "naca2412.dat")
    data = json.loads(output(capsys, "inspect", MESHES / "sphere.stl", "--unit", "m", "--json"))
    assert "triangle" in json.dumps(data)


def test_predict_one_angle(run, capsys, tmp_path):
    model = run / "run" / "best.safetensors"
    text = output(capsys, "predict", model, MESHES / "naca2412.dat", "--velocity", 60, "--alpha", 2, "-o", tmp_path / "a.vtu")
    assert "CL" in text
    assert "none (inviscid)" in text
    assert "verdict" in text
    assert (tmp_path / "a.vtu").exists()


def test_predict_series(run, capsys, tmp_path):
    model = run / "run" / "best.safetensors"
    arguments = ["predict", model, MESHES / "naca2412.dat", "--velocity", 60, "--alpha", 2, "--alpha", 0, "-o", tmp_path / "a.pvd", "--json"]
    data = json.loads(output(capsys, *arguments))
    assert [row["alpha"] for row in data["results"]] == [0.0, 2.0]
    assert (tmp_path / "a.pvd").exists()


def test_predict_a_plane_case_of_openfoam(run, capsys, tmp_path):
    """A layer one cell thick, its wall named by its patch, with a viscosity: the plane case that a model of sections takes."""
    import geoop
    from geoop.mesh.generate.ogrid import ogrid

    model = run / "run" / "best.safetensors"
    geoop.write(ogrid(geoop.read(MESHES / "naca2412.dat"), n_wall=40, n_normal=8), tmp_path / "run" / "case.foam")
    arguments = ["--velocity", 60, "--alpha", 2, "--viscosity", 1.8e-5, "--friction", "velocity", "-o", tmp_path / "a.vtu"]
    text = output(capsys, "predict", model, tmp_path / "run", *arguments)
    assert "slope of the velocity" in text and geoop.read(tmp_path / "a.vtu").dimension == 2


def test_evaluate_and_cite(run, capsys):
    model = run / "run" / "best.safetensors"
    data = json.loads(output(capsys, "evaluate", model, run / "kt", "--json"))
    assert data["lift"]["mean_error"] >= 0
    bibtex = output(capsys, "cite", model)
    assert bibtex.count("@") >= 4
    assert "Graph Kernel Network" in bibtex


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inspect", "none.stl"], "none.stl"),
        (["generate", "kt-airfols", "-o", "x"], "kt-airfoils"),
        (["fit", "none.toml"], "none.toml"),
        (["predict", "none.safetensors", "a.dat", "--velocity", "1", "-o", "a.vtu"], ""),
        (["predict", "none.safetensors", "a.dat", "--velocity", "1", "-o", "a.pvd"], "--output"),
        (["predict", "none.safetensors", "a.dat", "--velocity", "1", "-o", "a.vtu", "--friction", "guess"], "--friction"),
        (["cite", "none.safetensors"], "no such file"),
    ],
)
def test_bad_input_is_one_block_and_exit_code_2(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert "try:" in error
    assert words in error.replace("\n", "")


def test_bad_input_as_json(capsys):
    assert main(["inspect", "none.stl", "--json"]) == 2
    assert {"error", "message", "remedy", "where"} == set(json.loads(capsys.readouterr().err))


def test_unknown_option_is_the_shell_s_usage_error(capsys):
    assert main(["inspect", "a.stl", "--unti", "m"]) == 2
    assert "--unti" in capsys.readouterr().err


def test_debug_keeps_the_traceback():
    from geoop.errors import GeoopError

    with pytest.raises(GeoopError):
        main(["inspect", "none.stl", "--debug"])


def test_the_installed_command_answers_quickly_and_completes():
    code = "import sys; from geoop.cli.app import main; main(['--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    for command in ("inspect", "generate", "fit", "predict", "evaluate", "cite"):
        assert command in done.stdout
    check = "import sys; import geoop.cli.app; print([m for m in ('torch', 'vtk', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True).stdout.strip() == "[]"


def _helps() -> list[tuple[str, str]]:
    import typer

    found = []
    for name, command in typer.main.get_command(app).commands.items():
        found += [(name, command.help or "")]
        found += [(f"{name} {option.name}", getattr(option, "help", None) or "") for option in command.params]
    return found


def test_units_in_square_brackets_survive_the_markup_of_help_texts() -> None:
    from rich.text import Text

    unescaped = {where: text for where, text in _helps() if Text.from_markup(text).plain != text.replace("\\[", "[")}
    assert len(_helps()) > 100
    assert not unescaped
