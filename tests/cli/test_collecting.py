"""`geoop collect`: what it prints, what it asks, what it refuses."""

import io
import json
import sys

import numpy as np
import pytest

from geoop.cli.app import main
from geoop.io.dataset import Dataset
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.primitives import naca4
from tests.io.collecting.result_files import flow, write_vtu


@pytest.fixture
def folder(tmp_path):
    mesh = ogrid(naca4("0012", 60), n_wall=24, n_normal=5)
    lines = ["file,U [m/s],alpha,rho"]
    for k in range(5):
        write_vtu(tmp_path / "my runs" / f"run {k}.vtu", mesh, flow(mesh, 10.0 + k))
        lines.append(f"run {k}.vtu,{10 + k},{2 * k},1.2")
    (tmp_path / "conditions.csv").write_text("\n".join(lines))
    return tmp_path


def run(capsys, *arguments):
    status = main(["collect", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err.replace("\n", " ").replace("│", "")


def test_dry_run_shows_the_guesses_and_writes_nothing(folder, capsys):
    status, out, _ = run(capsys, folder / "my runs", "--conditions", folder / "conditions.csv", "--dry-run")
    assert status == 0
    for words in (
        "U [m/s]",
        "no unit: 8 is too large for radians",
        "'U' in the file",
        "wall: inner part of the rim",
        "--map p=",
        "--viscosity 1.81e-5",
    ):
        assert words in out
    assert sorted(item.name for item in folder.iterdir()) == ["conditions.csv", "my runs"]
    status, out, _ = run(capsys, folder / "my runs", "--conditions", folder / "conditions.csv", "--dry-run", "--json")
    assert {question["option"] for question in json.loads(out)["questions"]} == {"--map p=", "--viscosity "}


def test_what_is_missing_is_one_error_whose_remedy_works_when_it_is_typed(folder, capsys):
    arguments = [folder / "my runs", "--conditions", folder / "conditions.csv", "-o", folder / "data"]
    status, _, err = run(capsys, *arguments)
    assert status == 2
    typed = err.partition("with your own values: ")[2].split("╰")[0].split()
    assert typed == ["--map", "p=kinematic_pressure:m^2/s^2", "--viscosity", "1.81e-5"]
    status, out, _ = run(capsys, *arguments, *typed, "--json")
    assert status == 0
    assert json.loads(out)["splits"] == {"train": 3, "val": 1, "test": 1}
    assert (folder / "data" / "dataset.toml").is_file()


def test_in_a_terminal_it_asks_until_it_understands(folder, monkeypatch):
    answers, asked = iter(["pressure:furlong", "pressure:kPa", "thick", "inviscid"]), []

    def prompt(text, default):
        asked.append((text.splitlines()[-1].strip(), default))
        return next(answers)

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    monkeypatch.setattr("geoop.cli.collecting.typer.prompt", prompt)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["collect", str(folder / "my runs"), "--conditions", str(folder / "conditions.csv"), "-o", str(folder / "data")]) == 0
    assert asked == [("--map p=", "kinematic_pressure:m^2/s^2")] * 2 + [("--viscosity", "1.81e-5")] * 2
    assert "the unit 'furlong' is not known" in out.getvalue() and "'thick' is not a number" in out.getvalue()
    case = Dataset.open(folder / "data").case("run_1")
    assert case.operating_point.viscosity is None
    assert case.fields["pressure"].values.max() == pytest.approx(1000 * 0.5 * 11.0**2, rel=1e-2)


def test_layouts_are_listed(capsys):
    status, out, _ = run(capsys, "--list-layouts")
    assert status == 0 and "airfrans" in out and "plaid" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no folder is named"),
        (["my runs"], "-o data/"),
        (["nowhere", "-o", "data"], "there is no such folder"),
        (["my runs", "-o", "data", "--conditions", "condition.csv"], "conditions.csv"),
        (["my runs", "-o", "data", "--map", "p"], "NAME=QUANTITY:UNIT"),
        (["my runs", "-o", "data", "--map", "p=pressure:furlong"], "the unit 'furlong' is not known"),
        (["my runs", "-o", "data", "--wall", "wing"], "it has none of the patches wing; it has outer, body"),
        (["my runs", "-o", "data", "--times", "first"], "expected 'last' or 'all'"),
        (["my runs", "-o", "data", "--file", "*.cgns"], "no file fits"),
        (["my runs", "-o", "data", "--layout", "plaid"], "does not look like plaid"),
        (["my runs", "-o", "data", "--unit", "furlong"], "is not a length unit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_one_readable_block(folder, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(folder)
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert "Traceback" not in err and "try:" in err
    assert " ".join(words.split()) in " ".join(err.split())
    assert not np.any([(folder / "data").exists()])
