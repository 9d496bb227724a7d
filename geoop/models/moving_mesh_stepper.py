"""MM-PDE: one step in time by two graph networks, one on the mesh that is given and one on a mesh whose points were moved to where the solution asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError, ShapeError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum, take_source, take_target
from ..layers.mlp import MLP
from ..operators.mesh_graph_net import MeshGraphNetProcessor
from ..operators.moment_interpolation import MomentInterpolation


@dataclass(frozen=True, eq=False)
class TwoMeshes:
    """What a step needs to know of the two meshes; made once per pair of them by :meth:`MovingMeshStepper.prepare`.

    Attributes:
        original, moved: the points, with the share of the area of each as ``weight``; in several samples one after the other.
        edges: mesh edges, both ways; both meshes have the same.
        there, back: from the original points to the moved ones, and back.
    """

    original: PointSet
    moved: PointSet
    edges: Graph
    there: Graph
    back: Graph

    @staticmethod
    def concatenate(pairs: list[TwoMeshes]) -> TwoMeshes:
        """Several samples as one."""
        points = [PointSet.concatenate([getattr(pair, name) for pair in pairs]) for name in ("original", "moved")]
        graphs = [Graph.concatenate([getattr(pair, name) for pair in pairs]) for name in ("edges", "there", "back")]
        return TwoMeshes(*points, *graphs)


class MovingMeshStepper(nn.Module):
    """A time step on two meshes (MM-PDE, Hu et al. 2024, arXiv 2312.05583):

        u(t + dt) = u + scale (GNN_a(original mesh, u) + gate Back(GNN_b(moved mesh, There(u))))

    GNNs are steps of MeshGraphNet, every point is told the least-squares slopes of u on its mesh, interpolation keeps constants and linear functions
    (:class:`~geoop.operators.moment_interpolation.MomentInterpolation`; the paper's does not), and the gate starts at 0: nothing is risked by the moved
    mesh before it is known to help. The paper's third part, a network of convolutions on u itself, is left out: a network on the original mesh is there
    already. The fair control is the same model with the original points as moved ones (interpolation then gives every point its own value): two networks
    on one mesh, parameter for parameter.

    Args:
        channels: of u.
        conditions: global numbers, such as the logarithm of a viscosity.
        width: features of a point.
        edge_width: features of an edge.
        depth: steps of message passing in each network.
        dimension: of space.
        scale: root mean square of the changes in a step, which the networks give in units of it.
    """

    reference: ClassVar[tuple[str, ...]] = ("hu-2024-mmpde", "pfaff-2021-mgn")

    def __init__(
        self, channels: int = 1, conditions: int = 0, *, width: int = 32, edge_width: int = 24, depth: int = 4, dimension: int = 2, scale: float = 1.0
    ) -> None:
        super().__init__()
        if min(channels, width, edge_width, depth) < 1 or conditions < 0 or dimension not in (2, 3):
            raise ConfigurationError(f"{channels} channels, width {width}, depth {depth}", where="MovingMeshStepper", remedy="positive sizes")
        self.arguments: dict[str, Any] = {"channels": channels, "conditions": conditions, "width": width, "edge_width": edge_width}
        self.arguments |= {"depth": depth, "dimension": dimension, "scale": float(scale)}

        def branch(zero: bool) -> nn.ModuleDict:
            processor = MeshGraphNetProcessor(width, edge_width=edge_width, depth=depth, dimension=dimension, world=False, aggregation="mean")
            lift = MLP([channels * (1 + dimension) + conditions + 1, width, width])
            return nn.ModuleDict({"lift": lift, "processor": processor, "lower": MLP([width, width, channels], zero=zero)})

        # the gate holds the moved branch back; were its output zero too, neither would ever learn
        self.unmoved, self.moved = branch(zero=True), branch(zero=False)
        self.there, self.back = MomentInterpolation(dimension), MomentInterpolation(dimension)
        self.gate = nn.Parameter(torch.zeros(()))

    def prepare(self, original: PointSet, moved: PointSet, edges: Graph) -> TwoMeshes:
        """Of one sample: points of both meshes with their areas as ``weight``, and their common edges.

        Raises:
            ShapeError: the meshes have not the same number of points.
        """
        if len(original) != len(moved) or edges.n_target != len(original):
            raise ShapeError(
                f"{len(original)} points, {len(moved)} moved ones, edges for {edges.n_target}",
                where="MovingMeshStepper",
                remedy="give one mesh before and after it was moved, and its own edges",
            )
        return TwoMeshes(original, moved, edges, self.there.connect(original, moved), self.back.connect(moved, original))

    def forward(self, u: Tensor, conditions: Tensor, meshes: TwoMeshes) -> Tensor:
        """(n, channels) u after the step, from (n, channels) u at the original points and (b, conditions)."""
        known = conditions[meshes.original.batch]
        here = meshes.original.with_features(scalars=u)
        there = self.there(here, meshes.moved, meshes.there).scalars
        change = self._branch(self.moved, there, known, meshes.moved, meshes.edges)
        back = self.back(meshes.moved.with_features(scalars=change), meshes.original, meshes.back).scalars
        return u + self.arguments["scale"] * (self._branch(self.unmoved, u, known, meshes.original, meshes.edges) + self.gate * back)

    @staticmethod
    def _branch(parts: nn.ModuleDict, u: Tensor, known: Tensor, points: PointSet, edges: Graph) -> Tensor:
        length = points.weight.clamp_min(1e-12) ** (1 / points.dimension)
        told = [u, length[:, None, None].mul(_slopes(u, points, edges)).flatten(1), known, length.log()[:, None] + 4]
        features = points.with_features(scalars=parts["lift"](torch.cat(told, dim=1)))
        return parts["lower"](parts["processor"](features, features, edges).scalars)


def _slopes(u: Tensor, points: PointSet, edges: Graph) -> Tensor:
    """(n, d, channels) least-squares slopes of u over the edges at every point."""
    offset = take_source(points.pos, edges) - take_target(points.pos, edges)
    rise = take_source(u, edges) - take_target(u, edges)
    share = 1 / offset.square().sum(dim=1).clamp_min(1e-24)
    outer = segment_sum((share[:, None, None] * offset[:, :, None] * offset[:, None, :]).flatten(1), edges).unflatten(1, (points.dimension, -1))
    moments = segment_sum((share[:, None, None] * offset[:, :, None] * rise[:, None, :]).flatten(1), edges).unflatten(1, (points.dimension, -1))
    return torch.linalg.solve(outer + 1e-3 * torch.eye(points.dimension, dtype=outer.dtype, device=outer.device), moments)
