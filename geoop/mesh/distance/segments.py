"""Nearest of many segments and winding number in the plane, in numpy: exact, and fast because most pairs are never formed."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

_LEAF = 8  # segments in a box of the finest level, and boxes in a box of the next


def nearest_segment(points: np.ndarray, start: np.ndarray, end: np.ndarray, chunk: int) -> np.ndarray:
    """(n,) index of the segment nearest to every point, exactly.

    Eight successive segments share a bounding box, eight boxes the next one, and so on. The distance to some vertex bounds
    each point's distance from above; a box that lies beyond the best bound so far is skipped with all it holds, for all
    points at once. What is skipped is proven farther: order along the outline makes it fast, not right.

    Args:
        points: (n, 2).
        start, end: (s, 2) ends of segments of positive length, best in order along the outline.
        chunk: largest number of point-segment pairs that a point set may stand for at once (each pair that is formed needs
            about 40 bytes, and about 25 per point are).
    """
    tree = _BoxTree(start, end)
    index = np.empty(len(points), dtype=np.int64)
    step = max(1, chunk // 25)
    for at in range(0, len(points), step):
        index[at : at + step] = tree.nearest(points[at : at + step])
    return index


class _BoxTree:
    """Nested bounding boxes of successive segments."""

    def __init__(self, start: np.ndarray, end: np.ndarray) -> None:
        self.start, self.step = start, end - start
        self.inverse = 1.0 / (self.step**2).sum(axis=1)
        low, high = np.minimum(start, end), np.maximum(start, end)
        self.levels: list[tuple[np.ndarray, np.ndarray]] = []
        while len(low) > 1:
            first = np.arange(0, len(low), _LEAF)
            low, high = np.minimum.reduceat(low, first), np.maximum.reduceat(high, first)
            self.levels.append((low, high))
        self.sample = np.arange(0, len(start), 4)
        self.vertices = KDTree(start[self.sample]) if len(start) > 512 else None

    def nearest(self, points: np.ndarray) -> np.ndarray:
        x, y = np.ascontiguousarray(points.T)
        self.index, self.square = self._nearest_vertex(points, x, y)
        if self.levels:
            self._descend(len(self.levels) - 1, 0, np.arange(len(points)), x, y)
        return self.index

    def _nearest_vertex(self, points: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A first candidate: the segment that starts at the nearest of every fourth vertex."""
        if self.vertices is not None:
            distance, number = self.vertices.query(points)
            return self.sample[number], distance**2
        index, square = np.zeros(len(x), dtype=np.int64), np.full(len(x), np.inf)
        for i in self.sample:
            d = (x - self.start[i, 0]) ** 2 + (y - self.start[i, 1]) ** 2
            index[d < square] = i
            np.minimum(square, d, out=square)
        return index, square

    def _descend(self, level: int, box: int, rows: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        (x0, y0), (x1, y1) = self.levels[level][0][box], self.levels[level][1][box]
        gap = np.maximum(np.maximum(x0 - x, x - x1), 0.0) ** 2 + np.maximum(np.maximum(y0 - y, y - y1), 0.0) ** 2
        near = gap <= self.square[rows]
        rows = rows[near]
        if not len(rows):
            return
        x, y = x[near], y[near]
        size = len(self.levels[level - 1][0]) if level else len(self.start)
        parts = range(box * _LEAF, min((box + 1) * _LEAF, size))
        if level == 0:
            self._visit(rows, x, y, parts)
            return
        for part in parts:
            self._descend(level - 1, part, rows, x, y)

    def _visit(self, rows: np.ndarray, x: np.ndarray, y: np.ndarray, segments: range) -> None:
        """Compare points with the segments of one box and keep what is nearer."""
        index, square = self.index[rows], self.square[rows]
        for i in segments:
            ex, ey = self.step[i]
            dx, dy = x - self.start[i, 0], y - self.start[i, 1]
            t = (dx * ex + dy * ey) * self.inverse[i]
            np.minimum(np.maximum(t, 0.0, out=t), 1.0, out=t)
            dx -= t * ex
            dy -= t * ey
            d = dx * dx + dy * dy
            index[d < square] = i
            np.minimum(square, d, out=square)
        self.index[rows], self.square[rows] = index, square


def winding_number(points: np.ndarray, start: np.ndarray, end: np.ndarray, chunk: int) -> np.ndarray:
    """(n,) how often closed loops run round each point, counter-clockwise positive: zero is outside.

    Crossings of the ray towards +x (Sunday 2001); the segments are filed by the horizontal slabs between successive vertices
    that they cross, so that a point meets only those at its own height. Exact for any closed loops, self-crossing ones too.
    """
    levels = np.unique(np.concatenate([start[:, 1], end[:, 1]]))
    low = np.searchsorted(levels, np.minimum(start[:, 1], end[:, 1]))
    high = np.searchsorted(levels, np.maximum(start[:, 1], end[:, 1]))
    spans = high - low
    out = np.zeros(len(points), dtype=np.int64)
    if int(spans.sum()) > max(chunk, 64 * len(start)):  # a very jagged outline: filing would cost more than it saves
        step = max(1, chunk // len(start))
        for at in range(0, len(points), step):
            p = points[at : at + step]
            out[at : at + step] = _crossings(p[:, None, :], start[None], end[None]).sum(axis=1)
        return out
    segment = np.repeat(np.arange(len(start)), spans)
    slab = np.repeat(low, spans) + np.arange(len(segment)) - np.repeat(np.cumsum(spans) - spans, spans)
    order = np.argsort(slab, kind="stable")
    segment = segment[order]
    ptr = np.concatenate([[0], np.cumsum(np.bincount(slab, minlength=len(levels)))])
    place = np.searchsorted(levels, points[:, 1], side="right") - 1
    rows = np.flatnonzero((place >= 0) & (place < len(levels) - 1))
    counts = np.diff(ptr)
    for part in _parts(rows, counts[place[rows]], chunk):
        n = counts[place[part]]
        point = np.repeat(part, n)
        entry = np.repeat(ptr[place[part]] - (np.cumsum(n) - n), n) + np.arange(len(point))
        hit = segment[entry]
        out += np.bincount(point, weights=_crossings(points[point], start[hit], end[hit]), minlength=len(points)).astype(np.int64)
    return out


def _parts(rows: np.ndarray, counts: np.ndarray, chunk: int):
    """Split rows so that each part has at most ``chunk`` pairs (or is one row)."""
    total = np.cumsum(counts)
    at = 0
    while at < len(rows):
        done = total[at - 1] if at else 0
        stop = max(at + 1, int(np.searchsorted(total, done + chunk, side="right")))
        yield rows[at:stop]
        at = stop


def _crossings(p: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """+1 where a -> b passes the ray from p upward, -1 downward, 0 elsewhere."""
    side = (b[..., 0] - a[..., 0]) * (p[..., 1] - a[..., 1]) - (p[..., 0] - a[..., 0]) * (b[..., 1] - a[..., 1])
    up = (a[..., 1] <= p[..., 1]) & (b[..., 1] > p[..., 1]) & (side > 0)
    down = (a[..., 1] > p[..., 1]) & (b[..., 1] <= p[..., 1]) & (side < 0)
    return up.astype(np.int8) - down.astype(np.int8)
