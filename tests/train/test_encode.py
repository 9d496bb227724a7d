"""The fit of one shape: equivariance, repeatability, sheets and scans, bad input."""

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.cloud_skin import CloudSkin
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle, icosphere, naca4, wing
from geoop.mesh.skin import SurfaceSkin
from geoop.train.encode import EncodeSettings, fit_skin


def fitted(skin, **options):
    """A short fit, little checked."""
    return fit_skin(skin, EncodeSettings(**{"points": 512, "checked": 300, "resolution": 24, **options}))


def rotation():
    q, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


def test_a_moved_scaled_and_turned_shape_has_the_same_field():
    body = wing(naca4("2412", 40), span=2.0, n_span=6, sweep=0.3)
    turn = rotation()
    scale, shift = 37.0, np.array([5.0, -200.0, 11.0])
    x = np.random.default_rng(0).uniform(-0.5, 2.0, (400, 3))
    here = fitted(SurfaceSkin(body), steps=8, latents=48)
    there = fitted(SurfaceSkin(body.moved(scale * body.points @ turn.T + shift)), steps=8, latents=48)
    length = here.frame.length
    assert there.frame.length == pytest.approx(scale * length, rel=1e-9)
    np.testing.assert_allclose(there.at(scale * x @ turn.T + shift) / scale, here.at(x), atol=1e-5 * length)


def test_the_same_seed_gives_the_same_field_and_another_another():
    x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    one, two, other = (fitted(SurfaceSkin(circle(60)), steps=10, latents=16, seed=seed).at(x) for seed in (0, 0, 1))
    assert (one == two).all() and not (one == other).all()


def test_a_sheet_and_half_a_scan():
    square = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]), Cells.of(quad=np.array([[0, 1, 2, 3]])))
    found = fitted(SurfaceSkin(square, 0.03), steps=80, latents=64)
    assert found.deviation.to_field.mean < 0.01 and "3.00% of the length thick" in found.verdict
    assert found.at(np.array([[0.5, 0.5, 0.0]]))[0] < 0 < found.at(np.array([[0.5, 0.5, 0.1]]))[0]
    points = icosphere(3).points
    points = points[points[:, 0] > 0]
    scan = fitted(CloudSkin(points, points), steps=10, latents=48)
    assert np.isfinite(scan.at(np.random.default_rng(0).normal(size=(200, 3)))).all()
    assert "missing" in scan.verdict and scan.about["findings"]["leak"] > 0.3


def test_a_cloud_from_a_file(tmp_path):
    points = icosphere(2).points
    rows = "\n".join(",".join(f"{v:.6f}" for v in (*p, *p)) for p in points)
    (tmp_path / "scan.csv").write_text("x,y,z,normals_x,normals_y,normals_z\n" + rows)
    head = f"ply\nformat ascii 1.0\nelement vertex {len(points)}\n" + "".join(f"property float {n}\n" for n in ("x", "y", "z", "nx", "ny", "nz"))
    (tmp_path / "scan.ply").write_text(head + "end_header\n" + rows.replace(",", " ") + "\n")
    one, other = (geoop.encode(tmp_path / f"scan.{kind}", unit="mm", steps=4, latents=24) for kind in ("csv", "ply"))
    assert one.frame.length == pytest.approx(2e-3, rel=0.02) and one.about["unit"] == "mm"
    at = np.random.default_rng(0).normal(size=(50, 3)) * 1e-3
    np.testing.assert_allclose(other.at(at), one.at(at), atol=1e-8)


@pytest.mark.parametrize(
    ("shape", "options", "error", "words"),
    [
        (Mesh(np.eye(3)), {}, InvalidMeshError, "normals"),
        (icosphere(1), {"steps": 0}, ConfigurationError, "budget"),
        (icosphere(1), {"minutes": 1.0, "steps": 3}, ConfigurationError, "budget"),
        (icosphere(1), {"latents": 1}, ConfigurationError, "latents"),
    ],
)
def test_bad_input(shape, options, error, words):
    with pytest.raises(error) as caught:
        geoop.encode(shape, **options)
    assert words in str(caught.value)
