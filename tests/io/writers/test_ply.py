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
from tests.mesh.cell_zoo import UNIT_CELLS


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


def test_names_that_change_are_said(tmp_path):
    item = Field(Quantity("nan field", "n", "?"), np.zeros(12))
    done = write(Case(icosphere(0), fields={item.name: item}), tmp_path / "a.ply")
    assert any("'nan field' is written as 'nan_field'" in note for note in done.notes) and "nan_field" in read_case(done.path, unit="m").fields
    plain = Field(QUANTITIES["pressure"], np.zeros(12))
    assert not any("is written as" in note for note in write(Case(icosphere(0), fields={"pressure": plain}), tmp_path / "a.ply").notes)


def test_lines_beside_faces_go_into_vtu(tmp_path):
    """The remedy of the error holds what PLY cannot: a .vtp does not."""
    mesh = Mesh(np.eye(4, 3), Cells.concatenate([Cells.of(triangle=[[0, 1, 2]]), Cells.of(line=[[0, 1]])]))
    with pytest.raises(UnsupportedFormatError, match="not line cells") as caught:
        write(mesh, tmp_path / "a.ply")
    assert ".vtu" in caught.value.remedy and ".vtp" not in caught.value.remedy
    assert write(mesh, tmp_path / "a.vtu").notes == ()


def test_what_quadratic_faces_lose_is_said(tmp_path):
    """Values on a patch go when its faces are cut, and are named."""
    nodes, _ = UNIT_CELLS["triangle6"]
    cells = Cells.of(triangle6=[np.arange(6)])
    mesh = Mesh(np.pad(nodes, ((0, 0), (0, 3 - nodes.shape[1]))), cells, {"skin": cells})
    case = Case(mesh, boundary={"skin": {"pressure": Field(QUANTITIES["pressure"], np.ones(1), "facet")}})
    for suffix in (".ply", ".obj"):
        assert any("values on the patches skin" in note for note in write(case, tmp_path / f"a{suffix}").notes)


def test_large_whole_numbers_and_names_in_any_language(tmp_path):
    """PLY's integers have 32 bits: larger ones are written as doubles; names come back letter by letter."""
    mesh = Mesh(np.eye(3), Cells.of(triangle=np.array([[0, 1, 2]])))
    values = {"größe": np.array([1, 2, 3]), "id": np.array([2**40, -(2**35), 7])}
    case = Case(mesh, fields={name: Field(Quantity(name, name), array) for name, array in values.items()})
    for text in (False, True):
        back = read_case(write(case, tmp_path / f"a{text}.ply", text=text).path, unit="m")
        for name, array in values.items():
            np.testing.assert_array_equal(back.field(name).values, array)
