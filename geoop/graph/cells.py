"""Simplices over clouds: Delaunay cells, which cell a point lies in, and barycentric coordinates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.spatial import Delaunay, QhullError
from torch import Tensor

from .graph import Graph
from .neighbors import knn
from .pointset import PointSet

#: relative volume below which a cell is none
_FLAT = 1e-12
#: barycentric coordinate from which on a point counts as inside
_INSIDE = -1e-10
#: pairs of point and cell that are looked at together: about 200 MB at work
_PAIRS = 2**21
#: nearest nodes whose cells are tried first
_TRIED = 4


def triangulate(points: PointSet, keep: Callable[[int, np.ndarray], np.ndarray] | None = None) -> tuple[Graph, PointSet]:
    """Delaunay cells of every sample: edges from the points to their cells, d + 1 per cell, and the cells' centroids with volumes as weights.

    A sample that spans no cell (too few points, all on a line) gets one cell per point, of that point alone: interpolation in it is the nearest value.

    Args:
        points: the vertices.
        keep: (sample, (m, d+1) cells by numbers within the sample) -> (m,) which cells belong to the domain. If none does, all are kept.
    """
    d, starts = points.dimension, points.ptr.tolist()
    pos = points.pos.detach().cpu().double().numpy()
    cells, counts = [], [0]
    for sample, (a, b) in enumerate(zip(starts, starts[1:], strict=False)):
        own = _delaunay(pos[a:b])
        if own is None:
            own = np.repeat(np.arange(b - a)[:, None], d + 1, axis=1)
        elif keep is not None and (kept := keep(sample, own)).any():
            own = own[kept]
        cells.append(own + a)
        counts.append(counts[-1] + len(own))
    device = points.pos.device
    table = torch.from_numpy(np.concatenate(cells)).to(device)
    graph = Graph(table.reshape(-1), torch.arange(table.numel(), device=device) // (d + 1), len(points), len(table))
    corners = points.pos.detach()[table]
    volume = _volumes(corners).abs() / (2 if d == 2 else 6)
    return graph, PointSet(corners.mean(dim=1), weight=volume, ptr=torch.tensor(counts, device=device))


def _delaunay(pos: np.ndarray) -> np.ndarray | None:
    """(m, d+1) cells with a volume; None without any."""
    d = pos.shape[1]
    if len(pos) <= d:
        return None
    try:
        cells = Delaunay(pos - pos.mean(axis=0)).simplices.astype(np.int64)
    except QhullError:  # all on a line or a plane
        return None
    edges = pos[cells[:, 1:]] - pos[cells[:, :1]]
    sound = np.abs(np.linalg.det(edges)) > _FLAT * np.linalg.norm(edges, axis=2).max(axis=1) ** d
    return cells[sound] if sound.any() else None


def locate(points: PointSet, graph: Graph, cells: PointSet, queries: PointSet) -> Graph:
    """The cell of every query: edges from the points to the queries, d + 1 for each. Outside of all cells it is the nearest one.

    First the cells around the nearest points are tried; what is left looks at all cells of its sample. Every query by itself.

    Args:
        points: vertices of the cells.
        graph: edges from points to cells, as :func:`triangulate` gives them.
        cells: their centroids.
        queries: the points to be located, same samples.
    """
    d, n, device = points.dimension, len(queries), queries.pos.device
    pos, x = points.pos.detach().double(), queries.pos.detach().double()
    table = graph.source.view(-1, d + 1)
    near = knn(points.pos.detach(), queries.pos.detach(), _TRIED, points.ptr, queries.ptr)
    start, around, _ = graph.by_source
    number = start.diff()[near.source]
    asked = torch.repeat_interleave(near.target, number)
    first = torch.repeat_interleave(start[near.source] - (number.cumsum(0) - number), number)
    tried = around[first + torch.arange(len(asked), device=device)]
    depth = barycentric(pos[table[tried]], x[asked]).amin(dim=1)
    # a cell of one point holds nothing, it can only be the nearest
    depth = torch.where(cells.weight[tried] > 0, depth, -torch.inf)
    deepest = torch.full((n,), -torch.inf, dtype=depth.dtype, device=device).scatter_reduce(0, asked, depth, "amax")
    # several cells share an edge and are equally deep: the lowest number wins, so that the answer does not depend on the company
    best = torch.where(depth == deepest[asked], tried, cells.pos.shape[0])
    cell = torch.full((n,), len(cells), device=device).scatter_reduce(0, asked, best, "amin")
    left = (deepest < _INSIDE).nonzero()[:, 0]
    sample = torch.bucketize(left, queries.ptr[1:], right=True)
    for s in sample.unique().tolist():
        a, b = int(cells.ptr[s]), int(cells.ptr[s + 1])
        corners = pos[table[a:b]]
        for rows in left[sample == s].split(max(1, _PAIRS // max(b - a, 1))):
            cell[rows] = a + _nearest(corners, cells.weight[a:b] > 0, x[rows])
    return Graph(table[cell].reshape(-1), torch.arange(n * (d + 1), device=device) // (d + 1), len(points), n)


def _nearest(corners: Tensor, solid: Tensor, x: Tensor) -> Tensor:
    """(n,) the cell of (m, d+1, d) that holds a point of (n, d), where it is ``solid`` (m,), or comes nearest to it."""
    share = barycentric(corners[None], x[:, None])
    inside = share.clamp(min=0)
    inside = inside / inside.sum(dim=2, keepdim=True)
    off = (torch.einsum("nmk,mkd->nmd", inside, corners) - x[:, None]).square().sum(dim=2)
    return torch.where((share.amin(dim=2) >= _INSIDE) & solid, 0.0, off).argmin(dim=1)


def barycentric(corners: Tensor, x: Tensor) -> Tensor:
    """Barycentric coordinates (..., d+1) of points (..., d) in simplices (..., d+1, d); equal ones in a simplex without volume."""
    d = x.shape[-1]
    whole = _volumes(corners)
    flat = whole == 0
    parts = []
    for k in range(1, d + 1):
        moved = [x if i == k else corners[..., i, :] for i in range(d + 1)]
        parts.append(_volumes(torch.stack(torch.broadcast_tensors(*moved), dim=-2)) / torch.where(flat, torch.ones_like(whole), whole))
    share = torch.stack([1 - sum(parts), *parts], dim=-1)
    return torch.where(flat[..., None], torch.full_like(share, 1 / (d + 1)), share)


def _volumes(corners: Tensor) -> Tensor:
    """(...,) d! times the signed volume."""
    edges = corners[..., 1:, :] - corners[..., :1, :]
    if edges.shape[-1] == 2:
        return edges[..., 0, 0] * edges[..., 1, 1] - edges[..., 0, 1] * edges[..., 1, 0]
    return (edges[..., 0, :] * torch.linalg.cross(edges[..., 1, :], edges[..., 2, :])).sum(dim=-1)
