"""A repaired file: written in the unit it came in, with its patches and fields, and never over the input."""

from __future__ import annotations

import os

import numpy as np
import pytest

from geoop.errors import ConfigurationError, GeoopError
from geoop.io.inspection import inspect
from geoop.io.reading import read, read_case
from geoop.io.repair import repair_file
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import icosphere


def write_stl(path, mesh, rows, solids=("body",), scale=1.0):
    """Facets of a mesh as text STL, dealt out to the solids in turn."""
    lines = []
    for k, name in enumerate(solids):
        lines.append(f"solid {name}")
        for row in mesh.cells.block("triangle")[rows][k :: len(solids)]:
            corners = "".join(f"vertex {x!r} {y!r} {z!r}\n" for x, y, z in (scale * mesh.points[row]).tolist())
            lines.append(f"facet normal 0 0 0\nouter loop\n{corners}endloop\nendfacet")
        lines.append(f"endsolid {name}")
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def holed(tmp_path):
    """A sphere of diameter 200 with a facet missing and ten repeated."""
    sphere = icosphere(3)
    return write_stl(tmp_path / "ball.stl", sphere, np.concatenate([np.arange(1, 1280), np.arange(5, 15)]), scale=100.0)


@pytest.mark.parametrize("unit", [None, "mm", "in"])
def test_the_same_numbers_come_back_whatever_the_unit(holed, tmp_path, unit):
    found = repair_file(holed, tmp_path / "out.stl", unit=unit)
    before, after = read(holed, unit="m"), read(tmp_path / "out.stl", unit="m")
    assert found.written == (str(tmp_path / "out.stl"),) and found.left == ()
    assert found.length_unit == ("file unit" if unit is None else "m")
    np.testing.assert_allclose(after.bounds, before.bounds, rtol=1e-6)
    assert list(after.patches) == ["body"] and len(after.cells) == 1280
    assert inspect(tmp_path / "out.stl").report.closed and inspect(tmp_path / "out.stl").report.enclosed > 0
    assert any("its unit, whichever" in note for note in found.notes) == (unit is None)
    assert any(f"written in {unit or 'm'}" in note for note in found.notes) == (unit is not None)
    text = " ".join(found.changes)
    assert "10 cells that repeat" in text and "1 hole was closed" in text and "patch 'body' got 1" in text
    assert "repaired into" in str(found) and "moved by" in str(found) and "that coincide" in str(found)


def test_patch_names_survive_and_a_second_repair_changes_nothing(tmp_path):
    path = write_stl(tmp_path / "a.stl", icosphere(3), np.arange(3, 1280), solids=("hull", "deck"))
    repair_file(path, tmp_path / "b.stl", max_hole=0.5)
    again = repair_file(tmp_path / "b.stl", tmp_path / "c.stl", max_hole=0.5)
    assert again.changes == () and again.moved == 0 and "nothing was wrong" in str(again)
    assert {"hull", "deck"} <= set(read(tmp_path / "c.stl", unit="m").patches)


def test_fields_of_a_solver_file_are_carried_over(tmp_path):
    from geoop.io.paraview import write_case
    from geoop.mesh.case import Case
    from geoop.mesh.mesh import Mesh
    from geoop.mesh.quantity import QUANTITIES, Field

    sphere = icosphere(3)
    mesh = Mesh(sphere.points, sphere.cells.take(np.arange(1, 1280)), {"wall": sphere.cells.take(np.arange(1, 1280))})
    write_case(Case(mesh).with_fields(Field(QUANTITIES["pressure"], sphere.points[:, 2])), tmp_path / "a.vtu")
    repair_file(tmp_path / "a.vtu", tmp_path / "b.vtu")
    after = read_case(tmp_path / "b.vtu")
    np.testing.assert_array_equal(after.fields["pressure"].values, after.mesh.points[:, 2])
    assert len(after.mesh.patches["wall"]) == 1280


def test_parts_go_to_files_of_their_own(tmp_path):
    text = ""
    for k, name in enumerate(("left", "right")):
        path = write_stl(tmp_path / "one.stl", icosphere(k + 1, 1.0, (5.0 * k, 0, 0)), np.arange(80 * 4**k), solids=(name,))
        text += path.read_text() + "\n"
    (tmp_path / "two.stl").write_text(text)
    found = repair_file(tmp_path / "two.stl", tmp_path / "out.stl", parts=True)
    assert found.written == (str(tmp_path / "out_1.stl"), str(tmp_path / "out_2.stl")) and not (tmp_path / "out.stl").exists()
    assert [list(read(file, unit="m").patches) for file in found.written] == [["right"], ["left"]]
    assert [len(read(file, unit="m").cells) for file in found.written] == [320, 80]


def test_a_part_never_falls_on_the_input(tmp_path):
    a, b = icosphere(1), icosphere(1, 1.0, (5.0, 0, 0))
    one, two = (write_stl(tmp_path / f"{k}.stl", mesh, np.arange(80)).read_text() for k, mesh in (("p", a), ("q", b)))
    (tmp_path / "out_1.stl").write_text(one + "\n" + two)
    with pytest.raises(ConfigurationError, match="over the input"):
        repair_file(tmp_path / "out_1.stl", tmp_path / "out.stl", parts=True)
    assert (tmp_path / "out_1.stl").read_text() == one + "\n" + two


@pytest.mark.parametrize("link", ["same", "relative", "symbolic", "hard"])
def test_the_input_is_never_written_over(holed, tmp_path, link, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = holed.read_bytes()
    out = {"same": holed, "relative": os.path.join("..", tmp_path.name, "ball.stl"), "symbolic": tmp_path / "s.stl", "hard": tmp_path / "h.stl"}[link]
    if link == "symbolic":
        out.symlink_to(holed)
    if link == "hard":
        os.link(holed, out)
    with pytest.raises(ConfigurationError, match="output is the input"):
        repair_file(holed, out)
    assert holed.read_bytes() == before


def test_all_that_is_wrong_is_one_message(tmp_path):
    """A copy of an STL file as .vtu would be the input and would claim metres; only the second can be wrong for another name."""
    path = write_stl(tmp_path / "a.stl", icosphere(1), np.arange(80))
    with pytest.raises(ConfigurationError, match="hold metres"):
        repair_file(path, tmp_path / "a.vtu")
    with pytest.raises(ConfigurationError, match="no writer for '.off'"):
        repair_file(path, tmp_path / "a.off")
    link = tmp_path / "b.vtu"
    link.symlink_to(path)
    with pytest.raises(ConfigurationError) as caught:
        repair_file(path, link)
    assert "output is the input" in caught.value.message and "hold metres" in caught.value.message


def test_what_is_left_and_what_the_format_lost_are_said(tmp_path):
    sphere = icosphere(3)
    rows = np.flatnonzero(sphere.points[sphere.cells.block("triangle"), 2].min(axis=1) <= 0.5)
    path = write_stl(tmp_path / "a.stl", sphere, rows, solids=("hull", "deck"))
    found = repair_file(path, tmp_path / "b.ply", unit="ft")
    assert len(found.left) == 1 and f"geoop inspect {tmp_path / 'b.ply'} --unit ft --repair OUT --max-hole" in found.left[0]
    assert any("hull" in note or "patch" in note for note in found.notes)
    np.testing.assert_allclose(read(tmp_path / "b.ply", unit="m").bounds, read(path, unit="m").bounds, rtol=1e-6)


@pytest.mark.parametrize(("options", "words"), [({"unit": "parsec"}, "parsec"), ({"tolerance": -1.0, "max_hole": -1.0}, "max_hole")])
def test_bad_options_write_nothing(holed, tmp_path, options, words):
    with pytest.raises(GeoopError, match=words):
        repair_file(holed, tmp_path / "out.stl", **options)
    assert not (tmp_path / "out.stl").exists()


def test_missing_and_empty_inputs(tmp_path):
    with pytest.raises(GeoopError, match="no such file"):
        repair_file(tmp_path / "a.stl", tmp_path / "b.stl")
    (tmp_path / "c.stl").write_bytes(b"")
    with pytest.raises(GeoopError, match="empty"):
        repair_file(tmp_path / "c.stl", tmp_path / "b.stl")


def test_the_way_moved_is_said_to_be_a_lower_bound(holed, tmp_path):
    found = repair_file(holed, tmp_path / "out.stl")
    assert found.moved > 0 and f"at least {found.moved:.3g} file unit" in str(found)
    assert "moved by      0 file unit" in str(repair_file(tmp_path / "out.stl", tmp_path / "again.stl"))


def test_patches_without_facets_come_through(tmp_path):
    sphere = icosphere(1)
    mesh = Mesh(sphere.points, sphere.cells.take(np.arange(1, 80)), {"empty": Cells.empty(), "all": sphere.cells.take(np.arange(1, 80))})
    write(Case(mesh), tmp_path / "in.vtu")
    assert ("empty", 0, 0.0) in [(item.name, item.facets, item.measure) for item in inspect(tmp_path / "in.vtu").patches]
    assert repair_file(tmp_path / "in.vtu", tmp_path / "out.vtu", max_hole=1.0, parts=True).left == ()
    assert {name: len(part) for name, part in read(tmp_path / "out.vtu").patches.items()} == {"empty": 0, "all": 80}
