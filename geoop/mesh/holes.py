"""Where a surface or an outline is open: loops of edges with one facet only, and pairs of loose ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csgraph
from scipy.spatial import KDTree

from ..errors import InvalidMeshError
from .cells import Cells
from .mesh import Mesh
from .topology import Sides, edges, ends, welded

#: Holes up to this share of the size of their part of the surface are closed by a repair unless another share is asked for.
MAX_HOLE = 0.1
_CRACK = 0.05  # of the median edge of the rim: points that face each other nearer than this were meant to be one


@dataclass(frozen=True, eq=False)
class Hole:
    """One opening.

    Attributes:
        points: (k,) point indices around it, the lowest of points at one place; in 2-D the two loose ends to be joined.
        closed: whether they run all the way round; False for a rim that ends at an edge of three facets, and in 2-D.
        center: (d,) mean of the points [m].
        length: along the rim [m]; in 2-D the gap between the ends.
        size: diagonal of its bounding box [m]: no gap in it is wider.
        share: size over that of the connected part of the surface that has it; of two parts the larger one counts.
    """

    points: np.ndarray
    closed: bool
    center: np.ndarray
    length: float
    size: float
    share: float


def connected_points(cells: Cells, n_points: int) -> np.ndarray:
    """(n_points,) number of the connected part that each point belongs to; cells that share a point are connected."""
    first = np.repeat(cells.connectivity[cells.offsets[:-1]], np.diff(cells.offsets)) if len(cells) else cells.connectivity
    graph = coo_array((np.ones(len(first)), (first, cells.connectivity)), shape=(n_points, n_points))
    return csgraph.connected_components(graph, directed=False)[1]


def holes(surface: Mesh, representative: np.ndarray | None = None) -> list[Hole]:
    """The openings of a surface in 3-D or of an outline in 2-D, largest first; none if it is closed.

    The rim runs the way of the facets that it borders, where they agree. Where rims touch in a point they are taken apart.

    Args:
        surface: facets in 3-D or line cells in 2-D.
        representative: (n,) the point that each point counts as; points at equal coordinates count as one unless given.

    Raises:
        InvalidMeshError: not a surface.
    """
    if not surface.is_surface:
        raise InvalidMeshError("only surfaces have holes", where=surface.name, remedy="pass a boundary: geoop.mesh.body.body(mesh)")
    merged = welded(surface.points) if representative is None else representative
    if surface.dimension == 2:
        rims = [(np.array(pair), False) for pair in _joined_ends(surface.points, ends(surface.cells, merged))]
    else:
        rims = _rims(open_edges(edges(surface.cells, merged)))
    if not rims:
        return []
    sizes = _part_sizes(surface.points, surface.cells.renumbered(merged))
    found = [_hole(surface.points, rim, closed, sizes) for rim, closed in rims]
    return sorted(found, key=lambda hole: -hole.size)


def open_edges(listed: Sides) -> np.ndarray:
    """(e, 2) begin and end of the edges with one facet only, as the facet runs; without edges of no length."""
    single = listed.corners[listed.counts[listed.group] == 1]
    return single[single[:, 0] != single[:, 1]]


def crack_width(surface: Mesh, found: list[Hole]) -> float | None:
    """The largest distance [m] between rim points that face each other across a crack; None where the openings are no cracks.

    A crack comes from rounding, or from parts that were meshed one by one: merging points within this distance closes it. At
    least half of the rim points face another one nearer than a small share of the median edge beside them.
    """
    if not found:
        return None
    index = np.unique(np.concatenate([hole.points for hole in found]))
    if surface.dimension == 2:
        line = surface.cells.offsets[:-1][surface.cells.dimensions == 1]
        step = np.linalg.norm(np.subtract(*(surface.points[surface.cells.connectivity[line + k]] for k in range(2))), axis=1)
    else:
        step = np.concatenate([np.linalg.norm(np.diff(surface.points[hole.points], axis=0), axis=1) for hole in found])
    distance = KDTree(surface.points[index]).query(surface.points[index], k=2)[0][:, 1]
    facing = distance <= _CRACK * np.median(step)
    return float(distance[facing].max()) if facing.mean() >= 0.5 else None


def _part_sizes(points: np.ndarray, cells: Cells) -> np.ndarray:
    """(n,) diagonal of the bounding box of the part that each point belongs to."""
    part, used = connected_points(cells, len(points)), cells.connectivity
    low, high = np.full((part.max() + 1, points.shape[1]), np.inf), np.full((part.max() + 1, points.shape[1]), -np.inf)
    np.minimum.at(low, part[used], points[used])
    np.maximum.at(high, part[used], points[used])
    return np.linalg.norm(np.where(np.isfinite(high), high - low, 0.0), axis=1)[part]


def _hole(points: np.ndarray, rim: np.ndarray, closed: bool, sizes: np.ndarray) -> Hole:
    x = points[rim]
    length = np.linalg.norm(np.diff(x, axis=0), axis=1).sum() + (np.linalg.norm(x[0] - x[-1]) if closed else 0.0)
    size, whole = float(np.linalg.norm(np.ptp(x, axis=0))), float(sizes[rim].max())
    return Hole(rim, closed, x.mean(axis=0), float(length), size, size / whole if whole else 0.0)


def _rims(single: np.ndarray) -> list[tuple[np.ndarray, bool]]:
    """Open edges put together to simple loops, and to chains where they do not close."""
    pairs = single.tolist()
    at: dict[int, list[int]] = {}
    for number, (_, b) in enumerate(pairs):  # edges that begin at a point are taken before those that end there
        at.setdefault(b, []).append(number)
    for number, (a, _) in enumerate(pairs):
        at.setdefault(a, []).append(number)
    free = [True] * len(pairs)
    odd = [node for node, numbers in at.items() if len(numbers) % 2]
    found: list[tuple[np.ndarray, bool]] = []
    for node in [*odd, *(a for a, _ in pairs)]:
        path, place = [node], {node: 0}
        while (number := _next(at[path[-1]], free)) is not None:
            free[number] = False
            a, b = pairs[number]
            onward = b if path[-1] == a else a
            if onward in place:
                first = place[onward]
                found.append((np.array(path[first:]), True))
                for passed in path[first + 1 :]:
                    del place[passed]
                del path[first + 1 :]
            else:
                place[onward] = len(path)
                path.append(onward)
        if len(path) > 1:
            found.append((np.array(path), False))
    return found


def _next(numbers: list[int], free: list[bool]) -> int | None:
    while numbers:
        number = numbers.pop()
        if free[number]:
            return number
    return None


def _joined_ends(points: np.ndarray, listed: Sides) -> list[tuple[int, int]]:
    """Loose ends in pairs: nearest pairs first, never both ends of one segment."""
    loose = np.flatnonzero(listed.counts[listed.group] == 1)
    left, owner = listed.corners[loose, 0], listed.owner[loose]
    found: list[tuple[int, int]] = []
    while len(left) > 1:
        k = min(3, len(left))
        distance, near = (item.reshape(len(left), k) for item in KDTree(points[left]).query(points[left], k=k))
        allowed = (near != np.arange(len(left))[:, None]) & (owner[near] != owner[:, None])
        choice = np.argmax(allowed, axis=1)
        partner = np.where(allowed.any(axis=1), near[np.arange(len(left)), choice], -1)
        mutual = (partner >= 0) & (partner[partner] == np.arange(len(left))) & (partner > np.arange(len(left)))
        if not mutual.any():
            reach = np.where(allowed.any(axis=1), distance[np.arange(len(left)), choice], np.inf)
            if not np.isfinite(reach).any():
                break
            first = int(np.argmin(reach))
            chosen = [(first, int(partner[first]))]
        else:
            chosen = [(int(i), int(partner[i])) for i in np.flatnonzero(mutual)]
        found += [(int(left[a]), int(left[b])) for a, b in chosen]
        kept = np.ones(len(left), dtype=bool)
        kept[[i for pair in chosen for i in pair]] = False
        left, owner = left[kept], owner[kept]
    return found
