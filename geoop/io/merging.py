"""Points of triangle soups merged where they are equal bit by bit, and plain facts about the triangles that come out."""

from __future__ import annotations

import numpy as np

from ..mesh.cells import Cells

#: Triangles that are looked at together: their corners stay in the cache.
_CHUNK = 16384


def merge_equal(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Merge points with exactly equal coordinates; nothing moves, and no tolerance is involved.

    Args:
        points: (n, d) float32 or float64. Minus zero equals zero.

    Returns:
        (k, d) different points in order of first appearance, and (n,) index of each point among them.
    """
    if not len(points):
        return points, np.zeros(0, dtype=np.int64)
    with np.errstate(invalid="ignore"):
        points = np.ascontiguousarray(points + 0.0)  # -0.0 + 0.0 is +0.0: one bit pattern per position
    words = points.view(np.uint32).reshape(len(points), -1)
    key = np.zeros(len(points), dtype=np.uint64)
    for column in words.T:  # multiply and fold: a 64-bit hash of the coordinates
        key = (key ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    if not np.array_equal(words[first][inverse], words):  # two positions share a hash: sort the coordinates themselves
        _, first, inverse = np.unique(words, axis=0, return_index=True, return_inverse=True)
        inverse = inverse.reshape(-1)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return points[first[order]], rank[inverse]


def degenerate_triangles(points: np.ndarray, triangles: np.ndarray) -> int:
    """How many triangles have no area: repeated corners, or corners on a line to rounding."""
    places = np.asarray(points, dtype=np.float64)
    return sum(_degenerate(places, triangles[start : start + _CHUNK]) for start in range(0, len(triangles), _CHUNK))


def _degenerate(points: np.ndarray, triangles: np.ndarray) -> int:
    a, b, c = (points[triangles[:, i]].T for i in range(3))
    u, v = b - a, c - a
    area = np.abs(u[0] * v[1] - u[1] * v[0])
    if len(u) == 3:
        area = np.sqrt(area**2 + (u[1] * v[2] - u[2] * v[1]) ** 2 + (u[2] * v[0] - u[0] * v[2]) ** 2)
    longest = np.maximum(np.maximum((u**2).sum(0), (v**2).sum(0)), ((u - v) ** 2).sum(0))
    return int((area <= 1e-14 * longest).sum())


def surface_notes(points: np.ndarray, cells: Cells) -> tuple[str, ...]:
    """Sentences about triangles of a surface that are kept but carry no area."""
    triangles = cells.block("triangle")
    if len(triangles) and not (0 <= triangles.min() and triangles.max() < len(points)):
        return ()  # the mesh is refused for it later
    with np.errstate(invalid="ignore", over="ignore"):
        count, total = degenerate_triangles(points, triangles), len(triangles)
    return (f"{count} of {total} triangles have no area; they are kept, and `geoop inspect` says more",) if count else ()
