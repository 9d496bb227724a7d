"""Files for ParaView: nothing of a case is lost, and other readers see what they must see."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import meshio
import numpy as np
import pytest
import pyvista as pv

from geoop.errors import FieldError, UnsupportedFormatError, UnwritableFileError
from geoop.io.paraview import patch_case, write_case, write_series
from geoop.io.reading import read, read_case
from geoop.io.writing import write
from geoop.mesh.case import Case, Series
from geoop.mesh.cells import CELL_TYPES, Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.polyhedra import facing_out
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from tests.mesh.cell_zoo import as_polyhedra, grid

ODD = 'C<sub>p</sub> & "so" on'


def fields(mesh: Mesh, seed: int = 0) -> list[Field]:
    rng = np.random.default_rng(seed)
    n, m, d = len(mesh.points), len(mesh.cells), mesh.dimension
    return [
        Field(QUANTITIES["velocity"], rng.normal(size=(n, d))),
        Field(QUANTITIES["pressure"], rng.normal(size=m).astype(np.float32), "cell"),
        Field(Quantity(ODD, "x", "1"), rng.normal(size=n)),
        Field(Quantity("stress", "s", "Pa", 2), rng.normal(size=(n, d, d))),
        Field(Quantity("rank", "r", "1"), np.arange(n)),
        Field(Quantity("lift_coefficient", "CL", "1"), np.float64(0.123456789012345678), "global"),
        Field(Quantity("force", "F", "N", 1), np.arange(1.0, d + 1), "global"),
    ]


def section_case() -> Case:
    """The layout of the data set: a ring of lines, then a vertex cell for each field point."""
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = np.stack([0.5 + 0.5 * np.cos(angle), 0.1 * np.sin(angle)], 1)
    points = np.concatenate([ring, np.random.default_rng(1).normal(size=(30, 2))])
    wall = Cells.of(line=np.stack([np.arange(12), (np.arange(12) + 1) % 12], 1))
    cells = Cells.concatenate([wall, Cells.of(vertex=np.arange(12, 42)[:, None])])
    mesh = Mesh(
        points,
        cells,
        {"wall": wall, "upper: %1/2": wall.take(np.arange(6))},
        {"field": np.arange(12, 42)},
        name="part",
        notes=("first note", "chord 1 m"),
    )
    condition = OperatingPoint(60.0, 4.0, density=1.1, viscosity=1.8e-5, mach=0.2, reference_length=0.3)
    boundary = {
        "wall": {
            "velocity": Field(QUANTITIES["velocity"], np.zeros((12, 2))),
            "temperature": Field(QUANTITIES["temperature"], np.float64(300.0), "global"),
        }
    }
    return Case(mesh, condition, boundary=boundary, wall=("wall",), time=0.25, name="case 7").with_fields(*fields(mesh))


def volume_case() -> Case:
    points = np.array([[x, y, z] for z in (0, 1, 2) for y in (0, 1) for x in (0, 1)], dtype=float)
    cells = Cells.concatenate([Cells.of(hexahedron=np.array([[0, 1, 3, 2, 4, 5, 7, 6]])), Cells.of(tetra=np.array([[4, 5, 6, 8], [5, 6, 7, 9]]))])
    return Case(Mesh(points, cells, {"floor": Cells.of(quad=np.array([[0, 2, 3, 1]]))}, name="block")).with_fields(*fields(Mesh(points, cells)))


def surface_case() -> Case:
    points = np.random.default_rng(2).random((9, 3))
    cells = Cells.concatenate([Cells.of(triangle=[[0, 1, 2]]), Cells.ragged("polygon", [np.array([0, 2, 3, 4, 5])]), Cells.of(quad=[[5, 6, 7, 8]])])
    mesh = Mesh(points, cells, {"lid": cells.take(np.array([0, 2])), "rest": cells.take(np.array([1]))}, name="shell")
    return Case(mesh).with_fields(*fields(mesh))


def check_equal(one: Case, two: Case) -> None:
    assert two.mesh.content_hash == one.mesh.content_hash and list(two.mesh.patches) == list(one.mesh.patches)
    assert two.mesh.name == one.mesh.name and two.mesh.notes == one.mesh.notes and two.name == one.name
    assert two.operating_point == one.operating_point and two.wall == one.wall and two.time == one.time
    assert set(two.fields) == set(one.fields)
    for old, new in [(one.fields[key], two.fields[key]) for key in one.fields] + [
        (one.boundary[patch][key], two.boundary[patch][key]) for patch in one.boundary for key in one.boundary[patch]
    ]:
        assert (new.name, new.quantity.unit, new.quantity.rank, new.location) == (old.name, old.quantity.unit, old.quantity.rank, old.location)
        assert np.array_equal(new.values, old.values) and new.values.dtype == old.values.dtype


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("make", [section_case, volume_case, surface_case])
def test_nothing_is_lost(tmp_path, make, compress):
    case = make()
    path = write_case(case, tmp_path / "deep" / "a.vtu", compress=compress)
    check_equal(case, read_case(path))
    assert os.listdir(tmp_path / "deep") == ["a.vtu"]


def test_surface_as_vtp_and_the_suffix_by_content(tmp_path):
    path = write_case(surface_case(), tmp_path / "a")
    assert path.name == "a.vtp"
    check_equal(surface_case(), read_case(path))
    assert write_case(volume_case(), tmp_path / "a").name == "a.vtu" and write_case(section_case(), tmp_path / "b").name == "b.vtu"
    outline = section_case().mesh.patch("wall")
    assert write_case(Case(outline), tmp_path / "c").name == "c.vtp" and read(tmp_path / "c.vtp").content_hash == outline.content_hash
    cloud = Mesh(np.random.default_rng(0).random((5, 3)))
    assert read(write_case(Case(cloud), tmp_path / "d.vtp")).content_hash == cloud.content_hash


def two_polyhedra() -> Cells:
    """A cube under a roof: faces of three, four and five points, one of them shared."""
    left = [[0, 3, 2, 1], [0, 1, 5, 4], [0, 4, 7, 3], [1, 2, 6, 8, 5], [2, 3, 7, 6], [4, 5, 8, 6, 7]]
    right = [[5, 8, 9], [8, 6, 9], [5, 9, 10, 4], [9, 6, 7, 10], [4, 10, 7], [4, 7, 6, 8, 5]]
    faces = left + right
    ends = np.concatenate([[0], np.cumsum([len(face) for face in faces])])
    return Cells.polyhedra(np.array([0, 6, 12]), ends, np.concatenate(faces))


POLYHEDRA_POINTS = np.array(
    [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0.5, 1], [0.9, 0.5, 2], [0.1, 0.5, 2]]
)


def mixed_polyhedra() -> Mesh:
    """Polyhedra between other cells, their points in no order, their faces out."""
    solid = two_polyhedra()
    rows = [np.random.default_rng(3).permutation(row) for row in solid]
    shuffled = Cells(solid.types, solid.offsets, np.concatenate(rows), solid.faces)
    cells = Cells.concatenate(
        [Cells.of(triangle=[[0, 1, 2]]), shuffled.take(np.array([1])), Cells.of(tetra=[[0, 1, 2, 9]]), shuffled.take(np.array([0]))]
    )
    return Mesh(POLYHEDRA_POINTS, facing_out(POLYHEDRA_POINTS, cells)[0])


def test_every_cell_type_survives(tmp_path):
    blocks = {name: [np.random.default_rng(0).permutation(27)[: size or 6]] for name, (_, _, size) in CELL_TYPES.items() if name != "polyhedron"}
    cells = Cells.concatenate([Cells.ragged(name, rows) for name, rows in blocks.items()])
    mesh = Mesh(np.random.default_rng(1).random((27, 3)), cells)
    assert read(write_case(Case(mesh), tmp_path / "a.vtu")).content_hash == mesh.content_hash


@pytest.mark.parametrize("compress", [False, True])
def test_polyhedra_survive_among_other_cells(tmp_path, compress):
    mesh = mixed_polyhedra()
    case = Case(mesh).with_fields(*fields(mesh))
    check_equal(case, read_case(write_case(case, tmp_path / "a.vtu", compress=compress)))
    data = pv.read(tmp_path / "a.vtu")
    assert data.celltypes.tolist() == [5, 42, 10, 42] and data.get_cell(1).n_faces == 6
    sizes = data.compute_cell_sizes(length=False, area=False)["Volume"]
    assert np.allclose(sizes[1:], volumes_of(mesh)[1:], rtol=1e-12)


def volumes_of(mesh: Mesh) -> np.ndarray:
    """Volume of each cell by the divergence theorem over its faces, triangles from the first corner of each."""
    volumes = np.zeros(len(mesh.cells))
    faces = mesh.cells.faces
    for number, cell in enumerate(faces.owner):
        ring = mesh.points[faces.connectivity[faces.offsets[number] : faces.offsets[number + 1]]]
        volumes[cell] += sum(np.linalg.det(np.stack([ring[0], ring[k], ring[k + 1]])) for k in range(1, len(ring) - 1)) / 6
    corners = mesh.points[mesh.cells.block("tetra")]
    volumes[mesh.cells.where("tetra")] = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6
    return volumes


def test_other_readers_see_names_units_and_three_components(tmp_path):
    case = section_case()
    data = pv.read(write_case(case, tmp_path / "a.vtu"))
    assert {"velocity [m/s]", f"{ODD} [1]", "stress [Pa]", "rank [1]"} == set(data.point_data.keys())
    assert set(data.cell_data.keys()) == {"pressure [Pa]", "patch"}
    assert data.point_data["velocity [m/s]"].shape == (42, 3) and not data.point_data["velocity [m/s]"][:, 2].any()
    assert np.array_equal(data.points[:, :2], case.mesh.points) and not data.points[:, 2].any()
    assert data.point_data["stress [Pa]"].shape == (42, 9) or data.point_data["stress [Pa]"].shape == (42, 3, 3)
    assert data.cell_data["patch"].tolist() == [1] * 6 + [0] * 6 + [-1] * 30  # the later of two patches that share cells
    assert list(data.field_data["patch_names"]) == ["wall", "upper: %1/2"] and data.field_data["operating_point.alpha [deg]"][0] == 4.0
    plain = meshio.read(write_case(case, tmp_path / "plain.vtu", annotate=False))
    assert np.array_equal(plain.points[:, :2], case.mesh.points)
    assert [(block.type, len(block.data)) for block in plain.cells] == [("line", 12), ("vertex", 30)]
    assert np.array_equal(plain.point_data["velocity [m/s]"][:, :2], case.field("velocity").values)
    assert np.array_equal(np.concatenate(plain.cell_data["pressure [Pa]"]), case.field("pressure").values)
    assert not read(tmp_path / "plain.vtu").patches


def test_patches_as_files_of_their_own(tmp_path):
    case = section_case()
    write_case(case, tmp_path / "a.vtu", patches=True)
    assert sorted(os.listdir(tmp_path)) == ["a.vtu", "a_upper_1_2.vtp", "a_wall.vtp"]
    part = read_case(tmp_path / "a_upper_1_2.vtp")
    assert part.mesh.patches.keys() == {"upper: %1/2"} and len(part.mesh.points) == 7
    index = case.mesh.patch_points("upper: %1/2")
    assert np.array_equal(part.field("velocity").values, case.field("velocity").values[index])
    assert np.array_equal(part.field("pressure").values, case.field("pressure").values[:6])  # its facets are cells: cell fields too
    assert part.operating_point == case.operating_point
    floor = patch_case(volume_case(), "floor")
    assert "pressure" not in floor.fields and "velocity" in floor.fields  # its facets are no cells


def test_series(tmp_path):
    cases = tuple(section_case().with_fields(*fields(section_case().mesh, seed)) for seed in range(3))
    path = write_series(Series([-2.0, 0.5, 4.0], cases, "alpha [deg]"), tmp_path / "po & lar.pvd")
    rows = ET.parse(path).getroot().findall(".//DataSet")
    assert [float(row.get("timestep")) for row in rows] == [-2.0, 0.5, 4.0]
    for row, case in zip(rows, cases, strict=True):
        check_equal(case, read_case(tmp_path / row.get("file")))
    assert "alpha [deg]" in path.read_text()
    reader = pv.get_reader(path)
    assert reader.time_values == [-2.0, 0.5, 4.0]
    reader.set_active_time_value(0.5)
    assert np.array_equal(reader.read()[0].point_data["velocity [m/s]"][:, :2], cases[1].field("velocity").values)
    with pytest.raises(UnsupportedFormatError, match="pvd"):
        write_series(Series([0.0], cases[:1]), tmp_path / "a.vtu")


def test_refusals(tmp_path):
    case = section_case()
    with pytest.raises(UnsupportedFormatError, match="several dimensions"):
        write_case(case, tmp_path / "a.vtp")
    with pytest.raises(UnsupportedFormatError, match="hexahedron"):
        write_case(volume_case(), tmp_path / "a.vtp")
    with pytest.raises(UnsupportedFormatError, match="no writer for '.stl'"):
        write_case(surface_case(), tmp_path / "a.stl")
    with pytest.raises(FieldError, match="facets"):
        write_case(case.with_fields(Field(QUANTITIES["pressure"], np.zeros(12), "facet")), tmp_path / "a.vtu")
    assert not os.listdir(tmp_path)


def test_failed_writing_leaves_the_old_file(tmp_path, monkeypatch, capfd):
    path = write_case(surface_case(), tmp_path / "a.vtu")
    before = path.read_bytes()
    (tmp_path / "file").write_text("in the way")
    for target in (tmp_path / "file" / "a.vtu", tmp_path):
        with pytest.raises((UnwritableFileError, UnsupportedFormatError)) as caught:
            write_case(surface_case(), target / "b.vtu" if target == tmp_path / "file" else target)
        assert caught.value.remedy
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UnwritableFileError, match="No space left"):
        write_case(volume_case(), path)
    assert path.read_bytes() == before and sorted(os.listdir(tmp_path)) == ["a.vtu", "file"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, a device that is always full")
def test_full_disk(tmp_path, monkeypatch):
    from contextlib import contextmanager
    from pathlib import Path

    from geoop.io import paraview

    @contextmanager
    def full(_):
        yield Path("/dev/full")

    monkeypatch.setattr(paraview, "replacing", full)
    with pytest.raises(UnwritableFileError, match="cannot be written"):
        write_case(surface_case(), tmp_path / "a.vtu")


SCRIPT = """
import json, sys
from paraview.simple import OpenDataFile, UpdatePipeline, servermanager
from paraview import vtk
found = {}
for path in sys.argv[1:]:
    source = OpenDataFile(path)
    times = list(getattr(source, "TimestepValues", []) or [])
    UpdatePipeline(proxy=source, time=times[-1]) if times else UpdatePipeline(proxy=source)
    data = servermanager.Fetch(source)
    if data.IsA("vtkMultiBlockDataSet"):
        data = data.GetBlock(0)
    arrays = lambda store: {store.GetArrayName(i): store.GetAbstractArray(i).GetNumberOfComponents() for i in range(store.GetNumberOfArrays())}
    vector = data.GetPointData().GetArray("velocity [m/s]")
    store = data.GetFieldData().GetAbstractArray("patch_names")
    found[path] = {
        "kind": data.GetClassName(), "points": data.GetNumberOfPoints(), "cells": data.GetNumberOfCells(), "times": times,
        "point": arrays(data.GetPointData()), "cell": arrays(data.GetCellData()),
        "first": [vector.GetComponent(0, k) for k in range(3)],
        "patches": [store.GetValue(i) for i in range(store.GetNumberOfValues())],
    }
print("RESULT" + json.dumps(found))
"""


@pytest.mark.paraview
def test_real_paraview_opens_everything(tmp_path):
    import json

    section, surface, volume = section_case(), surface_case(), volume_case()
    files = {
        str(write_case(section, tmp_path / "section.vtu")): section,
        str(write_case(volume, tmp_path / "volume.vtu", compress=True)): volume,
        str(write_case(surface, tmp_path / "surface.vtp")): surface,
        str(write_series(Series([0.0, 0.5, 1.0], (section,) * 3), tmp_path / "series.pvd")): section,
    }
    script = tmp_path / "open.py"
    script.write_text(SCRIPT)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "VTK_"))}
    command = ["xvfb-run", "-a", shutil.which("pvpython") or "pvpython", str(script), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert "RESULT" in done.stdout, done.stderr[-2000:]
    found = json.loads(done.stdout.split("RESULT")[1].splitlines()[0])
    for path, case in files.items():
        seen = found[path]
        assert seen["points"] == len(case.mesh.points) and seen["cells"] == len(case.mesh.cells)
        assert seen["kind"] == ("vtkPolyData" if path.endswith(".vtp") else "vtkUnstructuredGrid")
        assert seen["point"]["velocity [m/s]"] == 3 and seen["point"]["stress [Pa]"] == 9 and seen["point"][f"{ODD} [1]"] == 1
        assert seen["cell"]["pressure [Pa]"] == 1 and seen["patches"] == list(case.mesh.patches)
        expected = np.zeros(3)
        expected[: case.mesh.dimension] = case.field("velocity").values[0]
        assert np.allclose(seen["first"], expected)
    assert found[str(tmp_path / "series.pvd")]["times"] == [0.0, 0.5, 1.0]


COUNTS = """
import json, sys
from paraview.simple import OpenDataFile, VTKHDFReader
found = {}
for path in sys.argv[1:]:
    source = VTKHDFReader(FileName=[path]) if path.endswith(".vtkhdf") else OpenDataFile(path)  # 5.11 does not know the suffix
    source.UpdatePipeline()
    about = source.GetDataInformation()
    found[path] = [about.GetNumberOfPoints(), about.GetNumberOfCells(), sorted(source.PointData[i].Name for i in range(len(source.PointData)))]
print("RESULT" + json.dumps(found))
"""


@pytest.mark.paraview
def test_real_paraview_opens_polyhedra_blocks_and_hdf5(tmp_path):
    import json

    hexa = grid()
    half = np.arange(len(hexa.cells)) < 13
    mixed = Cells.concatenate([hexa.cells.take(half), as_polyhedra(hexa).cells.take(~half)])
    wall = Cells.of(quad=hexa.cells.block("hexahedron")[:4, :4])
    field = Field(QUANTITIES["velocity"], hexa.points)
    zones = {"a": np.arange(5), "b": np.arange(5, len(mixed))}
    poly = Case(Mesh(hexa.points, mixed, {"wall": wall}, zones), fields={"velocity": field})
    plain = Case(Mesh(hexa.points, hexa.cells, {"wall": wall}), fields={"velocity": field})
    cases = {"poly.vtu": poly, "poly.vtm": poly, "plain.vtkhdf": plain}  # 5.11 is older than polyhedra in VTKHDF
    files = {name: str(write(case, tmp_path / name).path) for name, case in cases.items()}
    script = tmp_path / "open.py"
    script.write_text(COUNTS)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "VTK_"))}
    command = ["xvfb-run", "-a", shutil.which("pvpython") or "pvpython", str(script), *files.values()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert "RESULT" in done.stdout, done.stderr[-2000:]
    found = json.loads(done.stdout.split("RESULT")[1].splitlines()[0])
    assert found[files["poly.vtu"]] == [64, 27, ["velocity [m/s]"]]
    assert found[files["poly.vtm"]][1:] == [27 + 4, ["velocity [m/s]"]]  # both zones and the patch
    assert found[files["plain.vtkhdf"]] == [64, 27, ["velocity [m\u2215s]"]]  # HDF5 has no name with a slash


def test_writing_does_not_import_pyvista(tmp_path):
    code = "import sys, numpy as np, geoop\nfrom geoop.io.paraview import write_case\nfrom geoop.mesh.mesh import Mesh\n"
    code += f"write_case(geoop.Case(Mesh(np.zeros((3, 3)))), {str(tmp_path / 'a.vtu')!r})\n"
    code += "assert not {'pyvista', 'meshio', 'trimesh', 'torch'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=os.getcwd()).returncode == 0


def test_remedies_for_cells_that_a_vtp_cannot_hold(tmp_path):
    """The whole path of a .vtu, and the patches of a volume mesh; what the remedy says works."""
    case = volume_case()
    with pytest.raises(UnsupportedFormatError, match="hexahedron, tetra cells|tetra, hexahedron cells") as caught:
        write_case(case, tmp_path / "a.vtp")
    remedy = caught.value.remedy
    assert str(tmp_path / "a.vtu") in remedy and "patches=['floor', ...]" in remedy and "--patch 'floor'" in remedy
    assert len(read(write(case, tmp_path / "a.vtp", patches=["floor"]).path).cells) == 1
    bare = Mesh(case.mesh.points, case.mesh.cells)
    with pytest.raises(UnsupportedFormatError) as caught:
        write_case(Case(bare), tmp_path / "a.vtp")
    assert "patch" not in caught.value.remedy


def test_patches_as_files_of_their_own_skip_empty_ones(tmp_path):
    mesh = volume_case().mesh
    write_case(Case(Mesh(mesh.points, mesh.cells, {**mesh.patches, "none": Cells.empty()})), tmp_path / "a.vtu", patches=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.vtu", "a_floor.vtp"]
