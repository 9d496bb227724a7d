"""One door to every format: units, names, notes, errors, and nothing but geoop's errors from damaged files."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from geoop.errors import InvalidMeshError, UnitError, UnreadableFileError
from geoop.io.contents import Contents, check_contents, flattened
from geoop.io.formats.table import FORMATS
from geoop.io.reading import read, read_case
from geoop.mesh.cells import Cells

WITHOUT_UNIT = {suffix for form in FORMATS if form.length == "unit" for suffix in form.suffixes}
MOTORBIKE = 132871, 331653, 67


def test_name_unit_and_notes(tmp_path):
    trimesh.creation.box().export(tmp_path / "box.stl")
    case = read_case(tmp_path / "box.stl", unit="cm", name="my box")
    assert case.name == case.mesh.name == "my box" and read(str(tmp_path / "box.stl"), unit="m").name == "box"
    assert np.ptp(case.mesh.points) == pytest.approx(0.01) and "lengths are read in cm and stored in m" in case.mesh.notes
    with pytest.raises(UnitError, match="extent 1 x 1 x 1"):
        read(tmp_path / "box.stl")
    with pytest.raises(UnitError, match="did you mean 'mm'"):
        read(tmp_path / "box.stl", unit="mmm")


def test_units_are_asked_for_where_the_file_does_not_say_them():
    assert set(WITHOUT_UNIT) >= {".stl", ".obj", ".ply", ".off", ".glb", ".csv", ".xyz", ".npy"}
    assert {suffix for form in FORMATS if form.length == "metres" for suffix in form.suffixes} >= {
        ".vtu",
        ".vtp",
        ".vtk",
        ".vts",
        ".vtr",
        ".vti",
        ".msh",
        ".su2",
    }


def test_all_problems_in_one_error():
    contents = Contents(np.array([[0, 0, np.nan], [1, 0, 0], [0, 1, 0]]), Cells.of(triangle=[[0, 1, 7]]), {"wall": Cells.of(triangle=[[0, -1, 2]])})
    with pytest.raises(InvalidMeshError) as caught:
        check_contents(contents, cloud=False, where="a.vtu")
    assert all(words in str(caught.value) for words in ("1 of 3 points have NaN", "first point 0", "cells: 1 point indices", "patch 'wall'", "a.vtu"))
    with pytest.raises(UnreadableFileError, match="no cells"):
        check_contents(Contents(np.zeros((2, 3))), cloud=False, where="a.obj")
    check_contents(Contents(np.zeros((2, 3))), cloud=True, where="a.ply")


def test_flattening():
    points = np.array([[0, 0, 2.0], [1, 0, 2.0], [0, 1, 2.0]])
    assert flattened(points, 2)[0].shape == (3, 2) and "z = 2" in flattened(points, 2)[1][0]
    assert flattened(points, 3)[0].shape == (3, 3) and flattened(points + np.eye(3), 2)[0].shape == (3, 3)
