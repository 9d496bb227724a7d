"""What is wrong with a mesh, counted, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csgraph
from scipy.spatial import KDTree

from .cells import CELL_TYPES
from .crossings import crossing_segments
from .measure import cell_measures, enclosed_volume, signed_measures
from .mesh import Mesh
from .topology import N_CORNERS, Sides, distinct_rows, sides, welded

_SAME_POINT = 1e-12  # of the extent: a far field of 1000 chords and a first cell of 1e-6 chords must stay apart
_NO_MEASURE = 1e-14  # of the cell's own size to the power of its dimension: thin boundary-layer cells are not degenerate


@dataclass(frozen=True)
class MeshReport:
    """A mesh in numbers. Counts are zero and flags True where nothing is wrong; None means that the question does not arise.

    Attributes:
        kind: ``point cloud``, ``outline``, ``surface``, ``plane mesh`` or ``volume mesh``.
        n_points: number of points.
        n_cells: number of cells by type name.
        patches: number of facets by patch name.
        bounds: lower and upper corner [m].
        measure: total length, area or volume of the cells of highest dimension [m^dimension].
        enclosed: area or volume inside a closed outline or surface [m^d], oriented as it is; else None.
        closed: outlines and surfaces: no open edges; volume and plane meshes: None.
        manifold: no end, edge or face belongs to more cells than it can.
        oriented: neighbours agree in orientation; volume and plane meshes: no cell is inside out.
        open_edges: edges (ends in 2-D) of an outline or surface with only one cell.
        non_manifold_edges: edges (ends, faces) with more than two cells.
        inconsistent_edges: edges (ends) across which two facets disagree in orientation.
        inverted_cells: cells of negative area or volume (the rarer sign among wedges, whose convention varies).
        unpatched_facets: boundary facets of a volume or plane mesh that no patch names.
        duplicate_points: points at the place of another one.
        unused_points: points without a cell.
        degenerate_cells: cells of highest dimension without length, area or volume.
        repeated_cells: cells with the same corners as another one.
        self_intersections: pairs of crossing segments of an outline in 2-D; else None.
        components: connected parts (cells that share a point count as connected).
        findings: what was found, a sentence each, with a remedy.
    """

    kind: str
    n_points: int
    n_cells: dict[str, int]
    patches: dict[str, int]
    bounds: tuple[tuple[float, ...], tuple[float, ...]]
    measure: float
    enclosed: float | None
    closed: bool | None
    manifold: bool
    oriented: bool | None
    open_edges: int
    non_manifold_edges: int
    inconsistent_edges: int
    inverted_cells: int
    unpatched_facets: int
    duplicate_points: int
    unused_points: int
    degenerate_cells: int
    repeated_cells: int
    self_intersections: int | None
    components: int
    findings: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Nothing was found."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return asdict(self)


def mesh_report(mesh: Mesh) -> MeshReport:
    """Count what a solver, a distance or a force integral would stumble over.

    Points at exactly equal coordinates count as one where neighbours are looked up, so unmerged STL facets are no open
    surface; they are reported as duplicate points all the same.
    """
    merged = welded(mesh.points)
    measures = cell_measures(mesh)
    top = mesh.cells.dimensions == mesh.cell_dimension
    extent = float(np.linalg.norm(np.ptp(mesh.points, axis=0)))
    counts: dict[str, Any] = {
        "kind": _kind(mesh),
        "n_points": len(mesh.points),
        "n_cells": {name: len(mesh.cells.where(name)) for name in mesh.cells.names},
        "patches": {name: len(part) for name, part in mesh.patches.items()},
        "bounds": tuple(tuple(row) for row in mesh.bounds.tolist()),
        "measure": float(measures[top].sum()) if not mesh.is_cloud else 0.0,
        "duplicate_points": _duplicates(mesh.points, extent),
        "unused_points": 0 if mesh.is_cloud else len(mesh.points) - len(np.unique(mesh.cells.connectivity)),
        "degenerate_cells": 0 if mesh.is_cloud else _degenerate(mesh, measures),
        "components": _components(mesh, merged),
        "repeated_cells": _repeated(mesh, merged),
    }
    counts |= _neighbours(mesh, merged)
    counts["self_intersections"] = _self_intersections(mesh) if mesh.dimension == 2 and mesh.cell_dimension == 1 else None
    counts["enclosed"] = enclosed_volume(mesh) if counts["closed"] and counts["oriented"] and counts["manifold"] else None
    return MeshReport(**counts, findings=tuple(_findings(counts)))


def _kind(mesh: Mesh) -> str:
    if mesh.is_cloud:
        return "point cloud"
    return ("outline", "plane mesh" if mesh.dimension == 2 else "surface", "volume mesh")[mesh.cell_dimension - 1]


def _degenerate(mesh: Mesh, measures: np.ndarray) -> int:
    """Cells of highest dimension whose measure is nothing beside a cube of their own size."""
    corners = mesh.points[mesh.cells.connectivity]
    first = mesh.cells.offsets[:-1]
    size = np.linalg.norm(np.maximum.reduceat(corners, first) - np.minimum.reduceat(corners, first), axis=1)
    flat = measures <= _NO_MEASURE * size**mesh.cell_dimension
    return int((flat & (mesh.cells.dimensions == mesh.cell_dimension)).sum())


def _duplicates(points: np.ndarray, extent: float) -> int:
    """Points that lie within a hair of another one of lower number."""
    merged = welded(points)
    exact = merged != np.arange(len(points))
    distinct = points[~exact]
    near = KDTree(distinct).query_pairs(_SAME_POINT * extent, output_type="ndarray") if extent > 0 else np.zeros((0, 2), dtype=int)
    return int(exact.sum()) + len(np.unique(near.max(axis=1))) if len(near) else int(exact.sum())


def _components(mesh: Mesh, merged: np.ndarray) -> int:
    if mesh.is_cloud:
        return 0
    top = mesh.cells.take(mesh.cells.dimensions == mesh.cell_dimension)
    owner = np.repeat(np.arange(len(top)), np.diff(top.offsets))
    graph = coo_array((np.ones(len(owner)), (owner, len(top) + merged[top.connectivity])), shape=(len(top) + len(merged),) * 2)
    return len(np.unique(csgraph.connected_components(graph, directed=False)[1][: len(top)]))


def _repeated(mesh: Mesh, merged: np.ndarray) -> int:
    """Cells of highest dimension whose set of points another one has too."""
    total = 0
    sizes = np.diff(mesh.cells.offsets)
    top = mesh.cells.dimensions == max(mesh.cell_dimension, 1)
    for size in np.unique(sizes[top]):
        index = np.flatnonzero(top & (sizes == size))
        rows = merged[mesh.cells.connectivity[mesh.cells.offsets[:-1][index][:, None] + np.arange(size)]]
        total += len(rows) - len(distinct_rows(np.sort(rows, axis=1)))
    return total


def _neighbours(mesh: Mesh, merged: np.ndarray) -> dict[str, Any]:
    """Everything that follows from which cells share which sides."""
    out: dict[str, Any] = dict.fromkeys(("open_edges", "non_manifold_edges", "inconsistent_edges", "inverted_cells", "unpatched_facets"), 0)
    out |= {"closed": None, "oriented": None, "manifold": True}
    if mesh.is_cloud:
        return out
    listed = sides(mesh, merged)
    out["non_manifold_edges"] = int((listed.counts > 2).sum())
    out["manifold"] = not out["non_manifold_edges"]
    if mesh.is_surface:
        out["open_edges"] = int((listed.counts == 1).sum())
        out["closed"] = not out["open_edges"]
        out["inconsistent_edges"] = _disagreements(listed)
        out["oriented"] = not out["inconsistent_edges"]
    elif mesh.cell_dimension == mesh.dimension:
        out["inverted_cells"] = _inverted(mesh)
        out["oriented"] = not out["inverted_cells"]
        out["unpatched_facets"] = _unpatched(mesh, listed, merged)
    return out


def _disagreements(listed: Sides) -> int:
    """Sides shared by two facets that run along them in the same direction (both begin, or both end, at a shared point)."""
    one, two = listed.pairs()
    if listed.corners.shape[1] == 1:  # ends are listed begin, end, begin, end, ...
        return int((one % 2 == two % 2).sum())
    return int((listed.corners[one, 0] == listed.corners[two, 0]).sum())


def _inverted(mesh: Mesh) -> int:
    signed = signed_measures(mesh)
    total = 0
    for name in mesh.cells.names:
        if CELL_TYPES[name][1] == mesh.cell_dimension:
            negative = int((signed[mesh.cells.where(name)] < 0).sum())
            positive = int((signed[mesh.cells.where(name)] > 0).sum())
            total += min(negative, positive) if name == "wedge" else negative
    return total


def _unpatched(mesh: Mesh, listed: Sides, merged: np.ndarray) -> int:
    """Boundary sides that no patch holds."""
    border = listed.corners[listed.counts[listed.group] == 1]
    named = [np.zeros((0, border.shape[1]), dtype=np.int64)]
    for part in mesh.patches.values():
        for name in part.names:
            corners = N_CORNERS.get(name, CELL_TYPES[name][2])
            if 1 < corners <= border.shape[1]:
                rows = np.full((len(part.where(name)), border.shape[1]), -1, dtype=np.int64)
                rows[:, :corners] = merged[part.block(name)[:, :corners]]
                named.append(rows)
    known = distinct_rows(np.sort(np.concatenate(named), axis=1))
    both = np.concatenate([known, np.sort(border, axis=1)])
    return len(distinct_rows(both)) - len(known)


def _self_intersections(outline: Mesh) -> int:
    start = outline.cells.offsets[:-1][outline.cells.dimensions == 1]
    a, b = (outline.points[outline.cells.connectivity[start + k]] for k in range(2))
    long = (a != b).any(axis=1)
    return len(crossing_segments(a[long], b[long]))


#: (count, what was found, what to do). {edges} and {facets} are the words of the kind of mesh.
_SENTENCES: tuple[tuple[str, str, str], ...] = (
    (
        "open_edges",
        "{edges} belong to one of the {facets} only, so the shape is not closed and forces and enclosed volume are unreliable",
        "close the trailing edge or the holes, or merge points that nearly coincide",
    ),
    (
        "non_manifold_edges",
        "{edges} belong to more than two {facets}, so inside and outside are ambiguous there",
        "remove inner walls and repeated cells",
    ),
    (
        "inconsistent_edges",
        "{edges} lie between {facets} that disagree about which side is out",
        "turn them with geoop.mesh.outline.oriented(mesh)",
    ),
    (
        "inverted_cells",
        "cells are inside out (negative area or volume)",
        "check the order of their points, or the quality settings of the mesh generator",
    ),
    (
        "duplicate_points",
        "points lie on top of others",
        "merge them unless they separate parts on purpose (every facet of an STL file repeats its corners)",
    ),
    ("unused_points", "points belong to no cell", "drop them with mesh.submesh(mesh.cells)"),
    ("degenerate_cells", "cells have no length, area or volume, hence no normal", "remove them and close what stays open"),
    ("repeated_cells", "cells repeat another one, so areas and forces count twice", "keep one of each"),
    (
        "self_intersections",
        "pairs of segments cross, so the outline cuts itself",
        "check the order of its points, often at the trailing edge",
    ),
    (
        "unpatched_facets",
        "boundary facets belong to no named patch, so no force can be asked for there",
        "name them in the mesh generator",
    ),
)


def _findings(found: dict[str, Any]) -> Iterator[str]:
    """Sentences for what is not as it should be, each with its remedy."""
    edges, facets = {"outline": ("end points", "segments"), "volume mesh": ("faces", "cells")}.get(found["kind"], ("edges", "facets"))
    for key, what, remedy in _SENTENCES:
        if found[key]:
            yield f"{found[key]} {what.format(edges=edges, facets=facets)}: {remedy}."
    if (found["enclosed"] or 0.0) < 0:
        yield "the normals point into the body: turn them outward with geoop.mesh.outline.oriented(mesh)."
