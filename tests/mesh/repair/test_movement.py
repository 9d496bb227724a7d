"""The distance between two surfaces: exact where it is known, the same both ways, nothing where nothing changed."""

import numpy as np
import pytest

from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import box, circle, icosphere
from geoop.mesh.repair.movement import moved_distance


def test_numbering_and_direction_are_no_movement():
    sphere = icosphere(2)
    rng = np.random.default_rng(0)
    order = rng.permutation(162)
    back = np.empty(162, dtype=int)
    back[order] = np.arange(162)
    shuffled = Mesh(sphere.points[order], reversed_cells(sphere.cells, rng.random(320) < 0.5).renumbered(back).take(rng.permutation(320)))
    assert moved_distance(sphere, shuffled) == 0


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("mesh", [icosphere(2), circle(60), box((0, 0, 0), (1, 1, 1), 3)], ids=["sphere", "circle", "box"])
def test_a_shift_is_at_most_its_length_and_seen_both_ways(mesh, scale):
    shift = np.zeros(mesh.dimension)
    shift[0] = 0.01 * scale
    one, two = mesh.moved(mesh.points * scale), mesh.moved(mesh.points * scale + shift)
    assert moved_distance(one, two) == pytest.approx(0.01 * scale, rel=0.02)
    assert moved_distance(one, two) == moved_distance(two, one)


def test_one_corner_pulled_out():
    flat = Mesh(
        np.array([(0.0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0.5, 0.5, 0)]), Cells.of(triangle=[[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    )
    points = flat.points.copy()
    points[4, 2] = 0.1
    assert moved_distance(flat, flat.moved(points)) == pytest.approx(0.1)


def test_a_missing_part_counts_with_its_distance():
    quads = Cells.of(quad=np.array([[0, 1, 2, 3], [4, 5, 6, 7]]))
    square = np.array([(0.0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)])
    both = Mesh(np.concatenate([square, square + [0, 0, 3]]), quads)
    assert moved_distance(both, Mesh(square, quads.take([0]))) == pytest.approx(3.0)
    assert moved_distance(Mesh(square, quads.take([0])), both) == pytest.approx(3.0)


def test_a_plane_cut_in_another_way_has_not_moved():
    points = np.array([(0.0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]) @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    one, two = (Mesh(points, Cells.of(triangle=rows)) for rows in ([[0, 1, 2], [0, 2, 3]], [[0, 1, 3], [1, 2, 3]]))
    assert moved_distance(one, two) < 1e-15


def test_the_middle_node_of_a_curved_line_counts():
    line = Cells.of(line3=np.array([[0, 1, 2]]))
    up, down = (Mesh(np.array([(0.0, 0), (1, 0), (0.5, y)]), line) for y in (0.5, -0.5))
    assert moved_distance(up, down) == pytest.approx(np.sqrt(0.5))  # from the tip to the nearest end
    assert moved_distance(up, Mesh(np.array([(0.0, 0), (1, 0)]), Cells.of(line=np.array([[0, 1]])))) == pytest.approx(0.5)
