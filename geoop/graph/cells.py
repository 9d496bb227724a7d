"""Simplices over clouds: Delaunay cells, which cell a point lies in, and barycentric coordinates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.spatial import Delaunay, QhullError
from torch import Tensor

from ..errors import ShapeError
from .graph import Graph
from .neighbors import knn
from .pointset import PointSet

#: relative volume below which a cell is none
_FLAT = 1e-12
#: barycentric coordinate from which on a point counts as inside
_INSIDE = -1e-10
#: pairs of point and cell that are looked at together: about 200 MB at work
_PAIRS = 2**21
#: largest sum of absolute entries in a row of differences; a regular star has 2 to 4
_LARGEST_ROW = 8.0
#: so many nearest points' cells are tried first, and then
_TRIED = (1, 4)


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


def differences(points: PointSet, graph: Graph, cells: PointSet) -> tuple[Graph, PointSet]:
    """What linear finite elements on the cells know about derivatives at their nodes, without dimension: edges between nodes that share a cell, and
    one point per edge whose scalars (e, 1 + d) are the entries of

        (K_ij / K_ii),    h_i sum_T |T| d_k lambda_j / sum_T |T|,      K_ij = sum_T |T| grad lambda_i . grad lambda_j

    over the cells T at node i, h_i^d their volume: the stiffness matrix by its diagonal, and the mean gradient by the size of the star. Constants give
    zero. Slivers at the hull may have rows of any size; none weighs more than a usual one several times.
    """
    d, device = points.dimension, points.pos.device
    table = graph.source.view(-1, d + 1)
    pos, volume = points.pos.detach().double()[table], cells.weight.detach().double()
    sound = volume > 0
    table, volume, pos = table[sound], volume[sound], pos[sound]
    edges = pos[:, 1:] - pos[:, :1]
    slope = torch.linalg.inv(edges).transpose(1, 2)  # (m, d, d) gradients of lambda_1 .. lambda_d
    slope = torch.cat([-slope.sum(dim=1, keepdim=True), slope], dim=1)
    n = len(points)
    star = torch.zeros(n, dtype=volume.dtype, device=device).index_add_(0, table.reshape(-1), volume.repeat_interleave(d + 1))
    stiff = torch.einsum("mik,mjk->mij", slope, slope) * volume[:, None, None]
    size = (star ** (1 / d) / star.clamp(min=torch.finfo(star.dtype).tiny))[table]
    mean = size[:, :, None, None] * (slope * volume[:, None, None])[:, None]
    key = (table[:, :, None] * n + table[:, None, :]).reshape(-1)
    unique, where = torch.unique(key, return_inverse=True)
    entries = torch.cat([stiff.reshape(-1, 1), mean.reshape(-1, d)], dim=1)
    entries = torch.zeros(len(unique), 1 + d, dtype=entries.dtype, device=device).index_add_(0, where, entries)
    near = Graph(unique % n, unique // n, n, n)
    own = torch.zeros(n, dtype=entries.dtype, device=device).index_add_(0, near.target, torch.where(near.source == near.target, entries[:, 0], 0.0))
    entries[:, 0] /= own.clamp(min=torch.finfo(own.dtype).tiny)[near.target]
    row = torch.zeros(n, 1 + d, dtype=entries.dtype, device=device).index_add_(0, near.target, entries.abs())
    entries *= (_LARGEST_ROW / row.clamp(min=_LARGEST_ROW))[near.target]
    counts = torch.bincount(points.batch[near.target], minlength=points.batch_size)
    ptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return near, PointSet(points.pos.new_zeros(near.n_edges, d), entries.to(points.pos), ptr=ptr)


def locate(points: PointSet, graph: Graph, cells: PointSet, queries: PointSet) -> Graph:
    """The cell of every query: edges from the points to the queries, d + 1 for each. Outside of all cells it is the nearest one.

    First the cells around the nearest point are tried, then those around a few more; what is left looks at all cells of its sample. Every query by
    itself.

    Args:
        points: vertices of the cells.
        graph: edges from points to cells, as :func:`triangulate` gives them.
        cells: their centroids.
        queries: the points to be located, same samples.

    Raises:
        ShapeError: a sample without points is asked about.
    """
    d, n, device = points.dimension, len(queries), queries.pos.device
    pos, x = points.pos.detach().double(), queries.pos.detach().double()
    table = graph.source.view(-1, d + 1)
    cell = torch.zeros(n, dtype=torch.int64, device=device)
    left = torch.arange(n, device=device)
    for count in _TRIED:
        if not len(left):
            break
        found, depth = _around(points, graph, cells, queries if len(left) == n else queries.take(left), count)
        inside = depth >= _INSIDE
        cell[left[inside]] = found[inside]
        left = left[~inside]
    sample = torch.bucketize(left, queries.ptr[1:], right=True)
    for s in sample.unique().tolist():
        a, b = int(cells.ptr[s]), int(cells.ptr[s + 1])
        if a == b:
            raise ShapeError(f"sample {s} has queries but no points", where="locate", remedy="give points to every sample that is asked about")
        corners = pos[table[a:b]]
        for rows in left[sample == s].split(max(1, _PAIRS // max(b - a, 1))):
            cell[rows] = a + _nearest(corners, cells.weight[a:b] > 0, x[rows])
    return Graph(table[cell].reshape(-1), torch.arange(n * (d + 1), device=device) // (d + 1), len(points), n)


def _around(points: PointSet, graph: Graph, cells: PointSet, queries: PointSet, count: int) -> tuple[Tensor, Tensor]:
    """(n,) of the cells around the nearest ``count`` points that in which the query lies deepest, and (n,) its smallest barycentric coordinate there."""
    n, device = len(queries), queries.pos.device
    near = knn(points.pos.detach(), queries.pos.detach(), count, points.ptr, queries.ptr)
    start, around, _ = graph.by_source
    number = start.diff()[near.source]
    asked = torch.repeat_interleave(near.target, number)
    first = torch.repeat_interleave(start[near.source] - (number.cumsum(0) - number), number)
    tried = around[first + torch.arange(len(asked), device=device)]
    share = barycentric(points.pos.detach().double()[graph.source.view(-1, points.dimension + 1)[tried]], queries.pos.detach().double()[asked])
    depth = share[:, 0]
    for k in range(1, share.shape[1]):  # a reduction over three numbers per row is slow
        depth = torch.minimum(depth, share[:, k])
    # a cell of one point holds nothing, it can only be the nearest
    depth = torch.where(cells.weight[tried] > 0, depth, -torch.inf)
    deepest = torch.full((n,), -torch.inf, dtype=depth.dtype, device=device).scatter_reduce(0, asked, depth, "amax")
    # several cells share an edge and are equally deep: the lowest number wins, so that the answer does not depend on the company
    best = torch.where(depth == deepest[asked], tried, len(cells))
    return torch.full((n,), len(cells), device=device).scatter_reduce(0, asked, best, "amin"), deepest


def _nearest(corners: Tensor, solid: Tensor, x: Tensor) -> Tensor:
    """(n,) the cell of (m, d+1, d) that holds a point of (n, d), where it is ``solid`` (m,), or comes nearest to it."""
    share = barycentric(corners[None], x[:, None])
    inside = share.clamp(min=0)
    inside = inside / inside.sum(dim=2, keepdim=True)
    off = (torch.einsum("nmk,mkd->nmd", inside, corners) - x[:, None]).square().sum(dim=2)
    return torch.where((share.amin(dim=2) >= _INSIDE) & solid, 0.0, off).argmin(dim=1)


def barycentric(corners: Tensor, x: Tensor) -> Tensor:
    """Barycentric coordinates (..., d+1) of points (..., d) in simplices (..., d+1, d); equal ones in a simplex without volume."""
    first = corners[..., 0, :]
    edges, offset = [corners[..., k, :] - first for k in range(1, x.shape[-1] + 1)], x - first
    whole = _determinant(edges)
    flat = whole == 0
    scale = 1 / torch.where(flat, torch.ones_like(whole), whole)
    parts = [_determinant([offset if i == k else edge for i, edge in enumerate(edges)]) * scale for k in range(len(edges))]
    share = torch.stack([1 - sum(parts), *parts], dim=-1)
    return torch.where(flat[..., None], torch.full_like(share, 1 / share.shape[-1]), share) if bool(flat.any()) else share


def _volumes(corners: Tensor) -> Tensor:
    """(...,) d! times the signed volume."""
    return _determinant([corners[..., k, :] - corners[..., 0, :] for k in range(1, corners.shape[-2])])


def _determinant(rows: list[Tensor]) -> Tensor:
    """(...,) of two or three rows (..., d)."""
    if len(rows) == 2:
        return rows[0][..., 0] * rows[1][..., 1] - rows[0][..., 1] * rows[1][..., 0]
    return (rows[0] * torch.linalg.cross(rows[1], rows[2])).sum(dim=-1)
