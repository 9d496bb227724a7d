"""What a case says about its validation follows from its files, and its files from its settings."""

from __future__ import annotations

import pytest

from geoop.truth.openfoam.foam_case import FoamCase
from geoop.truth.openfoam.settings import Schemes, Turbulence
from geoop.truth.openfoam.standing import EXPERIMENTAL, VALIDATED, standing, standing_of
from tests.truth.openfoam.fake_programs import POINT, grid

LUST = Schemes(convection="LUST")


@pytest.mark.parametrize(
    ("turbulence", "schemes", "says"),
    [
        (Turbulence(), LUST, VALIDATED),
        (Turbulence(), Schemes(), EXPERIMENTAL),
        (Turbulence(walls="functions"), LUST, EXPERIMENTAL),
        (Turbulence("kOmegaSST"), LUST, EXPERIMENTAL),
        (Turbulence(), Schemes(convection="LUST", turbulence="upwind"), EXPERIMENTAL),
    ],
    ids=["series", "upwind", "wall-functions", "sst", "turbulence-upwind"],
)
def test_only_the_settings_of_the_series_are_called_validated(tmp_path, turbulence, schemes, says):
    assert standing(turbulence, schemes) == says
    root = FoamCase(grid(), POINT, turbulence=turbulence, schemes=schemes).write(tmp_path / "run")
    assert standing_of(root) == says


def test_another_wall_distance_is_not_what_was_validated(tmp_path):
    root = FoamCase(grid(), POINT, turbulence=Turbulence(), schemes=LUST).write(tmp_path / "run")
    path = root / "system" / "fvSchemes"
    path.write_text(path.read_text().replace("exactDistance", "meshWave"))
    assert standing_of(root) == EXPERIMENTAL


def test_laminar_flow_needs_no_such_sentence(tmp_path):
    assert standing_of(FoamCase(grid(), POINT).write(tmp_path / "run")) is None
    (tmp_path / "run" / "constant" / "turbulenceProperties").unlink()
    assert standing_of(tmp_path / "run") is None


def test_every_sentence_says_where_it_stands():
    assert EXPERIMENTAL.startswith("experimental")
    assert "coarser grids are not validated" in VALIDATED
