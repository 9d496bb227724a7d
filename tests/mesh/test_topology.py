"""Euler's formula, shared sides and welding."""

import numpy as np
import pytest

from geoop.mesh.cells import CELL_TYPES, Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle, icosphere, naca4, wing
from geoop.mesh.topology import FACES, cell_components, distinct_rows, edges, faces, row_groups, sides, welded
from tests.mesh.cell_zoo import UNIT_CELLS, cell_mesh


@pytest.mark.parametrize("mesh", [icosphere(2), box((0, 0, 0), (1, 1, 1), 2), wing(naca4("0012", 30))], ids=lambda m: m.name)
def test_euler_characteristic_of_a_closed_surface_is_two(mesh):
    listed = edges(mesh.cells, welded(mesh.points))
    assert len(mesh.points) - len(listed.counts) + len(mesh.cells) == 2
    assert (listed.counts == 2).all()
    one, two = listed.pairs()
    np.testing.assert_array_equal(listed.corners[one], listed.corners[two][:, ::-1])  # neighbours run along their edge both ways


@pytest.mark.parametrize("name", sorted(FACES))
def test_faces_of_every_volume_cell_point_outward_and_close_it(name):
    mesh = cell_mesh(name, UNIT_CELLS[name][0])
    listed = faces(mesh.cells, np.arange(len(mesh.points)))
    assert (listed.counts == 1).all()
    flux, area = 0.0, np.zeros(3)
    for corners in listed.corners:
        ring = mesh.points[corners[corners >= 0]]
        normal = sum(np.cross(ring[k] - ring[0], ring[k + 1] - ring[0]) for k in range(1, len(ring) - 1)) / 2
        area += normal
        flux += ring.mean(axis=0) @ normal / 3
    np.testing.assert_allclose(area, 0, atol=1e-15)
    assert flux == pytest.approx(UNIT_CELLS[name][1], rel=0.2)  # the mean of the corners is not the centroid of every quad
    assert flux > 0


def test_neighbouring_volume_cells_share_one_face():
    points = np.array([(x, y, z) for z in (0, 1, 2) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))], dtype=float)
    mesh = Mesh(points, Cells.of(hexahedron=np.array([range(8), range(4, 12)])))
    counts = sides(mesh, np.arange(12)).counts
    assert sorted(counts.tolist()) == [1] * 10 + [2]


def test_welding_finds_repeated_corners_of_an_stl_soup():
    sphere = icosphere(1)
    soup = sphere.points[sphere.cells.connectivity]
    merged = welded(soup)
    assert len(np.unique(merged)) == len(sphere.points)
    np.testing.assert_array_equal(soup[merged], soup)
    assert (merged <= np.arange(len(soup))).all()
    listed = edges(Cells.of(triangle=np.arange(len(soup)).reshape(-1, 3)), merged)
    assert (listed.counts == 2).all()


def test_components_are_counted():
    a, b = circle(10), circle(12, 1.0, (5.0, 0.0))
    cells = Cells.concatenate([a.cells, b.cells.renumbered(np.arange(12) + 10)])
    mesh = Mesh(np.concatenate([a.points, b.points]), cells)
    assert np.unique(cell_components(sides(mesh, welded(mesh.points)), len(cells))).size == 2


def test_distinct_rows_equal_numpy_unique():
    rows = np.random.default_rng(0).integers(0, 4, (200, 3))
    np.testing.assert_array_equal(distinct_rows(rows), np.unique(rows, axis=0))
    assert len(distinct_rows(rows[:0])) == 0


@pytest.mark.parametrize("scale", [1, 2**40], ids=["one number", "columns"])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_groups_of_rows_equal_numpy_unique(scale, width):
    """Also for rows too large to be packed into one number, and with the -1 that fills up short rows."""
    rows = np.random.default_rng(0).integers(-1, 3, (300, width)) * scale
    np.testing.assert_array_equal(row_groups(rows), np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1))


def test_every_volume_cell_type_has_faces():
    assert set(FACES) == {name for name, (_, dimension, count) in CELL_TYPES.items() if dimension == 3 and count}
