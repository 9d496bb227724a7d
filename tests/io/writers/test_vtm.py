"""Trees of blocks as geoop writes them: nothing is lost, and ParaView sees zones and patches by name."""

from __future__ import annotations

import os

import numpy as np
import pytest
import pyvista as pv

from geoop.errors import FieldError, UnreadableFileError, UnsupportedFormatError, UnwritableFileError
from geoop.io.reading import read, read_case
from geoop.io.writers.vtm import write_vtm
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import box
from geoop.mesh.quantity import QUANTITIES, Field, Quantity


def two_zones(zones: dict[str, list[int]]) -> Case:
    """Three tetrahedra and a triangle between seven points, one of which belongs to no cell."""
    points = np.random.default_rng(0).random((8, 3))
    cells = Cells.concatenate([Cells.of(tetra=[[5, 1, 2, 3], [1, 2, 3, 4]]), Cells.of(triangle=[[0, 5, 6]]), Cells.of(tetra=[[0, 1, 5, 6]])])
    patches = {"in/let": Cells.of(triangle=[[5, 1, 2], [1, 2, 3]]), "In let": Cells.of(triangle=[[0, 5, 6]])}
    mesh = Mesh(points, cells, patches, {name: np.array(index) for name, index in zones.items()}, name="m", notes=("a note",))
    boundary = {"in/let": {"pressure": Field(QUANTITIES["pressure"], np.arange(2.0), "facet")}}
    case = Case(mesh, OperatingPoint(30.0, 1.0), boundary=boundary, wall=("in/let",), time=1.5, name="c")
    return case.with_fields(
        Field(QUANTITIES["velocity"], points * 3),
        Field(QUANTITIES["pressure"], np.arange(4.0), "cell"),
        Field(Quantity("drag", "D", "N"), np.float64(0.1), "global"),
    )


ZONES = {
    "none": {},
    "all": {"left <1>": [0, 2], "right": [3, 1]},
    "some": {"left": [3]},
    "overlapping": {"a": [0, 1, 2], "b": [1, 3], "c": [1]},
}


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("zones", ZONES)
def test_nothing_is_lost(tmp_path, zones, compress):
    one = two_zones(ZONES[zones])
    two = read_case(write_vtm(one, tmp_path / "a", compress=compress))
    assert two.mesh.content_hash == one.mesh.content_hash and two.mesh.notes == one.mesh.notes and list(two.mesh.zones) == list(one.mesh.zones)
    assert (two.name, two.time, two.wall, two.operating_point) == (one.name, one.time, one.wall, one.operating_point)
    assert set(two.fields) == set(one.fields) and all(np.array_equal(two.fields[key].values, one.fields[key].values) for key in one.fields)
    assert np.array_equal(two.boundary["in/let"]["pressure"].values, [0, 1])
    assert sorted(os.listdir(tmp_path)) == ["a", "a.vtm"]


def test_vtk_sees_names_units_and_annotations(tmp_path):
    data = pv.read(write_vtm(two_zones(ZONES["all"]), tmp_path / "a.vtm"))
    assert data.keys() == ["left <1>", "right", "points without cells", "boundary"] and data["boundary"].keys() == ["in/let", "In let"]
    assert data["right"].n_cells == 2 and data["right"].cell_data["pressure [Pa]"].tolist() == [1, 3]
    assert data["boundary"]["in/let"].n_cells == 2 and list(data.field_data["zone_names"]) == ["left <1>", "right"]
    assert data.field_data["operating_point.velocity [m/s]"][0] == 30.0 and list(data.field_data["notes"]) == ["a note"]


def test_plain_blocks(tmp_path):
    case = read_case(write_vtm(two_zones(ZONES["all"]), tmp_path / "a.vtm", annotate=False))
    assert {"left <1>", "right"} <= set(case.mesh.zones) and set(case.mesh.patches) == {"in/let", "In let"}
    assert "vtkOriginalPointIds" not in case.fields and len(case.mesh.points) == 6 + 7 + 1  # points of two zones are in both


def test_a_block_that_was_changed_is_said(tmp_path):
    path = write_vtm(two_zones(ZONES["all"]), tmp_path / "a.vtm")
    data = pv.read(tmp_path / "a" / "right.vtu")
    data.extract_cells([0]).save(tmp_path / "a" / "right.vtu")
    with pytest.raises(UnreadableFileError, match="do not make up the mesh"):
        read(path)


def test_refusals_and_what_was_there(tmp_path):
    case = two_zones({})
    with pytest.raises(UnsupportedFormatError, match="not '.vtu'"):
        write_vtm(case, tmp_path / "a.vtu")
    with pytest.raises(FieldError, match="facets"):
        write_vtm(case.with_fields(Field(QUANTITIES["temperature"], np.zeros(2), "facet")), tmp_path / "a.vtm")
    (tmp_path / "b").write_text("in the way")
    with pytest.raises(UnwritableFileError, match="a file is in the way"):
        write_vtm(case, tmp_path / "b.vtm")
    assert os.listdir(tmp_path) == ["b"]


@pytest.mark.parametrize("suffix", [".vtm", ".vtu", ".vtkhdf"])
def test_patches_without_facets(tmp_path, suffix):
    mesh = box()
    case = Case(Mesh(mesh.points, mesh.cells, {"none": Cells.empty(), "lid": mesh.patches["z_max"]}))
    back = read_case(write(case, tmp_path / f"a{suffix}").path)
    assert {name: len(part) for name, part in back.mesh.patches.items() if len(part)} == {"lid": 1}
