"""The smooth surface that flat panels stand for: raised centres and edge middles from the normals at the nodes.

The potentials that flat panels give belong to the smooth surface through the vertices: taken at the centres of the panels they are
off by the sagitta, taken at the raised centres they are three times closer (sphere, ellipsoid). Edges bulge as those of curved PN
triangles (A. Vlachos, J. Peters, C. Boyd and J. Mitchell, I3D 2001). Nothing bulges where the body is sharp.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .stencils import rings, tangent_axes, weighted_inverse
from .surface import PanelSurface, TriangleSet
from .trailing_edge import TrailingEdge

#: Angle between a node's normal and that of a face at it, above which the face is flat there: the body is sharp [deg].
SHARP = 40.0


@dataclass(frozen=True, eq=False)
class CurvedSurface:
    """Normals at the nodes, and what they say about the surface between them.

    Attributes:
        normals: (k, 3) unit normals at the nodes, of one side only at a trailing edge.
        centers: (m, 3) raised centres of the panels [m].
        points: (k + e, 3) nodes, then edge middles [m].
        triangles: (4 t, 3) every triangle of the body cut into four, in numbers of ``points``.
        ends: (e, 2) nodes of the edges.
        slopes: (e, 2, 3) the edge's vector, b - a, in the tangent planes at its two ends [m].
        wake_edges: (2 w, 2, 2) halves of the trailing edge: upper and lower numbers of both ends.
    """

    normals: np.ndarray
    centers: np.ndarray
    points: np.ndarray
    triangles: np.ndarray
    ends: np.ndarray
    slopes: np.ndarray
    wake_edges: np.ndarray

    @classmethod
    def of(cls, surface: PanelSurface, edge: TrailingEdge) -> CurvedSurface:
        """Raise what is smooth."""
        skin, node = surface.skin, edge.node
        places = skin.points[edge.place]
        normals = _node_normals(skin, node, places)
        smooth = (normals[node] * skin.normals[:, None, :]).sum(axis=2) > np.cos(np.radians(SHARP))
        topology = TriangleSet.of(places, node)
        a, b = topology.edges.T
        bulges = np.ones((len(topology.edges), 2), dtype=bool)
        rim = np.bincount(topology.triangle_edges.ravel(), minlength=len(bulges)) == 1
        for k in range(3):
            both = smooth[:, [k, (k + 1) % 3]]
            forward = node[:, k] < node[:, (k + 1) % 3]
            np.logical_and.at(bulges, topology.triangle_edges[:, k], np.where(forward[:, None], both, both[:, ::-1]))
        bulges[rim] = False
        along = places[b] - places[a]
        lift = [(along * normals[end]).sum(axis=1, keepdims=True) * normals[end] * bulges[:, k, None] for k, end in enumerate((a, b))]
        slopes = np.stack([along - lift[0], along - lift[1]], axis=1)
        middles = 0.5 * (places[a] + places[b]) + (lift[1] - lift[0]) / 8.0
        count = len(places)
        m = count + topology.triangle_edges
        parts = [(node[:, 0], m[:, 0], m[:, 2]), (node[:, 1], m[:, 1], m[:, 0]), (node[:, 2], m[:, 2], m[:, 1]), (m[:, 0], m[:, 1], m[:, 2])]
        triangles = np.stack([np.stack(part, axis=1) for part in parts], axis=1).reshape(-1, 3)
        return cls(
            normals,
            _raised(surface, node, normals, smooth),
            np.concatenate([places, middles]),
            triangles,
            topology.edges,
            slopes,
            _halves(topology, edge, count),
        )

    def potential(self, node_potential: np.ndarray, node_gradient: np.ndarray) -> np.ndarray:
        """(k + e, q) potential at nodes and edge middles from (k, q) potentials and (k, 3, q) gradients: cubic along every edge."""
        a, b = self.ends.T
        change = np.einsum("ec,ecq->eq", self.slopes[:, 0], node_gradient[a]) - np.einsum("ec,ecq->eq", self.slopes[:, 1], node_gradient[b])
        return np.concatenate([node_potential, 0.5 * (node_potential[a] + node_potential[b]) + change / 8.0])


def _node_normals(skin: TriangleSet, node: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(k, 3) normals: of a cubic surface through two rings of nodes where the body is smooth (jets, Cazals and Pouget 2005), else of the faces.

    The faces count by their angles at the node (Thürmer and Wüthrich 1998).
    """
    x = skin.points[skin.triangles]
    normals = np.zeros((len(places), 3))
    for k in range(3):
        to, back = x[:, (k + 1) % 3] - x[:, k], x[:, (k + 2) % 3] - x[:, k]
        cosine = (to * back).sum(axis=1) / (np.linalg.norm(to, axis=1) * np.linalg.norm(back, axis=1))
        np.add.at(normals, node[:, k], skin.normals * np.arccos(np.clip(cosine, -1.0, 1.0))[:, None])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    flattest = np.ones(len(places))
    np.minimum.at(flattest, node.ravel(), (normals[node] * skin.normals[:, None, :]).sum(axis=2).ravel())
    smooth = flattest > np.cos(np.radians(SHARP))
    near, weight = rings(node, node, len(places))
    offset = places[near] - places[:, None]
    weight = weight * np.clip((normals[near] * normals[:, None, :]).sum(axis=2), 0.0, 1.0) ** 2 * (np.linalg.norm(offset, axis=2) > 0.0)
    size = np.linalg.norm(offset, axis=2).max(axis=1)
    axes = tangent_axes(normals)
    a, b, height = np.moveaxis(np.einsum("ksc,kdc->ksd", offset / size[:, None, None], axes), 2, 0)
    rows = np.stack([a, b, a * a, a * b, b * b, a**3, a * a * b, a * b * b, b**3], axis=2)
    slope = np.einsum("kps,ks->kp", weighted_inverse(rows, weight)[:, :2], height)
    jets = normals - slope[:, :1] * axes[:, 0] - slope[:, 1:] * axes[:, 1]
    jets /= np.linalg.norm(jets, axis=1, keepdims=True)
    return np.where((smooth & ((jets * normals).sum(axis=1) > np.cos(np.radians(0.5 * SHARP))))[:, None], jets, normals)


def _raised(surface: PanelSurface, node: np.ndarray, normals: np.ndarray, smooth: np.ndarray) -> np.ndarray:
    """(m, 3) centres on the paraboloid that has the corners' normals: raised by half the mean of (corner - centre).normal."""
    skin, owner = surface.skin, surface.owner
    arm = skin.points[skin.triangles] - surface.centers[owner][:, None]
    height = 0.5 * (arm * normals[node]).sum(axis=2) * smooth
    total, number = np.zeros(len(surface.centers)), np.zeros(len(surface.centers))
    np.add.at(total, owner, height.sum(axis=1))
    np.add.at(number, owner, 3.0)
    return surface.centers + (total / number)[:, None] * surface.normals


def _halves(topology: TriangleSet, edge: TrailingEdge, count: int) -> np.ndarray:
    """(2 w, 2, 2) upper and lower numbers of both ends of the halves of every edge of the trailing edge."""
    base = np.array([len(topology.points), 1])
    known = topology.edges @ base
    sides = []
    for nodes in (edge.upper_nodes, edge.lower_nodes):
        middle = count + np.searchsorted(known, np.sort(nodes, axis=1) @ base)
        sides.append(np.stack([nodes[:, 0], middle, middle, nodes[:, 1]], axis=1).reshape(-1, 2))
    return np.stack(sides, axis=2)
