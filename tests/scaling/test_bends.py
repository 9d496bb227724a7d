"""What a boundary says of its bends: exact on circles, spheres, boxes and wedges, the same for every mesh of a shape, moved with nothing."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from geoop.mesh.bodies import WingShape, wing_body
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.outline import oriented
from geoop.mesh.primitives import box, circle, icosphere, naca4, ring, torus, wing
from geoop.mesh.triangulation import triangulated
from geoop.scaling.bends import bends


def surface(mesh: Mesh) -> Mesh:
    """Of a box of cells the patches."""
    return oriented(mesh) if mesh.is_surface else oriented(mesh.submesh(Cells.concatenate(list(mesh.patches.values())), name=mesh.name))


@pytest.mark.parametrize("radius", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("make", [lambda r: circle(300, r), lambda r: icosphere(4, r)])
def test_round_bodies_have_the_curvature_of_their_radius_and_no_corner(make, radius):
    found = bends(make(radius))
    np.testing.assert_allclose(np.sinh(4 * found[:, 0]) * radius, 1.0, rtol=0.02)
    assert not found[:, 1].any()


def test_a_torus_has_its_mean_curvature():
    mesh = torus(192, 96, major=1.0, minor=0.4)
    rho = np.hypot(*mesh.points[:, :2].T)
    exact = 0.5 * (1 / 0.4 + (rho - 1.0) / 0.4 / rho)  # k1 = 1/r, k2 = cos(theta)/(R + r cos theta)
    np.testing.assert_allclose(np.sinh(4 * bends(mesh)[:, 0]), exact, rtol=0.02)


@pytest.mark.parametrize("divisions", [1, 4, 9])
def test_edges_of_a_box_turn_by_a_right_angle_whatever_its_mesh(divisions):
    mesh = surface(box((0.0, 0.0, 0.0), (2.0, 1.0, 1.0), divisions))
    on = ((mesh.points == 0) | (mesh.points == [2.0, 1.0, 1.0])).sum(axis=1)
    found = bends(mesh)
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
    found = bends(mesh)[:, 1]
    assert found[~hollow] == pytest.approx(np.pi / 2)
    assert found[hollow] == pytest.approx(np.pi / 6)


def test_a_knife_bulges_even_where_it_is_notched():
    """The trailing edge of a swept wing runs forward to the middle: seen from that vertex alone, the body lies ahead of it on both sides."""
    mesh, edge = wing_body(WingShape(6.0, 1.0, sweep=25.0), 40, 24)
    found = bends(mesh)[np.unique(edge), 1]
    assert (found[1:-1] > 2.0).all()
    assert (bends(mesh)[:, 1] >= 0).all()


def test_facets_without_common_points_bend_alike():
    """As of an STL file, where every facet brings its own corners."""
    mesh = wing(naca4("0012", 40), 3.0, n_span=8)
    triangles = mesh.cells.block("triangle")
    apart = Mesh(mesh.points[triangles.ravel()], Cells.of(triangle=np.arange(triangles.size).reshape(-1, 3)))
    np.testing.assert_allclose(bends(apart)[:, 1], bends(mesh)[triangles.ravel(), 1], atol=1e-12)
    np.testing.assert_allclose(bends(apart)[:, 0], bends(mesh)[triangles.ravel(), 0], atol=1e-6)


@pytest.mark.parametrize(
    "make", [lambda: wing_body(WingShape(6.0, 1.0, sweep=20.0), 30, 16)[0], lambda: torus(40, 20), stairs], ids=["wing", "torus", "stairs"]
)
def test_no_motion_changes_them(make):
    mesh = make()
    turn = Rotation.from_euler("xyz", [0.3, -1.1, 2.0]).as_matrix()
    moved = mesh.moved(mesh.points @ turn.T + [3.0, -1.0, 0.5])
    np.testing.assert_allclose(bends(moved), bends(mesh), atol=1e-8)
    mirrored = oriented(mesh.moved(mesh.points * [1.0, -1.0, 1.0]))
    np.testing.assert_allclose(bends(mirrored), bends(mesh), atol=1e-8)


def test_bigger_bodies_bend_less_and_keep_their_angles():
    one, other = stairs(), icosphere(3)
    np.testing.assert_allclose(bends(one.moved(10 * one.points)), bends(one), atol=1e-9)
    assert (bends(other.moved(10 * other.points))[:, 0] < bends(other)[:, 0]).all()


def test_open_surfaces_and_lone_points_have_numbers():
    points = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.3], [9.0, 9.0, 9.0]])
    found = bends(Mesh(points, Cells.of(triangle=np.array([[0, 1, 2], [1, 3, 2]]))))
    assert np.isfinite(found).all()
    assert not found[4].any()


def test_corners_of_an_outline_are_angles_and_its_sides_are_flat():
    square = ring(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]), "square")
    np.testing.assert_allclose(bends(square)[:, 1], [np.pi / 2, 0.0, np.pi / 2, np.pi / 2, np.pi / 2], atol=1e-12)
    np.testing.assert_allclose(bends(square)[:, 0], 0.0, atol=1e-12)


def prism(sides: int, k: int) -> Mesh:
    """An upright prism of flat faces, k by k quads each, without caps."""
    ring_points = np.array([[np.cos(a), np.sin(a)] for a in 2 * np.pi * np.arange(sides) / sides])
    fine = np.concatenate([[ring_points[s] * (1 - t) + ring_points[(s + 1) % sides] * t for t in np.arange(k) / k] for s in range(sides)])
    n = len(fine)
    points = np.concatenate([np.column_stack([fine, np.full(n, z)]) for z in np.linspace(0, 1, k + 1)])
    i, j = (g.ravel() for g in np.meshgrid(np.arange(n), np.arange(k), indexing="ij"))
    return Mesh(points, Cells.of(quad=np.stack([j * n + i, j * n + (i + 1) % n, (j + 1) * n + (i + 1) % n, (j + 1) * n + i], axis=1)))


@pytest.mark.parametrize("k", [4, 8, 16])
def test_flat_faces_are_flat_however_close_to_an_edge(k):
    mesh = prism(6, k)
    on_edge = np.tile(np.arange(6 * k) % k == 0, k + 1)
    found = bends(mesh)
    np.testing.assert_allclose(found[on_edge], [[0.0, np.pi / 3]] * int(on_edge.sum()), atol=1e-12)
    np.testing.assert_allclose(found[~on_edge], 0.0, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_a_facet_without_area_on_an_edge_changes_nothing(seed):
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1], [0, 1, 0], [0, 1, 1], [0, 0, 0.37]], dtype=float)
    triangles = np.array([[0, 1, 6], [1, 2, 6], [6, 2, 3], [0, 3, 5], [0, 5, 4], [0, 6, 3]])[:, ::-1]  # the last one is a line
    turned = points @ Rotation.random(random_state=seed).as_matrix().T
    found = bends(Mesh(turned, Cells.of(triangle=triangles)))
    assert np.abs(found[[0, 3], 1]) == pytest.approx(np.pi / 2)
    assert len(set(np.sign(found[[0, 3], 1]))) == 1
    assert np.sign(found[0, 1]) == np.sign(bends(Mesh(points, Cells.of(triangle=triangles)))[0, 1])


def test_polygons_and_faces_with_nodes_on_their_sides():
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0], [0.0, 1.0]])
    low, high = (np.column_stack([corners, np.full(6, z)]) for z in (0.0, 1.0))
    faces = [[k, (k + 1) % 6, 6 + (k + 1) % 6, 6 + k] for k in range(6)] + [[5, 4, 3, 2, 1, 0], [6, 7, 8, 9, 10, 11]]
    mesh = oriented(Mesh(np.concatenate([low, high]), Cells.ragged("polygon", [np.array(face) for face in faces])))
    np.testing.assert_allclose(bends(mesh), bends(stairs()), atol=1e-12)
    flat = surface(box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 2))
    pairs = {}
    points, rows = list(flat.points), []
    for triangle in flat.cells.block("triangle") if "triangle" in flat.cells.names else triangulated(flat)[0]:
        middle = []
        for a, b in zip(triangle, np.roll(triangle, -1), strict=True):
            key = (min(a, b), max(a, b))
            if key not in pairs:
                pairs[key] = len(points)
                points.append((flat.points[a] + flat.points[b]) / 2)
            middle.append(pairs[key])
        rows.append([*triangle, *middle])
    curved = Mesh(np.array(points), Cells.of(triangle6=np.array(rows)))
    on = ((curved.points == 0) | (curved.points == 1)).sum(axis=1) >= 2
    np.testing.assert_allclose(bends(curved)[on], [[0.0, np.pi / 2]] * int(on.sum()), atol=1e-12)
    np.testing.assert_allclose(bends(curved)[~on], 0.0, atol=1e-9)


def test_a_facet_listed_twice_is_one_and_where_three_meet_is_a_corner_without_angle():
    mesh = stairs()
    quads = mesh.cells.block("quad")
    np.testing.assert_allclose(bends(Mesh(mesh.points, Cells.of(quad=np.concatenate([quads, quads[::2]])))), bends(mesh), atol=1e-12)
    points = np.array([[x, 0.0, z] for x in (-1.0, 0.0, 1.0) for z in (0.0, 1.0)] + [[0.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    meeting = Mesh(points, Cells.of(quad=np.array([[0, 2, 3, 1], [2, 4, 5, 3], [2, 6, 7, 3]])))
    np.testing.assert_array_equal(bends(meeting)[[2, 3]], 0.0)


def test_lines_with_middles_and_points_given_twice():
    angle = 2 * np.pi * np.arange(120) / 120
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    k = 2 * np.arange(60)
    middles = Mesh(points, Cells.of(line3=np.stack([k, (k + 2) % 120, k + 1], axis=1)))
    np.testing.assert_allclose(np.sinh(4 * bends(middles)[:, 0]), 1.0, rtol=0.01)
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])  # one corner twice, without a line between
    found = bends(Mesh(square, Cells.of(line=np.array([[0, 1], [2, 3], [3, 4], [4, 0]]))))
    np.testing.assert_allclose(found, [[0.0, np.pi / 2]] * 5, atol=1e-12)
