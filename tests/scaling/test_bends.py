"""What a boundary says of its bends: exact on circles, spheres, boxes and wedges, the same for every mesh of a shape, moved with nothing."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from geoop.mesh.bodies import WingShape, wing_body
from geoop.mesh.cells import Cells
from geoop.mesh.measure import point_weights
from geoop.mesh.mesh import Mesh
from geoop.mesh.outline import oriented
from geoop.mesh.primitives import box, circle, icosphere, naca4, ring, torus, wing
from geoop.scaling.bends import bends


def of(mesh: Mesh) -> np.ndarray:
    return bends(mesh, point_weights(mesh))


def surface(mesh: Mesh) -> Mesh:
    """Of a box of cells the patches."""
    return oriented(mesh) if mesh.is_surface else oriented(mesh.submesh(Cells.concatenate(list(mesh.patches.values())), name=mesh.name))


@pytest.mark.parametrize("radius", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("make", [lambda r: circle(300, r), lambda r: icosphere(4, r)])
def test_round_bodies_have_the_curvature_of_their_radius_and_no_corner(make, radius):
    found = of(make(radius))
    np.testing.assert_allclose(np.sinh(4 * found[:, 0]) * radius, 1.0, rtol=0.02)
    assert not found[:, 1].any()


def test_a_torus_has_its_mean_curvature():
    mesh = torus(192, 96, major=1.0, minor=0.4)
    rho = np.hypot(*mesh.points[:, :2].T)
    exact = 0.5 * (1 / 0.4 + (rho - 1.0) / 0.4 / rho)  # k1 = 1/r, k2 = cos(theta)/(R + r cos theta)
    np.testing.assert_allclose(np.sinh(4 * of(mesh)[:, 0]), exact, rtol=0.02)


@pytest.mark.parametrize("divisions", [1, 4, 9])
def test_edges_of_a_box_turn_by_a_right_angle_whatever_its_mesh(divisions):
    mesh = surface(box((0.0, 0.0, 0.0), (2.0, 1.0, 1.0), divisions))
    on = ((mesh.points == 0) | (mesh.points == [2.0, 1.0, 1.0])).sum(axis=1)
    found = of(mesh)
    np.testing.assert_allclose(found[on >= 2], [[0.0, np.pi / 2]] * int((on >= 2).sum()), atol=1e-12)
    assert not found[on < 2, 1].any()


def stairs() -> Mesh:
    """An L-shaped prism with one hollow edge, along z at the origin."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0], [0.0, 1.0]])
    low, high = (np.column_stack([corners, np.full(6, z)]) for z in (0.0, 1.0))
    sides = np.array([[k, (k + 1) % 6, 6 + (k + 1) % 6, 6 + k] for k in range(6)])
    caps = np.array([[0, 1, 2, 3], [0, 3, 4, 5]])
    return oriented(Mesh(np.concatenate([low, high]), Cells.of(quad=np.concatenate([sides, caps, caps + 6]))))


def test_hollow_edges_turn_the_other_way():
    mesh = stairs()
    hollow = np.abs(mesh.points[:, :2]).sum(axis=1) == 0  # two edges of a cap bulge there, the one along z does not
    found = of(mesh)[:, 1]
    assert found[~hollow] == pytest.approx(np.pi / 2)
    assert found[hollow] == pytest.approx(np.pi / 6)


def test_a_knife_bulges_even_where_it_is_notched():
    """The trailing edge of a swept wing runs forward to the middle: seen from that vertex alone, the body lies ahead of it on both sides."""
    mesh, edge = wing_body(WingShape(6.0, 1.0, sweep=25.0), 40, 24)
    found = of(mesh)[np.unique(edge), 1]
    assert (found[1:-1] > 2.0).all()
    assert (of(mesh)[:, 1] >= 0).all()


def test_facets_without_common_points_bend_alike():
    """As of an STL file, where every facet brings its own corners."""
    mesh = wing(naca4("0012", 40), 3.0, n_span=8)
    triangles = mesh.cells.block("triangle")
    apart = Mesh(mesh.points[triangles.ravel()], Cells.of(triangle=np.arange(triangles.size).reshape(-1, 3)))
    np.testing.assert_allclose(of(apart)[:, 1], of(mesh)[triangles.ravel(), 1], atol=1e-12)
    np.testing.assert_allclose(of(apart)[:, 0], of(mesh)[triangles.ravel(), 0], atol=1e-6)


@pytest.mark.parametrize(
    "make", [lambda: wing_body(WingShape(6.0, 1.0, sweep=20.0), 30, 16)[0], lambda: torus(40, 20), stairs], ids=["wing", "torus", "stairs"]
)
def test_no_motion_changes_them(make):
    mesh = make()
    turn = Rotation.from_euler("xyz", [0.3, -1.1, 2.0]).as_matrix()
    moved = mesh.moved(mesh.points @ turn.T + [3.0, -1.0, 0.5])
    np.testing.assert_allclose(of(moved), of(mesh), atol=1e-8)
    mirrored = oriented(mesh.moved(mesh.points * [1.0, -1.0, 1.0]))
    np.testing.assert_allclose(of(mirrored), of(mesh), atol=1e-8)


def test_bigger_bodies_bend_less_and_keep_their_angles():
    one, other = stairs(), icosphere(3)
    np.testing.assert_allclose(of(one.moved(10 * one.points)), of(one), atol=1e-9)
    assert (of(other.moved(10 * other.points))[:, 0] < of(other)[:, 0]).all()


def test_open_surfaces_and_lone_points_have_numbers():
    points = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.3], [9.0, 9.0, 9.0]])
    found = of(Mesh(points, Cells.of(triangle=np.array([[0, 1, 2], [1, 3, 2]]))))
    assert np.isfinite(found).all()
    assert not found[4].any()


def test_corners_of_an_outline_are_angles_and_its_sides_are_flat():
    square = ring(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]), "square")
    np.testing.assert_allclose(of(square)[:, 1], [np.pi / 2, 0.0, np.pi / 2, np.pi / 2, np.pi / 2], atol=1e-12)
    np.testing.assert_allclose(of(square)[:, 0], 0.0, atol=1e-12)
