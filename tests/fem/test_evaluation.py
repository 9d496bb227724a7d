"""Functions at any place: exact for polynomials of the degree, on straight and curved cells of every kind."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.fem.domain import Domain
from geoop.fem.evaluation import evaluate, evaluate_gradient, locate
from geoop.fem.space import Space
from geoop.mesh.generate.disk import star
from geoop.mesh.generate.quadratic import quadratic

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
