"""Potential and velocity of flat triangles with constant sources and linear doublets, in closed form.

Everything follows from two functions of a point p: the logarithm L = int dl/|y - p| of every edge and the solid angle of every
triangle, Omega = int n.(p - y)/|p - y|^3 dS (positive on the side of the normal). With the outward normals m_k of the edges in
the plane, d_k = m_k.(y_k - p) and h = n.(p - y_0),

    int dS/|p - y|            = sum_k d_k L_k - h Omega        (Hess and Smith 1967; Newman 1986),
    int (p - y)/|p - y|^3 dS  = sum_k m_k L_k + n Omega = K.

A source density s gives the velocity s K/(4 pi), a linear doublet density mu the vortex sheet (grad mu x n) and with it
K x (grad mu x n)/(4 pi), up to line vortices at the rim which cancel where mu is continuous. Both are linear in L and Omega with
constant vectors, so that fields are two matrix products for any number of flows at once, after one logarithm per edge and one
arctangent per triangle (van Oosterom and Strackee 1983), written with distances only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from .surface import TriangleSet

#: Largest number of point-triangle pairs held at once: bounds the memory (about 100 bytes a pair), never changes the answer.
PAIRS = 500_000


@dataclass(frozen=True, eq=False)
class Kernel:
    """What the integrals over a set of triangles need, computed once.

    Attributes:
        panels: the triangles.
        normals: (t, 3) unit.
        outward: (t, 3, 3) unit normal of edge k in the plane of the triangle, away from it.
        double_area: (t,) [m^2].
        length: (e,) of the edges [m].
    """

    panels: TriangleSet
    normals: np.ndarray
    outward: np.ndarray
    double_area: np.ndarray
    length: np.ndarray

    @classmethod
    def of(cls, panels: TriangleSet) -> Kernel:
        """Normals and lengths of the triangles."""
        vectors = panels.area_vectors
        double = 2.0 * np.linalg.norm(vectors, axis=1)
        normals = 2.0 * vectors / double[:, None]
        x = panels.points[panels.triangles]
        along = np.roll(x, -1, axis=1) - x
        along /= np.linalg.norm(along, axis=2, keepdims=True)
        ends = panels.points[panels.edges]
        return cls(panels, normals, np.cross(along, normals[:, None, :]), double, np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1))

    def chunks(self, count: int) -> Iterator[slice]:
        """Runs of points that keep the memory bounded."""
        step = max(1, PAIRS // max(1, len(self.panels.triangles)))
        return (slice(k, min(k + step, count)) for k in range(0, count, step))

    def logarithms_and_angles(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, e) L and (n, t) Omega at (n, 3) points."""
        used, number = np.unique(self.panels.triangles, return_inverse=True)
        place = np.zeros(len(self.panels.points), dtype=np.int64)
        place[used] = np.arange(len(used))
        distance = cdist(points, self.panels.points[used])
        first, second = (distance[:, place[self.panels.edges[:, k]]] for k in range(2))
        gap = np.maximum(first + second - self.length, 1e-14 * self.length)
        logarithm = np.log1p(2.0 * self.length / gap)
        height = points @ self.normals.T - (self.normals * self.panels.points[self.panels.triangles[:, 0]]).sum(axis=1)
        corners = number.reshape(-1, 3)
        a, b, c = (distance[:, corners[:, k]] for k in range(3))
        side = self.length[self.panels.triangle_edges] ** 2
        bottom = 2.0 * a * b * c
        for one, two, other, square in ((a, b, c, side[:, 0]), (b, c, a, side[:, 1]), (c, a, b, side[:, 2])):
            bottom += (one * one + two * two - square) * other
        return logarithm, 2.0 * np.arctan2(2.0 * self.double_area * height, bottom)

    def source_coefficients(self, density: np.ndarray) -> tuple[np.ndarray, ...]:
        """Coefficients of the potential of (t, q) source densities, for :meth:`source_potential`."""
        first = self.panels.points[self.panels.triangles]
        reach = (self.outward * first).sum(axis=2)
        q = density.shape[1]
        constant, linear = np.zeros((len(self.length), q)), np.zeros((len(self.length), 3, q))
        for k in range(3):
            np.add.at(constant, self.panels.triangle_edges[:, k], reach[:, k, None] * density)
            np.add.at(linear, self.panels.triangle_edges[:, k], self.outward[:, k, :, None] * density[:, None, :])
        level = (self.normals * first[:, 0]).sum(axis=1)
        return constant, linear, level[:, None] * density, self.normals[:, :, None] * density[:, None, :]

    @staticmethod
    def source_potential(points: np.ndarray, logarithm: np.ndarray, angle: np.ndarray, coefficients: tuple[np.ndarray, ...]) -> np.ndarray:
        """(n, q) potential [m^2/s] of source densities [m/s]: -1/(4 pi) int s dS/r."""
        constant, linear, level, slope = coefficients
        moving = sum(points[:, axis, None] * (logarithm @ linear[:, axis] + angle @ slope[:, axis]) for axis in range(3))
        return (moving - logarithm @ constant - angle @ level) / (4.0 * np.pi)

    def velocity_coefficients(self, density: np.ndarray, doublet: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (e, 3 q) of L and (t, 3 q) of Omega for the velocity.

        Args:
            density: (t, q) sources [m/s].
            doublet: (t, 3, q) doublet densities at the corners of every triangle [m^2/s], continuous across edges.
        """
        q = density.shape[1]
        # the hat function of corner k falls towards the opposite edge k + 1: gradient -m_{k+1} l_{k+1}/(2 A)
        slope = -self.outward[:, [1, 2, 0]] * (self.length[self.panels.triangle_edges] / self.double_area[:, None])[:, [1, 2, 0], None]
        gradient = np.einsum("tkc,tkq->tcq", slope, doublet)
        sheet = np.cross(gradient, self.normals[:, :, None], axis=1)

        def turned(vector: np.ndarray) -> np.ndarray:
            return vector[:, :, None] * density[:, None, :] + np.cross(vector[:, :, None], sheet, axis=1)

        edge = np.zeros((len(self.length), 3, q))
        for k in range(3):
            np.add.at(edge, self.panels.triangle_edges[:, k], turned(self.outward[:, k]))
        return edge.reshape(-1, 3 * q) / (4.0 * np.pi), turned(self.normals).reshape(-1, 3 * q) / (4.0 * np.pi)

    def velocity(self, points: np.ndarray, coefficients: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """(n, 3, q) velocity [m/s] at (n, 3) points, in chunks of bounded memory; on a panel the mean of its two sides."""
        edge, face = coefficients
        out = np.zeros((len(points), edge.shape[1]))
        for rows in self.chunks(len(points)):
            logarithm, angle = self.logarithms_and_angles(points[rows])
            out[rows] = logarithm @ edge + angle @ face
        return out.reshape(len(points), 3, edge.shape[1] // 3)
