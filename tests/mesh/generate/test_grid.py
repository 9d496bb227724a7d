"""Grids of rectangles and boxes: equal cells that fill them, faces that fit, sides that point outward."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.generate.grid import grid
from geoop.mesh.measure import facet_normals, signed_measures
from geoop.mesh.topology import sides


@pytest.mark.parametrize("simplices", [False, True], ids=["boxes", "simplices"])
@pytest.mark.parametrize("divisions", [(3, 2), (2, 3, 4)])
def test_cells_are_equal_and_upright_and_their_faces_fit(divisions, simplices):
    d = len(divisions)
    mesh = grid(divisions, lower=[-1.0] * d, upper=[2.0, 3.0, 5.0][:d], simplices=simplices)
    volume, pieces = np.prod([3.0, 4.0, 6.0][:d]), {2: 2, 3: 6}[d] if simplices else 1
    assert len(mesh.cells) == pieces * np.prod(divisions)
    np.testing.assert_allclose(signed_measures(mesh), volume / len(mesh.cells), rtol=1e-12)
    listed = sides(mesh, np.arange(len(mesh.points)))
    _, counts = np.unique(np.sort(listed.corners, axis=1), axis=0, return_counts=True)
    boundary = sum(len(cells) for cells in mesh.patches.values())
    assert set(counts) == {1, 2} and (counts == 1).sum() == boundary
    rims = {tuple(sorted(row)) for cells in mesh.patches.values() for name in cells.names for row in cells.block(name).tolist()}
    lone = np.unique(np.sort(listed.corners, axis=1), axis=0)[counts == 1]
    assert rims == {tuple(x for x in row if x >= 0) for row in lone.tolist()}


@pytest.mark.parametrize("simplices", [False, True], ids=["boxes", "simplices"])
@pytest.mark.parametrize("d", [2, 3])
def test_sides_are_named_lie_where_they_say_and_point_outward(d, simplices):
    mesh = grid((3, 4, 2)[:d], simplices=simplices)
    for axis, letter in enumerate("xyz"[:d]):
        for end, value in (("min", 0.0), ("max", 1.0)):
            side = mesh.patch(f"{letter}_{end}")
            np.testing.assert_array_equal(mesh.points[mesh.patch_points(f"{letter}_{end}"), axis], value)
            expected = np.zeros(d)
            expected[axis] = 1.0 if end == "max" else -1.0
            np.testing.assert_allclose(facet_normals(side), np.tile(expected, (len(side.cells), 1)), atol=1e-14)


def test_values_at_the_points_are_the_grid():
    mesh = grid((2, 3), upper=(4.0, 6.0))
    np.testing.assert_allclose(mesh.points[:, 0].reshape(3, 4)[:, 0], [0, 2, 4])
    np.testing.assert_allclose(mesh.points[:, 1].reshape(3, 4)[0], [0, 2, 4, 6])


@pytest.mark.parametrize(
    ("divisions", "corners"),
    [
        ((3,), {}),
        ((3, 0), {}),
        ((3, 2.5), {}),
        ((3, np.nan), {}),
        ((3, np.inf), {}),
        ((2, 2), {"upper": (1.0, 0.0)}),
        ((2, 2), {"lower": (0.0,)}),
        ((2, 2), {"upper": (np.nan, 1.0)}),
    ],
)
def test_what_is_no_grid_is_refused(divisions, corners):
    with pytest.raises(ConfigurationError, match="divisions"):
        grid(divisions, **corners)
