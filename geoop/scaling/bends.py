"""How a boundary bends at its vertices: curvature where it is smooth, the angle where it is not."""

from __future__ import annotations

import numpy as np

from ..mesh.cells import Cells
from ..mesh.curvature import mesh_curvature
from ..mesh.features import feature_edges
from ..mesh.measure import facet_normals
from ..mesh.mesh import Mesh
from ..mesh.topology import welded

#: Turns from this angle on are corners of the shape and not of its mesh [rad].
_CORNER = 0.7


def bends(surface: Mesh, weight: np.ndarray) -> np.ndarray:
    """(v, 2) compressed signed curvature (in space the mean one), 0 at corners and sharp edges, and the angle of those [rad]; positive where the
    surface bulges."""
    corner, turn, curvature = _bends_of_surface(surface) if surface.dimension == 3 else _bends_of_outline(surface, weight)
    return np.stack([np.where(corner, 0.0, np.arcsinh(curvature) / 4), np.where(corner, turn, 0.0)], axis=1)


def _bends_of_outline(surface: Mesh, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(v,) which vertices are corners, the angle [rad] by which the outline turns there, and its curvature."""
    facets = straight_facets(surface)
    along = surface.points[facets[:, 1]] - surface.points[facets[:, 0]]
    into, away = np.zeros((2, len(surface.points), 2))
    np.add.at(away, facets[:, 0], along)
    np.add.at(into, facets[:, 1], along)
    turn = np.arctan2(into[:, 0] * away[:, 1] - into[:, 1] * away[:, 0], (into * away).sum(axis=1))
    return np.abs(turn) > _CORNER, turn, turn / np.maximum(weight, 1e-12)


def _bends_of_surface(surface: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(v,) which vertices lie on sharp edges, the mean angle [rad] between the facets there, and the mean curvature."""
    sharp, merged = feature_edges(surface, np.degrees(_CORNER)), welded(surface.points)
    edges, angle = sharp.corners[sharp.kind == 0], np.radians(sharp.angle[sharp.kind == 0])
    angle = np.where(_bulging(surface.points, merged[straight_facets(surface)], edges), angle, -angle)
    count, total = (np.bincount(edges.ravel(), values, len(merged)) for values in (None, np.repeat(angle, 2)))
    return count[merged] > 0, (total / np.maximum(count, 1))[merged], np.nan_to_num(mesh_curvature(surface, degree=2).mean)


def _bulging(points: np.ndarray, facets: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(e,) whether the corners opposite to an edge lie below the mean normal of its triangles; around its vertices, a notch in it would look hollow."""

    def keys(corners: np.ndarray) -> np.ndarray:
        return corners.min(axis=1) * len(points) + corners.max(axis=1)

    if not len(edges):
        return np.zeros(0, dtype=bool)
    key, normals = keys(edges), facet_normals(Mesh(points, Cells.of(triangle=facets)))
    order, (below, up) = np.argsort(key), np.zeros((2, len(edges), 3))
    for k in range(3):
        found = keys(facets[:, [k, (k + 1) % 3]])
        row = order[np.searchsorted(key, found, sorter=order).clip(max=len(key) - 1)]
        here = np.flatnonzero(key[row] == found)
        np.add.at(below, row[here], points[facets[here, (k + 2) % 3]] - points[facets[here, k]])
        np.add.at(up, row[here], normals[here])
    return (below * up).sum(axis=1) <= 0


def straight_facets(surface: Mesh) -> np.ndarray:
    """(m, d) straight facets: segments of line cells, fans of polygons."""
    rows = []
    for kind in surface.cells.names:
        block = surface.cells.block(kind)
        if kind == "line3":  # corner, corner, middle
            rows += [block[:, [0, 2]], block[:, [2, 1]]]
        elif surface.dimension == 2:
            rows.append(block[:, :2])
        else:
            rows += [block[:, [0, k, k + 1]] for k in range(1, {"triangle": 3, "triangle6": 3, "quad": 4}.get(kind, block.shape[1]) - 1)]
    return np.concatenate(rows).astype(np.int64)
