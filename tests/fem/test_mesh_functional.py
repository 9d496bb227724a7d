"""Huang's functional: its derivative, what it does not see, where it is least, and its barrier."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.fem.mesh_functional import MeshFunctional
from geoop.fem.simplices import corner_simplices

MESHES = [square(5, seed=1), cube(3, "pyramid")]


def density(points):
    return 2.0 + np.sin(3.0 * points[:, 0]) * points[:, 1]


def slope(points):
    found = np.zeros_like(points)
    found[:, 0], found[:, 1] = 3.0 * np.cos(3.0 * points[:, 0]) * points[:, 1], np.sin(3.0 * points[:, 0])
    return found


@pytest.mark.parametrize("mesh", MESHES, ids=str)
@pytest.mark.parametrize("held", [False, True])
def test_the_gradient_is_the_derivative_of_the_value(mesh, held):
    rng = np.random.default_rng(0)
    functional = MeshFunctional(mesh.points, corner_simplices(mesh)[0])
    if held:
        functional = functional.held(mesh.points, density(mesh.points))
    x, step = mesh.points + 0.01 * rng.normal(size=mesh.points.shape), rng.normal(size=mesh.points.shape)
    rate = (functional.value(x + 1e-6 * step, density(x + 1e-6 * step)) - functional.value(x - 1e-6 * step, density(x - 1e-6 * step))) / 2e-6
    gradient = functional.gradient(functional.look(x, density(x)), slope(x))
    assert (gradient * step).sum() == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize("mesh", MESHES, ids=str)
def test_it_is_one_and_stationary_where_nothing_moves_and_least_there(mesh):
    functional = MeshFunctional(mesh.points, corner_simplices(mesh)[0])
    even = np.ones(len(mesh.points))
    assert functional.value(mesh.points, even) == pytest.approx(1.0)
    held = functional.held(mesh.points, even)
    assert np.abs(held.gradient(held.look(mesh.points, even), np.zeros_like(mesh.points))).max() < 1e-13
    inner = ((mesh.points > 1e-9) & (mesh.points < 1 - 1e-9)).all(axis=1)
    rng = np.random.default_rng(1)
    for size in (1e-4, 1e-2):
        x = np.array(mesh.points)
        x[inner] += size * rng.normal(size=(inner.sum(), mesh.dimension))
        assert functional.value(x, even) > 1.0


@pytest.mark.parametrize("mesh", MESHES, ids=str)
def test_size_place_and_direction_of_a_mesh_do_not_count(mesh):
    cells = corner_simplices(mesh)[0]
    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.normal(size=(mesh.dimension,) * 2))[0]
    turn[0] *= np.sign(np.linalg.det(turn))
    x = mesh.points + 0.01 * rng.normal(size=mesh.points.shape)
    m = density(mesh.points)
    a = MeshFunctional(mesh.points, cells).value(x, m)
    b = MeshFunctional(1e3 * mesh.points @ turn + 7.0, cells).value(1e3 * x @ turn + 7.0, m)
    assert a == pytest.approx(b, rel=1e-9)


def test_it_grows_without_limit_towards_a_flat_cell_and_is_infinite_beyond():
    mesh = square(2)
    functional, even, x = MeshFunctional(mesh.points, corner_simplices(mesh)[0]), np.ones(9), np.array(mesh.points)
    found = []
    for gap in (1e-2, 1e-4, 1e-6):
        x[4, 0] = 1.0 - gap
        found.append(functional.value(x, even))
    assert found[0] < found[1] < found[2]
    x[4, 0] = 1.01
    assert functional.value(x, even) == np.inf
