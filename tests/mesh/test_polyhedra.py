import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.cells import Cells, Faces
from geoop.mesh.measure import cell_centers, cell_measures, consistent_weights, point_weights, signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.polyhedra import facing_out
from geoop.mesh.topology import sides, welded
from tests.mesh.cell_zoo import UNIT_CELLS, affine, as_polyhedra, cell_mesh, grid, house


@pytest.mark.parametrize("name", ["tetra", "hexahedron", "wedge", "pyramid"])
def test_a_cell_measures_the_same_as_a_polyhedron(name):
    nodes, measure = UNIT_CELLS[name]
    points, determinant = affine(nodes)
    mesh = cell_mesh(name, points)
    poly = as_polyhedra(mesh)
    assert signed_measures(poly)[0] == pytest.approx(measure * determinant, rel=1e-13)
    np.testing.assert_allclose(cell_centers(poly), cell_centers(mesh), atol=1e-12)


def test_weights_integrate_linear_fields_exactly():
    mesh = as_polyhedra(grid())
    field = mesh.points @ np.array([1.0, -2.0, 0.5]) + 3
    exact = cell_measures(mesh) * (cell_centers(mesh) @ np.array([1.0, -2.0, 0.5]) + 3)
    weights = consistent_weights(mesh)
    owner = np.repeat(np.arange(len(mesh.cells)), np.diff(mesh.cells.offsets))
    np.testing.assert_allclose(np.bincount(owner, weights=weights * field[mesh.cells.connectivity]), exact, rtol=1e-11)
    assert point_weights(mesh).sum() == pytest.approx(cell_measures(mesh).sum(), rel=1e-13)


def test_neighbours_are_found_through_faces_of_any_type():
    hexa = grid()
    count = len(hexa.cells)
    poly = as_polyhedra(hexa)
    mixed = Mesh(hexa.points, Cells.concatenate([hexa.cells.take(np.arange(0, count, 2)), poly.cells.take(np.arange(1, count, 2))]))
    for mesh in (poly, mixed):
        listed = sides(mesh, welded(mesh.points))
        assert (listed.counts == 1).sum() == 6 * 9
        assert (listed.counts == 2).sum() == 2 * 9 * 3
        assert listed.counts.max() == 2


def test_faces_follow_their_cells():
    """take, concatenate and renumbered keep the faces of every cell."""
    mesh = as_polyhedra(grid(2))
    order = np.random.default_rng(0).permutation(len(mesh.cells))
    taken = mesh.cells.take(order)
    np.testing.assert_allclose(signed_measures(Mesh(mesh.points, taken)), signed_measures(mesh)[order])
    shuffle = np.random.default_rng(1).permutation(len(mesh.points))
    moved = Mesh(mesh.points[np.argsort(shuffle)], taken.renumbered(shuffle))
    np.testing.assert_allclose(signed_measures(moved), signed_measures(mesh)[order])
    both = Cells.concatenate([Cells.of(tetra=np.array([[0, 1, 2, 3]])), taken, Cells.of(vertex=np.array([[0]]))])
    assert np.array_equal(both.take(np.arange(1, 1 + len(taken))).faces.connectivity, taken.faces.connectivity)
    assert both.take(np.array([0])).faces is None


def test_faces_are_turned_out():
    mesh = as_polyhedra(grid(2))
    turned = np.random.default_rng(2).random(len(mesh.cells.faces.offsets) - 1) < 0.5
    spoilt = Cells(mesh.cells.types, mesh.cells.offsets, mesh.cells.connectivity, mesh.cells.faces.reversed(turned))
    cells, count = facing_out(mesh.points, spoilt)
    assert count == turned.sum()
    np.testing.assert_allclose(signed_measures(Mesh(mesh.points, cells)), signed_measures(mesh))
    assert facing_out(mesh.points, mesh.cells) == (mesh.cells, 0)


def test_the_hash_sees_the_faces():
    mesh = cell_mesh("polyhedron", UNIT_CELLS["polyhedron"][0])
    cells = mesh.cells
    turned = Cells(cells.types, cells.offsets, cells.connectivity, cells.faces.reversed(np.arange(9) == 0))
    assert mesh.content_hash != Mesh(mesh.points, turned).content_hash


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: Cells(c.types, c.offsets, c.connectivity), "without faces"),
        (lambda c: Cells(c.types, c.offsets, c.connectivity, Faces([0, 9, 9], c.faces.offsets, c.faces.connectivity)), "faces of 2 cells for 1"),
        (lambda c: Cells(c.types, c.offsets, c.connectivity[::-1] * 0 + 1, c.faces), "not the points of their faces"),
        (lambda c: Cells([12], [0, 8], np.arange(8), Faces([0, 9], c.faces.offsets, c.faces.connectivity)), "other cells have none"),
        (lambda c: Faces([0, 5], c.faces.offsets, c.faces.connectivity), "do not describe"),
    ],
    ids=["no faces", "other count", "other points", "no polyhedron", "offsets"],
)
def test_broken_polyhedra_are_refused(spoil, message):
    with pytest.raises(InvalidMeshError, match=message):
        spoil(house())
