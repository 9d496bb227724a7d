"""Level sets of the distance outside a polygon or polyhedron: shifted facets, arcs round edges, caps round corners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InvalidMeshError
from .cells import Cells
from .distance.inside import distinct
from .measure import facet_normals, point_normals
from .mesh import Mesh
from .orientation import oriented
from .topology import edges, sides, welded
from .triangulation import triangulated


@dataclass(frozen=True, eq=False)
class LevelSets:
    """Pieces of the level set {distance = d}: in 2-D segments and arcs, in 3-D triangles, strips and caps.

    A piece is a set of points x = foot + d * direction, where the foot is a mean of ``feet`` and the direction the
    normalised mean of ``normals``, both by random weights. Its measure is size * d^power.

    Attributes:
        feet: (p, d, d) corners of the part of the wall that the piece belongs to, repeated for edges and corners.
        normals: (p, d, d) unit normals between which the direction lies, repeated for facets.
        power: (p,) 0 facets, 1 edges (corners in 2-D), 2 corners in 3-D.
        size: (p,) area, length times angle, or area of the flat triangle between the normals (its cap is reached by weight).
    """

    feet: np.ndarray
    normals: np.ndarray
    power: np.ndarray
    size: np.ndarray

    @classmethod
    def of(cls, surface: Mesh) -> LevelSets:
        """The pieces outside a closed outline or surface, facets that it lists twice taken once; reflex edges and corners have none.

        Raises:
            InvalidMeshError: it is open, or no outline or surface.
        """
        merged = welded(surface.points)
        body = Mesh(surface.points, surface.cells.take(distinct(surface.cells, merged, surface.dimension - 1)), name=surface.name)
        n_open = int((sides(body, merged).counts == 1).sum()) if body.is_surface else 0
        if n_open or not len(body.cells):
            raise InvalidMeshError(
                f"the surface is open: {n_open} of its {'ends' if body.dimension == 2 else 'edges'} belong to one facet only",
                where=surface.name,
                remedy="close it first: geoop.mesh.repair.repair(mesh)",
            )
        body = oriented(body)
        return _of_outline(body) if body.dimension == 2 else _of_surface(body)

    def sample(self, d: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """One point at each distance d (n,): positions (n, dim), and inverse densities (n,) on the level set [m^(dim-1)]."""
        dimension = self.feet.shape[2]
        totals = np.array([self.size[self.power == k].sum() for k in range(dimension)])
        parts = totals * d[:, None] ** np.arange(dimension)
        share = np.cumsum(parts, axis=1) / parts.sum(axis=1, keepdims=True)
        kind = np.minimum((rng.random(len(d))[:, None] > share).sum(axis=1), dimension - 1)
        piece = np.empty(len(d), dtype=np.int64)
        for k in range(dimension):
            rows, index = np.flatnonzero(kind == k), np.flatnonzero(self.power == k)
            if len(rows):
                cumulative = np.cumsum(self.size[index])
                piece[rows] = index[np.minimum(np.searchsorted(cumulative, rng.random(len(rows)) * cumulative[-1]), len(index) - 1)]
        feet = np.einsum("nk,nkd->nd", _simplex(rng, len(d), dimension), self.feet[piece])
        direction, stretch = self._direction(piece, kind, rng)
        return feet + d[:, None] * direction, parts.sum(axis=1) * stretch

    def _direction(self, piece: np.ndarray, kind: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Unit directions, and how much the true measure of the piece differs from ``size`` there."""
        dimension = self.feet.shape[2]
        a, b = self.normals[piece, 0], self.normals[piece, 1]
        angle = np.arctan2(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1)) * 2
        turn = rng.random(len(piece)) * angle
        sine = np.maximum(np.sin(angle), 1e-300)
        arc = np.where((angle > 1e-8)[:, None], (np.sin(angle - turn) / sine)[:, None] * a + (np.sin(turn) / sine)[:, None] * b, a)
        stretch = np.ones(len(piece))
        if dimension == 3:
            flat = np.einsum("nk,nkd->nd", _simplex(rng, len(piece), 3), self.normals[piece])
            r = np.linalg.norm(flat, axis=1)
            cap = kind == 2
            arc[cap] = (flat / r[:, None])[cap]
            # solid angle over flat area: height of the plane above the centre over r^3
            height = np.abs(np.linalg.det(self.normals[piece[cap]])) / (2 * self.size[piece[cap]])
            stretch[cap] = height / r[cap] ** 3
        return arc / np.linalg.norm(arc, axis=1, keepdims=True), stretch


def _of_outline(body: Mesh) -> LevelSets:
    bent = body.cells.block("line3")
    corners = welded(body.points)[np.concatenate([body.cells.block("line"), bent[:, [0, 2]], bent[:, [2, 1]]])]
    a, b = body.points[corners[:, 0]], body.points[corners[:, 1]]
    length = np.linalg.norm(b - a, axis=1)
    corners, a, b, length = (item[length > 0] for item in (corners, a, b, length))
    normal = np.stack([b[:, 1] - a[:, 1], a[:, 0] - b[:, 0]], axis=1) / length[:, None]
    after = np.full(len(body.points), -1)
    after[corners[:, 0]] = np.arange(len(corners))
    following = after[corners[:, 1]]
    n0, n1 = normal, normal[following]
    angle = np.arctan2(n0[:, 0] * n1[:, 1] - n0[:, 1] * n1[:, 0], (n0 * n1).sum(axis=1))
    convex = (following >= 0) & (angle > 0)
    feet = np.concatenate([np.stack([a, b], axis=1), np.stack([b, b], axis=1)[convex]])
    normals = np.concatenate([np.stack([n0, n0], axis=1), np.stack([n0, n1], axis=1)[convex]])
    power = np.repeat([0, 1], [len(a), int(convex.sum())])
    return LevelSets(feet, normals, power, np.concatenate([length, angle[convex]]))


def _of_surface(body: Mesh) -> LevelSets:
    merged = welded(body.points)
    corners = merged[triangulated(body)[0]]
    triangles = Mesh(body.points, Cells.of(triangle=corners))
    x, normal = body.points[corners], facet_normals(triangles)
    area = 0.5 * np.linalg.norm(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), axis=1)
    listed = edges(triangles.cells, np.arange(len(body.points)))
    one, two = listed.pairs()
    a, b = (body.points[listed.corners[one, k]] for k in range(2))
    n0, n1 = normal[listed.owner[one]], normal[listed.owner[two]]
    bend = (np.cross(n0, n1) * (b - a)).sum(axis=1)  # positive where the edge is convex
    angle = 2 * np.arctan2(np.linalg.norm(n0 - n1, axis=1), np.linalg.norm(n0 + n1, axis=1))
    convex = (bend > 0) & (angle > 1e-9)
    strip = np.linalg.norm(b - a, axis=1) * angle
    feet, normals, power, size = [x], [np.repeat(normal[:, None], 3, axis=1)], [np.zeros(len(x))], [area]
    feet.append(np.stack([a, b, b], axis=1)[convex])
    normals.append(np.stack([n0, n1, n1], axis=1)[convex])
    power.append(np.ones(int(convex.sum())))
    size.append(strip[convex])
    vertex = point_normals(triangles)
    for end in range(2):  # the cap of a corner, cut into triangles between its mean normal and the normals across each edge
        point = listed.corners[one, end][convex]
        fan = np.stack([vertex[point], n0[convex], n1[convex]], axis=1)
        flat = 0.5 * np.linalg.norm(np.cross(fan[:, 1] - fan[:, 0], fan[:, 2] - fan[:, 0]), axis=1)
        feet.append(np.repeat(body.points[point][:, None], 3, axis=1))
        normals.append(fan)
        power.append(np.full(len(point), 2.0))
        size.append(flat)
    return LevelSets(np.concatenate(feet), np.concatenate(normals), np.concatenate(power).astype(np.int64), np.concatenate(size))


def _simplex(rng: np.random.Generator, n: int, corners: int) -> np.ndarray:
    cuts = np.sort(rng.random((n, corners - 1)), axis=1)
    return np.diff(cuts, axis=1, prepend=0.0, append=1.0)
