"""Matrices of a space as differentiable products of tensors: values and gradients at quadrature points, anything assembled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.sparse import csr_matrix, spmatrix
from torch import Tensor

from ..graph.graph import Graph
from ..graph.segment import weighted_sum
from .space import Space


@dataclass(frozen=True, eq=False)
class SparseTensor:
    """A constant sparse matrix A that multiplies tensors: y = A x, with A^T in the backward pass, any number of times.

    Attributes:
        graph: an edge per entry, from its column to its row.
        weight: (e,) entries in the order of the edges.
    """

    graph: Graph
    weight: Tensor

    @classmethod
    def of(cls, matrix: spmatrix) -> SparseTensor:
        """The tensor of a scipy matrix, in double precision."""
        rows = csr_matrix(matrix)
        rows.sum_duplicates()
        target = np.repeat(np.arange(rows.shape[0], dtype=np.int64), np.diff(rows.indptr))
        graph = Graph(torch.from_numpy(rows.indices.astype(np.int64)), torch.from_numpy(target), rows.shape[1], rows.shape[0])
        return cls(graph, torch.from_numpy(rows.data.astype(np.float64)))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.graph.n_target, self.graph.n_source

    def __matmul__(self, x: Tensor) -> Tensor:
        return weighted_sum(x, self.graph, self.weight)

    @cached_property
    def transposed(self) -> SparseTensor:
        """A^T."""
        _, target, order = self.graph.by_source
        graph = Graph(target, self.graph.source[order], self.graph.n_target, self.graph.n_source)
        return SparseTensor(graph, self.weight[order])

    def diagonal(self) -> Tensor:
        """(n,) entries of the diagonal."""
        on = self.graph.source == self.graph.target
        return self.weight.new_zeros(min(self.shape)).index_add_(0, self.graph.target[on], self.weight[on])

    def to(self, *args, **kwargs) -> SparseTensor:
        """As ``Tensor.to``; the dtype applies to the entries."""
        weight = self.weight.to(*args, **kwargs)
        return SparseTensor(self.graph.to(weight.device), weight)

    @staticmethod
    def concatenate(items: Sequence[SparseTensor]) -> SparseTensor:
        """The block-diagonal matrix of a batch."""
        return SparseTensor(Graph.concatenate([item.graph for item in items]), torch.cat([item.weight for item in items]))


def value_matrix(space: Space) -> SparseTensor:
    """(m, n) values at the unknowns -> values at ``space.quadrature_points``."""
    return SparseTensor.of(_at_quadrature(space, [np.asarray(item[0]) for item in space.basis.basis]))


def gradient_matrices(space: Space) -> tuple[SparseTensor, ...]:
    """d matrices (m, n): values at the unknowns -> one component of the gradient at ``space.quadrature_points`` [1/m]."""
    slopes = [np.asarray(item[0].grad) for item in space.basis.basis]
    return tuple(SparseTensor.of(_at_quadrature(space, [slope[k] for slope in slopes])) for k in range(space.domain.dimension))


def gradient(matrices: Sequence[SparseTensor], values: Tensor) -> Tensor:
    """(m, ..., d) gradients at the quadrature points of (n, ...) values at the unknowns, differentiable as sparse products."""
    return torch.stack([matrix @ values for matrix in matrices], dim=-1)


def _at_quadrature(space: Space, shapes: Sequence[np.ndarray]) -> csr_matrix:
    """The matrix of (nc, q) coefficients per local unknown."""
    cells, q = space.basis.dx.shape
    rows = np.arange(cells * q)
    columns = [np.repeat(dofs, q) for dofs in space.basis.element_dofs]
    entries = [np.broadcast_to(shape, (cells, q)).reshape(-1) for shape in shapes]
    place = (np.tile(rows, len(columns)), np.concatenate(columns))
    return csr_matrix((np.concatenate(entries), place), shape=(cells * q, space.n))
