"""Feature edges of a surface: where it is sharp, where it ends, where more than two facets meet; chained into lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ConfigurationError, InvalidMeshError
from .cells import Cells
from .measure import area_vectors, facet_normals
from .mesh import Mesh
from .topology import Sides, distinct_rows, edges, welded

#: What makes an edge a feature, in the order of :attr:`FeatureEdges.kind`.
KINDS = ("sharp", "boundary", "non-manifold")

_SLIVER = 1e-9  # area over the square of the longest edge up to which a facet has no normal of its own


@dataclass(frozen=True, eq=False)
class FeatureLine:
    """Feature edges one after the other.

    Attributes:
        points: (k,) point indices in order; the first is not repeated at the end of a closed line.
        closed: whether the last point joins the first.
    """

    points: np.ndarray
    closed: bool


@dataclass(frozen=True, eq=False)
class FeatureEdges:
    """The feature edges of a surface.

    Attributes:
        corners: (e, 2) point indices, each edge once; of points at one place the lowest index.
        kind: (e,) numbers into :data:`KINDS`.
        angle: (e,) between the normals of the two facets [deg]: 0 is flat, 180 a knife; NaN where there are not two.
        hollow: (e,) whether the facets turn towards the side to which their normals point; False where there are not two.
        lines: the edges in chains that run from corner to corner or close; in a corner one, three or more edges meet, or kinds change.
    """

    corners: np.ndarray
    kind: np.ndarray
    angle: np.ndarray
    hollow: np.ndarray
    lines: tuple[FeatureLine, ...]

    def of_kind(self, name: str) -> np.ndarray:
        """(k, 2) edges of one of :data:`KINDS`."""
        return self.corners[self.kind == KINDS.index(name)]


def feature_edges(surface: Mesh, angle: float = 30.0) -> FeatureEdges:
    """Edges at which the facets' normals differ by more than an angle, edges of one facet, and edges of more than two.

    Points at exactly equal coordinates count as one, so the facets of an STL file are neighbours. How the facets are turned
    does not matter. A facet without area is taken as part of the one across its longest edge, so it hides no sharp edge;
    facets with fewer than three different corners are left out.

    Args:
        surface: faces of any kind in 3-D.
        angle: of the normals [deg], above which an edge is sharp, 0 <= angle < 180.

    Raises:
        InvalidMeshError: not a surface in 3-D.
        ConfigurationError: an angle outside those limits.
    """
    if surface.dimension != 3 or surface.cell_dimension != 2:
        raise InvalidMeshError("feature edges belong to faces in 3-D", where=surface.name, remedy="pass geoop.mesh.body.body(mesh)")
    if not 0 <= angle < 180:
        raise ConfigurationError(f"angle is {angle}", where="feature_edges", remedy="give degrees from 0 to below 180, such as 30")
    merged = welded(surface.points)
    cells = surface.cells.take(_with_corners(surface.cells, merged))
    surface = Mesh(surface.points, cells, name=surface.name)
    listed = edges(cells, merged)
    turn, hollow = np.full(len(listed.counts), np.nan), np.zeros(len(listed.counts), dtype=bool)
    one, two = listed.pairs()
    normals = _bridged(surface, listed)
    a, b = normals[listed.owner[one]], normals[listed.owner[two]]
    b = np.where((listed.corners[one, 0] == listed.corners[two, 0])[:, None], -b, b)  # one of the two is turned the other way
    sound = (np.abs(a).sum(axis=1) > 0) & (np.abs(b).sum(axis=1) > 0)
    across = np.cross(a, b)
    between = np.degrees(np.arctan2(np.linalg.norm(across, axis=1), (a * b).sum(axis=1)))
    turn[listed.group[one]] = np.where(sound, between, 0.0)  # nothing but slivers has no normal to differ
    along = surface.points[listed.corners[one, 1]] - surface.points[listed.corners[one, 0]]
    hollow[listed.group[one]] = sound & ((along * across).sum(axis=1) < 0)  # as the first facet runs along the edge
    first = np.zeros(len(listed.counts), dtype=np.int64)
    first[listed.group[::-1]] = np.arange(len(listed.group))[::-1]
    corners = np.sort(listed.corners[first], axis=1) if len(first) else np.zeros((0, 2), dtype=np.int64)
    kind = np.where(listed.counts == 1, 1, np.where(listed.counts > 2, 2, 0))
    chosen = ((kind > 0) | (turn > angle)) & (corners[:, 0] != corners[:, 1])
    corners, kind = corners[chosen], kind[chosen]
    return FeatureEdges(corners, kind, turn[chosen], hollow[chosen], tuple(_chained(corners, kind)))


def _with_corners(cells: Cells, merged: np.ndarray) -> np.ndarray:
    """Indices of the faces with at least three different corners."""
    owner = np.repeat(np.arange(len(cells)), np.diff(cells.offsets))
    rows = distinct_rows(np.stack([owner, merged[cells.connectivity]], axis=1))
    return np.flatnonzero((np.bincount(rows[:, 0], minlength=len(cells)) >= 3) & (cells.dimensions == 2))


def _bridged(surface: Mesh, listed: Sides) -> np.ndarray:
    """(m, 3) unit normals; slivers have that of the facet across their longest edge, as if it were turned like them."""
    normals, m = facet_normals(surface), len(surface.cells)
    length = np.linalg.norm(surface.points[listed.corners[:, 1]] - surface.points[listed.corners[:, 0]], axis=1)
    order = np.lexsort((length, listed.owner))
    longest = np.full(m, -1)
    longest[listed.owner[order]] = order  # the last one of each facet stays
    flat = np.flatnonzero((longest >= 0) & (np.linalg.norm(area_vectors(surface), axis=1) <= _SLIVER * length[longest] ** 2))
    normals[flat] = 0.0
    across = np.full(len(listed.owner), -1)
    one, two = listed.pairs()
    across[one], across[two] = two, one
    left = flat[across[longest[flat]] >= 0]
    while len(left):
        here = longest[left]
        there = across[here]
        found = normals[listed.owner[there]]
        turned = listed.corners[here, 0] == listed.corners[there, 0]
        normals[left] = np.where(turned[:, None], -found, found)
        open_ = np.abs(found).sum(axis=1) == 0
        if open_.all():  # slivers that lean on each other
            break
        left = left[open_]
    return normals


def _chained(corners: np.ndarray, kind: np.ndarray) -> list[FeatureLine]:
    """Every edge in one line: first from corner to corner, then the closed ones that are left."""
    at: dict[int, list[int]] = {}
    for number, (a, b) in enumerate(corners.tolist()):
        at.setdefault(a, []).append(number)
        at.setdefault(b, []).append(number)
    ends = {point for point, own in at.items() if len(own) != 2 or kind[own[0]] != kind[own[1]]}
    used = np.zeros(len(corners), dtype=bool)
    lines = []

    def follow(number: int, start: int) -> None:
        walk = [start]
        while True:
            used[number] = True
            a, b = corners[number].tolist()
            walk.append(b if walk[-1] == a else a)
            here = walk[-1]
            ahead = [] if here in ends else [other for other in at[here] if not used[other]]
            if not ahead:
                break
            number = ahead[0]
        closed = walk[0] == walk[-1]
        lines.append(FeatureLine(np.array(walk[:-1] if closed else walk), closed))

    for point in sorted(ends):
        for number in at[point]:
            if not used[number]:
                follow(number, point)
    for number in range(len(corners)):
        if not used[number]:
            follow(number, int(corners[number, 0]))
    return lines
