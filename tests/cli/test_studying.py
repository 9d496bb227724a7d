"""geoop study: the quick form, the file, the template, what it says when something is wrong."""

import json

import numpy as np
import pytest

import geoop
from geoop.cli.app import main
from geoop.mesh.primitives import naca4

QUICK = ["study", "--model", "panels", "--geometry", "naca2412", "--alpha=-4:4:4", "--velocity", "60", "--surface-only", "--no-report"]


def said(capsys) -> str:
    return " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_the_quick_form_is_the_function(tmp_path, capsys):
    assert main([*QUICK, "--flap=0,10", "-o", str(tmp_path / "quick"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    table = {"naca": "2412", "flap": {"deflection": [0, 10]}}
    done = geoop.study(
        model="panels", geometry=table, alpha="-4:4:4", velocity=60, output=tmp_path / "f", settings={"surface_only": True, "report": False}
    )
    assert [row["CL"] for row in data["rows"]] == pytest.approx(list(done.column("CL"))) and len(data["rows"]) == 6 and data["failed"] == {}
    assert all(row["flap hinge [1]"] == 0.75 for row in data["rows"])


def test_the_template_runs(tmp_path, capsys):
    assert main(["study", "--template"]) == 0
    (tmp_path / "study.toml").write_text(capsys.readouterr().out)
    assert main(["study", str(tmp_path / "study.toml"), "--check"]) == 0
    assert "27 cases: 3 geometries at 9 conditions" in capsys.readouterr().out
    words = ["study", str(tmp_path / "study.toml"), "--alpha", "0,4", "--table-only", "--no-report", "-o", str(tmp_path / "out")]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "6 cases" in text and "table.csv" in text and not (tmp_path / "out" / "cases").exists()
    assert main([*words, "--json"]) == 0  # called again it goes on: nothing is left
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 6


def test_files_of_a_study_file_stay_relative_to_it_when_options_change_it(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "work"
    folder.mkdir()
    np.savetxt(folder / "own.dat", naca4("2412", 80).points, header="own", comments="")
    (folder / "study.toml").write_text(
        'model = "panels"\ngeometry = ["*.dat"]\noutput = "out"\nsurface_only = true\n[conditions]\nvelocity = 5\nalpha = 1'
    )
    monkeypatch.chdir(tmp_path)
    assert main(["study", str(folder / "study.toml"), "--velocity", "7", "--no-report", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["velocity [m/s]"] == 7.0 and row["geometry"] == "own" and (folder / "out" / "table.csv").is_file()


def test_remedies_are_options(tmp_path, capsys):
    assert main(["study", "--model", "panels", "--geometry", "naca2412", "--alpha", "0.1", "--velocity", "60", "-o", str(tmp_path / "a")]) == 2
    assert "--accept angles" in said(capsys)
    assert main(["study", "--model", "panels", "--geometry", "naca2412", "--velocity", "60"]) == 2
    assert "give -o FOLDER" in said(capsys)
    assert main([*QUICK, "-o", str(tmp_path / "b")]) == 0
    capsys.readouterr()
    assert main([*QUICK, "--geometry", "naca0012", "-o", str(tmp_path / "b")]) == 2
    text = said(capsys)
    assert "another study: geometries differ" in text and "--overwrite" in text and "overwrite=True" not in text
    assert main(["study", "--alpha", "1,x", "--geometry", "naca0012"]) == 2
    assert "no list of numbers" in said(capsys)
    assert main(["study", str(tmp_path / "none.toml"), "--chord", "2"]) == 2
    assert "--chord without --geometry" in said(capsys)


def test_a_study_in_which_everything_fails_says_so_by_its_status(tmp_path, capsys):
    cusp = naca4("0003", 200)  # a trailing edge that panels refuse
    np.savetxt(tmp_path / "thin.dat", cusp.points, header="thin", comments="")
    words = ["study", "--model", "panels", "--geometry", str(tmp_path / "thin.dat"), "--velocity", "1", "--no-report", "-o", str(tmp_path / "s")]
    assert main(words) == 1
    assert "failed thin_0000" in capsys.readouterr().out
