"""SU2 meshes: through geoop's reader and meshio's."""

from __future__ import annotations

import meshio
import numpy as np
import pytest

from geoop.io.reading import read
from geoop.io.writing import write
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh


def plane() -> Mesh:
    """A rectangle of nine quads."""
    points = np.array([(i, j / 3) for j in range(4) for i in range(4)])
    quads = [[i + 4 * j, i + 1 + 4 * j, i + 5 + 4 * j, i + 4 + 4 * j] for j in range(3) for i in range(3)]
    return Mesh(points, Cells.of(quad=quads), {"far field": Cells.of(line=[[0, 1], [1, 2], [2, 3]]), "empty": Cells.empty()})


def zoned(apart: bool) -> Mesh:
    """Two squares, with or without common points, whose right and left sides are called 'wall' and 'side'."""
    left = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=float)
    right = left + [1, 0]
    if apart:
        points, cells = np.concatenate([left, right]), [[0, 1, 2, 3], [4, 5, 6, 7]]
        patches = {"zone 1: wall": Cells.of(line=[[3, 0]]), "zone 2: wall": Cells.of(line=[[5, 6]]), "lid": Cells.of(line=[[2, 3]])}
    else:
        points, cells = np.concatenate([left, right[1:3]]), [[0, 1, 2, 3], [1, 4, 5, 2]]
        patches = {"wall": Cells.of(line=[[3, 0], [4, 5]])}
    return Mesh(points, Cells.of(quad=cells), patches, {"zone 1": np.array([0]), "zone 2": np.array([1])})


def test_plane_mesh(tmp_path):
    mesh = plane()
    done = write(mesh, tmp_path / "a.su2")
    back = read(done.path)
    assert np.array_equal(back.points, mesh.points) and [list(c) for c in back.cells] == [list(c) for c in mesh.cells]
    assert sorted(back.patches) == ["empty", "far_field"] and any("far_field" in note for note in done.notes)
    full = Mesh(mesh.points, mesh.cells, {"far": mesh.patches["far field"]})  # meshio stumbles over a marker without elements
    theirs = meshio.read(write(full, tmp_path / "b.su2").path)
    assert np.array_equal(theirs.points, mesh.points) and sum(len(b.data) for b in theirs.cells if b.type == "quad") == len(mesh.cells)


def test_cells_of_several_types_keep_their_order(tmp_path):
    points = np.random.default_rng(0).random((12, 3))
    rows = [("wedge", 6), ("tetra", 4), ("hexahedron", 8), ("pyramid", 5), ("tetra", 4)]
    cells = Cells.concatenate([Cells.of({name: np.roll(np.arange(12), k)[None, :size]}) for k, (name, size) in enumerate(rows)])
    faces = Cells.concatenate([Cells.of(quad=[[0, 1, 2, 3]]), Cells.of(triangle=[[2, 3, 4]]), Cells.of(quad=[[4, 5, 6, 7]])])
    back = read(write(Mesh(points, cells, {"skin": faces}), tmp_path / "a.su2").path)
    assert [list(c) for c in back.cells] == [list(c) for c in cells] and [list(c) for c in back.patches["skin"]] == [list(c) for c in faces]
    assert back.cells.types.tolist() == cells.types.tolist() and np.array_equal(back.points, points)


def test_zones_that_share_no_points(tmp_path):
    mesh = zoned(apart=True)
    back = read(write(mesh, tmp_path / "a.su2").path)
    assert "NZONE= 2" in (tmp_path / "a.su2").read_text() and np.array_equal(back.points, mesh.points)
    assert {name: index.tolist() for name, index in back.zones.items()} == {"zone 1": [0], "zone 2": [1]}
    assert {name: part.block("line").tolist() for name, part in back.patches.items()} == {
        "zone 1: wall": [[3, 0]], "lid": [[2, 3]], "zone 2: wall": [[5, 6]],
    }  # fmt: skip


@pytest.mark.parametrize("change", ["shared points", "overlap", "facet between zones"])
def test_other_zones_are_left_out_and_said(tmp_path, change):
    mesh = zoned(apart=change != "shared points")
    if change == "overlap":
        mesh = Mesh(mesh.points, mesh.cells, mesh.patches, {"zone 1": np.array([0, 1]), "zone 2": np.array([1])})
    elif change == "facet between zones":
        mesh = Mesh(mesh.points, mesh.cells, {"gap": Cells.of(line=[[1, 4]])}, mesh.zones)
    done = write(mesh, tmp_path / "a.su2")
    assert not read(done.path).zones and any("the zones zone 1, zone 2" in note for note in done.notes)


def test_real_mesh_comes_back(tmp_path, shared_data):
    mesh = read(shared_data / "su2" / "naca0012_euler_fixedcl" / "mesh_NACA0012_inv.su2")
    back = read(write(mesh, tmp_path / "a.su2").path)
    assert np.array_equal(back.points, mesh.points) and np.array_equal(back.cells.connectivity, mesh.cells.connectivity)
    assert {name: part.connectivity.tolist() for name, part in back.patches.items()} == {
        name: part.connectivity.tolist() for name, part in mesh.patches.items()
    }
