"""Which side of a surface is inside, however dirty the file: facets counted once and turned outward, holes capped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csgraph
from scipy.spatial import KDTree

from ...errors import InvalidMeshError
from ..cells import Cells
from ..measure import area_vectors, cell_fluxes
from ..mesh import Mesh
from ..orientation import oriented, reversed_cells
from ..topology import Sides, cell_components, edges, row_groups, welded
from ..triangulation import triangulated
from .caps import capped

_CRACK = 1e-6  # of the body's size: rims nearer than this are one rim that rounding tore
_ECHO = 1e-7  # of the body's size: what single precision makes of equal coordinates
_PLANE = 0.9  # of the area left uncancelled by the area vectors: such a sheet has no inside
_FLAT, _SHALLOW = 1e-9, 0.02  # volume over area^1.5 below which a piece encloses nothing, next to nothing; a sphere has 0.094
_SCRAP = 0.3  # of the area of a capped piece: caps that are more of it are not its holes but its other side


@dataclass(frozen=True, eq=False)
class Sided:
    """A surface as triangles whose normals point out of the body.

    Attributes:
        corners: (t, 3) point indices; facets that a file lists twice are here once.
        facet: (t,) cell of the surface that each is part of.
        merged: (n,) for every point the one that stands for it: equal for points at one place.
        bounding: (t,) whether a triangle counts for the winding number; inner walls, which have the body on both sides, do not.
        closed: whether the bounding triangles have no rim, so that their winding number is an integer everywhere.
        filled_points, filled: (m, 3) and (s, 3) the bounding triangles and caps over their holes.
    """

    corners: np.ndarray
    facet: np.ndarray
    merged: np.ndarray
    bounding: np.ndarray
    closed: bool
    filled_points: np.ndarray
    filled: np.ndarray


def sided(surface: Mesh) -> Sided:
    """Duplicates dropped, cracks joined, holes capped, then all oriented together, caps and cavities included.

    Duplicates are facets with the same corners, and whole pieces that differ by rounding only.

    Raises:
        InvalidMeshError: not a surface in 3-D.
    """
    area_vectors(surface)  # raises for anything that is not a surface
    merged, listed = _merged(surface)
    kept = distinct(surface.cells, merged)
    cells = surface.cells.take(kept)
    if listed is None or len(cells) < len(surface.cells):
        listed = edges(cells, merged)
    echoes = _echoes(surface, cells, listed)
    if echoes.any():
        kept, cells = kept[~echoes], cells.take(~echoes)
        listed = edges(cells, merged)
    points, caps = capped(surface.points[merged], *_rim(Mesh(surface.points[merged], cells), listed, merged))
    whole = Mesh(points, Cells.concatenate([cells, Cells.of(triangle=caps)]), name=surface.name)
    whole, sheet = _turned(whole, listed, len(cells))
    body = Mesh(surface.points, whole.cells.take(np.arange(len(cells))), name=surface.name)
    corners, owner = triangulated(body)
    if len(caps):
        caps = whole.cells.take(np.arange(len(cells), len(whole.cells))).block("triangle")[~sheet[len(cells) :]]
    bounding = ~_inner_walls(listed, np.linalg.norm(area_vectors(body), axis=1))[owner]
    sides = corners[bounding]
    closed = not len(_unbalanced(merged[sides]))
    filled_points = np.concatenate([surface.points, points[len(surface.points) :]])
    return Sided(corners, kept[owner], merged, bounding, closed, filled_points, np.concatenate([sides, caps]) if not closed else sides)


def require_inside(surface: Mesh, body: Sided) -> None:
    """Raise where inside and outside have no meaning at all: a nearly plane sheet, or nothing but degenerate facets.

    A surface with holes, even half a sphere, has an inside with its holes closed; how far a sign depends on that is what
    ``confidence`` tells.
    """
    corners = body.corners[body.bounding]
    a, b, c = (surface.points[corners[:, k]] for k in range(3))
    areas = 0.5 * np.cross(b - a, c - a)
    total = np.linalg.norm(areas, axis=1).sum()
    leak = float(np.linalg.norm(areas.sum(axis=0)))
    if total == 0 or leak > _PLANE * total:
        raise InvalidMeshError(
            "the surface is open so far that inside and outside are not defined" if total else "every facet of the surface has zero area",
            where=surface.name,
            remedy="close it (`geoop inspect FILE` counts the open edges), or ask for signed=False",
        )


def _merged(surface: Mesh) -> tuple[np.ndarray, Sides | None]:
    """(n,) the point that stands for each: points at equal coordinates, and points of rims that all but touch.

    Also the edges, where nothing but equal coordinates was merged.
    """
    exact = welded(surface.points)
    listed = edges(surface.cells, exact)
    rim = np.unique(listed.corners[listed.counts[listed.group] == 1])
    if not len(rim):
        return exact, listed
    size = float(np.ptp(surface.bounds, axis=0).max())
    x = surface.points[rim]
    pairs = KDTree(x).query_pairs(_CRACK * size, output_type="ndarray")
    if not len(pairs):
        return exact, listed
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(rim), len(rim)))
    group = csgraph.connected_components(graph, directed=False)[1]
    lowest = np.full(group.max() + 1, len(surface.points))
    np.minimum.at(lowest, group, rim)
    stands_for = np.arange(len(surface.points))
    stands_for[rim] = lowest[group]
    return stands_for[exact], None


def distinct(cells: Cells, merged: np.ndarray, dimension: int = 2) -> np.ndarray:
    """Indices of the faces (or lines), each set of corners once (the first in the file); cells of other dimensions are left out."""
    sizes = np.diff(cells.offsets)
    keep = np.zeros(len(cells), dtype=bool)
    for size in np.unique(sizes[cells.dimensions == dimension]):
        index = np.flatnonzero((sizes == size) & (cells.dimensions == dimension))
        rows = np.sort(merged[cells.connectivity[cells.offsets[:-1][index][:, None] + np.arange(size)]], axis=1)
        keep[index[np.unique(row_groups(rows), return_index=True)[1]]] = True
    return np.flatnonzero(keep)


def _echoes(surface: Mesh, cells: Cells, listed: Sides) -> np.ndarray:
    """(m,) faces of pieces that are an earlier piece once more, but for rounding: as many faces in the same box to 1e-7 of the size."""
    piece = cell_components(listed, len(cells))
    n_pieces = int(piece.max(initial=-1)) + 1
    if n_pieces < 2:
        return np.zeros(len(cells), dtype=bool)
    owner = np.repeat(piece, np.diff(cells.offsets))
    boxes = np.full((n_pieces, 6), np.inf)
    x = surface.points[cells.connectivity]
    np.minimum.at(boxes, owner, np.concatenate([x, -x], axis=1))
    number = np.bincount(piece, minlength=n_pieces)
    pairs = KDTree(boxes).query_pairs(_ECHO * float(np.ptp(surface.bounds, axis=0).max()), p=np.inf, output_type="ndarray")
    again = np.zeros(n_pieces, dtype=bool)
    again[pairs.max(axis=1)[number[pairs[:, 0]] == number[pairs[:, 1]]]] = True
    return again[piece]


def _rim(joined: Mesh, listed: Sides, merged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(e, 2) edges of one face only, in the direction of that face (of faces turned alike, where the file mixes them), and those faces."""
    one, two = listed.pairs()
    if (listed.counts == 1).any() and not (listed.corners[one, 0] == listed.corners[two, 1]).all():
        listed = edges(oriented(joined).cells, merged)
    rim = (listed.counts[listed.group] == 1) & (listed.corners[:, 0] != listed.corners[:, 1])
    return listed.corners[rim], listed.owner[rim]


def _turned(whole: Mesh, listed: Sides, n: int) -> tuple[Mesh, np.ndarray]:
    """The first n faces, with ``listed`` edges, and the caps after them turned outward, and (m,) which belong to a sheet.

    A piece, joined along edges of any kind, is a sheet if it encloses next to nothing together with its caps and these are a
    good part of it: a scrap in a larger hole, say. Its volume tells no side, so it keeps the one that most of it had in the file.
    """
    turned = oriented(whole)
    if len(whole.cells) == n:
        return turned, np.zeros(n, dtype=bool)
    piece = cell_components(edges(whole.cells, welded(whole.points)), len(whole.cells))
    areas, before = area_vectors(turned), area_vectors(whole)
    size = np.linalg.norm(areas, axis=1)
    total = np.maximum(np.bincount(piece, weights=size), 1e-300)
    share = np.bincount(piece[n:], weights=size[n:], minlength=len(total)) / total
    volume = np.abs(np.bincount(piece, weights=cell_fluxes(turned)))
    sheet = (volume <= _FLAT * total**1.5) | ((volume <= _SHALLOW * total**1.5) & (share > _SCRAP))
    part = cell_components(listed, n)  # without the caps
    kept = np.bincount(part, weights=np.copysign(size[:n], (areas[:n] * before[:n]).sum(axis=1)))
    back = np.zeros(len(whole.cells), dtype=bool)
    back[:n] = sheet[piece[:n]] & (kept < 0)[part]
    return Mesh(turned.points, reversed_cells(turned.cells, back), name=turned.name), sheet[piece]


def _inner_walls(listed: Sides, areas: np.ndarray) -> np.ndarray:
    """(m,) faces of pieces that hang on edges which other faces close without them, such as partitions and fins; smallest piece first."""
    out = np.zeros(len(areas), dtype=bool)
    if not (listed.counts > 2).any():
        return out
    manifold = listed.counts[listed.group] == 2
    order = np.argsort(listed.group[manifold], kind="stable")
    pair = listed.owner[manifold][order].reshape(-1, 2)
    graph = coo_array((np.ones(len(pair)), (pair[:, 0], pair[:, 1])), shape=(len(areas), len(areas)))
    n_pieces, piece = csgraph.connected_components(graph, directed=False)
    present = listed.counts.copy()
    by_piece = np.argsort(piece[listed.owner], kind="stable")
    starts = np.searchsorted(piece[listed.owner][by_piece], np.arange(n_pieces + 1))
    touching = np.unique(piece[listed.owner[listed.counts[listed.group] > 2]])
    area = np.bincount(piece, weights=areas, minlength=n_pieces)
    for number in touching[np.argsort(area[touching], kind="stable")]:
        group, mine = np.unique(listed.group[by_piece[starts[number] : starts[number + 1]]], return_counts=True)
        others = present[group] - mine
        rim = mine % 2 == 1
        if (rim & (others >= 2)).any() and (others[rim] % 2 == 0).all():
            present[group] = others
            out |= piece == number
    return out


def _unbalanced(triangles: np.ndarray) -> np.ndarray:
    """(u,) net number of times that each edge is run through in one direction, where it is not zero."""
    directed = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2)
    group = row_groups(np.sort(directed, axis=1))
    net = np.bincount(group, weights=np.sign(directed[:, 1] - directed[:, 0]))
    return net[net != 0]
