"""Parts of a region that is filled with cells: what bounds them, where their boundary is pinched, and how to mend it.

A part is a set of cells. Its boundary are the facets that exactly one of its cells has. The boundary is pinched where it touches itself: in 2-D at a
point with more than two boundary edges; in 3-D at an edge with more than two boundary facets, or at a point whose boundary facets form more than one
closed fan. Points are told apart by their numbers, as finite elements do it: two sides of a crack with points of their own do not touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ..errors import InvalidMeshError
from ..mesh.mesh import Mesh
from ..mesh.topology import row_groups, sides


@dataclass(frozen=True, eq=False)
class Region:
    """The cells of highest dimension of a mesh, numbered 0..m-1 in its order, and what they share.

    Attributes:
        dimension: of the cells, 2 or 3.
        cells: (m,) their numbers in the mesh.
        points: (m, n) ones at the points of every cell.
        sides: (m, g) ones at the facets of every cell.
        facets: (g, k) corners in order round the facet, -1 where a facet has fewer.
        across: (g, 2) the cells at a facet; the second is -1 on the region's boundary.
    """

    dimension: int
    cells: np.ndarray
    points: sparse.csr_array
    sides: sparse.csr_array
    facets: np.ndarray
    across: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh) -> Region:
        """The region that a mesh fills.

        Raises:
            InvalidMeshError: a cloud, an outline or a surface fills nothing; or more than two cells share a facet.
        """
        dimension = mesh.cell_dimension
        if dimension != mesh.dimension:
            raise InvalidMeshError(
                f"cells of dimension {dimension} fill no region of {mesh.dimension}-D space",
                where=mesh.name,
                remedy="mesh the inside first: geoop.mesh.generate.triangles.mesh_inside or geoop.mesh.generate.tetrahedra.mesh_solid",
            )
        listed = sides(mesh, np.arange(len(mesh.points)))
        if (listed.counts > 2).any():
            raise InvalidMeshError(
                f"{int((listed.counts > 2).sum())} facets belong to more than two cells, which then overlap",
                where=mesh.name,
                remedy="look for repeated cells with `geoop inspect FILE`",
            )
        cells = np.flatnonzero(mesh.cells.dimensions == dimension)
        number = np.full(len(mesh.cells), -1, dtype=np.int64)
        number[cells] = np.arange(len(cells))
        own = mesh.cells.take(cells)
        points = sparse.csr_array((np.ones(len(own.connectivity), np.int32), own.connectivity, own.offsets), shape=(len(cells), len(mesh.points)))
        order = np.argsort(listed.group, kind="stable")
        first = np.concatenate([[0], np.cumsum(listed.counts)])[:-1]
        owner = number[listed.owner]
        across = np.full((len(first), 2), -1, dtype=np.int64)
        across[:, 0] = owner[order[first]]
        shared = listed.counts == 2
        across[shared, 1] = owner[order[first[shared] + 1]]
        at_facets = sparse.csr_array((np.ones(len(owner), np.int32), (owner, listed.group)), shape=(len(cells), len(first)))
        return cls(dimension, cells, points, at_facets, listed.corners[order[first]], across)

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def stars(self) -> sparse.csr_array:
        """(n, m) ones at the cells of every point."""
        return self.points.T.tocsr()

    @cached_property
    def own_sheets(self) -> tuple[np.ndarray, np.ndarray, sparse.csr_array]:
        """(fan, cell) of every corner of the region's boundary facets, see :meth:`Rim.sheets`, and (n, b) where each point's are among them."""
        rim = Rim.of_family(self, sparse.csr_array(np.ones((1, len(self)), np.int32)))
        _, point, sheet, facet = rim.sheets()
        return sheet, self.across[rim.facet[facet], 0], family(point, np.arange(len(point)), (self.points.shape[1], len(point)))

    def number_of(self, cells: np.ndarray, n_cells: int) -> np.ndarray:
        """Numbers within the region of cells that are given by their numbers in the mesh; -1 for cells of lower dimension."""
        number = np.full(n_cells, -1, dtype=np.int64)
        number[self.cells] = np.arange(len(self.cells))
        return number[cells]


def family(part: np.ndarray, cell: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """(p, m) sets of cells as ones in a sparse matrix, from pairs that may repeat."""
    matrix = sparse.coo_array((np.ones(len(part), np.int32), (part, cell)), shape=shape).tocsr()
    return as_ones(matrix)


def as_ones(matrix: sparse.csr_array) -> sparse.csr_array:
    """The pattern of a sparse matrix of counts: ones, columns ascending."""
    matrix.sum_duplicates()
    matrix.data = np.ones(matrix.nnz, np.int32)
    return matrix


def pairs_of(members: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Rows (q,) and columns (q,) of the entries, in order."""
    return np.repeat(np.arange(members.shape[0]), np.diff(members.indptr)), members.indices.astype(np.int64)


class Lookup:
    """Where a pair (part, cell) stands among the entries of a family."""

    def __init__(self, members: sparse.csr_array) -> None:
        part, cell = pairs_of(members)
        self.width = members.shape[1]
        self.keys = part * self.width + cell

    def __call__(self, part: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """(q,) row of every pair, -1 where the part does not have the cell."""
        if not len(self.keys):
            return np.full(len(part), -1, dtype=np.int64)
        key = part * self.width + cell
        row = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        return np.where(self.keys[row] == key, row, -1)


def components(n: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n,) number of the component of every node of the graph with edges a-b, in order of their first nodes."""
    graph = sparse.coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    return csgraph.connected_components(graph.tocsr(), directed=False)[1].astype(np.int64)


def pieces(region: Region, members: sparse.csr_array) -> np.ndarray:
    """(q,) for every entry of a family the number of the piece of its part, pieces being connected through facets; no two parts share a number."""
    count = (members @ region.sides).tocoo()
    inside = count.data == 2
    part, ends = count.row[inside].astype(np.int64), region.across[count.col[inside]]
    find = Lookup(members)
    return components(members.nnz, find(part, ends[:, 0]), find(part, ends[:, 1]))


@dataclass(frozen=True, eq=False)
class Rim:
    """Boundaries of all parts of a family.

    Attributes:
        part: (b,) part of every boundary facet.
        facet: (b,) its number in the region.
        of: (r,) entry of ``facet`` that each of its ridges (points in 2-D, edges in 3-D) belongs to.
        ends: (r, 2) end points of the ridge, ascending; twice the same in 2-D.
        group: (r,) number of the ridge: equal where it is the same ridge on the same part's boundary.
        counts: (h,) how many boundary facets have each of them.
    """

    part: np.ndarray
    facet: np.ndarray
    of: np.ndarray
    ends: np.ndarray
    group: np.ndarray
    counts: np.ndarray

    @classmethod
    def of_family(cls, region: Region, members: sparse.csr_array) -> Rim:
        """The boundary of every part."""
        count = (members @ region.sides).tocoo()
        outer = count.data == 1
        part, facet = count.row[outer].astype(np.int64), count.col[outer].astype(np.int64)
        corners = region.facets[facet]
        if region.dimension == 2:
            ends = np.repeat(corners[:, :2].reshape(-1, 1), 2, axis=1)
            of = np.repeat(np.arange(len(facet)), 2)
        else:
            following = np.roll(corners, -1, axis=1)
            following = np.where(following < 0, corners[:, :1], following)
            of, slot = np.nonzero(corners >= 0)
            ends = np.sort(np.stack([corners[of, slot], following[of, slot]], axis=1), axis=1)
        group = row_groups(np.column_stack([part[of], ends]))
        return cls(part, facet, of, ends, group, np.bincount(group))

    def joined(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows (j,) and (j,) of the ridges that exactly two boundary facets share."""
        order = np.argsort(self.group, kind="stable")
        first = np.concatenate([[0], np.cumsum(self.counts)])[:-1][self.counts == 2]
        return order[first], order[first + 1]

    def crowded(self) -> tuple[np.ndarray, np.ndarray]:
        """(parts (c,), ridges (c, 2)) that more than two boundary facets share."""
        _, row = np.unique(self.group, return_index=True)
        row = row[self.counts > 2]
        return self.part[self.of[row]], self.ends[row]

    def sheets(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Closed fans of boundary facets round points, in 3-D: (part, point, fan, entry of ``facet``), a row per facet and corner."""
        facet = np.repeat(self.of, 2)
        point = self.ends.reshape(-1)
        # every facet has two ridges at each of its corners; the corner is one node for both
        node = row_groups(np.column_stack([facet, point]))
        a, b = self.joined()
        node_of = node.reshape(-1, 2)
        _, row = np.unique(node, return_index=True)
        label = components(len(row), node_of[a].reshape(-1), node_of[b].reshape(-1))
        return self.part[facet[row]], point[row], label, facet[row]


@dataclass(frozen=True, eq=False)
class Stars:
    """All cells round given places (points or edges).

    Attributes:
        place: (q,) number of the place.
        cell: (q,) a cell of it.
        joined: (2, j) rows of cells that share a facet which has the place.
    """

    place: np.ndarray
    cell: np.ndarray
    joined: np.ndarray

    @classmethod
    def of(cls, region: Region, ends: np.ndarray) -> Stars:
        """The cells at (c, 2) places, each the edge between two points or, where both are the same, a point."""
        star = region.stars
        place, cell = expanded(star, ends[:, 0])
        row, point = expanded(region.points, cell)
        has = np.zeros(len(cell), dtype=bool)
        has[row[point == ends[place[row], 1]]] = True
        place, cell = place[has], cell[has]
        row, facet = expanded(region.sides, cell)
        corners, wanted = region.facets[facet], ends[place[row]]
        through = (corners == wanted[:, :1]).any(axis=1) & (corners == wanted[:, 1:]).any(axis=1)
        row, facet = row[through], facet[through]
        group = row_groups(np.column_stack([place[row], facet]))
        order = np.argsort(group, kind="stable")
        same = np.flatnonzero(np.diff(group[order]) == 0)
        return cls(place, cell, np.stack([row[order[same]], row[order[same + 1]]]))

    def fans(self, allowed: np.ndarray | None = None) -> np.ndarray:
        """(q,) number of the fan of every row: cells connected through facets that have the place. Only rows that are allowed connect."""
        a, b = self.joined
        if allowed is not None:
            kept = allowed[a] & allowed[b]
            a, b = a[kept], b[kept]
        return components(len(self.cell), a, b)


def several(group: np.ndarray, label: np.ndarray, n: int) -> np.ndarray:
    """(n,) whether a group has more than one label."""
    return counted(group, label, n) > 1


def counted(group: np.ndarray, label: np.ndarray, n: int) -> np.ndarray:
    """(n,) how many different labels every group has."""
    pair = family(group, label, (n, int(label.max(initial=0)) + 1))
    return np.diff(pair.indptr)


def expanded(matrix: sparse.csr_array, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns of chosen rows one behind the other, and for each the place of its row among the chosen."""
    sizes = np.diff(matrix.indptr)[rows].astype(np.int64)
    place = np.repeat(np.arange(len(rows)), sizes)
    first = np.repeat(matrix.indptr[rows].astype(np.int64) - (np.cumsum(sizes) - sizes), sizes)
    return place, matrix.indices[first + np.arange(len(place))].astype(np.int64)


@dataclass(frozen=True, eq=False)
class PartShape:
    """What bounds a part.

    Attributes:
        loops: closed curves (2-D) or closed surfaces (3-D) that bound the part: 1, and one more for every hole or cavity. Where the boundary touches
            itself, at a point (2-D) or an edge (3-D), it is walked along the part's cells: a hole that touches the outer boundary is one loop with it.
            Surfaces that touch at single points stay apart.
        pieces: of the part, connected through facets.
        pinched: (k,) points of the mesh, ascending, at which the boundary touches itself.
        outer: whether the part has facets of the region's boundary.
        touches: whether it has points of the region's boundary.
    """

    loops: int
    pieces: int
    pinched: np.ndarray
    outer: bool
    touches: bool


def part_shapes(mesh: Mesh, parts: Sequence[np.ndarray]) -> tuple[PartShape, ...]:
    """The shapes of parts of a region.

    Args:
        mesh: of cells that fill a region.
        parts: per part (k,) numbers of cells, of the highest dimension.

    Raises:
        InvalidMeshError: the mesh fills no region, or a part is empty or has cells that the mesh does not have or that are of lower dimension.
    """
    region = Region.of(mesh)
    members = _members(mesh, region, parts)
    rim = Rim.of_family(region, members)
    n, count = len(mesh.points), len(parts)
    loops = np.bincount(_loop_parts(region, members, rim), minlength=count)
    entry_part = pairs_of(members)[0]
    _, first = np.unique(pieces(region, members), return_index=True)
    number = np.bincount(entry_part[first], minlength=count)
    pinched = _pinched(region, rim, (count, n))
    border = region.across[:, 1] < 0
    outer = np.bincount(rim.part[border[rim.facet]], minlength=count) > 0
    edge = np.zeros(n, dtype=np.int32)
    edge[region.facets[border][region.facets[border] >= 0]] = 1
    touches = (members @ region.points) @ edge > 0
    return tuple(
        PartShape(int(loops[k]), int(number[k]), pinched.indices[pinched.indptr[k] : pinched.indptr[k + 1]], bool(outer[k]), bool(touches[k]))
        for k in range(count)
    )


def _members(mesh: Mesh, region: Region, parts: Sequence[np.ndarray]) -> sparse.csr_array:
    """Sets of cells of the mesh as a family.

    Raises:
        InvalidMeshError: as :func:`part_shapes`.
    """
    remedy = "give the parts as numbers of cells of the highest dimension, as Partition.cells has them"
    rows = []
    for k, cells in enumerate(parts):
        cells = np.asarray(cells, dtype=np.int64)
        if not len(cells) or cells.min() < 0 or cells.max() >= len(mesh.cells):
            found = f"cells {cells.min()}..{cells.max()} of {len(mesh.cells)}" if len(cells) else "no cells"
            raise InvalidMeshError(f"part {k} has {found}", where=mesh.name, remedy=remedy)
        number = region.number_of(cells, len(mesh.cells))
        if (number < 0).any():
            raise InvalidMeshError(f"part {k} has {int((number < 0).sum())} cells of lower dimension", where=mesh.name, remedy=remedy)
        rows.append(number)
    owner = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return family(owner, np.concatenate([np.zeros(0, dtype=np.int64), *rows]), (len(rows), len(region)))


def _loop_parts(region: Region, members: sparse.csr_array, rim: Rim) -> np.ndarray:
    """(l,) for every loop of every part the part."""
    a, b = rim.joined()
    part, ends = rim.crowded()
    star = Stars.of(region, ends)
    find = Lookup(members)
    has = find(part[star.place], star.cell) >= 0
    fan = star.fans(has)
    rows = Lookup(family(star.place, star.cell, (len(part), len(region))))
    fan_of = np.full(len(rows.keys), -1)
    fan_of[rows(star.place, star.cell)] = fan
    crowd = np.cumsum(rim.counts > 2) - 1
    at = np.flatnonzero(rim.counts[rim.group] > 2)
    # the two facets at the ends of one fan of the part's cells follow each other
    facet = rim.of[at]
    cells = region.across[rim.facet[facet]]
    inside = find(rim.part[facet], cells[:, 0]) >= 0
    own = fan_of[rows(crowd[rim.group[at]], np.where(inside, cells[:, 0], cells[:, 1]))]
    order = np.argsort(own, kind="stable")
    same = np.flatnonzero(np.diff(own[order]) == 0)
    first = np.concatenate([rim.of[a], facet[order[same]]])
    second = np.concatenate([rim.of[b], facet[order[same + 1]]])
    label = components(len(rim.facet), first, second)
    return rim.part[np.unique(label, return_index=True)[1]]


def _pinched(region: Region, rim: Rim, shape: tuple[int, int]) -> sparse.csr_array:
    """(p, n) ones at the points at which the boundary of a part touches itself."""
    part, ends = rim.crowded()
    part, point = np.repeat(part, 2), ends.reshape(-1)
    if region.dimension == 3:
        owner, corner, sheet, _ = rim.sheets()
        place = row_groups(np.column_stack([owner, corner]))
        crowded = several(place, sheet, len(place))[place]
        part, point = np.concatenate([part, owner[crowded]]), np.concatenate([point, corner[crowded]])
    return family(part, point, shape)
