"""Where points lie relative to the wall, and the Taylor polynomials of the nearest nodes there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...mesh.distance import signed_distance
from .recovery import Recovery
from .surface import PanelSurface
from .trailing_edge import TrailingEdge

#: Distances from the wall, in local panel sizes, between which the Taylor polynomials fade into the integrals.
FADE = (0.02, 0.3)


@dataclass(frozen=True, eq=False)
class Near:
    """Points relative to the wall.

    Attributes:
        points: (n, 3) [m].
        distance: (n,) from the wall, negative inside [m].
        nodes: (n, 3) corners of the nearest triangle.
        weights: (n, 3) barycentric weights of the nearest place.
        share: (n,) of the Taylor polynomials in the velocity: 1 on the wall, 0 away from it and around a trailing edge.
        edge_nodes: (n, 2) the nodes above and below for points at a trailing edge, else -1.
    """

    points: np.ndarray
    distance: np.ndarray
    nodes: np.ndarray
    weights: np.ndarray
    share: np.ndarray
    edge_nodes: np.ndarray

    def gradient(self, recovery: Recovery, taylor: np.ndarray, place: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(r, 3, q) gradient at the points of these rows; at a trailing edge the mean of both sides.

        Args:
            recovery: of the polynomials.
            taylor: (k, 16, q) coefficients of all nodes.
            place: (k, 3) nodes [m].
            rows: (r,) numbers of points.
        """
        out = np.zeros((len(rows), 3, taylor.shape[2]))
        for k in range(3):
            node = self.nodes[rows, k]
            out += self.weights[rows, k, None, None] * recovery.gradient(taylor, node, self.points[rows] - place[node])
        edge = self.edge_nodes[rows]
        at_edge = edge[:, 0] >= 0
        both = [recovery.gradient(taylor, edge[at_edge, k], np.zeros((int(at_edge.sum()), 3))) for k in range(2)]
        out[at_edge] = 0.5 * (both[0] + both[1])
        return out


def near_wall(surface: PanelSurface, edge: TrailingEdge, size: np.ndarray, points: np.ndarray) -> Near:
    """Nearest places of the wall for (n, 3) points; ``size`` (k,) is the panel size at the nodes [m].

    Raises:
        NonFiniteError: a point has NaN or infinite coordinates.
    """
    found = signed_distance(surface.mesh, points)
    nodes, weights = _nodes_of(surface, edge, found.corners, found.parameter)
    local = (weights * size[nodes]).sum(axis=1)
    t = np.clip((np.abs(found.distance) / local - FADE[0]) / (FADE[1] - FADE[0]), 0.0, 1.0)
    share = 1.0 - t * t * (3.0 - 2.0 * t)
    opposite = np.full(len(edge.place), -1)
    for one, other in ((edge.upper_nodes, edge.lower_nodes), (edge.lower_nodes, edge.upper_nodes)):
        opposite[one.ravel()] = np.where(one.ravel() != other.ravel(), other.ravel(), opposite[one.ravel()])
    divided = np.zeros(len(edge.place), dtype=bool)
    divided[edge.upper_nodes.ravel()] = divided[edge.lower_nodes.ravel()] = True
    on_edge = ((weights * divided[nodes]).sum(axis=1) > 1.0 - 1e-9) & (divided[nodes].sum(axis=1) > 0)
    corner = nodes[np.arange(len(nodes)), weights.argmax(axis=1)]
    at_vertex = (weights.max(axis=1) > 1.0 - 1e-9) & (np.abs(found.distance) < 1e-9 * surface.size) & (opposite[corner] >= 0)
    share = np.where(on_edge & ~at_vertex, 0.0, share)
    edge_nodes = np.where(at_vertex[:, None], np.stack([corner, opposite[corner]], axis=1), -1)
    return Near(points, found.distance, nodes, weights, share, edge_nodes)


def _nodes_of(surface: PanelSurface, edge: TrailingEdge, corners: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of the triangles with these corners, and the weights in their order."""
    count = len(surface.mesh.points)
    base = np.array([count * count, count, 1])
    skin = surface.skin.triangles
    known = np.sort(skin, axis=1) @ base
    order = np.argsort(known)
    corners = surface.merged[corners]
    triangle = order[np.searchsorted(known[order], np.sort(corners, axis=1) @ base)]
    match = skin[triangle][:, :, None] == corners[:, None, :]
    return edge.node[triangle], (match * weights[:, None, :]).sum(axis=2)
