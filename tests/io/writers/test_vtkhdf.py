"""VTKHDF as geoop writes it: nothing is lost, and VTK's own reader sees points, cells, faces, names and units."""

from __future__ import annotations

import os

import numpy as np
import pytest
import pyvista as pv

from geoop.errors import FieldError, UnsupportedFormatError, UnwritableFileError
from geoop.io.formats.vtk.messages import captured
from geoop.io.reading import read_case
from geoop.io.writers.vtkhdf import write_vtkhdf
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field, Quantity

CUBE = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]


def solid(polyhedral: bool) -> Case:
    """A cube, as polyhedron or hexahedron, under a pyramid, with everything that a case can have."""
    points = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)] + [[0.5, 0.5, 2]], dtype=float)
    cube = Cells.polyhedra([0, 6], np.arange(7) * 4, np.concatenate(CUBE)) if polyhedral else Cells.of(hexahedron=[[0, 1, 3, 2, 4, 5, 7, 6]])
    cells = Cells.concatenate([Cells.of(pyramid=[[4, 5, 7, 6, 8]]), cube])
    floor = {"floor / inlet": Cells.of(quad=[[0, 2, 3, 1]])}
    mesh = Mesh(points, cells, floor, {"top": np.array([0]), "äöü": np.array([1])}, name="böx", notes=("one", "two"))
    rng = np.random.default_rng(0)
    boundary = {"floor / inlet": {"pressure": Field(QUANTITIES["pressure"], np.float64(3.0), "global")}}
    case = Case(mesh, OperatingPoint(50.0, 2.0, density=1.2), boundary=boundary, wall=("floor / inlet",), time=0.5, name="c")
    return case.with_fields(
        Field(QUANTITIES["velocity"], rng.normal(size=(9, 3))),
        Field(Quantity("stress", "s", "Pa", 2), rng.normal(size=(2, 3, 3)), "cell"),
        Field(Quantity("flag", "f", "1"), np.array([True, False]), "cell"),
        Field(Quantity("C<sub>p</sub> & co", "Cp", "1"), rng.normal(size=9).astype(np.float32)),
        Field(Quantity("force", "F", "N", 1), np.arange(3.0), "global"),
    )


def flat() -> Case:
    points = np.random.default_rng(1).random((6, 2))
    cells = Cells.concatenate([Cells.of(triangle=[[0, 1, 2]]), Cells.ragged("polygon", [np.array([1, 2, 3, 4, 5])])])
    return Case(Mesh(points, cells)).with_fields(
        Field(QUANTITIES["velocity"], points * 2), Field(QUANTITIES["wall_shear_stress"], points[:2], "cell")
    )


def check_equal(one: Case, two: Case) -> None:
    assert two.mesh.content_hash == one.mesh.content_hash and two.mesh.notes == one.mesh.notes
    assert (two.name, two.mesh.name, two.time, two.wall, two.operating_point) == (one.name, one.mesh.name, one.time, one.wall, one.operating_point)
    assert set(two.fields) == set(one.fields) and list(two.mesh.patches) == list(one.mesh.patches) and list(two.mesh.zones) == list(one.mesh.zones)
    pairs = [(one.fields[key], two.fields[key]) for key in one.fields]
    pairs += [(values[key], two.boundary[patch][key]) for patch, values in one.boundary.items() for key in values]
    for old, new in pairs:
        assert np.array_equal(old.values, new.values) and (old.quantity.unit, old.location) == (new.quantity.unit, new.location)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("make", [lambda: solid(True), lambda: solid(False), flat], ids=["polyhedra", "hexahedra", "plane"])
def test_nothing_is_lost(tmp_path, make, compress):
    check_equal(make(), read_case(write_vtkhdf(make(), tmp_path / "deep" / "a", compress=compress)))
    assert os.listdir(tmp_path / "deep") == ["a.vtkhdf"]


@pytest.mark.parametrize("polyhedral", [True, False])
def test_vtk_opens_it(tmp_path, polyhedral, capfd):
    from vtkmodules.vtkIOHDF import vtkHDFReader

    case = solid(polyhedral)
    reader = vtkHDFReader()
    reader.SetFileName(str(write_vtkhdf(case, tmp_path / "a.vtkhdf")))
    with captured() as complaints:
        reader.Update()
        assert not complaints()
    data = pv.wrap(reader.GetOutputDataObject(0))
    assert np.array_equal(data.points, case.mesh.points) and data.celltypes.tolist() == [14, 42 if polyhedral else 12]
    assert np.allclose(data.compute_cell_sizes()["Volume"], [1 / 3, 1]) and data.get_cell(1).n_faces == 6
    assert np.array_equal(data.point_data["velocity [m\u2215s]"], case.field("velocity").values)
    assert "stress [Pa]" in data.cell_data and list(data.field_data["zone_names"]) == ["top", "äöü"]
    assert "HDF5-DIAG" not in capfd.readouterr().err


def test_without_annotations(tmp_path):
    case = read_case(write_vtkhdf(solid(False), tmp_path / "a.vtkhdf", annotate=False))
    assert not case.mesh.patches and set(case.fields) == set(solid(False).fields) - {"force"}


def test_refusals(tmp_path):
    with pytest.raises(UnsupportedFormatError, match="not '.h5'"):
        write_vtkhdf(flat(), tmp_path / "a.h5")
    with pytest.raises(FieldError, match="facets"):
        write_vtkhdf(flat().with_fields(Field(QUANTITIES["pressure"], np.zeros(2), "facet")), tmp_path / "a.vtkhdf")
    assert not os.listdir(tmp_path)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnwritableFileError):
        write_vtkhdf(flat(), tmp_path / "file" / "a.vtkhdf")
