"""Signed distance to the outline of a mesh: its loops as ordered segments, then the search in numpy or torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InvalidMeshError
from ..loops import loops
from ..measure import point_normals
from ..mesh import Mesh
from ..orientation import oriented
from .polygon import segment_distance
from .result import Distance
from .segments import nearest_segment, winding_number

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Pieces:
    """Straight pieces of an outline in order along its loops, bodies counter-clockwise.

    Attributes:
        corners: (s, 2) point indices, from start to end of each piece.
        facet: (s,) cell of the outline.
        flipped: (s,) whether the cell runs the other way in the file.
        normals: (n, 2) outward unit normals at the points.
    """

    corners: np.ndarray
    facet: np.ndarray
    flipped: np.ndarray
    normals: np.ndarray


@lru_cache(maxsize=8)  # a mesh is immutable and hashed by identity: the same object is the same content
def pieces(outline: Mesh, signed: bool) -> Pieces:
    """The pieces of an outline; a three-point line is two of them.

    Raises:
        InvalidMeshError: a chain is open although a sign is needed, or all pieces have zero length.
    """
    turned = oriented(outline)
    found = loops(turned)
    open_ = [loop for loop in found if not loop.closed]
    if signed and open_:
        ends = [outline.points[loop.points[[0, -1]]].tolist() for loop in open_[:3]]
        raise InvalidMeshError(
            f"{len(open_)} of {len(found)} chains of the outline are open (ends at {ends}), so inside and outside are not defined",
            where=outline.name,
            remedy="close the outline (a blunt trailing edge needs its base segment), or ask for signed=False",
        )
    order = np.concatenate([loop.cells for loop in found] or [np.zeros(0, dtype=np.int64)])
    starts = turned.cells.offsets[:-1][order]
    sizes = np.diff(turned.cells.offsets)[order]
    ends = turned.cells.connectivity[starts[:, None] + np.arange(2)]
    middle = turned.cells.connectivity[np.where(sizes == 3, starts + 2, starts)]
    corners = np.where(
        (sizes == 3)[:, None, None],
        np.stack([ends[:, :1], middle[:, None], middle[:, None], ends[:, 1:]], axis=1).reshape(-1, 2, 2),
        ends[:, None, :],
    )
    piece = np.stack([np.ones(len(order), dtype=bool), sizes == 3], axis=1)
    flat, owner = corners[piece], np.repeat(order, piece.sum(axis=1))
    first = outline.cells.connectivity[outline.cells.offsets[:-1][owner]]
    flipped = first != turned.cells.connectivity[turned.cells.offsets[:-1][owner]]
    long = (outline.points[flat[:, 0]] != outline.points[flat[:, 1]]).any(axis=1)
    if not long.any():
        raise InvalidMeshError(
            "every facet of the outline has zero length", where=outline.name, remedy="check the coordinates and the unit of the file"
        )
    return Pieces(flat[long], owner[long], flipped[long], point_normals(turned))


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
    sign = np.where(winding_number(points, start, end, chunk) != 0, -1.0, 1.0) if signed else np.ones(len(points))
    on_wall = length <= 4 * np.finfo(np.float64).eps * max(np.abs(points).max(initial=0.0), np.abs(start).max())
    gradient = sign[:, None] * offset / np.where(on_wall, 1.0, length)[:, None]
    gradient[on_wall] = _wall_normals(parts, nearest[on_wall], t[on_wall], edge[on_wall])
    flipped = parts.flipped[nearest]
    corners = np.where(flipped[:, None], parts.corners[nearest][:, ::-1], parts.corners[nearest])
    return Distance(sign * length, gradient, closest, parts.facet[nearest], np.where(flipped, 1.0 - t, t), corners)


def _wall_normals(parts: Pieces, nearest: np.ndarray, t: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Normals at points of the wall: that of the facet, at a vertex the mean of its two facets."""
    normal = np.stack([edge[:, 1], -edge[:, 0]], axis=1) / np.linalg.norm(edge, axis=1, keepdims=True)
    vertex = np.where(t < 1e-9, parts.corners[nearest, 0], np.where(t > 1 - 1e-9, parts.corners[nearest, 1], -1))
    smooth = parts.normals[vertex]
    return np.where((vertex >= 0)[:, None] & (np.abs(smooth).sum(axis=1) > 0)[:, None], smooth, normal)


def outline_distance_tensor(outline: Mesh, points: Tensor, *, signed: bool, chunk: int) -> Distance:
    """:func:`geoop.mesh.distance.signed_distance` in 2-D for tensors with gradients or on a GPU, all pairs in chunks."""
    import torch

    parts = pieces(outline, signed)

    def tensor(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(points.device)

    vertices = tensor(outline.points.copy()).to(points.dtype)
    ends = tensor(parts.corners)
    found = segment_distance(points, vertices[ends[:, 0]], vertices[ends[:, 1]], signed=signed, chunk=chunk)
    flipped = tensor(parts.flipped)[found.facet]
    corners = ends[found.facet]
    corners = torch.where(flipped[:, None], corners.flip(1), corners)
    parameter = torch.where(flipped, 1.0 - found.parameter, found.parameter)
    return Distance(found.distance, found.gradient, found.closest, tensor(parts.facet)[found.facet], parameter, corners)
