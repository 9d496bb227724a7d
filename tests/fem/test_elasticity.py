"""Forms of vector fields: the pattern of the matrix, scikit-fem's own assembly, loads, folded cells."""

import numpy as np
import pytest
import skfem
from skfem.models.elasticity import linear_elasticity

from geoop.errors import InvalidMeshError
from geoop.fem.elasticity import Displacements, Pattern
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh


def triangles(points=((0.0, 0), (1, 0), (1, 1), (0, 1), (0.4, 0.6))):
    cells = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    return Mesh(np.array(points), Cells.of(triangle=cells), {"right": Cells.of(line=np.array([[1, 2]])), "left": Cells.of(line=np.array([[3, 0]]))})


def isotropic(l, mu, d):
    one = np.eye(d)
    return l * np.einsum("ik,jl->ikjl", one, one) + mu * (np.einsum("ij,kl->ikjl", one, one) + np.einsum("il,jk->ikjl", one, one))


def test_pattern_sums_like_a_dense_matrix():
    random = np.random.default_rng(0)
    nodes = np.array([random.permutation(7)[:3] for _ in range(9)])
    values = random.normal(size=(9, 3, 3))
    dense = np.zeros((7, 7))
    for row, block in zip(nodes, values, strict=True):
        dense[np.ix_(row, row)] += block
    pattern = Pattern.of(nodes, 7)
    assert np.allclose(pattern.matrix(pattern.summed(values)).toarray(), dense, atol=1e-14)
    blocks = random.normal(size=(len(pattern.indices), 2, 2))
    assert np.allclose(pattern.matrix(blocks).toarray()[0::2, 1::2], pattern.matrix(blocks[:, 0, 1]).toarray())


@pytest.mark.parametrize("degree", [1, 2])
def test_stiffness_is_that_of_scikit_fem(degree):
    """Its own linear elasticity on a vector element, whose unknowns are numbered node by node too, up to their order."""
    fields = Displacements.of(triangles(), degree)
    element = skfem.ElementVector([skfem.ElementTriP1(), skfem.ElementTriP2()][degree - 1])
    basis = skfem.Basis(fields.space.domain.grid, element, intorder=4)
    theirs = linear_elasticity(1.3, 0.7).assemble(basis)
    ours = fields.stiffness(isotropic(1.3, 0.7, 2))
    order = np.array(
        [[int(np.flatnonzero(np.abs(basis.doflocs - x[:, None]).max(axis=0) < 1e-12)[k]) for k in range(2)] for x in fields.space.points]
    ).ravel()
    assert np.abs(theirs.toarray()[np.ix_(order, order)] - ours.toarray()).max() < 1e-13
    varying = np.broadcast_to(isotropic(1.3, 0.7, 2), (*fields.weights.shape, 2, 2, 2, 2))
    assert np.abs((fields.stiffness(varying) - ours).toarray()).max() < 1e-14


@pytest.mark.parametrize("degree", [1, 2])
def test_gradient_force_and_loads(degree):
    fields = Displacements.of(triangles(), degree)
    x = fields.space.points
    slope = np.array([[0.3, -0.2], [0.7, 0.1]])
    assert np.allclose(fields.gradient(x @ slope.T), slope, atol=1e-14)
    stress = np.array([[2.0, 0.5], [0.4, -1.0]])
    force = fields.force(stress)
    assert np.allclose(force.sum(axis=0), 0.0, atol=1e-14)
    assert np.allclose(force.T @ x, stress, atol=1e-13)  # virial theorem: sum of f x over the unit area
    ends = fields.surface_load("right", lambda p, n: p[:, 1:] * n)
    assert np.allclose(ends.sum(axis=0), [0.5, 0.0]) and (ends * x[:, 1:]).sum() == pytest.approx(1 / 3)
    assert np.allclose(fields.volume_load(np.array([1.0, 2.0])).sum(axis=0), [1.0, 2.0])
    assert fields.mass().sum() == pytest.approx(1.0)


def test_cells_that_fold_are_refused():
    """A mid-side point moved beyond the opposite corner."""
    points = np.array([[0.0, 0], [1, 0], [0, 1], [0.5, 0], [0.5, 0.5], [0, 0.5]])
    cells = Cells.of(triangle6=np.array([[0, 1, 2, 3, 4, 5]]))
    Displacements.of(Mesh(points, cells), 2)
    points[4] = [-0.2, -0.2]
    with pytest.raises(InvalidMeshError, match="1 cells fold over themselves"):
        Displacements.of(Mesh(points, cells), 2)
