"""Chains of line cells: which points follow each other along an outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InvalidMeshError
from .mesh import Mesh
from .topology import welded


@dataclass(frozen=True, eq=False)
class Loop:
    """A chain of line cells.

    Attributes:
        points: (k,) point indices in order; the first is not repeated at the end of a closed loop.
        closed: whether the last point joins the first.
        cells: (k,) or (k - 1,) indices of the cells along the way.
        forward: for each of those cells, whether it runs along with the loop.
    """

    points: np.ndarray
    closed: bool
    cells: np.ndarray
    forward: np.ndarray


def loops(outline: Mesh) -> list[Loop]:
    """Chains of the line cells, longest (most points) first, whatever their order and direction in the file.

    Points at exactly equal coordinates count as one, so that a repeated first point closes a loop; cells between two such
    points are left out. A chain runs the way most of its cells do. Where several chains touch, each goes straight on.

    Raises:
        InvalidMeshError: there are no line cells.
    """
    index = np.flatnonzero(outline.cells.dimensions == 1)
    if not len(index):
        raise InvalidMeshError("the mesh has no line cells", where=outline.name, remedy="pass an outline, e.g. geoop.mesh.body.body(mesh)")
    starts = outline.cells.offsets[:-1][index]
    representative = welded(outline.points)
    ends = representative[outline.cells.connectivity[np.stack([starts, starts + 1], axis=1)]]
    kept = ends[:, 0] != ends[:, 1]
    index, ends = index[kept], ends[kept]
    walk = _Walk(outline.points, ends)
    found = [_loop(chain, index, ends, representative) for chain in walk.chains()]
    return sorted(found, key=lambda loop: -len(loop.points))


class _Walk:
    """Cuts an undirected graph of segments into chains that use every segment once."""

    def __init__(self, points: np.ndarray, ends: np.ndarray) -> None:
        self.points, self.ends = points, ends.tolist()
        self.at: dict[int, list[int]] = {}
        for number, (a, b) in enumerate(self.ends):
            self.at.setdefault(a, []).append(number)
            self.at.setdefault(b, []).append(number)
        self.used = [False] * len(self.ends)

    def chains(self) -> list[list[tuple[int, int, int]]]:
        """Chains of (segment, from, to): the open ones from their ends first, then the closed ones."""
        odd = [node for node, segments in self.at.items() if len(segments) % 2]
        found = []
        for node in odd:
            for segment in self.at[node]:
                if not self.used[segment]:
                    found.append(self._follow(segment, node))
        for segment, (a, _) in enumerate(self.ends):
            if not self.used[segment]:
                found.append(self._follow(segment, a))
        return found

    def _follow(self, segment: int, node: int) -> list[tuple[int, int, int]]:
        first, chain = node, []
        while True:
            self.used[segment] = True
            a, b = self.ends[segment]
            before, node = node, b if node == a else a
            chain.append((segment, before, node))
            free = [s for s in self.at[node] if not self.used[s]]
            if node == first or not free or len(self.at[node]) % 2:
                return chain
            segment = free[0] if len(free) == 1 else self._straightest(free, before, node)

    def _straightest(self, free: list[int], before: int, node: int) -> int:
        incoming = self.points[node] - self.points[before]
        ahead = [self.points[a if b == node else b] - self.points[node] for a, b in (self.ends[s] for s in free)]
        cosines = [incoming @ step / max(np.linalg.norm(step), 1e-300) for step in ahead]
        return free[int(np.argmax(cosines))]


def _loop(chain: list[tuple[int, int, int]], index: np.ndarray, ends: np.ndarray, representative: np.ndarray) -> Loop:
    steps = np.array(chain)
    forward = ends[steps[:, 0], 0] == steps[:, 1]
    closed = bool(steps[0, 1] == steps[-1, 2]) and len(steps) > 2
    if forward.mean() < 0.5:
        steps = steps[::-1][:, [0, 2, 1]]
        forward = ~forward[::-1]
    points = steps[:, 1] if closed else np.append(steps[:, 1], steps[-1, 2])
    if closed:  # begin where the file begins
        first = int(np.argmin(steps[:, 0])) if forward.all() else int(np.argmin(points))
        steps, forward, points = (np.roll(item, -first, axis=0) for item in (steps, forward, points))
    return Loop(points, closed, index[steps[:, 0]], forward)


def signed_area(ring: np.ndarray) -> float:
    """Area inside a closed ring of (k, 2) points, positive counter-clockwise."""
    x, y = (ring - ring[0]).T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
