"""Outlines as straight pieces: the order and direction of the cells, curved ones in two."""

import numpy as np

from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle
from geoop.mesh.segments import straight_segments


def test_straight_lines_are_their_own_pieces():
    outline = circle(12)
    pieces, cell = straight_segments(outline)
    np.testing.assert_array_equal(pieces, outline.cells.block("line"))
    np.testing.assert_array_equal(cell, np.arange(12))


def test_curved_lines_are_two_pieces_through_their_middle_node_in_place():
    points = np.array([(0.0, 0), (1, 0), (2, 0), (1.5, 0.3), (3, 0)])
    lines = Cells.concatenate([Cells.of(line=np.array([[0, 1]])), Cells.of(line3=np.array([[1, 2, 3]])), Cells.of(line=np.array([[2, 4]]))])
    pieces, cell = straight_segments(Mesh(points, lines))
    np.testing.assert_array_equal(pieces, [[0, 1], [1, 3], [3, 2], [2, 4]])
    np.testing.assert_array_equal(cell, [0, 1, 1, 2])
