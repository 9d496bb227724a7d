"""Huang's functional of equidistribution and alignment on simplices, in the coordinates of the points, with its exact derivatives.

W. Huang and L. Kamenski, "A geometric discretization and a simple implementation for variational mesh generation and adaptation", J.
Comput. Phys. 301, 2015: for a metric M the sum over cells of |K| G, with

    G = theta sqrt(det M) tr(J M^-1 J^T)^(d p / 2) + (1 - 2 theta) d^(d p / 2) sqrt(det M) (det J / sqrt(det M))^p,

J the Jacobian of the map from the cell to the cell that it was. A density m stands for the metric m^(2/d) I, for which G is
m^(1 - p) (theta |J|^(d p) + (1 - 2 theta) d^(d p / 2) det(J)^p). It tends to infinity where a cell becomes flat, so that a descent that
never raises it cannot fold a cell (the same authors, "On the mesh nonsingularity of the moving mesh PDE method", Math. Comp. 87, 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

P, THETA = 1.5, 1.0 / 3.0


@dataclass(frozen=True, eq=False)
class MeshFunctional:
    """The functional over right-handed simplices.

    Attributes:
        points: (n, d) of the mesh that is the ideal where the density is even.
        cells: (m, d+1) its simplices.
    """

    points: np.ndarray
    cells: np.ndarray

    @cached_property
    def _edges(self) -> np.ndarray:
        """(m, d, d) edges that leave the first corner, as columns, of the cells as they were."""
        return _edges_of(self.points[self.cells])

    @cached_property
    def _whole(self) -> float:
        return float(np.linalg.det(self._edges).sum())

    def value(self, positions: np.ndarray, density: np.ndarray) -> float:
        """The functional (1 per cell measure where nothing moves and the density is 1), infinite where a cell is folded.

        Args:
            positions: (n, d) of the points [m].
            density: (n,) there.
        """
        volume = np.linalg.det(_edges_of(positions[self.cells]))
        if not (volume > 0.0).all():
            return np.inf
        return float(self._parts(positions, density)[0].sum())

    def gradient(self, positions: np.ndarray, density: np.ndarray, slope: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The functional, its (n, d) derivative by the positions, and (m,) the stiffness of each cell.

        Args:
            positions: (n, d) of the points [m], no cell folded.
            density: (n,) there.
            slope: (n, d) of the density there [1/m].
        """
        energy, inverse, jacobian, square, stretch, size = self._parts(positions, density)
        d = self.points.shape[1]
        own = np.einsum("mij,mkj->mik", inverse, jacobian) @ jacobian
        diagonal = energy - P * size
        tension = diagonal[:, None, None] * inverse - (d * P * stretch / square)[:, None, None] * own
        local = np.concatenate([-tension.sum(axis=1, keepdims=True), tension], axis=1)
        share = density[self.cells].mean(axis=1)
        local += ((1.0 - P) * energy / share)[:, None, None] * slope[self.cells] / (d + 1)
        total = np.stack([np.bincount(self.cells.ravel(), weights=local[..., k].ravel(), minlength=len(positions)) for k in range(d)], axis=1)
        return float(energy.sum()), total, stretch + size

    def _parts(self, positions: np.ndarray, density: np.ndarray) -> tuple[np.ndarray, ...]:
        """Per cell: energy, inverse of its edges, Jacobian, its square, and both parts of the energy."""
        d = self.points.shape[1]
        edges = _edges_of(positions[self.cells])
        inverse = np.linalg.inv(edges)
        jacobian = self._edges @ inverse
        volume = np.linalg.det(edges)
        square = np.einsum("mij,mij->m", jacobian, jacobian)
        weight = volume * density[self.cells].mean(axis=1) ** (1.0 - P) / (self._whole * (1.0 - THETA) * d ** (d * P / 2))
        stretch = weight * THETA * square ** (d * P / 2)
        size = weight * (1.0 - 2.0 * THETA) * d ** (d * P / 2) * (np.linalg.det(self._edges) / volume) ** P
        return stretch + size, inverse, jacobian, square, stretch, size

    def stiffness(self, positions: np.ndarray, weight: np.ndarray) -> csr_matrix:
        """(n, n) sum over cells of weight (m,) times grad u . grad v on the cells where they are: the scale of the second derivatives."""
        inverse = np.linalg.inv(_edges_of(positions[self.cells]))
        slopes = np.concatenate([-inverse.sum(axis=1, keepdims=True), inverse], axis=1)
        local = np.einsum("m,mid,mjd->mij", weight, slopes, slopes, optimize=True)
        i, j = np.broadcast_arrays(self.cells[:, :, None], self.cells[:, None, :])
        return coo_matrix((local.ravel(), (i.ravel(), j.ravel())), shape=(len(positions),) * 2).tocsr()


def _edges_of(corner: np.ndarray) -> np.ndarray:
    """(m, d, d) edges that leave the first of (m, d+1, d) corners, as columns."""
    return np.swapaxes(corner[:, 1:] - corner[:, :1], 1, 2)
