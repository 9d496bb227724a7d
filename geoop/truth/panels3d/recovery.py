"""The potential near every node as a harmonic polynomial through what the panels know: second-order velocities on and near the wall.

Two weighted least-squares fits over two rings of panels, which do not cross a trailing edge. On the wall a cubic in the tangent plane
through the potentials at the raised centres gives the potential and its slope along the wall at the node; across it the wall imposes
the slope. What is left of the potentials and of their imposed normal derivatives at the centres fixes the harmonic quadratics and
cubics, by which the velocity continues off the wall. Compare patch recovery (O. C. Zienkiewicz and J. Z. Zhu 1992).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .curved import CurvedSurface
from .stencils import rings, tangent_axes, weighted_inverse
from .surface import PanelSurface
from .trailing_edge import TrailingEdge

#: Around fewer panels than this (corners of a structured surface) the polynomial along the wall is a quadratic, not a cubic.
CUBIC_FROM = 16


@dataclass(frozen=True, eq=False)
class Recovery:
    """Linear maps from panel potentials and normal derivatives to harmonic polynomials (:func:`solid_harmonics`) around every node.

    Attributes:
        panels: (k, s) panels of the stencil of every node; unused slots repeat the first and have no weight.
        normals: (k, 3) at the nodes.
        size: (k,) distance to the farthest panel of the first ring: the polynomials' unit of length [m].
        along: (k, 4, s) from potentials to the value and to the gradient along the wall.
        linear: (k, 2 s, 4) value and normal derivative of the first four polynomials at the centres.
        rest: (k, 12, 2 s) from what these leave to the other polynomials.
    """

    panels: np.ndarray
    normals: np.ndarray
    size: np.ndarray
    along: np.ndarray
    linear: np.ndarray
    rest: np.ndarray

    @classmethod
    def of(cls, surface: PanelSurface, edge: TrailingEdge, curved: CurvedSurface) -> Recovery:
        """Stencils and least-squares maps of all nodes."""
        panels, ring = rings(edge.node, surface.owner[:, None], len(edge.place))
        offset = curved.centers[panels] - surface.skin.points[edge.place][:, None]
        size = (np.linalg.norm(offset, axis=2) * (ring == 1.0)).max(axis=1)
        local, axes = offset / size[:, None, None], tangent_axes(curved.normals)
        # around a nose that the panels hardly resolve, those that look elsewhere count less
        weight = ring * np.clip((surface.normals[panels] * curved.normals[:, None, :]).sum(axis=2), 0.05, 1.0) ** 2
        a, b = np.moveaxis(np.einsum("ksc,kdc->ksd", local, axes[:, :2]), 2, 0)
        wall = np.stack([np.ones_like(a), a, b, a * a, a * b, b * b, a**3, a * a * b, a * b * b, b**3], axis=2)
        wall[:, :, 6:] *= ((ring > 0.0).sum(axis=1) >= CUBIC_FROM)[:, None, None]
        fitted = weighted_inverse(wall, weight)[:, :3]
        along = np.concatenate([fitted[:, :1], np.einsum("kdc,kds->kcs", axes[:, :2], fitted[:, 1:])], axis=1)
        values, gradients = solid_harmonics(local)
        rows = np.concatenate([values, np.einsum("ksjc,ksc->ksj", gradients, surface.normals[panels])], axis=1)
        return cls(panels, curved.normals, size, along, rows[:, :, :4], weighted_inverse(rows[:, :, 4:], np.tile(weight, 2)))

    def polynomials(self, potential: np.ndarray, stream: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """(k, 16, q) coefficients.

        Args:
            potential: (m, q) at the panels [m^2/s].
            stream: (3, q) free streams, whose flow through the wall the disturbance cancels [m/s].
            slope: (m, q) normal derivatives at the panels [m/s].
        """
        data = np.concatenate([potential[self.panels], slope[self.panels] * self.size[:, None, None]], axis=1)
        out = np.empty((len(self.size), 16, potential.shape[1]))
        out[:, :4] = self.along @ data[:, : self.panels.shape[1]]
        out[:, 1:4] -= (self.size[:, None] * self.normals)[:, :, None] * (self.normals @ stream)[:, None, :]
        out[:, 4:] = self.rest @ (data - self.linear @ out[:, :4])
        return out

    def gradient(self, polynomials: np.ndarray, node: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """(n, 3, q) gradient of the polynomials (k, 16, q) of nodes (n,) at (n, 3) offsets from them [m]."""
        slopes = solid_harmonics(offset / self.size[node, None])[1] / self.size[node, None, None]
        return np.einsum("njc,njq->ncq", slopes, polynomials[node])


def solid_harmonics(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(..., 16) harmonic polynomials of degree 0 to 3 at (..., 3) points, and (..., 16, 3) their gradients."""
    x, y, z = np.moveaxis(points, -1, 0)
    o, one = np.zeros_like(x), np.ones_like(x)
    xx, yy, zz = x * x, y * y, z * z
    table = [
        (one, o, o, o),
        (x, one, o, o),
        (y, o, one, o),
        (z, o, o, one),
        (0.5 * (xx - zz), x, o, -z),
        (0.5 * (yy - zz), o, y, -z),
        (x * y, y, x, o),
        (y * z, o, z, y),
        (z * x, z, o, x),
        (x * (xx - 3.0 * yy), 3.0 * (xx - yy), -6.0 * x * y, o),
        (y * (3.0 * xx - yy), 6.0 * x * y, 3.0 * (xx - yy), o),
        (z * (xx - yy), 2.0 * x * z, -2.0 * y * z, xx - yy),
        (x * y * z, y * z, x * z, x * y),
        (x * (4.0 * zz - xx - yy), 4.0 * zz - 3.0 * xx - yy, -2.0 * x * y, 8.0 * x * z),
        (y * (4.0 * zz - xx - yy), -2.0 * x * y, 4.0 * zz - xx - 3.0 * yy, 8.0 * y * z),
        (z * (2.0 * zz - 3.0 * (xx + yy)), -6.0 * x * z, -6.0 * y * z, 6.0 * zz - 3.0 * (xx + yy)),
    ]
    columns = np.stack([np.stack(row, axis=-1) for row in table], axis=-2)
    return columns[..., 0], columns[..., 1:]
