"""Which simplex holds a point, found by walking: several times faster than a tree of boxes, which finds what no walk reaches.

From a cell near a point the walk steps over the side that the point lies farthest behind, until there is none (O. Devillers, S. Pion,
M. Teillaud, "Walking in a triangulation", Int. J. Found. Comput. Sci. 13, 2002). All points walk at once. Walks that leave a region
with holes, slits or re-entrant corners end on the boundary; their points are looked for in all cells whose boxes hold them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from ..mesh.box_tree import BoxTree
from .small_matrices import inverses

_STEPS = 200  # of a walk
_INSIDE = 1e-9  # barycentric coordinate that counts as not outside


@dataclass(frozen=True, eq=False)
class SimplexSearch:
    """Triangles or tetrahedra that are asked again and again which of them holds a point.

    Attributes:
        points: (n, d) [m].
        cells: (m, d+1) points of the simplices.
    """

    points: np.ndarray
    cells: np.ndarray

    @cached_property
    def slopes(self) -> np.ndarray:
        """(m, d+1, d) gradients of the barycentric coordinates of every cell [1/m]; NaN for a cell without measure."""
        corner = self.points[self.cells]
        inverse = inverses(corner[:, 1:] - corner[:, :1])
        inverse[~np.isfinite(inverse).all(axis=(1, 2))] = np.nan
        rest = np.swapaxes(inverse, 1, 2)
        return np.concatenate([-rest.sum(axis=1, keepdims=True), rest], axis=1)

    def weights(self, cell: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(k, d+1) barycentric coordinates of points (k, d) in the planes of their cells (k,)."""
        offset = points - self.points[self.cells[cell, 0]]
        weight = np.einsum("kid,kd->ki", self.slopes[cell], offset)
        weight[:, 0] += 1.0
        return weight

    def locate(self, points: np.ndarray, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cells (k,) that hold finite points (k, d) [m], their barycentric coordinates (k, d+1) there, and whether they do (k,).

        Where no cell holds a point, the cell is the one where its walk ended.

        Args:
            points: where.
            start: (k,) cells where the walks begin; None: at the nearest point.
        """
        cell, weight, found = self.walk(points, start)
        lost = np.flatnonzero(~found)
        for index, candidate in self._boxes.near(points[lost], np.zeros(len(lost))) if len(lost) else ():
            tried = self.weights(candidate, points[lost[index]])
            inside = tried.min(axis=1) >= -_INSIDE  # False for a cell without measure
            chosen = lost[index[inside]]
            cell[chosen], weight[chosen], found[chosen] = candidate[inside], tried[inside], True
        return cell, weight, found

    def walk(self, points: np.ndarray, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As :meth:`locate`, without the search for what no walk has reached."""
        if start is None:
            tree, cell_of = self._starts
            start = cell_of[tree.query(points)[1]]
        cell = np.array(start)
        weight = self.weights(cell, points)
        walking = np.flatnonzero(weight.min(axis=1) < -_INSIDE)
        for _ in range(_STEPS):
            if not len(walking):
                break
            side = np.argmin(weight[walking], axis=1)
            following = self._across[cell[walking], side]
            walking, following = walking[following >= 0], following[following >= 0]
            cell[walking] = following
            weight[walking] = self.weights(following, points[walking])
            walking = walking[weight[walking].min(axis=1) < -_INSIDE]
        return cell, weight, weight.min(axis=1) >= -_INSIDE

    @cached_property
    def _across(self) -> np.ndarray:
        """(m, d+1) cell on the other side of the facet that misses each corner; -1 on the boundary."""
        m, k = self.cells.shape
        rows = np.concatenate([np.delete(self.cells, i, axis=1) for i in range(k)])
        key = np.sort(rows, axis=1)
        order = np.lexsort(key.T)
        same = np.flatnonzero((key[order[1:]] == key[order[:-1]]).all(axis=1))
        across = np.full(m * k, -1, dtype=np.int64)
        a, b = order[same], order[same + 1]
        across[a], across[b] = b % m, a % m
        return across.reshape(k, m).T

    @cached_property
    def _starts(self) -> tuple[cKDTree, np.ndarray]:
        """Tree of the points, and (n,) a cell of each of the points in it."""
        used, first = np.unique(self.cells, return_index=True)
        return cKDTree(self.points[used]), first // self.cells.shape[1]

    @cached_property
    def _boxes(self) -> BoxTree:
        corner = self.points[self.cells]
        low, high = corner.min(axis=1), corner.max(axis=1)
        margin = _INSIDE * (high - low).max(axis=1, keepdims=True)
        return BoxTree.of(low - margin, high + margin)
