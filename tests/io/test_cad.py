"""CAD through gmsh: volumes and areas of solids, units, closed surfaces, names, and damaged files, on files that OCC wrote."""

import contextlib
import re
import sys

import numpy as np
import pytest

from geoop.errors import ConfigurationError, MissingDependencyError, UnreadableFileError, UnsupportedFormatError
from geoop.io.cad import read_cad, tessellate
from geoop.io.cad_labels import LabelledFace, matched_labels, step_faces
from geoop.io.source import Source
from geoop.mesh.measure import cell_measures, enclosed_volume
from geoop.mesh.quality import mesh_report

gmsh = pytest.importorskip("gmsh", reason="needs gmsh: pip install geoop[cad]")


def write_step(path, build) -> None:
    """A STEP file of what ``build`` makes with the OCC kernel, lengths in millimetres as OCC writes them."""
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        build(gmsh.model.occ)
        gmsh.model.occ.synchronize()
        gmsh.write(str(path))
    finally:
        gmsh.finalize()


def block_with_a_bore(occ) -> None:
    block, bore = occ.addBox(0, 0, 0, 100, 60, 40), occ.addCylinder(50, 30, -10, 0, 0, 60, 15)
    occ.cut([(3, block)], [(3, bore)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """block.step: 100 x 60 x 40 mm with a bore of 30 mm; three.step: a box, a ball and a cylinder apart; plate.step: an open face."""
    out = tmp_path_factory.mktemp("cad")
    write_step(out / "block.step", block_with_a_bore)
    write_step(out / "three.step", lambda occ: [occ.addBox(0, 0, 0, 10, 10, 10), occ.addSphere(30, 0, 0, 5), occ.addCylinder(50, 0, 0, 0, 0, 10, 3)])
    write_step(out / "plate.stp", lambda occ: occ.addRectangle(0, 0, 0, 20, 10))
    write_step(out / "line.step", lambda occ: occ.addLine(occ.addPoint(0, 0, 0), occ.addPoint(1, 0, 0)))
    return out


def test_a_solid_is_closed_outward_and_in_metres(folder):
    mesh = tessellate(folder / "block.step")
    report = mesh_report(mesh)
    assert report.closed and report.manifold and report.oriented and report.sound, report.findings
    np.testing.assert_allclose(mesh.bounds, [[0, 0, 0], [0.1, 0.06, 0.04]], atol=1e-9)
    exact = 0.1 * 0.06 * 0.04 - np.pi * 0.015**2 * 0.04
    assert enclosed_volume(mesh) == pytest.approx(exact, rel=2e-3)
    assert enclosed_volume(mesh) > exact  # the bore is a polygon inside its circle
    assert sorted(mesh.patches) == [f"face {k}" for k in range(1, 8)]
    assert sum(len(part) for part in mesh.patches.values()) == len(mesh.cells)
    areas = sorted(cell_measures(mesh.patch(name)).sum() for name in mesh.patches)
    flat = 0.1 * 0.06 - np.pi * 0.015**2
    np.testing.assert_allclose(areas, sorted([0.0024, 0.0024, 0.004, 0.004, flat, flat, 2 * np.pi * 0.015 * 0.04]), rtol=1e-2)


@pytest.mark.parametrize(
    ("unit", "metres"),
    [
        ("( LENGTH_UNIT() NAMED_UNIT(*) SI_UNIT($,.METRE.) )", 1.0),
        ("( LENGTH_UNIT() NAMED_UNIT(*) SI_UNIT(.CENTI.,.METRE.) )", 0.01),
        ("( CONVERSION_BASED_UNIT('INCH',#9001) LENGTH_UNIT() NAMED_UNIT(#9003) )", 0.0254),
    ],
    ids=["m", "cm", "inch"],
)
def test_the_unit_of_the_file_is_obeyed(folder, tmp_path, unit, metres):
    text = (folder / "block.step").read_text()
    assert len(re.findall(r"\( LENGTH_UNIT\(\).*?\)\s*\)", text)) == 1
    text = re.sub(r"\( LENGTH_UNIT\(\) NAMED_UNIT\(\*\) SI_UNIT\(\.MILLI\.,\.METRE\.\)\s*\)", unit, text)
    inch = "#9001=LENGTH_MEASURE_WITH_UNIT(LENGTH_MEASURE(25.4),#9002);\n#9002=( LENGTH_UNIT() NAMED_UNIT(*) SI_UNIT(.MILLI.,.METRE.) );\n"
    dimension = "#9003=DIMENSIONAL_EXPONENTS(1.,0.,0.,0.,0.,0.,0.);\n"
    if "INCH" in unit:
        text = text.replace("ENDSEC;\nEND-ISO", f"{inch}{dimension}ENDSEC;\nEND-ISO")
    path = tmp_path / "block.step"
    path.write_text(text)
    np.testing.assert_allclose(tessellate(path).bounds[1], np.array([100, 60, 40]) * metres, rtol=1e-9)


def test_labels_of_faces_become_patches_where_they_are(folder, tmp_path):
    """Every face is labelled by the place of its vertices in the file; the patch of that name must lie there."""
    text = (folder / "block.step").read_text()
    faces = step_faces(text)
    assert len(faces) == 7 and not any(face.label for face in faces)
    for name, wanted in (("bottom", [[0, 0, 0], [100, 60, 0]]), ("inlet", [[0, 0, 0], [0, 60, 40]])):
        number = next(k for k, face in enumerate(faces) if np.allclose(face.bounds, wanted))
        shell = re.search(r"CLOSED_SHELL\('',\((.*?)\)\)", text, re.S).group(1)
        entity = re.findall(r"#\d+", shell)[number]
        text = re.sub(rf"({entity} = ADVANCED_FACE\()''", rf"\1'{name}'", text)
    path = tmp_path / "block.step"
    path.write_text(text)
    mesh = tessellate(path)
    assert {"bottom", "inlet"} < set(mesh.patches)
    np.testing.assert_allclose(mesh.patch("bottom").bounds, [[0, 0, 0], [0.1, 0.06, 0]], atol=1e-9)
    np.testing.assert_allclose(mesh.patch("inlet").bounds, [[0, 0, 0], [0, 0.06, 0.04]], atol=1e-9)


def test_labels_that_lie_elsewhere_are_not_believed():
    corners = np.array([[[0, 0, 0], [1, 1, 0]], [[0, 0, 0], [0, 1, 2]]], dtype=float)
    faces = [LabelledFace(name, bounds) for name, bounds in zip(("a", "b"), corners, strict=True)]
    assert matched_labels(faces, list(corners * 0.001)) == ["a", "b"]
    assert matched_labels(faces, list(corners[::-1] * 0.001)) == ["", ""]
    assert matched_labels(faces, list(corners[:1])) == [""]


def test_several_solids_are_zones_and_each_is_closed(folder):
    mesh = tessellate(folder / "three.step", angle=6.0)
    assert list(mesh.zones) == ["solid 1", "solid 2", "solid 3"]
    volumes = sorted(enclosed_volume(mesh.submesh(mesh.cells.take(index))) for index in mesh.zones.values())
    np.testing.assert_allclose(volumes, sorted([1e-6, 4 / 3 * np.pi * 125e-9, np.pi * 9 * 10e-9]), rtol=1e-2)
    assert mesh_report(mesh).components == 3
    assert sorted(np.concatenate(list(mesh.zones.values()))) == list(range(len(mesh.cells)))


def test_a_finer_angle_converges_with_order_two_and_size_bounds_the_edges(folder):
    ball = [enclosed_volume(tessellate(folder / "three.step", angle=angle, size=1.0)) for angle in (30.0, 15.0, 7.5)]
    exact = 1e-6 + 4 / 3 * np.pi * 125e-9 + np.pi * 90e-9
    errors = exact - np.array(ball)
    assert (errors > 0).all()
    assert (np.log2(errors[:-1] / errors[1:]) > 1.6).all()
    mesh = tessellate(folder / "block.step", size=0.004)
    x = mesh.points[mesh.cells.block("triangle")]
    assert np.linalg.norm(np.roll(x, 1, axis=1) - x, axis=2).max() < 1.5 * 0.004


def test_a_sheet_is_open_and_its_area_right(folder):
    mesh = tessellate(folder / "plate.stp")
    assert mesh_report(mesh).closed is False
    assert cell_measures(mesh).sum() == pytest.approx(200e-6, rel=1e-12)
    assert list(mesh.patches) == ["face 1"]


def test_the_same_file_gives_the_same_mesh_whatever_was_read_before(folder):
    first = tessellate(folder / "block.step")
    tessellate(folder / "three.step", angle=40.0)
    again = read_cad(Source.find(folder / "block.step"))
    np.testing.assert_array_equal(again.points, first.points)
    np.testing.assert_array_equal(again.cells.connectivity, first.cells.connectivity)


def test_nothing_is_printed_and_no_session_stays_open(folder, capfd):
    tessellate(folder / "plate.stp")
    with contextlib.suppress(UnreadableFileError):
        tessellate(folder / "line.step")
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
    assert not gmsh.isInitialized()


def bilinear_box(path, unit: int, name: str, size: tuple[float, float, float]) -> None:
    """An IGES file with the six sides of a box as spline surfaces of degree one, which know nothing of each other."""
    corner = [np.array([x, y, z]) * size for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    sides = [(0, 1, 2, 3), (4, 6, 5, 7), (0, 4, 1, 5), (2, 3, 6, 7), (0, 2, 4, 6), (1, 5, 3, 7)]
    head = f"1H,,1H;,3Hbox,7Hbox.igs,5Hgeoop,3H1.0,32,38,6,308,15,3Hbox,1.0,{unit},{len(name)}H{name},1,0.01,13H261121.000000,1E-6,500.0,5Htests,5Hgeoop,11,0;"
    lines = [f"{'box':<72}S{1:7d}"]
    glob = [head[i : i + 72] for i in range(0, len(head), 72)]
    lines += [f"{text:<72}G{i + 1:7d}" for i, text in enumerate(glob)]
    directory, parameters = [], []
    for number, side in enumerate(sides):
        begin = len(parameters) + 1
        values = ["128", "1", "1", "1", "1", "0", "0", "1", "0", "0", *["0.", "0.", "1.", "1."] * 2, *["1."] * 4]
        values += [repr(float(v)) for k in side for v in corner[k]] + ["0.", "1.", "0.", "1."]
        text = ",".join(values) + ";"
        rows, row = [], ""
        for word in re.findall(r"[^,;]+[,;]", text):
            if len(row) + len(word) > 64:
                rows.append(row)
                row = ""
            row += word
        rows.append(row)
        parameters += [f"{r:<64}{2 * number + 1:8d}P{begin + i:7d}" for i, r in enumerate(rows)]
        d = 2 * number + 1
        directory.append(f"{128:8d}{begin:8d}{0:8d}{0:8d}{0:8d}{0:8d}{0:8d}{0:8d}{'00000000':>8}D{d:7d}")
        directory.append(f"{128:8d}{0:8d}{0:8d}{len(rows):8d}{0:8d}{'':8}{'':8}{'':8}{0:8d}D{d + 1:7d}")
    lines += directory + parameters
    lines.append(f"S{1:7d}G{len(glob):7d}D{len(directory):7d}P{len(parameters):7d}{'':40}T{1:7d}")
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(("unit", "name", "metres"), [(2, "MM", 1e-3), (1, "IN", 0.0254), (6, "M", 1.0)], ids=["mm", "inch", "m"])
def test_faces_of_an_iges_file_are_sewn_into_a_closed_surface(tmp_path, unit, name, metres):
    path = tmp_path / "box.igs"
    bilinear_box(path, unit, name, (30.0, 20.0, 10.0))
    mesh = tessellate(path)
    np.testing.assert_allclose(mesh.bounds, [[0, 0, 0], [30 * metres, 20 * metres, 10 * metres]], atol=1e-9 * metres)
    report = mesh_report(mesh)
    assert report.closed and report.sound, report.findings
    assert enclosed_volume(mesh) == pytest.approx(6000 * metres**3, rel=1e-9)
    assert len(mesh.patches) == 6
    assert any("sewn" in note for note in mesh.notes)


@pytest.mark.parametrize("damage", ["cut", "cut but ended", "no entities", "not STEP", "binary", "unknown words"])
def test_damaged_files_raise_the_right_error_and_the_process_lives(folder, tmp_path, damage):
    text = (folder / "block.step").read_text()
    path = tmp_path / "damaged.step"
    content = {
        "cut": text[: len(text) // 2],
        "cut but ended": text[: len(text) // 2] + "\nENDSEC;\nEND-ISO-10303-21;\n",
        "no entities": text[: text.index("DATA;") + 5] + "\nENDSEC;\nEND-ISO-10303-21;\n",
        "not STEP": "solid\nendsolid\n",
        "binary": "\0\1\2" * 100,
        "unknown words": text.replace("CARTESIAN_POINT", "CARTESIAN_PINT"),
    }[damage]
    path.write_text(content)
    with pytest.raises(UnreadableFileError) as caught:
        tessellate(path)
    assert str(path) in str(caught.value)


def test_what_cannot_be_read_is_named(folder, monkeypatch, tmp_path):
    with pytest.raises(UnreadableFileError, match="no faces"):
        tessellate(folder / "line.step")
    (tmp_path / "a.stl").write_text("solid")
    with pytest.raises(UnsupportedFormatError, match="no CAD format"):
        tessellate(tmp_path / "a.stl")
    with pytest.raises(ConfigurationError) as caught:
        tessellate(folder / "block.step", size=-1.0, angle=500.0)
    assert "size" in str(caught.value) and "angle" in str(caught.value)
    monkeypatch.setitem(sys.modules, "gmsh", None)
    with pytest.raises(MissingDependencyError) as missing:
        tessellate(folder / "block.step")
    assert "pip install geoop[cad]" in missing.value.remedy
