"""The stiffness of a mesh as a body: diffusion of each component, or linear elasticity, with a modulus per cell.

Shape functions sum to one, so that every row of a stiffness sums to zero: the blocks of pairs of different nodes are summed up, that of
a node with itself is minus the others of its row. All blocks follow from one tensor per pair, S_ij = int k dN_a/dx_i dN_b/dx_j dV.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from ...errors import InvalidMeshError
from ...fem.elasticity import Displacements
from ...fem.simplices import CUT, simplices
from ...fem.small_matrices import determinants, inverses
from ...mesh.cells import CELL_NAMES
from ...mesh.mesh import Mesh
from ...mesh.shape_functions import reference_cell

#: Linear cells that are taken as they are; others are cut.
_WHOLE = ("triangle", "quad", "tetra", "hexahedron")
_CHUNK = 4096  # cells at once: what fits in the cache


@dataclass(frozen=True, eq=False)
class CellForms:
    """Matrices over the points of a mesh: linear elements, quadratic ones where the cells are quadratic.

    Attributes:
        mesh: the cells; wedges, pyramids and mixed cells are cut as :mod:`geoop.fem.simplices` does.
        connectivity: (nc, a) points of every cell, ascending in every row.
        gradients: (q, d, a, nc) of the shape functions at the quadrature points [1/m].
        weights: (q, nc) measure of every quadrature point [m^d].
        middles: (nc, d) mean of the corners [m].
    """

    mesh: Mesh
    connectivity: np.ndarray
    gradients: np.ndarray
    weights: np.ndarray
    middles: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh) -> CellForms:
        """The forms of a mesh.

        Raises:
            InvalidMeshError: cells that have no element, or that fold over themselves.
        """
        names = {CELL_NAMES[int(code)] for code in np.unique(mesh.cells.types[mesh.cells.dimensions == mesh.dimension])}
        if names and names <= set(CUT[mesh.dimension]):
            kind = names.pop() if len(names) == 1 else ""
            rows = mesh.cells.block(kind) if kind in _WHOLE else simplices(mesh.cells, mesh.dimension)[0]
            gradients, weights = _linear(mesh, kind if kind in _WHOLE else {2: "triangle", 3: "tetra"}[mesh.dimension], rows)
            middles = mesh.points[rows].mean(axis=1)
        else:
            elements = Displacements.of(mesh, 2)  # which refuses cells that have no element
            domain = elements.space.domain
            rows, weights = domain.nodes[elements.connectivity], elements.weights.T
            gradients, middles = elements.gradients.transpose(1, 2, 3, 0), domain.grid.p[:, domain.grid.t].mean(axis=1).T
        order = np.argsort(rows, axis=1).T
        sorted_rows = np.take_along_axis(rows.T, order, axis=0).T
        return cls(mesh, sorted_rows, np.take_along_axis(gradients, order[None, None], axis=2), weights, middles)

    @property
    def measures(self) -> np.ndarray:
        """(nc,) of the cells [m^d]."""
        return self.weights.sum(axis=0)

    def diffusion(self, scale: np.ndarray) -> sp.csr_array:
        """(n, n) int k grad N_a . grad N_b dV, with k (nc,) per cell."""
        return self._pairs.matrix(sum(self._summed(k, k, scale) for k in range(self.gradients.shape[1]))[:, None, None]).tocsr()

    def elasticity(self, scale: np.ndarray, poisson: float) -> sp.bsr_array:
        """(n d, n d) of Hooke's law with Young's modulus (nc,) per cell, in plane strain in 2-D; component i of point a at d a + i."""
        d = self.gradients.shape[1]
        shear, bulk = 0.5 / (1 + poisson), poisson / ((1 + poisson) * (1 - 2 * poisson))
        pairs = np.empty((len(self._pairs.low), d, d))
        for i in range(d):
            for j in range(d):
                pairs[:, i, j] = self._summed(i, j, scale)
        along = shear * np.trace(pairs, axis1=1, axis2=2)
        blocks = bulk * pairs
        blocks += shear * pairs.transpose(0, 2, 1)
        blocks[:, np.arange(d), np.arange(d)] += along[:, None]
        return self._pairs.matrix(blocks)

    @cached_property
    def _pairs(self) -> Pairs:
        return Pairs.of(self.connectivity, len(self.mesh.points))

    def _summed(self, i: int, j: int, scale: np.ndarray) -> np.ndarray:
        """(e,) int k dN_a/dx_i dN_b/dx_j dV of all pairs a < b."""
        first, second = self._pairs.first, self._pairs.second
        local = np.zeros((len(first), len(scale)))
        for start in range(0, len(scale), _CHUNK):
            part = slice(start, start + _CHUNK)
            for gradients, weights in zip(self.gradients[..., part], self.weights[:, part] * scale[part], strict=True):
                left, right = gradients[i] * weights, gradients[j]
                for total, a, b in zip(local[:, part], first, second, strict=True):
                    total += left[a] * right[b]
        return self._pairs.summed(local)


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of different nodes that share a cell, and where their blocks go in a sparse matrix.

    Attributes:
        count: number of nodes n.
        first, second: (p,) the pairs of a cell with ``first`` before ``second``.
        low, high: (e,) nodes of every pair, low < high.
        place: (p nc,) pair that every pair of every cell is, cells running fastest.
    """

    count: int
    first: np.ndarray
    second: np.ndarray
    low: np.ndarray
    high: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, connectivity: np.ndarray, count: int) -> Pairs:
        """The pairs of (nc, a) nodes below ``count``, ascending in every row."""
        first, second = np.triu_indices(connectivity.shape[1], 1)
        nodes = np.ascontiguousarray(connectivity.T)
        keys, place = np.unique((nodes[first] * np.int64(count) + nodes[second]).ravel(), return_inverse=True)
        return cls(count, first, second, keys // count, keys % count, place)

    def summed(self, values: np.ndarray) -> np.ndarray:
        """(e,) sums of (p, nc) numbers of the pairs of every cell."""
        return np.bincount(self.place, weights=values.ravel(), minlength=len(self.low))

    def matrix(self, blocks: np.ndarray) -> sp.bsr_array:
        """The symmetric matrix with (e, k, k) blocks at (low, high) whose rows sum to zero; nodes without a pair have no entries."""
        size = blocks.shape[1]
        turned = blocks.transpose(0, 2, 1)
        own = np.zeros((self.count, size, size))
        for i in range(size):
            for j in range(size):
                own[:, i, j] -= np.bincount(self.low, blocks[:, i, j], self.count) + np.bincount(self.high, turned[:, i, j], self.count)
        alone = np.flatnonzero(np.bincount(self.low, minlength=self.count) + np.bincount(self.high, minlength=self.count))
        rows = np.concatenate([self.low, self.high, alone])
        columns = np.concatenate([self.high, self.low, alone])
        order = sp.csr_array((np.arange(1, len(rows) + 1), (rows, columns)), shape=(self.count, self.count))
        place = np.empty(len(rows), dtype=np.int64)
        place[order.data - 1] = np.arange(len(rows))
        data, e = np.empty((len(rows), size, size)), len(self.low)
        data[place[:e]], data[place[e : 2 * e]], data[place[2 * e :]] = blocks, turned, own[alone]
        return sp.bsr_array((data, order.indices, order.indptr), shape=(self.count * size,) * 2)


def _linear(mesh: Mesh, kind: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(q, d, a, nc) gradients of the shape functions and (q, nc) measures at the quadrature points of linear cells.

    Raises:
        InvalidMeshError: cells whose Jacobian changes sign.
    """
    cell = reference_cell(kind)
    x = mesh.points[rows].transpose(2, 1, 0)
    jacobian = np.einsum("qkr,ikc->qirc", cell.gradients, np.ascontiguousarray(x - x[:, :1]))
    matrices = np.moveaxis(jacobian, 3, 1)  # a view: arithmetic runs along the cells
    volume = determinants(matrices)
    least = np.spacing(1.0) * np.ptp(x, axis=1).max(axis=0) ** mesh.dimension
    bad = (volume.min(axis=0) <= least) & (volume.max(axis=0) >= -least)
    if bad.any():
        at = x[:, 0, np.argmax(bad)]
        raise InvalidMeshError(
            f"{int(bad.sum())} cells fold over themselves or are flat, first near ({', '.join(f'{v:.4g}' for v in at)})",
            where=mesh.name,
            remedy="refine the mesh where its sides bend, remove cells without area, or `geoop inspect FILE` to see them",
        )
    inverse = np.moveaxis(inverses(matrices, volume), 1, 3)
    return np.einsum("qkr,qric->qikc", cell.gradients, inverse), np.abs(volume) * cell.weights[:, None]
