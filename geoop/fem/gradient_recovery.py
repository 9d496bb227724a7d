"""Gradients and Hessians at the points of linear simplices, recovered from values at the points by local quadratic fits.

Polynomial-preserving recovery (Z. Zhang and A. Naga, "A new finite element gradient recovery method: superconvergence property", SIAM
J. Sci. Comput. 26, 2005): round every point a quadratic polynomial is fitted to the values of its neighbours by least squares, and
its slope is taken. Quadratic functions are reproduced on any mesh, at the boundary too. The fit depends on the mesh alone, so that a
recovery is a sparse matrix per direction, made once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix, eye

from ..mesh.mesh import Mesh
from .simplices import corner_simplices

_RINGS = 4  # of neighbours that a fit may reach for
_ROWS = 1 << 15  # fits made at once
_SINGULAR = 1e-10  # eigenvalue of a scaled normal matrix, over the largest, below which a fit knows too little


@dataclass(frozen=True, eq=False)
class GradientRecovery:
    """The recovery on one set of simplices.

    Attributes:
        points: (n, d) [m].
        cells: (m, d+1) points of every triangle or tetrahedron.
    """

    points: np.ndarray
    cells: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh) -> GradientRecovery:
        """The recovery on the cells of a mesh; cells that are no simplices are cut, see :func:`geoop.fem.simplices.simplices`.

        Raises:
            InvalidMeshError: no linear cells that fill a plane region or a solid.
        """
        return cls(mesh.points, corner_simplices(mesh)[0])

    @cached_property
    def matrices(self) -> tuple[csr_matrix, ...]:
        """d matrices (n, n): values at the points -> slopes in each direction [1/m]; rows of points without a cell are zero."""
        return self._coefficients(slice(1, 1 + self.points.shape[1]))

    @cached_property
    def hessian_matrices(self) -> tuple[csr_matrix, ...]:
        """d (d + 1) / 2 matrices (n, n): values -> second derivatives of the fits [1/m^2], in the order xx, xy, (xz,) yy, ..."""
        return self._coefficients(slice(1 + self.points.shape[1], None))

    def gradient(self, values: np.ndarray) -> np.ndarray:
        """(n, d) or (n, d, k) gradients [1/m] of the functions with values (n,) or (n, k) at the points."""
        return np.stack([matrix @ values for matrix in self.matrices], axis=1)

    def hessian(self, values: np.ndarray) -> np.ndarray:
        """(n, d, d) symmetric second derivatives [1/m^2] of the function with values (n,) at the points."""
        d = self.points.shape[1]
        answer = np.empty((len(self.points), d, d))
        for (i, j), matrix in zip(zip(*np.triu_indices(d), strict=True), self.hessian_matrices, strict=True):
            answer[:, i, j] = answer[:, j, i] = matrix @ values
        return answer

    def _coefficients(self, wanted: slice) -> tuple[csr_matrix, ...]:
        """Matrices that give the wanted coefficients of all fits."""
        row, column, entry = self._fits
        return tuple(csr_matrix((values, (row, column)), shape=(len(self.points),) * 2) for values in entry[wanted])

    @cached_property
    def _fits(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows (k,), columns (k,) and (c, k) entries of the matrices values -> coefficients (1, slopes, second derivatives)."""
        n, d = self.points.shape
        near = _neighbours(self.cells, n)
        patch = near + eye(n, format="csr", dtype=bool)
        used = np.unique(self.cells)
        whole = 1 + d + d * (d + 1) // 2
        # one more than a quadratic has coefficients; points of the boundary see one ring on one side only and take two
        few = np.diff(patch.indptr) <= whole
        few[_on_boundary(self.cells)] = True
        waiting, trying, found = used[few[used]], used[~few[used]], []
        for ring in range(1, _RINGS + 1):
            if ring > 1:
                patch = patch @ near + patch
                waiting, trying = waiting[:0], waiting
            for first in range(0, len(trying), _ROWS):
                rows = trying[first : first + _ROWS]
                part, sound = _fitted(self.points, patch, rows, last=ring == _RINGS)
                found.append(part)
                waiting = np.concatenate([waiting, rows[~sound]])
            if not len(waiting):
                break
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found]), np.concatenate([f[2] for f in found], axis=1)


def _neighbours(cells: np.ndarray, n: int) -> csr_matrix:
    """(n, n) which points share a cell."""
    i, j = np.triu_indices(cells.shape[1], 1)
    a, b = cells[:, i].ravel(), cells[:, j].ravel()
    return csr_matrix((np.ones(2 * len(a), dtype=bool), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(n, n))


def _on_boundary(cells: np.ndarray) -> np.ndarray:
    """Points of the facets that belong to one cell only."""
    return np.unique(boundary_facets(cells))


def boundary_facets(cells: np.ndarray) -> np.ndarray:
    """(f, d) points of the facets of simplices (m, d+1) that belong to one cell only, outward where the cell is counter-clockwise (has a positive volume)."""
    sides = {3: ((0, 1), (1, 2), (2, 0)), 4: ((0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3))}[cells.shape[1]]
    rows = np.concatenate([cells[:, side] for side in sides])
    key = np.sort(rows, axis=1)
    order = np.lexsort(key.T)
    new = np.concatenate([[True], (key[order[1:]] != key[order[:-1]]).any(axis=1)])
    count = np.diff(np.append(np.flatnonzero(new), len(order)))
    return rows[order[np.flatnonzero(new)[count == 1]]]


def _fitted(points: np.ndarray, patch: csr_matrix, rows: np.ndarray, last: bool) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Entries (rows, columns, coefficients) of the sound fits of some points, and (k,) which are sound; the last try takes the least solution."""
    d = points.shape[1]
    start, size = patch.indptr[rows], np.diff(patch.indptr)[rows]
    width = int(size.max(initial=1))
    slot = np.arange(width)
    there = slot < size[:, None]
    column = patch.indices[np.where(there, start[:, None] + slot, 0)]
    offset = np.where(there[..., None], points[column] - points[rows, None], 0.0)
    scale = np.linalg.norm(offset, axis=2).max(axis=1)
    z = offset / scale[:, None, None]
    i, j = np.triu_indices(d)
    half = np.where(i == j, 0.5, 1.0)
    basis = np.concatenate([np.ones((*z.shape[:2], 1)), z, half * z[..., i] * z[..., j]], axis=2) * there[..., None]
    value, vector = np.linalg.eigh(np.einsum("nka,nkb->nab", basis, basis))
    weak = value <= _SINGULAR * value[:, -1:]
    if last and weak.any():  # a mesh with too few points for a quadratic: a linear fit, of least size where even that is not there
        poor = weak.any(axis=1)
        basis[poor, :, 1 + d :] = 0.0
        value[poor], vector[poor] = np.linalg.eigh(np.einsum("nka,nkb->nab", basis[poor], basis[poor]))
        weak = value <= _SINGULAR * value[:, -1:]
    sound = ~weak.any(axis=1) | last
    inverse = np.where(weak, 0.0, 1.0 / np.where(weak, 1.0, value))
    fit = np.einsum("nab,nb,ncb,nkc->ank", vector, inverse, vector, basis, optimize=True)
    power = np.concatenate([[0], np.ones(d), np.full(len(i), 2)])
    fit /= scale[None, :, None] ** power[:, None, None]
    kept = there & sound[:, None]
    return (np.repeat(rows, width).reshape(-1, width)[kept], column[kept], fit[:, kept]), sound
