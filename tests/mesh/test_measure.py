"""Measures against formulas: any cell type, closed surfaces, orders of convergence, weights that integrate."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.cells import CELL_TYPES, Cells
from geoop.mesh.measure import (
    area_vectors,
    cell_centers,
    cell_measures,
    consistent_weights,
    enclosed_volume,
    facet_normals,
    point_normals,
    point_weights,
    signed_measures,
)
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle, icosphere, naca4, wing
from tests.mesh.cell_zoo import UNIT_CELLS, affine, cell_mesh

CLOSED = [
    circle(37, 2.0, (3.0, -1.0)),
    naca4("2412", 121),
    icosphere(3, 0.5, (10.0, 0.0, 0.0)),
    box((0, 0, 0), (1, 2, 3), 3),
    wing(naca4("4415", 41)),
]
NAMES = sorted(UNIT_CELLS)


@pytest.mark.parametrize("name", NAMES)
def test_unit_cells_have_their_measure(name):
    nodes, exact = UNIT_CELLS[name]
    mesh = cell_mesh(name, nodes)
    np.testing.assert_allclose(cell_measures(mesh), [exact], rtol=1e-14)
    assert consistent_weights(mesh).sum() == pytest.approx(exact, rel=1e-14)
    assert point_weights(mesh).sum() == pytest.approx(exact, rel=1e-14)
    assert (point_weights(mesh) > 0).all()


@pytest.mark.parametrize("name", [n for n in NAMES if n != "polygon" and CELL_TYPES[n][1] > 1])
def test_measure_scales_with_the_determinant_and_linear_fields_integrate(name):
    nodes, exact = UNIT_CELLS[name]
    points, determinant = affine(nodes)
    mesh = cell_mesh(name, points)
    assert cell_measures(mesh)[0] == pytest.approx(determinant * exact, rel=1e-13)
    assert signed_measures(mesh)[0] == pytest.approx(determinant * exact, rel=1e-13)
    # the integral of a linear field is its value at the centroid times the measure
    slope = np.arange(1.0, points.shape[1] + 1)
    assert consistent_weights(mesh) @ (mesh.points @ slope) == pytest.approx(cell_centers(mesh)[0] @ slope * determinant * exact, rel=1e-12)


@pytest.mark.parametrize("name", [n for n in NAMES if CELL_TYPES[n][1] == 2])
def test_plane_cells_laid_into_space_keep_their_area_and_get_a_normal(name):
    nodes, exact = UNIT_CELLS[name]
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    rotation *= np.linalg.det(rotation)
    flat = cell_mesh(name, nodes, 3)
    mesh = flat.moved(flat.points @ rotation.T + 5.0)
    assert cell_measures(mesh)[0] == pytest.approx(exact, rel=1e-13)
    np.testing.assert_allclose(facet_normals(mesh)[0], rotation[:, 2], atol=1e-13)


@pytest.mark.parametrize("mesh", CLOSED, ids=lambda m: m.name)
def test_area_vectors_of_a_closed_surface_add_up_to_zero(mesh):
    areas = area_vectors(mesh)
    assert np.abs(areas.sum(axis=0)).max() <= 1e-15 * np.linalg.norm(areas, axis=1).sum()


@pytest.mark.parametrize("mesh", CLOSED, ids=lambda m: m.name)
def test_enclosed_volume_does_not_depend_on_the_origin_and_changes_sign_inside_out(mesh):
    volume = enclosed_volume(mesh)
    assert volume > 0
    assert enclosed_volume(mesh.moved(mesh.points + 100.0)) == pytest.approx(volume, rel=1e-11)
    rows = [cell[::-1] for cell in mesh.cells]
    flipped = Mesh(mesh.points, Cells.concatenate([Cells.ragged(n, [r]) for n, r in zip(map(_name, mesh.cells.types), rows, strict=True)]))
    assert enclosed_volume(flipped) == pytest.approx(-volume, rel=1e-13)


def _name(code):
    return next(name for name, (number, _, _) in CELL_TYPES.items() if number == code)


def test_icosphere_area_and_volume_converge_at_second_order():
    area, volume = [], []
    for level in range(1, 5):
        sphere = icosphere(level)
        area.append(4 * np.pi - cell_measures(sphere).sum())
        volume.append(4 / 3 * np.pi - enclosed_volume(sphere))
    for error in (area, volume):
        assert np.log2(error[-2] / error[-1]) == pytest.approx(2.0, abs=0.05)


def test_quadratic_facets_of_a_sphere_converge_at_fourth_order_and_close():
    errors = []
    for level in range(3):
        coarse = icosphere(level)
        corners = coarse.cells.block("triangle")
        edges = np.sort(np.stack([corners, np.roll(corners, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
        unique, number = np.unique(edges, axis=0, return_inverse=True)
        middle = coarse.points[unique].mean(axis=1)
        middle /= np.linalg.norm(middle, axis=1, keepdims=True)
        curved = Mesh(
            np.concatenate([coarse.points, middle]),
            Cells.of(triangle6=np.concatenate([corners, number.reshape(-1, 3) + len(coarse.points)], axis=1)),
        )
        assert np.abs(area_vectors(curved).sum(axis=0)).max() < 1e-14
        errors.append([abs(4 * np.pi - cell_measures(curved).sum()), abs(4 / 3 * np.pi - enclosed_volume(curved))])
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))[-1]
    assert (orders > 3.5).all(), orders


def test_bent_three_point_line_has_the_length_of_its_parabola():
    mesh = cell_mesh("line3", np.array([(0.0, 0.0), (1.0, 0.0), (0.5, 0.25)]))  # y = x (1 - x)
    exact = (2 * np.sqrt(2) + 2 * np.arcsinh(1.0)) / 4
    assert cell_measures(mesh)[0] == pytest.approx(exact, rel=1e-3)  # 4 Gauss points on a square root
    np.testing.assert_allclose(area_vectors(mesh)[0], [0.0, -1.0], atol=1e-15)  # its chord, turned


def test_warped_quad_has_the_vector_area_of_its_boundary_and_the_area_of_its_surface():
    nodes = np.array([(0.0, 0, 0), (1, 0, 0), (1, 1, 0.5), (0, 1, 0)])
    mesh = cell_mesh("quad", nodes)
    np.testing.assert_allclose(area_vectors(mesh)[0], 0.5 * np.cross(nodes[2] - nodes[0], nodes[3] - nodes[1]), atol=1e-15)
    u, v = np.meshgrid(*[(np.arange(400) + 0.5) / 400] * 2)  # z = u v / 2
    assert cell_measures(mesh)[0] == pytest.approx(np.sqrt(1 + u**2 / 4 + v**2 / 4).mean(), rel=1e-4)


def test_concave_quad_and_polygon_are_exact():
    arrow = np.array([(0.0, 0), (2, -1), (0.5, 0), (2, 1)])
    for name in ("quad", "polygon"):
        for d in (2, 3):
            assert cell_measures(cell_mesh(name, arrow, d))[0] == pytest.approx(0.5, rel=1e-14)


def test_hexahedra_with_warped_faces_fill_space():
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    inner = ((grid > 0) & (grid < 3)).all(axis=1)
    points = grid + np.where(inner[:, None], 0.2 * rng.uniform(-1, 1, grid.shape), 0)
    n = np.arange(64).reshape(4, 4, 4)
    corners = [n[:-1, :-1, :-1], n[1:, :-1, :-1], n[1:, 1:, :-1], n[:-1, 1:, :-1]]
    corners += [n[:-1, :-1, 1:], n[1:, :-1, 1:], n[1:, 1:, 1:], n[:-1, 1:, 1:]]
    mesh = Mesh(points, Cells.of(hexahedron=np.stack([c.ravel() for c in corners], axis=1)))
    assert cell_measures(mesh).sum() == pytest.approx(27.0, rel=1e-14)
    assert point_weights(mesh).sum() == pytest.approx(27.0, rel=1e-14)


def test_point_weights_integrate_at_second_order():
    errors = []
    for level in (2, 3, 4):
        sphere = icosphere(level)
        errors.append(abs(point_weights(sphere) @ sphere.points[:, 2] ** 2 - 4 / 3 * np.pi))
    assert np.log2(errors[-2] / errors[-1]) == pytest.approx(2.0, abs=0.1)


def test_weights_of_mixed_cells_count_the_highest_dimension_only():
    ring = circle(20)
    points = np.concatenate([ring.points, [[5.0, 5.0]]])
    mesh = Mesh(points, Cells.concatenate([ring.cells, Cells.of(vertex=np.array([[20]]))]))
    assert point_weights(mesh)[20] == 0
    assert point_weights(mesh).sum() == pytest.approx(cell_measures(ring).sum())
    np.testing.assert_array_equal(area_vectors(mesh)[-1], [0, 0])
    assert cell_measures(mesh)[-1] == 1  # a vertex counts as one point
    np.testing.assert_array_equal(cell_centers(mesh)[-1], [5.0, 5.0])


def test_cloud_has_the_counting_measure():
    np.testing.assert_array_equal(point_weights(Mesh(np.zeros((4, 3)) + np.arange(4)[:, None])), np.ones(4))


def test_point_normals_are_radial_on_a_circle_and_diagonal_on_a_box():
    ring = circle(40)
    np.testing.assert_allclose(point_normals(ring), ring.points, atol=1e-12)
    cube = box((-1, -1, -1), (1, 1, 1))
    np.testing.assert_allclose(point_normals(cube), cube.points / np.sqrt(3), atol=1e-14)
    # independent of how the faces are cut: the angle counts, not the number of triangles
    cut = Mesh(cube.points, Cells.of(triangle=cube.cells.block("quad")[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)))
    np.testing.assert_allclose(point_normals(cut), cube.points / np.sqrt(3), atol=1e-14)


def test_degenerate_facets_get_zero_normals_not_nan():
    mesh = Mesh([[0, 0], [1, 0], [1, 0.0]], Cells.of(line=np.array([[0, 1], [1, 2]])))
    np.testing.assert_array_equal(facet_normals(mesh)[1], [0, 0])
    assert np.isfinite(point_normals(mesh)).all()
    flat = Mesh([[0, 0, 0], [1, 0, 0], [2, 0, 0.0]], Cells.of(triangle=np.array([[0, 1, 2]])))
    assert cell_measures(flat)[0] == 0
    np.testing.assert_array_equal(cell_centers(flat)[0], [1, 0, 0])


def test_far_from_the_origin_nothing_is_lost():
    ring = naca4("0012", 100)
    far = ring.moved(ring.points + 2.0**20)  # exact shift of most digits
    assert enclosed_volume(far) == pytest.approx(enclosed_volume(ring), rel=1e-8)


def test_bad_input_is_named():
    sphere = icosphere(1)
    with pytest.raises(InvalidMeshError, match="do not cancel"):
        enclosed_volume(Mesh(sphere.points, sphere.cells.take(np.arange(3, 80))))
    with pytest.raises(InvalidMeshError, match="dimension 1 in 2-D"):
        area_vectors(cell_mesh("quad", UNIT_CELLS["quad"][0], 2))
    with pytest.raises(InvalidMeshError, match="patch"):
        point_normals(cell_mesh("tetra", UNIT_CELLS["tetra"][0]))
