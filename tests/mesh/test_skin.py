"""What separates a body from the outside: any orientation, sheets, inner walls, holes, and clouds of points."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError, NonFiniteError, ShapeError
from geoop.mesh.cells import Cells
from geoop.mesh.cloud_skin import CloudSkin
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import icosphere
from geoop.mesh.skin import SurfaceSkin


def sphere_points(n=2000, half=False):
    k = np.arange(n) + 0.5
    z, turn = (k / n if half else 1 - 2 * k / n), np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)


def test_normals_face_out_whatever_the_file_says():
    ball = icosphere(2)
    mixed = Mesh(ball.points, reversed_cells(ball.cells, np.arange(len(ball.cells)) % 3 == 0))
    skin = SurfaceSkin(mixed)
    found = skin.sample(500, np.random.default_rng(0))
    assert ((found.normals * found.points).sum(axis=1) > 0.9 * np.linalg.norm(found.points, axis=1)).all()
    assert max(skin.findings.values()) == 0 and skin.verdict == ""
    assert skin.length == pytest.approx(2 * np.linalg.norm(ball.points, axis=1).max(), rel=1e-6)
    frame = np.concatenate([found.normals[:, None], found.tangents], axis=1)
    np.testing.assert_allclose(frame @ frame.transpose(0, 2, 1), np.broadcast_to(np.eye(3), frame.shape), atol=1e-12)


def test_a_sheet_gets_a_thickness():
    square = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]), Cells.of(quad=np.array([[0, 1, 2, 3]])))
    skin = SurfaceSkin(square, thickness=0.02)
    half = 0.01 * np.sqrt(2)
    np.testing.assert_allclose(skin.distance(np.array([[0.5, 0.5, 0.1], [0.5, 0.5, -0.1], [0.5, 0.5, 0.0]])), [0.1 - half, 0.1 - half, -half])
    found = skin.sample(100, np.random.default_rng(0))
    np.testing.assert_allclose(np.abs(found.points[:, 2]), half)
    assert (found.points[:, 2] * found.normals[:, 2] > 0).all() and skin.area == pytest.approx(2.0)
    assert "outside on both sides" in skin.verdict and "unsure" in skin.verdict
    with pytest.raises(InvalidMeshError, match="bounds nothing"):
        SurfaceSkin(square, thickness=0.0)


def test_inner_walls_are_no_part_of_it():
    """A ball with a disc across: the distance next to the disc is that to the ball."""
    ball = icosphere(2)
    ring = 0.6 * np.stack([np.cos(np.arange(12) * np.pi / 6), np.sin(np.arange(12) * np.pi / 6), np.zeros(12)], axis=1)
    n = len(ball.points)
    disc = np.stack([np.full(12, n + 12), n + np.arange(12), n + (np.arange(12) + 1) % 12], axis=1)
    both = Mesh(np.concatenate([ball.points, ring, np.zeros((1, 3))]), Cells.concatenate([ball.cells, Cells.of(triangle=disc)]))
    skin = SurfaceSkin(both)
    assert skin.findings["inner"] == pytest.approx(1.08 / (1.08 + 12.3), rel=0.05)
    assert skin.distance(np.array([[0.1, 0.0, 1e-3]]))[0] == pytest.approx(-0.9, abs=0.05)
    assert np.linalg.norm(skin.sample(500, np.random.default_rng(0)).points, axis=1).min() > 0.9


def test_holes_are_closed_and_said():
    ball = icosphere(3)
    keep = ball.points[ball.cells.block("triangle")].mean(axis=1)[:, 2] < 0.8
    skin = SurfaceSkin(ball.submesh(ball.cells.take(keep)))
    assert skin.findings["caps"] > 0.05 and "closed" in skin.verdict
    assert skin.sample(2000, np.random.default_rng(0)).points[:, 2].max() < 0.9
    line = skin.distance(np.stack([np.zeros(50), np.zeros(50), np.linspace(0.5, 1.1, 50)], axis=1))
    assert np.abs(np.diff(line)).max() < 0.02  # no jump across the hole


def test_open_outline():
    turn = np.linspace(0, 1.8 * np.pi, 60)
    skin = SurfaceSkin(Mesh(np.stack([np.cos(turn), np.sin(turn)], axis=1), Cells.of(line=np.stack([np.arange(59), np.arange(1, 60)], axis=1))))
    assert skin.findings["caps"] > 0.05
    assert skin.distance(np.zeros((1, 2)))[0] == pytest.approx(-np.cos(0.1 * np.pi), abs=0.01)


def test_cloud_of_a_ball():
    points = sphere_points()
    skin = CloudSkin(points, 3 * points)
    x = np.random.default_rng(0).normal(size=(500, 3))
    x *= np.linspace(0.7, 1.5, 500)[:, None] / np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(skin.distance(x), np.linspace(-0.3, 0.5, 500), atol=0.01)
    found = skin.sample(500, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(found.points, axis=1), 1.0, atol=5e-3)
    assert skin.findings["leak"] < 0.01 and skin.findings["directions"] == 0 and skin.findings["rim"] == 0
    assert "missing" not in skin.verdict and "approximate" in skin.verdict


def test_half_a_scan_says_what_is_missing():
    points = sphere_points(half=True)
    rng = np.random.default_rng(0)
    skin = CloudSkin(points + 2e-3 * rng.normal(size=points.shape), points + 0.05 * rng.normal(size=points.shape))
    # the area vectors of half a ball leave half of its area: what is missing is a third of the whole at least
    assert skin.findings["leak"] == pytest.approx(0.5, abs=0.03)
    assert 0.1 < skin.findings["directions"] < 0.5 and 0.02 < skin.findings["rim"] < 0.2
    assert "33% of the surface is missing" in skin.verdict or "34% of the surface is missing" in skin.verdict
    assert np.isfinite(skin.distance(10 * rng.normal(size=(500, 3)))).all()


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: SurfaceSkin(Mesh(np.eye(3))), InvalidMeshError),
        (lambda: SurfaceSkin(Mesh(np.zeros((3, 3)), Cells.of(triangle=np.array([[0, 1, 2]])))), InvalidMeshError),
        (lambda: SurfaceSkin(icosphere(1), thickness=-1.0), ConfigurationError),
        (lambda: CloudSkin(np.eye(3), np.zeros((3, 3))), InvalidMeshError),
        (lambda: CloudSkin(np.zeros((9, 3)), np.ones((9, 3))), InvalidMeshError),
        (lambda: CloudSkin(np.eye(3), np.ones((2, 3))), ShapeError),
        (lambda: CloudSkin(np.full((9, 3), np.nan), np.ones((9, 3))), NonFiniteError),
    ],
)
def test_bad_input(make, error):
    with pytest.raises(error) as caught:
        make()
    assert caught.value.remedy
