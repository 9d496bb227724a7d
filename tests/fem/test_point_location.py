"""Points in curved triangles."""

import numpy as np
import pytest
from test_taylor_hood import square

from geoop.fem.domain import Domain
from geoop.fem.point_location import element_nodes, located, quadratic_shape, quadratic_slopes


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
