"""Regions for ``tools/benchmark moving``: the unit square, a disk, an L and a plate with a hole."""

from __future__ import annotations

import numpy as np

from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import disk
from geoop.mesh.generate.grid import grid
from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle


def square(side: int) -> Mesh:
    """The unit square of side^2 nodes; every quad cut along the same diagonal."""
    return grid((side - 1, side - 1), simplices=True)


def disk_of(rings: int) -> Mesh:
    """The disk of radius 1/2 in the unit square; 27 rings have 2269 nodes."""
    return disk(rings, radius=0.5, center=(0.5, 0.5))


def l_shape(size: float) -> Mesh:
    """The unit square without its upper right quarter, of edges of a length [m]."""
    return mesh_inside(_outline({"wall": _polygon([[0, 0], [1, 0], [1, 0.5], [0.5, 0.5], [0.5, 1], [0, 1]], size)}, "L"), size=size)


def plate(size: float, radius: float = 0.2) -> Mesh:
    """The unit square with a round hole in the middle, of edges of a length [m]."""
    hole = circle(round(2.0 * np.pi * radius / size), radius, (0.5, 0.5)).points
    outside = _polygon([[0, 0], [1, 0], [1, 1], [0, 1]], size)
    return mesh_inside(_outline({"outside": outside, "hole": hole}, "plate"), size=size)


def _polygon(corners: list[list[float]], size: float) -> np.ndarray:
    """Points on the sides of a polygon, no farther apart than a length."""
    found = []
    for a, b in zip(np.array(corners, dtype=float), np.roll(corners, -1, axis=0), strict=True):
        count = int(np.ceil(np.linalg.norm(b - a) / size - 1e-9))
        found.append(a + (b - a) * np.arange(count)[:, None] / count)
    return np.concatenate(found)


def _outline(loops: dict[str, np.ndarray], name: str) -> Mesh:
    """Closed loops of points, each a patch."""
    lines, start = {}, 0
    for patch, points in loops.items():
        i = start + np.arange(len(points))
        lines[patch], start = np.stack([i, np.roll(i, -1)], axis=1), start + len(points)
    return Mesh(
        np.concatenate(list(loops.values())),
        Cells.of(line=np.concatenate(list(lines.values()))),
        {k: Cells.of(line=v) for k, v in lines.items()},
        name=name,
    )
