"""Which side of a facet is out of the body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array, csgraph

from .cells import CELL_NAMES, Cells
from .loops import loops, signed_area
from .measure import area_vectors, cell_fluxes
from .mesh import Mesh
from .topology import N_CORNERS, cell_components, edges, row_groups, welded

#: A part lies inside another one if at least this share of points all over it does: one that sticks out of it is no cavity. At most so many are asked.
_WITHIN, _PROBES = 0.9, 16


def oriented(surface: Mesh) -> Mesh:
    """The same surface with facets turned so that their normals point out of the body into the fluid.

    2-D: closed loops counter-clockwise, those inside an odd number of others (holes) clockwise; open chains get one direction.
    3-D: neighbours agree across every edge that two facets share, then each component is outward by the sign of its volume,
    inward when it lies inside an odd number of closed others. Components with no volume keep the side most facets had.
    Facets keep their place in the list, patches are turned along, and cells of lower dimension are left alone.

    Raises:
        InvalidMeshError: the cells are not one dimension below space.
    """
    turn = facets_to_turn(surface)
    if not turn.any() and not surface.patches:
        return surface
    cells = reversed_cells(surface.cells, turn)
    return replace(surface, cells=cells, patches=_patches_like(surface.patches, surface.cells, cells))


def facets_to_turn(surface: Mesh) -> np.ndarray:
    """(m,) marks the facets that :func:`oriented` turns; a part that is inside out as a whole counts with all its facets.

    Raises:
        InvalidMeshError: the cells are not one dimension below space.
    """
    area_vectors(surface)  # raises for anything that is not a surface
    return _turned_lines(surface) if surface.dimension == 2 else _turned_faces(surface)


def sealed_facets(surface: Mesh) -> np.ndarray:
    """(m,) marks the faces of closed parts inside another closed part, such as the inner wall of a hollow body: nothing from outside gets there.

    The faces must agree as :func:`oriented` makes them.

    Raises:
        InvalidMeshError: not a surface in space.
    """
    areas, flux = area_vectors(surface), cell_fluxes(surface)
    component = cell_components(edges(surface.cells, welded(surface.points)), len(surface.cells))
    total = np.maximum(np.bincount(component, weights=np.linalg.norm(areas, axis=1)), 1e-300)
    sums = np.stack([np.bincount(component, weights=areas[:, k]) for k in range(3)], axis=1)
    flat = np.abs(np.bincount(component, weights=flux)) < 1e-9 * total**1.5
    closed = (np.linalg.norm(sums, axis=1) < 1e-8 * total) & ~flat
    return (closed & (_depth(surface.points, surface.cells, component, closed, flat) > 0))[component]


def reversed_cells(cells: Cells, which: np.ndarray) -> Cells:
    """The cells with the marked lines and faces running the other way; their first point stays first, except of lines."""
    connectivity = cells.connectivity.copy()
    sizes = np.diff(cells.offsets)
    for code, size in {(int(c), int(s)) for c, s in zip(cells.types[which], sizes[which], strict=True)}:
        index = np.flatnonzero(which & (cells.types == code) & (sizes == size))
        slots = cells.offsets[:-1][index][:, None] + np.arange(size)
        connectivity[slots] = cells.connectivity[slots[:, _reversal(cells.take(index[:1]).names[0], size)]]
    return Cells(cells.types, cells.offsets, connectivity, cells.faces)


def _reversal(name: str, size: int) -> np.ndarray:
    """Order of the points of a facet seen from its other side."""
    n = N_CORNERS.get(name, size)
    if n == 2:
        return np.array([1, 0, *range(2, size)])
    corners = [0, *range(n - 1, 0, -1)]
    middles = [n + (n - 1 - i) for i in range(n)] if size > n else []
    return np.array([*corners, *middles, *range(2 * n, size)])


def _patches_like(patches: Mapping[str, Cells], before: Cells, after: Cells) -> dict[str, Cells]:
    """Patches with every facet taken from ``after`` where ``before`` has the same facet.

    Equal are facets of the same points; of the two sides of a baffle, which have the same points too, the one that runs round
    them in the same direction.
    """
    joined = Cells.concatenate(list(patches.values()))
    connectivity = joined.connectivity.copy()
    sizes, own_sizes = np.diff(before.offsets), np.diff(joined.offsets)
    for code, size in {(int(c), int(s)) for c, s in zip(joined.types, own_sizes, strict=True)}:
        rows, own = (np.flatnonzero((cells.types == code) & (s == size)) for cells, s in ((before, sizes), (joined, own_sizes)))
        slots, own_slots = (cells.offsets[:-1][index][:, None] + np.arange(size) for cells, index in ((before, rows), (joined, own)))
        ring = np.concatenate([before.connectivity[slots], joined.connectivity[own_slots]])
        points = np.sort(ring, axis=1)
        directed = np.concatenate([points, _after_lowest(ring, N_CORNERS.get(CELL_NAMES[code], size))[:, None]], axis=1)
        match = _first_equal(row_groups(directed), len(rows))
        undirected = _first_equal(row_groups(points), len(rows))
        match = np.where(match >= 0, match, undirected)
        connectivity[own_slots[match >= 0]] = after.connectivity[slots[match[match >= 0]]]
    turned = Cells(joined.types, joined.offsets, connectivity)
    ends = np.cumsum([len(part) for part in patches.values()])
    return {name: turned.take(np.arange(end - len(part), end)) for (name, part), end in zip(patches.items(), ends, strict=True)}


def _after_lowest(ring: np.ndarray, n: int) -> np.ndarray:
    """(m,) the corner that follows the lowest one; of a line whether it begins with it."""
    lowest = ring[:, :n].argmin(axis=1)
    return lowest if n == 2 else ring[np.arange(len(ring)), (lowest + 1) % n]


def _first_equal(group: np.ndarray, count: int) -> np.ndarray:
    """For every row behind the first ``count`` the first of those in the same group, -1 where there is none."""
    same = np.full(int(group.max(initial=0)) + 1, -1)
    same[group[:count][::-1]] = np.arange(count)[::-1]
    return same[group[count:]]


def _turned_lines(outline: Mesh) -> np.ndarray:
    turn = np.zeros(len(outline.cells), dtype=bool)
    found = loops(outline)
    rings = [outline.points[loop.points] for loop in found]
    for i, loop in enumerate(found):
        backward = False
        if loop.closed:
            depth = sum(_inside(rings[i], rings[j]) for j, other in enumerate(found) if j != i and other.closed)
            backward = bool((signed_area(rings[i]) < 0) != (depth % 2 == 1))
        turn[loop.cells] = loop.forward == backward
    return turn


def _inside(inner: np.ndarray, outer: np.ndarray) -> bool:
    """Whether most points of one ring lie inside another (loops may touch, so one point does not decide)."""
    if (inner.min(axis=0) < outer.min(axis=0)).any() or (inner.max(axis=0) > outer.max(axis=0)).any():
        return False
    probe = inner[:: max(1, len(inner) // 16)]
    a, b = outer, np.roll(outer, -1, axis=0)
    above = (a[None, :, 1] > probe[:, None, 1]) != (b[None, :, 1] > probe[:, None, 1])
    rise = np.where(b[:, 1] == a[:, 1], 1.0, b[:, 1] - a[:, 1])
    crossing = a[:, 0] + (probe[:, None, 1] - a[:, 1]) * (b[:, 0] - a[:, 0]) / rise
    return bool(((above & (crossing > probe[:, :1])).sum(axis=1) % 2).mean() > 0.5)


def _turned_faces(surface: Mesh) -> np.ndarray:
    """Facets to turn, by two-colouring the graph whose nodes are (facet, as it is) and (facet, turned)."""
    m = len(surface.cells)
    listed = edges(surface.cells, welded(surface.points))
    one, two = listed.pairs()
    agree = listed.corners[one, 0] == listed.corners[two, 1]  # neighbours that agree run along their edge in opposite directions
    a, b = listed.owner[one], listed.owner[two]
    other = b + np.where(agree, 0, m)
    mirrored = b + np.where(agree, m, 0)
    graph = coo_array((np.ones(2 * len(a)), (np.concatenate([a, a + m]), np.concatenate([other, mirrored]))), shape=(2 * m, 2 * m))
    colour = csgraph.connected_components(graph, directed=False)[1]
    turn = colour[:m] > colour[m:]
    turn &= colour[:m] != colour[m:]
    pair = np.stack([np.minimum(colour[:m], colour[m:]), np.maximum(colour[:m], colour[m:])], axis=1)
    component = np.unique(pair, axis=0, return_inverse=True)[1].reshape(-1)
    return turn ^ _inward(surface, turn, component)[component]


def _inward(surface: Mesh, turn: np.ndarray, component: np.ndarray) -> np.ndarray:
    """(components,) whether a component, once consistent, must be turned as a whole."""
    areas = area_vectors(surface) * np.where(turn, -1.0, 1.0)[:, None]
    size = np.linalg.norm(areas, axis=1)
    total = np.maximum(np.bincount(component, weights=size), 1e-300)
    sums = np.stack([np.bincount(component, weights=areas[:, k]) for k in range(3)], axis=1)
    # flux about the component's own centre: for a nearly closed one the hole hardly matters
    centers = _facet_means(surface)
    middle = np.stack([np.bincount(component, weights=size * centers[:, k]) for k in range(3)], axis=1) / total[:, None]
    flux = cell_fluxes(surface) * np.where(turn, -1.0, 1.0)
    volume = np.bincount(component, weights=flux) - ((middle - surface.points.mean(axis=0)) * sums).sum(axis=1) / 3
    flat = np.abs(volume) < 1e-9 * total**1.5
    kept = np.bincount(component, weights=np.where(turn, -size, size))
    inward = np.where(flat, kept < 0, volume < 0)
    closed = (np.linalg.norm(sums, axis=1) < 1e-8 * total) & ~flat
    return inward ^ (_depth(surface.points, reversed_cells(surface.cells, turn), component, closed, flat) % 2 == 1)


def _facet_means(surface: Mesh) -> np.ndarray:
    cells = surface.cells
    sums = np.add.reduceat(surface.points[cells.connectivity], cells.offsets[:-1], axis=0)
    return sums / np.diff(cells.offsets)[:, None]


def _depth(points: np.ndarray, cells: Cells, component: np.ndarray, closed: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """(components,) number of other closed components that contain each one, by the winding number of its points.

    The facets of each closed component must agree in orientation already. Flat ones, with no side to choose, are left out.
    """
    depth = np.zeros(len(closed), dtype=np.int64)
    if len(closed) == 1 or not closed.any():
        return depth
    order = np.argsort(component, kind="stable")
    starts = np.searchsorted(component[order], np.arange(len(closed) + 1))
    listed = cells.take(order)
    corners = points[listed.connectivity]
    first = listed.offsets[starts[:-1]]
    low, high = np.minimum.reduceat(corners, first), np.maximum.reduceat(corners, first)
    last = np.append(first[1:], len(corners))
    for j in np.flatnonzero(closed):
        candidates = ~flat & (low >= low[j]).all(axis=1) & (high <= high[j]).all(axis=1)
        candidates[j] = False
        part = cells.take(order[starts[j] : starts[j + 1]])
        for i in np.flatnonzero(candidates):
            probes = corners[first[i] : last[i] : max(1, (last[i] - first[i]) // _PROBES)][:_PROBES]
            within = abs(solid_angle(points, part, probes[0])) > 2 * np.pi
            depth[i] += within and np.mean([abs(solid_angle(points, part, at)) > 2 * np.pi for at in probes]) >= _WITHIN
    return depth


def solid_angle(points: np.ndarray, cells: Cells, at: np.ndarray) -> float:
    """Solid angle of faces seen from one point, faces as fans (van Oosterom and Strackee 1983): +-4 pi inside a closed surface."""
    sizes = np.diff(cells.offsets)
    corner = np.arange(len(cells.connectivity)) - np.repeat(cells.offsets[:-1], sizes)
    fan = (corner >= 1) & (corner < np.repeat(sizes, sizes) - 1)
    slot = np.flatnonzero(fan)
    first = cells.connectivity[np.repeat(cells.offsets[:-1], sizes)[slot]]
    a, b, c = (points[i] - at for i in (first, cells.connectivity[slot], cells.connectivity[slot + 1]))
    la, lb, lc = (np.linalg.norm(x, axis=1) for x in (a, b, c))
    over = (a * np.cross(b, c)).sum(axis=1)
    under = la * lb * lc + (a * b).sum(axis=1) * lc + (b * c).sum(axis=1) * la + (c * a).sum(axis=1) * lb
    return float(2 * np.arctan2(over, under).sum())
