"""The boundary of a region in the plane: its points, its loops, and how far it is from a point inside that sees all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from ..mesh.cells import Cells
from ..mesh.loops import loops, signed_area
from ..mesh.mesh import Mesh
from ..mesh.topology import sides

#: Share of the distance from the centre that must stand upright on the boundary for angles to describe it.
_UPRIGHT = 0.1


def boundary_points(mesh: Mesh) -> np.ndarray:
    """(k,) numbers of the points on sides that belong to one cell, ascending; all points of a cloud or a closed surface."""
    corners = _single(mesh)
    found = np.unique(corners[corners >= 0])
    return found if len(found) else np.arange(len(mesh.points))


def boundary_lines(mesh: Mesh) -> Mesh | None:
    """The boundary of a plane region as line cells; None for a cloud, which has none."""
    if mesh.cell_dimension != 2 or mesh.dimension != 2:
        return None
    return mesh.submesh(Cells.of(line=_single(mesh)))


def _single(mesh: Mesh) -> np.ndarray:
    """(s, k) corners of the sides that belong to one cell."""
    if mesh.is_cloud:
        return np.zeros((0, 1), dtype=np.int64)
    found = sides(mesh, np.arange(len(mesh.points)))
    return found.corners[found.counts[found.group] == 1]


@dataclass(frozen=True, eq=False)
class StarBoundary:
    """A boundary that every ray from a centre meets once.

    Attributes:
        center: (2,) [m].
        angle: (k,) ascending in (-pi, pi]. radius: (k,) of the boundary's points about the centre [m].
    """

    center: np.ndarray
    angle: np.ndarray
    radius: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh) -> StarBoundary | None:
        """About the centroid, or where some of the boundary is seen from there at too flat an angle about the point that sees it best.

        None: the mesh is no plane region with one boundary, or no point sees all of it.
        """
        lines = boundary_lines(mesh)
        if lines is None:
            return None
        found = loops(lines)
        if len(found) != 1 or not found[0].closed:
            return None
        ring = lines.points[found[0].points]
        ring = ring if signed_area(ring) > 0 else ring[::-1]
        center = _centroid(ring)
        if _upright(ring, center) < _UPRIGHT:
            center = _best_center(ring)
            if _upright(ring, center) < 1e-3:
                return None
        offset = ring - center
        angle = np.arctan2(offset[:, 1], offset[:, 0])
        order = np.argsort(angle)
        return cls(center, angle[order], np.linalg.norm(offset, axis=1)[order])

    def at(self, angle: np.ndarray) -> np.ndarray:
        """Radius [m] in directions [rad]: straight between the boundary's points in the plane."""
        a = np.concatenate([[self.angle[-1] - 2 * np.pi], self.angle, [self.angle[0] + 2 * np.pi]])
        r = np.concatenate([self.radius[-1:], self.radius, self.radius[:1]])
        angle = np.asarray(angle)
        k = np.clip(np.searchsorted(a, angle, side="right") - 1, 0, len(a) - 2)
        # the segment between (r1, a1) and (r2, a2) in polar coordinates
        bottom = r[k] * np.sin(angle - a[k]) + r[k + 1] * np.sin(a[k + 1] - angle)
        return r[k] * r[k + 1] * np.sin(a[k + 1] - a[k]) / bottom


def _centroid(ring: np.ndarray) -> np.ndarray:
    x = ring - ring[0]
    following = np.roll(x, -1, axis=0)
    cross = x[:, 0] * following[:, 1] - following[:, 0] * x[:, 1]
    return ring[0] + ((x + following) * cross[:, None]).sum(axis=0) / (3.0 * cross.sum())


def _normals(ring: np.ndarray) -> np.ndarray:
    """(k, 2) outward unit normals of the segments of a ring that runs counter-clockwise."""
    edge = np.roll(ring, -1, axis=0) - ring
    return np.stack([edge[:, 1], -edge[:, 0]], axis=1) / np.maximum(np.linalg.norm(edge, axis=1, keepdims=True), 1e-300)


def _upright(ring: np.ndarray, center: np.ndarray) -> float:
    """Least cosine between the ray from the centre to a segment and the segment's normal; negative where it is seen from behind."""
    ray = 0.5 * (ring + np.roll(ring, -1, axis=0)) - center
    return float(((ray * _normals(ring)).sum(axis=1) / np.linalg.norm(ray, axis=1)).min())


def _best_center(ring: np.ndarray) -> np.ndarray:
    """The point farthest on the inner side of the line through every segment: a linear program for (x, y, distance)."""
    normal = _normals(ring)
    rows = np.concatenate([normal, np.ones((len(ring), 1))], axis=1)
    found = linprog([0.0, 0.0, -1.0], A_ub=rows, b_ub=(normal * ring).sum(axis=1), bounds=[(None, None)] * 3)
    return found.x[:2] if found.x is not None else _centroid(ring)
