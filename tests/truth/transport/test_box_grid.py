"""Places of a grid of equal cells."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.truth.transport.box_grid import BoxGrid


def test_centres_faces_and_nodes():
    grid = BoxGrid((4, 3), (0.0, -1.0), (2.0, 2.0))
    assert grid.dimension == 2 and grid.spacing.tolist() == [0.5, 1.0]
    assert grid.centers.shape == (4, 3, 2) and grid.nodes.shape == (5, 4, 2)
    np.testing.assert_allclose(grid.centers, 0.25 * (grid.nodes[1:, 1:] + grid.nodes[:-1, 1:] + grid.nodes[1:, :-1] + grid.nodes[:-1, :-1]))
    for axis in range(2):
        faces = grid.faces(axis)
        np.testing.assert_allclose(
            0.5 * (faces.take(range(1, faces.shape[axis]), axis) + faces.take(range(faces.shape[axis] - 1), axis)), grid.centers
        )


def test_bad_input():
    for shape, lower, upper in (
        ((2,), (0,), (1,)),
        ((4, 4), (0,), (1,)),
        ((4,), (1,), (1,)),
        ((4, 4, 4), (0, 0, 0), (1, 1, 1)),
        ((4,), (0,), (np.inf,)),
    ):
        with pytest.raises(ConfigurationError, match="are no grid"):
            BoxGrid(shape, lower, upper)
