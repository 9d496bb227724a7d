"""A binary tree of bounding boxes: which of many boxes overlap, and which boxes may hold the nearest thing to a point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_PAIRS = 2**18  # pairs of boxes compared at once: bounds the memory


@dataclass(frozen=True, eq=False)
class BoxTree:
    """Boxes halved at the median of their centres along the longest axis, down to single boxes.

    Attributes:
        order: (2^depth,) box at every leaf; the number of boxes where a leaf is empty.
        low: per level, (2^level, d) float32 lower corners, rounded down.
        high: per level, (2^level, d) float32 upper corners, rounded up; -inf where a node is empty.
        n_boxes: number of boxes.
    """

    order: np.ndarray
    low: tuple[np.ndarray, ...]
    high: tuple[np.ndarray, ...]
    n_boxes: int

    @classmethod
    def of(cls, low: np.ndarray, high: np.ndarray) -> BoxTree:
        """The tree over boxes with (n, d) lower and upper corners; boxes of any mixture of sizes."""
        n, d = low.shape
        depth = max(int(np.ceil(np.log2(max(n, 1)))), 0)
        order = np.concatenate([np.arange(n), np.full(2**depth - n, n)])
        middle = np.concatenate([(low + high) / 2, np.full((1, d), np.inf)])
        for level in range(depth):
            rows = order.reshape(2**level, -1)
            x = middle[rows]
            wide = np.where(np.isfinite(x), x, -np.inf).max(axis=1) - x.min(axis=1)
            along = np.take_along_axis(x, np.argmax(np.nan_to_num(wide, nan=-1.0, neginf=-1.0), axis=1)[:, None, None], axis=2)[..., 0]
            half = rows.shape[1] // 2
            order = np.take_along_axis(rows, np.argpartition(along, half, axis=1), axis=1).reshape(-1)
        with np.errstate(over="ignore"):
            lower = np.nextafter(np.concatenate([low, np.full((1, d), np.inf)])[order].astype(np.float32), np.float32(-np.inf))
            upper = np.nextafter(np.concatenate([high, np.full((1, d), -np.inf)])[order].astype(np.float32), np.float32(np.inf))
        upper[order == n] = -np.inf
        lows, highs = [lower], [upper]
        for _ in range(depth):
            lows.append(lows[-1].reshape(-1, 2, d).min(axis=1))
            highs.append(highs[-1].reshape(-1, 2, d).max(axis=1))
        return cls(order, tuple(lows[::-1]), tuple(highs[::-1]), n)

    @property
    def depth(self) -> int:
        """Levels below the root."""
        return len(self.low) - 1

    def overlapping_pairs(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pairs i != j of boxes that overlap or touch, each pair once, in pieces."""
        root = np.zeros(1, dtype=np.int32)
        waiting = [(0, root, root)]
        while waiting:
            level, i, j = waiting.pop()
            if level == self.depth:
                a, b = self.order[i], self.order[j]
                kept = a != b
                yield a[kept], b[kept]
                continue
            i, j = _children(i, j)
            level += 1
            low, high = self.low[level], self.high[level]
            kept = (low[i] <= high[j]).all(axis=1)
            i, j = i[kept], j[kept]
            kept = (low[j] <= high[i]).all(axis=1)
            i, j = i[kept], j[kept]
            waiting += [(level, i[k : k + _PAIRS], j[k : k + _PAIRS]) for k in range(0, len(i), _PAIRS)]

    def near(self, points: np.ndarray, reach: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pairs (point, box) with the box within ``reach`` (n,) of the point (n, d), in pieces."""
        query = np.arange(len(points))
        limit = (reach * (1 + 1e-6)) ** 2
        waiting = [(0, query[k : k + _PAIRS], np.zeros(len(query[k : k + _PAIRS]), dtype=np.int64)) for k in range(0, len(query), _PAIRS)]
        while waiting:
            level, q, node = waiting.pop()
            x = points[q]
            outside = np.maximum(np.maximum(self.low[level][node] - x, x - self.high[level][node]), 0.0)
            kept = (outside**2).sum(axis=1) <= limit[q]
            q, node = q[kept], node[kept]
            if level == self.depth:
                yield q, self.order[node]
                continue
            q, node = np.repeat(q, 2), np.stack([2 * node, 2 * node + 1], axis=1).reshape(-1)
            waiting += [(level + 1, q[k : k + _PAIRS], node[k : k + _PAIRS]) for k in range(0, len(q), _PAIRS)]


def _children(i: np.ndarray, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of children of pairs of nodes, each pair of children once."""
    same = i == j
    own, a, b = 2 * i[same], 2 * i[~same], 2 * j[~same]
    return (
        np.concatenate([own, own, own + 1, a, a, a + 1, a + 1]),
        np.concatenate([own, own + 1, own + 1, b, b + 1, b, b + 1]),
    )
