"""One door to every format: units, names, notes, errors, and nothing but geoop's errors from damaged files."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv
import trimesh

from geoop.errors import ConfigurationError, InvalidMeshError, UnitError, UnreadableFileError
from geoop.io.contents import Contents, check_contents, flattened
from geoop.io.formats.table import FORMATS
from geoop.io.paraview import write_case
from geoop.io.reading import read, read_case, read_series
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.primitives import box

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


def test_a_file_of_one_step_knows_its_time(tmp_path):
    """The time that it says is accepted, up to rounding; another is an error that lists it; without one none is accepted."""
    path = write_case(Case(box(), time=0.3), tmp_path / "a.vtu")
    assert read_case(path, time=0.1 + 0.2).time == read_case(path).time == 0.3
    with pytest.raises(ConfigurationError, match=r"no step at 2 s: the file has one, at 0.3 s") as caught:
        read_case(path, time=2.0)
    assert "time=0.3" in caught.value.remedy
    with pytest.raises(UnreadableFileError, match=r"one step only, at 0.3 s") as caught:
        read_series(path)
    bare = write_case(Case(box()), tmp_path / "b.vtu")
    with pytest.raises(ConfigurationError, match="knows no times"):
        read_case(bare, time=0.0)
    with pytest.raises(UnreadableFileError, match="knows no times") as other:
        read_series(bare)
    for error in (caught.value, other.value):
        assert "geoop.read_case(path)" in error.remedy and "geoop convert IN OUT.vtu" in error.remedy


def test_notes_do_not_grow_when_files_are_written_and_read_again(tmp_path):
    """A foreign array has no unit; written by geoop its label has one, and the note on its NaN is still the same note."""
    grid = pv.Sphere(theta_resolution=4, phi_resolution=4)
    grid.point_data["nan field"] = np.full(grid.n_points, np.nan)
    grid.cell_data["p [Pa]"] = np.full(grid.n_cells, np.inf)
    grid.save(tmp_path / "a.vtp")
    case = read_case(tmp_path / "a.vtp")
    assert sum("NaN or infinite" in note for note in case.mesh.notes) == 2
    for name in ("b.vtu", "c.vtkhdf", "d.vtm"):
        back = read_case(write(case, tmp_path / name).path)
        assert back.mesh.notes == case.mesh.notes
        case = back
