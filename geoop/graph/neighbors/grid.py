"""Search with warp's hash grid: the same kernels on CPU and GPU, all samples of a batch in one grid by group number."""

from __future__ import annotations

from contextlib import contextmanager

import torch
from torch import Tensor

from ...errors import ShapeError
from ...mesh.distance.warp_start import quiet_warp
from .tree import TIE, Edges

wp = quiet_warp()

#: cells per axis of the table that cells are hashed into; more cells cost memory, fewer cost collisions
_LARGEST_TABLE = 128
#: fraction of the extent at which the k-nearest search starts; it doubles from there
_FIRST_RADIUS = 2.0**-19


@wp.kernel
def _count(
    grid: wp.uint64,  # type: ignore[valid-type]
    source: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    target: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    group: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    radius: wp.array(dtype=wp.float64),  # type: ignore[valid-type]
    count: wp.array(dtype=wp.int64),  # type: ignore[valid-type]
):
    i = wp.tid()
    p = target[i]
    r = radius[i]
    # the cells are searched a little wider than the ball: the exact test below alone decides
    query = wp.hash_grid_query(grid, p, r * wp.float64(1.000001), group[i])
    index = int(0)  # noqa: RUF046, UP018 - a variable of the kernel, not a constant
    found = wp.int64(0)
    while wp.hash_grid_query_next(query, index):
        offset = source[index] - p
        if wp.dot(offset, offset) <= r * r:
            found += wp.int64(1)
    count[i] = found


@wp.kernel
def _fill(
    grid: wp.uint64,  # type: ignore[valid-type]
    source: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    target: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    group: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    radius: wp.array(dtype=wp.float64),  # type: ignore[valid-type]
    start: wp.array(dtype=wp.int64),  # type: ignore[valid-type]
    edge_source: wp.array(dtype=wp.int64),  # type: ignore[valid-type]
    edge_target: wp.array(dtype=wp.int64),  # type: ignore[valid-type]
):
    i = wp.tid()
    p = target[i]
    r = radius[i]
    query = wp.hash_grid_query(grid, p, r * wp.float64(1.000001), group[i])
    index = int(0)  # noqa: RUF046, UP018 - a variable of the kernel, not a constant
    slot = start[i]
    while wp.hash_grid_query_next(query, index):
        offset = source[index] - p
        if wp.dot(offset, offset) <= r * r:
            edge_source[slot] = wp.int64(index)
            edge_target[slot] = wp.int64(i)
            slot += wp.int64(1)


class _Grid:
    """A hash grid over the points of all samples; a query sees only the points of its own group."""

    def __init__(self, points: Tensor, group: Tensor, cell: float) -> None:
        flat = bool((points[:, 2] == 0).all())
        side = max(1, min(_LARGEST_TABLE, round(len(points) ** (1 / (2 if flat else 3)))))
        self.points = points
        with self._scope():
            self.grid = wp.HashGrid(side, side, 1 if flat else side, device=wp.device_from_torch(points.device), dtype=wp.float64)
            self.grid.build(wp.from_torch(points, dtype=wp.vec3d), cell, groups=wp.from_torch(group))

    def count(self, queries: Tensor, group: Tensor, radii: Tensor) -> Tensor:
        """(m,) number of points within the radius of every query."""
        result = torch.zeros(len(queries), dtype=torch.int64, device=queries.device)
        with self._scope():
            wp.launch(_count, dim=len(queries), inputs=[*self._inputs(queries, group, radii), wp.from_torch(result)])
        return result

    def edges(self, queries: Tensor, group: Tensor, radii: Tensor) -> Edges:
        """All points within the radius of every query, query by query."""
        count = self.count(queries, group, radii)
        end = count.cumsum(0)
        source = torch.empty(int(end[-1]) if len(end) else 0, dtype=torch.int64, device=queries.device)
        target = torch.empty_like(source)
        if len(source):
            out = [wp.from_torch(a) for a in (end - count, source, target)]
            with self._scope():
                wp.launch(_fill, dim=len(queries), inputs=[*self._inputs(queries, group, radii), *out])
        return source, target

    def _inputs(self, queries: Tensor, group: Tensor, radii: Tensor) -> list:
        clouds = [wp.from_torch(cloud.contiguous(), dtype=wp.vec3d) for cloud in (self.points, queries)]
        return [self.grid.id, *clouds, wp.from_torch(group.contiguous()), wp.from_torch(radii.contiguous())]

    @contextmanager
    def _scope(self):
        """Work on the device of the points and, on a GPU, in torch's own stream, so that the two wait for each other."""
        stream = wp.stream_from_torch(torch.cuda.current_stream(self.points.device)) if self.points.is_cuda else None
        with wp.ScopedDevice(wp.device_from_torch(self.points.device)), wp.ScopedStream(stream):
            yield


def within(source: Tensor, target: Tensor, radius: float | Tensor, source_ptr: Tensor, target_ptr: Tensor) -> Edges:
    """Edges from all source points of the same sample within the radius, one for all or one per target."""
    if len(source) == 0 or len(target) == 0:
        return source_ptr.new_empty(0), source_ptr.new_empty(0)
    radii = radius if isinstance(radius, Tensor) else target.new_full((len(target),), radius)
    points, queries, _ = _from_corner(source, target)
    return _Grid(points, _groups(source_ptr), float(radii.max())).edges(queries, _groups(target_ptr), radii)


def within_pairs(points: Tensor, radius: float, ptr: Tensor) -> Edges:
    """As :func:`within` for one cloud and itself."""
    return within(points, points, radius, ptr, ptr)


def nearest(source: Tensor, target: Tensor, k: int, source_ptr: Tensor, target_ptr: Tensor) -> Edges:
    """Edges from the k nearest source points of the same sample, ties by lowest index.

    The ball of every target doubles until it holds k points; a graded cloud costs its octaves, not its contrast.
    """
    source_group, target_group = _groups(source_ptr), _groups(target_ptr)
    wanted = source_ptr.diff().clamp(max=k)[target_group.long()]
    sources, targets = [source_ptr.new_empty(0)], [source_ptr.new_empty(0)]
    rows = (wanted > 0).nonzero().squeeze(1)
    if len(rows):
        points, queries, extent = _from_corner(source, target)
        radius = _FIRST_RADIUS * (extent or 1.0)
    while len(rows):
        grid = _Grid(points, source_group, radius)
        radii = _smallest_ball(grid, queries[rows], target_group[rows], wanted[rows], radius)
        done = radii > 0
        ready = rows[done]
        found, row = grid.edges(queries[ready], target_group[ready], radii[done])
        chosen, row = _first_k(points, queries[ready], found, row, wanted[ready])
        sources.append(chosen)
        targets.append(ready[row])
        rows = rows[~done]
        radius *= 2.0
    return torch.cat(sources), torch.cat(targets)


def _smallest_ball(grid: _Grid, queries: Tensor, group: Tensor, wanted: Tensor, radius: float) -> Tensor:
    """(m,) the smallest of four radii up to ``radius`` whose ball holds the wanted number of points, 0 if none does."""
    radii = queries.new_zeros(len(queries))
    rows = torch.arange(len(queries), device=queries.device)
    for shrink in (1.0, 2**-0.25, 2**-0.5, 2**-0.75):
        # a tie beyond the ball cannot be seen: the k-th must lie inside by more than the width of a tie
        trial = queries.new_full((len(rows),), radius * shrink * (1 - 4 * TIE))
        rows = rows[grid.count(queries[rows], group[rows], trial) >= wanted[rows]]
        radii[rows] = radius * shrink
    return radii


def _first_k(points: Tensor, queries: Tensor, found: Tensor, row: Tensor, wanted: Tensor) -> Edges:
    """The wanted number of nearest among the candidates of every row, ties by lowest index; every row has enough of them."""
    distance = (points[found] - queries[row]).norm(dim=1)
    order = _by_row(row, distance)
    count = torch.bincount(row, minlength=len(wanted))
    start = count.cumsum(0) - count
    kth = distance[order[start + wanted - 1]]
    # three classes: clearly nearer than the k-th, at the k-th's distance, beyond; the first two by lowest index
    rank = (distance >= kth[row] * (1 - TIE)).long() + (distance > kth[row] * (1 + TIE)).long()
    order = _by_row(row, rank * len(points) + found)
    place = torch.arange(len(order), device=order.device) - start[row[order]]
    chosen = order[place < wanted[row[order]]]
    return found[chosen], row[chosen]


def _by_row(row: Tensor, key: Tensor) -> Tensor:
    """The order that sorts by row, and within a row by key."""
    order = torch.argsort(key, stable=True)
    return order[torch.argsort(row[order], stable=True)]


def _from_corner(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor, float]:
    """Both clouds counted from their common corner, which keeps cell numbers small far from the origin, and their extent."""
    both = torch.cat([source, target])
    corner = both.amin(0)
    return _three(source - corner), _three(target - corner), float((both.amax(0) - corner).norm())


def _three(points: Tensor) -> Tensor:
    """(n, 3) with zeros for the coordinates that are not there."""
    if points.shape[1] > 3:
        raise ShapeError(f"positions have {points.shape[1]} coordinates, the grid has 3 axes", where="grid", remedy="use search='tree'")
    return torch.nn.functional.pad(points, (0, 3 - points.shape[1])).contiguous()


def _groups(ptr: Tensor) -> Tensor:
    """(n,) int32 number of the sample of every point."""
    return torch.repeat_interleave(torch.arange(len(ptr) - 1, device=ptr.device), ptr.diff()).to(torch.int32)
