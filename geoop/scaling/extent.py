"""The largest distance between two points of a body: the length that no rotation changes."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import cdist

_PAIRS = 1_000_000  # pairs of points per block of the search


def largest_extent(points: np.ndarray) -> float:
    """Largest distance between two of (n, d) points, in their unit.

    Only corners of the convex hull can be the two ends. With more than 4000 of them (a finely meshed round body), the search goes from
    corner to farthest corner from many starts instead of over all pairs; it then may miss the largest distance by a tiny amount.
    """
    points = np.asarray(points, dtype=np.float64)
    corners = _hull(points - points.mean(axis=0))
    if len(corners) <= 4000:
        rows = max(1, _PAIRS // len(corners))
        return float(np.sqrt(max(cdist(corners[k : k + rows], corners, "sqeuclidean").max() for k in range(0, len(corners), rows))))
    best, starts = 0.0, corners[:: max(1, len(corners) // 64)]
    for _ in range(3):
        squared = cdist(starts, corners, "sqeuclidean")
        best, starts = max(best, float(squared.max())), corners[squared.argmax(axis=1)]
    return float(np.sqrt(best))


def _hull(points: np.ndarray) -> np.ndarray:
    """Corners of the convex hull, in the subspace that the points span: a straight line or a flat plate has one too."""
    points = np.unique(points, axis=0)
    if len(points) <= points.shape[1] + 1:
        return points
    _, size, axes = np.linalg.svd(points - points[0], full_matrices=False)
    rank = int((size > 1e-9 * max(size[0], 1e-300)).sum())
    if rank == 0:
        return points[:1]
    flat = (points - points[0]) @ axes[:rank].T
    if rank == 1:
        return points[[int(flat[:, 0].argmin()), int(flat[:, 0].argmax())]]
    return points[ConvexHull(flat).vertices]
