"""STL, read by trimesh, meshio and pyvista."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv
import trimesh

from geoop.io.reading import read
from geoop.io.writing import write
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, icosphere


@pytest.mark.parametrize("text", [False, True])
def test_other_readers(tmp_path, text):
    mesh = icosphere(2)
    done = write(mesh, tmp_path / "a.stl", unit="mm", text=text)
    theirs = trimesh.load_mesh(done.path)
    assert theirs.is_watertight and len(theirs.faces) == len(mesh.cells) and theirs.volume > 0
    assert pv.read(done.path).n_cells == len(mesh.cells)
    assert theirs.extents == pytest.approx(np.ptp(mesh.points, axis=0) * 1000, rel=1e-6)


def test_stored_normals_point_out(tmp_path):
    done = write(icosphere(1), tmp_path / "a.stl")
    raw = np.frombuffer(done.path.read_bytes()[84:], np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")]))
    centers = raw["corners"].mean(axis=1)
    assert ((raw["normal"] * centers).sum(axis=1) > 0.9).all() and not raw["attribute"].any()


def test_one_solid_per_patch_in_text_only(tmp_path):
    mesh = box()
    open_part = Mesh(mesh.points, mesh.cells, {"top  side": mesh.patches["z_max"], "floor": mesh.patches["z_min"]}, name="crate")
    text = write(open_part, tmp_path / "a.stl", text=True)
    assert {name: len(part) for name, part in read(text.path, unit="m").patches.items()} == {"top side": 2, "floor": 2, "crate": 8}
    binary = write(open_part, tmp_path / "b.stl")
    assert any("binary STL is one solid" in note for note in binary.notes) and any("top  side" in note for note in binary.notes)


def test_what_rounding_costs_is_said(tmp_path):
    far = Mesh(icosphere(1).points * 1e-3 + 1e5, icosphere(1).cells)
    notes = " ".join(write(far, tmp_path / "a.stl").notes)
    assert "80 triangles lose their area" in notes and "0.00" in notes
    text = write(far, tmp_path / "b.stl", text=True)
    assert len(read(text.path, unit="m").points) == 42


def test_concave_polygon_is_cut_inside(tmp_path):
    arrow = np.array([(0, 0, 0), (2, 0, 0), (2, 1, 0), (1, 0.25, 0), (0, 1, 0)], dtype=float)
    done = write(Mesh(arrow, Cells.ragged("polygon", [np.arange(5)])), tmp_path / "a.stl")
    assert trimesh.load_mesh(done.path).area == pytest.approx(1.25)


@pytest.mark.parametrize("text", [False, True])
def test_cells_that_are_no_faces_are_counted(tmp_path, text):
    cells = Cells.concatenate([Cells.of(line=[[0, 1]]), Cells.of(quad=[[0, 1, 2, 3]]), Cells.of(vertex=[[0], [1]])])
    square = Mesh(np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], dtype=float), cells)
    notes = write(square, tmp_path / "a.stl", text=text).notes
    assert {"quad faces are cut into triangles", "1 line cells are left out", "2 vertex cells are left out"} <= set(notes)
    assert len(read(tmp_path / "a.stl", unit="m").cells) == 2


def test_faces_of_no_patch_join_none(tmp_path):
    """The solid of the rest is called like the mesh, unless a patch is called so; a name that changes is said."""
    mesh = box()
    patches = {"crate": mesh.patches["z_max"], "the  lid": mesh.patches["z_min"], "the lid": mesh.patches["x_min"]}
    part = Mesh(mesh.points, mesh.cells, patches, name="crate")
    done = write(part, tmp_path / "a.stl", text=True)
    assert {name: len(cells) for name, cells in read(done.path, unit="m").patches.items()} == {
        "crate": 2,
        "the lid": 2,
        "the lid_2": 2,
        "crate rest": 6,
    }
    assert any("the solid 'crate rest'" in note for note in done.notes) and any("'the  lid' is written as 'the lid'" in note for note in done.notes)
