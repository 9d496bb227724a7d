"""Damaged VTK files are refused before VTK follows their counts and offsets, where the whole process would end."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvista as pv

from geoop.errors import InvalidMeshError, UnreadableFileError
from geoop.io.formats.vtk.layout import check_layout
from geoop.io.paraview import write_case
from geoop.io.reading import read
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import QUANTITIES, Field


def own(folder: Path, compress: bool = False) -> Path:
    points = np.random.default_rng(0).random((40, 3))
    mesh = Mesh(points, Cells.of(tetra=np.arange(40).reshape(10, 4)), {"wall": Cells.of(triangle=np.arange(9).reshape(3, 3))})
    return write_case(Case(mesh).with_fields(Field(QUANTITIES["pressure"], points[:, 0])), folder / "a.vtu", compress=compress)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("share", [*np.linspace(0.01, 0.99, 15), 0.9999])
def test_truncated_anywhere(tmp_path, compress, share):
    path = own(tmp_path, compress)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * (len(data) - 2))])
    with pytest.raises(UnreadableFileError, match="truncated|seems to be"):
        read(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (rb'NumberOfPoints="40', b'NumberOfPoints="90000000040', "NumberOfPoints '90000000040'"),
        (rb'NumberOfPoints="40', b'NumberOfPoints="41', "array 'Points' has 960 bytes, 984"),
        (rb'NumberOfPoints="40', b'NumberOfPoints="-4', "NumberOfPoints '-4'"),
        (rb'NumberOfComponents="3"', b'NumberOfComponents="99999"', "array 'Points'"),
        (rb'(Name="pressure \[Pa\]"[^>]*) offset="\d+', rb'\1 offset="99999999', "'pressure \\[Pa\\]' starts behind the end"),
        (rb'(Name="pressure \[Pa\]"[^>]*) offset="\d+', rb'\1 offset="7', "array 'pressure \\[Pa\\]'"),
        (rb'header_type="UInt64"', b'header_type="UInt32"', "damaged"),
    ],
)
def test_counts_and_offsets(tmp_path, old, new, words):
    path = own(tmp_path)
    data, changed = re.subn(old, new, path.read_bytes(), count=1)
    assert changed == 1
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError, match=words):
        read(path)


@pytest.mark.parametrize("value", [0, 39, 41, -1, 2**40])
def test_offsets_of_cells(tmp_path, value):
    path = own(tmp_path)
    data, offsets = path.read_bytes(), np.arange(4, 44, 4, dtype="<i8")
    assert data.count(offsets.tobytes()) == 1
    path.write_bytes(data.replace(offsets.tobytes(), np.array([*offsets[:-1], value], dtype="<i8").tobytes()))
    with pytest.raises(UnreadableFileError, match="cells end at index"):
        read(path)


def test_files_of_other_writers_pass(tmp_path):
    sphere = pv.Sphere()
    grid = sphere.cast_to_unstructured_grid()
    grid.cell_data["id"] = np.arange(grid.n_cells)
    for writer_name, data, suffix in (("vtkXMLUnstructuredGridWriter", grid, "vtu"), ("vtkXMLPolyDataWriter", sphere, "vtp")):
        from vtkmodules import vtkIOXML

        for mode in ("Ascii", "Binary", "Appended"):
            for encode in (True, False):
                for compressor in ("None", "ZLib", "LZ4", "LZMA"):
                    for header in ("UInt32", "UInt64"):
                        writer = getattr(vtkIOXML, writer_name)()
                        writer.SetInputData(data)
                        getattr(writer, f"SetDataModeTo{mode}")()
                        writer.SetEncodeAppendedData(encode)
                        getattr(writer, f"SetCompressorTypeTo{compressor}")()
                        getattr(writer, f"SetHeaderTypeTo{header}")()
                        writer.SetFileName(str(tmp_path / f"a.{suffix}"))
                        assert writer.Write()
                        check_layout(tmp_path / f"a.{suffix}", "a")
    for suffix, data in {"vti": pv.ImageData(dimensions=(3, 3, 3)), "vtr": pv.ImageData(dimensions=(3, 3, 3)).cast_to_rectilinear_grid()}.items():
        data.save(tmp_path / f"a.{suffix}")
        check_layout(tmp_path / f"a.{suffix}", "a")
    empty = pv.UnstructuredGrid()
    empty.save(tmp_path / "empty.vtu")
    check_layout(tmp_path / "empty.vtu", "a")


def packed(folder: Path, values: np.ndarray, compressor: str, mode: str) -> Path:
    """A VTU by VTK's own writer whose cells end where ``values`` say, packed as asked."""
    from vtkmodules import vtkIOXML
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkCellArray

    grid = pv.UnstructuredGrid(
        np.column_stack([np.full(10, 4), np.arange(40).reshape(10, 4)]).ravel(), np.full(10, 10), np.random.default_rng(0).random((40, 3))
    )
    cells = vtkCellArray()
    cells.SetData(numpy_to_vtk(np.concatenate([[0], values]), deep=True), numpy_to_vtk(np.arange(40), deep=True))
    grid.SetCells(numpy_to_vtk(np.full(10, 10, dtype=np.uint8), deep=True), cells)
    writer = vtkIOXML.vtkXMLUnstructuredGridWriter()
    writer.SetInputData(grid)
    getattr(writer, f"SetDataModeTo{mode}")()
    getattr(writer, f"SetCompressorTypeTo{compressor}")()
    writer.SetFileName(str(folder / "p.vtu"))
    assert writer.Write()
    return folder / "p.vtu"


@pytest.mark.parametrize("compressor", ["None", "LZ4", "ZLib", "LZMA"])
@pytest.mark.parametrize("mode", ["Ascii", "Binary", "Appended"])
@pytest.mark.parametrize("last", [40, 36, 2**40])
def test_offsets_that_are_packed(tmp_path, compressor, mode, last):
    """Compressed and encoded ends of cells are looked at before VTK makes room for as much as they say."""
    path = packed(tmp_path, np.array([*range(4, 40, 4), last]), compressor, mode)
    if last == 40:
        assert check_layout(path, "p") and len(read(path).cells) == 10
    elif last > 40:
        with pytest.raises(UnreadableFileError, match="cells end at index"):
            check_layout(path, "p")
    else:
        with pytest.raises((UnreadableFileError, InvalidMeshError)):
            read(path)


@pytest.mark.parametrize("suffix", ["vti", "vtr", "vts"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'0 3 0 4"', b'0 3999999 0 4999999"'),
        (b'WholeExtent="0 2', b'WholeExtent="0 -2'),
        (b'WholeExtent="0 2', b'WholeExtent="0 x'),
        (b'Piece Extent="0 2', b'Piece Extent="0 1'),
    ],
    ids=["huge", "reversed", "no number", "not covered"],
)
def test_extents(tmp_path, suffix, old, new):
    image = pv.ImageData(dimensions=(3, 4, 5))
    image["a"] = np.arange(60.0)
    {"vti": image, "vtr": image.cast_to_rectilinear_grid(), "vts": image.cast_to_structured_grid()}[suffix].save(tmp_path / f"a.{suffix}")
    data = (tmp_path / f"a.{suffix}").read_bytes()
    assert old in data and len(read(tmp_path / f"a.{suffix}").cells) == 24
    (tmp_path / f"a.{suffix}").write_bytes(data.replace(old, new))
    with pytest.raises(UnreadableFileError, match="Extent|cover 12 of 24 cells"):
        read(tmp_path / f"a.{suffix}")


def test_faces_that_are_not_there(tmp_path):
    cube = Cells.polyhedra([0, 6], np.arange(7) * 4, [0, 2, 3, 1, 4, 5, 7, 6, 0, 1, 5, 4, 2, 6, 7, 3, 0, 4, 6, 2, 1, 3, 7, 5])
    points = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], dtype=float)
    path = write_case(Case(Mesh(points, cube)), tmp_path / "a.vtu", annotate=False)
    data, numbers = path.read_bytes(), np.arange(6, dtype="<i8").tobytes()
    at = data.rfind(numbers)  # the points of the cell begin with the same numbers
    assert check_layout(path, "a")
    path.write_bytes(data[:at] + np.array([0, 1, 2, 3, 4, 2**61], dtype="<i8").tobytes() + data[at + len(numbers) :])
    with pytest.raises(UnreadableFileError, match="polyhedra refer to faces"):
        check_layout(path, "a")
    assert not check_layout(write_case(Case(Mesh(points, cube)), path, annotate=False, compress=True), "a")  # not looked at: read apart


SCRIPT = """
import sys, numpy as np
from geoop.errors import GeoopError
from geoop.io.reading import read_case
rng = np.random.default_rng(1)
for name in sys.argv[1:]:
    data = open(name, "rb").read()
    for _ in range(12 if data[:200].count(b"UNSTRUCTURED") else 70):  # those are read in a process each
        mutant = bytearray(data)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(mutant)))
            kind = rng.integers(3)
            if kind == 0:
                mutant[at] = int(rng.integers(256))
            elif kind == 1:
                del mutant[at : at + int(rng.integers(1, 20))]
            else:
                mutant[at:at] = b"999999"
        open(name, "wb").write(bytes(mutant))
        try:
            read_case(name)
        except GeoopError as error:
            assert error.remedy and name in str(error), error
print("alive")
"""


def test_mutated_files_do_not_end_the_process(tmp_path):
    sphere = pv.Sphere(theta_resolution=6, phi_resolution=6)
    cube = pv.ImageData(dimensions=(3, 2, 2)).cast_to_unstructured_grid()
    cube.field_data["names"] = ["a", "b"]
    files = [str(own(tmp_path)), *(str(tmp_path / name) for name in ("b.vtp", "c.vtk", "d.vtk", "e.vtk"))]
    sphere.save(files[1])
    sphere.save(files[2])
    cube.save(files[3])
    cube.save(files[4], binary=False)
    done = subprocess.run([sys.executable, "-c", SCRIPT, *files], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0 and done.stdout.split() == ["alive"], done.stderr[-2000:]
