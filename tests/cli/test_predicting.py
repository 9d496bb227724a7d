"""geoop predict: an expected error is that of cases like the training's, and the text says so where a case is not one."""

from pathlib import Path

import pytest

import geoop
from geoop.cli.app import main

SECTION = Path(__file__).parents[2] / "meshes" / "naca2412.dat"


@pytest.mark.parametrize(("alpha", "level"), [("4", "inside"), ("70", "outside")])
def test_an_expected_error_is_not_quoted_outside(tmp_path, capsys, alpha, level):
    status = main(["predict", "airfoil-potential", str(SECTION), "--velocity", "50", "--alpha", alpha, "-o", str(tmp_path / "section.vtu")])
    said = capsys.readouterr().out
    assert status == 0 and f"verdict {level}" in said and "expected error of CL" in said
    assert ("it does not hold for this one" in said) == (level == "outside")


def test_nothing_is_written_over_the_input(tmp_path, capsys):
    mesh = geoop.write(geoop.Case(geoop.read(SECTION)), tmp_path / "section.vtu").path
    before = mesh.read_bytes()
    assert main(["predict", "airfoil-potential", str(mesh), "--velocity", "50", "-o", str(tmp_path / "x" / ".." / "section.vtu")]) == 2
    assert "the output is the input" in capsys.readouterr().err and mesh.read_bytes() == before
