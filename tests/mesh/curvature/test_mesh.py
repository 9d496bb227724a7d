"""Curvature of meshes: orders of convergence on irregular meshes, invariance, signs, directions, bad input."""

import numpy as np
import pytest
from shapes import irregular_sphere, irregular_torus

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.curvature import mesh_curvature
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, capsule, circle, icosphere, torus


def errors(name: str, degree: int) -> list[float]:
    """Largest errors of mean and Gauss curvature over all points, relative to the largest value, on three refinements."""
    found = []
    for step in range(3):
        if name == "sphere":
            mesh = irregular_sphere(3 + step)
            mean = gauss = np.ones(len(mesh.points))
        else:
            mesh, mean, gauss = irregular_torus(48 * 2**step)
        at = mesh_curvature(mesh, degree=degree)
        found.append(max(np.abs(at.mean - mean).max() / np.abs(mean).max(), np.abs(at.gauss - gauss).max() / np.abs(gauss).max()))
    return found


@pytest.mark.parametrize("name", ["sphere", "torus"])
@pytest.mark.parametrize(("degree", "order"), [(3, 2), (4, 3)])
def test_the_largest_error_falls_with_the_announced_order_on_irregular_meshes(name, degree, order):
    found = errors(name, degree)
    assert np.log2(found[1] / found[2]) > order - 0.3
    assert found[2] < 0.015


def test_capsule_where_it_is_smooth():
    found = []
    for n in (48, 96):
        body = capsule(n, length=2.0, radius=0.5)
        at = mesh_curvature(body, degree=3)
        x = np.abs(body.points[:, 0])
        spacing = np.pi / n
        round_, straight = x > 1 + 4 * spacing, x < 1 - 4 * spacing  # curvature jumps where they meet
        found.append(max(np.abs(at.principal[round_] - 2).max(), np.abs(at.principal[straight] - [2.0, 0.0]).max()))
        np.testing.assert_allclose(np.abs(at.directions[straight][:, 1, 0]), 1.0, atol=1e-3)
        np.testing.assert_allclose(at.shape_index[straight], 0.5, atol=1e-2)
    assert np.log2(found[0] / found[1]) > 1.7


def test_scale_rotation_and_side():
    mesh, _, _ = irregular_torus(32)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    one, other = mesh_curvature(mesh), mesh_curvature(mesh.moved(1e-3 * mesh.points @ turn.T + 5.0))
    np.testing.assert_allclose(other.principal * 1e-3, one.principal, atol=1e-6)
    np.testing.assert_allclose(other.normals, one.normals @ turn.T, atol=1e-6)
    np.testing.assert_allclose(np.abs(np.einsum("ncd,ncd->nc", other.directions, one.directions @ turn.T)), 1.0, atol=1e-3)
    inward = Mesh(mesh.points, Cells.of(triangle=mesh.cells.block("triangle")[:, ::-1]))
    np.testing.assert_allclose(mesh_curvature(inward).principal, -one.principal[:, ::-1], atol=1e-9)
    frame = np.concatenate([one.directions, one.normals[:, None]], axis=1)
    np.testing.assert_allclose(np.einsum("nad,nbd->nab", frame, frame), np.broadcast_to(np.eye(3), (len(frame), 3, 3)), atol=1e-12)


def test_normals_are_better_than_those_of_facets():
    mesh = irregular_sphere(4)
    assert np.linalg.norm(mesh_curvature(mesh).normals - mesh.points, axis=1).max() < 1e-4


def test_soups_and_unused_points():
    mesh = irregular_sphere(2)
    corners = mesh.cells.block("triangle")
    soup = Mesh(np.concatenate([mesh.points[corners].reshape(-1, 3), [[5.0, 5, 5]]]), Cells.of(triangle=np.arange(corners.size).reshape(-1, 3)))
    whole, loose = mesh_curvature(mesh), mesh_curvature(soup)
    np.testing.assert_allclose(loose.mean[:-1], whole.mean[corners.ravel()], rtol=1e-9)
    assert np.isnan(loose.mean[-1])


def test_both_sides_of_a_thin_plate_have_their_own_neighbours():
    plate = box((0, 0, 0), (1, 1, 1e-4), 20)
    at = mesh_curvature(plate)
    inner = ((plate.points[:, :2] > 0.25) & (plate.points[:, :2] < 0.75)).all(axis=1)
    np.testing.assert_allclose(at.principal[inner], 0.0, atol=1e-6)


def test_sharp_edges_grow_like_one_over_the_edge_length_and_leave_a_residual():
    strongest = []
    for divisions in (8, 16):
        cube = box(divisions=divisions)
        at = mesh_curvature(cube)
        edge = ((cube.points == 0) | (cube.points == 1)).sum(axis=1) == 2
        strongest.append(np.median(at.mean[edge]))
        assert np.median(at.residual[edge]) > 0.01 / divisions
    assert strongest[1] / strongest[0] > 1.6


def test_coarse_meshes_get_what_their_points_fix_or_nothing():
    """The other side of a coarse body is no neighbour: an icosahedron has the curvature of parabolas through six points."""
    for mesh, low, high in ((icosphere(0), 0.9, 1.5), (icosphere(1), 0.75, 1.05), (icosphere(2), 0.94, 0.98)):
        k = mesh_curvature(mesh).principal
        assert low < k.min() <= k.max() < high
    tetrahedron = Mesh(np.concatenate([np.zeros((1, 3)), np.eye(3)]), Cells.of(triangle=np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])))
    for mesh in (tetrahedron, box(), Mesh(np.eye(3), Cells.of(triangle=np.array([[0, 1, 2]])))):
        assert np.isnan(mesh_curvature(mesh).principal).all()


@pytest.mark.parametrize(("around", "within"), [(8, 0.18), (12, 0.065), (24, 0.024)])
@pytest.mark.parametrize("along", [200, 400])
def test_facets_far_longer_than_wide_still_show_the_curvature_of_a_tube(along, around, within):
    mesh = torus(along, around)
    found = mesh_curvature(mesh).principal
    reach = np.hypot(*mesh.points[:, :2].T)
    np.testing.assert_allclose(found[:, 0], 4.0, rtol=within)
    np.testing.assert_allclose(found[:, 1], 4 * (1 - 1 / reach), rtol=0, atol=0.08)


def test_bad_input_is_named():
    with pytest.raises(InvalidMeshError, match="faces in 3-D"):
        mesh_curvature(circle(9))
    with pytest.raises(ConfigurationError, match="degree"):
        mesh_curvature(icosphere(1), degree=6)
