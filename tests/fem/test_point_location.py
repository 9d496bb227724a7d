"""Points in curved triangles."""

import numpy as np
import pytest
from test_taylor_hood import square

from geoop.fem.domain import Domain
from geoop.fem.point_location import element_nodes, located, quadratic_shape, quadratic_slopes
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh


@pytest.mark.parametrize("bend", [0.0, 0.08], ids=["straight", "curved"])
def test_found_places_are_the_points(bend):
    domain = Domain.of(square(5, bend))
    points = np.random.default_rng(0).random((2000, 2))
    cell, xi = located(domain, points)
    assert (cell >= 0).all()
    there = np.einsum("ki,kid->kd", quadratic_shape(xi), element_nodes(domain)[cell])
    assert np.abs(there - points).max() < 1e-12
    assert xi.min() > -1e-8 and xi.sum(axis=1).max() < 1 + 1e-8


def test_points_outside_have_no_cell():
    domain = Domain.of(square(4))
    cell, _ = located(domain, np.array([[1.5, 0.5], [-0.2, 0.1], [0.5, 0.5], [1.0, 1.0], [0.0, 0.3], [1.001, 0.5]]))
    assert (cell[[0, 1]] == -1).all() and (cell[2:] >= 0).all()


def test_slopes_are_derivatives_and_sum_to_zero():
    xi, h = np.array([[0.2, 0.3], [0.7, 0.1]]), 1e-6
    for axis in (0, 1):
        step = h * np.eye(2)[axis]
        difference = (quadratic_shape(xi + step) - quadratic_shape(xi - step)) / (2 * h)
        assert np.allclose(quadratic_slopes(xi)[:, :, axis], difference, atol=1e-9)
    assert np.allclose(quadratic_shape(xi).sum(axis=1), 1.0) and np.allclose(quadratic_slopes(xi).sum(axis=1), 0.0)


def test_a_point_in_a_large_cell_beside_many_small_ones_is_found():
    """Under a row of 100 thin triangles lies a fan of 2 large ones: near the row the nearest centres are all of small cells."""
    n = 100
    row = np.stack([np.linspace(0.0, 1.0, n + 1), np.zeros(n + 1)], axis=1)
    points = np.concatenate([row, [[0.5, 0.02], [0.5, -3.0]]])
    small = np.stack([np.arange(n), np.arange(1, n + 1), np.full(n, n + 1)], axis=1)
    large = np.stack([np.full(n, n + 2), np.arange(1, n + 1), np.arange(n)], axis=1)
    domain = Domain.of(Mesh(points, Cells.of(triangle=np.concatenate([small, large]))))
    places = np.stack([np.linspace(0.1, 0.9, 333), np.full(333, -0.02)], axis=1)
    cell, xi = located(domain, places)
    there = np.einsum("ki,kid->kd", quadratic_shape(xi), element_nodes(domain)[cell])
    assert (cell >= n).all() and np.abs(there - places).max() < 1e-12
    assert xi.min() > -1e-8 and xi.sum(axis=1).max() < 1 + 1e-8


def test_every_point_of_a_strongly_graded_mesh_is_found():
    """Rings whose width grows threefold: beside a large cell the twelve nearest centres are those of small ones."""
    m, radius = 48, 0.01 * 3.0 ** np.arange(5)
    angle = 2 * np.pi * np.arange(m) / m
    points = (radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)).reshape(-1, 2)
    k, j = (g.ravel() for g in np.meshgrid(np.arange(4), np.arange(m), indexing="ij"))
    a, b = k * m + j, k * m + (j + 1) % m
    domain = Domain.of(Mesh(points, Cells.of(triangle=np.concatenate([np.stack([a, a + m, b], axis=1), np.stack([b, a + m, b + m], axis=1)]))))
    random = np.random.default_rng(0)
    r, t = 0.011 + 0.78 * random.random(5000), 2 * np.pi * random.random(5000)
    places = r[:, None] * np.stack([np.cos(t), np.sin(t)], axis=1)
    cell, xi = located(domain, places)
    assert (cell >= 0).all() and xi.min() > -1e-8 and xi.sum(axis=1).max() < 1 + 1e-8
