"""Regions for ``tools/benchmark moving``: the unit square, a disk, an L and a plate with a hole; the cube, with and without a hole."""

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


def cube(side: int) -> Mesh:
    """The unit cube of side^3 nodes; cubes cut into six tetrahedra along their diagonal (H. W. Kuhn, 1960); patches by side."""
    t = np.linspace(0.0, 1.0, side)
    points = np.stack(np.meshgrid(t, t, t, indexing="ij"), axis=-1).reshape(-1, 3)
    i = np.arange(side**3).reshape(side, side, side)
    faces = {"x_min": i[0].T, "x_max": i[-1], "y_min": i[:, 0], "y_max": i[:, -1].T, "z_min": i[:, :, 0].T, "z_max": i[:, :, -1]}
    patches = {name: Cells.of(triangle=_halved(face)) for name, face in faces.items()}
    return Mesh(points, Cells.of(tetra=_sixths(i)), patches, name="cube")


def holed_cube(side: int, radius: float = 0.2) -> Mesh:
    """The unit cube with a spherical hole in the middle: layers from the sphere to the sides, (side, side) nodes on each; patches outside, hole."""
    t = np.linspace(-0.5, 0.5, side)
    grid = np.stack(np.meshgrid(t, t, t, indexing="ij"), axis=-1).reshape(-1, 3)
    rim = np.flatnonzero(np.abs(grid).max(axis=1) > 0.5 - 1e-12)
    number = np.full(len(grid), -1)
    number[rim] = np.arange(len(rim))
    i = number[np.arange(side**3).reshape(side, side, side)]
    sheets = [_halved(face) for face in (i[0].T, i[-1], i[:, 0], i[:, -1].T, i[:, :, 0].T, i[:, :, -1])]
    skin, outer = np.concatenate(sheets), grid[rim]
    # equal angles rather than equal lengths on the sphere, and layers as high as its triangles are wide
    inner = np.tan(0.5 * np.pi * outer)
    inner *= radius / np.linalg.norm(inner, axis=1, keepdims=True)
    layers = side // 2
    share = np.linspace(0.0, 1.0, layers + 1)[:, None, None]
    points = 0.5 + ((1.0 - share) * inner + share * outer).reshape(-1, 3)
    low = np.sort(skin, axis=1)  # of a prism the diagonals leave the lower number, on both sides of a face alike
    a, b, c = low.T
    n = len(rim)
    prism = np.concatenate([np.stack(rows, axis=1) for rows in ((a, b, c, c + n), (a, b, b + n, c + n), (a, a + n, b + n, c + n))])
    rows = np.concatenate([prism + k * n for k in range(layers)])
    edge = points[rows[:, 1:]] - points[rows[:, :1]]
    turned = np.linalg.det(edge) < 0
    rows[turned, :2] = rows[turned, 1::-1]
    patches = {"outside": Cells.of(triangle=skin + layers * n), "hole": Cells.of(triangle=skin[:, ::-1])}
    return Mesh(points, Cells.of(tetra=rows), patches, name="holed-cube")


def _halved(face: np.ndarray) -> np.ndarray:
    """(k, 3) triangles of a lattice (n, m) of nodes, all squares cut along the same diagonal."""
    a, b, c, d = (part.ravel() for part in (face[:-1, :-1], face[1:, :-1], face[1:, 1:], face[:-1, 1:]))
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])


def _sixths(i: np.ndarray) -> np.ndarray:
    """(k, 4) right-handed tetrahedra of a lattice (n, m, l) of nodes: one per order of the axes, whose steps are 4, 2, 1."""
    size = np.array(i.shape) - 1
    corner = [i[a : a + size[0], b : b + size[1], c : c + size[2]].ravel() for a, b, c in np.ndindex(2, 2, 2)]
    ways = ((4, 6), (2, 3), (1, 5), (6, 2), (3, 1), (5, 4))
    return np.concatenate([np.stack([corner[k] for k in (0, *way, 7)], axis=1) for way in ways])


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
