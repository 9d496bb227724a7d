"""Segments of an outline that cross each other."""

from __future__ import annotations

import numpy as np

_PAIRS = 2**21  # candidate pairs held at once


def crossing_segments(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(k, 2) pairs of segments that cross or overlap, apart from touching at a common end.

    Candidates overlap in the coordinate in which the segments overlap least; orientation tests decide. Two segments that share
    an end count only if they fold back over each other.

    Args:
        start, end: (s, 2) ends.
    """
    axis = int(np.argmin([_overlaps(start[:, k], end[:, k]) for k in range(2)]))
    low, high = np.minimum(start, end), np.maximum(start, end)
    order = np.argsort(low[:, axis], kind="stable")
    last = np.searchsorted(low[order, axis], high[order, axis], side="right")
    counts = np.maximum(last - np.arange(len(order)) - 1, 0)
    total = np.cumsum(counts)
    found = [np.zeros((0, 2), dtype=np.int64)]
    at = 0
    while at < len(order):
        done = total[at - 1] if at else 0
        stop = max(at + 1, int(np.searchsorted(total, done + _PAIRS, side="right")))
        rows = np.arange(at, stop)
        first = np.repeat(rows, counts[rows])
        step = np.arange(len(first)) - np.repeat(np.cumsum(counts[rows]) - counts[rows], counts[rows])
        i, j = order[first], order[first + 1 + step]
        other = 1 - axis
        near = (low[i, other] <= high[j, other]) & (low[j, other] <= high[i, other])
        i, j = i[near], j[near]
        hit = _cross(start[i], end[i], start[j], end[j])
        found.append(np.sort(np.stack([i[hit], j[hit]], axis=1), axis=1))
        at = stop
    return np.unique(np.concatenate(found), axis=0)


def _overlaps(a: np.ndarray, b: np.ndarray) -> int:
    """How many pairs of intervals overlap."""
    low, high = np.sort(np.minimum(a, b)), np.sort(np.maximum(a, b))
    return int(np.searchsorted(low, high, side="right").sum() - len(a) * (len(a) + 1) // 2)


def _cross(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Whether a-b and c-d meet elsewhere than in a common end."""
    same = [(p == q).all(axis=1) for p, q in ((a, c), (a, d), (b, c), (b, d))]
    touching = np.logical_or.reduce(same)
    o1, o2, o3, o4 = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    proper = (np.sign(o1) * np.sign(o2) <= 0) & (np.sign(o3) * np.sign(o4) <= 0)
    # on one line: they overlap if an end of one lies strictly within the other
    flat = (o1 == 0) & (o2 == 0)
    t, u = ((p - a) * (b - a) for p in (c, d))
    length = ((b - a) ** 2).sum(axis=1)
    low, high = np.minimum(t.sum(axis=1), u.sum(axis=1)), np.maximum(t.sum(axis=1), u.sum(axis=1))
    overlap = flat & (low < length) & (high > 0)
    return np.where(touching, overlap, np.where(flat, (low <= length) & (high >= 0), proper))


def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
