"""Piecewise linear functions at any point: against the slow search, across holes, and outside."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.errors import FieldError
from geoop.fem.evaluation import evaluate
from geoop.fem.interpolant import Interpolant
from geoop.fem.space import Space
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh


@pytest.mark.parametrize("mesh", [square(9, seed=1), square(6, "mixed"), cube(4, "wedge")], ids=str)
def test_it_is_the_finite_element_function(mesh):
    rng = np.random.default_rng(0)
    values, points = rng.normal(size=len(mesh.points)), rng.uniform(size=(500, mesh.dimension))
    own = Interpolant.of(mesh)
    cells = {2: "triangle", 3: "tetra"}[mesh.dimension]
    cut = Mesh(mesh.points, Cells.of({cells: own.cells}))
    np.testing.assert_allclose(own.at(values, points), evaluate(Space.of(cut, 1), values, points), atol=1e-12)
    np.testing.assert_array_equal(own.with_gradient(values, points)[0], own.at(values, points))


def test_linear_functions_and_their_slopes_are_exact_and_columns_are_functions():
    mesh = square(7, seed=2)
    points = np.random.default_rng(1).uniform(size=(200, 2))
    own = Interpolant.of(mesh)
    values, slope = own.with_gradient(mesh.points @ [2.0, 5.0] - 1.0, points)
    np.testing.assert_allclose(values, points @ [2.0, 5.0] - 1.0, atol=1e-12)
    np.testing.assert_allclose(slope, np.tile([2.0, 5.0], (200, 1)), atol=1e-10)
    np.testing.assert_allclose(own.at(mesh.points, points), points, atol=1e-12)


def test_walks_round_a_hole_arrive_wherever_they_start():
    """A frame: the walk from a cell on the other side of the hole runs against its wall."""
    mesh = square(12)
    rows = mesh.cells.block("triangle")
    middle = mesh.points[rows].mean(axis=1)
    own = Interpolant(mesh.points, rows[np.abs(middle - 0.5).max(axis=1) > 0.25])
    points = np.random.default_rng(3).uniform(size=(400, 2))
    points = points[np.abs(points - 0.5).max(axis=1) > 0.26]
    start = np.random.default_rng(4).integers(len(own.cells), size=len(points))
    cell, weight = own.locate(points, start)
    assert weight.min() > -1e-8
    np.testing.assert_allclose(np.einsum("kc,kcd->kd", weight, own.points[own.cells[cell]]), points, atol=1e-12)


def test_outside_the_nearest_value_counts():
    mesh = square(5)
    own = Interpolant.of(mesh)
    outside = np.array([[-0.3, 0.5], [1.4, 0.2], [0.7, 9.0]])
    np.testing.assert_allclose(own.at(mesh.points, outside), [[0.0, 0.5], [1.0, 0.2], [0.7, 1.0]], atol=0.15)
    assert np.abs(own.at(mesh.points, outside) - 0.5).max() <= 0.5 + 1e-12


def test_points_that_are_none_are_refused():
    own = Interpolant.of(square(2))
    for points in (np.zeros((3, 3)), np.array([[np.nan, 0.0]]), np.zeros(2)):
        with pytest.raises(FieldError, match="finite points"):
            own.at(np.zeros(9), points)
