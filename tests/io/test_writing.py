"""The door to every written format: what goes in comes back, what a format cannot hold is refused or said, and nothing half-written stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geoop.errors import ConfigurationError, PatchError, UnitError, UnsupportedFormatError, UnwritableFileError
from geoop.io.reading import read, read_case, read_series
from geoop.io.writing import WRITERS, write
from geoop.mesh.case import Case, Series
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import box, circle
from geoop.mesh.quantity import QUANTITIES, Field
from tests.mesh.cell_zoo import UNIT_CELLS, cell_mesh

WITH_UNIT = sorted(suffix for suffix, writer in WRITERS.items() if writer.unit)


def case_of(mesh: Mesh) -> Case:
    """A case with a scalar and a vector at points and a scalar at cells."""
    x = mesh.points
    fields = [Field(QUANTITIES["pressure"], x[:, 0] / 3), Field(QUANTITIES["velocity"], x * 2.5 - 1)]
    fields += [Field(QUANTITIES["temperature"], 300 + np.arange(len(mesh.cells)) / 7, "cell")] if len(mesh.cells) else []
    return Case(mesh, fields={item.name: item for item in fields})


def cube() -> Mesh:
    """Six hexahedra in a row with two zones, three patches."""
    n = 6
    grid = np.array([(i, j, k) for i in range(n + 1) for j in (0, 1) for k in (0, 1)], dtype=float) / 3 + 0.1
    at = np.arange(4 * (n + 1)).reshape(n + 1, 4)
    hexahedra = np.stack([at[:-1, 0], at[1:, 0], at[1:, 2], at[:-1, 2], at[:-1, 1], at[1:, 1], at[1:, 3], at[:-1, 3]], axis=1)
    floor = np.stack([at[:-1, 0], at[:-1, 2], at[1:, 2], at[1:, 0]], axis=1)
    ends = np.stack([at[[0, n], 0], at[[0, n], 1], at[[0, n], 3], at[[0, n], 2]], axis=1)
    patches = {"in let": Cells.of(quad=ends[:1]), "outlet": Cells.of(quad=ends[1:, ::-1]), "floor": Cells.of(quad=floor)}
    return Mesh(grid, Cells.of(hexahedron=hexahedra), patches, {"front": np.arange(3), "back": np.arange(3, n)}, name="row")


def surfaces() -> dict[str, Mesh]:
    return {
        ".stl": box(divisions=2),
        ".ply": box(divisions=2),
        ".obj": box(divisions=2),
        ".csv": box(),
        ".vtp": box(),
        ".vtu": cube(),
        ".msh": cube(),
    }


@pytest.mark.parametrize("suffix", sorted(surfaces()))
def test_points_and_fields_come_back_bit_for_bit(tmp_path, suffix):
    case = case_of(surfaces()[suffix])
    done = write(case, tmp_path / f"a{suffix}", text=suffix == ".stl")
    assert done.path == tmp_path / f"a{suffix}" and Path(done).is_file()
    back = read_case(done.path, **({"unit": "m"} if suffix in WITH_UNIT else {}))
    if suffix == ".stl":  # points in the order in which the triangles first use them
        assert {tuple(p) for p in back.mesh.points.tolist()} == {tuple(p) for p in case.mesh.points.tolist()}
    else:
        assert np.array_equal(back.mesh.points, case.mesh.points)
    for name, item in back.fields.items():
        assert np.array_equal(item.values, case.fields[name].values) and item.quantity == case.fields[name].quantity
    missing = set(case.fields) - set(back.fields)
    assert all(any(name in note for note in done.notes) for name in missing)  # what is lost is said


@pytest.mark.parametrize("suffix", WITH_UNIT)
def test_unit_of_the_file(tmp_path, suffix):
    done = write(box(), tmp_path / f"a{suffix}", unit="mm")
    assert np.ptp(read(done.path, unit="mm").points, axis=0) == pytest.approx([1.0] * 3)
    if suffix == ".csv":  # its columns say the unit
        assert done.path.read_text().startswith("x [mm],y [mm],z [mm]")
        return
    assert np.ptp(read(done.path, unit="m").points, axis=0) == pytest.approx([1000.0] * 3)
    assert any("written in mm" in note for note in done.notes)


@pytest.mark.parametrize("suffix", [".vtu", ".vtp", ".msh"])
def test_solver_formats_are_in_metres(tmp_path, suffix):
    with pytest.raises(UnitError, match="metres"):
        write(box(), tmp_path / f"a{suffix}", unit="mm")
    assert not list(tmp_path.iterdir())
    write(box(), tmp_path / f"a{suffix}", unit="m")


@pytest.mark.parametrize("suffix", [".stl", ".ply", ".obj"])
@pytest.mark.parametrize("name", [name for name, (nodes, _) in UNIT_CELLS.items() if nodes.shape[1] == 3])
def test_volumes_become_their_outer_faces(tmp_path, name, suffix):
    """The surface of any volume cell is closed and encloses the volume."""
    from geoop.mesh.measure import enclosed_volume

    nodes, volume = UNIT_CELLS[name]
    done = write(cell_mesh(name, nodes), tmp_path / f"a{suffix}")
    surface = read(done.path, unit="m")
    assert any("outer faces are written" in note for note in done.notes)
    tolerance = 1e-5 if suffix == ".stl" else 1e-12
    assert abs(enclosed_volume(surface)) == pytest.approx(volume, abs=tolerance)


@pytest.mark.parametrize("suffix", [".stl", ".obj"])
def test_volumes_become_their_patches(tmp_path, suffix):
    done = write(cube(), tmp_path / f"a{suffix}", text=True)
    surface = read(done.path, unit="m")
    assert any("boundary patches are written, the volume is not" in note for note in done.notes)
    faces = {name.replace("_", " "): len(part) * (1 if suffix == ".obj" else 0.5) for name, part in surface.patches.items()}
    assert faces == {"in let": 1, "outlet": 1, "floor": 6}


@pytest.mark.parametrize("suffix", [".stl", ".obj"])
def test_lines_around_a_plane_mesh_have_no_place_in_a_surface(tmp_path, suffix):
    plane = Mesh(np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=float), Cells.of(quad=[[0, 1, 2, 3]]), {"wall": Cells.of(line=[[0, 1]])})
    done = write(plane, tmp_path / f"a{suffix}", text=True)
    assert any("left out: wall" in note for note in done.notes) and any("z = 0" in note for note in done.notes)


@pytest.mark.parametrize("suffix", [".vtu", ".vtp", ".stl", ".ply", ".obj", ".msh", ".csv"])
def test_chosen_patches(tmp_path, suffix):
    case = case_of(cube())
    done = write(case, tmp_path / f"a{suffix}", patches=["floor", "outlet"], text=suffix in (".stl", ".ply"))
    back = read_case(done.path, **({"unit": "m"} if suffix in WITH_UNIT else {}))
    expected = np.unique(np.concatenate([case.mesh.patch_points(name) for name in ("floor", "outlet")]))
    assert {tuple(p) for p in back.mesh.points.tolist()} == {tuple(p) for p in case.mesh.points[expected].tolist()}
    if "pressure" in back.fields:
        assert np.array_equal(back.fields["pressure"].values, back.mesh.points[:, 0] / 3)
    assert any("temperature" in note for note in done.notes)  # values in the cells have no place on the boundary


def test_every_field_of_a_case_survives_in_vtu(tmp_path):
    mesh = cube()
    boundary = {"floor": {"pressure": Field(QUANTITIES["pressure"], np.arange(6.0), "facet")}}
    case = Case(mesh, OperatingPoint(velocity=3.0), case_of(mesh).fields, boundary, time=0.5)
    for suffix in (".vtu", ".vtm", ".vtkhdf"):
        done = write(case, tmp_path / f"a{suffix}")
        back = read_case(done.path)
        assert done.notes == () and back.time == 0.5 and back.operating_point == case.operating_point
        assert np.array_equal(back.boundary["floor"]["pressure"].values, np.arange(6.0)) and set(back.mesh.zones) == {"front", "back"}
    lost = " ".join(write(case, tmp_path / "a.msh").notes)
    assert "operating point" in lost and "values on the patches floor" in lost
    assert "operating point" in " ".join(write(case, tmp_path / "a.su2").notes)


def test_series(tmp_path):
    cases = tuple(case_of(box()).with_fields(Field(QUANTITIES["density"], np.full(8, float(k)))) for k in range(3))
    series = Series([0.0, 0.1, 0.3], cases)
    done = write(series, tmp_path / "a.pvd", patches="x_min")
    back = read_series(done.path)
    assert back.values.tolist() == [0.0, 0.1, 0.3] and len(back.cases[1].mesh.points) == 4
    with pytest.raises(UnsupportedFormatError, match=r"3 steps is written as \.pvd"):
        write(series, tmp_path / "a.vtu")
    with pytest.raises(UnsupportedFormatError, match="a series, not one case"):
        write(box(), tmp_path / "b.pvd")


@pytest.mark.parametrize(
    ("name", "mesh", "words"),
    [
        ("a.stl", circle(), "cannot hold an outline"),
        ("a.stl", Mesh(np.eye(3)), "cannot hold a point cloud"),
        ("a.obj", Mesh(np.eye(3)), "cannot hold a point cloud"),
        ("a.ply", circle(), "cannot hold an outline"),
        ("a.su2", circle(), "not an outline"),
        ("a.su2", box(), "not a surface"),
        ("a.su2", Mesh(np.eye(3)), "not a point cloud"),
        ("a.su2", cell_mesh("polyhedron", UNIT_CELLS["polyhedron"][0]), "1 polyhedron cells"),
        ("a.su2", cell_mesh("tetra10", UNIT_CELLS["tetra10"][0]), "1 tetra10 cells"),
        ("a.msh", cell_mesh("polygon", UNIT_CELLS["polygon"][0]), "polygon cells"),
        ("a.msh", Mesh(np.eye(3)), "a point cloud"),
        ("a.vtp", cube(), "hexahedron"),
        ("a.xyz", box(), r"no writer for '\.xyz'"),
        ("a", box(), "without suffix"),
    ],
)
def test_geometry_that_a_format_cannot_hold(tmp_path, name, mesh, words):
    (tmp_path / name).write_text("what was there before")
    with pytest.raises(UnsupportedFormatError, match=words) as caught:
        write(mesh, tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert [item.name for item in tmp_path.iterdir()] == [name] and (tmp_path / name).read_text() == "what was there before"


def test_wrong_options(tmp_path):
    for options, words in (({"text": True}, "no option text"), ({"location": "cell"}, "no option location")):
        with pytest.raises(ConfigurationError, match=words):
            write(box(), tmp_path / "a.vtu", **options)
    with pytest.raises(ConfigurationError, match="no option compress"):
        write(box(), tmp_path / "a.stl", compress=True)
    with pytest.raises(ConfigurationError, match="location is 'edge'"):
        write(box(), tmp_path / "a.csv", location="edge")
    with pytest.raises(PatchError, match="no patch 'wall'"):
        write(box(), tmp_path / "a.stl", patches=["wall"])
    with pytest.raises(ConfigurationError, match="no patch is named"):
        write(box(), tmp_path / "a.stl", patches=[])
    with pytest.raises(UnitError, match="mmm"):
        write(box(), tmp_path / "a.stl", unit="mmm")
    (tmp_path / "d.stl").mkdir()
    with pytest.raises(UnwritableFileError, match="is a folder"):
        write(box(), tmp_path / "d.stl")
    (tmp_path / "a.stl").write_text("before")
    with pytest.raises(UnwritableFileError, match="is there already"):
        write(box(), tmp_path / "a.stl", overwrite=False)
    assert (tmp_path / "a.stl").read_text() == "before"
