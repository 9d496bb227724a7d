"""Two rings of neighbours around every node, and weighted least squares on them."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array

#: Weight of the second ring; the first has 1.
SECOND_RING = 0.1
#: Directions that the data fix worse than this, relative to the best one, are left out.
CUTOFF = 1e-4


def rings(node: np.ndarray, item: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """What lies around every node: (k, s) items, padded with the first, and (k, s) their weights: 1, SECOND_RING, padding 0.

    Args:
        node: (t, 3) nodes of the triangles.
        item: (t, 3) or (t, 1) what every corner brings along: its triangle's panel, or the corners themselves.
        count: number of nodes.
    """
    corners = csr_array(coo_array((np.ones(node.size), (node.ravel(), np.repeat(np.arange(len(node)), 3))), shape=(count, len(node))))
    width = item.shape[1]
    brought = csr_array(coo_array((np.ones(item.size), (np.repeat(np.arange(len(node)), width), item.ravel())), shape=(len(node), item.max() + 1)))
    first = csr_array(corners @ brought)
    second = csr_array(corners @ (corners.T @ first))
    first.data[:] = second.data[:] = 1.0
    both = csr_array(first + second)
    both.sort_indices()
    slots = np.diff(both.indptr)
    used = np.arange(slots.max()) < slots[:, None]
    items = np.repeat(both.indices[both.indptr[:-1]][:, None], slots.max(), axis=1)
    weight = np.zeros(used.shape)
    items[used], weight[used] = both.indices, np.where(both.data > 1.5, 1.0, SECOND_RING)
    return items, weight


def weighted_inverse(rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(k, p, d) maps from data to the weighted least-squares solution of (k, d, p) equations, of least norm where data are missing."""
    rows = rows * weight[:, :, None]
    scale = np.maximum(np.linalg.norm(rows, axis=1), 1e-12)
    return np.linalg.pinv(rows / scale[:, None, :], rcond=CUTOFF) / scale[:, :, None] * weight[:, None, :]


def tangent_axes(normals: np.ndarray) -> np.ndarray:
    """(k, 3, 3) two unit tangents and the (k, 3) normal itself."""
    other = np.eye(3)[np.abs(normals).argmin(axis=1)]
    first = np.cross(normals, other)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, np.cross(normals, first), normals], axis=1)
