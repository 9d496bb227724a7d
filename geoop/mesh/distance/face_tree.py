"""A binary tree over triangles, laid out in arrays so that a kernel walks it without a stack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAF = 4  # triangles in a leaf: a power of two
_NEEDLE = 1e-3  # area over the square of the length below which a triangle has no disk
_BITS = 21  # of each coordinate in a Morton number


@dataclass(frozen=True, eq=False)
class FaceTree:
    """Triangles in the order of a space-filling curve (Morton 1966), halved down to leaves of a few; node i has children 2 i and 2 i + 1.

    The root is node 1; row 0 is empty. With m leaves they are the nodes m to 2 m - 1, and leaf k holds ``order[k * LEAF : (k + 1) * LEAF]``.

    Attributes:
        order: (m * LEAF,) int32 triangles, -1 for none; those without area are left out.
        low, high: (2 m, 3) corners of the box of every node [m]; infinite, low above high, where a node is empty.
        center: (2 m, 3) mean of the node's triangles, weighted by area [m].
        radius: (2 m,) how far they reach from there [m].
        area: (2 m, 3) sum of their area vectors [m^2].
        disk: (m * LEAF, 7) centre, unit normal and radius of a disk round the triangle at each place of ``order`` [m]; of needles zero
            normal and infinite radius.
    """

    order: np.ndarray
    low: np.ndarray
    high: np.ndarray
    center: np.ndarray
    radius: np.ndarray
    area: np.ndarray
    disk: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, corners: np.ndarray) -> FaceTree:
        """The tree of triangles (t, 3) on (n, 3) points."""
        a, b, c = (points[corners[:, k]] for k in range(3))
        vector = 0.5 * np.cross(b - a, c - a)
        weight = np.sqrt(np.einsum("td,td->t", vector, vector))
        middle = (a + b + c) / 3
        sound = np.flatnonzero(weight > 0)
        ordered = sound[np.argsort(_morton(middle[sound]))]
        n_leaves = 1
        while n_leaves * LEAF < len(ordered):
            n_leaves *= 2

        def slots(rows: np.ndarray, empty: float) -> np.ndarray:
            out = np.full((n_leaves * LEAF, rows.shape[1]), empty)
            out[: len(ordered)] = rows[ordered]
            return out

        order = np.full(n_leaves * LEAF, -1, dtype=np.int32)
        order[: len(ordered)] = ordered
        low = _up(slots(np.minimum(np.minimum(a, b), c), np.inf), np.minimum)
        high = _up(slots(np.maximum(np.maximum(a, b), c), -np.inf), np.maximum)
        sums = _up(slots(np.concatenate([vector, weight[:, None] * middle, weight[:, None]], axis=1), 0.0), np.add)
        center = sums[:, 3:6] / np.where(sums[:, 6:] > 0, sums[:, 6:], 1.0)
        reach = np.where(np.isfinite(low), np.maximum(high - center, center - low), 0.0)
        far = np.maximum(np.maximum(*(np.einsum("td,td->t", x - middle, x - middle) for x in (a, b))), np.einsum("td,td->t", c - middle, c - middle))
        sharp = weight > _NEEDLE * far  # else the normal has lost digits, and a normal of zero excludes nothing
        normal = np.where(sharp[:, None], vector / np.where(sharp, weight, 1.0)[:, None], 0.0)
        radius = np.where(sharp, np.sqrt(far), np.inf)
        disk = slots(np.concatenate([middle, normal, radius[:, None]], axis=1), 0.0)
        return cls(order, low, high, center, np.sqrt(np.einsum("nd,nd->n", reach, reach)), np.ascontiguousarray(sums[:, :3]), disk)


def _up(rows: np.ndarray, join: np.ufunc) -> np.ndarray:
    """(2 m, d) values of all nodes from those of the slots in the leaves (m * LEAF, d)."""
    levels, size = [], LEAF
    while size > 1:
        rows, size = join(rows[::2], rows[1::2]), size // 2
    levels.append(rows)
    while len(levels[-1]) > 1:
        levels.append(join(levels[-1][::2], levels[-1][1::2]))
    return np.concatenate([levels[-1], *levels[::-1]])  # the root stands in row 0 too, which nobody reads


def _morton(x: np.ndarray) -> np.ndarray:
    """(n,) the bits of the coordinates by turns: near numbers are near places."""
    if not len(x):
        return np.zeros(0, dtype=np.int64)
    low = x.min(axis=0)
    width = float((x.max(axis=0) - low).max()) or 1.0
    cell = np.minimum((x - low) / width * 2.0**_BITS, 2.0**_BITS - 1).astype(np.int64)
    for shift, mask in ((32, 0x1F00000000FFFF), (16, 0x1F0000FF0000FF), (8, 0x100F00F00F00F00F), (4, 0x10C30C30C30C30C3), (2, 0x1249249249249249)):
        cell = (cell | (cell << shift)) & mask
    return cell[:, 0] | (cell[:, 1] << 1) | (cell[:, 2] << 2)
