"""OBJ, read by trimesh and pyvista."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv
import trimesh

from geoop.io.reading import read
from geoop.io.writing import write
from geoop.mesh.cells import Cells
from geoop.mesh.measure import cell_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle, icosphere


def test_other_readers(tmp_path):
    mesh = icosphere(1)
    path = write(mesh, tmp_path / "a.obj").path
    theirs = trimesh.load_mesh(path, process=False)
    assert np.allclose(theirs.vertices, mesh.points) and theirs.is_watertight
    assert pv.read(path).n_cells == len(mesh.cells)


def test_groups_quads_and_names(tmp_path):
    mesh = box(divisions=2)
    renamed = Mesh(mesh.points, mesh.cells, {"in let": mesh.patches["x_min"], "in_let": mesh.patches["x_max"]})
    done = write(renamed, tmp_path / "a.obj")
    back = read(done.path, unit="m")
    assert len(back.cells.where("quad")) == 24 and any("'in let' is written as 'in_let'" in note for note in done.notes)
    places = {name: set(back.points[back.patch_points(name)][:, 0]) for name in ("in_let", "in_let_2")}
    assert places == {"in_let": {0.0}, "in_let_2": {1.0}}


def test_outline(tmp_path):
    ring = circle(12)
    back = read(write(ring, tmp_path / "a.obj").path, unit="m")
    assert np.array_equal(back.points[:, :2], ring.points) and np.array_equal(back.cells.block("line"), ring.cells.block("line"))


@pytest.mark.parametrize("name", ["triangle6", "quad8", "quad9"])
def test_quadratic_faces_are_cut_between_their_nodes(
    tmp_path,
    name,
):
    count = {"triangle6": 6, "quad8": 8, "quad9": 9}[name]
    corners = {"triangle6": [(0, 0), (1, 0), (0, 1)], "quad8": [(0, 0), (1, 0), (1, 1), (0, 1)], "quad9": [(0, 0), (1, 0), (1, 1), (0, 1)]}[name]
    x = np.array(corners, dtype=float)
    x = np.concatenate([x, (x + np.roll(x, -1, axis=0)) / 2, *([[[0.5, 0.5]]] if name == "quad9" else [])])
    mesh = Mesh(np.pad(x, ((0, 0), (0, 1))), Cells.of({name: np.arange(count)[None]}), {"lid": Cells.of({name: np.arange(count)[None]})})
    back = read(write(mesh, tmp_path / "a.obj").path, unit="m")
    assert cell_measures(back).sum() == pytest.approx(cell_measures(mesh).sum()) and len(back.patches["lid"]) == len(back.cells)


def test_vertices_beside_faces_are_left_out_and_said(tmp_path):
    cells = Cells.concatenate([Cells.of(vertex=[[3]]), Cells.of(triangle=[[0, 1, 2]]), Cells.of(line=[[0, 1]])])
    done = write(Mesh(np.eye(4, 3), cells, zones={"probe": [0]}), tmp_path / "a.obj")
    assert "1 vertex cells are left out" in done.notes and any("zones probe" in note for note in done.notes)
    assert read(done.path, unit="m").cells.block("triangle").tolist() == [[0, 1, 2]]
