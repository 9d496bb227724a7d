"""The trailing edge of a lifting body: found where the surface is sharp and faces downstream, or named; and the nodes on its two sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csgraph

from ...errors import InvalidMeshError
from ...mesh.mesh import Mesh
from .surface import PanelSurface, TriangleSet, panel_surface

#: Angle between the two faces of an edge, inside the body, up to which it counts as a trailing edge [deg].
SHARPEST_FACES = 60.0


@dataclass(frozen=True, eq=False)
class TrailingEdge:
    """Edges from which a wake leaves; none for a body without lift.

    Attributes:
        edges: (w, 2) point indices, in the order in which the upper face runs through them.
        upper: (w,) triangle above: the one whose normal points more upward.
        lower: (w,) triangle below.
        node: (t, 3) of every corner of every triangle: corners at one point share a node unless the edge divides them.
        place: (k,) point of every node.
        upper_nodes: (w, 2) nodes of both ends, seen from above.
        lower_nodes: (w, 2) the same seen from below; equal to the upper ones where the edge ends.
    """

    edges: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    node: np.ndarray
    place: np.ndarray
    upper_nodes: np.ndarray
    lower_nodes: np.ndarray

    @classmethod
    def of(cls, surface: PanelSurface, pairs: np.ndarray) -> TrailingEdge:
        """The trailing edge along the given edges.

        Args:
            surface: the panels.
            pairs: (w, 2) point indices of the mesh, each an edge of the panels.

        Raises:
            InvalidMeshError: a pair is no edge of the surface.
        """
        skin = surface.skin
        wanted = np.sort(surface.merged[np.asarray(pairs, dtype=np.int64).reshape(-1, 2)], axis=1)
        keys, known = (rows @ np.array([len(skin.points), 1]) for rows in (wanted, skin.edges))
        number = np.unique(np.searchsorted(known, keys)) if len(keys) else np.zeros(0, dtype=np.int64)
        strange = ~np.isin(keys, known)
        if strange.any():
            raise InvalidMeshError(
                f"{int(strange.sum())} of {len(keys)} pairs of the trailing edge are no edges of the surface, for example points {tuple(pairs[strange][0])}",
                where=surface.mesh.name,
                remedy="give neighbouring points of the mesh, or find them: sharp_trailing_edge(mesh)",
            )
        sides = np.argsort(skin.triangle_edges.ravel(), kind="stable").reshape(-1, 2)
        above = skin.normals[sides // 3] @ np.array([1e-6, 1e-3, 1.0])
        sides = np.where((above[:, :1] >= above[:, 1:]), sides, sides[:, ::-1])
        node = _nodes(skin, sides, number)
        place = np.zeros(node.max() + 1, dtype=np.int64)
        place[node.ravel()] = skin.triangles.ravel()
        upper, lower = sides[number, 0], sides[number, 1]
        after = [_next(side) for side in (upper, lower)]
        flat = node.ravel()
        return cls(
            np.stack([skin.triangles.ravel()[upper], skin.triangles.ravel()[after[0]]], axis=1),
            upper // 3,
            lower // 3,
            node,
            place,
            np.stack([flat[upper], flat[after[0]]], axis=1),
            np.stack([flat[after[1]], flat[lower]], axis=1),
        )


def _nodes(skin: TriangleSet, sides: np.ndarray, divided: np.ndarray) -> np.ndarray:
    """(t, 3) node of every corner: corners of neighbours at one point are one node unless their edge is divided."""
    whole = np.ones(len(skin.edges), dtype=bool)
    whole[divided] = False
    one, two = sides[whole].T
    one_after, two_after = (_next(side) for side in (one, two))
    rows, columns = np.concatenate([one, one_after]), np.concatenate([two_after, two])
    n = skin.triangles.size
    return csgraph.connected_components(coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, n)), directed=False)[1].reshape(-1, 3)


def _next(side: np.ndarray) -> np.ndarray:
    """The corner 3 t + k that follows in the same triangle."""
    return side - side % 3 + (side % 3 + 1) % 3


def sharp_trailing_edge(mesh: Mesh, *, largest_angle: float = SHARPEST_FACES, downstream: tuple[float, float, float] = (1.0, 0.0, 0.0)) -> np.ndarray:
    """(w, 2) point indices of the sharp edges that face downstream.

    An edge counts where the faces meet at less than ``largest_angle`` inside the body, and the bisector out of the body points
    within 75 degrees of ``downstream``: leading edges, side edges and the rims of flat wing tips do not.

    Args:
        mesh: a closed surface, outward.
        largest_angle: [deg].
        downstream: direction of the free stream, of any length.

    Raises:
        InvalidMeshError: see :func:`panel_surface`; or there is no such edge.
    """
    surface = panel_surface(mesh)
    skin = surface.skin
    pair = np.argsort(skin.triangle_edges.ravel(), kind="stable").reshape(-1, 2) // 3
    normal = skin.normals[pair]
    bisector = normal.sum(axis=1)
    length = np.linalg.norm(bisector, axis=1)
    inside_angle = np.degrees(2.0 * np.arcsin(np.clip(0.5 * length, 0.0, 1.0)))
    opposite = skin.points[skin.triangles[pair[:, 1]]].mean(axis=1) - skin.points[skin.edges[:, 0]]
    convex = (opposite * normal[:, 0]).sum(axis=1) < 0.0
    stream = np.asarray(downstream, dtype=np.float64)
    facing = bisector @ (stream / np.linalg.norm(stream)) > np.cos(np.radians(75.0)) * length
    found = convex & facing & (inside_angle < largest_angle) & (length > 0.0)
    if not found.any():
        raise InvalidMeshError(
            f"no sharp trailing edge: no convex edge below {largest_angle:g} degrees faces downstream",
            where=mesh.name,
            remedy="close blunt edges, name the edge as (w, 2) point pairs or as a patch of line cells, or solve without lift: trailing_edge=None",
        )
    return skin.edges[found]


def named_trailing_edge(mesh: Mesh, trailing_edge: str | np.ndarray | None) -> np.ndarray:
    """(w, 2) point indices of a trailing edge that is named as a patch of line cells, given as pairs, or not there (None).

    Raises:
        InvalidMeshError: the patch holds no line cells, or the pairs have another shape.
        PatchError: no patch of that name.
    """
    if trailing_edge is None:
        return np.zeros((0, 2), dtype=np.int64)
    if isinstance(trailing_edge, str):
        mesh.patch(trailing_edge)
        cells = mesh.patches[trailing_edge]
        if "line" not in cells.names:
            raise InvalidMeshError(
                f"patch '{trailing_edge}' has no line cells",
                where=mesh.name,
                remedy="name a patch of the edges, or find them: sharp_trailing_edge(mesh)",
            )
        return cells.block("line")
    pairs = np.asarray(trailing_edge)
    if (
        pairs.ndim != 2
        or pairs.shape[1] != 2
        or not np.issubdtype(pairs.dtype, np.integer)
        or (len(pairs) and not 0 <= pairs.min() <= pairs.max() < len(mesh.points))
    ):
        raise InvalidMeshError(
            f"a trailing edge of shape {pairs.shape} and type {pairs.dtype} is no list of point pairs of {len(mesh.points)} points",
            where=mesh.name,
            remedy="give (w, 2) point indices, such as sharp_trailing_edge(mesh)",
        )
    return pairs
