"""Spaces: polynomials of their degree are exact at unknowns, mesh points, quadrature points and on patches."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.errors import ConfigurationError, FieldError, InvalidMeshError, PatchError
from geoop.fem.integrals import integral
from geoop.fem.space import Space
from geoop.mesh.cells import Cells
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh


def polynomial(degree, d):
    direction = np.array([0.7, -1.1, 0.4])[:d]
    return lambda p: (1.0 + p @ direction) ** degree


MESHES = {
    **{f"square-{name}": square(3, name, seed=1) for name in ("triangle", "mixed")},
    "square-quad": square(3, "quad"),
    "square-triangle6": quadratic(square(3, "triangle", seed=2)),
    "square-quad9": quadratic(square(3, "quad")),
    **{f"cube-{name}": cube(2, name) for name in ("hexahedron", "wedge", "pyramid", "mixed")},
}


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("name", MESHES)
def test_polynomials_are_exact(name, degree):
    mesh = MESHES[name]
    space, f = Space.of(mesh, degree), polynomial(degree, mesh.dimension)
    values = space.interpolate(f)
    assert np.allclose(values, f(space.points), atol=1e-13)
    assert np.allclose(space.at_mesh_points(values), f(mesh.points), atol=1e-12)
    assert np.allclose(space.at_quadrature(values), f(space.quadrature_points), atol=1e-12)
    assert integral(space, space.interpolate(1.0)) == pytest.approx(1.0, abs=1e-13)
    if degree == 1:  # mesh points determine a linear function whatever the degree of the geometry
        assert np.allclose(space.interpolate(f(mesh.points)), values, atol=1e-12)
    for patch in mesh.patches:
        where = space.on(patch)
        assert np.allclose(space.patch_values(patch, f), values[where], atol=1e-12)
        linear = polynomial(1, mesh.dimension)
        given = space.patch_values(patch, linear(mesh.points[space.patch_points(patch)]))
        assert np.allclose(given, linear(space.points[where]), atol=1e-12)


def test_points_without_cells_have_no_value():
    mesh = square(2)
    more = Mesh(np.concatenate([mesh.points, [[5.0, 5.0]]]), mesh.cells, mesh.patches)
    space = Space.of(more, 1)
    at = space.at_mesh_points(np.ones(space.n))
    assert np.isnan(at[-1]) and np.allclose(at[:-1], 1.0)
    given = np.append(np.arange(9.0), np.nan)  # nor need they have one
    assert np.allclose(space.interpolate(given), np.arange(9.0))


def test_whole_boundary_without_a_name():
    mesh = square(3)
    bare = Mesh(mesh.points, mesh.cells)
    space = Space.of(bare, 2)
    assert np.array_equal(space.on("boundary"), Space.of(mesh, 2).on(*mesh.patches))
    assert len(space.patch_points("boundary")) == 12
    with pytest.raises(PatchError, match="no patch 'left'"):
        space.on("left")


def test_bad_input():
    mesh = square(3)
    with pytest.raises(ConfigurationError, match="degree 3"):
        Space.of(mesh, 3)
    space = Space.of(mesh, 2)
    with pytest.raises(FieldError, match="5 values for patch 'left'"):
        space.patch_values("left", np.zeros(5))
    with pytest.raises(FieldError, match="not finite"):
        space.patch_values("left", lambda p: np.full(len(p), np.nan))
    with pytest.raises(FieldError, match="5 values"):
        space.interpolate(np.zeros(5))
    with pytest.raises(FieldError, match="values of cells"):
        space.interpolate(np.zeros(18))


def test_conditions_on_nothing_and_answers_of_the_wrong_shape():
    mesh = square(3)
    space = Space.of(Mesh(mesh.points, mesh.cells, {**mesh.patches, "nothing": mesh.patches["left"].take(np.zeros(0, dtype=int))}), 2)
    with pytest.raises(PatchError, match=r"\['nothing'\] have no facets"):
        space.on("left", "nothing")
    with pytest.raises(FieldError, match=r"answers \(3,\) for \(7, 2\) points"):
        space.patch_values("left", lambda p: np.ones(3))
    with pytest.raises(FieldError, match="answers"):
        space.interpolate(lambda p: np.ones((len(p), 2, 2)))
    with pytest.raises(FieldError, match=r"shape \(4, 2, 2\)"):
        space.patch_values("left", np.ones((4, 2, 2)))
    assert np.array_equal(space.patch_values("left", lambda p: 2.0), np.full(7, 2.0))


def moved_middle(x, y):
    mesh = square(2, "quad")
    points = mesh.points.copy()
    points[4] = [x, y]
    return Mesh(points, mesh.cells)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_cells_that_fold_are_refused(scale):
    """The quadrature takes the magnitude of the Jacobian: the area of a quad that folds would be too large, without a word."""
    area = lambda mesh: Space.of(Mesh(scale * mesh.points, mesh.cells), 1).quadrature_weights.sum() / scale**2  # noqa: E731
    assert area(moved_middle(0.3, 0.3)) == pytest.approx(1.0, rel=1e-14)  # convex
    twisted = square(4, "quad").cells.block("quad").copy()
    twisted[5] = twisted[5][[0, 2, 1, 3]]
    flat = np.concatenate([square(4).cells.block("triangle"), [[0, 1, 2]]])  # on a side
    points = square(4).points
    for bad in (moved_middle(0.1, 0.05), Mesh(points, Cells.of(quad=twisted)), Mesh(points, Cells.of(triangle=flat))):
        with pytest.raises(InvalidMeshError, match="1 cells fold over themselves or are flat"):
            area(bad)
    needles = Mesh(points * [1.0, 1e-9], square(4).cells)
    assert area(needles) == pytest.approx(1e-9, rel=1e-12)
