"""Signed distance to a surface in 3-D: nearest triangle and winding number by warp, then the distance itself in double."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InvalidMeshError, MissingDependencyError
from ..cells import Cells
from ..measure import area_vectors, facet_normals, point_normals
from ..mesh import Mesh
from ..orientation import oriented
from ..topology import Sides, edges, welded
from ..triangulation import triangulated
from .result import Distance

if TYPE_CHECKING:
    from .warp_kernels import FaceSearch

_NEAR = 1e-5  # of the body's size: nearer than this, single precision cannot tell the sides apart
_OPEN = 0.35  # of the area: a surface whose area vectors leave more uncancelled has no inside
_EDGE = 1e-9  # barycentric weight under which a closest point lies on the opposite edge


def triangle_distance(surface: Mesh, points: np.ndarray, *, signed: bool, chunk: int, device: str = "cpu") -> Distance:
    """:func:`geoop.mesh.distance.signed_distance` in 3-D.

    The nearest triangle and the generalised winding number (Jacobson et al. 2013, as a hierarchy: Barill et al. 2018) come
    from warp in single precision, after the body is scaled to size one; closest point, distance and gradient are computed in
    double for that triangle. So a distance errs by at most about 1e-6 of the body's size, and small holes do not spoil the
    sign. Within 1e-5 of the size the sign is that of the pseudonormal (Baerentzen and Aanaes 2005), in double.

    Raises:
        MissingDependencyError: warp is not installed.
        InvalidMeshError: no triangle of positive area, or so far open that inside has no meaning.
    """
    body = _prepared(surface, signed, device)
    # a point needs about 100 bytes here whatever the number of facets, so pairs are not what fills the memory
    face, sign = body.search.nearest((points - body.middle) / body.size, max(1, chunk // 8))
    if (face < 0).any():
        raise InvalidMeshError(
            "every facet of the surface is a sliver without area", where=surface.name, remedy="check the coordinates and the unit of the file"
        )
    corners = body.corners[face]
    weights = closest_on_triangle(points, *(surface.points[corners[:, k]] for k in range(3)))
    closest = np.einsum("nk,nkd->nd", weights, surface.points[corners])
    offset = points - closest
    length = np.linalg.norm(offset, axis=1)
    near = np.flatnonzero(length <= 2 * _NEAR * body.size)
    normal, trusted = body.pseudonormals.at(face[near], weights[near]) if len(near) else (np.zeros((0, 3)), np.zeros(0, dtype=bool))
    if signed:
        side = np.where((offset[near] * normal).sum(axis=1) < 0, -1.0, 1.0)
        sign[near] = np.where(trusted, side, sign[near])
    on_wall = length <= 8 * np.finfo(np.float64).eps * (np.abs(points).max(initial=0.0) + np.abs(surface.bounds).max())
    gradient = np.where(sign < 0, -1.0, 1.0)[:, None] * offset / np.where(on_wall, 1.0, length)[:, None]
    gradient[near] = np.where(on_wall[near][:, None], normal, gradient[near])
    return Distance(np.where(sign < 0, -length, length), gradient, closest, body.facet[face], weights, corners)


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A body as oriented triangles with its search structure."""

    points: np.ndarray
    corners: np.ndarray
    facet: np.ndarray
    middle: np.ndarray
    size: float
    search: FaceSearch

    @cached_property
    def pseudonormals(self) -> _Pseudonormals:
        return _Pseudonormals.of(self.points, self.corners)


@lru_cache(maxsize=4)  # a mesh is immutable and hashed by identity: the same object is the same content
def _prepared(surface: Mesh, signed: bool, device: str) -> _Prepared:
    try:
        from .warp_kernels import FaceSearch
    except ImportError as problem:
        raise MissingDependencyError("distances in 3-D need warp", where="signed_distance", remedy="pip install warp-lang") from problem
    body = oriented(surface)
    if signed:
        _require_inside(body)
    corners, facet = triangulated(body)
    middle = body.bounds.mean(axis=0)
    size = float(np.linalg.norm(np.ptp(body.bounds, axis=0))) / 2 or 1.0
    search = FaceSearch((body.points - middle) / size, corners, signed=signed, device=device)
    return _Prepared(surface.points, corners, facet, middle, size, search)


def _require_inside(body: Mesh) -> None:
    areas = area_vectors(body)
    total = np.linalg.norm(areas, axis=1).sum()
    leak = float(np.linalg.norm(areas.sum(axis=0)))
    if total == 0 or leak > _OPEN * total:
        raise InvalidMeshError(
            "the surface is open so far that inside and outside are not defined" if total else "every facet of the surface has zero area",
            where=body.name,
            remedy="close it (`geoop inspect FILE` counts the open edges), or ask for signed=False",
        )


def closest_on_triangle(p: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """(n, 3) barycentric weights of the points of triangles (a, b, c) closest to p, one triangle per point (Ericson 2004, 5.1.5)."""
    ab, ac, ap, bp, cp = b - a, c - a, p - a, p - b, p - c
    d1, d2, d3, d4, d5, d6 = ((u * v).sum(axis=1) for u, v in ((ab, ap), (ac, ap), (ab, bp), (ac, bp), (ab, cp), (ac, cp)))
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    zero, one = np.zeros(len(p)), np.ones(len(p))

    def part(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return x / np.where(y == 0, 1.0, y)

    ab_t, ac_t, bc_t = part(d1, d1 - d3), part(d2, d2 - d6), part(d4 - d3, (d4 - d3) + (d5 - d6))
    total = va + vb + vc
    cases = [
        ((d1 <= 0) & (d2 <= 0), (one, zero, zero)),
        ((d3 >= 0) & (d4 <= d3), (zero, one, zero)),
        ((vc <= 0) & (d1 >= 0) & (d3 <= 0), (1 - ab_t, ab_t, zero)),
        ((d6 >= 0) & (d5 <= d6), (zero, zero, one)),
        ((vb <= 0) & (d2 >= 0) & (d6 <= 0), (1 - ac_t, zero, ac_t)),
        ((va <= 0) & (d4 - d3 >= 0) & (d5 - d6 >= 0), (zero, 1 - bc_t, bc_t)),
    ]
    inner = (1 - part(vb, total) - part(vc, total), part(vb, total), part(vc, total))
    conditions = [condition for condition, _ in cases]
    return np.stack([np.select(conditions, [values[k] for _, values in cases], inner[k]) for k in range(3)], axis=1)


@dataclass(frozen=True, eq=False)
class _Pseudonormals:
    """Normals of triangles, edges and vertices whose sign tells the side of a point that is closest to them."""

    faces: np.ndarray
    points: np.ndarray
    corners: np.ndarray
    listed: Sides
    border: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, corners: np.ndarray) -> _Pseudonormals:
        merged = welded(points)
        triangles = Mesh(points, Cells.of(triangle=merged[corners]))
        listed = edges(triangles.cells, np.arange(len(points)))
        border = np.zeros(len(points), dtype=bool)
        border[listed.corners[listed.counts[listed.group] != 2]] = True
        return cls(facet_normals(triangles), point_normals(triangles), merged[corners], listed, border)

    def at(self, face: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit normal of the feature that holds each closest point, and whether its sign can be trusted (not on the rim of a hole)."""
        zero = weights <= _EDGE
        normal = self.faces[face].copy()
        trusted = np.linalg.norm(normal, axis=1) > 0.5
        edge = np.flatnonzero(zero.sum(axis=1) == 1)
        opposite = zero[edge].argmax(axis=1)  # edge k of a triangle runs from corner k to k + 1, opposite to corner k + 2
        group = self.listed.group[3 * face[edge] + (opposite + 1) % 3]
        sums = np.stack([np.bincount(self.listed.group, weights=self.faces[self.listed.owner, k]) for k in range(3)], axis=1)
        normal[edge], trusted[edge] = sums[group], self.listed.counts[group] == 2
        vertex = np.flatnonzero(zero.sum(axis=1) == 2)
        point = self.corners[face[vertex], weights[vertex].argmax(axis=1)]
        normal[vertex], trusted[vertex] = self.points[point], ~self.border[point]
        length = np.linalg.norm(normal, axis=1)
        return normal / np.where(length > 0, length, 1.0)[:, None], trusted & (length > 1e-6)
