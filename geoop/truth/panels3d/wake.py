"""The wake of a lifting body: a straight sheet of doublets behind the trailing edge, and the forces from the plane far behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import InvalidMeshError
from .surface import TriangleSet

#: Length of the wake in sizes of the body: what ends there changes the circulation by less than 1e-4.
WAKE_LENGTH = 100.0


def refuse_wake_through_body(skin: TriangleSet, edges: np.ndarray, direction: np.ndarray, where: str) -> None:
    """Raise where the middle of a strip meets the body again: its doublets would be those of panels inside or through it.

    Rays against triangles by T. Moeller and B. Trumbore (J. Graphics Tools 2, 21, 1997).

    Args:
        skin: the body.
        edges: (w, 2) points from which the strips leave.
        direction: (3,) of the wake, of any length.
        where: for the error.

    Raises:
        InvalidMeshError: says how many strips do.
    """
    direction = direction / np.linalg.norm(direction)
    a, b, c = (skin.points[skin.triangles[:, k]] for k in range(3))
    first, second = b - a, c - a
    across = np.cross(direction, second)
    size = float(np.ptp(skin.points, axis=0).max())
    met = []
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 1.0 / (first * across).sum(axis=1)
        for start in skin.points[edges].mean(axis=1):
            offset = start - a
            u, turned = (offset * across).sum(axis=1) * scale, np.cross(offset, first)
            v, way = (turned @ direction) * scale, (turned * second).sum(axis=1) * scale
            if ((u >= 0.0) & (v >= 0.0) & (u + v <= 1.0) & (way > 1e-6 * size) & (way < WAKE_LENGTH * size)).any():
                met.append(start)
    if met:
        x, y, z = met[0]
        raise InvalidMeshError(
            f"the wake runs through a body: {len(met)} of {len(edges)} strips do, the first from ({x:.4g}, {y:.4g}, {z:.4g}) m",
            where=where,
            remedy="give a wake_direction that leaves the body, such as (1, 0, 0) or operating_point.direction(3); move what lies behind the edge out of it",
        )


@dataclass(frozen=True, eq=False)
class Wake:
    """Strips of two triangles behind pairs of neighbouring points, all in one direction.

    Attributes:
        direction: (3,) unit.
        edges: (w, 2) points from which the strips leave, in the order of the upper face.
        sheet: the triangles of the body, then those of the wake, on common points.
    """

    direction: np.ndarray
    edges: np.ndarray
    sheet: TriangleSet

    @classmethod
    def of(cls, points: np.ndarray, triangles: np.ndarray, edges: np.ndarray, direction: np.ndarray) -> Wake:
        """The wake of a body of (t, 3) triangles behind (w, 2) edges along a direction of any length; empty without edges."""
        direction = direction / np.linalg.norm(direction)
        leaving, number = np.unique(edges, return_inverse=True)
        far = points[leaving] + WAKE_LENGTH * float(np.ptp(points, axis=0).max()) * direction
        (a, b), (a_far, b_far) = edges.T, (len(points) + number.reshape(-1, 2)).T
        strips = np.stack([np.stack([b, a, a_far], axis=1), np.stack([b, a_far, b_far], axis=1)], axis=1).reshape(-1, 3)
        return cls(direction, edges, TriangleSet.of(np.concatenate([points, far]), np.concatenate([triangles, strips])))

    @staticmethod
    def doublets(jump: np.ndarray) -> np.ndarray:
        """(2 w, 3, q) doublets at the corners of the strips' triangles from (w, 2, q) jumps of the potential at their ends [m^2/s]."""
        a, b = jump[:, 0], jump[:, 1]
        strips = np.stack([np.stack([b, a, a], axis=1), np.stack([b, a, b], axis=1)], axis=1)
        return strips.reshape(-1, 3, jump.shape[2])

    def far_plane_force(self, circulation: np.ndarray, stream: np.ndarray) -> tuple[np.ndarray, float]:
        """Force on the body over the density [m^4/s^2] from the wake far downstream (Trefftz plane).

        Every strip is a pair of vortices of strength Gamma at its ends. The force along the stream is half of what the stream
        makes of the pairs' own normal wash, rho/2 int Gamma w dl, taken at the middle of every strip, and across it the law of
        Kutta and Joukowski, rho U x Gamma dl.

        Args:
            circulation: (w,) jump of the potential across every strip [m^2/s].
            stream: (3,) free stream [m/s].

        Returns:
            (3,) Kutta-Joukowski force, normal to the stream, and the induced drag, both over the density.
        """
        ends = self.sheet.points[self.edges]
        trace = ends - (ends @ self.direction)[..., None] * self.direction
        span = trace[:, 1] - trace[:, 0]
        middle = trace.mean(axis=1)
        wash = np.zeros((len(span), 3))
        for k, sign in ((0, -1.0), (1, 1.0)):
            arm = middle[:, None] - trace[None, :, k]
            square = (arm**2).sum(axis=2)
            wash -= sign * np.einsum("ij,ijc->ic", circulation / (2.0 * np.pi * square), np.cross(self.direction, arm))
        # the strip's normal, on its upper side, is direction x span where the upper face runs from a to b
        drag = 0.0 - 0.5 * float((circulation * (wash * np.cross(span, self.direction)).sum(axis=1)).sum())
        return np.cross(stream, (circulation[:, None] * (ends[:, 1] - ends[:, 0])).sum(axis=0)), drag
