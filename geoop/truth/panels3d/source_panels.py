"""Lifting potential flow by constant sources on flat triangles and a doublet sheet inside the wing: cheap, first order, for triangles of any file.

The method of J. L. Hess ("The problem of three-dimensional lifting potential flow and its solution by means of surface singularity distribution",
Comput. Methods Appl. Mech. Eng. 4, 1974; J. Katz and A. Plotkin, Low-Speed Aerodynamics, 2001, section 12.3): sources on the surface let no flow
through the centroids, a doublet sheet from inside the body through the trailing edge into the wake carries the lift, and its strengths make the flow leave
the trailing edge along the bisector (Kutta condition). The sheet rises linearly inside of the body: any inner sheet gives the same outer flow.
Open surfaces and parts that cut each other have a solution as well, which then is that of a thin shell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import coo_array, csr_array

from ...errors import InvalidMeshError
from ...mesh.mesh import Mesh
from ...mesh.outward import outward_triangles
from ...mesh.topology import welded
from ...mesh.triangulation import triangulated
from .influence import Kernel
from .surface import SLIVER, TriangleSet

#: Faces that meet at less than this angle inside the body make a trailing edge where they face downstream [deg].
SHARPEST = 60.0
#: How far inside the body the sheet begins, as a share of the chord from the trailing edge.
SHEET = 0.8
#: How far behind the trailing edge the flow is asked to leave along the bisector, as a share of the chord.
BEHIND = 0.01
#: Largest angle between the bisector of a trailing edge and the downstream direction [deg].
FACING = 88.0
#: Weight of the smoothness of the circulation along the edge beside the Kutta condition: strengths of neighbours do not alternate.
SMOOTH = 0.1
#: Length of the wake in body sizes.
WAKE = 30.0
#: Largest speed at a point of the wall, in those at the middle one of its neighbours: only edges that the triangles do not resolve exceed it.
STEEPEST = 1.5


@dataclass(frozen=True, eq=False)
class SourcePanels:
    """The solved equations of a body: the flow of any free stream is a combination of three.

    Attributes:
        kernel: integrals over the triangles.
        centers: (t, 3) centroids [m].
        sources: (t, 3) densities per unit of free stream along x, y, z.
        sheet: integrals over the doublet sheet; None without a trailing edge.
        doublets: (s, 3, 3) of every triangle of the sheet, at its corners, per unit of free stream [m].
        edge: (w, 2) points of the trailing edge.
        circulation: (k, 3) jump of the potential at the points of the trailing edge, per unit of free stream [m].
    """

    kernel: Kernel
    centers: np.ndarray
    sources: np.ndarray
    sheet: Kernel | None
    doublets: np.ndarray
    edge: np.ndarray
    circulation: np.ndarray

    @classmethod
    def of(
        cls, mesh: Mesh, *, lifting: bool = True, wake_direction: tuple[float, float, float] = (1.0, 0.0, 0.0), outward: bool = False
    ) -> SourcePanels:
        """Solve on the faces of a surface; memory and time grow with the square and the cube of their number, so that 4000 are a limit of reason.

        Args:
            mesh: a surface in space; quads count as two triangles. Faces that look into the body are turned, see :mod:`geoop.mesh.outward`.
            lifting: look for a trailing edge: convex edges below :data:`SHARPEST` that face downstream.
            wake_direction: of the straight wake, and downstream.
            outward: all faces look out of the body already: they are taken as they are.

        Raises:
            InvalidMeshError: no faces with an area.
        """
        skin = _skin(mesh if outward or not len(mesh.cells) else outward_triangles(mesh).mesh)
        kernel = Kernel.of(skin)
        centers = skin.points[skin.triangles].mean(axis=1)
        downstream = np.asarray(wake_direction, dtype=np.float64) / np.linalg.norm(wake_direction)
        edge, bisector = _trailing_edge(skin, downstream) if lifting else (np.zeros((0, 2), dtype=np.int64), np.zeros((0, 3)))
        factors = lu_factor(_normal_velocity(kernel, centers), overwrite_a=True, check_finite=False)
        streams = lu_solve(factors, -kernel.normals, check_finite=False)
        if not _carries(edge):
            edge = edge[:0]
            return cls(kernel, centers, streams, None, np.zeros((0, 3, 3)), edge, np.zeros((0, 3)))
        sheet, hats, kutta, normal = _sheet(skin, edge, bisector, downstream)
        lines = sheet.velocity_coefficients(np.zeros((len(hats), hats.shape[2])), hats)
        induced = np.einsum("nc,ncq->nq", kernel.normals, sheet.velocity(centers, lines))
        modes = lu_solve(factors, -induced, check_finite=False)
        both = np.concatenate([streams, modes], axis=1)
        at_edge = kernel.velocity(kutta, _source_coefficients(kernel, both))
        at_edge[:, :, :3] += np.eye(3)
        at_edge[:, :, 3:] += sheet.velocity(kutta, lines)
        leaving = np.einsum("nc,ncq->nq", normal, at_edge)
        length = np.sqrt(np.linalg.norm(np.diff(skin.points[edge], axis=1)[:, 0], axis=1))[:, None]
        strength = _strengths(leaving * length, _roughness(edge))
        return cls(kernel, centers, streams + modes @ strength, sheet, hats @ strength, edge, strength)

    def velocity(self, points: np.ndarray) -> np.ndarray:
        """(n, 3, 3) velocity at (n, 3) points per unit of free stream: component, axis of the stream; on a panel the mean of both sides."""
        out = self.kernel.velocity(points, _source_coefficients(self.kernel, self.sources)) + np.eye(3)
        if self.sheet is not None:
            out += self.sheet.velocity(points, self.sheet.velocity_coefficients(np.zeros((len(self.doublets), 3)), self.doublets))
        return out

    def vertex_velocity(self) -> np.ndarray:
        """(n, 3, 3) velocity at the points of the surface, per unit of free stream; NaN at points of no face.

        The mean of the velocities along the faces around a point, weighted by their angles there, in the plane across the mean normal; a
        face that is seen at an angle brings its velocity turned into that plane. At a trailing edge it is the mean of the points next to it: the
        stagnation at an edge of finite angle is narrower than any panel.
        """
        skin, normals = self.kernel.panels, self.kernel.normals
        at = self.velocity(self.centers)
        at -= normals[:, :, None] * np.einsum("tc,tcq->tq", normals, at)[:, None, :]
        x = skin.points[skin.triangles]
        one, two = np.roll(x, -1, axis=1) - x, np.roll(x, 1, axis=1) - x
        angle = np.arctan2(np.linalg.norm(np.cross(one, two), axis=2), (one * two).sum(axis=2))
        rows, columns = skin.triangles.ravel(), np.repeat(np.arange(len(skin.triangles)), 3)
        share = coo_array((angle.ravel(), (rows, columns)), shape=(len(skin.points), len(skin.triangles))).tocsr()
        mean = share @ normals
        length = np.linalg.norm(mean, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean /= length[:, None]
            turned = _turned(normals[columns], mean[rows], at[columns]) * angle.ravel()[:, None, None]
            total = np.asarray(share.sum(axis=1)).ravel()
            out = np.zeros((len(skin.points), 9))
            np.add.at(out, rows, turned.reshape(-1, 9))
            out /= total[:, None]
        at_edge = np.zeros(len(out), dtype=bool)
        at_edge[self.edge] = True
        beside = _neighbours(skin)[at_edge][:, ~at_edge & np.isfinite(out[:, 0])]
        count = beside.sum(axis=1)
        replaced = np.flatnonzero(at_edge)[count > 0]
        out[replaced] = (beside @ out[~at_edge & np.isfinite(out[:, 0])])[count > 0] / count[count > 0, None]
        return out.reshape(-1, 3, 3)

    def leak(self) -> np.ndarray:
        """(3, 3) mean over the area of the products of the flows through the triangles, per unit of free stream; zero of the exact flow.

        The equations hold at the centroids alone: how much passes between centroid and corner tells how well the triangles resolve the flow,
        sqrt(d.L d) of a stream along d. Where the two sides of a thin edge are cut into faces that do not match and are larger than the body is thick,
        it reaches a tenth of the stream.
        """
        skin = self.kernel.panels
        share = np.full((len(self.centers), 3), 0.2)
        share[np.arange(len(share)), np.arange(len(share)) % 3] = 0.6
        points = np.einsum("tk,tkc->tc", share, skin.points[skin.triangles])
        through = np.einsum("tc,tcq->tq", self.kernel.normals, self.velocity(points))
        # the own sources drive half of their strength to one side or the other, as rounding has it
        sides = np.stack([through - self.sources, through, through + self.sources])
        through = np.take_along_axis(sides, np.abs(sides).argmin(axis=0)[None], axis=0)[0]
        weight = self.kernel.double_area / self.kernel.double_area.sum()
        return np.einsum("t,tp,tq->pq", weight, through, through)

    def limited(self, velocity: np.ndarray) -> np.ndarray:
        """(n, 3) velocities at the points of the surface, none faster than :data:`STEEPEST` times the middle one of its neighbours."""
        joined = _neighbours(self.kernel.panels)
        speed = np.linalg.norm(velocity, axis=1)
        count = np.diff(joined.indptr)
        table = np.full((len(speed), count.max(initial=1)), np.nan)
        table[np.arange(table.shape[1]) < count[:, None]] = speed[joined.indices]
        used = count > 0
        most = np.full(len(speed), np.inf)
        most[used] = STEEPEST * np.nanmedian(table[used], axis=1)
        return velocity * np.minimum(1.0, most / np.maximum(speed, 1e-300))[:, None]


def _neighbours(skin: TriangleSet) -> csr_array:
    """(n, n) which points an edge joins."""
    ends, n = np.concatenate([skin.edges, skin.edges[:, ::-1]]), len(skin.points)
    return csr_array(coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(n, n)))


def _turned(start: np.ndarray, end: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Vectors (n, 3, q) turned as the shortest turn carries unit vectors ``start`` to ``end``, but where that is more than 90 degrees: as they are."""
    axis, cosine = np.cross(start, end), (start * end).sum(axis=1)
    across = np.cross(axis[:, :, None], vectors, axis=1)
    along = np.einsum("nc,ncq->nq", axis, vectors)[:, None, :] * axis[:, :, None]
    found = cosine[:, None, None] * vectors + across + along / (1.0 + np.maximum(cosine, 0.0))[:, None, None]
    return np.where((cosine > 0.0)[:, None, None], found, vectors)


def _skin(mesh: Mesh) -> TriangleSet:
    """The triangles with an area."""
    if not len(mesh.cells):
        raise InvalidMeshError("the surface has no faces", where=mesh.name, remedy="pass the boundary of the body: geoop.mesh.body.body(mesh)")
    corners = welded(mesh.points)[triangulated(mesh)[0]]
    a, b, c = (mesh.points[corners[:, k]] for k in range(3))
    longest = np.max([((b - a) ** 2).sum(axis=1), ((c - b) ** 2).sum(axis=1), ((a - c) ** 2).sum(axis=1)], axis=0)
    corners = corners[np.linalg.norm(np.cross(b - a, c - a), axis=1) > 2.0 * SLIVER * longest]
    if not len(corners):
        raise InvalidMeshError("the surface has zero area", where=mesh.name, remedy="check the coordinates and the unit of the file")
    return TriangleSet.of(mesh.points, corners)


def _normal_velocity(kernel: Kernel, centers: np.ndarray) -> np.ndarray:
    """(t, t) velocity that the sources of one triangle drive through another at its centroid, on its outside."""
    skin, count = kernel.panels, len(centers)
    columns = np.repeat(np.arange(count), 3)
    per_edge = [
        coo_array(
            (kernel.outward[:, :, axis].ravel() / (4.0 * np.pi), (columns, skin.triangle_edges.ravel())), shape=(count, len(kernel.length))
        ).tocsr()
        for axis in range(3)
    ]
    matrix = np.empty((count, count))
    for rows in kernel.chunks(count):
        logarithm, angle = kernel.logarithms_and_angles(centers[rows])
        own = np.arange(rows.start, rows.stop)
        angle[own - rows.start, own] = 2.0 * np.pi
        normal = kernel.normals[rows]
        block = angle * (normal @ kernel.normals.T) / (4.0 * np.pi)
        for axis in range(3):
            block += normal[:, axis, None] * (per_edge[axis] @ logarithm.T).T
        matrix[rows] = block
    return matrix


def _roughness(edge: np.ndarray) -> np.ndarray:
    """(k, k) difference of the strength at every inner point of an edge from the mean of its neighbours; zero at the ends."""
    number = np.unique(edge, return_inverse=True)[1].reshape(-1, 2)
    uses = np.bincount(number.ravel())
    joined = np.zeros((len(uses), len(uses)))
    np.add.at(joined, (number[:, 0], number[:, 1]), 1.0)
    joined += joined.T
    return (np.eye(len(uses)) - joined / uses[:, None])[np.ix_(uses > 1, uses > 1)]


def _strengths(leaving: np.ndarray, roughness: np.ndarray) -> np.ndarray:
    """(k, 3) strengths that let no flow through the bisector, in least squares with their smoothness: (w, 3 + k) flows of the streams and of unit strengths."""
    streams, modes = leaving[:, :3], leaving[:, 3:]
    scale = SMOOTH * np.sqrt((modes**2).sum(axis=0).mean())
    right = np.concatenate([-streams, np.zeros((len(roughness), 3))])
    return np.linalg.lstsq(np.concatenate([modes, scale * roughness]), right, rcond=None)[0]


def _source_coefficients(kernel: Kernel, density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return kernel.velocity_coefficients(density, np.zeros((len(density), 3, density.shape[1])))


def _trailing_edge(skin: TriangleSet, downstream: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(w, 2) points of sharp convex edges that face downstream, and (w, 3) the bisector of the body there, out of it."""
    count = np.bincount(skin.triangle_edges.ravel(), minlength=len(skin.edges))
    order = np.argsort(skin.triangle_edges.ravel(), kind="stable")
    first = np.concatenate([[0], np.cumsum(count)[:-1]])[count == 2]
    pair = np.stack([order[first], order[first + 1]], axis=1) // 3
    normal = skin.normals[pair]
    bisector = normal.sum(axis=1)
    length = np.linalg.norm(bisector, axis=1)
    inside = np.degrees(2.0 * np.arcsin(np.clip(0.5 * length, 0.0, 1.0)))
    edges = skin.edges[count == 2]
    opposite = skin.points[skin.triangles[pair[:, 1]]].mean(axis=1) - skin.points[edges[:, 0]]
    convex = (opposite * normal[:, 0]).sum(axis=1) < 0.0
    found = convex & (bisector @ downstream > np.cos(np.radians(FACING)) * length) & (inside < SHARPEST) & (length > 1e-9)
    return edges[found], bisector[found] / length[found, None]


def _carries(edge: np.ndarray) -> bool:
    """Whether a trailing edge has a point between two edges: at its ends the circulation is zero."""
    return bool((np.unique(edge, return_counts=True)[1] > 1).any())


def _sheet(skin: TriangleSet, edge: np.ndarray, bisector: np.ndarray, downstream: np.ndarray) -> tuple[Kernel, np.ndarray, np.ndarray, np.ndarray]:
    """The doublet sheet: its integrals, (s, 3, k) doublets of every unit strength, (w, 3) Kutta points, (w, 3) normals that no flow may have there.

    A strength belongs to a point of the trailing edge between two edges; at its ends the circulation is zero.
    """
    points, number = np.unique(edge, return_inverse=True)
    number = number.reshape(-1, 2)
    uses = np.bincount(number.ravel())
    place = skin.points[points]
    chord = _chord(skin, place, downstream)
    inner = place - SHEET * chord[:, None] * downstream
    size = float(np.ptp(skin.points[skin.triangles.ravel()], axis=0).max())
    far = place + WAKE * size * downstream
    m = len(points)
    rows = [inner, place, far]
    triangles, level = [], []
    for front in (0, 1):
        a, b = front * m + number[:, 0], front * m + number[:, 1]
        c, d = a + m, b + m
        triangles += [np.stack([a, b, d], axis=1), np.stack([a, d, c], axis=1)]
    triangles = np.concatenate(triangles)
    free = np.flatnonzero(uses > 1)
    level = np.zeros((3 * m, len(free)))
    level[m + free, np.arange(len(free))] = 1.0
    level[2 * m + free, np.arange(len(free))] = 1.0
    corners = np.concatenate(rows)
    kept = np.linalg.norm(np.cross(corners[triangles[:, 1]] - corners[triangles[:, 0]], corners[triangles[:, 2]] - corners[triangles[:, 0]]), axis=1)
    triangles = triangles[kept > 1e-12 * size**2]
    middle = skin.points[edge].mean(axis=1)
    span = skin.points[edge[:, 1]] - skin.points[edge[:, 0]]
    normal = np.cross(bisector, span)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    behind = middle + BEHIND * chord[number].mean(axis=1)[:, None] * bisector
    return Kernel.of(TriangleSet.of(corners, triangles)), level[triangles], behind, normal


def _chord(skin: TriangleSet, place: np.ndarray, downstream: np.ndarray) -> np.ndarray:
    """(m,) how far the body reaches upstream of these points of its surface: to the last triangle that a line meets before it leaves for good.

    The line is looked for in a thin slab across the others: the foremost vertex within a share of the body's size of the line counts, which
    needs no closed surface. At a tip, where a section has no length, it is the smallest of the neighbours'.
    """
    used = skin.points[np.unique(skin.triangles)]
    size = float(np.ptp(used, axis=0).max())
    axes = np.linalg.svd(downstream[None, :])[2][1:]
    chord = np.empty(len(place))
    for k, point in enumerate(place):
        offset = used - point
        across = np.linalg.norm(offset @ axes.T, axis=1)
        near = across <= np.maximum(np.partition(across, min(12, len(across) - 1))[min(12, len(across) - 1)], 0.02 * size)
        chord[k] = max(float((-(offset[near] @ downstream)).max()), 1e-3 * size)
    return chord
