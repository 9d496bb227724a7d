"""Triangles of a disk in rings: nearly equilateral everywhere, the same on every machine, without a mesh generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...errors import ConfigurationError
from ..cells import Cells
from ..mesh import Mesh
from .quadratic import quadratic


def disk(rings: int, *, radius: float = 1.0, center: tuple[float, float] = (0.0, 0.0)) -> Mesh:
    """A disk of 6 rings^2 triangles: the middle, then 6, 12, 18, ... points on equidistant circles.

    Args:
        rings: number of circles, 1 or more; there are 1 + 3 rings (rings + 1) points.
        radius: [m].
        center: [m].

    Returns:
        mesh of counter-clockwise triangles; patch ``boundary`` is the outer circle, region on the left.

    Raises:
        ConfigurationError: no ring, or a radius that is not positive.
    """
    if rings < 1 or not 0 < radius < np.inf:
        raise ConfigurationError(f"{rings} rings of radius {radius}", where="disk", remedy="give 1 or more rings and a positive radius")
    points, triangles = [np.zeros((1, 2))], []
    for k in range(1, rings + 1):
        angle = 2.0 * np.pi * np.arange(6 * k) / (6 * k)
        points.append(k / rings * np.stack([np.cos(angle), np.sin(angle)], axis=1))
        inner = _ring(k - 1)
        outer = _ring(k)
        sector, step = np.divmod(np.arange(6 * k), k)
        own = sector * (k - 1) + step  # the inner point that the outer point's sector counts from
        a, b = outer, np.roll(outer, -1)
        triangles.append(np.stack([a, b, inner[own % len(inner)]], axis=1))
        between = step > 0
        triangles.append(np.stack([a, inner[own % len(inner)], inner[(own - 1) % len(inner)]], axis=1)[between])
    rim = _ring(rings)
    lines = Cells.of(line=np.stack([rim, np.roll(rim, -1)], axis=1))
    placed = np.asarray(center) + radius * np.concatenate(points)
    return Mesh(placed, Cells.of(triangle=np.concatenate(triangles)), {"boundary": lines}, name="disk")


def star(rings: int, radius: Callable[[np.ndarray], np.ndarray], *, center: tuple[float, float] = (0.0, 0.0)) -> Mesh:
    """A star-shaped region of quadratic triangles: the disk's rings stretched along every ray, the outer edges on the exact curve.

    Towards the centre the rings turn gradually into circles: the few points of the inner ones could not follow a rough curve.

    Args:
        rings: as for :func:`disk`.
        radius: (k,) angles [rad] -> (k,) distances of the boundary from the centre [m], smooth and positive.
        center: [m].

    Returns:
        mesh of triangle6 cells; points of the boundary and middles of its edges lie on the curve; patch ``boundary``.

    Raises:
        ConfigurationError: no ring.
        InvalidMeshError: a curve so rough that cells turn inside out: take more rings.
    """
    flat, middle = disk(rings), np.asarray(center, dtype=np.float64)
    reach = radius(np.arctan2(flat.points[:, 1], flat.points[:, 0]))
    least = float(reach.min())
    share = np.hypot(flat.points[:, 0], flat.points[:, 1])
    stretched = replace(flat, points=middle + (least + share * (reach - least))[:, None] * flat.points, name="star")

    def onto(points: np.ndarray) -> np.ndarray:
        angle = np.arctan2(points[:, 1] - middle[1], points[:, 0] - middle[0])
        return middle + radius(angle)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    return quadratic(stretched, {"boundary": onto})


def corners(mesh: Mesh) -> Mesh:
    """The straight triangles on the corners of quadratic ones, whose points come first: what :func:`star` bent, before it did.

    Raises:
        ConfigurationError: other cells than triangle6, or facets that are not line3.
    """
    if mesh.cells.names != ["triangle6"] or any(part.names != ["line3"] for part in mesh.patches.values()):
        raise ConfigurationError(
            f"cells {mesh.cells.names} have no corners of their own", where=mesh.name, remedy="give triangle6 cells with line3 patches: star(...)"
        )
    rows = mesh.cells.block("triangle6")[:, :3]
    patches = {name: Cells.of(line=part.block("line3")[:, :2]) for name, part in mesh.patches.items()}
    return Mesh(mesh.points[: rows.max() + 1], Cells.of(triangle=rows), patches, name=mesh.name, notes=mesh.notes)


def _ring(k: int) -> np.ndarray:
    """Numbers of the points on circle k, from the angle 0."""
    return np.zeros(1, dtype=np.int64) if k == 0 else 1 + 3 * k * (k - 1) + np.arange(6 * k)
