"""Trees of blocks and parallel pieces: names, zones, patches, seams, missing and damaged files."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv

from geoop.errors import UnreadableFileError
from geoop.io.reading import read, read_case


def box(origin: float) -> pv.UnstructuredGrid:
    """A unit cube of eight hexahedra from x = origin."""
    grid = pv.ImageData(dimensions=(3, 3, 3), spacing=(0.5, 0.5, 0.5), origin=(origin, 0, 0)).cast_to_unstructured_grid()
    grid.clear_data()
    grid.cell_data["k"] = np.arange(8.0) + 10 * origin
    grid.point_data["x"] = grid.points[:, 0].copy()
    return grid


def face(x: float) -> pv.PolyData:
    """The points of a cube of :func:`box` at x as four quads."""
    points = np.array([[x, 0.5 * j, 0.5 * k] for k in range(3) for j in range(3)])
    quads = np.array([[4, a, a + 1, a + 4, a + 3] for a in (0, 1, 3, 4)])
    data = pv.PolyData(points, quads.ravel())
    data.cell_data["flux"] = np.arange(4.0)
    return data


@pytest.mark.parametrize("suffix", [".vtm", ".vtmb"])
def test_blocks_are_zones_and_surfaces_on_them_patches(tmp_path, suffix):
    inner = pv.MultiBlock({"solid": box(1.0), "inlet": face(0.0)})
    pv.MultiBlock({"fluid": box(0.0), "more": inner}).save(tmp_path / f"a{suffix}")
    case = read_case(tmp_path / f"a{suffix}")
    assert {name: len(index) for name, index in case.mesh.zones.items()} == {"fluid": 8, "more/solid": 8}
    assert list(case.mesh.patches) == ["more/inlet"] and len(case.mesh.points) == 54
    assert (case.mesh.points[case.mesh.patch_points("more/inlet"), 0] == 0).all()
    assert case.boundary["more/inlet"]["flux"].values.tolist() == [0, 1, 2, 3]
    assert case.field("k").values.tolist() == [*range(8), *range(10, 18)]
    assert np.array_equal(case.field("x").values, case.mesh.points[:, 0])


def test_boundaries_of_a_surface_by_the_name_of_their_block(tmp_path):
    """Surfaces in a block called boundary are patches even where the mesh is a surface itself; foamToVTK calls it so."""
    pv.MultiBlock({"internal": box(0.0), "boundary": pv.MultiBlock({"wall": face(0.0)})}).save(tmp_path / "a.vtm")
    assert list(read(tmp_path / "a.vtm").patches) == ["wall"]
    pv.MultiBlock({"internal": face(0.0), "boundary": pv.MultiBlock({"wall": face(0.0)})}).save(tmp_path / "b.vtm")
    assert len(read(tmp_path / "b.vtm").cells) == 4 and "wall" in read(tmp_path / "b.vtm").patches


def test_partitioned_collections(tmp_path):
    from vtkmodules.vtkCommonDataModel import vtkPartitionedDataSetCollection
    from vtkmodules.vtkIOParallelXML import vtkXMLPartitionedDataSetCollectionWriter

    data = vtkPartitionedDataSetCollection()
    data.SetPartition(0, 0, box(0.0))
    data.SetPartition(1, 0, box(1.0))
    writer = vtkXMLPartitionedDataSetCollectionWriter()
    writer.SetInputData(data)
    writer.SetFileName(str(tmp_path / "a.vtpc"))
    assert writer.Write()
    mesh = read(tmp_path / "a.vtpc")
    assert len(mesh.cells) == 16 and [len(index) for index in mesh.zones.values()] == [8, 8]


def test_all_missing_files_are_in_one_error(tmp_path):
    pv.MultiBlock({"a": box(0.0), "b": box(1.0), "c": face(0.0)}).save(tmp_path / "a.vtm")
    (tmp_path / "a" / "a_0.vtu").unlink()
    (tmp_path / "a" / "a_2.vtp").unlink()
    with pytest.raises(UnreadableFileError, match="2 of the files .*a_0.vtu, .*a_2.vtp") as caught:
        read(tmp_path / "a.vtm")
    assert "copy them" in caught.value.remedy


TREE = '<VTKFile type="vtkMultiBlockDataSet" version="1.0"><vtkMultiBlockDataSet>{}</vtkMultiBlockDataSet></VTKFile>'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TREE.format('<DataSet index="0" file="a.vtm"/>'), "lists itself"),
        (TREE.format(""), "lists no files"),
        (TREE.format('<DataSet index="0" file="a.txt"/>'), "no VTK XML file"),
        (TREE.format("<Block>")[:-30], "no complete XML"),
    ],
    ids=["itself", "nothing", "foreign", "truncated"],
)
def test_damaged_trees(tmp_path, text, words):
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "a.vtm").write_text(text)
    with pytest.raises(UnreadableFileError, match=words):
        read(tmp_path / "a.vtm")


def test_a_damaged_block_is_named(tmp_path):
    pv.MultiBlock({"a": box(0.0), "b": box(1.0)}).save(tmp_path / "a.vtm")
    path = tmp_path / "a" / "a_1.vtu"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UnreadableFileError, match="a_1.vtu"):
        read(tmp_path / "a.vtm")


PARALLEL = '<VTKFile type="PUnstructuredGrid" version="0.1"><PUnstructuredGrid GhostLevel="0">{}</PUnstructuredGrid></VTKFile>'


def pieces(tmp_path, *grids: pv.UnstructuredGrid):
    for number, grid in enumerate(grids):
        grid.save(tmp_path / f"p_{number}.vtu")
    (tmp_path / "a.pvtu").write_text(PARALLEL.format("".join(f'<Piece Source="p_{number}.vtu"/>' for number in range(len(grids)))))
    return tmp_path / "a.pvtu"


def test_pieces_are_one_mesh_whose_seam_is_closed(tmp_path):
    case = read_case(pieces(tmp_path, box(0.0), box(1.0)))
    assert len(case.mesh.points) == 45 and len(case.mesh.cells) == 16 and not case.mesh.zones
    assert np.array_equal(case.field("x").values, case.mesh.points[:, 0]) and case.field("k").values.tolist() == [*range(8), *range(10, 18)]
    assert any("9 points that neighbours share are merged" in note for note in case.mesh.notes)


def test_a_crack_inside_a_piece_stays_open(tmp_path):
    """Two cubes that touch without sharing points, in one piece: neither they nor their points in other pieces are merged."""
    cracked = pv.merge([box(0.0), box(1.0)], merge_points=False)
    assert len(read(pieces(tmp_path, cracked, box(2.0))).points) == 54 + 27 - 9
    assert len(read(pieces(tmp_path, cracked)).points) == 54


def test_ghost_cells_are_left_out(tmp_path):
    first, second = box(0.0), pv.merge([box(0.0), box(1.0)])
    second.cell_data["vtkGhostType"] = np.where(second.cell_centers().points[:, 0] < 1, 1, 0).astype(np.uint8)
    case = read_case(pieces(tmp_path, first, second))
    assert len(case.mesh.cells) == 16 and "vtkGhostType" not in case.fields and any("8 ghost cells" in note for note in case.mesh.notes)


def test_missing_pieces_are_in_one_error(tmp_path):
    path = pieces(tmp_path, box(0.0), box(1.0), box(2.0))
    (tmp_path / "p_0.vtu").unlink()
    (tmp_path / "p_2.vtu").unlink()
    with pytest.raises(UnreadableFileError, match="2 of the files .*p_0.vtu, .*p_2.vtu"):
        read(path)
