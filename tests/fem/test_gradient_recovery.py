"""Recovered gradients and Hessians: exact on quadratics on any mesh, of order two and one beyond."""

import numpy as np
import pytest
from fem_shapes import cube, orders, square

from geoop.errors import InvalidMeshError
from geoop.fem.gradient_recovery import GradientRecovery, boundary_facets
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh

MESHES = [square(6, seed=1), square(5, "quad", seed=2), square(6, "mixed"), cube(3), cube(3, "pyramid"), cube(3, "mixed"), square(1), square(2)]


@pytest.mark.parametrize("mesh", MESHES[:-2], ids=str)
def test_quadratics_are_reproduced_at_the_boundary_too(mesh):
    d = mesh.dimension
    rng = np.random.default_rng(0)
    matrix, slope = rng.normal(size=(d, d)), rng.normal(size=d)
    matrix = matrix + matrix.T
    recovery = GradientRecovery.of(mesh)
    values = 0.5 * np.einsum("ni,ij,nj->n", mesh.points, matrix, mesh.points) + mesh.points @ slope + 3.0
    np.testing.assert_allclose(recovery.gradient(values), mesh.points @ matrix + slope, atol=1e-10)
    np.testing.assert_allclose(recovery.hessian(values), np.broadcast_to(matrix, (len(values), d, d)), atol=1e-8)
    both = recovery.gradient(np.stack([values, 2.0 * values], axis=1))
    np.testing.assert_allclose(both[:, :, 1], 2.0 * both[:, :, 0], atol=1e-12)


@pytest.mark.parametrize("n", [1, 2])
def test_meshes_with_too_few_points_for_a_quadratic_keep_linears(n):
    mesh = square(n)
    np.testing.assert_allclose(GradientRecovery.of(mesh).gradient(mesh.points @ [2.0, -1.0]), np.tile([2.0, -1.0], (len(mesh.points), 1)), atol=1e-9)


def test_orders_of_gradient_and_hessian_on_irregular_meshes():
    slopes, curvatures = [], []
    for n in (8, 16, 32):
        mesh = square(n, seed=5)
        x, y = mesh.points.T
        recovery = GradientRecovery.of(mesh)
        values = np.sin(3.0 * x) * np.exp(y)
        exact = np.stack([3.0 * np.cos(3.0 * x), np.sin(3.0 * x)], axis=1) * np.exp(y)[:, None]
        slopes.append(np.sqrt(np.mean((recovery.gradient(values) - exact) ** 2)))
        curvatures.append(np.sqrt(np.mean((recovery.hessian(values)[:, 0, 0] + 9.0 * values) ** 2)))
    assert orders(slopes).min() > 1.8
    assert orders(curvatures).min() > 0.8


def test_points_without_a_cell_get_nothing_and_give_nothing():
    mesh = square(3)
    lone = Mesh(np.concatenate([[[7.0, 7.0]], mesh.points]), Cells.of(triangle=mesh.cells.block("triangle") + 1))
    gradient = GradientRecovery.of(lone).gradient(np.append(1e9, mesh.points[:, 0]))
    np.testing.assert_array_equal(gradient[0], 0.0)
    np.testing.assert_allclose(gradient[1:], np.tile([1.0, 0.0], (16, 1)), atol=1e-10)


def test_facets_of_the_boundary_are_the_patches_and_run_round_the_region():
    mesh = square(4)
    facets = boundary_facets(mesh.cells.block("triangle"))
    a, b = mesh.points[facets[:, 0]], mesh.points[facets[:, 1]]
    assert len(facets) == 16
    assert 0.5 * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() == pytest.approx(1.0)


def test_curved_cells_and_clouds_are_refused():
    curved = Mesh(np.array([[0.0, 0], [1, 0], [0, 1], [0.5, 0], [0.5, 0.5], [0, 0.5]]), Cells.of(triangle6=np.arange(6)[None]))
    for mesh in (curved, Mesh(np.zeros((3, 2)))):
        with pytest.raises(InvalidMeshError, match=r"(?s)linear cells that fill.*remedy"):
            GradientRecovery.of(mesh)
