"""Damaged VTK files are refused before VTK follows their counts and offsets, where the whole process would end."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvista as pv

from geoop.errors import UnreadableFileError
from geoop.io.formats.vtk_layout import check_layout
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


SCRIPT = """
import sys, numpy as np
from geoop.errors import GeoopError
from geoop.io.reading import read_case
rng = np.random.default_rng(1)
for name in sys.argv[1:]:
    data = open(name, "rb").read()
    for _ in range(70):
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
    files = [str(own(tmp_path)), str(tmp_path / "b.vtp"), str(tmp_path / "c.vtk")]
    pv.Sphere(theta_resolution=6, phi_resolution=6).save(files[1])
    pv.Sphere(theta_resolution=6, phi_resolution=6).save(files[2])
    done = subprocess.run([sys.executable, "-c", SCRIPT, *files], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0 and done.stdout.split() == ["alive"], done.stderr[-2000:]
