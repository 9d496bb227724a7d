"""Which simplex holds a point: behind holes, beside flat cells, on the two sides of a slit."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.fem.domain import Domain
from geoop.fem.evaluation import locate
from geoop.fem.interpolant import Interpolant
from geoop.fem.simplex_search import SimplexSearch
from geoop.fem.simplices import simplices
from geoop.mesh.cells import Cells
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh


@pytest.mark.parametrize("mesh", [square(9, seed=1), cube(3, "wedge")], ids=str)
def test_every_point_is_in_the_cell_that_is_named(mesh):
    search = SimplexSearch(mesh.points, simplices(mesh.cells, mesh.dimension)[0])
    points = np.random.default_rng(0).uniform(-0.2, 1.2, (1000, mesh.dimension))
    cell, weight, found = search.locate(points)
    inside = ((points >= 0) & (points <= 1)).all(axis=1)
    assert np.array_equal(found, inside)
    assert weight[inside].min() > -1e-9
    np.testing.assert_allclose(np.einsum("kc,kcd->kd", weight, search.points[search.cells[cell]]), points, atol=1e-12)


def test_a_large_cell_behind_a_slit_is_found():
    """Nearest to the places are hundreds of small cells on the other side, and a walk from them ends at the slit."""
    n = 200
    row = np.stack([np.linspace(0.0, 1.0, n + 1), np.zeros(n + 1)], axis=1)
    points = np.concatenate([row, [[0.5, 0.02]], [[0.0, 0.0], [1.0, 0.0], [0.5, -3.0]]])
    small = np.stack([np.arange(n), np.arange(1, n + 1), np.full(n, n + 1)], axis=1)
    places = np.stack([np.linspace(0.1, 0.9, 333), np.full(333, -0.01)], axis=1)
    own = Interpolant(points, np.concatenate([small, [[n + 2, n + 4, n + 3]]]))
    cell, weight = own.locate(places)
    assert (cell == n).all() and weight.min() > -1e-9


def test_cells_without_measure_hold_no_point():
    mesh = square(4)
    rows = np.concatenate([[[0, 1, 2], [3, 3, 4]], mesh.cells.block("triangle")])
    points = np.random.default_rng(0).random((300, 2))
    cell, _, found = SimplexSearch(mesh.points, rows).locate(points)
    assert found.all() and (cell >= 2).all()


def slit(kind):
    """The unit square of two halves that touch along y = 1/2 and share no point there."""
    mesh = square(4, kind) if kind != "quad9" else quadratic(square(4, "quad"))
    below, name = mesh.points[:, 1] <= 0.5 + 1e-12, mesh.cells.names[0]
    rows = mesh.cells.block(name)
    upper = mesh.points[rows][:, :3].mean(axis=1)[:, 1] > 0.5
    doubled = np.flatnonzero(below & (mesh.points[:, 1] > 0.5 - 1e-12))
    number = np.arange(len(mesh.points))
    number[doubled] = len(mesh.points) + np.arange(len(doubled))
    rows = np.where(upper[:, None], number[rows], rows)
    return Mesh(np.concatenate([mesh.points, mesh.points[doubled]]), Cells.of({name: rows})), upper


@pytest.mark.parametrize("kind", ["triangle", "quad", "quad9"])
def test_on_a_slit_the_side_decides(kind):
    mesh, upper = slit(kind)
    domain = Domain.of(mesh)
    points = np.stack([np.linspace(0, 1, 77), np.full(77, 0.5)], axis=1)
    for step in (0.1, -0.1):
        places = locate(domain, points, toward=points + [0.0, step])
        assert (upper[domain.cell_of[places.cells]] == (step > 0)).all()
        nodes = mesh.points[mesh.cells.block(mesh.cells.names[0])][places.cells]
        assert np.abs(nodes[:, :, 1] - 0.5).min(axis=1).max() < 1e-12
