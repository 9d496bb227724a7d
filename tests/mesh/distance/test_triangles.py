"""Distances in space: exact shapes, holes, thin wings, all kinds of facets."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.analytic import box_distance, capsule_distance, sphere_distance, torus_distance
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.measure import cell_centers, facet_normals, point_normals
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import box, capsule, icosphere, naca4, torus, wing

LOW, HIGH = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])


def exact_box(p: np.ndarray) -> np.ndarray:
    return box_distance(p, LOW, HIGH)


def around(n: int = 3000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(LOW - 1, HIGH + 1, (n, 3))


@pytest.mark.parametrize("divisions", [1, 4])
def test_box_is_exact(divisions):
    p = around()
    found = signed_distance(box(tuple(LOW), tuple(HIGH), divisions), p)
    np.testing.assert_allclose(found.distance, exact_box(p), rtol=0, atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(found.gradient, axis=1), 1.0, atol=1e-14)
    np.testing.assert_allclose(p - found.distance[:, None] * found.gradient, found.closest, atol=1e-13)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_scale_and_place_do_not_matter(scale):
    cube, p = box(tuple(LOW), tuple(HIGH)), around(500)
    shift = np.array([1e3, -5.0, 70.0]) * scale
    moved = signed_distance(cube.moved(scale * cube.points + shift), scale * p + shift).distance
    np.testing.assert_allclose(moved / scale, exact_box(p), rtol=0, atol=1e-6)


SMOOTH = {
    "sphere": ([icosphere(level) for level in (2, 3, 4)], sphere_distance),
    "torus": ([torus(n, n // 2, major=1.0, minor=0.4) for n in (24, 48, 96)], lambda p: torus_distance(p, 1.0, 0.4)),
    "capsule": ([capsule(n) for n in (16, 32, 64)], capsule_distance),
}


@pytest.mark.parametrize("name", sorted(SMOOTH))
def test_smooth_shapes_converge_at_second_order_with_unit_gradient(name):
    meshes, exact = SMOOTH[name]
    p = np.random.default_rng(0).uniform(-2, 2, (4000, 3))
    errors = []
    for mesh in meshes:
        found = signed_distance(mesh, p)
        errors.append(np.abs(found.distance - exact(p)).max())
        np.testing.assert_allclose(np.linalg.norm(found.gradient, axis=1), 1.0, atol=1e-12)
        np.testing.assert_array_equal(found.confidence, 1.0)
        np.testing.assert_array_equal(found.winding, found.distance < 0)
    assert np.log2(errors[-2] / errors[-1]) == pytest.approx(2.0, abs=0.15)


def test_one_lipschitz_and_interpolation_at_the_closest_point():
    surface = wing(naca4("2412", 50), 3.0, taper=0.5, sweep=25)
    p = np.random.default_rng(0).uniform([-1, -2, -1], [2.5, 2, 1], (2000, 3))
    found = signed_distance(surface, p)
    q = np.roll(p, 1, axis=0)
    assert (np.abs(found.distance - np.roll(found.distance, 1)) <= np.linalg.norm(p - q, axis=1) + 1e-6).all()
    np.testing.assert_allclose(np.einsum("nk,nkd->nd", found.parameter, surface.points[found.corners]), found.closest, atol=1e-15)
    for corners, facet in zip(found.corners[:50], found.facet[:50], strict=True):
        assert set(corners) <= set(surface.cells.take([facet]).connectivity)


@pytest.mark.parametrize("offset", [1e-3, 1e-5, 1e-7, 1e-9, 1e-12])
def test_both_sides_of_a_wall_are_told_apart_however_near(offset):
    surface = wing(naca4("0012", 40, closed_trailing_edge=False), 2.0)
    centers, normals = cell_centers(surface), facet_normals(surface)
    thick = np.abs(centers[:, 0] - 0.3) < 0.25  # where 1e-3 below the skin is inside
    for side in (1.0, -1.0):
        found = signed_distance(surface, (centers + side * offset * normals)[thick])
        np.testing.assert_array_equal(np.sign(found.distance), side)
        np.testing.assert_allclose(np.abs(found.distance), offset, rtol=1e-3, atol=1e-15)


@pytest.mark.parametrize("height", [1e-3, 1e-6, 1e-9])
def test_distances_next_to_a_wall_are_exact_in_double(height):
    """Single precision alone would take a neighbouring facet within 1e-7 of the size, wrong by its share of such a height."""
    body = torus(200, 80, minor=0.4)
    rng = np.random.default_rng(0)
    x = body.points[body.cells.block("triangle")]
    weights = 10.0 ** rng.uniform(-9, 0, (len(x), 3))  # next to corners and edges, too
    on = np.einsum("nk,nkd->nd", weights / weights.sum(axis=1, keepdims=True), x)
    outside = (np.hypot(*body.points[:, :2].T) > 1)[body.cells.block("triangle")].all(axis=1)  # convex part: the facet is the nearest
    found = signed_distance(body, (on + height * facet_normals(body))[outside])
    np.testing.assert_allclose(found.distance, height, rtol=0, atol=1e-15)


def test_corners_and_edges_of_a_box_are_told_apart_however_near():
    cube = box((0, 0, 0), (1, 1, 1))
    normals = point_normals(cube)
    for offset in (1e-4, 1e-7, 1e-10):
        np.testing.assert_array_equal(np.sign(signed_distance(cube, cube.points + offset * normals).distance), 1)
        np.testing.assert_array_equal(np.sign(signed_distance(cube, cube.points - offset * normals).distance), -1)


def test_points_of_the_wall_have_distance_zero_and_its_normals():
    cube = box((0, 0, 0), (1, 1, 1), 2)
    found = signed_distance(cube, cube.points)
    np.testing.assert_allclose(found.distance, 0.0, atol=1e-15)
    np.testing.assert_allclose(found.gradient, point_normals(cube), atol=1e-12)


def test_orientation_of_the_file_and_unmerged_corners_do_not_matter():
    sphere = icosphere(2)
    rng = np.random.default_rng(0)
    mixed = Mesh(sphere.points, reversed_cells(sphere.cells, rng.random(320) < 0.5))
    soup = Mesh(sphere.points[mixed.cells.connectivity], Cells.of(triangle=np.arange(960).reshape(-1, 3)))
    p = rng.normal(size=(500, 3))
    one = signed_distance(sphere, p)
    for other in (mixed, soup):
        found = signed_distance(other, p)
        np.testing.assert_allclose(found.distance, one.distance, atol=1e-12)
        near = np.abs(one.distance) < 1e9
        np.testing.assert_allclose(found.gradient[near], one.gradient[near], atol=1e-6)


def test_every_kind_of_facet():
    cube = box((0, 0, 0), (1, 1, 1))
    quads = cube.cells.block("quad")
    rows = list(quads[:2]), quads[2:4], quads[4:][:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    mixed = Mesh(cube.points, Cells.concatenate([Cells.ragged("polygon", rows[0]), Cells.of(quad=rows[1], triangle=rows[2])]))
    p = np.random.default_rng(0).uniform(-1, 2, (800, 3))
    np.testing.assert_allclose(signed_distance(mixed, p).distance, signed_distance(cube, p).distance, atol=1e-14)


def test_closest_point_of_a_triangle_beats_a_fine_sampling():
    rng = np.random.default_rng(0)
    i, j = np.mgrid[:41, :41]
    grid = np.stack([i, j, 40 - i - j], axis=-1)[i + j <= 40] / 40
    for _ in range(8):
        corners, p = rng.normal(size=(3, 3)), 2 * rng.normal(size=(300, 3))
        found = signed_distance(Mesh(corners, Cells.of(triangle=[[0, 1, 2]])), p, signed=False)
        assert found.winding is None
        assert (found.parameter >= 0).all()
        np.testing.assert_allclose(found.parameter.sum(axis=1), 1.0, atol=1e-14)
        sampled = np.linalg.norm(p[:, None] - grid @ corners, axis=2).min(axis=1)
        assert (found.distance <= sampled + 1e-13).all()
        assert (sampled - found.distance).max() < 0.1


def test_tensors_come_back_as_tensors_and_chunks_change_nothing():
    sphere, p = icosphere(2), np.random.default_rng(0).normal(size=(300, 3))
    whole = signed_distance(sphere, p)
    np.testing.assert_array_equal(signed_distance(sphere, p, chunk=800).distance, whole.distance)
    found = signed_distance(sphere, torch.from_numpy(p).float())
    assert found.distance.dtype == torch.float32
    assert found.facet.dtype == torch.int64
    np.testing.assert_allclose(found.distance.numpy(), whole.distance, atol=1e-6)
    double = signed_distance(sphere, torch.from_numpy(p))
    for name, value in vars(whole).items():
        np.testing.assert_allclose(getattr(double, name).numpy(), value, atol=1e-14)
    with pytest.raises(ConfigurationError, match="vertices"):
        signed_distance(sphere, p, vertices=torch.from_numpy(sphere.points.copy()))
    assert signed_distance(sphere, np.zeros((0, 3))).distance.shape == (0,)


def test_open_and_degenerate_surfaces():
    plate = Mesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]], Cells.of(quad=np.array([[0, 1, 2, 3]])))
    p = np.array([[0.5, 0.5, 2.0], [0.5, 0.5, -2.0]])
    np.testing.assert_allclose(signed_distance(plate, p, signed=False).distance, 2.0)
    with pytest.raises(InvalidMeshError, match="open") as caught:
        signed_distance(plate, p)
    assert "signed=False" in caught.value.remedy
    line = Mesh([[0, 0, 0], [1, 0, 0], [2, 0, 0.0]], Cells.of(triangle=np.array([[0, 1, 2]])))
    for signed in (True, False):
        with pytest.raises(InvalidMeshError, match="zero area|sliver"):
            signed_distance(line, p, signed=signed)


def test_first_use_of_warp_prints_nothing():
    code = (
        "import numpy as np\nfrom geoop.mesh.primitives import icosphere\nfrom geoop.mesh.distance import signed_distance\n"
        "signed_distance(icosphere(1), np.zeros((1, 3)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""


@pytest.mark.gpu
@pytest.mark.parametrize("holed", [False, True], ids=["closed", "holed"])
def test_gpu_equals_cpu(holed):
    sphere = icosphere(4)
    surface = Mesh(sphere.points, sphere.cells.take(np.arange(holed * 40, len(sphere.cells))))
    p = torch.from_numpy(np.random.default_rng(0).normal(size=(5000, 3)))
    p[:500] = torch.from_numpy(sphere.points[:500]) * (1 + 1e-6)
    here, there = signed_distance(surface, p), signed_distance(surface, p.cuda().requires_grad_())
    assert there.distance.is_cuda
    torch.testing.assert_close(there.distance.detach().cpu(), here.distance, atol=1e-6, rtol=0)
    torch.testing.assert_close(there.confidence.cpu(), here.confidence, atol=2e-3, rtol=0)
    there.distance.sum().backward()
