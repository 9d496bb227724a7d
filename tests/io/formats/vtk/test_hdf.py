"""VTKHDF: files of VTK's own writer and by the specification, steps, partitions, images, trees, damage."""

from __future__ import annotations

import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
import pyvista as pv

from geoop.errors import ConfigurationError, UnreadableFileError, UnsupportedFormatError
from geoop.io.reading import read, read_case, read_series


def root(file: h5py.File, kind: str) -> h5py.Group:
    group = file.create_group("VTKHDF", track_order=True)
    group.attrs["Version"] = np.array([2, 0])
    group.attrs["Type"] = np.bytes_(kind.encode())
    return group


def vtk_writes(data: pv.DataSet | pv.MultiBlock, path) -> None:
    from vtkmodules.vtkIOHDF import vtkHDFWriter

    writer = vtkHDFWriter()
    writer.SetInputData(data)
    writer.SetFileName(str(path))
    assert writer.Write()


def cube(x: float = 0.0) -> pv.UnstructuredGrid:
    grid = pv.ImageData(dimensions=(3, 2, 2), origin=(x, 0, 0)).cast_to_unstructured_grid()
    grid.clear_data()
    grid.point_data["p [Pa]"] = grid.points[:, 0] ** 2
    grid.cell_data["id"] = np.arange(2)
    return grid


def test_grids_of_vtk(tmp_path):
    plain = cube().triangulate()  # the cube itself has voxels, whose points VTK orders otherwise
    vtk_writes(plain, tmp_path / "a.vtkhdf")
    case = read_case(tmp_path / "a.vtkhdf")
    assert np.array_equal(case.mesh.points, plain.points) and [f.quantity.unit for f in case.fields.values() if f.location == "point"] == ["Pa"]
    assert np.array_equal(case.mesh.cells.connectivity, plain.cell_connectivity) and np.array_equal(case.field("id").values, plain.cell_data["id"])
    shutil.copy(tmp_path / "a.vtkhdf", tmp_path / "b.hdf")
    assert read(tmp_path / "b.hdf").content_hash == case.mesh.content_hash


def test_polygonal_data_of_vtk(tmp_path):
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0.5], [0, 1, 0], [2, 0, 0], [2, 1, 0]])
    data = pv.PolyData(points, faces=[4, 0, 1, 2, 3], lines=[2, 1, 4], verts=[1, 5])
    data.cell_data["id"] = [1, 2, 3]
    vtk_writes(data, tmp_path / "a.vtkhdf")
    case = read_case(tmp_path / "a.vtkhdf")
    assert case.mesh.cells.names == ["vertex", "line", "quad"] and case.field("id").values.tolist() == [1, 2, 3]
    assert case.mesh.cells.connectivity.tolist() == [5, 1, 4, 0, 1, 2, 3]


def test_trees_of_vtk(tmp_path):
    lid = pv.PolyData(cube().points[[0, 1, 4, 3]], faces=[4, 0, 1, 2, 3])
    vtk_writes(pv.MultiBlock({"fluid": cube(), "outer": pv.MultiBlock({"solid": cube(2.0), "lid": lid})}), tmp_path / "a.vtkhdf")
    mesh = read(tmp_path / "a.vtkhdf")
    assert {name: len(index) for name, index in mesh.zones.items()} == {"fluid": 2, "outer/solid": 2}
    assert list(mesh.patches) == ["outer/lid"] and len(mesh.points) == 24


def vtk_reads(path, time: float) -> pv.DataSet:
    """One step as VTK's own reader has it."""
    from vtkmodules.vtkIOHDF import vtkHDFReader

    reader = vtkHDFReader()
    reader.SetFileName(str(path))
    reader.UpdateTimeStep(time)
    return pv.wrap(reader.GetOutputDataObject(0))


def write_steps(path, moving: bool, growing: bool, parts: int) -> None:
    """Three steps at 0, 0.5 and 2 s of boxes in a row, each part with points and cells of its own where they change."""
    with h5py.File(path, "w") as file:
        group = root(file, "UnstructuredGrid")
        steps = group.create_group("Steps")
        steps.attrs["NSteps"] = 3
        steps["Values"] = [0.0, 0.5, 2.0]
        stores = {name: [] for name in ("Points", "Connectivity", "Offsets", "Types", "p", "id")}
        counts, first = [], {name: [] for name in ("PartOffsets", "NumberOfParts", "PointOffsets", "CellOffsets", "ConnectivityIdOffsets", "p", "id")}
        cells = points = 0
        for step in range(3):
            own = parts + step if growing else parts
            new = moving or growing or step == 0
            at = {"PartOffsets": len(counts), "PointOffsets": points, "CellOffsets": cells, "ConnectivityIdOffsets": 8 * cells}
            at = at if new else dict.fromkeys(at, 0)
            for name, value in {
                **at,
                "NumberOfParts": own,
                "p": 12 * parts * step if not growing else points,
                "id": sum(map(len, stores["id"])),
            }.items():
                first[name].append(value)
            for part in range(own):
                grid = cube(2.0 * part + (0.1 * step if moving else 0.0))
                if new:
                    counts.append((12, 2, 16))
                    for name, values in (
                        ("Points", grid.points),
                        ("Connectivity", grid.cell_connectivity),
                        ("Offsets", grid.cell_offsets),
                        ("Types", grid.celltypes),
                    ):
                        stores[name].append(values)
                    points, cells = points + 12, cells + 2
                stores["p"].append(grid.points[:, 0] + 100 * step)
                stores["id"].append(np.arange(2.0) + 10 * part + 100 * step)
        for name in ("Points", "Connectivity", "Offsets", "Types"):
            group[name] = np.concatenate(stores[name])
        group["PointData/p"], group["CellData/id"] = np.concatenate(stores["p"]), np.concatenate(stores["id"])
        for name, column in zip(("NumberOfPoints", "NumberOfCells", "NumberOfConnectivityIds"), np.transpose(counts), strict=True):
            group[name] = column
        for name in ("PartOffsets", "NumberOfParts", "PointOffsets"):
            steps[name] = first[name]
        for name in ("CellOffsets", "ConnectivityIdOffsets"):
            steps[name] = np.array(first[name])[:, None]
        steps["PointDataOffsets/p"], steps["CellDataOffsets/id"] = first["p"], first["id"]


def centers(case) -> np.ndarray:
    return np.array([case.mesh.points[row].mean(axis=0) for row in case.mesh.cells])


def check_boxes(case, boxes: list[pv.UnstructuredGrid], step: int) -> None:
    assert np.allclose(centers(case), np.concatenate([part.cell_centers().points for part in boxes]))
    numbers = np.concatenate([np.arange(2.0) + 10 * part + 100 * step for part in range(len(boxes))])
    assert np.array_equal(case.field("id").values, numbers) and np.allclose(case.field("p").values, case.mesh.points[:, 0] + 100 * step)


@pytest.mark.parametrize(("moving", "growing", "parts"), [(False, False, 1), (True, False, 1), (True, True, 1), (True, False, 2)])
def test_steps_as_vtk_reads_them(tmp_path, moving, growing, parts):
    write_steps(tmp_path / "a.vtkhdf", moving, growing, parts)
    series = read_series(tmp_path / "a.vtkhdf")
    assert series.values.tolist() == [0.0, 0.5, 2.0] and [case.time for case in series.cases] == [0.0, 0.5, 2.0]
    for number, case in enumerate(series.cases):
        count = parts + number if growing else parts
        boxes = [cube(2.0 * part + (0.1 * number if moving else 0.0)) for part in range(count)]
        check_boxes(case, boxes, number)
        if not growing:  # VTK's reader expects the number of parts of the first step in all others
            other = vtk_reads(tmp_path / "a.vtkhdf", float(series.values[number]))
            found = list(other) if isinstance(other, pv.PartitionedDataSet) else [other]
            assert np.array_equal(case.field("id").values, np.concatenate([part.cell_data["id"] for part in found]))
            assert np.allclose(centers(case), np.concatenate([part.cell_centers().points for part in found]))
    with pytest.raises(ConfigurationError, match="no step at 1 s"):
        read_case(tmp_path / "a.vtkhdf", time=1.0)


def test_partitions_are_one_mesh(tmp_path):
    with h5py.File(tmp_path / "a.vtkhdf", "w") as file:
        group, parts = root(file, "UnstructuredGrid"), [cube(0.0), cube(2.0)]
        group["Points"] = np.concatenate([part.points for part in parts])
        group["Connectivity"] = np.concatenate([part.cell_connectivity for part in parts])
        group["Offsets"] = np.concatenate([part.cell_offsets for part in parts])
        group["Types"] = np.concatenate([part.celltypes for part in parts])
        group["CellData/id"] = np.arange(4)
        for name, count in (("NumberOfPoints", 12), ("NumberOfCells", 2), ("NumberOfConnectivityIds", 16)):
            group[name] = [count, count]
    case = read_case(tmp_path / "a.vtkhdf")
    assert len(case.mesh.points) == 20 and case.field("id").values.tolist() == [0, 1, 2, 3]
    corners = case.mesh.points[case.mesh.cells.block("hexahedron")]
    assert np.allclose(corners.mean(axis=1)[:, 0], [0.5, 1.5, 2.5, 3.5])


@pytest.mark.parametrize("extent", [(0, 2, 0, 3, 0, 4), (2, 4, 5, 8, 1, 1), (0, 3, 0, 0, 0, 0)], ids=["solid", "plane", "line"])
def test_images_lie_where_vtk_puts_them(tmp_path, extent):
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], dtype=float)
    shape = [b - a + 1 for a, b in zip(extent[::2], extent[1::2], strict=True)]
    image = pv.ImageData()
    image.SetExtent(*extent)
    image.spacing, image.origin = (1.0, 0.5, 0.25), (3.0, 2.0, 1.0)
    image.direction_matrix = turn
    with h5py.File(tmp_path / "a.vtkhdf", "w") as file:
        group = root(file, "ImageData")
        group.attrs["WholeExtent"], group.attrs["Direction"] = np.array(extent), turn.ravel()
        group.attrs["Origin"], group.attrs["Spacing"] = np.array([3.0, 2.0, 1.0]), np.array([1.0, 0.5, 0.25])
        group["PointData/x"] = image.points[:, 0].reshape(shape[::-1])
        group["CellData/n"] = np.arange(image.n_cells)
    case = read_case(tmp_path / "a.vtkhdf")
    d = case.mesh.dimension
    assert np.allclose(case.mesh.points, image.points[:, :d]) and np.allclose(case.field("x").values, image.points[:, 0])
    explicit = image.cast_to_unstructured_grid()
    centers = np.array([case.mesh.points[row].mean(axis=0) for row in case.mesh.cells])
    assert np.allclose(centers, explicit.cell_centers().points[:, :d]) and case.field("n").values.tolist() == list(range(image.n_cells))


def test_what_is_not_read_is_said(tmp_path):
    for kind, error, words in (
        ("OverlappingAMR", UnsupportedFormatError, "OverlappingAMR"),
        ("HyperTreeGrid", UnsupportedFormatError, "HyperTreeGrid"),
    ):
        with h5py.File(tmp_path / "a.vtkhdf", "w") as file:
            root(file, kind)
        with pytest.raises(error, match=words):
            read(tmp_path / "a.vtkhdf")
    with h5py.File(tmp_path / "b.vtkhdf", "w") as file:
        file["Base"] = 1
    with pytest.raises(UnreadableFileError, match="without the group VTKHDF, with Base"):
        read(tmp_path / "b.vtkhdf")


def test_polyhedra_whose_faces_the_writer_left_out(tmp_path):
    """VTK 9.6's own writer does so without a word."""
    vtk_writes(pv.examples.cells.Polyhedron(), tmp_path / "a.vtkhdf")
    with pytest.raises(UnreadableFileError, match="1 polyhedra without their faces"):
        read(tmp_path / "a.vtkhdf")


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("NumberOfPoints", [13], "'/VTKHDF/Points' has 12 rows"),
        ("NumberOfCells", [2**45], "holds no counts"),
        ("NumberOfCells", [-1], "holds no counts"),
        ("Offsets", [0, 8, 15], "cell"),
        ("Offsets", [0, 16, 8], "do not ascend"),
        ("Offsets", [0.0, 8.0, 16.0], "holds no indices"),
        ("Connectivity", list(range(15)), "'/VTKHDF/Connectivity' has 15 rows"),
        ("Types", None, "'Types' is missing"),
        ("Points", np.zeros((12, 2)), "shape"),
        ("Points", np.full((12, 3), np.nan), "NaN"),
    ],
)
def test_sizes_that_do_not_fit(tmp_path, name, values, words):
    vtk_writes(cube(), tmp_path / "a.vtkhdf")
    with h5py.File(tmp_path / "a.vtkhdf", "r+") as file:
        del file[f"VTKHDF/{name}"]
        if values is not None:
            file[f"VTKHDF/{name}"] = values
    with pytest.raises((UnreadableFileError, ValueError), match=words) as caught:
        read(tmp_path / "a.vtkhdf")
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["Points", "PointData", "NumberOfCells", "FieldData", "Steps", "Steps/Values"])
def test_folders_for_arrays_and_arrays_for_folders(tmp_path, name):
    vtk_writes(cube(), tmp_path / "a.vtkhdf")
    with h5py.File(tmp_path / "a.vtkhdf", "r+") as file:
        was_group = isinstance(file.get(f"VTKHDF/{name}"), h5py.Group)
        if f"VTKHDF/{name}" in file:
            del file[f"VTKHDF/{name}"]
        if was_group or name in ("FieldData", "Steps"):
            file[f"VTKHDF/{name}"] = np.arange(3.0)
        else:
            file.create_group(f"VTKHDF/{name}")
    if name in ("PointData", "FieldData"):
        assert len(read_case(tmp_path / "a.vtkhdf").mesh.cells) == 2
    else:
        with pytest.raises(UnreadableFileError):
            read(tmp_path / "a.vtkhdf")


def test_a_tree_that_contains_itself(tmp_path):
    with h5py.File(tmp_path / "a.vtkhdf", "w") as file:
        assembly = root(file, "MultiBlockDataSet").create_group("Assembly")
        for name in "ab":
            assembly.create_group(name)[f"{name}{name}"] = h5py.SoftLink("/VTKHDF/Assembly")
    with pytest.raises(UnreadableFileError, match="no blocks"):
        read(tmp_path / "a.vtkhdf")


SCRIPT = """
import sys, numpy as np
from geoop.errors import GeoopError
from geoop.io.reading import read_case
rng = np.random.default_rng(1)
data = open(sys.argv[1], "rb").read()
for number in range(150):
    mutant = bytearray(data if number % 5 else data[: int(rng.integers(1, len(data)))])
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(mutant)))
        mutant[at : at + 8] = int(rng.integers(2**62)).to_bytes(8, "little") if rng.integers(2) else bytes([int(rng.integers(256))])
    open(sys.argv[1], "wb").write(bytes(mutant))
    try:
        read_case(sys.argv[1])
    except GeoopError as error:
        assert error.remedy, error
print("alive")
"""


def test_mutated_files_do_not_end_the_process(tmp_path):
    vtk_writes(cube(), tmp_path / "a.vtkhdf")
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path / "a.vtkhdf")], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0 and done.stdout.split() == ["alive"], done.stderr[-2000:]
