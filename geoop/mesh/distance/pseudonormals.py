"""Normals of the triangles, edges and vertices of a surface whose sign tells the side of a point closest to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..cells import Cells
from ..measure import facet_normals, point_normals
from ..mesh import Mesh
from ..topology import Sides, edges
from .inside import Sided

_EDGE = 1e-9  # barycentric weight under which a closest point lies on the opposite edge


@dataclass(frozen=True, eq=False)
class Pseudonormals:
    """Angle-weighted normals (Baerentzen and Aanaes 2005).

    Attributes:
        faces: (t, 3) unit normals of the triangles, zero for slivers.
        points: (n, 3) unit normals at the points.
        corners: (t, 3) corners of the triangles, points at one place counted once.
        listed: their edges.
        border: (n,) whether a point lies on an edge that is not shared by exactly two triangles.
        bounding: (t,) whether a triangle has the body on one side only.
    """

    faces: np.ndarray
    points: np.ndarray
    corners: np.ndarray
    listed: Sides
    border: np.ndarray
    bounding: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, body: Sided) -> Pseudonormals:
        """Those of the triangles of a body on (n, 3) points."""
        corners = body.merged[body.corners]
        triangles = Mesh(points, Cells.of(triangle=corners))
        listed = edges(triangles.cells, np.arange(len(points)))
        border = np.zeros(len(points), dtype=bool)
        border[listed.corners[listed.counts[listed.group] != 2]] = True
        return cls(facet_normals(triangles), point_normals(triangles), corners, listed, border, body.bounding)

    def at(self, face: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit normal (k, 3) of the feature that holds each closest point, and (k,) whether its sign can be trusted.

        It cannot on the rim of a hole, where more than two facets meet, and on a wall with the body on both sides.
        """
        zero = weights <= _EDGE
        normal = self.faces[face].copy()
        trusted = np.linalg.norm(normal, axis=1) > 0.5
        edge = np.flatnonzero(zero.sum(axis=1) == 1)
        opposite = zero[edge].argmax(axis=1)  # edge k of a triangle runs from corner k to k + 1, opposite to corner k + 2
        group = self.listed.group[3 * face[edge] + (opposite + 1) % 3]
        normal[edge], trusted[edge] = self._edge_sums[group], self.listed.counts[group] == 2
        vertex = np.flatnonzero(zero.sum(axis=1) == 2)
        point = self.corners[face[vertex], weights[vertex].argmax(axis=1)]
        normal[vertex], trusted[vertex] = self.points[point], ~self.border[point]
        length = np.linalg.norm(normal, axis=1)
        return normal / np.where(length > 0, length, 1.0)[:, None], trusted & (length > 1e-6) & self.bounding[face]

    @property
    def _edge_sums(self) -> np.ndarray:
        return np.stack([np.bincount(self.listed.group, weights=self.faces[self.listed.owner, k]) for k in range(3)], axis=1)
