"""Triangles over the rim of a hole in space."""

from __future__ import annotations

import heapq
from collections.abc import Set

import numpy as np

_EXACT = 250  # points of a rim up to which the best triangulation is sought: it takes n^3 operations
_SLIM = 1e-4  # weight of squared edges beside area: decides between triangulations of equal area, such as those of a flat rim
_FLAT = 1e-12  # of the squared edges: a triangle with less area is none


def rim_triangles(x: np.ndarray, taken: Set[tuple[int, int]]) -> np.ndarray | None:
    """Triangles between the points of a closed rim, running the way of the rim.

    Up to 250 points the triangulation of least area (Barequet and Sharir 1995), found by dynamic programming; of equal areas the
    one with the shorter edges. Beyond that, ears with the shortest new edge are cut one by one.

    Args:
        x: (n, 3) the rim in order.
        taken: edges between points of the rim that facets have already and that no triangle may use inside, as pairs of positions in
            ``x``, the lower one first.

    Returns:
        (n - 2, 3) positions in ``x``; None if every triangulation needs a taken edge or a triangle without area.
    """
    n = len(x)
    if n == 3:
        return np.array([[0, 1, 2]]) if _cost(x[:1], x[1], x[2:])[0] < np.inf else None
    return _least(x, taken) if n <= _EXACT else _greedy(x, taken)


def _cost(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """(k,) cost of triangles; infinite without area."""
    u, v, w = b - a, c - b, a - c
    area = 0.5 * np.linalg.norm(np.cross(u, v), axis=-1)
    squares = (u**2).sum(axis=-1) + (v**2).sum(axis=-1) + (w**2).sum(axis=-1)
    return np.where(area > _FLAT * squares, area + _SLIM * squares, np.inf)


def _least(x: np.ndarray, taken: Set[tuple[int, int]]) -> np.ndarray | None:
    n = len(x)
    best = np.zeros((n, n))
    middle = np.zeros((n, n), dtype=np.int64)
    for span in range(2, n):
        for i in range(n - span):
            j = i + span
            if (i, j) in taken and span < n - 1:
                best[i, j] = np.inf
                continue
            between = np.arange(i + 1, j)
            total = best[i, between] + best[between, j] + _cost(x[i], x[between], x[j])
            k = int(np.argmin(total))
            best[i, j], middle[i, j] = total[k], between[k]
    if not np.isfinite(best[0, n - 1]):
        return None
    rows, waiting = [], [(0, n - 1)]
    while waiting:
        i, j = waiting.pop()
        if j - i < 2:
            continue
        k = int(middle[i, j])
        rows.append((i, k, j))
        waiting += [(i, k), (k, j)]
    return np.array(rows)


def _greedy(x: np.ndarray, taken: Set[tuple[int, int]]) -> np.ndarray | None:
    n = len(x)
    before, after = np.roll(np.arange(n), 1), np.roll(np.arange(n), -1)
    normal = np.cross(x - x[0], np.roll(x, -1, axis=0) - x[0]).sum(axis=0)

    def ear(k: int) -> tuple[float, int, int, int]:
        a, b = int(before[k]), int(after[k])
        length = float(((x[a] - x[b]) ** 2).sum())
        turned = float(np.cross(x[k] - x[a], x[b] - x[k]) @ normal) <= 0  # a reflex corner of a rim that is nearly flat
        return (length * (1e6 if turned else 1.0), k, a, b)

    heap = [ear(k) for k in range(n)]
    heapq.heapify(heap)
    gone = np.zeros(n, dtype=bool)
    rows: list[tuple[int, int, int]] = []
    while heap and len(rows) < n - 2:
        _, k, a, b = heapq.heappop(heap)
        stale = gone[k] or before[k] != a or after[k] != b
        last = len(rows) == n - 3
        if stale or ((min(a, b), max(a, b)) in taken and not last) or not np.isfinite(_cost(x[a], x[k], x[b])):
            continue
        rows.append((a, k, b))
        gone[k] = True
        after[a], before[b] = b, a
        if not last:
            heapq.heappush(heap, ear(a))
            heapq.heappush(heap, ear(b))
    return np.array(rows) if len(rows) == n - 2 else None
