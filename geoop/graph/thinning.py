"""Fewer points that carry the same measure: subsets of a cloud for operators, and nested levels."""

from __future__ import annotations

import numpy as np

from ..errors import ConfigurationError, ShapeError


def thin(points: np.ndarray, weight: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A subset that follows the density of the cloud, with the quadrature weights of what it stands for.

    The cloud is cut by a k-d tree into ``count`` boxes of equally many points (one more or less); of every box the point nearest to its
    weighted centre is kept and carries the weight of the whole box. Deterministic, and the same for a permuted cloud without ties.

    Args:
        points: (n, d).
        weight: (n,) non-negative quadrature weights.
        count: points to keep; all are kept where there are no more.

    Returns:
        (k,) int64 ascending indices of the kept points, and (k,) their weights, whose sum is that of ``weight``.

    Raises:
        ConfigurationError: ``count`` < 1.
        ShapeError: ``weight`` is not one number per point.
    """
    points, weight = np.asarray(points, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    if count < 1:
        raise ConfigurationError(f"{count} points to keep", where="thin", remedy="keep at least one point")
    if weight.shape != points.shape[:1]:
        raise ShapeError(f"{weight.shape} weights for {points.shape} points", where="thin", remedy="give one weight per point")
    if len(points) <= count:
        return np.arange(len(points)), weight.copy()
    kept, carried = [], []
    boxes = [(np.arange(len(points)), count)]
    while boxes:
        members, leaves = boxes.pop()
        inside = points[members]
        if leaves == 1:
            share = weight[members]
            total = share.sum()
            centre = (share @ inside) / total if total > 0 else inside.mean(axis=0)
            kept.append(members[int(((inside - centre) ** 2).sum(axis=1).argmin())])
            carried.append(total)
            continue
        axis = int(np.ptp(inside, axis=0).argmax())
        left = leaves // 2
        cut = round(len(members) * left / leaves)
        # ties are cut by the number of the point: a structured grid has thousands of equal coordinates
        order = members[np.argsort(inside[:, axis], kind="stable")]
        boxes += [(np.sort(order[:cut]), left), (np.sort(order[cut:]), leaves - left)]
    order = np.argsort(kept)
    return np.array(kept, dtype=np.int64)[order], np.array(carried)[order]
