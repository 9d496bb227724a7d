"""A piecewise linear function on simplices, asked at many points again and again: the cells are found by walking.

From a cell near a point the walk steps over the side that the point lies farthest behind, until there is none (O. Devillers, S. Pion,
M. Teillaud, "Walking in a triangulation", Int. J. Found. Comput. Sci. 13, 2002). All points walk at once. Walks that leave a region
with holes or re-entrant corners end on the boundary; their points are looked for in all cells near them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from ..errors import FieldError
from ..mesh.mesh import Mesh
from .simplices import corner_simplices
from .small_matrices import inverses

_STEPS = 200  # of a walk
_INSIDE = 1e-9  # barycentric coordinate that counts as not outside
_CANDIDATES = 24  # cells with the nearest centres, tried where a walk ended on the boundary


@dataclass(frozen=True, eq=False)
class Interpolant:
    """Values at the points of simplices, linear in between; outside, what the nearest place of the nearest cell says.

    Attributes:
        points: (n, d) [m].
        cells: (m, d+1) points of the simplices.
    """

    points: np.ndarray
    cells: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh) -> Interpolant:
        """On the cells of a mesh; cells that are no simplices are cut.

        Raises:
            InvalidMeshError: no linear cells that fill a plane region or a solid.
        """
        return cls(mesh.points, corner_simplices(mesh)[0])

    @cached_property
    def slopes(self) -> np.ndarray:
        """(m, d+1, d) gradients of the barycentric coordinates of every cell [1/m]."""
        corner = self.points[self.cells]
        inverse = inverses(corner[:, 1:] - corner[:, :1])
        rest = np.swapaxes(inverse, 1, 2)
        return np.concatenate([-rest.sum(axis=1, keepdims=True), rest], axis=1)

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

    def locate(self, points: np.ndarray, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Cells (k,) that hold points (k, d) [m] (the nearest that was found, outside), and (k, d+1) barycentric coordinates there, unclipped.

        Args:
            points: where.
            start: (k,) cells where the walks begin; None: at the nearest point.

        Raises:
            FieldError: points of another dimension, or not finite.
        """
        points = np.asarray(points, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != self.points.shape[1] or not np.isfinite(points).all():
            raise FieldError(
                f"points of shape {points.shape}, or not finite", where="Interpolant", remedy=f"give (k, {self.points.shape[1]}) finite points [m]"
            )
        if start is None:
            tree, cell_of = self._starts
            start = cell_of[tree.query(points)[1]]
        cell = np.array(start)
        weight = self._weights(cell, points)
        walking = np.flatnonzero(weight.min(axis=1) < -_INSIDE)
        lost = np.zeros(len(points), dtype=bool)
        for _ in range(_STEPS):
            if not len(walking):
                break
            side = np.argmin(weight[walking], axis=1)
            following = self._across[cell[walking], side]
            lost[walking[following < 0]] = True
            walking, following = walking[following >= 0], following[following >= 0]
            cell[walking] = following
            weight[walking] = self._weights(following, points[walking])
            walking = walking[weight[walking].min(axis=1) < -_INSIDE]
        lost[walking] = True
        if lost.any():
            index = np.flatnonzero(lost)
            cell[index], weight[index] = self._nearest(points[index], cell[index])
        return cell, weight

    def _weights(self, cell: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(k, d+1) barycentric coordinates of points in the planes of their cells."""
        offset = points - self.points[self.cells[cell, 0]]
        weight = np.einsum("kid,kd->ki", self.slopes[cell], offset)
        weight[:, 0] += 1.0
        return weight

    @cached_property
    def _centres(self) -> cKDTree:
        return cKDTree(self.points[self.cells].mean(axis=1))

    def _nearest(self, points: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The cells, of those that walks ended in and those with the nearest centres, that points are least outside of [m]."""
        count = min(_CANDIDATES, len(self.cells))
        tried = np.column_stack([cell, self._centres.query(points, k=count)[1].reshape(len(points), count)])
        rows = np.repeat(np.arange(len(points)), count + 1)
        weight = self._weights(tried.ravel(), points[rows])
        inside = np.clip(weight, 0.0, None)
        inside /= inside.sum(axis=1, keepdims=True)
        place = np.einsum("kc,kcd->kd", inside, self.points[self.cells[tried.ravel()]])
        gap = np.linalg.norm(place - points[rows], axis=1).reshape(tried.shape)
        best = np.argmin(gap, axis=1)
        chosen = np.arange(len(points)) * (count + 1) + best
        return tried.ravel()[chosen], weight[chosen]

    def at(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(k,) or (k, c) values at points (k, d) [m] of the functions with values (n,) or (n, c) at the points of the simplices."""
        return self._mixed(values, *self.locate(points))

    def with_gradient(self, values: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(k,) values at points (k, d) of the function with values (n,), and (k, d) its slopes there [1/m]."""
        cell, weight = self.locate(points)
        slopes = np.einsum("kc,kcd->kd", values[self.cells[cell]], self.slopes[cell])
        return self._mixed(values, cell, weight), slopes

    def _mixed(self, values: np.ndarray, cell: np.ndarray, weight: np.ndarray) -> np.ndarray:
        inside = np.clip(weight, 0.0, None)
        inside /= inside.sum(axis=1, keepdims=True)
        return np.einsum("kc,kc...->k...", inside, values[self.cells[cell]])
