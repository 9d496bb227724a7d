"""A finite-element space as a decoder: coefficients at the nodes in, a continuous field out."""

from __future__ import annotations

from itertools import combinations
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.cells import barycentric, locate, triangulate
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.operator import AbstractOperator, Symmetry

#: length of an edge whose bubble has half of its full height, in the unit of the positions
_LONG = 0.05


class FiniteElement(AbstractOperator):
    """Interpolation in a finite-element space on the Delaunay cells of the source points (Bouziani and Boulle 2024, SPON):

        u(x) = sum_i lambda_i(x) c_i   (+ sum_ij 4 lambda_i(x) lambda_j(x) b_ij  for degree 2)

    over the corners i and the edges ij of the cell that holds x; lambda are its barycentric coordinates. The field takes the coefficient c_i at node i
    and is linear along edges for degree 1: what is prescribed there is exact. Degree 2 is the hierarchical basis: b_ij is the height of the field over
    the mean of its ends in the middle of the edge, b_ij = l^2 / (l^2 + L^2) MLP(h_i + h_j, (h_i - h_j)^2) with the edge's length l, a function of the
    edge alone, so the field stays continuous; it falls with l^2, as that of any smooth field does, and is zero where both ends are fixed. Outside of
    all cells the coordinates in the nearest cell are clamped.

    Source: ``scalars`` (m, channels) coefficients; for degree 2 (m, channels + hidden + 1) with features h and a last column that is 1 at nodes whose
    value is prescribed. Target: any features. Returns the target points with ``scalars`` (n, channels).

    Args:
        channels: fields.
        degree: 1 or 2.
        hidden: features h of the nodes, for degree 2.
    """

    reference: ClassVar[str] = "bouziani-2024-spon"
    symmetry: ClassVar[Symmetry] = Symmetry.E
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(self, channels: int, *, degree: int = 1, hidden: int = 0) -> None:
        super().__init__()
        if degree not in (1, 2) or (degree == 2) != (hidden > 0):
            raise ConfigurationError(f"degree {degree} with {hidden} features", where="FiniteElement", remedy="degree 1, or degree 2 and hidden > 0")
        self.channels, self.degree, self.hidden = channels, degree, hidden
        self.mesh_order = 2.0 if degree == 1 else None  # of coefficients that are given; bubbles are learned
        if degree == 2:
            self.first, self.square = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden, bias=False)
            self.bubble_head = nn.Linear(hidden, channels)
            nn.init.normal_(self.bubble_head.weight, std=1e-3)
            nn.init.zeros_(self.bubble_head.bias)

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        """The corners of the Delaunay cell of every target; for a domain with holes triangulate and locate with the cells that are in it."""
        return locate(source, *triangulate(source), target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        corners = graph.source.view(len(target), target.dimension + 1)

        def rows(values: Tensor) -> Tensor:
            return values.index_select(0, corners.reshape(-1)).view(*corners.shape, values.shape[1])

        share = barycentric(rows(source.pos), target.pos).clamp(min=0)
        share = (share / share.sum(dim=1, keepdim=True)).to(source.scalars.dtype)
        values = rows(source.scalars)
        u = (share[:, :, None] * values[:, :, : self.channels]).sum(dim=1)
        if self.degree == 2:
            u = u + self._bubbles(share, rows(source.pos), values[:, :, self.channels :])
        return target.with_features(scalars=u)

    def _bubbles(self, share: Tensor, pos: Tensor, values: Tensor) -> Tensor:
        h, fixed = values[:, :, :-1], values[:, :, -1]
        i, j = (torch.tensor(ends, device=share.device) for ends in zip(*combinations(range(share.shape[1]), 2), strict=True))
        hidden = self.first(h[:, i] + h[:, j]) + self.square((h[:, i] - h[:, j]).square())
        length = (pos[:, i] - pos[:, j]).square().sum(dim=2).to(share.dtype)
        height = 4 * share[:, i] * share[:, j] * (1 - fixed[:, i] * fixed[:, j]) * length / (length + _LONG**2)
        return (height[:, :, None] * self.bubble_head(nn.functional.gelu(hidden))).sum(dim=1)
