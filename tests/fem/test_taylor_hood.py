"""Operators of the Taylor-Hood elements against integrals known in closed form."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.fem.domain import Domain
from geoop.fem.taylor_hood import TaylorHood
from geoop.mesh.cells import Cells
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh


def square(n=3, bend=0.0, seed=0):
    """A unit square of triangles whose interior points are moved about and whose interior mid-sides bend."""
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, n + 1)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    i = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    quads = np.stack([i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]], axis=-1).reshape(-1, 4)
    mesh = quadratic(Mesh(grid, Cells.of(triangle=np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))))
    inside = ((mesh.points > 1e-9) & (mesh.points < 1 - 1e-9)).all(axis=1)
    return mesh.moved(mesh.points + bend / n * np.random.default_rng(seed).uniform(-1, 1, mesh.points.shape) * inside[:, None])


@pytest.fixture(scope="module", params=[0.0, 0.06], ids=["straight", "curved"])
def space(request):
    return TaylorHood(Domain.of(square(bend=request.param)))


def test_integrals_of_linear_fields(space):
    x, y = space.places.T
    one = np.ones(space.n)
    assert one @ space.mass @ one == pytest.approx(1.0, abs=1e-13)
    assert x @ space.mass @ y == pytest.approx(0.25, abs=1e-6)
    assert (2 * x - y) @ space.stiffness @ (2 * x - y) == pytest.approx(5.0, abs=1e-12)
    assert space.pressure_areas.sum() == pytest.approx(1.0, abs=1e-13)
    assert (space.divergence @ np.concatenate([3 * x + y, 2 * y])).sum() == pytest.approx(5.0, abs=1e-12)


def test_convection_of_linear_fields(space):
    """u = (y, x): (u . grad) u = (x, y)."""
    x, y = space.places.T
    found = space.convection(np.stack([y, x], axis=1))
    exact = space.mass @ np.stack([x, y], axis=1)
    assert np.allclose(found, exact, atol=1e-12)


def test_linearisation_is_the_derivative(space):
    random = np.random.default_rng(1)
    u, step = random.normal(size=(2, space.n, 2))
    h = 1e-6
    difference = (space.convection(u + h * step) - space.convection(u - h * step)) / (2 * h)
    assert np.allclose((space.linearised(u) @ step.T.ravel()).reshape(2, -1).T, difference, atol=1e-8)
    picard = (space.linearised(u, newton=False) @ u.T.ravel()).reshape(2, -1).T
    assert np.allclose(picard, space.convection(u), atol=1e-12)
    assert np.allclose(space.transport(u) @ u, picard, atol=1e-12)


def test_convection_of_some_cells_adds_up(space):
    u = np.random.default_rng(2).normal(size=(space.n, 2))
    some = np.arange(0, len(space.nodes), 3)
    rest = np.setdiff1d(np.arange(len(space.nodes)), some)
    assert np.allclose(space.convection(u, some) + space.convection(u, rest), space.convection(u), atol=1e-13)


def test_load_and_courant_rate():
    space = TaylorHood(Domain.of(square(4)))
    found = space.load(lambda points: points[:, ::-1])
    assert np.allclose(found, space.mass @ space.places[:, ::-1], atol=1e-14)
    assert space.courant_rate(np.tile([2.0, 0.0], (space.n, 1))) == pytest.approx(8.0)  # a cell of 1/4 in a second of 2


def test_vertices_come_first_and_split():
    space = TaylorHood(Domain.of(square(2, 0.05)))
    assert np.allclose(space.places[: space.m], space.domain.mesh.points[space.domain.vertices])
    u, p = space.split(np.arange(space.size))
    assert u[1, 0] == 1 and u[0, 1] == space.n and p[0] == 2 * space.n and len(p) == space.m


def test_other_cells_are_refused():
    quad = Mesh(np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]), Cells.of(quad=np.array([[0, 1, 2, 3]])))
    with pytest.raises(InvalidMeshError, match="plane triangles"):
        TaylorHood(Domain.of(quad))


def test_cells_that_fold_are_refused():
    mesh = square()
    points = mesh.points.copy()
    inside = np.flatnonzero(((points > 0.1) & (points < 0.9)).all(axis=1))
    points[inside[0]] += 0.6
    with pytest.raises(InvalidMeshError, match="fold over themselves"):
        TaylorHood(Domain.of(mesh.moved(points)))
