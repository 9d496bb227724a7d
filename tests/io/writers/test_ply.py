"""PLY, read by trimesh and pyvista; fields with units by geoop."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv
import trimesh

from geoop.errors import UnsupportedFormatError
from geoop.io.reading import read_case
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import icosphere
from geoop.mesh.quantity import QUANTITIES, Field, Quantity


@pytest.mark.parametrize("text", [False, True])
def test_other_readers(tmp_path, text):
    mesh = icosphere(1)
    done = write(Case(mesh, fields={"pressure": Field(QUANTITIES["pressure"], mesh.points[:, 0])}), tmp_path / "a.ply", text=text)
    theirs = trimesh.load(done.path, process=False)
    assert np.array_equal(theirs.vertices, mesh.points) and np.array_equal(theirs.faces, mesh.cells.block("triangle"))
    assert pv.read(done.path).n_cells == len(mesh.cells)


@pytest.mark.parametrize("text", [False, True])
def test_fields_of_every_rank_and_kind(tmp_path, text):
    rng = np.random.default_rng(0)
    points = rng.random((7, 3))
    cells = Cells.concatenate([Cells.of(triangle=[[0, 1, 2]], quad=[[1, 2, 3, 4]]), Cells.ragged("polygon", [np.array([2, 3, 4, 5, 6])])])
    items = [
        Field(QUANTITIES["velocity"], rng.random((7, 3))),
        Field(Quantity("stress", "s", "kg/(m s^2)", 2), rng.random((7, 3, 3))),
        Field(Quantity("flag", "f"), np.arange(7)),
        Field(Quantity("wall name", "w", "Pa s"), rng.random(3), "cell"),
        Field(Quantity("x", "x", "m"), rng.random(7).astype(np.float32)),
        Field(Quantity("force", "F", "N"), np.array(3.0), "global"),
    ]
    done = write(Case(Mesh(points, cells), fields={item.name: item for item in items}), tmp_path / "a.ply", text=text)
    back = read_case(done.path, unit="m")
    assert [list(cell) for cell in back.mesh.cells] == [list(cell) for cell in cells]
    for item, name in zip(items[:4], ("velocity", "stress", "flag", "wall_name"), strict=True):
        assert np.array_equal(back.fields[name].values, item.values) and back.fields[name].quantity.unit == item.quantity.unit
    assert back.fields["flag"].values.dtype.kind == "i" and np.array_equal(back.fields["x_2"].values, items[4].values)
    assert any("force" in note for note in done.notes)


def test_cloud(tmp_path):
    points = np.random.default_rng(0).random((9, 2))
    cloud = Case(Mesh(points), fields={"density": Field(QUANTITIES["density"], points[:, 0])})
    done = write(cloud, tmp_path / "a.ply")
    back = read_case(done.path, unit="m")
    assert np.array_equal(back.mesh.points[:, :2], points) and np.array_equal(back.fields["density"].values, points[:, 0])
    assert any("z = 0" in note for note in done.notes)


def test_faces_with_too_many_points(tmp_path):
    turn = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    disc = Mesh(np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1), Cells.ragged("polygon", [np.arange(300)]))
    with pytest.raises(UnsupportedFormatError, match="face of 300 points"):
        write(disc, tmp_path / "a.ply")
