"""A whole OpenFOAM case through geoop.write: what goes in comes back, and a case that is there is not lost."""

from __future__ import annotations

import numpy as np
import pytest

import geoop
from geoop.errors import UnwritableFileError
from geoop.io.reading import read_case
from geoop.mesh.case import Case
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import circle
from geoop.mesh.quantity import QUANTITIES, Field


def plane_case(time: float | None = 0.5) -> Case:
    mesh = ogrid(circle(100, 0.5), n_wall=24, n_normal=7, first_height=0.05)
    rng = np.random.default_rng(3)
    velocity = Field(QUANTITIES["velocity"], rng.normal(size=(len(mesh.cells), 2)), "cell")
    temperature = Field(QUANTITIES["temperature"], 300 + 5 * mesh.points[:, 0], "point")
    return Case(mesh, OperatingPoint(1.0), {"velocity": velocity, "temperature": temperature}, time=time)


@pytest.mark.parametrize("text", [False, True], ids=["binary", "text"])
def test_a_plane_case_comes_back_bit_by_bit(tmp_path, text):
    case = plane_case()
    written = geoop.write(case, tmp_path / "run" / "case.foam", text=text)
    again = read_case(tmp_path / "run" / "case.foam")
    assert np.array_equal(again.field("velocity").values[:, :2], case.field("velocity").values)
    assert not again.field("velocity").values[:, 2].any()
    assert again.time == 0.5
    assert again.wall == ("wall",)
    centre = case.mesh.points[case.mesh.cells.block("quad")].mean(axis=1)
    assert np.allclose(again.field("temperature").values, 300 + 5 * centre[:, 0], atol=0.5)  # means over the cells
    assert any("operating point" in note for note in written.notes)
    assert any("1 m thick" in note for note in written.notes)


def test_a_bare_mesh_is_a_case_without_times(tmp_path):
    geoop.write(plane_case().mesh, tmp_path / "run" / "case.foam")
    assert len(read_case(tmp_path / "run").fields) == 0


def test_another_case_is_not_overwritten_but_its_own_is(tmp_path):
    geoop.write(plane_case(), tmp_path / "case.foam")
    geoop.write(plane_case(), tmp_path / "case.foam")
    with pytest.raises(UnwritableFileError, match="OpenFOAM mesh already"):
        geoop.write(plane_case(), tmp_path / "other.foam")
    dictionary = tmp_path / "system" / "controlDict"
    dictionary.write_text(dictionary.read_text() + "// of the user\n")
    geoop.write(plane_case(), tmp_path / "case.foam")
    assert "of the user" in dictionary.read_text()
