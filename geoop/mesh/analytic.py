"""Distances to shapes that are formulas: what meshes of them are checked against. Negative inside, exact everywhere."""

from __future__ import annotations

import numpy as np

Vector = tuple[float, ...] | np.ndarray


def sphere_distance(points: np.ndarray, radius: float = 1.0, center: Vector = (0.0, 0.0, 0.0)) -> np.ndarray:
    """(n,) signed distance [m] of points (n, d) to a sphere, in 2-D (with a centre of two numbers) to a circle."""
    return np.linalg.norm(np.asarray(points) - np.asarray(center), axis=1) - radius


def box_distance(points: np.ndarray, lower: Vector = (0.0, 0.0, 0.0), upper: Vector = (1.0, 1.0, 1.0)) -> np.ndarray:
    """(n,) signed distance [m] of points (n, d) to a box along the axes, in 2-D to a rectangle."""
    low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    beyond = np.abs(np.asarray(points) - (low + high) / 2) - (high - low) / 2
    return np.linalg.norm(np.maximum(beyond, 0.0), axis=1) + np.minimum(beyond.max(axis=1), 0.0)


def torus_distance(points: np.ndarray, major: float = 1.0, minor: float = 0.25) -> np.ndarray:
    """(n,) signed distance [m] of points (n, 3) to a torus round the z axis: radius ``major`` of its circle, ``minor`` of its tube."""
    x, y, z = np.asarray(points).T
    return np.hypot(np.hypot(x, y) - major, z) - minor


def capsule_distance(points: np.ndarray, length: float = 2.0, radius: float = 0.5) -> np.ndarray:
    """(n,) signed distance [m] of points (n, 3) to a cylinder of the given length along x, centred, with half a sphere on each end."""
    points = np.asarray(points)
    axis = np.zeros_like(points)
    axis[:, 0] = np.clip(points[:, 0], -length / 2, length / 2)
    return np.linalg.norm(points - axis, axis=1) - radius
