"""Coefficients mean the same however they are given."""

import numpy as np
import pytest
from fem_shapes import square

from geoop.errors import FieldError
from geoop.fem.sampling import sampled
from geoop.fem.scalar_forms import load, patch_load, stiffness
from geoop.fem.space import Space
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import Field, Quantity

A = Quantity("conductivity", "a")


def linear(p):
    return 2.0 + p[:, 0] - 0.5 * p[:, 1]


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("name", ["triangle", "quad", "mixed"])
def test_function_nodes_points_and_field_agree(name, degree):
    mesh = square(3, name)
    space = Space.of(mesh, degree)
    exact = linear(space.quadrature_points)
    for item in (linear, linear(space.points), Field(A, linear(mesh.points))):
        assert np.allclose(sampled(space, space.basis, item, "a").reshape(-1), exact, atol=1e-13)
    cells = np.arange(len(mesh.cells)) + 1.0
    at = sampled(space, space.basis, Field(A, cells, "cell"), "a")
    assert np.array_equal(at[:, 0], cells[space.domain.cell_of])


def test_tensors_and_numbers_agree():
    space = Space.of(square(3), 2)
    a = stiffness(space, 2.5)
    for item in (2.5 * np.eye(2), np.tile(2.5 * np.eye(2), (len(space.mesh.points), 1, 1)), lambda p: np.tile(2.5 * np.eye(2), (len(p), 1, 1))):
        assert abs(stiffness(space, item) - a).max() < 1e-13


def test_bad_coefficients():
    space = Space.of(square(3), 2)
    with pytest.raises(FieldError, match="conductivity is -1 somewhere"):
        stiffness(space, lambda p: p[:, 0] * 0 - 1.0)
    with pytest.raises(FieldError, match="not symmetric"):
        stiffness(space, np.array([[2.0, 1.0], [0.0, 2.0]]))
    with pytest.raises(FieldError, match="conductivity is -1"):
        stiffness(space, np.array([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(FieldError, match="function answers"):
        stiffness(space, lambda p: np.ones(3))
    with pytest.raises(FieldError, match="7 values of flux"):
        patch_load(space, "top", np.ones(7))
    both = Space.of(square(2), 1)  # 9 points, 8 cells; 9 values are the points
    assert load(both, np.ones(9)).sum() == pytest.approx(1.0)
    ambiguous = Space.of(square(1, "quad"), 2)  # 9 unknowns, 4 points, 1 cell
    with pytest.raises(FieldError, match="of 5 values; the space has 9 unknowns"):
        load(ambiguous, np.ones(5))


def test_two_meanings_of_one_length_are_refused():
    mesh = square(3, "triangle")  # 16 points and 18 cells
    cut = Mesh(mesh.points, Cells.of(triangle=mesh.cells.block("triangle")[:16]))
    with pytest.raises(FieldError, match="could be at point or cells"):
        stiffness(Space.of(cut, 2), np.ones(16))
    assert stiffness(Space.of(cut, 2), Field(A, np.ones(16), "cell")).shape[0] > 16
