"""Signed distance to the outline of a mesh: its loops as ordered segments, gaps closed, then the search in numpy or torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree

from ...errors import InvalidMeshError
from ..cells import Cells
from ..loops import loops
from ..measure import area_vectors, point_normals
from ..mesh import Mesh
from ..orientation import oriented
from ..topology import row_groups, welded
from .kept import Kept
from .polygon import nearest_pairs, winding_of_pairs
from .result import Distance, confidence
from .segments import nearest_segment, winding_number

if TYPE_CHECKING:
    from torch import Tensor

_LINE = 0.9  # of the length: chains whose ends lie farther apart than this have no inside


@dataclass(frozen=True, eq=False)
class Pieces:
    """Straight pieces of an outline in order along its loops, bodies counter-clockwise.

    Attributes:
        corners: (s, 2) point indices, from start to end of each piece.
        facet: (s,) cell of the outline.
        flipped: (s,) whether the cell runs the other way in the file.
        normals: (n, 2) outward unit normals at the points.
        gaps: (g, 2) point indices, start and end of the segments that close open chains.
    """

    corners: np.ndarray
    facet: np.ndarray
    flipped: np.ndarray
    normals: np.ndarray
    gaps: np.ndarray


def _pieces(outline: Mesh, signed: bool) -> Pieces:
    """The pieces of an outline; a three-point line is two of them, and a line that the file lists twice is there once.

    Raises:
        InvalidMeshError: so far open that inside has no meaning although a sign is needed, or all pieces have zero length.
    """
    area_vectors(outline)  # raises for anything that is not an outline
    kept = _distinct(outline)
    lines = Mesh(outline.points, outline.cells.take(kept), name=outline.name)
    gaps = _gaps(lines)
    whole = oriented(Mesh(outline.points, Cells.concatenate([lines.cells, Cells.of(line=gaps)]), name=outline.name))
    turned = Mesh(outline.points, whole.cells.take(np.arange(len(kept))), name=outline.name)
    order = np.concatenate([loop.cells for loop in loops(whole)] or [np.zeros(0, dtype=np.int64)])
    order = order[order < len(kept)]
    starts, sizes = turned.cells.offsets[:-1][order], np.diff(turned.cells.offsets)[order]
    ends = turned.cells.connectivity[starts[:, None] + np.arange(2)]
    middle = turned.cells.connectivity[np.where(sizes == 3, starts + 2, starts)]
    both = np.stack([ends[:, :1], middle[:, None], middle[:, None], ends[:, 1:]], axis=1).reshape(-1, 2, 2)
    corners = np.where((sizes == 3)[:, None, None], both, ends[:, None, :])
    piece = np.stack([np.ones(len(order), dtype=bool), sizes == 3], axis=1)
    flat, owner = corners[piece], np.repeat(order, piece.sum(axis=1))
    flipped = lines.cells.connectivity[lines.cells.offsets[:-1][owner]] != turned.cells.connectivity[turned.cells.offsets[:-1][owner]]
    long = (outline.points[flat[:, 0]] != outline.points[flat[:, 1]]).any(axis=1)
    if not long.any():
        raise InvalidMeshError(
            "every facet of the outline has zero length", where=outline.name, remedy="check the coordinates and the unit of the file"
        )
    closing = whole.cells.take(np.arange(len(kept), len(whole.cells))).block("line")
    if signed:
        _require_inside(outline, flat[long], closing)
    return Pieces(flat[long], kept[owner][long], flipped[long], point_normals(turned), closing)


#: (outline, signed) -> its pieces, the last eight kept by content.
pieces = Kept(_pieces, 8)


def _require_inside(outline: Mesh, corners: np.ndarray, gaps: np.ndarray) -> None:
    x = outline.points
    length = np.linalg.norm(x[corners[:, 1]] - x[corners[:, 0]], axis=1).sum()
    if np.linalg.norm(x[gaps[:, 1]] - x[gaps[:, 0]], axis=1).sum() <= _LINE * length:
        return
    raise InvalidMeshError(
        f"the outline is open so far that inside and outside are not defined ({len(gaps)} gaps, between {x[gaps[:3]].tolist()})",
        where=outline.name,
        remedy="close the outline (a blunt trailing edge needs its base segment), or ask for signed=False",
    )


def _distinct(outline: Mesh) -> np.ndarray:
    """Indices of the lines with each set of points once, the first in the file; vertex cells are left out."""
    cells, merged = outline.cells, welded(outline.points)
    keep = np.zeros(len(cells), dtype=bool)
    for name in ("line", "line3"):
        index = cells.where(name)
        rows = np.sort(merged[cells.block(name)], axis=1)
        keep[index[np.unique(row_groups(rows), return_index=True)[1]]] = True
    return np.flatnonzero(keep)


def _gaps(lines: Mesh) -> np.ndarray:
    """(g, 2) segments that join the free ends of chains, nearest ends first."""
    free = np.concatenate([loop.points[[0, -1]] for loop in loops(lines) if not loop.closed] or [np.zeros(0, dtype=np.int64)])
    found: list[tuple[int, int]] = []
    while len(free) >= 2:
        x = lines.points[free]
        apart, others = (np.atleast_2d(part)[:, 1:] for part in KDTree(x).query(x, k=min(len(free), 8)))
        left = np.ones(len(free), dtype=bool)
        for flat in np.argsort(apart, axis=None, kind="stable"):
            i, column = divmod(int(flat), others.shape[1])
            j = int(others[i, column])
            if i != j and left[i] and left[j]:
                found.append((int(free[i]), int(free[j])))
                left[[i, j]] = False
        free = free[left]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def outline_distance(outline: Mesh, points: np.ndarray, *, signed: bool, chunk: int) -> Distance:
    """:func:`geoop.mesh.distance.signed_distance` in 2-D for numpy points, by nested boxes."""
    parts = pieces(outline, signed)
    start, end = outline.points[parts.corners[:, 0]], outline.points[parts.corners[:, 1]]
    nearest = nearest_segment(points, start, end, chunk)
    a, edge = start[nearest], end[nearest] - start[nearest]
    t = np.clip(((points - a) * edge).sum(axis=1) / (edge * edge).sum(axis=1), 0.0, 1.0)
    closest = a + t[:, None] * edge
    offset = points - closest
    length = np.hypot(offset[:, 0], offset[:, 1])
    sign, winding = np.ones(len(points)), None
    if signed:
        gap_start, gap_end = outline.points[parts.gaps[:, 0]], outline.points[parts.gaps[:, 1]]
        turns = winding_number(points, np.concatenate([start, gap_start]), np.concatenate([end, gap_end]), chunk)
        sign = np.where(turns != 0, -1.0, 1.0)
        winding = turns - turns_of_gaps(points, gap_start, gap_end)
    on_wall = length <= 4 * np.finfo(np.float64).eps * max(np.abs(points).max(initial=0.0), np.abs(start).max())
    gradient = sign[:, None] * offset / np.where(on_wall, 1.0, length)[:, None]
    gradient[on_wall] = _wall_normals(parts, nearest[on_wall], t[on_wall], edge[on_wall])
    flipped = parts.flipped[nearest]
    corners = np.where(flipped[:, None], parts.corners[nearest][:, ::-1], parts.corners[nearest])
    parameter = np.where(flipped, 1.0 - t, t)
    sure = None if winding is None else confidence(winding)
    return Distance(sign * length, gradient, closest, parts.facet[nearest], parameter, corners, winding, sure)


def turns_of_gaps(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(n,) angle under which each point sees the segments that close an outline, in turns: its winding number lacks this."""
    total = np.zeros(len(points))
    for a, b in zip(start, end, strict=True):
        u, v = a - points, b - points
        total += np.arctan2(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0], (u * v).sum(axis=1))
    return total / (2 * np.pi)


def _wall_normals(parts: Pieces, nearest: np.ndarray, t: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Normals at points of the wall: that of the facet, at a vertex the mean of its two facets."""
    normal = np.stack([edge[:, 1], -edge[:, 0]], axis=1) / np.linalg.norm(edge, axis=1, keepdims=True)
    vertex = np.where(t < 1e-9, parts.corners[nearest, 0], np.where(t > 1 - 1e-9, parts.corners[nearest, 1], -1))
    smooth = parts.normals[vertex]
    return np.where((vertex >= 0)[:, None] & (np.abs(smooth).sum(axis=1) > 0)[:, None], smooth, normal)


def outline_distance_tensor(outline: Mesh, points: Tensor, *, signed: bool, chunk: int) -> Distance:
    """:func:`geoop.mesh.distance.signed_distance` in 2-D for tensors on a GPU: all pairs in chunks, in double, without a graph."""
    import torch

    parts = pieces(outline, signed)

    def tensor(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(points.device)

    x = tensor(outline.points.copy())
    start, end = (x[tensor(parts.corners[:, k])] for k in (0, 1))
    nearest = nearest_pairs(points, start, end, chunk)
    a, edge = start[nearest], end[nearest] - start[nearest]
    t = (((points - a) * edge).sum(dim=1) / (edge * edge).sum(dim=1)).clamp(0.0, 1.0)
    offset = points - (a + t[:, None] * edge)
    length = torch.linalg.vector_norm(offset, dim=1)
    sign, winding = torch.ones_like(length), None
    if signed:
        gaps = tensor(parts.gaps)
        turns = winding_of_pairs(points, torch.cat([start, x[gaps[:, 0]]]), torch.cat([end, x[gaps[:, 1]]]), chunk)
        sign = 1.0 - 2.0 * (turns != 0).double()
        missing = turns_of_gaps(points.cpu().numpy(), outline.points[parts.gaps[:, 0]], outline.points[parts.gaps[:, 1]])
        winding = turns.double() - tensor(missing)
    on_wall = length <= 4 * torch.finfo(torch.float64).eps * max(float(points.abs().max()) if len(points) else 0.0, float(start.abs().max()))
    gradient = sign[:, None] * offset / torch.where(on_wall, 1.0, length)[:, None]
    rows = on_wall.nonzero()[:, 0]
    gradient[rows] = tensor(_wall_normals(parts, *(value[rows].cpu().numpy() for value in (nearest, t, edge))))
    flipped = tensor(parts.flipped)[nearest]
    corners = tensor(parts.corners)[nearest]
    corners = torch.where(flipped[:, None], corners.flip(1), corners)
    sure = None if winding is None else confidence(winding)
    closest, facet = points - offset, tensor(parts.facet)[nearest]
    return Distance(sign * length, gradient, closest, facet, torch.where(flipped, 1.0 - t, t), corners, winding, sure)
