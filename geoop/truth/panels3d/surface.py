"""Closed surfaces as flat panels: what is refused, and which panels, edges and nodes there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csgraph

from ...errors import InvalidMeshError
from ...mesh.cells import Cells
from ...mesh.distance import signed_distance
from ...mesh.intersections import intersecting_triangles
from ...mesh.measure import cell_fluxes
from ...mesh.mesh import Mesh
from ...mesh.topology import welded
from ...mesh.triangulation import triangulated

#: A triangle is too thin for a panel when its area is below this share of the square of its longest edge.
SLIVER = 1e-9


@dataclass(frozen=True, eq=False)
class TriangleSet:
    """Triangles with numbered edges: all that the integrals need to know.

    Attributes:
        points: (n, 3) [m].
        triangles: (t, 3) point indices; the normal is on the side from which they run counter-clockwise.
        edges: (e, 2) point indices, lower first, each edge once.
        triangle_edges: (t, 3) the edge from corner k to corner k + 1.
    """

    points: np.ndarray
    triangles: np.ndarray
    edges: np.ndarray
    triangle_edges: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, triangles: np.ndarray) -> TriangleSet:
        """Number the edges of (t, 3) triangles."""
        sides = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2)
        key = np.sort(sides, axis=1) @ np.array([len(points), 1])
        unique, number = np.unique(key, return_inverse=True)
        return cls(points, triangles, np.stack(np.divmod(unique, len(points)), axis=1), number.reshape(-1, 3))

    @property
    def area_vectors(self) -> np.ndarray:
        """(t, 3) normal times area [m^2]."""
        a, b, c = (self.points[self.triangles[:, k]] for k in range(3))
        return 0.5 * np.cross(b - a, c - a)

    @property
    def normals(self) -> np.ndarray:
        """(t, 3) unit normals."""
        vectors = self.area_vectors
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class PanelSurface:
    """A closed surface, outward, of triangle and quad panels; a quad is two flat triangles with one doublet strength.

    Attributes:
        mesh: the surface that was given.
        merged: (n,) for every point of the mesh the one that stands for all at its place.
        skin: its triangles, on those points.
        owner: (t,) panel of every triangle, ascending.
        centers: (m, 3) where the equations hold: centroid of a triangle, middle of the diagonal of a quad.
        normals: (m, 3) unit, outward.
        areas: (m,) [m^2].
    """

    mesh: Mesh
    merged: np.ndarray
    skin: TriangleSet
    owner: np.ndarray
    centers: np.ndarray
    normals: np.ndarray
    areas: np.ndarray

    @property
    def size(self) -> float:
        """Largest extent along an axis [m]."""
        return float(np.ptp(self.skin.points[self.skin.triangles.ravel()], axis=0).max())


def panel_surface(mesh: Mesh) -> PanelSurface:
    """The panels of a closed surface.

    Args:
        mesh: triangles and quads in 3-D; polygons and quadratic faces are cut into triangles.

    Raises:
        InvalidMeshError: not a surface in 3-D, open, branched, turned inconsistently, inside out, or with panels without area:
            all in one error; else panels that cut through each other, or bodies inside one another.
    """
    corners, cell = triangulated(mesh)
    merged = welded(mesh.points)
    corners = merged[corners]
    quad = np.zeros(len(mesh.cells), dtype=bool)
    if "quad" in mesh.cells.names:
        quad[mesh.cells.where("quad")] = True
    owner = np.cumsum(np.append(True, (cell[1:] != cell[:-1]) | ~quad[cell[1:]])) - 1 if len(cell) else cell
    skin = TriangleSet.of(mesh.points, corners)
    _refuse(mesh, skin)
    vectors = np.zeros((owner[-1] + 1, 3))
    np.add.at(vectors, owner, skin.area_vectors)
    areas = np.linalg.norm(vectors, axis=1)
    return PanelSurface(mesh, merged, skin, owner, _centers(mesh.points, corners, owner), vectors / areas[:, None], areas)


def _centers(points: np.ndarray, triangles: np.ndarray, owner: np.ndarray) -> np.ndarray:
    first = np.flatnonzero(np.append(True, np.diff(owner) > 0))
    centers = points[triangles[first]].mean(axis=1)
    double = np.flatnonzero(np.diff(np.append(first, len(owner))) == 2)
    one, two = triangles[first[double]], triangles[first[double] + 1]
    shared = (one[:, :, None] == two[:, None, :]).any(axis=2)
    centers[double] = (points[one] * shared[:, :, None]).sum(axis=1) / shared.sum(axis=1)[:, None]
    return centers


def _refuse(mesh: Mesh, skin: TriangleSet) -> None:
    """Raise unless the triangles bound bodies from outside."""
    problems, remedies = [], []
    if not len(skin.triangles):
        raise InvalidMeshError("the surface has no faces", where=mesh.name, remedy="pass the boundary of the body: geoop.mesh.body.body(mesh)")
    a, b, c = (mesh.points[skin.triangles[:, k]] for k in range(3))
    longest = np.maximum(np.maximum(((b - a) ** 2).sum(axis=1), ((c - b) ** 2).sum(axis=1)), ((a - c) ** 2).sum(axis=1))
    flat = int((np.linalg.norm(np.cross(b - a, c - a), axis=1) <= 2.0 * SLIVER * longest).sum())
    if flat:
        problems.append(f"{flat} faces (or halves of quads) have no area")
        remedies.append("drop them: `geoop inspect FILE --repair OUT`")
    count = np.bincount(skin.triangle_edges.ravel(), minlength=len(skin.edges))
    rim, branched = int((count == 1).sum()), int((count > 2).sum())
    if rim:
        problems.append(f"the surface is open: {rim} edges belong to one face only, so there is no inside")
        remedies.append("close it: `geoop inspect FILE --repair OUT`")
    if branched:
        problems.append(f"{branched} edges belong to more than two faces")
        remedies.append("leave out inner walls and repeated faces")
    if not (rim or branched or flat):
        turned, inward = _turned(skin)
        if turned:
            problems.append(f"{turned} pairs of neighbouring faces look to opposite sides")
        if inward:
            problems.append(f"{inward} closed parts of the surface are inside out: their normals point into the body")
        if turned or inward:
            remedies.append("turn the faces: geoop.mesh.orientation.oriented(mesh)")
    if not problems:
        found = _overlaps(skin)
        if found:
            problems.append(found)
            remedies.append("move the bodies apart, or unite them to one surface: no flow passes between panels that cut each other")
    if problems:
        raise InvalidMeshError("; ".join(problems), where=mesh.name, remedy="; ".join(remedies))


def _overlaps(skin: TriangleSet) -> str:
    """How bodies overlap, in words; empty if they do not."""
    pairs = intersecting_triangles(skin.points, skin.triangles)
    if len(pairs):
        x, y, z = skin.points[skin.triangles[pairs[0, 0]]].mean(axis=0)
        return f"{len(pairs)} pairs of faces cut through each other, first near ({x:.4g}, {y:.4g}, {z:.4g}) m"
    count, part = _parts(skin)
    shells = [skin.triangles[part == k] for k in range(count)]
    places = skin.points[[shell[0, 0] for shell in shells]]
    inside = 0
    for k, shell in enumerate(shells if count > 1 else []):
        cells = Cells.of(triangle=shell)
        others = np.delete(places, k, axis=0)
        inside += int((signed_distance(Mesh(skin.points, cells).submesh(cells), others).distance < 0.0).sum())
    return f"{inside} bodies lie inside another one" if inside else ""


def _parts(skin: TriangleSet) -> tuple[int, np.ndarray]:
    """(number of bodies, (t,) which one a triangle belongs to) of a closed surface."""
    pair = np.argsort(skin.triangle_edges.ravel(), kind="stable").reshape(-1, 2) // 3
    n = len(skin.triangles)
    return csgraph.connected_components(coo_array((np.ones(len(pair)), (pair[:, 0], pair[:, 1])), shape=(n, n)), directed=False)


def _turned(skin: TriangleSet) -> tuple[int, int]:
    """Number of neighbours turned against each other, and of components with negative volume."""
    forward = skin.triangles < np.roll(skin.triangles, -1, axis=1)
    balance = np.bincount(skin.triangle_edges.ravel(), weights=np.where(forward, 1.0, -1.0).ravel())
    count, part = _parts(skin)
    volume = np.bincount(part, weights=cell_fluxes(Mesh(skin.points, Cells.of(triangle=skin.triangles))), minlength=count)
    turned = int((balance != 0).sum())
    return turned, 0 if turned else int((volume <= 0).sum())
