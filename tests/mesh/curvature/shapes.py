"""Irregular points on shapes whose curvature is known."""

import numpy as np

from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import icosphere, torus


def torus_values(u: np.ndarray, v: np.ndarray, major: float, minor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of a torus at angles (u, v), with mean and Gauss curvature."""
    reach = major + minor * np.cos(v)
    points = np.stack([reach * np.cos(u), reach * np.sin(u), minor * np.sin(v)], axis=1)
    across, along = np.full(len(u), 1 / minor), np.cos(v) / reach
    return points, (across + along) / 2, across * along


def irregular_torus(n: int, seed: int = 0) -> tuple[Mesh, np.ndarray, np.ndarray]:
    """A torus mesh with shaken points (still on the torus), mean and Gauss curvature."""
    rng = np.random.default_rng(seed)
    i, j = np.divmod(np.arange(n * (n // 2)), n // 2)
    u = 2 * np.pi * (i + 0.2 * rng.uniform(-1, 1, len(i))) / n
    v = 2 * np.pi * (j + 0.2 * rng.uniform(-1, 1, len(i))) / (n // 2)
    points, mean, gauss = torus_values(u, v, 1.0, 0.4)
    return torus(n, n // 2, minor=0.4).moved(points), mean, gauss


def irregular_sphere(level: int, radius: float = 1.0, seed: int = 0) -> Mesh:
    sphere = icosphere(level)
    shaken = sphere.points + 0.12 / 2**level * np.random.default_rng(seed).normal(size=sphere.points.shape)
    return sphere.moved(radius * shaken / np.linalg.norm(shaken, axis=1, keepdims=True))


def random_torus(n: int, minor: float = 0.4, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Independent points with uniform density on a torus, mean and Gauss curvature."""
    rng = np.random.default_rng(seed)
    v = rng.uniform(0, 2 * np.pi, 8 * n)
    v = v[rng.uniform(size=8 * n) < (1 + minor * np.cos(v)) / (1 + minor)][:n]
    return torus_values(rng.uniform(0, 2 * np.pi, n), v, 1.0, minor)


def random_sphere(n: int, seed: int = 0) -> np.ndarray:
    points = np.random.default_rng(seed).normal(size=(n, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)
