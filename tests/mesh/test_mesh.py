"""What a mesh keeps cannot be changed by anybody, and is copied only where it could be."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import InvalidMeshError, PatchError
from geoop.mesh.cells import Cells
from geoop.mesh.generate.grid import grid
from geoop.mesh.mesh import Mesh


def frozen(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.zeros((3, 3)),
        lambda: frozen(np.zeros((4, 3))[:3]),  # its base can still be written to
        lambda: np.asfortranarray(np.zeros((3, 3))),
        lambda: frozen(np.frombuffer(bytearray(72)).reshape(3, 3)),
    ],
    ids=["plain", "view", "fortran", "buffer"],
)
def test_points_that_somebody_may_change_are_copied(make):
    points = make()
    mesh = Mesh(points)
    assert not np.shares_memory(mesh.points, points) and not mesh.points.flags.writeable and mesh.points.flags.c_contiguous


def test_points_that_nobody_can_change_are_shared():
    mesh = Mesh(np.random.default_rng(0).random((5, 3)))
    assert mesh.moved(mesh.points).points is mesh.points
    assert Mesh(mesh.points[1:3]).points.shape == (2, 3)


def test_values_that_are_not_coordinates_are_brought_to_them():
    assert Mesh([[0, 0], [1, 1]]).points.dtype == np.float64
    assert Mesh(frozen(np.zeros((2, 3), np.float32))).points.dtype == np.float64


@pytest.mark.parametrize("wrong", [-1, 4])
def test_indices_outside_are_named(wrong):
    cells = Cells.of(triangle=[[0, 1, 2], [1, 2, wrong]])
    assert cells.index_range == (min(wrong, 0), max(wrong, 2))
    with pytest.raises(InvalidMeshError, match=rf"{min(wrong, 0)}\.\.{max(wrong, 2)}, but there are 4 points"):
        Mesh(np.zeros((4, 3)), cells)


def test_one_point_that_is_not_finite_is_counted():
    points = np.zeros((5, 3))
    points[3, 1:] = np.nan
    with pytest.raises(InvalidMeshError, match="1 of 5 points"):
        Mesh(points)


@pytest.mark.parametrize(
    ("types", "offsets", "words"),
    [
        ([5, 5], [0, 3, 5], "1 triangle cells do not have 3 points"),
        ([5, 9], [0, 3, 5], "1 quad cells do not have 4 points"),
        ([7, 7], [0, 3, 5], "1 polygon cells do not have >= 3 points"),
        ([5, 5], [0, 6, 5], "do not describe 2 cells"),
        ([5, 5], [1, 3, 5], "do not describe 2 cells"),
        ([5, 99], [0, 3, 5], r"unknown VTK cell ids \[99\]"),
        ([42, 42], [0, 3, 5], "2 polyhedra without faces|do not have >= 4 points"),
    ],
)
def test_cells_are_checked_whole(types, offsets, words):
    with pytest.raises(InvalidMeshError, match=words):
        Cells(np.array(types), np.array(offsets), np.arange(5))


def test_no_cells():
    cells = Cells.empty()
    assert cells.index_range == (0, -1) and cells.dimension == -1 and cells.names == []


def test_an_empty_patch_is_kept_and_has_no_mesh():
    mesh = Mesh(np.eye(3), Cells.of(triangle=np.array([[0, 1, 2]])), {"nothing": Cells.empty()})
    assert len(mesh.patches["nothing"]) == 0 and len(mesh.patch_points("nothing")) == 0
    with pytest.raises(PatchError, match="'nothing' has no facets"):
        mesh.patch("nothing")


def test_a_mesh_without_patches_says_so():
    with pytest.raises(PatchError, match="no patch 'wall'") as caught:
        Mesh(np.eye(3), Cells.of(triangle=np.array([[0, 1, 2]]))).patch("wall")
    assert caught.value.remedy.startswith("the mesh has no patches: ")


def test_a_moved_mesh_has_the_same_cells_and_a_cut_or_renumbered_one_has_not():
    mesh = grid((3, 2))
    assert mesh.same_cells(mesh.moved(2.0 * mesh.points)) and mesh.same_cells(mesh)
    assert not mesh.same_cells(grid((3, 2), simplices=True))
    assert not mesh.same_cells(grid((2, 3)))  # as many points and cells, other ones
    tetrahedron = Mesh(np.eye(4, 3), Cells.of(tetra=np.array([[0, 1, 2, 3]])))
    assert not tetrahedron.same_cells(Mesh(np.eye(4, 3), Cells.of(quad=np.array([[0, 1, 2, 3]]))))
