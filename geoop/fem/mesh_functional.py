"""Huang's functional of equidistribution and alignment on simplices, in the coordinates of the points, with its exact derivatives.

W. Huang and L. Kamenski, "A geometric discretization and a simple implementation for variational mesh generation and adaptation", J.
Comput. Phys. 301, 2015: for a metric M the sum over cells of |K| G, with

    G = theta sqrt(det M) tr(J M^-1 J^T)^(d p / 2) + (1 - 2 theta) d^(d p / 2) sqrt(det M) (det J / sqrt(det M))^p,

J the Jacobian of the map from the cell to the cell that it was. A density m stands for the metric m^(2/d) I, for which G is
m^(1 - p) (theta |J|^(d p) + (1 - 2 theta) d^(d p / 2) det(J)^p). It tends to infinity where a cell becomes flat, so that a descent that
never raises it cannot fold a cell (the same authors, "On the mesh nonsingularity of the moving mesh PDE method", Math. Comp. 87, 2018).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from .small_matrices import determinants, inverses

P, THETA = 1.5, 1.0 / 3.0


@dataclass(frozen=True, eq=False)
class Look:
    """The functional somewhere.

    Attributes:
        energy: its value; infinite where a cell is folded.
        parts: what derivatives need, per cell; empty where a cell is folded.
    """

    energy: float
    parts: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class MeshFunctional:
    """The functional over right-handed simplices.

    Attributes:
        points: (n, d) of the mesh that is the ideal where the density is even.
        cells: (m, d+1) its simplices.
        hold: times the measure of all cells, over that of the ideal mesh, is added. In a region that keeps its shape that is a constant;
            where points slide along a polyline they cut its corners, and without it cells would press them to where most is cut.
    """

    points: np.ndarray
    cells: np.ndarray
    hold: float = 0.0

    def held(self, positions: np.ndarray, density: np.ndarray) -> MeshFunctional:
        """The functional with what is added set so that cells do not press on the boundary, on the mean; exactly so where nothing moves
        and the density is even. Arguments as :meth:`value`."""
        return replace(self, hold=(P - 1.0) * replace(self, hold=0.0).value(positions, density))

    @cached_property
    def _edges(self) -> np.ndarray:
        """(m, d, d) edges that leave the first corner, as columns, of the cells as they were."""
        return _edges_of(self.points[self.cells])

    @cached_property
    def _volumes(self) -> np.ndarray:
        return determinants(self._edges)

    def value(self, positions: np.ndarray, density: np.ndarray) -> float:
        """The functional (1 where nothing moves and the density is 1), infinite where a cell is folded.

        Args:
            positions: (n, d) of the points [m].
            density: (n,) there.
        """
        return self.look(positions, density).energy

    def look(self, positions: np.ndarray, density: np.ndarray) -> Look:
        """The functional and what its derivative needs; arguments as :meth:`value`."""
        d = self.points.shape[1]
        edges = _edges_of(positions[self.cells])
        volume = determinants(edges)
        if not (volume > 0.0).all():
            return Look(np.inf, ())
        inverse = inverses(edges, volume)
        jacobian = self._edges @ inverse
        square = np.einsum("mij,mij->m", jacobian, jacobian)
        share = density[self.cells].mean(axis=1)
        weight = volume * share ** (1.0 - P) / (self._volumes.sum() * (1.0 - THETA) * d ** (d * P / 2))
        stretch = weight * THETA * square ** (d * P / 2)
        size = weight * (1.0 - 2.0 * THETA) * d ** (d * P / 2) * (self._volumes / volume) ** P
        added = self.hold * volume / self._volumes.sum()
        return Look(float((stretch + size + added).sum()), (inverse, jacobian, square, share, stretch, size, added))

    def gradient(self, seen: Look, slope: np.ndarray) -> np.ndarray:
        """(n, d) derivative of the functional by the positions that were looked at [1/m].

        Args:
            seen: by :meth:`look`, no cell folded.
            slope: (n, d) of the density there [1/m].
        """
        inverse, jacobian, square, share, stretch, size, added = seen.parts
        d, energy = self.points.shape[1], stretch + size
        own = np.einsum("mij,mkj->mik", inverse, jacobian) @ jacobian
        tension = (energy + added - P * size)[:, None, None] * inverse - (d * P * stretch / square)[:, None, None] * own
        local = np.concatenate([-tension.sum(axis=1, keepdims=True), tension], axis=1)
        local += ((1.0 - P) * energy / share)[:, None, None] * slope[self.cells] / (d + 1)
        rows = self.cells.ravel()
        return np.stack([np.bincount(rows, weights=local[..., k].ravel(), minlength=len(self.points)) for k in range(d)], axis=1)

    def stiffness(self, seen: Look) -> csr_matrix:
        """(n, n) sum over cells of their energy times grad u . grad v where they are: the scale of the second derivatives [1/m^2]."""
        inverse, *_, stretch, size, _ = seen.parts
        slopes = np.concatenate([-inverse.sum(axis=1, keepdims=True), inverse], axis=1)
        local = np.einsum("m,mid,mjd->mij", stretch + size, slopes, slopes, optimize=True)
        i, j = np.broadcast_arrays(self.cells[:, :, None], self.cells[:, None, :])
        return coo_matrix((local.ravel(), (i.ravel(), j.ravel())), shape=(len(self.points),) * 2).tocsr()


def _edges_of(corner: np.ndarray) -> np.ndarray:
    """(m, d, d) edges that leave the first of (m, d+1, d) corners, as columns."""
    return np.swapaxes(corner[:, 1:] - corner[:, :1], 1, 2)
