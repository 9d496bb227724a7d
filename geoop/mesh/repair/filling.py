"""Small holes of surfaces closed by triangles, small gaps of outlines by a segment."""

from __future__ import annotations

import numpy as np

from ..cells import Cells
from ..holes import Hole, holes, open_edges
from ..orientation import reversed_cells
from ..topology import Sides, edges, ends
from .draft import Draft
from .rim import rim_triangles

#: Patch of the facets that close a hole between several patches.
FILLING = "closed_holes"


def turned(draft: Draft, which: np.ndarray) -> Draft:
    """With the marked cells (m,) running the other way."""
    return draft.with_cells(reversed_cells(draft.cells, which), np.arange(len(draft.cells)))


def without_small_holes(draft: Draft, share: float) -> Draft:
    """Every opening closed whose extent is at most ``share`` of the size (diagonal of the bounding box) of its part of the surface.

    New facets join every patch that has all facets around them; where none has, the patch :data:`FILLING`. A rim that cannot
    be covered without a facet that is there already, or without area, stays open.
    """
    mesh = draft.mesh
    same = np.arange(len(mesh.points))
    found = holes(mesh, same)
    if not found:
        return draft
    small = [hole for hole in found if hole.share <= share]
    listed = (ends if mesh.dimension == 2 else edges)(draft.cells, same)
    close = _Segments(draft, listed) if mesh.dimension == 2 else _Triangles(draft, listed)
    pieces, joins, n = [draft.cells], {}, len(draft.cells)
    for hole in small:
        new = close.cells(hole)
        if new is None:
            continue
        pieces.append(new)
        for patch in _patches_of(draft, close.neighbours(hole)):
            joins.setdefault(patch, []).append(np.arange(n, n + len(new)))
        n += len(new)
    if len(pieces) == 1:
        return draft
    source = np.concatenate([np.arange(len(draft.cells)), np.full(n - len(draft.cells), -1)])
    after = draft.with_cells(Cells.concatenate(pieces), source, {name: np.concatenate(index) for name, index in joins.items()})
    return after.counted(
        holes=len(pieces) - 1, filled=n - len(draft.cells), **{f"patch {name}": sum(map(len, index)) for name, index in joins.items()}
    )


def _patches_of(draft: Draft, around: np.ndarray) -> list[str]:
    """The patches that new facets between the given cells belong to: those that have all of these; none if no patch consists of cells."""
    holding = [name for name, index in draft.members.items() if np.isin(around, index).all()]
    return holding or ([FILLING] if any(len(index) for index in draft.members.values()) else [])


class _Segments:
    """Closes a gap between two loose ends by a line cell."""

    def __init__(self, draft: Draft, listed: Sides) -> None:
        loose = np.flatnonzero(listed.counts[listed.group] == 1)
        self.owner = {int(listed.corners[row, 0]): int(listed.owner[row]) for row in loose}
        self.begins = {int(listed.corners[row, 0]): row % 2 == 0 for row in loose}  # ends are listed begin, end, begin, end, ...

    def neighbours(self, hole: Hole) -> np.ndarray:
        return np.array([self.owner[int(point)] for point in hole.points])

    def cells(self, hole: Hole) -> Cells:
        a, b = (int(point) for point in hole.points)
        return Cells.of(line=np.array([[b, a] if self.begins[a] else [a, b]]))


class _Triangles:
    """Closes a rim by triangles that run the way of their neighbours, and knows which edges and triangles exist."""

    def __init__(self, draft: Draft, listed: Sides) -> None:
        self.points, self.n = draft.original.points, len(draft.original.points)
        single = open_edges(listed)
        self.runs = set((single[:, 0] * self.n + single[:, 1]).tolist())
        rows = np.flatnonzero(listed.counts[listed.group] == 1)
        low, high = np.sort(listed.corners[rows], axis=1).T
        self.owner = dict(zip((low * self.n + high).tolist(), listed.owner[rows].tolist(), strict=True))
        rim = np.zeros(self.n, dtype=bool)
        rim[single] = True
        self.beside: dict[int, set[int]] = {}  # points of rims that an edge joins
        self._join(listed.corners[rim[listed.corners].all(axis=1)])
        three = np.flatnonzero((np.diff(draft.cells.offsets) == 3) & (draft.cells.dimensions == 2))  # polygons of three corners too
        triangles = np.sort(draft.cells.connectivity[draft.cells.offsets[:-1][three][:, None] + np.arange(3)], axis=1)
        self.triangles = set(map(tuple, triangles[rim[triangles].all(axis=1)].tolist()))

    def neighbours(self, hole: Hole) -> np.ndarray:
        low, high = np.sort(np.stack([hole.points, np.roll(hole.points, -1)]), axis=0)
        return np.array([self.owner[key] for key in (low * self.n + high).tolist() if key in self.owner])

    def cells(self, hole: Hole) -> Cells | None:
        """The new facets; None if the hole has to stay open. What they use counts as taken for the next hole."""
        if not hole.closed or len(hole.points) < 3:
            return None
        along = np.array([a * self.n + b in self.runs for a, b in zip(hole.points.tolist(), np.roll(hole.points, -1).tolist(), strict=True)])
        ring = hole.points[::-1] if along.mean() >= 0.5 else hole.points
        found = rim_triangles(self.points[ring], self._taken(ring))
        if found is None:
            return None
        triangles = ring[found]
        keys = [tuple(sorted(row)) for row in triangles.tolist()]
        if any(key in self.triangles for key in keys):
            return None
        self.triangles.update(keys)
        self._join(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]))
        return Cells.of(triangle=triangles)

    def _join(self, pairs: np.ndarray) -> None:
        for a, b in pairs.tolist():
            self.beside.setdefault(a, set()).add(b)
            self.beside.setdefault(b, set()).add(a)

    def _taken(self, ring: np.ndarray) -> set[tuple[int, int]]:
        """Positions (lower first) in the rim of the ends of edges that exist."""
        place = {point: k for k, point in enumerate(ring.tolist())}
        return {(k, place[other]) for point, k in place.items() for other in self.beside.get(point, ()) if place.get(other, -1) > k}
