"""geoop predict: an expected error is that of cases like the training's, and the text says so where a case is not one."""

from pathlib import Path

import pytest

from geoop.cli.app import main

SECTION = Path(__file__).parents[2] / "meshes" / "naca2412.dat"


@pytest.mark.parametrize(("alpha", "level"), [("4", "inside"), ("70", "outside")])
def test_an_expected_error_is_not_quoted_outside(tmp_path, capsys, alpha, level):
    status = main(["predict", "airfoil-potential", str(SECTION), "--velocity", "50", "--alpha", alpha, "-o", str(tmp_path / "section.vtu")])
    said = capsys.readouterr().out
    assert status == 0 and f"verdict {level}" in said and "expected error of CL" in said
    assert ("it does not hold for this one" in said) == (level == "outside")
