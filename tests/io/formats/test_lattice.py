"""Cells of structured blocks fill their box, and a direction of one point does not count."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.io.formats.lattice import lattice_cells
from geoop.mesh.measure import signed_measures
from geoop.mesh.mesh import Mesh


@pytest.mark.parametrize(
    ("shape", "name"), [((3, 4, 5), "hexahedron"), ((3, 4), "quad"), ((3, 1, 5), "quad"), ((1, 6, 1), "line"), ((2, 2, 2), "hexahedron")]
)
def test_unit_cells(shape, name):
    axes = np.meshgrid(*(np.arange(n, dtype=float) for n in shape if n > 1), indexing="ij")
    points = np.stack([axis.ravel(order="F") for axis in axes], axis=1)
    if points.shape[1] == 1:
        points = np.pad(points, [(0, 0), (0, 1)])
    mesh = Mesh(points, lattice_cells(shape))
    assert mesh.cells.names == [name] and len(mesh.cells) == np.prod([n - 1 for n in shape if n > 1])
    assert np.allclose(signed_measures(mesh), 1.0)


def test_a_single_point_has_no_cells():
    assert len(lattice_cells((1, 1, 1))) == 0
