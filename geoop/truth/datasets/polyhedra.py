"""Random polyhedra of about unit size, and the larger target shapes that Schwarz iterations put them together for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial import ConvexHull

from ...errors import ConvergenceError
from ...mesh.cells import Cells
from ...mesh.measure import area_vectors
from ...mesh.mesh import Mesh
from ...mesh.primitives import capsule, icosphere, torus

_ATTEMPTS = 500
_SMALLEST_VOLUME, _SHARPEST = 0.06, 15.0


def random_polyhedron(random: np.random.Generator, corners: tuple[int, int], dents: tuple[float, float]) -> Mesh:
    """A polyhedron with triangular facets that fits the unit cube round the origin; every ray from the origin of its draw leaves it once.

    Corners are uniform in the cube (their hull is the solid) where there are no dents; else they are uniform on a sphere, joined as their
    hull is, and pulled towards its centre by a random factor. Polyhedra of less volume than 0.06 m^3 and with sharper angles in their
    facets than 15 degrees are drawn again.

    Args:
        random: generator.
        corners: fewest and most corners.
        dents: smallest and largest share of the radius by which a corner is pulled in; (0, 0) gives a convex polyhedron.

    Returns:
        closed surface of triangles, normals outward; its longer sides fill [-0.5, 0.5] [m].

    Raises:
        ConvergenceError: 500 draws gave none.
    """
    for _ in range(_ATTEMPTS):
        count = int(random.integers(corners[0], corners[1] + 1))
        if dents == (0.0, 0.0):
            points = random.random((count, 3)) - 0.5
            pulled = points
        else:
            points = random.standard_normal((count, 3))
            points /= np.linalg.norm(points, axis=1)[:, None]
            pulled = points * (1.0 - dents[0] - (dents[1] - dents[0]) * random.random(count))[:, None]
        hull = ConvexHull(points)
        inside = points[hull.vertices].mean(axis=0) if dents == (0.0, 0.0) else np.zeros(3)
        if dents != (0.0, 0.0) and (hull.equations[:, 3] > -0.2).any():
            continue  # a facet passes near the centre: its ray would not be the only one
        surface = _fitted(pulled, _outward(hull.simplices, points, inside))
        if _volume(surface) >= _SMALLEST_VOLUME and _sharpest(surface) >= _SHARPEST:
            return surface
    raise ConvergenceError(
        f"{_ATTEMPTS} draws of {corners[0]} to {corners[1]} corners gave no polyhedron", where="random_polyhedron", remedy="ask for more corners"
    )


def bracket() -> Mesh:
    """An L of two 0.4 m x 0.4 m arms of 1.2 m: not convex, with one inward edge."""
    outline = np.array([[0, 0], [1.2, 0], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [0, 1.2]], dtype=np.float64)
    flat = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5]])
    n = len(outline)
    points = np.concatenate([np.column_stack([outline, np.full(n, z)]) for z in (0.0, 0.4)]) - [0.6, 0.6, 0.2]
    a, b = np.arange(n), (np.arange(n) + 1) % n
    sides = np.concatenate([np.stack([a, b, b + n], axis=1), np.stack([a, b + n, a + n], axis=1)])
    return Mesh(points, Cells.of(triangle=np.concatenate([flat[:, ::-1], flat + n, sides])), name="bracket")


def hollow_ball() -> Mesh:
    """A ball of radius 0.7 m with a cavity of radius 0.35 m round (0.1, 0, 0)."""
    outer, inner = icosphere(3, 0.7), icosphere(2, 0.35, (0.1, 0.0, 0.0))
    holes = inner.cells.block("triangle")[:, ::-1] + len(outer.points)
    cells = Cells.of(triangle=np.concatenate([outer.cells.block("triangle"), holes]))
    return Mesh(np.concatenate([outer.points, inner.points]), cells, name="hollow_ball")


#: Target shape -> (surface, edge length to mesh it with, None: its own).
TARGETS: dict[str, tuple[Callable[[], Mesh], float | None]] = {
    "bracket": (bracket, 0.1),
    "torus": (lambda: torus(44, 15, major=0.7, minor=0.25), None),
    "capsule": (lambda: capsule(20, length=1.8, radius=0.3), None),
    "hollow_ball": (hollow_ball, None),
}


def _outward(triangles: np.ndarray, points: np.ndarray, inside: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    facing = np.einsum("ij,ij->i", np.cross(b - a, c - a), a - inside) > 0
    return np.where(facing[:, None], triangles, triangles[:, ::-1])


def _fitted(points: np.ndarray, triangles: np.ndarray) -> Mesh:
    used, local = np.unique(triangles, return_inverse=True)
    corner = points[used]
    low, high = corner.min(axis=0), corner.max(axis=0)
    return Mesh((corner - 0.5 * (low + high)) / (high - low).max(), Cells.of(triangle=local.reshape(triangles.shape)), name="polyhedron")


def _volume(surface: Mesh) -> float:
    first = surface.points[surface.cells.block("triangle")[:, 0]]
    return float(np.einsum("ij,ij->", area_vectors(surface), first) / 3.0)


def _sharpest(surface: Mesh) -> float:
    """Smallest angle of all facets [deg]."""
    corner = surface.points[surface.cells.block("triangle")]
    to_next, to_last = np.roll(corner, -1, axis=1) - corner, np.roll(corner, 1, axis=1) - corner
    cosine = (to_next * to_last).sum(axis=2) / (np.linalg.norm(to_next, axis=2) * np.linalg.norm(to_last, axis=2))
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).min())
