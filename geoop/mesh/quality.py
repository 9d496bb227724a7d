"""What is wrong with a mesh, counted, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csgraph
from scipy.spatial import KDTree

from .baffles import two_sided
from .cell_quality import QualitySummary, degenerate_cells, quality_summaries
from .cells import CELL_TYPES
from .crossings import crossing_segments
from .findings import findings
from .holes import MAX_HOLE, Hole, crack_width, holes
from .intersections import intersecting_triangles
from .measure import cell_measures, enclosed_volume, signed_measures
from .mesh import Mesh
from .orientation import facets_to_turn
from .segments import straight_segments
from .topology import N_CORNERS, Sides, distinct_rows, sides, welded
from .triangulation import triangulated

_SAME_POINT = 1e-12  # of the extent: a far field of 1000 chords and a first cell of 1e-6 chords must stay apart
#: Triangles up to which self-intersections of a surface are counted unless asked for: about eleven seconds.
MOST_TRIANGLES = 1_000_000


@dataclass(frozen=True)
class Opening:
    """A hole of a surface, or a gap of an outline.

    Attributes:
        center: middle of its rim [m].
        size: diagonal of its bounding box, in 2-D the gap [m].
        share: size over the size of its connected part of the mesh (diagonals of bounding boxes).
        length: along its rim [m].
        points: number of points of its rim.
        closed: whether the rim runs all the way round; not so where it ends at an edge of three facets, and in 2-D.
    """

    center: tuple[float, ...]
    size: float
    share: float
    length: float
    points: int
    closed: bool


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
        inward_facets: facets of a closed outline or surface whose neighbours agree with them, but whose part as a whole faces the wrong
            way: into a body, or out of a cavity (see :func:`geoop.mesh.orientation.facets_to_turn`).
        inverted_cells: cells of negative area or volume (the rarer sign among wedges, whose convention varies).
        unpatched_facets: boundary facets of a volume or plane mesh that no patch names.
        duplicate_points: points at the place of another one.
        unused_points: points that neither a cell nor a patch has.
        degenerate_cells: cells of highest dimension without length, area or volume.
        repeated_cells: cells with the same corners as another one, baffles apart.
        baffle_facets: facets of a surface that are the front or back of a sheet without thickness, see
            :mod:`geoop.mesh.baffles`; edges where such a sheet meets the rest are not counted as faults.
        holes: where an outline or surface is open, largest first.
        self_intersections: pairs of crossing segments of an outline (curved ones are cut at their middle nodes first), pairs of triangles of a surface that cut through each other
            (faces with more corners are cut into triangles first); else None, also where they were not counted.
        quality: measures of shape per cell type.
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
    inward_facets: int
    inverted_cells: int
    unpatched_facets: int
    duplicate_points: int
    unused_points: int
    degenerate_cells: int
    repeated_cells: int
    baffle_facets: int
    holes: tuple[Opening, ...]
    self_intersections: int | None
    components: int
    quality: tuple[QualitySummary, ...]
    findings: tuple[str, ...]

    @property
    def largest_gap(self) -> float:
        """Size of the largest opening [m]; 0 where there is none."""
        return self.holes[0].size if self.holes else 0.0

    @property
    def sound(self) -> bool:
        """Nothing was found."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return asdict(self)


def mesh_report(mesh: Mesh, *, intersections: bool | None = None) -> MeshReport:
    """Count what a solver, a distance or a force integral would stumble over.

    Points at exactly equal coordinates count as one where neighbours are looked up, so unmerged STL facets are no open
    surface; they are reported as duplicate points all the same.

    Args:
        mesh: any mesh.
        intersections: whether to count pairs of triangles of a surface that cut through each other; up to a million triangles
            unless said otherwise. Those of outlines are always counted.
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
        "duplicate_points": duplicate_points(mesh.points),
        "unused_points": 0 if mesh.is_cloud else _unused(mesh),
        "degenerate_cells": int(degenerate_cells(mesh, measures).sum()),
        "components": _components(mesh, merged),
    }
    sheets = two_sided(mesh.cells, merged) if mesh.is_surface and mesh.dimension == 3 else np.zeros(len(mesh.cells), dtype=bool)
    counts["baffle_facets"] = int(sheets.sum())
    counts["repeated_cells"] = _repeated(mesh, merged) - counts["baffle_facets"] // 2
    listed = None if mesh.is_cloud else sides(mesh, merged)
    counts |= _neighbours(mesh, merged, listed, sheets)
    counts["quality"] = quality_summaries(mesh, listed)
    counts["self_intersections"] = _self_intersections(mesh, intersections)
    counts["enclosed"] = enclosed_volume(mesh) if counts["closed"] and counts["oriented"] and counts["manifold"] else None
    agreed = counts["closed"] and counts["oriented"] and counts["manifold"]
    counts["inward_facets"] = int(facets_to_turn(mesh).sum()) if agreed else 0
    found = holes(mesh, merged) if counts["open_edges"] else []
    counts["holes"] = tuple(_opening(hole) for hole in found)
    crack = crack_width(mesh, found) if found else None
    crack = 0.0 if crack is not None and crack <= _SAME_POINT * extent else crack
    return MeshReport(**counts, findings=tuple(findings(counts, crack=crack, max_hole=MAX_HOLE)))


def _opening(hole: Hole) -> Opening:
    return Opening(tuple(hole.center.tolist()), hole.size, hole.share, hole.length, len(hole.points), hole.closed)


def _kind(mesh: Mesh) -> str:
    if mesh.is_cloud:
        return "point cloud"
    return ("outline", "plane mesh" if mesh.dimension == 2 else "surface", "volume mesh")[mesh.cell_dimension - 1]


def _unused(mesh: Mesh) -> int:
    """Points that no cell and no patch has."""
    used = np.zeros(len(mesh.points), dtype=bool)
    for part in (mesh.cells, *mesh.patches.values()):
        used[part.connectivity] = True
    return int((~used).sum())


def duplicate_points(points: np.ndarray, tolerance: float = _SAME_POINT) -> int:
    """How many of (n, d) points lie within ``tolerance`` times the extent of another one of lower number: the seams of blocks that were not joined."""
    extent = float(np.linalg.norm(np.ptp(points, axis=0)))
    merged = welded(points)
    exact = merged != np.arange(len(points))
    distinct = points[~exact]
    near = KDTree(distinct).query_pairs(tolerance * extent, output_type="ndarray") if extent > 0 else np.zeros((0, 2), dtype=int)
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


def _neighbours(mesh: Mesh, merged: np.ndarray, listed: Sides | None, sheets: np.ndarray) -> dict[str, Any]:
    """Everything that follows from which cells share which sides."""
    out: dict[str, Any] = dict.fromkeys(("open_edges", "non_manifold_edges", "inconsistent_edges", "inverted_cells", "unpatched_facets"), 0)
    out |= {"closed": None, "oriented": None, "manifold": True}
    if listed is None:
        return out
    beside = np.bincount(listed.group[~sheets[listed.owner]], minlength=len(listed.counts))
    out["non_manifold_edges"] = int((np.where(beside <= 2, beside, listed.counts) > 2).sum())
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
            total += min(negative, positive) if name.startswith("wedge") else negative
    return total


def _unpatched(mesh: Mesh, listed: Sides, merged: np.ndarray) -> int:
    """Boundary sides that no patch holds."""
    border = listed.corners[listed.counts[listed.group] == 1]
    named = [np.zeros((0, border.shape[1]), dtype=np.int64)]
    for part in mesh.patches.values():
        sizes = np.diff(part.offsets)
        for name in part.names:
            for size in np.unique(sizes[part.where(name)]):
                corners = N_CORNERS.get(name, int(size))
                if 1 < corners <= border.shape[1]:
                    index = part.where(name)[sizes[part.where(name)] == size]
                    rows = np.full((len(index), border.shape[1]), -1, dtype=np.int64)
                    rows[:, :corners] = merged[part.connectivity[part.offsets[:-1][index][:, None] + np.arange(corners)]]
                    named.append(rows)
    known = distinct_rows(np.sort(np.concatenate(named), axis=1))
    both = np.concatenate([known, np.sort(border, axis=1)])
    return len(distinct_rows(both)) - len(known)


def _self_intersections(mesh: Mesh, wanted: bool | None) -> int | None:
    if not mesh.is_surface:
        return None
    if mesh.dimension == 2:
        pieces, cell = straight_segments(mesh)
        a, b = (mesh.points[pieces[:, k]] for k in range(2))
        long = (a != b).any(axis=1)
        return _pairs_of_cells(cell[long][crossing_segments(a[long], b[long])])
    if wanted is False or (wanted is None and len(mesh.cells) > MOST_TRIANGLES):
        return None
    triangles, cell = triangulated(mesh)
    return _pairs_of_cells(cell[intersecting_triangles(mesh.points, triangles)])


def _pairs_of_cells(pairs: np.ndarray) -> int:
    """How many different pairs of different cells are among (k, 2) pairs."""
    pairs = np.sort(pairs, axis=1)
    return len(distinct_rows(pairs[pairs[:, 0] != pairs[:, 1]]))
