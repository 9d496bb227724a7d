"""How a boundary bends at its vertices: curvature where it is smooth, the angle where it is not."""

from __future__ import annotations

import numpy as np

from ..mesh.cells import Cells
from ..mesh.curvature import mesh_curvature
from ..mesh.features import KINDS, feature_edges
from ..mesh.mesh import Mesh
from ..mesh.topology import welded
from ..mesh.triangulation import triangulated

#: Turns from this angle on are corners of the shape and not of its mesh [rad].
_CORNER = 0.7


def bends(surface: Mesh) -> np.ndarray:
    """(v, 2) compressed signed curvature asinh(k) / 4 of every vertex (in space the mean one), 0 at corners and on sharp edges, and the angle there
    [rad], 0 elsewhere; both positive where the surface bulges, both 0 at points without facets. On a sharp edge in space the angle is that between its
    facets, where several such edges meet their mean. The tip of a cone, which has no edge, is taken as curved.
    Methods: :func:`geoop.mesh.curvature.mesh_curvature` in space, the turn over the mean length of both segments in the plane.

    Args:
        surface: lines in the plane or faces in space, turned outward (:func:`geoop.mesh.outline.oriented`); lengths in units of the frame.

    Raises:
        InvalidMeshError: in space, no faces.
    """
    corner, turn, curvature = _bends_of_surface(surface) if surface.dimension == 3 else _bends_of_outline(surface)
    return np.stack([np.where(corner, 0.0, np.arcsinh(curvature) / 4), np.where(corner, turn, 0.0)], axis=1)


def _bends_of_outline(surface: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(v,) which vertices are corners, the angle [rad] by which the outline turns there, and its curvature."""
    merged = welded(surface.points)
    facets = merged[straight_facets(surface)]
    along = surface.points[facets[:, 1]] - surface.points[facets[:, 0]]
    into, away = np.zeros((2, len(surface.points), 2))
    np.add.at(away, facets[:, 0], along)
    np.add.at(into, facets[:, 1], along)
    turn = np.arctan2(into[:, 0] * away[:, 1] - into[:, 1] * away[:, 0], (into * away).sum(axis=1))[merged]
    length = 0.5 * (np.linalg.norm(into, axis=1) + np.linalg.norm(away, axis=1))[merged]
    return np.abs(turn) > _CORNER, turn, turn / np.maximum(length, 1e-12)


def _bends_of_surface(surface: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(v,) which vertices lie on sharp edges, the mean angle [rad] between the facets there, and the mean curvature."""
    merged = welded(surface.points)
    facets = merged[straight_facets(surface)]
    facets = facets[np.unique(np.sort(facets, axis=1), axis=0, return_index=True)[1]]  # one that is listed twice is one
    flat = Mesh(surface.points, Cells.of(triangle=facets))
    found = feature_edges(flat, np.degrees(_CORNER))
    sharp = found.kind != KINDS.index("boundary")
    # where more than two facets meet there is a corner, but no angle
    edges, angle = found.corners[sharp], np.nan_to_num(np.radians(found.angle[sharp])) * np.where(found.hollow[sharp], -1.0, 1.0)
    count, total = (np.bincount(edges.ravel(), values, len(merged)) for values in (None, np.repeat(angle, 2)))
    curvature = np.nan_to_num(mesh_curvature(flat, degree=2, ends=np.flatnonzero(count)).mean)
    return count[merged] > 0, (total / np.maximum(count, 1))[merged], curvature[merged]


def straight_facets(surface: Mesh) -> np.ndarray:
    """(m, d) straight facets: the segments of the lines of an outline, the triangles of faces in space; those with nodes on their sides between all nodes.

    Raises:
        InvalidMeshError: points in space without faces.
    """
    if surface.dimension == 3:
        return triangulated(surface)[0]
    rows = [np.zeros((0, 2), dtype=np.int64)]
    for kind in surface.cells.names:
        block = surface.cells.block(kind) if kind in ("line", "line3") else None
        if kind == "line3":  # corner, corner, middle
            rows += [block[:, [0, 2]], block[:, [2, 1]]]
        elif kind == "line":
            rows.append(block)
    return np.concatenate(rows).astype(np.int64)
