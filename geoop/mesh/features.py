"""Feature edges of a surface: where it is sharp, where it ends, where more than two facets meet; chained into lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ConfigurationError, InvalidMeshError
from .measure import facet_normals
from .mesh import Mesh
from .topology import edges, welded

#: What makes an edge a feature, in the order of :attr:`FeatureEdges.kind`.
KINDS = ("sharp", "boundary", "non-manifold")


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
        lines: the edges in chains that run from corner to corner or close; in a corner one, three or more edges meet, or kinds change.
    """

    corners: np.ndarray
    kind: np.ndarray
    angle: np.ndarray
    lines: tuple[FeatureLine, ...]

    def of_kind(self, name: str) -> np.ndarray:
        """(k, 2) edges of one of :data:`KINDS`."""
        return self.corners[self.kind == KINDS.index(name)]


def feature_edges(surface: Mesh, angle: float = 30.0) -> FeatureEdges:
    """Edges at which the facets' normals differ by more than an angle, edges of one facet, and edges of more than two.

    Points at exactly equal coordinates count as one, so the facets of an STL file are neighbours. How the facets are turned
    does not matter.

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
    listed = edges(surface.cells, welded(surface.points))
    turn = np.full(len(listed.counts), np.nan)
    one, two = listed.pairs()
    normals = facet_normals(surface)
    a, b = normals[listed.owner[one]], normals[listed.owner[two]]
    b = np.where((listed.corners[one, 0] == listed.corners[two, 0])[:, None], -b, b)  # one of the two is turned the other way
    sound = (np.abs(a).sum(axis=1) > 0) & (np.abs(b).sum(axis=1) > 0)
    between = np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), (a * b).sum(axis=1)))
    turn[listed.group[one]] = np.where(sound, between, 0.0)  # a facet without area has no normal to differ
    first = np.zeros(len(listed.counts), dtype=np.int64)
    first[listed.group[::-1]] = np.arange(len(listed.group))[::-1]
    corners = np.sort(listed.corners[first], axis=1) if len(first) else np.zeros((0, 2), dtype=np.int64)
    kind = np.where(listed.counts == 1, 1, np.where(listed.counts > 2, 2, 0))
    chosen = ((kind > 0) | (turn > angle)) & (corners[:, 0] != corners[:, 1])
    corners, kind = corners[chosen], kind[chosen]
    return FeatureEdges(corners, kind, turn[chosen], tuple(_chained(corners, kind)))


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
