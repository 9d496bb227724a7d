"""A region cut into overlapping parts, for Schwarz methods."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import Literal

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from ..errors import ConfigurationError, MissingDependencyError
from ..mesh.mesh import Mesh
from ..mesh.topology import row_groups
from .part_shapes import Lookup, Region, Rim, Stars, as_ones, components, counted, expanded, family, pairs_of, pieces, several

#: How cells are dealt out: recursive coordinate bisection, or METIS on the graph of cells that share a facet.
Method = Literal["bisection", "metis"]

LAYERS = 2
#: A piece with fewer cells than this share of the mean part is a crumb.
_CRUMB = 0.5
#: Coordinates that differ by less than this share of the extent count as equal.
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Partition:
    """Parts of a region: who owns every cell, and the cells of every part with the overlap.

    Attributes:
        owner: (n_cells,) number of the part that owns every cell of the mesh; -1 for cells of lower dimension.
        cells: per part (k,) numbers of its cells, ascending, overlap included. Every part is in one piece through facets.
        points: per part (m,) numbers of the points of its cells, ascending.
        asked: how many parts were asked for. There are more where the region itself is in more pieces or a part would have been, and fewer where small
            pieces went to a neighbour: :attr:`note` says so.
        overlap: layers of cells that every part was extended by; where it was a distance, about as many (the distance by the mean edge).
        distance: [m] that every part was extended by; None where it was by layers.
        meets: (p, p) ones where two parts share a point, the diagonal left out.
    """

    owner: np.ndarray
    cells: tuple[np.ndarray, ...]
    points: tuple[np.ndarray, ...]
    asked: int
    overlap: int
    distance: float | None
    meets: sparse.csr_array

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def note(self) -> str:
        """What became of the number of parts, in a sentence; empty where it is what was asked for."""
        if len(self) == self.asked:
            return ""
        return (
            f"{len(self)} parts instead of {self.asked}: pieces that no facet connects are parts of their own, "
            f"those below {_CRUMB:.0%} of the mean size go to a neighbour"
        )

    @property
    def sizes(self) -> np.ndarray:
        """(p,) how many cells every part owns."""
        return np.bincount(self.owner[self.owner >= 0], minlength=len(self))

    @cached_property
    def colours(self) -> tuple[np.ndarray, ...]:
        """Numbers of parts, ascending, colour by colour: parts of one colour share neither cells nor points and can be solved at once.

        Greedy, the part with most neighbours first (Welsh and Powell, Comput. J. 10, 1967): at most one colour more than that.
        """
        colour = np.full(len(self), -1, dtype=np.int64)
        start, near = self.meets.indptr, self.meets.indices
        for part in np.argsort(-np.diff(start), kind="stable"):
            taken = np.unique(colour[near[start[part] : start[part + 1]]])
            taken = taken[taken >= 0]
            gap = np.flatnonzero(taken != np.arange(len(taken)))
            colour[part] = gap[0] if len(gap) else len(taken)
        return tuple(np.flatnonzero(colour == number) for number in range(int(colour.max()) + 1))


def partition(mesh: Mesh, parts: int = 12, *, overlap: int = LAYERS, distance: float | None = None, method: Method = "bisection") -> Partition:
    """Cut a region into overlapping parts of about equally many cells.

    Cells are dealt out first. What a part got is split into pieces connected through facets; those below half the mean part go to the neighbour with
    which they share most facets, every other one is a part. Parts are extended, by layers of cells that share a point with them or by all cells with a
    point within a distance of their own points. Cells that the part reaches only across a corner or a slit, not through facets, are left out again.
    Where the boundary of a part touches itself, the cells around are added, unless the region's own boundary does so there. The same mesh gives the
    same parts.

    Args:
        mesh: cells that fill a region: triangles, quads, polygons in the plane, volume cells in space, in any mixture. Cells of lower dimension are
            ignored. Points are told apart by their numbers.
        parts: how many; :attr:`Partition.asked` says when there are others.
        overlap: layers of cells, 0 or more.
        distance: [m], in place of the layers, and ``overlap`` is left alone then; any, even 0, gives a layer at least, since neighbours share points.
        method: ``bisection`` cuts across the longest side of the box of the cells' centroids, again and again (M. J. Berger, S. H. Bokhari, IEEE Trans.
            Comput. C-36, 1987); ``metis`` cuts few facets (G. Karypis, V. Kumar, SIAM J. Sci. Comput. 20, 1998), better where the region is thin and
            bent.

    Raises:
        ConfigurationError: not between 1 and as many parts as cells, a negative overlap or distance, both of them, an unknown method.
        InvalidMeshError: the mesh fills no region, or facets belong to more than two cells.
        MissingDependencyError: ``metis`` without pymetis.
    """
    _require(overlap, distance, method)
    region = Region.of(mesh)
    _require_count(parts, len(region), mesh.name)
    owner = _bisected(region, _centroids(mesh, region), int(parts)) if method == "bisection" else _by_metis(region, int(parts))
    count = int(owner.max()) + 1
    own = family(owner, np.arange(len(region)), (count, len(region)))
    members = own
    if distance is None:
        for _ in range(overlap):
            members = as_ones((members @ region.points) @ region.stars)
    else:
        members = _within(mesh.points, region, own, distance)
        overlap = max(1, round(distance / _mean_edge(mesh, region)))
    members = unpinched(region, _reached(region, members, owner))
    of_part = as_ones(members @ region.points)
    whole = np.full(len(mesh.cells), -1, dtype=np.int64)
    whole[region.cells] = owner
    cells, points = _rows(members, region.cells), _rows(of_part, np.arange(len(mesh.points)))
    return Partition(_fixed(whole), cells, points, int(parts), int(overlap), distance, _meeting(of_part))


def _require(overlap: int, distance: float | None, method: str) -> None:
    if method not in ("bisection", "metis"):
        raise ConfigurationError(f"no method '{method}'", where="method", remedy="choose 'bisection' or 'metis'")
    if not _whole(overlap) or overlap < 0:
        raise ConfigurationError(f"{overlap} layers of overlap", where="overlap", remedy="take 0, 1, 2 ... layers of cells")
    if distance is not None and not (np.isfinite(distance) and distance >= 0):
        raise ConfigurationError(f"parts cannot be extended by {distance} m", where="distance", remedy="take a length in metres, 0 or more")
    if distance is not None and overlap != LAYERS:
        raise ConfigurationError(f"overlap={overlap} layers and distance={distance} m, both", where="partition", remedy="give one of them")
    if method == "metis" and find_spec("pymetis") is None:
        raise MissingDependencyError(
            "'metis' needs pymetis", where="method", remedy="pip install pymetis (the extra 'metis' of geoop), or take 'bisection'"
        )


def _whole(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _require_count(parts: int, cells: int, name: str) -> None:
    if not _whole(parts) or not 1 <= parts <= cells:
        raise ConfigurationError(f"{cells} cells cannot be cut into {parts} parts", where=name, remedy=f"ask for 1 to {cells} parts")


def _centroids(mesh: Mesh, region: Region) -> np.ndarray:
    """(m, d) mean of the points of every cell."""
    return (region.points @ mesh.points) / np.diff(region.points.indptr)[:, None]


def _mean_edge(mesh: Mesh, region: Region) -> float:
    return float(np.linalg.norm(mesh.points[region.facets[:, 1]] - mesh.points[region.facets[:, 0]], axis=1).mean())


# ---- who owns what


def _bisected(region: Region, centroids: np.ndarray, parts: int) -> np.ndarray:
    """(m,) owners by recursive coordinate bisection. Boxes are repaired after every round of cuts, not only at the end: where a region is thin and
    bent, a cut leaves slivers along it, which would be cut on and on."""
    mean = len(centroids) / parts
    owner = _in_one_piece(region, np.zeros(len(centroids), dtype=np.int64), mean)
    for _ in range(2 * parts.bit_length() + 2):
        size = np.bincount(owner)
        count = _allotted(size, parts)
        order, start = np.argsort(owner, kind="stable"), np.cumsum(size) - size
        above = np.zeros(len(centroids), dtype=bool)
        for box in np.flatnonzero(count > 1):
            index = order[start[box] : start[box] + size[box]]
            above[index] = ~_lowest(centroids[index], size[box] * (count[box] // 2) // count[box])
        before, owner = owner, _in_one_piece(region, 2 * owner + above, mean)
        if np.array_equal(before, owner):
            break
    return owner


def _allotted(size: np.ndarray, parts: int) -> np.ndarray:
    """(c,) how many parts every box is cut into: by its number of cells, one at least, the largest remainders first."""
    share = size * (parts / size.sum())
    count = np.maximum(1, np.floor(share + _SAME)).astype(np.int64)
    left = max(0, parts - int(count.sum()))
    count[np.argsort(count - share, kind="stable")[:left]] += 1
    return count


def _lowest(centroids: np.ndarray, rank: int) -> np.ndarray:
    """(k,) the ``rank`` lowest along the longest side; where several lie at the cut, the lowest along the other sides."""
    extent = np.ptp(centroids, axis=0)
    axis = int(np.argmax(extent))
    x = centroids[:, axis]
    cut = np.partition(x, rank - 1)[rank - 1]
    low, at = x < cut - _SAME * extent[axis], np.abs(x - cut) <= _SAME * extent[axis]
    others = np.round(np.delete(centroids[at], axis, axis=1) / (_SAME * max(extent[axis], 1e-300)))
    ties = np.flatnonzero(at)[np.lexsort(others.T)]
    low[ties[: rank - int(low.sum())]] = True
    return low


def _by_metis(region: Region, parts: int) -> np.ndarray:
    """(m,) owners by METIS, recursively, on the graph of cells that share a facet."""
    import pymetis

    a, b = region.across[region.across[:, 1] >= 0].T
    near = family(np.concatenate([a, b]), np.concatenate([b, a]), (len(region), len(region)))
    graph = pymetis.CSRAdjacency(near.indptr.astype(np.int32), near.indices.astype(np.int32))
    # k-way is faster, but leaves parts of a few cells in pieces
    found = pymetis.part_graph(parts, graph, recursive=True, options=pymetis.Options(seed=1))
    return _in_one_piece(region, np.asarray(found.vertex_part, dtype=np.int64), len(region) / parts)


def _in_one_piece(region: Region, dealt: np.ndarray, mean: float) -> np.ndarray:
    """(m,) owners, numbered through, so that what each owns is connected through facets; crumbs are with a neighbour."""
    a, b = region.across[region.across[:, 1] >= 0].T
    alike = dealt[a] == dealt[b]
    piece = components(len(region), a[alike], b[alike])
    size, label = np.bincount(piece), dealt[np.unique(piece, return_index=True)[1]]
    if (size < _CRUMB * mean).any():
        piece = _without_crumbs(size, np.stack([piece[a[~alike]], piece[b[~alike]]]), _CRUMB * mean)[piece]
    kept, piece = np.unique(piece, return_inverse=True)
    rank = np.empty(len(kept), dtype=np.int64)
    rank[np.argsort(label[kept], kind="stable")] = np.arange(len(kept))
    return rank[piece]


def _without_crumbs(size: np.ndarray, links: np.ndarray, smallest: float) -> np.ndarray:
    """(c,) the piece that every piece becomes part of, the smallest first: the neighbour with which it shares most facets, the lowest of several."""
    count = len(size)
    shared = sparse.coo_array(
        (np.ones(2 * links.shape[1], np.int64), (np.r_[links[0], links[1]], np.r_[links[1], links[0]])), shape=(count, count)
    ).tocsr()
    near = [
        dict(zip(shared.indices[i:j].tolist(), shared.data[i:j].tolist(), strict=True))
        for i, j in zip(shared.indptr[:-1], shared.indptr[1:], strict=True)
    ]
    size, into = size.tolist(), np.arange(count)
    crumbs = [(size[k], k) for k in range(count) if size[k] < smallest]
    heapq.heapify(crumbs)
    while crumbs:
        cells, k = heapq.heappop(crumbs)
        if into[k] != k or cells != size[k] or not near[k]:  # gone, grown since, or alone
            continue
        best = max(near[k], key=lambda j: (near[k][j], -j))
        for j, facets in near[k].items():
            del near[j][k]
            if j != best:
                near[j][best] = near[best][j] = near[best].get(j, 0) + facets
        near[k], into[k], size[best] = {}, best, size[best] + size[k]
        if size[best] < smallest:
            heapq.heappush(crumbs, (size[best], best))
    while (into != into[into]).any():
        into = into[into]
    return into


# ---- the overlap


def _within(points: np.ndarray, region: Region, own: sparse.csr_array, distance: float) -> sparse.csr_array:
    """Per part all cells with a point within the distance of a point of its own."""
    of_part = as_ones(own @ region.points)
    along = int(np.argmax(np.ptp(points, axis=0)))
    order = np.flatnonzero(np.diff(region.stars.indptr))
    order = order[np.argsort(points[order, along], kind="stable")]
    x = points[order, along]
    near_part, near_point = [], []
    for part in range(own.shape[0]):
        mine = of_part.indices[of_part.indptr[part] : of_part.indptr[part + 1]]
        low, high = points[mine].min(axis=0) - distance, points[mine].max(axis=0) + distance
        slab = order[np.searchsorted(x, low[along]) : np.searchsorted(x, high[along], side="right")]
        slab = slab[((points[slab] >= low) & (points[slab] <= high)).all(axis=1)]
        off = cKDTree(points[mine]).query(points[slab])[0]
        near_point.append(slab[off <= distance])
        near_part.append(np.full(len(near_point[-1]), part))
    reached = family(np.concatenate(near_part), np.concatenate(near_point), of_part.shape)
    return as_ones(reached @ region.stars)


def _reached(region: Region, members: sparse.csr_array, owner: np.ndarray) -> sparse.csr_array:
    """The parts without the cells that no facets connect to the cells which the part owns."""
    part, cell = pairs_of(members)
    piece = pieces(region, members)
    mine = np.empty(members.shape[0], dtype=np.int64)
    owned = owner[cell] == part
    mine[part[owned]] = piece[owned]
    kept = piece == mine[part]
    return family(part[kept], cell[kept], members.shape)


def unpinched(region: Region, members: sparse.csr_array) -> sparse.csr_array:
    """The parts (p, m) with cells added round pinches of their boundaries until none is left, but those that the region itself has.

    At a pinch a part gets all cells that are connected round it to its own, through facets: parts in one piece stay in one piece.
    """
    pending = np.arange(members.shape[0])
    while len(pending):
        some = members[pending]
        rim = Rim.of_family(region, some)
        part, cell = _at_ridges(region, some, rim)
        if region.dimension == 3:
            more = _at_points(region, some, rim)
            part, cell = np.concatenate([part, more[0]]), np.concatenate([cell, more[1]])
        if not len(part):
            break
        old = pairs_of(members)
        members = family(np.concatenate([old[0], pending[part]]), np.concatenate([old[1], cell]), members.shape)
        pending = pending[np.unique(part)]
    return members


def _at_ridges(region: Region, members: sparse.csr_array, rim: Rim) -> tuple[np.ndarray, np.ndarray]:
    """(parts, cells) that fill the ridges at which one fan of the region's cells holds several fans of a part's cells."""
    part, ends = rim.crowded()
    star = Stars.of(region, ends)
    has = Lookup(members)(part[star.place], star.cell) >= 0
    whole, own = star.fans(), star.fans(has)
    return _filled(star, part, whole, has, several(whole[has], own[has], len(star.cell)))


def _at_points(region: Region, members: sparse.csr_array, rim: Rim) -> tuple[np.ndarray, np.ndarray]:
    """(parts, cells) that fill the points (3-D) round which the boundary of a part has several closed fans, and more than the region's own."""
    part, point, sheet, facet = rim.sheets()
    place = row_groups(np.column_stack([part, point]))
    kept = several(place, sheet, len(place))[place]
    part, point, sheet, facet = part[kept], point[kept], sheet[kept], facet[kept]
    _, first, place = np.unique(place[kept], return_index=True, return_inverse=True)
    part, point = part[first], point[first]
    star = Stars.of(region, np.repeat(point[:, None], 2, axis=1))
    has = Lookup(members)(part[star.place], star.cell) >= 0
    whole, n = star.fans(), len(star.cell)
    # both cells at a facet lie in the same fan of the region's cells
    rows = Lookup(family(star.place, star.cell, (len(part), len(region))))
    fan_of = np.full(len(rows.keys), -1)
    fan_of[rows(star.place, star.cell)] = whole
    sheets = counted(fan_of[rows(place, region.across[rim.facet[facet], 0])], sheet, n)
    sheet, cell, at_points = region.own_sheets
    place, row = expanded(at_points, point)
    given = counted(fan_of[rows(place, cell[row])], sheet[row], n)
    return _filled(star, part, whole, has, sheets > np.maximum(given, 1))


def _filled(star: Stars, part: np.ndarray, whole: np.ndarray, has: np.ndarray, flagged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    add = flagged[whole] & ~has
    return part[star.place[add]], star.cell[add]


def _meeting(of_part: sparse.csr_array) -> sparse.csr_array:
    """(p, p) ones where two different parts share a point."""
    part, other = pairs_of(as_ones(of_part @ of_part.T))
    different = part != other
    return family(part[different], other[different], (of_part.shape[0], of_part.shape[0]))


def _rows(members: sparse.csr_array, number: np.ndarray) -> tuple[np.ndarray, ...]:
    """Per row of a family the numbers of its entries, ascending."""
    return tuple(_fixed(number[row]) for row in np.split(members.indices, members.indptr[1:-1]))


def _fixed(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values
