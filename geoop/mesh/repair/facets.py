"""Points made one; facets without area and repeated facets taken out, without opening the surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array, csgraph
from scipy.spatial import KDTree

from ...errors import InvalidMeshError
from ..baffles import two_sided
from ..cell_quality import degenerate_cells
from ..cells import CELL_TYPES, Cells
from ..mesh import Mesh
from ..topology import N_CORNERS, edges, row_groups, welded
from .draft import Draft

_LINEAR_FACETS = {3: "triangle", 4: "quad"}


def merged_points(draft: Draft, tolerance: float) -> Draft:
    """Points within ``tolerance`` [m] of each other (in chains) become the first of them; at equal coordinates always.

    Raises:
        InvalidMeshError: points of one polyhedron would become one.
    """
    points = draft.original.points
    target = welded(points)
    index = np.flatnonzero(target == np.arange(len(points)))
    if tolerance > 0 and len(index) > 1:
        near = KDTree(points[index]).query_pairs(tolerance, output_type="ndarray")
        graph = coo_array((np.ones(len(near)), (near[:, 0], near[:, 1])), shape=(len(index),) * 2)
        label = csgraph.connected_components(graph, directed=False)[1]
        first = np.full(label.max() + 1, len(points), dtype=np.int64)
        np.minimum.at(first, label, index)
        lowest = np.arange(len(points))
        lowest[index] = first[label]
        target = lowest[target]
    count = int((target != np.arange(len(points))).sum())
    if not count:
        return draft
    try:
        cells, loose = draft.cells.renumbered(target), {name: part.renumbered(target) for name, part in draft.loose.items()}
    except InvalidMeshError as error:  # points of one polyhedron: its faces cannot be reduced as those of a surface can
        raise InvalidMeshError(
            f"points of one polyhedron lie within {tolerance:.3g} of each other", where=draft.original.name, remedy="choose a smaller tolerance"
        ) from error
    return replace(draft, target=target, cells=cells, loose=loose).counted(merged=count)


def without_collapsed(draft: Draft) -> Draft:
    """Cells whose corners fell together: reduced to the corners that are left, dropped where too few are.

    A face that passes a point twice with others in between (a keyhole) is as it was meant and stays.
    """
    cells = draft.cells
    sizes = np.diff(cells.offsets)
    owner = np.repeat(np.arange(len(cells)), sizes)
    order = np.lexsort((cells.connectivity, owner))
    row, point = owner[order], cells.connectivity[order]
    repeated = np.zeros(len(cells), dtype=bool)
    repeated[row[1:][(row[1:] == row[:-1]) & (point[1:] == point[:-1])]] = True
    if not repeated.any():
        return draft
    distinct = sizes - np.bincount(row[1:][(row[1:] == row[:-1]) & (point[1:] == point[:-1])], minlength=len(cells))
    dimension = cells.dimensions
    dropped = repeated & (distinct <= dimension)
    rings = {int(i): _simple_ring(_corners(cells, int(i))) for i in np.flatnonzero(repeated & ~dropped & (dimension == 2))}
    whole = {i: cells.connectivity[cells.offsets[i] : cells.offsets[i + 1]] for i in rings}
    rings = {i: ring for i, ring in rings.items() if not np.array_equal(ring, whole[i])}  # a keyhole passes a point twice and stays
    dropped[[i for i, ring in rings.items() if len(ring) < 3]] = True
    reduced = {i: ring for i, ring in rings.items() if len(ring) >= 3}
    if not dropped.any() and not reduced:
        return draft
    kept = ~dropped
    kept[list(reduced)] = False
    pieces = [Cells.ragged(_LINEAR_FACETS.get(len(ring), "polygon"), [ring]) for ring in reduced.values()]
    rows = np.concatenate([np.flatnonzero(kept), np.array(list(reduced), dtype=np.int64)])
    place = np.argsort(rows, kind="stable")
    after = draft.with_cells(Cells.concatenate([cells.take(kept), *pieces]).take(place), rows[place])
    return after.counted(collapsed=int(dropped.sum()), reduced=len(reduced))


def _corners(cells: Cells, i: int) -> np.ndarray:
    """Corners of a facet, without the nodes on its edges."""
    first, last = cells.offsets[i], cells.offsets[i + 1]
    return cells.connectivity[first : first + N_CORNERS.get(cells.take(np.array([i])).names[0], int(last - first))]


def _simple_ring(ring: np.ndarray) -> np.ndarray:
    """A ring without points that follow themselves and without spikes a, b, a."""
    ring = ring[ring != np.roll(ring, 1)]
    while len(ring) > 2:
        spike = np.flatnonzero(np.roll(ring, 1) == np.roll(ring, -1))
        if not len(spike):
            return ring
        ring = np.delete(ring, spike[0])
        ring = ring[ring != np.roll(ring, 1)]
    return ring


def without_repeated(draft: Draft) -> Draft:
    """One of each set of cells of highest dimension with the same corners, the first; both sides of a baffle are kept.

    Of a repeated facet of a surface that hangs on others like a flap, none is kept: all its edges are open or have too many facets,
    and without it no edge is left with less than two.
    """
    cells = draft.cells
    sizes = np.diff(cells.offsets)
    top = cells.dimensions == max(cells.dimension, 1)
    kept, several = np.ones(len(cells), dtype=bool), np.zeros(len(cells), dtype=bool)
    for size in np.unique(sizes[top]):
        index = np.flatnonzero(top & (sizes == size))
        group = row_groups(np.sort(cells.connectivity[cells.offsets[:-1][index][:, None] + np.arange(size)], axis=1))
        _, first, count = np.unique(group, return_index=True, return_counts=True)
        kept[index] = False
        kept[index[first]] = True
        several[index[first]] = count > 1
    if draft.original.is_surface and not kept.all():
        kept |= two_sided(cells, np.arange(len(draft.original.points)))
    if kept.all():
        return draft
    draft = draft.kept(kept).counted(repeated=int((~kept).sum()))
    flaps = _flaps(draft, several[kept]) if draft.original.is_surface and draft.original.dimension == 3 else np.zeros(len(draft.cells), dtype=bool)
    return draft.kept(~flaps).counted(flaps=int(flaps.sum())) if flaps.any() else draft


def _flaps(draft: Draft, candidates: np.ndarray) -> np.ndarray:
    listed = edges(draft.cells, np.arange(len(draft.original.points)))
    count = listed.counts.copy()
    rows = np.flatnonzero(candidates[listed.owner])
    rows = rows[np.argsort(listed.owner[rows], kind="stable")]
    first = np.flatnonzero(np.concatenate([[True], listed.owner[rows][1:] != listed.owner[rows][:-1]])) if len(rows) else np.zeros(0, dtype=int)
    flaps = np.zeros(len(draft.cells), dtype=bool)
    for own in np.split(rows, first[1:]) if len(rows) else ():
        around = count[listed.group[own]]
        if (around != 2).all() and (around > 2).any():
            flaps[listed.owner[own[0]]] = True
            count[listed.group[own]] -= 1
    return flaps


def without_slivers(draft: Draft) -> Draft:
    """Facets of a surface that have corners but no area.

    A triangle whose corner b lies on its long edge a-c closes the surface between a-c and a-b-c. It is dropped, and b becomes a
    corner of the facet on the other side of a-c, which keeps its shape; where nothing or more than one facet is there, it is
    only dropped.
    """
    flat = degenerate_cells(draft.mesh)
    before, count = draft, int(flat.sum())
    for _ in range(2 * count + 10):
        if not flat.any():
            break
        draft, flat = _pass(draft, flat)
    return draft.counted(slivers=count - int(flat.sum())) if draft is not before else draft


def _pass(draft: Draft, flat: np.ndarray) -> tuple[Draft, np.ndarray]:
    """One round: slivers beside different facets with area; where there are none, one beside another sliver."""
    cells, points = draft.cells, draft.original.points
    beside = _facets_beside(cells, flat, len(points))
    gone = np.zeros(len(cells), dtype=bool)
    busy: set[int] = set()
    split: dict[int, tuple[int, int, int]] = {}
    for careful in (True, False):
        for i in np.flatnonzero(flat).tolist():
            ring = cells.connectivity[cells.offsets[i] : cells.offsets[i + 1]]
            if len(ring) != 3:
                gone[i] = True
                continue
            a, b, c = _long_edge(points, ring)
            others = [other for other in beside.get((min(a, c), max(a, c)), ()) if other != i]
            other = others[0] if len(others) == 1 and cells.types[others[0]] in _SPLIT else -1
            if other >= 0 and (other in busy or (careful and flat[other])):
                continue
            gone[i] = True
            if other >= 0 and b not in cells.connectivity[cells.offsets[other] : cells.offsets[other + 1]]:
                busy.add(other)
                split[other] = (a, b, c)
            if not careful:
                break
        if gone.any():
            break
    return _replaced(draft, flat, gone, split)


_SPLIT = {CELL_TYPES[name][0] for name in ("triangle", "quad", "polygon")}


def _facets_beside(cells: Cells, flat: np.ndarray, n_points: int) -> dict[tuple[int, int], list[int]]:
    """Edge of a sliver (lower point first) -> all facets that have it."""
    corner = np.zeros(n_points, dtype=np.int64)
    corner[cells.take(flat).connectivity] = 1
    near = np.flatnonzero(np.add.reduceat(corner[cells.connectivity], cells.offsets[:-1]) >= 2)
    listed = edges(cells.take(near), np.arange(n_points))
    wanted = np.isin(listed.group, np.unique(listed.group[flat[near][listed.owner]]))
    out: dict[tuple[int, int], list[int]] = {}
    for (a, b), owner in zip(np.sort(listed.corners[wanted], axis=1).tolist(), near[listed.owner[wanted]].tolist(), strict=True):
        out.setdefault((a, b), []).append(owner)
    return out


def _long_edge(points: np.ndarray, ring: np.ndarray) -> tuple[int, int, int]:
    """Corners (a, b, c) of a flat triangle with b between the others."""
    x = points[ring]
    k = int(np.argmax(np.linalg.norm(np.roll(x, -1, axis=0) - x, axis=1)))
    return int(ring[k]), int(ring[k - 1]), int(ring[(k + 1) % 3])


def _replaced(draft: Draft, flat: np.ndarray, gone: np.ndarray, split: dict[int, tuple[int, int, int]]) -> tuple[Draft, np.ndarray]:
    """Without the slivers, and with their middle corner in the facets beside them; triangles stay triangles. Also which are flat now."""
    cells = draft.cells
    kept = ~gone
    kept[list(split)] = False
    pieces, source = [cells.take(kept)], [np.flatnonzero(kept)]
    for i, (a, b, c) in split.items():
        ring = cells.connectivity[cells.offsets[i] : cells.offsets[i + 1]].tolist()
        at = next(k for k in range(len(ring)) if {ring[k], ring[(k + 1) % len(ring)]} == {a, c})
        ring = [*ring[at + 1 :], *ring[: at + 1]]  # begins and ends at the edge
        rows = [[b, ring[k], ring[k + 1]] for k in range(2)] if len(ring) == 3 else [[*ring, b]]
        pieces.append(Cells.ragged("triangle" if len(ring) == 3 else "polygon", [np.array(row) for row in rows]))
        source.append(np.full(len(rows), i))
    rows, listed = np.concatenate(source), Cells.concatenate(pieces)
    place = np.argsort(rows, kind="stable")
    still = flat[rows]
    if split:
        new = np.arange(len(pieces[0]), len(listed))
        still[new] = degenerate_cells(Mesh(draft.original.points, listed.take(new)))
    return draft.with_cells(listed.take(place), rows[place]), still[place]
