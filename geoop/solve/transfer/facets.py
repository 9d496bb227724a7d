"""Which cell of lower dimension, a facet or a wire stored beside the cells of a region, lies nearest to one of another mesh."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ...mesh.distance import signed_distance
from ...mesh.measure import cell_centers
from ...mesh.mesh import Mesh
from ...mesh.topology import N_CORNERS, sides, welded


def nearest_cells(old: Mesh, rows: np.ndarray, new: Mesh, here: np.ndarray) -> np.ndarray:
    """(m,) which of the cells ``rows`` (k,) of one mesh lies nearest to each of the cells ``here`` (m,) of another.

    Facets are found by their distance; of two facets at one place, on the two sides of a slit, the one whose cell lies on the same side.
    Wires and single points are found by their centres.
    """
    centres, chosen = cell_centers(new)[here], old.cells.take(rows)
    if chosen.dimension != old.dimension - 1:
        return cKDTree(cell_centers(old)[rows]).query(centres)[1]
    found = np.asarray(signed_distance(Mesh(old.points, chosen), centres, signed=False).facet)
    group, counts = np.unique(_corners(old, rows, welded(old.points)), axis=0, return_inverse=True, return_counts=True)[1:]
    group = group.ravel()
    twice = np.flatnonzero(counts[group[found]] > 1)
    if not len(twice):
        return found
    order = np.argsort(group, kind="stable")
    starts = np.cumsum(counts) - counts
    at = group[found[twice]]
    row = np.repeat(np.arange(len(twice)), counts[at])
    member = order[np.repeat(starts[at], counts[at]) + np.arange(len(row)) - np.repeat(np.cumsum(counts[at]) - counts[at], counts[at])]
    same = (_inward(old, rows)[member] * _inward(new, here[twice])[row]).sum(axis=1)
    best = np.lexsort((-same, row))
    found[twice] = member[best[np.unique(row[best], return_index=True)[1]]]
    return found


def _corners(mesh: Mesh, rows: np.ndarray, number: np.ndarray) -> np.ndarray:
    """(k, 4) corners of facets under new numbers of the points, ascending, -1 where there are fewer; polygons by their first four."""
    cells = mesh.cells
    out = np.full((len(rows), 4), -1, dtype=np.int64)
    for name in cells.names:
        at = np.flatnonzero(np.isin(rows, cells.where(name)))
        sizes = np.diff(cells.offsets)[rows[at]]
        for k in range(4):
            has = k < np.minimum(sizes, N_CORNERS.get(name, 4))
            out[at[has], k] = number[cells.connectivity[cells.offsets[rows[at[has]]] + k]]
    return np.sort(out, axis=1)


def _inward(mesh: Mesh, rows: np.ndarray) -> np.ndarray:
    """(k, d) unit vectors from facets towards the cells that have them; zero for facets of no cell."""
    top = np.flatnonzero(mesh.cells.dimensions == mesh.dimension)
    listed = sides(Mesh(mesh.points, mesh.cells.take(top)), np.arange(len(mesh.points)))
    own = _corners(mesh, rows, np.arange(len(mesh.points)))
    theirs = np.sort(np.pad(listed.corners[:, :4], ((0, 0), (0, max(0, 4 - listed.corners.shape[1]))), constant_values=-1), axis=1)
    key = np.unique(np.concatenate([theirs, own]), axis=0, return_inverse=True)[1].ravel()
    cell = np.full(key.max() + 1, -1)
    cell[key[: len(theirs)]] = top[listed.owner]
    cell = cell[key[len(theirs) :]]
    centres = cell_centers(mesh)
    away = np.where(cell[:, None] >= 0, centres[cell] - centres[rows], 0.0)
    return away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-300)
