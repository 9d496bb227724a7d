"""A mesh seen by finite elements: sizes, patches, curved cells, bad input."""

import numpy as np
import pytest
import skfem

from geoop.errors import InvalidMeshError, PatchError
from geoop.fem.domain import Domain
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh


def square(n=4, name="triangle"):
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, n + 1)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    i = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    quads = np.stack([i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]], axis=-1).reshape(-1, 4)
    cells = quads if name == "quad" else np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    left = np.stack([i[0, :-1], i[0, 1:]], axis=1)
    return Mesh(grid, Cells.of(**{name: cells}), {"left": Cells.of(line=left)}, name="square")


@pytest.mark.parametrize(("name", "element"), [("triangle", "ElementTriP1"), ("triangle", "ElementTriP2"), ("quad", "ElementQuad1")])
def test_area_patch_and_points(name, element):
    mesh = square(name=name)
    domain = Domain.of(mesh)
    basis = domain.basis(getattr(skfem, element)())
    assert basis.dx.sum() == pytest.approx(1.0, abs=1e-14)
    facets = domain.facets("left")
    assert len(facets) == 4 and np.allclose(domain.grid.p[0, domain.grid.facets[:, facets]], 0.0)
    unknown = domain.unknown_of_point(basis)
    assert np.allclose(basis.doflocs.T[unknown], mesh.points)


def disk6(n):
    """A disk of quadratic triangles in rings of six, 12, ...: mid-side points on the circle."""
    from geoop.mesh.generate.triangles import mesh_inside
    from geoop.mesh.primitives import circle

    mesh = mesh_inside(circle(n), size=2 * np.pi / n)
    t = mesh.cells.block("triangle")
    edges, inverse = np.unique(np.sort(t[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0, return_inverse=True)
    middle = mesh.points[edges].mean(axis=1)
    rim = (np.linalg.norm(mesh.points, axis=1) > 1 - 1e-9)[edges].all(axis=1)
    middle[rim] /= np.linalg.norm(middle[rim], axis=1)[:, None]
    return Mesh(np.concatenate([mesh.points, middle]), Cells.of(triangle6=np.concatenate([t, len(mesh.points) + inverse.reshape(-1, 3)], axis=1)))


def test_quadratic_triangles_bend():
    pytest.importorskip("gmsh")
    error = []
    for n in (32, 64, 128):
        domain = Domain.of(disk6(n))
        error.append(abs(domain.basis(skfem.ElementTriP2(), 4).dx.sum() - np.pi))
    assert np.log2(error[0] / error[1]) > 3.5 and np.log2(error[1] / error[2]) > 3.5


def test_bad_input():
    with pytest.raises(InvalidMeshError, match="no cell of dimension 2"):
        Domain.of(Mesh(np.zeros((1, 2)), Cells.of(vertex=np.zeros((1, 1), int))))
    mesh = square()
    with pytest.raises(PatchError, match="no patch 'right'"):
        Domain.of(mesh).facets("right")
    wrong = Mesh(mesh.points, mesh.cells, {"diagonal": Cells.of(line=np.array([[0, 24]]))})
    with pytest.raises(PatchError, match="1 of 1 facets"):
        Domain.of(wrong).facets("diagonal")
