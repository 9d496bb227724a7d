"""VTK's formats as other programs write them: cell types, fields, compound cells, damage."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv

from geoop.errors import InvalidMeshError, UnitError, UnreadableFileError
from geoop.io.inspection import inspect
from geoop.io.reading import read, read_case
from geoop.io.repair import repair_file
from geoop.io.writing import write


def mixed_grid() -> pv.UnstructuredGrid:
    points = np.random.default_rng(0).random((20, 3))
    cells = [8, *range(8), 4, 8, 9, 10, 11, 3, 0, 1, 2, 1, 5, 5, 12, 13, 14, 15, 16, 20, *range(20), 2, 3, 4]
    grid = pv.UnstructuredGrid(cells, [pv.CellType.HEXAHEDRON, 10, 5, 1, 7, 25, 3], points)
    grid.point_data["pressure [Pa]"] = np.arange(20.0)
    grid.point_data["U"] = np.arange(60.0).reshape(20, 3).astype(np.float32)
    grid.cell_data["porosity"] = np.arange(7)
    return grid


@pytest.mark.parametrize("name", ["a.vtu", "a.vtk"])
@pytest.mark.parametrize("binary", [True, False])
def test_mixed_cells_and_fields(tmp_path, name, binary):
    grid = mixed_grid()
    grid.save(tmp_path / name, binary=binary)
    case = read_case(tmp_path / name)
    assert case.mesh.cells.types.tolist() == grid.celltypes.tolist() and np.allclose(case.mesh.points, grid.points, atol=1e-6)
    assert np.array_equal(case.mesh.cells.connectivity, grid.cell_connectivity)
    assert case.field("pressure").quantity.unit == "Pa" and np.allclose(case.field("pressure").values, np.arange(20))
    assert case.field("U").quantity.rank == 1 and case.field("U").quantity.unit == "?"
    assert case.field("porosity").location == "cell" and case.field("porosity").values.tolist() == list(range(7))


def test_all_arrays_of_a_legacy_file_are_read(tmp_path):
    head = (
        "# vtk DataFile Version 3.0\nt\nASCII\nDATASET UNSTRUCTURED_GRID\nPOINTS 3 float\n0 0 0 1 0 0 0 1 1\n"
        "CELLS 1 4\n3 0 1 2\nCELL_TYPES 1\n5\nPOINT_DATA 3\n"
    )
    arrays = (
        "".join(f"SCALARS {name} float 1\nLOOKUP_TABLE default\n1 2 3\n" for name in ("a", "b"))
        + "VECTORS v float\n1 0 0 0 1 0 0 0 1\nVECTORS w float\n1 0 0 0 1 0 0 0 1\n"
    )
    (tmp_path / "a.vtk").write_text(head + arrays)
    assert set(read_case(tmp_path / "a.vtk").fields) == {"a", "b", "v", "w"}


def test_compound_cells_are_taken_apart_with_their_values(tmp_path):
    strip, line = [5, 0, 1, 2, 3, 4], [3, 0, 1, 2]
    data = pv.PolyData(np.array([[0, 0, 0], [0, 1, 0], [1, 0, 1], [1, 1, 0], [2, 0, 0]], dtype=float), lines=line, strips=strip, verts=[2, 3, 4])
    data.cell_data["id"] = np.array([10, 20, 30])
    data.save(tmp_path / "a.vtp")
    case = read_case(tmp_path / "a.vtp")
    assert case.mesh.cells.block("vertex").tolist() == [[3], [4]] and case.mesh.cells.block("line").tolist() == [[0, 1], [1, 2]]
    assert case.mesh.cells.block("triangle").tolist() == [[0, 1, 2], [2, 1, 3], [2, 3, 4]]  # all run the same way round
    assert case.field("id").values.tolist() == [10, 10, 20, 20, 30, 30, 30]


def test_structured_grids_become_cells(tmp_path):
    image = pv.ImageData(dimensions=(3, 4, 5), spacing=(1.0, 2.0, 3.0))
    image.cell_data["k"] = np.arange(image.n_cells)
    image.save(tmp_path / "a.vti")
    image.cast_to_rectilinear_grid().save(tmp_path / "a.vtr")
    image.cast_to_structured_grid().save(tmp_path / "a.vts")
    for suffix in (".vti", ".vtr", ".vts"):
        case = read_case(tmp_path / f"a{suffix}")
        corners = case.mesh.points[case.mesh.cells.block("hexahedron")]
        edges = corners[:, [1, 3, 4]] - corners[:, [0]]
        assert np.allclose(np.linalg.det(edges), 6.0) and len(corners) == 24
        assert case.field("k").values.tolist() == list(range(24))


def test_plane_is_two_dimensional_and_loses_zero_components_only(tmp_path):
    grid = pv.Plane(i_resolution=2, j_resolution=2)
    grid.clear_data()
    grid.point_data["velocity"] = np.stack([np.arange(9.0), np.ones(9), np.zeros(9)], 1)
    grid.point_data["vorticity"] = np.stack([np.zeros(9), np.zeros(9), np.arange(9.0)], 1)
    grid.save(tmp_path / "a.vtp")
    case = read_case(tmp_path / "a.vtp")
    assert case.mesh.dimension == 2 and any("two-dimensional" in note for note in case.mesh.notes)
    assert case.field("velocity").values.shape == (9, 2) and case.field("vorticity").values.shape == (9, 3)
    assert case.field("velocity").quantity.unit == "m/s" and any("velocity in m/s" in note for note in case.mesh.notes)
    grid.points[0, 2] = 1e-3
    grid.save(tmp_path / "a.vtp")
    assert read(tmp_path / "a.vtp").dimension == 3


def test_colours_and_text_are_left_out_and_nan_is_said(tmp_path):
    cube = pv.Cube().triangulate()
    cube.clear_data()
    cube.point_data["RGB"] = np.zeros((cube.n_points, 3), dtype=np.uint8)
    cube.cell_data["material"] = np.array(["steel"] * cube.n_cells)
    cube.point_data["p"] = np.where(np.arange(cube.n_points) == 3, np.nan, 1.0)
    cube.point_data["uv"] = np.arange(2.0 * cube.n_points).reshape(-1, 2)
    cube.save(tmp_path / "a.vtp")
    case = read_case(tmp_path / "a.vtp")
    assert set(case.fields) == {"p", "uv_0", "uv_1"}
    notes = " ".join(case.mesh.notes)
    assert "RGB" in notes and "material" in notes and "'p' has 1 values that are NaN" in notes


def test_same_name_at_points_and_cells(tmp_path):
    grid = mixed_grid()
    grid.cell_data["pressure [Pa]"] = np.arange(7.0)
    grid.save(tmp_path / "a.vtu")
    case = read_case(tmp_path / "a.vtu")
    assert len(case.field("pressure").values) == 20 and len(case.field("pressure_cell").values) == 7


@pytest.mark.parametrize("name", ["a.vtu", "a.vtk"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_truncated(tmp_path, name, share, capfd):
    mixed_grid().save(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(share * len(data))])
    with pytest.raises(UnreadableFileError):
        read(tmp_path / name)
    out, err = capfd.readouterr()
    assert not out and not err  # VTK's own complaints do not reach the terminal


def test_what_is_no_mesh(tmp_path):
    head = "# vtk DataFile Version 3.0\nt\nASCII\nDATASET "
    for text, words in {
        "UNSTRUCTURED_GRID\nPOINTS 0 float\n": "no",
        "UNSTRUCTURED_GRID\nPOINTS 2 float\n0 0 0 1 1 1\n": "without a CELLS section",
        "POLYDATA\nPOINTS 2 float\n0 0 0 1 1 1\n": "ends behind its POINTS",
        "TABLE\nROW_DATA 2\nFIELD f 1\nx 1 2 float\n1 2\n": "no mesh",
        "NONSENSE\n": "VTK cannot read",
    }.items():
        (tmp_path / "a.vtk").write_text(head + text)
        with pytest.raises(UnreadableFileError, match=words):
            read(tmp_path / "a.vtk")
    pv.PolyData(np.zeros((0, 3))).save(tmp_path / "a.vtp")
    with pytest.raises(UnreadableFileError, match="no points"):
        read(tmp_path / "a.vtp")


def test_lengths_of_a_solver_are_metres_unless_another_unit_is_said(tmp_path):
    mixed_grid().save(tmp_path / "a.vtu")
    given, scaled = read_case(tmp_path / "a.vtu"), read_case(tmp_path / "a.vtu", unit="mm")
    np.testing.assert_allclose(scaled.mesh.points, 1e-3 * given.mesh.points, rtol=1e-14)
    np.testing.assert_array_equal(scaled.field("pressure").values, given.field("pressure").values)
    assert any("taken in mm, as said" in note and "fields are not scaled" in note for note in scaled.mesh.notes)
    found = inspect(tmp_path / "a.vtu", unit="mm")
    assert found.unit_statement == "mm, as given" and found.report.bounds == tuple(map(tuple, scaled.mesh.bounds))
    pv.Sphere(radius=0.4).save(tmp_path / "a.vtp")
    repaired = repair_file(tmp_path / "a.vtp", tmp_path / "b.stl", unit="mm")
    assert repaired.length_unit == "m" and np.ptp(read(tmp_path / "b.stl", unit="m").points) == pytest.approx(8e-4, rel=0.02)


def test_what_geoop_wrote_is_in_metres_and_not_scaled_again(tmp_path):
    mixed_grid().save(tmp_path / "a.vtu")
    mesh = read(tmp_path / "a.vtu", unit="cm")
    write(mesh, tmp_path / "b.vtu")
    np.testing.assert_array_equal(read(tmp_path / "b.vtu", unit="m").points, mesh.points)
    with pytest.raises(UnitError, match="states its length unit.*once more"):
        read(tmp_path / "b.vtu", unit="cm")
    assert "'cm' is not used" in inspect(tmp_path / "b.vtu", unit="cm").unit_statement


def test_points_without_cells_are_a_cloud(tmp_path):
    pv.PolyData(np.random.default_rng(0).random((5, 3))).save(tmp_path / "a.vtp")
    assert read(tmp_path / "a.vtp").is_cloud
    data = "# vtk DataFile Version 3.0\nt\nASCII\nDATASET POLYDATA\nPOINTS 2 float\n0 0 0 1 1 1\nPOINT_DATA 2\nNORMALS n float\n0 0 1 0 0 1\n"
    (tmp_path / "a.vtk").write_text(data)
    assert read(tmp_path / "a.vtk").is_cloud and any("point cloud" in note for note in read(tmp_path / "a.vtk").notes)


def polyhedral_grid() -> pv.UnstructuredGrid:
    """A triangle, a cube as polyhedron with one face turned in, and a tetrahedron."""
    points = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)] + [[0.5, 0.5, 2]], dtype=float)
    faces = [[1, 3, 2, 0], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
    stream = [len(faces), *(n for face in faces for n in (len(face), *face))]
    grid = pv.UnstructuredGrid(np.array([3, 0, 1, 2, len(stream), *stream, 4, 4, 5, 6, 8]), np.array([5, 42, 10], dtype=np.uint8), points)
    grid.cell_data["id"] = np.array([7, 8, 9])
    grid.point_data["p [Pa]"] = np.arange(9.0)
    return grid


def check_polyhedra(case, faces_turned: int) -> None:
    cells = case.mesh.cells
    assert cells.types.tolist() == [5, 42, 10] and case.field("id").values.tolist() == [7, 8, 9]
    assert np.diff(cells.faces.cell_offsets).tolist() == [0, 6, 0] and sorted(cells.take(np.array([1])).connectivity.tolist()) == list(range(8))
    middle = case.mesh.points[:8].mean(axis=0)
    for a, b in zip(cells.faces.offsets[:-1], cells.faces.offsets[1:], strict=True):
        ring = case.mesh.points[cells.faces.connectivity[a:b]]
        assert np.cross(ring[1] - ring[0], ring[2] - ring[1]) @ (ring.mean(axis=0) - middle) > 0
    assert any(f"{faces_turned} faces of polyhedra pointed inwards" in note for note in case.mesh.notes) == bool(faces_turned)


@pytest.mark.parametrize("name", ["a.vtu", "a.vtk"])
@pytest.mark.parametrize("binary", [True, False])
def test_polyhedra_among_other_cells(tmp_path, name, binary):
    polyhedral_grid().save(tmp_path / name, binary=binary)
    check_polyhedra(read_case(tmp_path / name), 1)


OLD = """<?xml version="1.0"?>
<VTKFile type="UnstructuredGrid" version="0.1" byte_order="LittleEndian"><UnstructuredGrid><Piece NumberOfPoints="9" NumberOfCells="3">
<Points><DataArray type="Float64" NumberOfComponents="3" format="ascii">{points}</DataArray></Points>
<CellData><DataArray type="Int64" Name="id" format="ascii">7 8 9</DataArray></CellData>
<Cells><DataArray type="Int64" Name="connectivity" format="ascii">0 1 2 0 1 2 3 4 5 6 7 4 5 6 8</DataArray>
<DataArray type="Int64" Name="offsets" format="ascii">3 11 15</DataArray><DataArray type="UInt8" Name="types" format="ascii">5 42 10</DataArray>
<DataArray type="Int64" Name="faces" format="ascii">{faces}</DataArray>
<DataArray type="Int64" Name="faceoffsets" format="ascii">-1 {end} -1</DataArray></Cells></Piece></UnstructuredGrid></VTKFile>
"""


@pytest.mark.parametrize("torn", [False, True])
def test_polyhedra_as_vtk_before_9_4_and_openfoam_wrote_them(tmp_path, torn):
    faces = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
    stream = [6, *(n for face in faces for n in (len(face), *face))]
    stream[0] = 6000000 if torn else 6  # VTK would follow this count
    text = OLD.format(points=" ".join(map(str, polyhedral_grid().points.ravel())), faces=" ".join(map(str, stream)), end=len(stream))
    (tmp_path / "a.vtu").write_text(text)
    if torn:
        with pytest.raises((UnreadableFileError, InvalidMeshError)):
            read_case(tmp_path / "a.vtu")
    else:
        check_polyhedra(read_case(tmp_path / "a.vtu"), 0)


def test_points_of_higher_order_go_with_their_values(tmp_path):
    """Two Lagrange triangles of order 3 side by side: six of the ten points of each are no corners; a point of no cell stays."""
    steps = [(0, 0), (3, 0), (0, 3), (1, 0), (2, 0), (2, 1), (1, 2), (0, 2), (0, 1), (1, 1)]
    first = np.array([[x / 3, y / 3, 0.1 * x * y] for x, y in steps])
    points = np.concatenate([first, first[3:] + [2, 0, 0], [[2, 0, 0], [3, 0, 0], [9, 9, 9]]])
    second = [1, 18, 17, *range(10, 17)]
    grid = pv.UnstructuredGrid([10, *range(10), 10, *second, 3, 0, 1, 17], [69, 69, 5], points)
    grid.point_data["p"] = np.arange(20.0)
    grid.cell_data["id"] = [1, 2, 3]
    grid.save(tmp_path / "a.vtu")
    case = read_case(tmp_path / "a.vtu")
    assert case.field("p").values.tolist() == [0, 1, 2, 17, 18, 19] and case.field("id").values.tolist() == [1, 2, 3]
    assert case.mesh.cells.block("triangle").tolist() == [[0, 1, 2], [1, 4, 3], [0, 1, 3]]
    assert any("2 cells of type Lagrange triangle are straight triangle cells" in note for note in case.mesh.notes)
