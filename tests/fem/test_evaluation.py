"""Functions at any place: exact for polynomials of the degree, on straight and curved cells of every kind."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.errors import FieldError
from geoop.fem.domain import Domain
from geoop.fem.evaluation import evaluate, evaluate_gradient, locate
from geoop.fem.space import Space
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import star
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize(
    "mesh",
    [square(4, seed=5), square(4, "mixed", seed=6), square(4, "quad"), quadratic(square(3, "quad")), cube(3), cube(3, "mixed")],
    ids=["triangle", "mixed", "quad", "quad9", "hexahedron", "wedge-pyramid"],
)
def test_polynomials(mesh, degree):
    d = mesh.dimension
    slope = np.array([0.5, -1.0, 0.25])[:d]
    f = lambda p: (1.0 + p @ slope) ** degree  # noqa: E731
    space, points = Space.of(mesh, degree), RNG.random((400, d))
    values = space.interpolate(f)
    assert np.allclose(evaluate(space, values, points), f(points), atol=1e-12)
    gradient = degree * (1.0 + points @ slope)[:, None] ** (degree - 1) * slope
    assert np.allclose(evaluate_gradient(space, values, points), gradient, atol=1e-10)
    several = evaluate(space, np.stack([values, -values], axis=1), points)
    assert np.allclose(several, np.stack([f(points), -f(points)], axis=1), atol=1e-12)
    assert np.allclose(evaluate(space, values, mesh.points), f(mesh.points), atol=1e-12)


def test_places_on_curved_cells():
    """Points made from cells and reference coordinates are found there again; linear functions are exact on bent cells."""
    space = Space.of(star(5, lambda t: 1.0 + 0.15 * np.cos(4 * t)), 2)
    points = space.quadrature_points
    places = locate(space.domain, points)
    assert np.array_equal(places.cells, np.repeat(np.arange(space.domain.grid.nelements), space.basis.dx.shape[1]))
    assert np.allclose(evaluate(space, space.interpolate(lambda p: 2 * p[:, 0] - p[:, 1]), places), 2 * points[:, 0] - points[:, 1], atol=1e-12)


def test_outside():
    space = Space.of(star(6, np.ones_like), 2)
    values = space.interpolate(1.0)
    angle = RNG.uniform(0, 2 * np.pi, 200)
    rim = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert np.allclose(evaluate(space, values, rim, tolerance=0.01), 1.0)  # the parabolas miss the circle by 1e-4 of a cell
    assert np.isnan(evaluate(space, values, 1.2 * rim, tolerance=0.01)).all()
    assert np.isnan(evaluate(space, values, 1.001 * rim)).all()
    assert locate(Domain.of(square(2)), np.array([[0.5, 0.5], [7.0, 7.0]])).cells.tolist()[1] == -1


def test_points_beyond_the_fold_of_a_bilinear_map_are_outside():
    """Outside a quad its map may have no inverse; a Newton iterate that happens to be in the unit square then means nothing."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        corners = np.array([[0, 0], [1, 0], rng.uniform(0.52, 0.92, 2), [0, 1]]) @ (np.eye(2) + rng.normal(size=(2, 2)) * 0.3)
        space = Space.of(Mesh(corners, Cells.of(quad=np.array([[0, 1, 2, 3]]))), 1)
        points = corners.mean(axis=0) + rng.uniform(-3, 3, (400, 2))
        side = np.roll(corners, -1, axis=0) - corners
        to = points[:, None] - corners
        cross = (side[:, 0] * to[..., 1] - side[:, 1] * to[..., 0]) * np.sign(np.linalg.det(corners[1:3]))
        assert np.array_equal(locate(space.domain, points).cells == 0, (cross >= 0).all(axis=1))


def test_warped_hexahedra_are_inverted():
    mesh = cube(3)
    inner = ((mesh.points > 1e-9) & (mesh.points < 1 - 1e-9)).all(axis=1)
    points = mesh.points.copy()
    points[inner] += np.random.default_rng(1).uniform(-0.08, 0.08, (int(inner.sum()), 3))
    mesh = Mesh(points, mesh.cells)
    space, points = Space.of(mesh, 1), RNG.random((500, 3))
    assert np.allclose(evaluate(space, space.interpolate(lambda p: p @ [1.0, 2.0, -1.0]), points), points @ [1.0, 2.0, -1.0], atol=1e-12)


def test_bad_input():
    space = Space.of(square(2), 1)
    for values, points, message in (
        (np.ones(5), np.ones((1, 2)), "5 values for 9"),
        (np.ones(9), np.ones((1, 3)), "in 2-D"),
        (np.ones(9), np.ones(2), "in 2-D"),
    ):
        for function in (evaluate, evaluate_gradient):
            with pytest.raises(FieldError, match=message):
                function(space, values, points)
    assert np.isnan(evaluate(space, np.ones(9), np.array([[np.nan, 0.5], [np.inf, 0.0]]))).all()
