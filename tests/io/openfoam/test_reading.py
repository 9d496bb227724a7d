"""Whole cases: every number format, times, parts, regions, zones, and VTK's reader as the control."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from geoop.errors import ConfigurationError, GeoopError, InvalidMeshError, UnreadableFileError
from geoop.io.openfoam.writing import write_fields
from geoop.io.reading import read, read_case, read_series
from geoop.mesh.measure import area_vectors, cell_centers, signed_measures
from tests.io.openfoam.foam_files import STYLES, ZOO, Style, control, field, row_of_hexes, write_decomposed, zoo

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "fields" / "openfoam_cavity.zip"
REST = "    floor { type noSlip; }\n    rest { type zeroGradient; }"


def plain_case(root: Path, style: Style = Style()) -> Path:
    """The zoo with p and U at time 2."""
    zoo().write(root / "constant" / "polyMesh", style)
    control(root)
    values = np.arange(6) / 8
    field(root / "2" / "p", values, '    ".*" { type zeroGradient; }', style=style)
    field(root / "2" / "U", np.stack([values, values**2, -values], axis=1), REST, kind="vector", dimensions="[0 1 -1 0 0 0 0]", style=style)
    return root


@pytest.mark.parametrize("style", STYLES)
def test_every_number_format_gives_the_same_case(tmp_path, style):
    case = read_case(plain_case(tmp_path / "case", STYLES[style]))
    mesh = case.mesh
    assert [mesh.cells.names[0], len(mesh.cells)] == ["tetra", 6] and case.time == 2.0 and mesh.name == "case"
    for index, (name, volume) in enumerate(ZOO):
        assert mesh.cells.where(name).tolist() == [i for i, (other, _) in enumerate(ZOO) if other == name]
        assert signed_measures(mesh)[index] == pytest.approx(volume, rel=1e-14)
    np.testing.assert_array_equal(case.field("kinematic_pressure").values, np.arange(6) / 8)
    assert case.field("kinematic_pressure").quantity.unit == "m^2/s^2" and case.field("velocity").quantity.unit == "m/s"
    np.testing.assert_array_equal(case.field("velocity").values[3], [3 / 8, 9 / 64, -3 / 8])
    assert {name: len(part) for name, part in mesh.patches.items()} == {"floor": 4, "rest": 19}


def test_patches_close_the_mesh_and_look_outward(tmp_path):
    case = read_case(plain_case(tmp_path))
    mesh = case.mesh
    assert case.wall == ("floor",)
    total = sum(area_vectors(mesh.patch(name)).sum(axis=0) for name in mesh.patches)
    np.testing.assert_allclose(total, 0, atol=1e-14)
    assert (area_vectors(mesh.patch("floor"))[:, 2] < 0).all()
    assert "floor wall" in " ".join(mesh.notes)


def test_boundary_values(tmp_path):
    case = read_case(plain_case(tmp_path))
    assert not case.boundary["floor"]["velocity"].values.any()  # noSlip
    p = case.boundary["rest"]["kinematic_pressure"].values
    assert len(p) == 19 and set(p) <= set(np.arange(6) / 8)  # zeroGradient: the cells behind


def test_symmetry_takes_out_what_points_through_the_patch(tmp_path):
    row_of_hexes(2, "symmetryPlane").write(tmp_path / "constant" / "polyMesh")
    conditions = "inlet { type fixedValue; value nonuniform List<vector> 1((9 8 7)); } outlet { type advective; } sides { type symmetryPlane; }"
    field(tmp_path / "0" / "U", "(3 4 5)", conditions, kind="vector", dimensions="[0 1 -1 0 0 0 0]")
    case = read_case(tmp_path)
    np.testing.assert_array_equal(case.boundary["inlet"]["velocity"].values, [[9, 8, 7]])
    normal = area_vectors(case.mesh.patch("sides"))
    values = case.boundary["sides"]["velocity"].values
    np.testing.assert_allclose((values * normal).sum(axis=1), 0, atol=1e-15)
    np.testing.assert_array_equal(values[:, 0], 3)
    assert any("outlet (advective)" in note for note in case.mesh.notes)


def test_times_are_chosen_and_unknown_ones_refused(tmp_path):
    row_of_hexes(3).write(tmp_path / "constant" / "polyMesh")
    for name in ("0", "0.5", "1e-05", "10"):
        field(tmp_path / name / "p", name, '".*" { type zeroGradient; }')
    (tmp_path / "0.orig").mkdir()
    assert read_case(tmp_path).time == 10 and read_case(tmp_path, time=0.5).field("kinematic_pressure").values.tolist() == [0.5] * 3
    with pytest.raises(ConfigurationError, match="no step at 3 s"):
        read_case(tmp_path, time=3)
    series = read_series(tmp_path)
    assert series.values.tolist() == [0, 1e-5, 0.5, 10]
    assert [case.field("kinematic_pressure").values[0] for case in series.cases] == [0, 1e-5, 0.5, 10]


def test_a_moving_mesh_has_the_points_of_its_time(tmp_path):
    mesh = row_of_hexes(2)
    mesh.write(tmp_path / "constant" / "polyMesh")
    for name, factor in (("1", 2.0), ("3", 5.0)):
        Style().write(tmp_path / name / "polyMesh" / "points", "vectorField", Style().numbers(mesh.points * factor, "vector"))
    (tmp_path / "2").mkdir()
    (tmp_path / "0").mkdir()
    assert [read_case(tmp_path, time=t).mesh.points.max() for t in (0, 1, 2, 3)] == [2, 4, 4, 10]


def test_a_mesh_that_changes_leaves_the_old_zones_behind(tmp_path):
    row_of_hexes(2).write(tmp_path / "constant" / "polyMesh")
    Style().write(tmp_path / "constant" / "polyMesh" / "cellZones", "regIOobject", b"1 ( old { type cellZone; cellLabels List<label> 1(1); } )")
    row_of_hexes(5).write(tmp_path / "1" / "polyMesh")
    (tmp_path / "0").mkdir()
    assert len(read_case(tmp_path, time=1).mesh.cells) == 5 and not read_case(tmp_path, time=1).mesh.zones
    assert read_case(tmp_path, time=0).mesh.zones["old"].tolist() == [1]


@pytest.mark.parametrize("style", ["ascii", "binary", "binary64"])
def test_cell_zones_and_other_zones(tmp_path, style):
    row_of_hexes(4).write(tmp_path / "constant" / "polyMesh", STYLES[style])
    cells = STYLES[style].numbers(np.array([1, 3]), "label")
    body = b"2\n(\nporous\n{\n type cellZone;\ncellLabels List<label> " + cells + b";\n}\nnone { type cellZone; cellLabels List<label> 0(); }\n)"
    STYLES[style].write(tmp_path / "constant" / "polyMesh" / "cellZones", "regIOobject", body)
    body = b"1 ( fan { type faceZone; faceLabels List<label> 1(0); flipMap List<bool> 1(0); } )"
    Style().write(tmp_path / "constant" / "polyMesh" / "faceZones", "regIOobject", body)
    mesh = read(tmp_path)
    assert list(mesh.zones) == ["porous"] and mesh.zones["porous"].tolist() == [1, 3]
    assert any("faceZones are left out: fan" in note for note in mesh.notes)


@pytest.mark.parametrize("style", ["ascii", "binary"])
@pytest.mark.parametrize("parts", [(0, 1, 0, 0, 0, 1), (2, 0, 1, 0, 2, 2)], ids=["two", "three"])
@pytest.mark.parametrize("addressing", [True, False], ids=["addressing", "bare"])
def test_a_decomposed_case_is_the_whole_case(tmp_path, style, parts, addressing):
    whole = read_case(plain_case(tmp_path / "whole", STYLES[style]))
    given = write_decomposed(tmp_path / "cut", zoo(), parts, STYLES[style], addressing=addressing)
    for rank, item in enumerate(given):
        values = item["cell"] / 8
        field(tmp_path / "cut" / f"processor{rank}" / "2" / "p", values, '".*" { type zeroGradient; }', style=STYLES[style])
    cut = read_case(tmp_path / "cut")
    assert set(cut.mesh.patches) == {"floor", "rest"} and len(cut.mesh.points) == len(whole.mesh.points)
    if addressing:
        assert cut.mesh.content_hash == whole.mesh.content_hash
        order = np.arange(6)
    else:
        order = np.concatenate([item["cell"] for item in given])
        assert any("cellProcAddressing" in note for note in cut.mesh.notes)
    np.testing.assert_allclose(cell_centers(cut.mesh), cell_centers(whole.mesh)[order], atol=1e-14)
    np.testing.assert_allclose(signed_measures(cut.mesh), signed_measures(whole.mesh)[order], rtol=1e-13)
    np.testing.assert_array_equal(cut.field("kinematic_pressure").values, order / 8)
    behind = {name: sorted(case.boundary[name]["kinematic_pressure"].values) for name in ("floor", "rest") for case in (whole,)}
    assert behind == {name: sorted(cut.boundary[name]["kinematic_pressure"].values) for name in ("floor", "rest")}


def test_times_that_only_processors_have_are_read_from_there(tmp_path):
    plain_case(tmp_path)
    for rank, item in enumerate(write_decomposed(tmp_path, zoo(), (0, 0, 1, 1, 0, 1))):
        for time in ("2", "4"):
            field(tmp_path / f"processor{rank}" / time / "p", item["cell"] + float(time), '".*" { type zeroGradient; }')
    last, earlier = read_case(tmp_path), read_case(tmp_path, time=2)
    assert last.time == 4 and last.field("kinematic_pressure").values.tolist() == [4, 5, 6, 7, 8, 9]
    assert "velocity" in earlier.fields and any("2 processor folders" in note for note in last.mesh.notes)
    assert last.mesh.content_hash == earlier.mesh.content_hash


def test_missing_processors_and_sides_that_do_not_fit(tmp_path):
    write_decomposed(tmp_path, zoo(), (0, 0, 1, 1, 2, 2), addressing=False)
    (tmp_path / "processor1").rename(tmp_path / "away")
    with pytest.raises(UnreadableFileError, match="processors 1 of 3 are missing"):
        read(tmp_path)
    (tmp_path / "away").rename(tmp_path / "processor1")
    boundary = tmp_path / "processor1" / "constant" / "polyMesh" / "boundary"
    boundary.write_text(boundary.read_text().replace("neighbProcNo 0", "neighbProcNo 2"))
    with pytest.raises(InvalidMeshError, match="shares 1 faces with processor"):
        read(tmp_path)


def test_regions_become_zones(tmp_path):
    for name, count in (("air", 2), ("solid", 3)):
        row_of_hexes(count).write(tmp_path / "constant" / name / "polyMesh")
        field(tmp_path / "0" / name / "T", "300", '".*" { type zeroGradient; }', dimensions="[0 0 0 1 0 0 0]")
    field(tmp_path / "0" / "air" / "p", np.array([1.0, 2.0]), '".*" { type zeroGradient; }', dimensions="[1 -1 -2 0 0 0 0]")
    case = read_case(tmp_path)
    assert {name: index.tolist() for name, index in case.mesh.zones.items()} == {"air": [0, 1], "solid": [2, 3, 4]}
    assert "air/inlet" in case.mesh.patches and "solid/inlet" in case.mesh.patches and len(case.mesh.points) == 12 + 16
    assert case.field("temperature").values.tolist() == [300] * 5
    np.testing.assert_array_equal(case.field("pressure").values, [1, 2, np.nan, np.nan, np.nan])
    row_of_hexes(5).write(tmp_path / "constant" / "polyMesh")  # what the regions were cut from
    Style().write(tmp_path / "constant" / "regionProperties", "dictionary", b"regions ( fluid (air) solid (solid) );")
    assert read(tmp_path).content_hash == case.mesh.content_hash


@pytest.mark.parametrize("kind", ["symmTensor", "tensor", "sphericalTensor"])
def test_tensors(tmp_path, kind):
    row_of_hexes(1).write(tmp_path / "constant" / "polyMesh")
    rows = {"symmTensor": [[1.0, 2, 3, 4, 5, 6]], "tensor": [[1.0, 2, 3, 4, 5, 6, 7, 8, 9]], "sphericalTensor": [[7.0]]}[kind]
    field(tmp_path / "0" / "R", np.array(rows), '".*" { type zeroGradient; }', kind=kind)
    expected = {"symmTensor": [[1, 2, 3], [2, 4, 5], [3, 5, 6]], "tensor": [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "sphericalTensor": 7 * np.eye(3)}[kind]
    np.testing.assert_array_equal(read_case(tmp_path).field("R").values[0], expected)


def test_point_fields_are_read_and_surface_fields_noted(tmp_path):
    row_of_hexes(2).write(tmp_path / "constant" / "polyMesh")
    field(tmp_path / "0" / "pointDisplacement", np.arange(36.0).reshape(12, 3), "", kind="vector", dimensions="[0 1 0 0 0 0 0]", place="point")
    field(tmp_path / "0" / "phi", np.arange(1.0), "", place="surface")
    (tmp_path / "0" / "lagrangian").mkdir()
    case = read_case(tmp_path)
    item = case.field("pointDisplacement")
    assert item.location == "point" and item.quantity.unit == "m" and item.values[-1].tolist() == [33, 34, 35]
    notes = " ".join(case.mesh.notes)
    assert "phi (surfaceScalarField)" in notes and "lagrangian" in notes


def test_empty_patches_are_noted_and_kept(tmp_path):
    row_of_hexes(2, "empty").write(tmp_path / "constant" / "polyMesh")
    mesh = read(tmp_path)
    assert mesh.dimension == 3 and len(mesh.patches["sides"]) == 8 and any("two-dimensional case" in note for note in mesh.notes)


@pytest.mark.parametrize("inside", ["", "runs/case/"], ids=["root", "nested"])
def test_zip_of_a_case(tmp_path, inside):
    plain = plain_case(tmp_path / "case")
    (plain / "case.foam").touch()
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as bundle:
        for path in sorted(plain.rglob("*")):
            bundle.write(path, inside + path.relative_to(plain).as_posix())
    case = read_case(tmp_path / "pack.zip")
    assert case.mesh.content_hash == read(plain).content_hash == read(plain / "case.foam").content_hash
    assert read(tmp_path / "pack.zip" / inside / "case.foam").content_hash == case.mesh.content_hash
    assert case.mesh.name == ("case" if inside else "pack") and read(plain / "case.foam").name == "case"


BREAKS = {
    "points": "the mesh lacks points",
    "faces": "the mesh lacks faces",
    "boundary": "the mesh lacks boundary",
}


@pytest.mark.parametrize("name", BREAKS)
def test_missing_files_are_named(tmp_path, name):
    (plain_case(tmp_path) / "constant" / "polyMesh" / name).unlink()
    with pytest.raises(UnreadableFileError, match=BREAKS[name]):
        read(tmp_path)


@pytest.mark.parametrize("style", ["ascii", "binary", "gz"])
@pytest.mark.parametrize("name", ["points", "faces", "owner", "neighbour", "boundary", "U"])
def test_truncated_files_are_named(tmp_path, style, name):
    plain_case(tmp_path, STYLES[style])
    path = (tmp_path / "2" if name == "U" else tmp_path / "constant" / "polyMesh") / (f"{name}.gz" if style == "gz" else name)
    whole = path.read_bytes()
    for share in (0.35, 0.6, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(GeoopError, match=f"{path.name}"):
            read_case(tmp_path)


@pytest.mark.parametrize("style", ["ascii", "binary"])
@pytest.mark.parametrize("seed", range(60))
def test_flipped_bytes_never_leak_an_error(tmp_path, style, seed):
    rng = np.random.default_rng(seed)
    plain_case(tmp_path, STYLES[style])
    files = sorted([*(tmp_path / "constant" / "polyMesh").iterdir(), *(tmp_path / "2").iterdir()])
    path = files[rng.integers(len(files))]
    data = bytearray(path.read_bytes())
    for _ in range(int(rng.integers(1, 4))):
        data[rng.integers(len(data))] = rng.integers(256)
    path.write_bytes(bytes(data))
    try:
        case = read_case(tmp_path)
    except GeoopError:
        return
    assert len(case.mesh.cells) >= 1 and np.isfinite(case.mesh.points).all()


def test_wrong_counts_and_indices(tmp_path):
    plain_case(tmp_path)
    folder = tmp_path / "constant" / "polyMesh"
    for name, old, new, message in (
        ("owner", "\n28\n", "\n99999999999\n", "says it has 99999999999 labels"),
        ("faces", "\n4(", "\n5(", "faces|number of points"),
        ("points", "(0.0 0.0 0.0)", "(0.0 0.0)", "it holds 65 numbers"),
        ("boundary", "nFaces 4", "nFaces 5", "starts at face"),
        ("points", "(0.0 0.0 0.0)", "(0.0 zero 0.0)", "'zero' is not a number"),
    ):
        text = (folder / name).read_text()
        assert old in text, name
        (folder / name).write_text(text.replace(old, new, 1))
        with pytest.raises(GeoopError, match=message):
            read(tmp_path)
        (folder / name).write_text(text)
    text = (folder / "faces").read_text()
    (folder / "faces").write_text(text.replace("(1 2 6 5)", "(1 2 6 500)"))
    with pytest.raises(InvalidMeshError, match=r"1 point indices are outside 0\.\.21"):
        read(tmp_path)


def test_folders_that_are_no_case(tmp_path):
    control(tmp_path)
    with pytest.raises(UnreadableFileError, match="no mesh"):
        read(tmp_path)
    with pytest.raises(UnreadableFileError, match="is a folder"):
        read(tmp_path / "system")
    plain_case(tmp_path)
    with pytest.raises(UnreadableFileError, match="folder of the case"):
        read(tmp_path / "2" / "p")


@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there")
def test_cavity_of_the_shared_data():
    with pytest.raises(UnreadableFileError, match="holds 2 OpenFOAM cases"):
        read(DATA)
    series = read_series(DATA / "OpenFOAM" / "cavity")
    assert series.values.tolist() == [0, 0.5, 1, 1.5, 2, 2.5] and series.constant_connectivity
    case = series.cases[-1]
    assert case.mesh.cells.names == ["hexahedron"] and len(case.mesh.cells) == 400 and len(case.mesh.points) == 882
    assert signed_measures(case.mesh).sum() == pytest.approx(1e-4, rel=1e-12)
    assert {name: len(part) for name, part in case.mesh.patches.items()} == {"movingWall": 20, "fixedWalls": 60, "frontAndBack": 800}
    assert (case.boundary["movingWall"]["velocity"].values == [1, 0, 0]).all() and set(case.fields) == {"velocity", "kinematic_pressure"}
    small = read_case(DATA / "OpenFOAM" / "64BitFloats")
    assert small.field("velocity").values.tolist() == [[1, 0, 0], [2, 0, 0]] and small.field("pressure").values.tolist() == [1, 2]


@pytest.mark.parametrize("style", ["ascii", "binary"])
def test_vtk_reads_the_same(tmp_path, style):
    pv = pytest.importorskip("pyvista")
    case = read_case(plain_case(tmp_path, STYLES[style]))
    (tmp_path / "x.foam").touch()
    reader = pv.OpenFOAMReader(str(tmp_path / "x.foam"))
    reader.set_active_time_value(2.0)
    grid = reader.read()["internalMesh"]
    assert grid.n_cells == 6
    volumes = np.abs(grid.compute_cell_sizes(length=False, area=False)["Volume"])
    standard = [name != "polyhedron" for name, _ in ZOO]
    np.testing.assert_allclose(volumes[standard], signed_measures(case.mesh)[standard], rtol=1e-6)
    np.testing.assert_allclose(grid.cell_data["U"], case.field("velocity").values, atol=1e-7)  # VTK keeps single precision
    np.testing.assert_allclose(grid.cell_data["p"], case.field("kinematic_pressure").values, atol=1e-7)


def test_a_cyclic_patch_that_was_cut_comes_back_whole(tmp_path):
    write_decomposed(tmp_path, row_of_hexes(4), (0, 0, 1, 1))
    for rank, other, name in ((0, 1, "inlet"), (1, 0, "outlet")):
        path = tmp_path / f"processor{rank}" / "constant" / "polyMesh" / "boundary"
        text = path.read_text()
        head, _, tail = text.partition(f"    {name}\n    {{\n        type patch;\n")
        more = f"        type processorCyclic;\n        referPatch {name};\n        myProcNo {rank};\n        neighbProcNo {other};\n"
        path.write_text(f"{head}    procBoundary{rank}to{other}through{name}\n    {{\n{more}{tail}")
        (tmp_path / f"processor{rank}" / "0").mkdir()
    mesh = read(tmp_path)
    assert {name: len(part) for name, part in mesh.patches.items()} == {"inlet": 1, "outlet": 1, "sides": 16}
    assert len(mesh.points) == 20


@pytest.mark.parametrize("headers", [True, False], ids=["headers", "first-only"])
def test_collated_files_hold_all_processors(tmp_path, headers):
    plain = write_decomposed(tmp_path, zoo(), (0, 1, 0, 1, 0, 1), Style(binary=True))
    for rank, item in enumerate(plain):
        field(tmp_path / f"processor{rank}" / "1" / "p", item["cell"] / 4, '".*" { type zeroGradient; }')
    expected = read_case(tmp_path)
    for path in [path for path in (tmp_path / "processor0").rglob("*") if path.is_file()]:
        blocks = [(tmp_path / f"processor{rank}" / path.relative_to(tmp_path / "processor0")).read_bytes() for rank in (0, 1)]
        if not headers:
            blocks[1] = blocks[1][blocks[1].index(b"// * * *") :].partition(b"\n")[2]
        body = b"".join(b"// processor%d\n%d\n(" % (rank, len(block)) + block + b")\n\n" for rank, block in enumerate(blocks))
        target = tmp_path / "processors2" / path.relative_to(tmp_path / "processor0")
        Style(binary=True).write(target, "decomposedBlockData", body)
    for rank in (0, 1):
        shutil.rmtree(tmp_path / f"processor{rank}")
    found = read_case(tmp_path)
    assert found.mesh.content_hash == expected.mesh.content_hash
    np.testing.assert_array_equal(found.field("kinematic_pressure").values, np.arange(6) / 4)


@pytest.mark.parametrize(
    ("dimensions", "name", "sign"), [("[1 -1 -2 0 0 0 0]", "wall_shear_stress", -1.0), ("[0 2 -2 0 0 0 0]", "kinematic_wall_shear_stress", 1.0)]
)
def test_friction_is_the_traction_of_the_fluid_and_goes_back_with_the_sign_of_openfoam(tmp_path, dimensions, name, sign):
    row_of_hexes(2, "wall").write(tmp_path / "constant" / "polyMesh")
    conditions = '"(in|out)let" { type calculated; value uniform (0 0 0); } sides { type calculated; value uniform (-2 0 0); }'
    field(tmp_path / "1" / "wallShearStress", "(-1 0 0)", conditions, kind="vector", dimensions=dimensions)
    control(tmp_path)
    case = read_case(tmp_path)
    np.testing.assert_array_equal(case.field(name).values[:, 0], -sign)
    np.testing.assert_array_equal(case.boundary["sides"][name].values[:, 0], -2 * sign)
    write_fields(case, tmp_path, time="2")
    np.testing.assert_array_equal(read_case(tmp_path, time=2).field(name).values, case.field(name).values)
    assert (tmp_path / "2" / "wallShearStress").read_text().count("(-1.0 0.0 0.0)") == 2
