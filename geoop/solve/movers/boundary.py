"""How the points of a boundary may move: along their own patch, never through a corner.

The boundary falls into smooth parts: curves between corners in the plane, faces and the edges between them in space. A corner, and an
edge between faces, is where the direction turns by more than an angle, and where one patch ends and another begins. Points slide along
the part that they lie on, which stays what it was: straight parts stay straight, curved ones stay the polyline or the triangles of the
mesh that was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from ...errors import ConfigurationError, InvalidMeshError, PatchError
from ...fem.gradient_recovery import boundary_facets
from ...fem.simplices import corner_simplices, cut_quads
from ...mesh.cells import Cells
from ...mesh.distance import signed_distance
from ...mesh.mesh import Mesh
from .curves import Curve, curves_of

#: Turn of the boundary from which on a point is a corner [degrees].
CORNER_ANGLE = 30.0
_PLANE = 1e-6  # largest distance from its mean plane, relative to its extent, of a face that counts as plane


@dataclass(frozen=True, eq=False)
class Sheet:
    """A smooth face of a solid.

    Attributes:
        sliding: (s,) points of the mesh inside it, which slide on it.
        surface: its triangles where they are at first.
        frames: (s, 2, 3) two unit tangents at every sliding point.
        plane: whether it is plane.
    """

    sliding: np.ndarray
    surface: Mesh
    frames: np.ndarray
    plane: bool

    def nearest(self, positions: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """(s, 3) places on the face nearest to positions of the sliding points, which were at ``origins`` at first [m]."""
        if self.plane:
            step = np.einsum("sad,sd->sa", self.frames, positions - origins)
            return origins + np.einsum("sad,sa->sd", self.frames, step)
        return np.asarray(signed_distance(self.surface, positions, signed=False).closest)


@dataclass(frozen=True, eq=False)
class Boundary:
    """What the points of the boundary of a mesh slide on.

    Attributes:
        points: (n, d) of the mesh [m].
        facets: (f, d) lines or triangles of the whole boundary.
        fixed: (k,) points that stay: corners, points without a cell.
        curves: polylines in the plane, edges in space.
        sheets: faces in space.
    """

    points: np.ndarray
    facets: np.ndarray
    fixed: np.ndarray
    curves: tuple[Curve, ...]
    sheets: tuple[Sheet, ...] = ()

    @classmethod
    def of(cls, mesh: Mesh, corner_angle: float = CORNER_ANGLE) -> Boundary:
        """The boundary of the linear cells of a mesh.

        Args:
            mesh: cells that fill a plane region or a solid.
            corner_angle: turn of the boundary from which on a point is a corner [degrees].

        Raises:
            InvalidMeshError: no such cells.
            PatchError: patches whose facets are no facets of the boundary (baffles inside): points would leave them.
        """
        cells, _ = corner_simplices(mesh)
        facets = boundary_facets(cells)
        label = _labels(mesh, facets)
        stays = np.ones(len(mesh.points), dtype=bool)
        stays[cells] = False
        build = _plane if mesh.dimension == 2 else _solid
        corners, curves, sheets = build(mesh.points, facets, label, np.cos(np.radians(corner_angle)))
        stays[corners] = True
        return cls(mesh.points, facets, np.flatnonzero(stays), tuple(curves), tuple(sheets))

    def onto(self, positions: np.ndarray) -> np.ndarray:
        """(n, d) positions with every point of the boundary at the nearest place of its own part, corners at their places [m]."""
        answer = np.array(positions)
        answer[self.fixed] = self.points[self.fixed]
        for curve in self.curves:
            answer[curve.sliding] = curve.at(curve.nearest(positions[curve.sliding]))
        for sheet in self.sheets:
            answer[sheet.sliding] = sheet.nearest(positions[sheet.sliding], self.points[sheet.sliding])
        return answer

    # ---- free coordinates: of points inside all, of points on faces two tangents, of points on curves the length along them

    @cached_property
    def _inside(self) -> np.ndarray:
        """(k,) points that are not on the boundary."""
        inside = np.ones(len(self.points), dtype=bool)
        for part in (self.fixed, *(c.sliding for c in self.curves), *(s.sliding for s in self.sheets)):
            inside[part] = False
        return np.flatnonzero(inside)

    @property
    def n_free(self) -> int:
        """Number of free coordinates."""
        d = self.points.shape[1]
        return len(self._inside) * d + sum(len(c.sliding) for c in self.curves) + 2 * sum(len(s.sliding) for s in self.sheets)

    def place(self, free: np.ndarray) -> np.ndarray:
        """(n, d) points [m] for free coordinates (n_free,) [m]; zero is the mesh as it was given."""
        answer, d = np.array(self.points), self.points.shape[1]
        start = len(self._inside) * d
        answer[self._inside] += free[:start].reshape(-1, d)
        for sheet in self.sheets:
            stop = start + 2 * len(sheet.sliding)
            origin = self.points[sheet.sliding]
            moved = origin + np.einsum("sa,sad->sd", free[start:stop].reshape(-1, 2), sheet.frames)
            answer[sheet.sliding] = moved if sheet.plane else sheet.nearest(moved, origin)
            start = stop
        for curve in self.curves:
            stop = start + len(curve.sliding)
            answer[curve.sliding] = curve.at(curve.sliding_arc + free[start:stop])
            start = stop
        return answer

    def directions(self, free: np.ndarray) -> csr_matrix:
        """(n * d, n_free) how the points (row i * d + k: component k of point i) move with each of the free coordinates."""
        d = self.points.shape[1]
        rows = [(self._inside[:, None] * d + np.arange(d)).ravel()]
        columns, entries = [np.arange(len(rows[0]))], [np.ones(len(rows[0]))]
        start = len(rows[0])
        for sheet in self.sheets:
            count = len(sheet.sliding)
            rows.append(np.broadcast_to(sheet.sliding[:, None, None] * d + np.arange(d), (count, 2, d)).ravel())
            columns.append(np.broadcast_to(start + np.arange(2 * count).reshape(count, 2, 1), (count, 2, d)).ravel())
            entries.append(sheet.frames.ravel())
            start += 2 * count
        for curve in self.curves:
            count = len(curve.sliding)
            rows.append((curve.sliding[:, None] * d + np.arange(d)).ravel())
            columns.append(np.repeat(start + np.arange(count), d))
            entries.append(curve.tangents(curve.sliding_arc + free[start : start + count]).ravel())
            start += count
        index = (np.concatenate(rows), np.concatenate(columns))
        return csr_matrix((np.concatenate(entries), index), shape=(len(self.points) * d, start))


def require_settings(where: str, tolerance: float, max_steps: int, corner_angle: float) -> None:
    """Refuse settings of a mover that are out of range.

    Raises:
        ConfigurationError: a tolerance outside of (0, 1), no step, or an angle outside of (0, 180) degrees.
    """
    if not (0.0 < tolerance < 1.0 and max_steps >= 1 and 0.0 < corner_angle < 180.0):
        raise ConfigurationError(
            f"tolerance {tolerance}, max_steps {max_steps}, corner_angle {corner_angle}",
            where=where,
            remedy="0 < tolerance < 1, max_steps >= 1, 0 < corner_angle < 180",
        )


def require_one_zone(mesh: Mesh) -> None:
    """Refuse a mesh of several zones: cells keep their zone, and points would carry the interface between two away from where it is.

    Raises:
        InvalidMeshError: more than one zone.
    """
    if len(mesh.zones) > 1:
        raise InvalidMeshError(
            f"zones {sorted(mesh.zones)}: points would move, and with them the interfaces",
            where=mesh.name,
            remedy="move every zone as a mesh of its own, or leave out the zones: Mesh(points, cells, patches)",
        )


def _labels(mesh: Mesh, facets: np.ndarray) -> np.ndarray:
    """(f,) number of the combination of patches that each facet of the boundary belongs to; 0: none.

    Raises:
        PatchError: patches with facets that are not on the boundary, all of them in one error.
    """
    require_one_zone(mesh)
    index = {tuple(row): i for i, row in enumerate(np.sort(facets, axis=1).tolist())}
    label, problems = np.zeros(len(facets), dtype=np.int64), []
    for number, (name, cells) in enumerate(mesh.patches.items()):
        rows = _simplex_facets(cells, mesh.dimension)
        found = [index.get(tuple(row), -1) for row in np.sort(rows, axis=1).tolist()]
        if -1 in found:
            problems.append(f"'{name}' ({found.count(-1)} of {len(found)} facets)")
        kept = np.array([i for i in found if i >= 0], dtype=np.int64)
        label[kept] = label[kept] * (len(mesh.patches) + 1) + number + 1
    if problems:
        raise PatchError(
            f"patches with facets that are not on the boundary of the cells: {', '.join(problems)}; their points would leave them",
            where=mesh.name,
            remedy="leave these patches out: Mesh(points, cells, patches={...}), or move a mesh whose patches are facets of its boundary",
        )
    return label


def _simplex_facets(cells: Cells, dimension: int) -> np.ndarray:
    """(k, dimension) lines, or triangles of which quads are cut as the cells behind them are."""
    if dimension == 2:
        return cells.block("line")
    return np.concatenate([cells.block("triangle"), cut_quads(cells.block("quad")).reshape(-1, 3)])


def _plane(points: np.ndarray, facets: np.ndarray, label: np.ndarray, cosine: float) -> tuple[np.ndarray, list[Curve], list[Sheet]]:
    """Corners and the curves between them."""
    step = points[facets[:, 1]] - points[facets[:, 0]]
    unit = step / np.linalg.norm(step, axis=1, keepdims=True)
    leaving, coming = (np.full(len(points), -1) for _ in range(2))
    leaving[facets[:, 0]] = coming[facets[:, 1]] = np.arange(len(facets))
    nodes = np.unique(facets)
    count = np.bincount(facets.ravel(), minlength=len(points))[nodes]
    a, b = coming[nodes], leaving[nodes]
    # where boundaries touch in a point there is no one direction
    odd = (count != 2) | (a < 0) | (b < 0)
    corner = odd | (np.einsum("kd,kd->k", unit[a], unit[b]) < cosine) | (label[a] != label[b])
    stops = np.zeros(len(points), dtype=bool)
    stops[nodes[corner]] = True
    return nodes[corner], curves_of(points, facets, stops), []


def _solid(points: np.ndarray, facets: np.ndarray, label: np.ndarray, cosine: float) -> tuple[np.ndarray, list[Curve], list[Sheet]]:
    """Corners, the edges between faces, and the faces."""
    corner = points[facets]
    area = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normal = area / np.linalg.norm(area, axis=1, keepdims=True)
    rows = np.sort(facets[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    order = np.lexsort(rows.T)
    same = np.flatnonzero((rows[order[1:]] == rows[order[:-1]]).all(axis=1))
    a, b, edge = order[same] // 3, order[same + 1] // 3, rows[order[same]]
    sharp = (np.einsum("kd,kd->k", normal[a], normal[b]) < cosine) | (label[a] != label[b])
    smooth = coo_matrix((np.ones(int((~sharp).sum())), (a[~sharp], b[~sharp])), shape=(len(facets),) * 2)
    count, face = connected_components(smooth, directed=False)
    ridges = edge[sharp]
    at = np.bincount(ridges.ravel(), minlength=len(points))
    stops = (at > 0) & (at != 2)
    straight = np.zeros((len(points), 3))
    step = points[ridges[:, 1]] - points[ridges[:, 0]]
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    np.add.at(straight, ridges[:, 0], step)
    np.add.at(straight, ridges[:, 1], -step)
    bend = np.einsum("kd,kd->k", straight, straight) / 2.0 - 1.0  # minus the cosine of the turn between the two edges of a point
    stops |= (at == 2) & (bend > -cosine)
    on_face = np.unique(np.stack([facets.ravel(), np.repeat(face, 3)], axis=1), axis=0)
    inside = on_face[at[on_face[:, 0]] == 0]
    sheets = [_sheet(points, facets[face == k], area[face == k], inside[inside[:, 1] == k, 0]) for k in range(count)]
    return np.flatnonzero(stops), curves_of(points, ridges, stops), [sheet for sheet in sheets if len(sheet.sliding)]


def _sheet(points: np.ndarray, triangles: np.ndarray, area: np.ndarray, sliding: np.ndarray) -> Sheet:
    used, local = np.unique(triangles, return_inverse=True)
    surface = Mesh(points[used], Cells.of(triangle=local.reshape(-1, 3)))
    mean = area.sum(axis=0)
    norm = np.linalg.norm(mean)
    extent = np.linalg.norm(np.ptp(points[used], axis=0))
    height = (points[used] - points[used[0]]) @ (mean / norm) if norm > 0 else np.full(len(used), np.inf)
    plane = bool(np.ptp(height) <= _PLANE * extent) if norm > 0 else False
    normals = np.zeros((len(points), 3))
    for k in range(3):
        np.add.at(normals, triangles[:, k], area)
    own = np.broadcast_to(mean, (len(sliding), 3)) if plane else normals[sliding]
    own = own / np.linalg.norm(own, axis=1, keepdims=True)
    first = np.cross(own, np.eye(3)[np.argmin(np.abs(own), axis=1)])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return Sheet(sliding, surface, np.stack([first, np.cross(own, first)], axis=1), plane)
