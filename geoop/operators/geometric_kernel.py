"""Kernel integral whose kernel sees the geometry at both ends: local frames, not axes of space."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from ..errors import ShapeError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import take_source, take_target, weighted_sum
from ..layers.mlp import MLP
from ..layers.neighborhood import Ball, Nearest, Pairs
from ..layers.operator import AbstractOperator, Symmetry


class GeometricKernel(AbstractOperator):
    """Layer of a geometric neural operator (Quackenbush and Atzberger 2024, arXiv 2404.10843) with a factored kernel:

        v'(x) = W v(x) + M sum_j w_j g(|y_j - x| / r) kappa(x, y_j) * (N u(y_j)) / sum_j w_j g(|y_j - x| / r) + b

    kappa is a perceptron of what does not depend on the axes of space: with the offset o = (y - x) / r and the unit normals n_x, n_y at both ends

        o . n_x,   o . n_y,   |o|^2,   |o - (o . n_x) n_x|^2,   n_x . n_y

    (on a curve or surface these hold slope and curvature between the points), and of the features at both ends, which may carry curvature. So it
    commutes with rotations and reflections.

    Source: ``scalars`` (m, in_channels), ``vectors[:, 0]`` unit normals (the gradient of the distance away from the boundary), ``weight``.
    Target: ``scalars`` (n, target_channels), ``vectors[:, 0]``. Returns the target points with ``scalars`` (n, out_channels).

    Args:
        in_channels: scalars of the source points.
        out_channels: scalars of the result.
        neighborhood: :class:`Ball` or :class:`Nearest`. Only a smooth ball claims an order.
        gains: kernel values per edge.
        hidden: width of the kernel's perceptron.
        target_channels: scalars of the target points.
    """

    reference: ClassVar[str] = "quackenbush-2024-gnp"
    symmetry: ClassVar[Symmetry] = Symmetry.E
    mesh_order: ClassVar[float | None] = 2.0

    def __init__(
        self, in_channels: int, out_channels: int, neighborhood: Ball | Nearest, *, gains: int = 32, hidden: int = 32, target_channels: int = 0
    ) -> None:
        super().__init__()
        self.neighborhood = neighborhood
        self.geometry = nn.Linear(5, hidden)
        self.source = nn.Linear(in_channels, hidden, bias=False)
        self.target = nn.Linear(target_channels, hidden, bias=False) if target_channels else None
        self.gain = nn.Linear(hidden, gains)
        self.inner = nn.Linear(in_channels, gains)
        self.mix = nn.Linear(gains, out_channels)
        self.local = nn.Linear(target_channels, out_channels, bias=False) if target_channels else None
        self.mesh_order = 2.0 if isinstance(neighborhood, Ball) and neighborhood.smooth else None

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.neighborhood.connect(source, target)

    def pairs(self, source: PointSet, target: PointSet, graph: Graph) -> Tensor:
        """(e, 6) what the kernel knows of the geometry of every edge, and the share of its source in the mean."""
        if not (source.vectors.shape[1] and target.vectors.shape[1]):
            raise ShapeError("points without normals", where="GeometricKernel", remedy="give unit normals as the first vector of both clouds")
        pairs = self.neighborhood.pairs(source, target, graph).normalised(graph)
        return torch.cat([_invariants(pairs, source, target, graph), pairs.weight[:, None]], dim=1)

    def forward(self, source: PointSet, target: PointSet, graph: Graph, pairs: Tensor | None = None) -> PointSet:
        """``pairs`` are those of :meth:`pairs`, where they are known: several layers on the same points compute them once."""
        pairs = self.pairs(source, target, graph) if pairs is None else pairs
        hidden = self.geometry(pairs[:, :5]) + take_source(self.source(source.scalars), graph)
        if self.target is not None:
            hidden = hidden + take_target(self.target(target.scalars), graph)
        gains = self.gain(nn.functional.gelu(hidden)) * pairs[:, 5:]
        result = self.mix(weighted_sum(self.inner(source.scalars), graph, gains))
        return target.with_features(scalars=result if self.local is None else result + self.local(target.scalars))


def _invariants(pairs: Pairs, source: PointSet, target: PointSet, graph: Graph) -> Tensor:
    """(e, 5) see :class:`GeometricKernel`."""
    there, here = take_source(source.vectors[:, 0], graph), take_target(target.vectors[:, 0], graph)
    up = (pairs.offset * here).sum(dim=1)
    return torch.stack([up, (pairs.offset * there).sum(dim=1), pairs.squared, pairs.squared - up.square(), (there * here).sum(dim=1)], dim=1)


class BoundaryBlock(nn.Module):
    """Residual block on the points of a boundary: v' = v + B gelu(A [norm v, K v, R^2 Delta_g v]).

    K is a :class:`GeometricKernel` within the boundary and R^2 Delta_g the Laplace-Beltrami operator in units of the patch it was fitted to, a
    product with a sparse matrix (:func:`geoop.mesh.curvature.cloud_laplacian`).

    Args:
        width: features per point.
        neighborhood: of the kernel.
        gains: kernel values per edge.
        hidden: width of the kernel's perceptron.
    """

    def __init__(self, width: int, neighborhood: Ball | Nearest, gains: int, hidden: int = 16) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.kernel = GeometricKernel(width, width, neighborhood, gains=gains, hidden=hidden)
        self.update = MLP([3 * width, width, width])

    def forward(self, v: PointSet, near: Graph, pairs: Tensor, laplacian: Graph, entries: Tensor) -> PointSet:
        """Points, the kernel's graph with its :meth:`GeometricKernel.pairs`, and the sparse matrix as its graph and (e,) entries."""
        x = v.with_features(scalars=self.norm(v.scalars))
        bent = weighted_sum(x.scalars, laplacian, entries)
        seen = self.kernel(x, x, near, pairs).scalars
        return v.with_features(scalars=v.scalars + self.update(torch.cat([x.scalars, seen, bent], dim=1)))
