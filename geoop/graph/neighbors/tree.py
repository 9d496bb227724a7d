"""Search with SciPy's k-d tree: the fastest of what was measured on CPUs (radius by pairs, k-nearest by threads)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

#: distances that differ by less than this, relatively, count as equal
TIE = 1e-12
#: candidates looked at in one go where many points lie at equal distance
_CHUNK = 4_000_000

Edges = tuple[Tensor, Tensor]


def nearest(source: Tensor, target: Tensor, k: int, source_ptr: Tensor, target_ptr: Tensor) -> Edges:
    """Edges from the k nearest source points of the same sample, ties by lowest index; sorted by target, then source."""

    def sample(points: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        index = np.sort(_nearest(points, queries, k), axis=1)
        return index.ravel(), np.repeat(np.arange(len(queries)), index.shape[1])

    return _by_sample(sample, source, target, source_ptr, target_ptr)


def within(source: Tensor, target: Tensor, radius: float | Tensor, source_ptr: Tensor, target_ptr: Tensor) -> Edges:
    """Edges from all source points of the same sample within the radius, one for all or one per target."""
    radii = radius.cpu().numpy() if isinstance(radius, Tensor) else None
    start = iter(target_ptr.tolist())

    def sample(points: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first = next(start)
        tree = cKDTree(points)
        if radii is None:
            found = tree.sparse_distance_matrix(cKDTree(queries), radius, output_type="ndarray")
            return found["i"], found["j"]
        lists = tree.query_ball_point(queries, radii[first : first + len(queries)], workers=torch.get_num_threads())
        return _flat(lists)

    return _by_sample(sample, source, target, source_ptr, target_ptr)


def within_pairs(points: Tensor, radius: float, ptr: Tensor) -> Edges:
    """As :func:`within` for one cloud and itself: every pair is found once and mirrored."""

    def sample(cloud: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pairs = cKDTree(cloud).query_pairs(radius, output_type="ndarray")
        own = np.arange(len(cloud))
        return np.concatenate([pairs[:, 0], pairs[:, 1], own]), np.concatenate([pairs[:, 1], pairs[:, 0], own])

    return _by_sample(sample, points, points, ptr, ptr)


def _by_sample(search, source: Tensor, target: Tensor, source_ptr: Tensor, target_ptr: Tensor) -> Edges:
    """Run ``search(points, queries) -> source index, target index`` for every sample and number the edges globally."""
    sources, targets = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    points, queries = source.cpu().numpy(), target.cpu().numpy()
    for (a, b), (c, d) in zip(_spans(source_ptr), _spans(target_ptr), strict=True):
        found_source, found_target = search(points[a:b], queries[c:d]) if b > a and d > c else (sources[0], targets[0])
        sources.append(np.asarray(found_source, np.int64) + a)
        targets.append(np.asarray(found_target, np.int64) + c)
    return torch.from_numpy(np.concatenate(sources)).to(source.device), torch.from_numpy(np.concatenate(targets)).to(source.device)


def _spans(ptr: Tensor) -> Iterator[tuple[int, int]]:
    bounds = ptr.tolist()
    return zip(bounds[:-1], bounds[1:], strict=True)


def _nearest(points: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """(m, min(k, n)) indices of the nearest points."""
    if k >= len(points):
        return np.broadcast_to(np.arange(len(points)), (len(queries), len(points)))
    tree = cKDTree(points)
    distance, index = tree.query(queries, k + 1, workers=torch.get_num_threads())
    index = index[:, :k]
    # only where the k-th and the next are equally far does the tree's own choice depend on how it was built
    tied = np.flatnonzero(distance[:, k] <= distance[:, k - 1] * (1 + TIE))
    if len(tied):
        index = index.copy()
        reach = distance[tied, k - 1]
        counts = tree.query_ball_point(queries[tied], reach * (1 + TIE), return_length=True, workers=torch.get_num_threads())
        for part in np.split(np.arange(len(tied)), np.flatnonzero(np.diff(np.cumsum(counts) // _CHUNK)) + 1):
            index[tied[part]] = _by_distance_then_index(tree, queries[tied[part]], reach[part], k)
    return index


def _by_distance_then_index(tree: cKDTree, queries: np.ndarray, reach: np.ndarray, k: int) -> np.ndarray:
    """(m, k): all points clearly nearer than ``reach``, then those at ``reach`` by lowest index."""
    column, row = _flat(tree.query_ball_point(queries, reach * (1 + TIE)))
    distance = np.sqrt(((np.asarray(tree.data)[column] - queries[row]) ** 2).sum(1))
    order = np.lexsort((column, distance >= reach[row] * (1 - TIE), row))
    start = np.searchsorted(row[order], np.arange(len(queries)))
    return column[order][start[:, None] + np.arange(k)]


def _flat(lists: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lists of indices as one array and the number of the list that each entry came from."""
    counts = np.fromiter(map(len, lists), np.int64, len(lists))
    flat = np.concatenate([np.asarray(part, np.int64) for part in lists]) if len(lists) else np.empty(0, np.int64)
    return flat, np.repeat(np.arange(len(lists)), counts)
