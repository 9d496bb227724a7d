"""The Laplace-Beltrami operator from points: eigenfunctions of the sphere, mean curvature, plane curves, orders of convergence."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, NonFiniteError, ShapeError
from geoop.mesh.curvature import cloud_curvature, cloud_laplacian, curve_curvature


def sphere(n: int, noise: float = 0.15) -> np.ndarray:
    """Nearly even points of the unit sphere, moved about by a part of their spacing."""
    i = np.arange(n) + 0.5
    z, turn = 1 - 2 * i / n, i * np.pi * (1 + 5**0.5)
    r = np.sqrt(1 - z * z)
    x = np.stack([r * np.cos(turn), r * np.sin(turn), z], 1)
    x = x + noise * np.sqrt(4 * np.pi / n) * np.random.default_rng(0).normal(size=x.shape)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def torus(n: int, minor: float = 0.4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(m, 3) points of a torus with radii 1 and ``minor`` on a sheared lattice, outward normals, and cos(theta)."""
    around = round((n / minor) ** 0.5)
    across = round(n / around)
    i, j = (k.ravel() for k in np.meshgrid(np.arange(around), np.arange(across), indexing="ij"))
    theta, phi = 2 * np.pi * (j + 0.37 * i) / across, 2 * np.pi * i / around
    normal = np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)], 1)
    ring = np.stack([np.cos(phi), np.sin(phi), 0 * phi], 1)
    return ring + minor * normal, normal, np.cos(theta)


HARMONICS = {1: lambda x, y, z: z, 2: lambda x, y, z: x * y, 3: lambda x, y, z: z * (5 * z * z - 3), 4: lambda x, y, z: 35 * z**4 - 30 * z**2 + 3}


@pytest.mark.parametrize("degree", [3, 4, 5])
def test_spherical_harmonics_are_eigenfunctions_and_errors_fall_with_the_order_of_the_fit(degree):
    """Delta Y_l = -l (l + 1) Y_l; second derivatives of a fit of degree d err by h^(d - 1), or better."""
    errors = []
    for n in (500, 2000, 8000):
        x = sphere(n)
        matrix = cloud_laplacian(x, degree=degree)
        errors.append(
            [np.sqrt(np.mean((matrix @ u(*x.T) + lam * (lam + 1) * u(*x.T)) ** 2)) / np.abs(lam * (lam + 1)) for lam, u in HARMONICS.items()]
        )
    orders = np.log2(np.array(errors[0]) / errors[-1]) / 2
    assert (orders > degree - 1 - 0.3).all(), orders
    assert max(errors[-1]) < {3: 2e-2, 4: 3e-4, 5: 1e-4}[degree]


def test_the_laplacian_of_the_position_is_the_mean_curvature_normal():
    """Delta_g x = -2 H n: on a torus H = (R + 2 r cos) / (2 r (R + r cos)), where cos is positive outside."""
    points, normal, cosine = torus(6000)
    exact = -(1 + 0.8 * cosine) / (0.4 * (1 + 0.4 * cosine))
    found = cloud_laplacian(points) @ points
    assert np.abs(found - exact[:, None] * normal).max() < 5e-3 * np.abs(exact).max()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
def test_gauss_curvature_of_sphere_and_torus(scale):
    """K = 1/R^2 and K = cos / (r (R + r cos)): the jets that the operator is built from are those of cloud_curvature."""
    assert np.allclose(cloud_curvature(scale * sphere(2000)).gauss * scale**2, 1.0, atol=3e-3)
    points, normal, cosine = torus(6000)
    exact = cosine / (0.4 * (1 + 0.4 * cosine))
    assert np.abs(cloud_curvature(scale * points, normal).gauss * scale**2 - exact).max() < 0.01 * np.abs(exact).max()


def test_constants_are_in_the_kernel_and_units_matter_as_they_should():
    x = sphere(600)
    matrix = cloud_laplacian(x)
    assert np.abs(matrix @ np.ones(600)).max() < 1e-9 * np.abs(matrix).max()
    assert np.allclose((cloud_laplacian(2.0 * x) * 4).toarray(), matrix.toarray(), rtol=1e-6, atol=1e-6 * np.abs(matrix).max())


def test_turning_the_surface_changes_nothing():
    x = sphere(400)
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    u = np.exp(x[:, 0])
    assert np.allclose(cloud_laplacian(x @ turn.T) @ u, cloud_laplacian(x) @ u, atol=1e-7)


def ellipse(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Uneven points of the ellipse with half-axes 1 and 1/2, outward normals, curvature."""
    t = 2 * np.pi * np.arange(n) / n
    t = t + 0.3 * np.sin(t)
    speed = np.sqrt(np.sin(t) ** 2 + 0.25 * np.cos(t) ** 2)
    return np.stack([np.cos(t), 0.5 * np.sin(t)], 1), np.stack([0.5 * np.cos(t), np.sin(t)], 1) / speed[:, None], 0.5 / speed**3


@pytest.mark.parametrize("degree", [2, 3, 4, 5])
def test_curves_in_the_plane(degree):
    """x''(s) = -kappa n along an ellipse, and kappa itself; the order of points does not matter."""
    errors = []
    for n in (50, 100, 200):
        points, normals, exact = ellipse(n)
        order = np.random.default_rng(n).permutation(n)
        points, normals, exact = points[order], normals[order], exact[order]
        second = cloud_laplacian(points, normals, degree=degree) @ points
        kappa = curve_curvature(points, normals, degree=degree)
        errors.append([np.abs(second + exact[:, None] * normals).max() / exact.max(), np.abs(kappa - exact).max() / exact.max()])
    orders = np.log2(np.array(errors[0]) / errors[-1]) / 2
    assert (orders > degree - 1 - 0.2).all(), orders
    assert max(errors[-1]) < 0.01


def test_waves_on_a_circle_are_eigenfunctions():
    t = 2 * np.pi * np.arange(120) / 120
    points = 2.0 * np.stack([np.cos(t), np.sin(t)], 1)
    for k in (1, 2, 3):
        assert np.allclose(cloud_laplacian(points) @ np.cos(k * t), -((k / 2) ** 2) * np.cos(k * t), atol=2e-4 * k**4)


def test_normals_keep_the_two_sheets_of_a_thin_body_apart():
    """An ellipse 1 % thick: points above and below are nearer to each other than to their neighbours."""
    t = 2 * np.pi * (np.arange(300) + 0.5) / 300
    points = np.stack([np.cos(t), 0.01 * np.sin(t)], 1)
    normals = np.stack([0.01 * np.cos(t), np.sin(t)], 1)
    flat = np.abs(points[:, 0]) < 0.8
    exact = 0.01 / (np.sin(t) ** 2 + 1e-4 * np.cos(t) ** 2) ** 1.5
    # without weights on the other sheet the fit needs neighbours of its own
    found = curve_curvature(points, normals, neighbors=14)
    assert np.abs(found - exact)[flat].max() < 1e-3
    u = points[:, 0] ** 2
    kept, mixed = (np.abs(cloud_laplacian(points, n, neighbors=14) @ (u + np.sign(points[:, 1])) - 2)[flat].max() for n in (normals, None))
    assert kept < 0.02 < mixed


def test_points_given_twice_count_once():
    x = sphere(300)
    both = np.concatenate([x, x[:40]])
    u = x[:, 0] * x[:, 1]
    found = cloud_laplacian(both) @ np.concatenate([u, u[:40]])
    assert np.allclose(found[:300], cloud_laplacian(x) @ u) and np.allclose(found[300:], found[:40])


def test_bad_input_is_named():
    x = sphere(100)
    with pytest.raises(ShapeError):
        cloud_laplacian(np.zeros((5, 4)))
    with pytest.raises(ConfigurationError, match="degree is 6"):
        cloud_laplacian(x, degree=6)
    with pytest.raises(ConfigurationError, match="10 neighbours"):
        cloud_laplacian(x, neighbors=10)
    with pytest.raises(NonFiniteError):
        cloud_laplacian(np.where(x > 0.99, np.nan, x))
    with pytest.raises(ShapeError):
        curve_curvature(x, x)
