"""Triangles between rings whose edges stay as they are: gmsh's frontal Delaunay under a size that grows with the distance."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from ...errors import ConvergenceError, InvalidMeshError
from .gmsh_session import gmsh_session
from .rings import lipschitz

_SMOOTHING = 5
_DIGITS = 8  # coordinates go to the mesher rounded, so that noise of a rotation changes nothing


class EdgeSize:
    """Size of triangles: at the sources their own, growing with the distance, never above a limit.

    Args:
        points: (n, 2) sources.
        sizes: (n,) size at each.
        growth: of the size per distance.
        largest: limit.
    """

    def __init__(self, points: np.ndarray, sizes: np.ndarray, growth: float, largest: float) -> None:
        self.sizes = np.round(lipschitz(points, np.minimum(sizes, largest), growth), _DIGITS)
        self.tree, self.growth, self.largest = KDTree(np.round(points, _DIGITS)), growth, largest

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(m,) sizes at (m, 2) points."""
        distance, index = self.tree.query(points)
        return np.minimum(self.sizes[index] + self.growth * distance, self.largest)


def triangulate(regions: list[list[np.ndarray]], size: EdgeSize, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Counter-clockwise triangles that fill regions, each given by its outer ring and its holes; the rings' points come first.

    Args:
        regions: lists of (k, 2) rings of size about 1, no point in two of them; every segment becomes the edge of one triangle.
        size: wanted edge length.
        name: of messages.

    Returns:
        (n, 2) points, those of the rings first and in order, and (m, 3) triangles.

    Raises:
        ConvergenceError: gmsh gave up.
        InvalidMeshError: triangles do not fill the regions.
    """
    exact = np.concatenate([ring for region in regions for ring in region])
    with gmsh_session(ConvergenceError, where=name, remedy="coarsen the walls or lower the growth; look for segments that nearly touch") as gmsh:
        for key in ("ExtendFromBoundary", "FromPoints", "FromCurvature"):
            gmsh.option.setNumber(f"Mesh.MeshSize{key}", 0)
        gmsh.option.setNumber("Mesh.Smoothing", _SMOOTHING)
        gmsh.option.setNumber("Geometry.Tolerance", 1e-14)
        gmsh.model.mesh.setSizeCallback(_callback(size))
        build, boundary = gmsh.model.geo, []
        for region in regions:
            wires = []
            for ring in region:
                tags = [build.addPoint(x, y, 0.0) for x, y in np.round(ring, _DIGITS).tolist()]
                lines = [build.addLine(a, b) for a, b in zip(tags, tags[1:] + tags[:1], strict=True)]
                for line in lines:
                    build.mesh.setTransfiniteCurve(line, 2)
                boundary += tags
                wires.append(build.addCurveLoop(lines))
            build.addPlaneSurface(wires)
        build.synchronize()
        gmsh.model.mesh.generate(2)
        nodes, coordinates, _ = gmsh.model.mesh.getNodes()
        at_point = [int(gmsh.model.mesh.getNodes(0, tag)[0][0]) for tag in boundary]
        _, _, corners = gmsh.model.mesh.getElements(2)
    points = np.asarray(coordinates).reshape(-1, 3)[:, :2]
    triangles = np.concatenate(corners).astype(np.int64).reshape(-1, 3) if corners else np.zeros((0, 3), dtype=np.int64)
    return _numbered(points, np.asarray(nodes), np.array(at_point), triangles, exact, name)


def _callback(size: EdgeSize):
    query, sizes, growth, largest = size.tree.query, size.sizes.tolist(), size.growth, size.largest

    def wanted(dim: int, tag: int, x: float, y: float, z: float, lc: float) -> float:
        distance, index = query((x, y))
        return min(sizes[index] + growth * distance, largest)

    return wanted


def _numbered(
    points: np.ndarray, nodes: np.ndarray, first: np.ndarray, triangles: np.ndarray, exact: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """The mesh with the given nodes first, at their exact places; unused ones left out, triangles counter-clockwise."""
    used = np.unique(triangles)
    rest = np.setdiff1d(used, first)
    new = np.full(int(nodes.max()) + 1, -1, dtype=np.int64)
    new[first] = np.arange(len(first))
    new[rest] = len(first) + np.arange(len(rest))
    row = np.zeros(int(nodes.max()) + 1, dtype=np.int64)
    row[nodes] = np.arange(len(nodes))
    triangles, points = new[triangles], np.concatenate([exact, points[row[rest]]])
    a, b, c = (points[triangles[:, k]] for k in range(3))
    turn = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    if not len(turn) or len(np.setdiff1d(first, used)):
        raise InvalidMeshError("gmsh left points of the boundary without triangles", where=name, remedy="coarsen the walls, or lower the growth")
    return points, np.where((turn < 0)[:, None], triangles[:, [0, 2, 1]], triangles)
