"""Loads and matrices: the same however the data are given, and exact for polynomials."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.errors import FieldError
from geoop.fem.scalar_forms import drift, load, mass, moments, patch_load, patch_mass, stiffness
from geoop.fem.space import Space
from geoop.mesh.quantity import Field, Quantity

A = Quantity("source", "f")


def linear(p):
    return 2.0 + p[:, 0] - 0.5 * p[:, 1]


def test_loads_agree_however_the_source_is_given():
    space = Space.of(square(4, "mixed"), 2)
    exact = load(space, linear)
    at_points = linear(space.mesh.points)
    for item in (linear(space.points), at_points, Field(A, at_points), linear(space.quadrature_points)):
        assert np.allclose(load(space, item), exact, atol=1e-15)
    columns = load(space, np.stack([at_points, 2 * at_points], axis=1))
    assert np.allclose(columns, np.stack([exact, 2 * exact], axis=1), atol=1e-15)
    assert load(space, 3.0).sum() == pytest.approx(3.0) and (mass(space) @ np.ones(space.n)).sum() == pytest.approx(1.0)
    cells = np.zeros(len(space.mesh.cells))
    cells[0] = 16.0  # a quad of area 1/16
    assert load(space, cells).sum() == pytest.approx(1.0)


def test_loads_on_patches_agree():
    space = Space.of(square(4), 2)
    where = space.mesh.points[space.patch_points("top")]
    exact = patch_load(space, "top", linear)
    assert np.allclose(patch_load(space, "top", linear(where)), exact, atol=1e-15)
    upward = patch_load(space, "top", lambda p: np.stack([7.0 + 0 * p[:, 0], linear(p)], axis=1))  # vectors: their normal component
    assert np.allclose(upward, exact, atol=1e-15)
    assert patch_load(space, "top", np.stack([linear(where)] * 3, axis=1)).shape == (space.n, 3)
    assert exact.sum() == pytest.approx(2.0) and np.abs(np.delete(exact, space.on("top"))).max() < 1e-16


@pytest.mark.parametrize("mesh", [square(3, "mixed", seed=1), cube(2, "mixed")], ids=["plane", "solid"])
def test_energies_of_polynomials(mesh):
    space = Space.of(mesh, 2)
    u = space.interpolate(lambda p: p[:, 0] ** 2)
    assert u @ stiffness(space, lambda p: 1.0 + p[:, 0]) @ u == pytest.approx(4.0 / 3.0 + 1.0, rel=1e-12)
    assert u @ mass(space) @ u == pytest.approx(0.2, rel=1e-12)
    assert np.abs(stiffness(space) @ np.ones(space.n)).max() < 1e-12
    d = mesh.dimension
    wind = np.zeros((d, *space.basis.dx.shape))
    wind[0] = 1.0
    assert u @ drift(space, wind) @ np.ones(space.n) == pytest.approx(1.0, rel=1e-12)  # u is the test function: integral of 2 x
    end = "x_max" if d == 3 else "right"
    assert u @ patch_mass(space, end, 3.0) @ u == pytest.approx(3.0, rel=1e-12)
    assert moments(space, space.quadrature_points[:, 0]).sum() == pytest.approx(0.5, rel=1e-12)


def test_bad_data():
    space = Space.of(square(3), 2)
    vector = lambda p: p  # noqa: E731
    for call, message in (
        (lambda: load(space, vector), "answers"),  # its first column would pass for the source
        (lambda: load(space, np.ones((16, 2, 2))), "has shape"),
        (lambda: load(space, np.full(space.basis.dx.size, np.nan)), "not finite"),
        (lambda: patch_load(space, "top", np.ones((4, 2, 2))), "has shape"),
        (lambda: patch_load(space, "top", lambda p: np.ones((len(p), 4))), "has shape"),
        (lambda: mass(space, -1.0), "is -1 somewhere"),
        (lambda: mass(space, np.eye(2)), "shape"),
        (lambda: patch_mass(space, "top", -2.0), "'top' is -2 somewhere"),
        (lambda: stiffness(space, lambda p: np.ones((len(p), 3))), "shape"),
        (lambda: stiffness(space, np.array([[1.0, 0.1], [0.0, 1.0]])), "not symmetric"),
    ):
        with pytest.raises(FieldError, match=message):
            call()
    noisy = np.array([[1.0, 1e-17], [0.0, 2.0]])  # as a product of rotations leaves it
    assert np.allclose(stiffness(space, noisy).toarray(), stiffness(space, np.diag([1.0, 2.0])).toarray(), atol=1e-14)
