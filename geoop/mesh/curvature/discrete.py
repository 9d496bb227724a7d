"""Curvature that triangles have as they are: angles missing round their corners, which add up as Gauss and Bonnet say."""

from __future__ import annotations

import numpy as np

from ..cells import Cells
from ..measure import corner_angles
from ..mesh import Mesh
from ..topology import edges, welded
from ..triangulation import triangulated


def angle_defects(surface: Mesh) -> np.ndarray:
    """(n,) integral of the Gauss curvature over the surroundings of every point [rad].

    2 pi less the angles of the triangles at a point, pi less them at a point on the rim of an open surface; in general, with e
    edges and t triangles at the point, pi (2 - e + t) less them, which holds where fans touch or more than two triangles share
    an edge as well. Summed over all points it is 2 pi times the Euler characteristic (V - E + F) of the triangles, exactly: 4 pi
    for a sphere, 0 for a torus.
    Divided by :func:`mixed_areas` it converges to the Gauss curvature where six triangles of alike shape meet, and need not
    elsewhere (Xu 2006): :func:`geoop.mesh.curvature.mesh_curvature` does.

    Points at one place count as one: the lowest index has the value, the others, and points without faces, have zero.

    Raises:
        InvalidMeshError: not a surface in 3-D.
    """
    triangles = _triangles(surface)
    corners = triangles.cells.block("triangle")
    n = len(surface.points)
    listed = edges(triangles.cells, np.arange(n))
    first = np.unique(listed.group, return_index=True)[1]  # every edge once, however many triangles share it
    n_edges = np.bincount(listed.corners[first].ravel(), minlength=n)
    n_triangles = np.bincount(corners.ravel(), minlength=n)
    flat = np.pi * (2 - n_edges + n_triangles)
    return np.where(n_triangles > 0, flat - np.bincount(corners.ravel(), weights=corner_angles(triangles), minlength=n), 0.0)


def mixed_areas(surface: Mesh) -> np.ndarray:
    """(n,) area that belongs to every point [m^2]: its Voronoi cell, cut short in obtuse triangles (Meyer et al. 2003, figure 4).

    They add up to the area of the triangles.

    Raises:
        InvalidMeshError: not a surface in 3-D.
    """
    triangles = _triangles(surface)
    corners = triangles.cells.block("triangle")
    x = surface.points[corners]
    area = 0.5 * np.linalg.norm(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), axis=1)
    safe = np.where(area > 0, area, 1.0)[:, None]
    ahead, behind = np.roll(x, -1, axis=1) - x, np.roll(x, 1, axis=1) - x
    dots = (ahead * behind).sum(axis=2)  # of the two edges at each corner
    opposite = dots / (2 * safe)  # cotangents of the angles
    square = (ahead**2).sum(axis=2)  # of the edge from each corner to the next
    last = np.roll(square, 1, axis=1)
    voronoi = (square * np.roll(opposite, -2, axis=1) + last * np.roll(opposite, -1, axis=1)) / 8
    obtuse = dots < 0
    share = np.where(obtuse.any(axis=1)[:, None], np.where(obtuse, 0.5, 0.25) * area[:, None], voronoi)
    share *= (area / np.where(area > 0, share.sum(axis=1), 1.0))[:, None]  # rounding only: the parts are the whole
    return np.bincount(corners.ravel(), weights=share.ravel(), minlength=len(surface.points))


def _triangles(surface: Mesh) -> Mesh:
    corners = welded(surface.points)[triangulated(surface)[0]]
    distinct = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
    return Mesh(surface.points, Cells.of(triangle=corners[distinct]), name=surface.name)
