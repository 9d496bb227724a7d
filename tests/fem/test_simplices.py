"""Mixed cells cut into simplices: they fill the cells, fit together, and keep their patches."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.errors import InvalidMeshError
from geoop.fem.domain import Domain
from geoop.fem.simplices import cut_quads, simplices
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh


@pytest.mark.parametrize("name", ["wedge", "pyramid", "mixed"])
def test_tetrahedra_fill_the_cube_and_fit(name):
    mesh = cube(3, name)
    tetra, owner = simplices(mesh.cells, 3)
    corner = mesh.points[tetra]
    volume = np.abs(np.linalg.det(corner[:, 1:] - corner[:, :1])) / 6
    assert volume.min() > 0 and volume.sum() == pytest.approx(1.0, abs=1e-13)
    assert (np.diff(owner) >= 0).all() and set(owner) == set(range(len(mesh.cells)))
    faces = np.sort(tetra[:, [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]].reshape(-1, 3), axis=1)
    _, count = np.unique(faces, axis=0, return_counts=True)
    assert set(count) == {1, 2} and (count == 1).sum() == 6 * 9 * 2  # only the sides of the cube are open: two triangles per square


def test_patches_of_quads_are_cut_as_the_cells_are():
    domain = Domain.of(cube(3, "mixed"))
    for patch, x in (("x_min", 0.0), ("x_max", 1.0)):
        facets = domain.facets(patch)
        assert len(facets) == 2 * 9 and np.allclose(domain.grid.p[0, domain.grid.facets[:, facets]], x)


def test_the_cut_depends_on_the_numbers_and_not_on_where_they_start():
    rng = np.random.default_rng(0)
    quads = np.stack([rng.permutation(20)[:4] for _ in range(50)])
    triangles = {tuple(sorted(map(tuple, np.sort(cut_quads(np.roll(quads, k, axis=1)).reshape(50, 2, 3), axis=2)[7].tolist()))) for k in range(4)}
    assert len(triangles) == 1


def test_mixed_plane_cells_share_their_points():
    domain = Domain.of(square(4, "mixed"))
    assert domain.grid.t.shape == (3, 32) and np.bincount(domain.cell_of).tolist() == [2] * 8 + [1] * 16
    assert np.array_equal(domain.vertices, np.arange(25))


def test_quadratic_cells_of_several_kinds_are_refused():
    points = np.random.default_rng(0).random((11, 2))
    mesh = Mesh(points, Cells.of(triangle6=np.arange(6)[None], quad=np.arange(4)[None]))
    with pytest.raises(InvalidMeshError, match="quad, triangle6"):
        Domain.of(mesh)
