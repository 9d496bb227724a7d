"""Kernel integral whose kernel is a polynomial in a window: matrix-valued, and nothing but sparse products."""

from __future__ import annotations

import itertools
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import weighted_sum
from ..layers.neighborhood import Ball, Nearest, Pairs
from ..layers.operator import AbstractOperator, Symmetry


class PolynomialKernel(AbstractOperator):
    """Kernel integral (Li et al. 2020, arXiv 2003.03485) with the kernel expanded in monomials of the relative position:

        v'(x) = W v(x) + b + sum_k A_k sum_j w_j g_j o_j^k (N u(y_j)) / sum_j w_j g_j,    o_j = 2 (y_j - x) / r,  |k| <= degree

    g is the window of the neighbourhood. Where a perceptron per edge makes edges x hidden numbers, this makes one sparse product per monomial,
    and every monomial has a whole matrix A_k N. From a cloud to a lattice it gathers weighted moments; from a lattice to a point every node
    carries a polynomial, blended by the window, so that polynomials up to the degree are within reach wherever the point lies.

    Source: ``scalars`` (m, in_channels) u, ``weight``. Target: ``scalars`` (n, target_channels) v. Returns the target points with
    ``scalars`` (n, out_channels).

    Args:
        in_channels: scalars of the source points.
        out_channels: scalars of the result.
        neighborhood: :class:`Ball` or :class:`Nearest`. Only a smooth ball claims an order.
        dimension: of space.
        rank: channels that are summed over the edges.
        degree: of the polynomial.
        target_channels: scalars of the target points that the local term W v(x) reads; 0 leaves it out.
    """

    reference: ClassVar[str] = "li-2020-gkn"
    symmetry: ClassVar[Symmetry] = Symmetry.TRANSLATION
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        neighborhood: Ball | Nearest,
        dimension: int,
        *,
        rank: int = 16,
        degree: int = 2,
        target_channels: int = 0,
    ) -> None:
        super().__init__()
        self.neighborhood = neighborhood
        self.monomials = [axes for total in range(degree + 1) for axes in itertools.combinations_with_replacement(range(dimension), total)]
        self.inner = nn.Linear(in_channels, rank)
        self.mix = nn.Linear(rank * len(self.monomials), out_channels)
        self.local = nn.Linear(target_channels, out_channels, bias=False) if target_channels else None
        self.mesh_order = 2.0 if isinstance(neighborhood, Ball) and neighborhood.smooth else None

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.neighborhood.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        return self.over(self.pairs(source, target, graph), source, target, graph)

    def pairs(self, source: PointSet, target: PointSet, graph: Graph) -> Pairs:
        """Geometry of the edges; where points do not move it may be kept, and given to :meth:`over`."""
        return self.neighborhood.pairs(source, target, graph).normalised(graph)

    def over(self, pairs: Pairs, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        """As :meth:`forward`, from the geometry of the edges."""
        inner, (offset, weight) = self.inner(source.scalars), (2 * pairs.offset, pairs.weight)
        sums = [weighted_sum(inner, graph, weight * _product(offset, axes) if axes else weight) for axes in self.monomials]
        result = self.mix(torch.cat(sums, dim=1))
        return target.with_features(scalars=result if self.local is None else result + self.local(target.scalars))


def _product(offset: Tensor, axes: tuple[int, ...]) -> Tensor:
    result = offset[:, axes[0]]
    for axis in axes[1:]:
        result = result * offset[:, axis]
    return result
