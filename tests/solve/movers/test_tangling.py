"""Folded cells are found on their own corners, and a move that folds is taken back as far as it must be."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.solve.movers.tangling import Folding, inverted_cells


def test_a_quad_with_positive_area_that_folds_at_one_corner_is_found():
    quad = Mesh(np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]), Cells.of(quad=np.arange(4)[None]))
    dented = np.array([[0.0, 0], [1, 0], [0.3, 0.3], [0, 1]])
    assert inverted_cells(quad, dented).tolist() == [True]
    np.testing.assert_allclose(Folding(quad).jacobians(dented), [-0.4])
    assert inverted_cells(quad, quad.points).tolist() == [False]


@pytest.mark.parametrize("mesh", [square(4), square(4, "quad"), cube(2), cube(2, "wedge"), cube(2, "pyramid"), cube(3, "mixed")], ids=str)
def test_a_reflection_inverts_every_cell_and_a_rotation_none(mesh):
    reflected = mesh.points * np.array([-1.0, 1.0, 1.0])[: mesh.dimension]
    assert inverted_cells(mesh, reflected).all()
    assert not inverted_cells(mesh, np.roll(reflected, 1, axis=1) if mesh.dimension == 2 else mesh.points[:, [1, 2, 0]]).any()


def test_polygons_count_by_their_area_and_flat_cells_as_folded():
    mesh = Mesh(np.array([[0.0, 0], [1, 0], [1.5, 1], [0.5, 2], [-0.5, 1]]), Cells.ragged("polygon", [np.arange(5)]))
    assert not inverted_cells(mesh, mesh.points).any()
    assert inverted_cells(mesh, mesh.points * [1.0, 0.0]).all()
    triangle = Mesh(np.array([[0.0, 0], [1, 0], [0, 1]]), Cells.of(triangle=np.array([[0, 1, 2]])))
    assert inverted_cells(triangle, np.array([[0.0, 0], [1, 0], [2, 0]])).all()


def test_a_move_goes_as_far_as_no_cell_folds():
    """The middle point may go right by less than one cell: of a goal at 1.6 cells just over half the way is left."""
    mesh = square(2)
    goal = np.array(mesh.points)
    goal[4, 0] += 0.8
    points, share, bad = Folding(mesh).untangled(goal, lambda p: p)
    assert bad == 2
    assert share == 0.6
    assert not inverted_cells(mesh, points).any()
    points, share, _ = Folding(mesh).untangled(mesh.points + 0.1, lambda p: p)
    assert share == 1.0
    np.testing.assert_allclose(points, mesh.points + 0.1)
    points, share, bad = Folding(mesh).untangled(mesh.points, lambda p: -p * [-1.0, 1.0])
    assert share == 1.0
    turned = mesh.points * [-1.0, 1.0]
    points, share, bad = Folding(mesh).untangled(turned, lambda p: turned)
    assert (share, bad) == (0.0, 8)
    np.testing.assert_array_equal(points, mesh.points)
