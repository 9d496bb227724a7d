"""Abaqus, Nastran and Medit through meshio: sets kept, and what meshio prints or ends with becomes an error."""

from __future__ import annotations

import meshio
import numpy as np
import pytest

from geoop.errors import UnitError, UnreadableFileError, UnsupportedFormatError
from geoop.io.formats import through_meshio
from geoop.io.reading import read, read_case

POINTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=float)
CELLS = [("tetra", np.array([[0, 1, 2, 3], [1, 2, 3, 4]])), ("triangle", np.array([[0, 2, 1], [0, 1, 3]]))]


def test_medit_references(tmp_path):
    data = {"medit:ref": [np.array([1, 2]), np.array([7, 8])]}
    meshio.write(tmp_path / "part.mesh", meshio.Mesh(POINTS, CELLS, cell_data=data))
    mesh = read(tmp_path / "part.mesh", unit="mm")
    assert np.allclose(mesh.points, POINTS * 1e-3) and mesh.cells.block("tetra").tolist() == CELLS[0][1].tolist()
    assert {name: part.block("triangle").tolist() for name, part in mesh.patches.items()} == {"reference 7": [[0, 2, 1]], "reference 8": [[0, 1, 3]]}
    assert {name: index.tolist() for name, index in mesh.zones.items()} == {"reference 1": [0], "reference 2": [1]}
    with pytest.raises(UnitError, match="Medit"):
        read(tmp_path / "part.mesh")


@pytest.mark.parametrize("suffix", [".inp", ".bdf", ".nas", ".mesh"])
def test_cells_of_every_format(tmp_path, suffix):
    name = f"part{suffix}"
    meshio.write(tmp_path / name, meshio.Mesh(POINTS, CELLS[:1]), file_format=through_meshio._FORMATS[suffix])
    mesh = read(tmp_path / name, unit="m")
    assert np.allclose(mesh.points, POINTS, atol=1e-6) and mesh.cells.block("tetra").tolist() == CELLS[0][1].tolist()


def test_abaqus_sets(tmp_path):
    text = (
        "*NODE\n1, 0, 0, 0\n2, 1, 0, 0\n3, 1, 1, 0\n4, 0, 1, 0\n5, 2, 2, 1\n"
        "*ELEMENT, TYPE=S3, ELSET=SKIN\n1, 1, 2, 3\n2, 1, 3, 4\n3, 3, 4, 5\n*NSET, NSET=CORNERS\n1, 2\n"
    )
    (tmp_path / "shell.inp").write_text(text)
    mesh = read(tmp_path / "shell.inp", unit="m")
    assert mesh.dimension == 3 and len(mesh.patches["SKIN"]) == 3 and any("CORNERS" in note for note in mesh.notes)


@pytest.mark.parametrize("content", ["garbage\n", "MeshVersionFormatted 1\nDimension 3\nVertices\n2\n0 0 0 1\n", "MeshVersionFormatted x\n"])
def test_bad_files_do_not_end_the_process(tmp_path, content, capsys):
    (tmp_path / "bad.mesh").write_text(content)
    with pytest.raises(UnreadableFileError):
        read(tmp_path / "bad.mesh", unit="m")
    assert capsys.readouterr() == ("", "")


def test_exit_inside_meshio_is_an_error(tmp_path, monkeypatch):
    def leave(*_, **__):
        print("no reader worked")
        raise SystemExit(1)

    monkeypatch.setattr(meshio, "read", leave)
    (tmp_path / "part.mesh").write_text("x")
    with pytest.raises(UnreadableFileError, match="no reader worked"):
        read(tmp_path / "part.mesh", unit="m")


def test_an_inp_file_of_avs(tmp_path):
    data = {"p": np.arange(5.0)}
    meshio.write(tmp_path / "part.inp", meshio.Mesh(POINTS, CELLS[:1], point_data=data), file_format="avsucd")
    case = read_case(tmp_path / "part.inp", unit="mm")
    assert np.allclose(case.mesh.points, POINTS * 1e-3) and case.field("p").values.tolist() == [0, 1, 2, 3, 4]
    assert list(case.mesh.zones) == ["reference 0"]


def test_surfaces_and_thin_elements_of_abaqus_are_noted(tmp_path):
    text = "*NODE\n1, 0, 0, 0\n2, 1, 0, 0\n3, 0, 1, 0\n4, 0, 0, 1\n*ELEMENT, TYPE=C3D4, ELSET=BODY\n1, 1, 2, 3, 4\n"
    text += "*ELEMENT, TYPE=S3\n2, 1, 2, 3\n*SURFACE, TYPE=ELEMENT, NAME=INLET\nBODY, S1\n"
    (tmp_path / "part.inp").write_text(text)
    mesh = read(tmp_path / "part.inp", unit="m")
    assert list(mesh.zones) == ["BODY"] and any("INLET" in note for note in mesh.notes)
    assert any("1 elements of lower dimension" in note for note in mesh.notes)


@pytest.mark.parametrize(
    "extra", ["*Part, name=a\n*End Part\n*Part, name=b\n*End Part\n", "*Instance, name=i, part=a\n1., 0., 0.\n", "*Include, input=x.inp\n"]
)
def test_assemblies_are_refused(tmp_path, extra):
    (tmp_path / "part.inp").write_text("*NODE\n1, 0, 0, 0\n" + extra)
    with pytest.raises(UnsupportedFormatError, match="assembly"):
        read(tmp_path / "part.inp", unit="m")


@pytest.mark.parametrize("suffix", [".bdf", ".nas"])
def test_nastran_without_begin_bulk(tmp_path, suffix):
    whole, bare = tmp_path / f"whole{suffix}", tmp_path / f"bare{suffix}"
    meshio.write(whole, meshio.Mesh(POINTS, CELLS[:1]), file_format="nastran")
    lines = whole.read_text().splitlines(keepends=True)
    bare.write_text("".join(line for line in lines if "BEGIN BULK" not in line))
    assert bare.read_text() != whole.read_text()
    mesh, expected = read(bare, unit="m"), read(whole, unit="m")
    assert np.array_equal(mesh.points, expected.points) and mesh.cells.connectivity.tolist() == expected.cells.connectivity.tolist()
    assert any("BEGIN BULK" in note for note in mesh.notes) and not any("BEGIN BULK" in note for note in expected.notes)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.bdf",
            "BEGIN BULK\nCORD2C,1,0,0.,0.,0.,0.,0.,1.,\nGRID,1,,0.,0.,0.\nGRID,2,1,1.0,90.0,0.0\nGRID,3,,0.,1.,0.\nCTRIA3,1,1,1,2,3\nENDDATA\n",
        ),
        ("b.bdf", "BEGIN BULK\nGRID           1       7      0.      0.      0.\nENDDATA\n"),
        ("c.inp", "*NODE, NSET=all, SYSTEM=C\n1, 1., 90., 0.\n2, 1., 0., 0.\n3, 0., 0., 1.\n*ELEMENT, TYPE=S3\n1, 1, 2, 3\n"),
        ("d.inp", "*SYSTEM\n10., 0., 0., 11., 0., 0.\n*NODE\n1, 1., 0., 0.\n2, 1., 1., 0.\n3, 0., 0., 1.\n*ELEMENT, TYPE=S3\n1, 1, 2, 3\n"),
    ],
)
def test_local_coordinates_are_refused(tmp_path, name, text):
    """meshio reads them as Cartesian: a silent nonsense."""
    (tmp_path / name).write_text(text)
    with pytest.raises(UnsupportedFormatError, match="coordinate system"):
        read(tmp_path / name, unit="m")


def test_elements_below_a_surface_are_said(tmp_path):
    text = "*NODE\n1, 0., 0., 0.\n2, 1., 0., 0.\n3, 0., 1., 1.\n*ELEMENT, TYPE=S3, ELSET=skin\n1, 1, 2, 3\n*ELEMENT, TYPE=B31, ELSET=edge\n2, 1, 2\n"
    (tmp_path / "a.inp").write_text(text)
    mesh = read(tmp_path / "a.inp", unit="m")
    assert set(mesh.patches) == {"skin"} and "1 elements of lower dimension are left out" in mesh.notes
