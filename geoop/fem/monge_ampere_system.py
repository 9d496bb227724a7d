"""Monge-Ampere equation in linear elements: the mass that a map carries to each point, and the linear problem of a step of Newton.

For a map x = xi + G phi of the points, with G a recovered gradient, the cells are moved as they are: the integral of the density over a
moved cell is exact for densities linear in it, no determinant of a recovered Hessian is taken. Changing phi by delta changes the mass of
the hat function v by minus the integral of m (C grad delta) . grad v, where C is the cofactor matrix of the map's Jacobian (Piola's
identity), when the boundary slides on itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from .interpolant import Interpolant
from .small_matrices import determinants

_LEAST = 0.05  # eigenvalue of the Jacobian kept in the linear problem, so that it stays elliptic while the map is not convex yet


@dataclass(frozen=True, eq=False)
class MongeAmpereSystem:
    """Linear simplices at the places that the map starts from.

    Attributes:
        points: (n, d) [m].
        cells: (m, d+1) points of right-handed triangles or tetrahedra.
    """

    points: np.ndarray
    cells: np.ndarray

    @cached_property
    def slopes(self) -> np.ndarray:
        """(m, d+1, d) gradients of the hat functions [1/m]."""
        return Interpolant(self.points, self.cells).slopes

    @cached_property
    def measures(self) -> np.ndarray:
        """(m,) areas or volumes [m^d]."""
        return self.moved_measures(self.points)

    @cached_property
    def lumped(self) -> np.ndarray:
        """(n,) integral of every hat function [m^d]."""
        return self._gathered(self.measures[:, None] * np.full(self.cells.shape[1], 1.0 / self.cells.shape[1]))

    def moved_measures(self, positions: np.ndarray) -> np.ndarray:
        """(m,) signed areas or volumes where the points are at ``positions`` (n, d) [m^d]."""
        corner = positions[self.cells]
        return determinants(corner[:, 1:] - corner[:, :1]) / (2.0 if self.points.shape[1] == 2 else 6.0)

    def masses(self, positions: np.ndarray, density: np.ndarray) -> np.ndarray:
        """(n,) mass of the moved cells, shared evenly by their corners, of a density (n,) at the moved points, linear in between.

        Even shares, as those of :attr:`lumped`: cells of equal mass then balance at the boundary too, where a density weighted by the
        hat functions leans to one side and would push the whole mesh along.
        """
        k = self.cells.shape[1]
        mass = self.moved_measures(positions) * density[self.cells].mean(axis=1)
        return self._gathered(np.repeat(mass / k, k))

    def _gathered(self, local: np.ndarray) -> np.ndarray:
        return np.bincount(self.cells.ravel(), weights=local.ravel(), minlength=len(self.points))

    def jacobians(self, positions: np.ndarray) -> np.ndarray:
        """(m, d, d) derivative of the moved place by the original one in every cell."""
        return np.einsum("mia,mib->mab", positions[self.cells], self.slopes)

    def matrix(self, positions: np.ndarray, density: np.ndarray) -> csr_matrix:
        """(n, n) symmetric positive semi-definite: integral of m (C grad u) . grad v over the cells as they were.

        C is the cofactor matrix of the symmetric part of the Jacobian, whose eigenvalues are kept positive.
        """
        jacobian = self.jacobians(positions)
        value, vector = np.linalg.eigh(0.5 * (jacobian + np.swapaxes(jacobian, 1, 2)))
        value = np.maximum(value, _LEAST)
        cofactor = value.prod(axis=1, keepdims=True) / value
        rotated = np.einsum("mia,mab->mib", self.slopes, vector)
        scale = (self.measures * density[self.cells].mean(axis=1))[:, None] * cofactor
        local = np.einsum("mib,mb,mjb->mij", rotated, scale, rotated, optimize=True)
        i, j = np.broadcast_arrays(self.cells[:, :, None], self.cells[:, None, :])
        return coo_matrix((local.ravel(), (i.ravel(), j.ravel())), shape=(len(self.points),) * 2).tocsr()
