"""A piecewise linear function on simplices, asked at many points again and again; beyond them the nearest place counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from ..errors import FieldError
from ..mesh.mesh import Mesh
from .simplex_search import SimplexSearch
from .simplices import corner_simplices

_CANDIDATES = 24  # cells with the nearest centres, tried for a point that no cell holds


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
    def _search(self) -> SimplexSearch:
        return SimplexSearch(self.points, self.cells)

    @property
    def slopes(self) -> np.ndarray:
        """(m, d+1, d) gradients of the barycentric coordinates of every cell [1/m]."""
        return self._search.slopes

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
        cell, weight, found = self._search.locate(points, start)
        lost = np.flatnonzero(~found)
        if len(lost):
            cell[lost], weight[lost] = self._nearest(points[lost], cell[lost])
        return cell, weight

    @cached_property
    def _centres(self) -> cKDTree:
        return cKDTree(self.points[self.cells].mean(axis=1))

    def _nearest(self, points: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The cells, of those that walks ended in and those with the nearest centres, that points are least outside of [m]."""
        count = min(_CANDIDATES, len(self.cells))
        tried = np.column_stack([cell, self._centres.query(points, k=count)[1].reshape(len(points), count)])
        rows = np.repeat(np.arange(len(points)), count + 1)
        weight = self._search.weights(tried.ravel(), points[rows])
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
