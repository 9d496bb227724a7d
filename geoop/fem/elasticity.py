"""Displacements on finite elements: their gradient, and the weak forms of solids that deform.

With shape functions N_a and a law that gives stress P and tangent A = dP/dF from the gradient F = I + grad u, the forms are

    force_ai = int P_ik dN_a/dX_k dV,    stiffness_aibj = int dN_a/dX_k A_ikjl dN_b/dX_l dV,    load_ai = int N_a b_i dV + int N_a t_i dS

(Bonet and Wood, Nonlinear Continuum Mechanics for Finite Element Analysis, 2nd ed., 2008, chapter 8). Sums over cells are batched
matrix products, whose places in the sparse matrix are found once per space (:class:`Pattern`): a further tangent costs its sums only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import skfem
from scipy import sparse

from ..mesh.mesh import Mesh
from .domain import Domain
from .space import Space

#: degree -> polynomial degree that the quadrature is exact for: twice that of the gradient, and two more for the map of curved cells.
_QUADRATURE = {"RefTri": (2, 4), "RefTet": (2, 4), "RefQuad": (3, 5), "RefHex": (3, 5)}
_CHUNK = 4096  # cells at once: bounds the memory of their matrices

#: (k, d) points [m], (k, d) unit normals -> (k, d) values.
OnBoundary = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Pattern:
    """Where the entries of cell matrices over nodes go in a sparse matrix of blocks.

    Attributes:
        count: number of nodes n.
        place: (m,) block of every entry of the (n_cells, a, a) cell matrices, flattened.
        indices, indptr: of the matrix in compressed rows.
    """

    count: int
    place: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray

    @classmethod
    def of(cls, connectivity: np.ndarray, count: int) -> Pattern:
        """The pattern of (n_cells, a) node numbers below ``count``."""
        row, column = np.broadcast_arrays(connectivity[:, :, None], connectivity[:, None, :])
        keys, place = np.unique(row.ravel() * np.int64(count) + column.ravel(), return_inverse=True)
        indptr = np.searchsorted(keys, np.arange(count + 1, dtype=np.int64) * count)
        return cls(count, place, keys % count, indptr)

    def summed(self, values: np.ndarray) -> np.ndarray:
        """(nnz,) sums of (n_cells, a, a) cell matrices."""
        return np.bincount(self.place, weights=values.ravel(), minlength=len(self.indices))

    def matrix(self, blocks: np.ndarray) -> sparse.csr_array:
        """The matrix of (nnz, d, d) blocks, or of (nnz,) numbers."""
        if blocks.ndim == 1:
            return sparse.csr_array((blocks, self.indices, self.indptr), shape=(self.count, self.count))
        size = self.count * blocks.shape[1]
        return sparse.bsr_array((blocks, self.indices, self.indptr), shape=(size, size)).tocsr()


@dataclass(frozen=True, eq=False)
class Displacements:
    """Continuous vector fields, linear or quadratic on each cell: arrays (n, d) over the unknowns of a scalar space.

    Attributes:
        space: of one component.
    """

    space: Space

    @classmethod
    def of(cls, mesh: Mesh, degree: int) -> Displacements:
        """The vector fields on a mesh of triangles, quads, tetrahedra or hexahedra, linear or quadratic.

        Args:
            mesh: see :class:`geoop.fem.domain.Domain`.
            degree: 1 or 2. Degree 2 on a linear mesh has straight sides: it sees a round hole as a polygon.

        Raises:
            InvalidMeshError: cells that have no element, or that fold over themselves.
            ConfigurationError: another degree.
        """
        domain = Domain.of(mesh)
        order = _QUADRATURE[domain.grid.elem.refdom.__name__][degree == 2]
        return cls(Space.of(domain, degree, order=order))

    @property
    def dimension(self) -> int:
        """Of space, 2 or 3."""
        return self.space.domain.dimension

    @property
    def size(self) -> int:
        """Number of unknowns of all components; component i of node a is unknown ``d * a + i`` of matrices."""
        return self.dimension * self.space.n

    @cached_property
    def connectivity(self) -> np.ndarray:
        """(n_cells, a) nodes of every cell."""
        return self.space.basis.element_dofs.T.astype(np.int64)

    @cached_property
    def pattern(self) -> Pattern:
        """Places of the entries of the cells."""
        return Pattern.of(self.connectivity, self.space.n)

    @cached_property
    def weights(self) -> np.ndarray:
        """(n_cells, q) measure of every quadrature point [m^d]."""
        return self.space.basis.dx

    @cached_property
    def shapes(self) -> np.ndarray:
        """(n_cells, q, a) shape functions at the quadrature points; a view of one cell's."""
        return _shapes(self.space.basis)

    @cached_property
    def gradients(self) -> np.ndarray:
        """(n_cells, q, d, a) gradients of the shape functions [1/m]."""
        return gradients_of(self.space.basis)

    def gradient(self, displacement: np.ndarray) -> np.ndarray:
        """(n_cells, q, d, d) du_i/dX_k of (n, d) displacements of the nodes."""
        return vector_gradient(self.gradients, displacement[self.connectivity])

    def force(self, stress: np.ndarray) -> np.ndarray:
        """(n, d) forces on the nodes that balance a stress P, (n_cells, q, d, d) or (d, d) [N; N/m in 2-D]."""
        d = self.dimension
        weighted = np.broadcast_to(stress, (*self.weights.shape, d, d)) * self.weights[..., None, None]
        return self._collected(np.matmul(weighted, self.gradients).sum(axis=1).transpose(0, 2, 1))

    def stiffness(self, tangent: np.ndarray) -> sparse.csr_array:
        """(n d, n d) matrix of a tangent A_ikjl with A_ikjl = A_jlik: (d, d, d, d), or (n_cells, q, d, d, d, d) [Pa]."""
        d, a = self.dimension, self.connectivity.shape[1]
        blocks = np.empty((len(self.pattern.indices), d, d))
        cells = np.empty((len(self.weights), a, a))
        for i in range(d):
            for j in range(i + 1):
                for part in _chunks(len(cells)):
                    law = tangent[i, :, j] if tangent.ndim == 4 else tangent[part, :, i, :, j]
                    cells[part] = self._paired(law, part)
                blocks[:, i, j] = self.pattern.summed(cells)
                if i != j:
                    blocks[:, j, i] = self.pattern.summed(cells.transpose(0, 2, 1))
        return self.pattern.matrix(blocks)

    def _paired(self, law: np.ndarray, part: slice) -> np.ndarray:
        """(cells, a, a) int dN_a/dX_k law_kl dN_b/dX_l."""
        gradients = self.gradients[part]
        n, q, d, a = gradients.shape
        right = np.matmul(law * self.weights[part][..., None, None], gradients).reshape(n, q * d, a)
        return np.matmul(gradients.reshape(n, q * d, a).transpose(0, 2, 1), right)

    def mass(self) -> sparse.csr_array:
        """(n, n) matrix int N_a N_b dV of one component [m^d]."""
        return self.pattern.matrix(self.pattern.summed(np.matmul((self.shapes * self.weights[..., None]).transpose(0, 2, 1), self.shapes)))

    def volume_load(self, density: np.ndarray) -> np.ndarray:
        """(n, c) int N_a b dV of (n_cells, q, c) values at the quadrature points, or of (c,)."""
        values = np.broadcast_to(density, (*self.weights.shape, np.shape(density)[-1])) * self.weights[..., None]
        return self._collected(np.matmul(self.shapes.transpose(0, 2, 1), values))

    def surface_load(self, patch: str, traction: np.ndarray | OnBoundary) -> np.ndarray:
        """(n, d) int N_a t dS over a patch, of a traction (d,) [Pa] or of a function of points and outward normals.

        Raises:
            PatchError: no patch of that name.
        """
        order = 2 * self.space.degree + 2
        facets = skfem.FacetBasis(self.space.domain.grid, self.space.basis.elem, facets=self.space.facets(patch), intorder=order)
        points, normals = (np.moveaxis(np.asarray(item), 0, -1) for item in (facets.global_coordinates(), facets.normals))
        flat = (-1, self.dimension)
        values = traction(points.reshape(flat), normals.reshape(flat)) if callable(traction) else traction
        values = np.asarray(values, dtype=np.float64)
        values = values.reshape(points.shape) if values.ndim == 2 else np.broadcast_to(values, points.shape)
        local = np.einsum("fqa,fqd,fq->fad", _shapes(facets), values, facets.dx)
        return collected(facets.element_dofs.T, local, self.space.n)

    def _collected(self, local: np.ndarray) -> np.ndarray:
        return collected(self.connectivity, local, self.space.n)


def gradients_of(basis: Any) -> np.ndarray:
    """(n_cells, q, d, a) gradients of the shape functions of a scalar basis of scikit-fem [1/m]."""
    return np.ascontiguousarray(np.stack([item[0].grad for item in basis.basis]).transpose(2, 3, 1, 0))


def vector_gradient(gradients: np.ndarray, local: np.ndarray) -> np.ndarray:
    """(n_cells, q, d, d) du_i/dX_k of (n_cells, a, d) values at the nodes of every cell, by :func:`gradients_of`."""
    return np.matmul(local.transpose(0, 2, 1)[:, None], gradients.transpose(0, 1, 3, 2))


def collected(connectivity: np.ndarray, local: np.ndarray, count: int) -> np.ndarray:
    """(count, c) sums of (m, a, c) values at (m, a) nodes."""
    index = connectivity.ravel()
    return np.stack([np.bincount(index, weights=local[..., k].ravel(), minlength=count) for k in range(local.shape[-1])], axis=1)


def _shapes(basis: Any) -> np.ndarray:
    """(cells, q, a) shape functions of a basis."""
    return np.stack([np.broadcast_to(np.asarray(item[0]), basis.dx.shape) for item in basis.basis], axis=-1)


def _chunks(count: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, count, _CHUNK))
