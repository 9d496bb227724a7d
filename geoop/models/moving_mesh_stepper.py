"""MM-PDE: one step in time by two graph networks, one on the mesh that is given and one on a mesh whose points were moved to where the solution asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ConfigurationError, ShapeError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum, take_source, take_target
from ..layers.mlp import MLP
from ..mesh.measure import point_weights
from ..mesh.mesh import Mesh
from ..mesh.topology import edges
from ..operators.mesh_graph_net import MeshGraphNetProcessor
from ..operators.moment_interpolation import MomentInterpolation

#: What holds the moved branch back: one number, or a function of what a point is told.
Gate = Literal["global", "place"]


@dataclass(frozen=True, eq=False)
class TwoMeshes:
    """What a step needs to know of the two meshes; made once per pair of them by :meth:`MovingMeshStepper.prepare`.

    Attributes:
        original, moved: the points, with the share of the area of each as ``weight``; in several samples one after the other.
        edges, moved_edges: of the two meshes, both ways.
        there, back: from the original points to the moved ones, and back.
    """

    original: PointSet
    moved: PointSet
    edges: Graph
    moved_edges: Graph
    there: Graph
    back: Graph

    @staticmethod
    def concatenate(pairs: list[TwoMeshes]) -> TwoMeshes:
        """Several samples as one."""
        points = [PointSet.concatenate([getattr(pair, name) for pair in pairs]) for name in ("original", "moved")]
        graphs = [Graph.concatenate([getattr(pair, name) for pair in pairs]) for name in ("edges", "moved_edges", "there", "back")]
        return TwoMeshes(*points, *graphs)


class MovingMeshStepper(nn.Module):
    """A time step on two meshes (MM-PDE, Hu et al. 2024, arXiv 2312.05583):

        u(t + dt) = u + scale (GNN_a(original mesh, u) + gate Back(GNN_b(moved mesh, There(u))))

    GNNs are steps of MeshGraphNet, every point is told the least-squares slopes of u on its mesh and their products with u, interpolation keeps constants and linear functions
    (:class:`~geoop.operators.moment_interpolation.MomentInterpolation`; the paper's does not), and the gate starts at 0: nothing is risked by the moved
    mesh before it is known to help. The paper's third part, a network of convolutions on u itself, is left out: a network on the original mesh is there
    already. The fair control is the same model with the original points as moved ones (interpolation then gives every point its own value): two networks
    on one mesh, parameter for parameter.

    There(u) tells nothing that u did not: where the state is known at the moved points themselves, because it lives there or was sampled there, it is
    given as ``known``. Both meshes may be the same moved one: then the state lives on it, and nothing is interpolated.

    Args:
        channels: of u.
        conditions: global numbers, such as the logarithm of a viscosity.
        width: features of a point.
        edge_width: features of an edge.
        depth: steps of message passing in each network.
        dimension: of space.
        scale: root mean square of the changes in a step, which the networks give in units of it.
        gate: one number for all points, or by place: a linear function of what the unmoved branch is told at each point, which starts at 0 too.

    Raises:
        ConfigurationError: a size that is not positive, another dimension than 2 or 3, or another word for the gate.
    """

    reference: ClassVar[tuple[str, ...]] = ("hu-2024-mmpde", "pfaff-2021-mgn")

    def __init__(
        self,
        channels: int = 1,
        conditions: int = 0,
        *,
        width: int = 32,
        edge_width: int = 24,
        depth: int = 4,
        dimension: int = 2,
        scale: float = 1.0,
        gate: Gate = "global",
    ) -> None:
        super().__init__()
        sizes = {"channels": channels, "width": width, "edge_width": edge_width, "depth": depth, "scale": scale}
        problems = [f"{name} is {value}, must be positive" for name, value in sizes.items() if not 0 < value < float("inf")]
        problems += [f"conditions is {conditions}, must be 0 or more"] if conditions < 0 else []
        problems += [f"dimension is {dimension}, must be 2 or 3"] if dimension not in (2, 3) else []
        problems += [f"gate is {gate!r}"] if gate not in get_args(Gate) else []
        if problems:
            raise ConfigurationError("; ".join(problems), where="MovingMeshStepper", remedy=f"positive sizes, a gate of {list(get_args(Gate))}")
        self.arguments: dict[str, Any] = {"channels": channels, "conditions": conditions, "width": width, "edge_width": edge_width}
        self.arguments |= {"depth": depth, "dimension": dimension, "scale": float(scale), "gate": gate}

        def branch(zero: bool) -> nn.ModuleDict:
            processor = MeshGraphNetProcessor(width, edge_width=edge_width, depth=depth, dimension=dimension, world=False, aggregation="mean")
            lift = MLP([_numbers_told(channels, conditions, dimension), width, width])
            return nn.ModuleDict({"lift": lift, "processor": processor, "lower": MLP([width, width, channels], zero=zero)})

        # the gate holds the moved branch back; were its output zero too, neither would ever learn
        self.unmoved, self.moved = branch(zero=True), branch(zero=False)
        self.there, self.back = MomentInterpolation(dimension), MomentInterpolation(dimension)
        self.gate = nn.Parameter(torch.zeros(())) if gate == "global" else MLP([_numbers_told(channels, conditions, dimension), 1], zero=True)

    def prepare(self, original: PointSet, moved: PointSet, edges: Graph, moved_edges: Graph | None = None) -> TwoMeshes:
        """Of one sample.

        Args:
            original, moved: points of both meshes with their areas as ``weight``.
            edges: of the original mesh, both ways.
            moved_edges: of the moved mesh, which may have other cells and another number of points; None: the same.

        Raises:
            ShapeError: edges for another number of points, or points of another dimension than the model's.
        """
        moved_edges = edges if moved_edges is None else moved_edges
        problems = [
            f"edges of {graph.n_source} and {graph.n_target} for {len(points)} {name} points"
            for name, points, graph in (("original", original, edges), ("moved", moved, moved_edges))
            if {graph.n_source, graph.n_target} != {len(points)}
        ]
        d = self.arguments["dimension"]
        problems += [f"points in {p.dimension}-D, the model's are in {d}-D" for p in (original, moved) if p.dimension != d]
        if problems:
            raise ShapeError(
                "; ".join(problems), where="MovingMeshStepper", remedy="give a mesh before and after it was moved and its own edges, or those of each"
            )
        return TwoMeshes(original, moved, edges, moved_edges, self.there.connect(original, moved), self.back.connect(moved, original))

    def forward(self, u: Tensor, conditions: Tensor, meshes: TwoMeshes, known: Tensor | None = None) -> Tensor:
        """The state after a step.

        Args:
            u: (n, channels) at the original points.
            conditions: (b, conditions) of every sample.
            meshes: the two meshes.
            known: (m, channels) u at the moved points where it is known there; None: interpolated from the original ones.

        Returns:
            (n, channels) at the original points.

        Raises:
            ShapeError: a state or conditions of other sizes; all that is wrong in one error.
        """
        self._require(u, conditions, meshes, known)
        here, there = meshes.original, meshes.moved
        if known is None:
            known = self.there(here.with_features(scalars=u), there, meshes.there).scalars
        told = _told(u, conditions, here, meshes.edges)
        change = self._branch(self.moved, _told(known, conditions, there, meshes.moved_edges), there, meshes.moved_edges)
        back = self.back(there.with_features(scalars=change), here, meshes.back).scalars
        gate = self.gate if isinstance(self.gate, nn.Parameter) else self.gate(told)
        return u + self.arguments["scale"] * (self._branch(self.unmoved, told, here, meshes.edges) + gate * back)

    @staticmethod
    def _branch(parts: nn.ModuleDict, told: Tensor, points: PointSet, edges: Graph) -> Tensor:
        features = points.with_features(scalars=parts["lift"](told))
        return parts["lower"](parts["processor"](features, features, edges).scalars)

    def _require(self, u: Tensor, conditions: Tensor, meshes: TwoMeshes, known: Tensor | None) -> None:
        channels = self.arguments["channels"]
        wanted = {"u": (u, (len(meshes.original), channels)), "conditions": (conditions, (meshes.original.batch_size, self.arguments["conditions"]))}
        wanted |= {} if known is None else {"known": (known, (len(meshes.moved), channels))}
        problems = [f"{name} is {tuple(item.shape)}, expected {shape}" for name, (item, shape) in wanted.items() if tuple(item.shape) != shape]
        if problems:
            raise ShapeError(
                "; ".join(problems), where="MovingMeshStepper", remedy="one row of u per point of its mesh, one row of conditions per sample"
            )


def two_meshes(model: MovingMeshStepper, mesh: Mesh, second: Mesh) -> TwoMeshes:
    """What a step needs to know of two meshes, of the same cells or not, in the precision of the model.

    Args:
        model: the stepper.
        mesh: where the state is given and wanted.
        second: of the second branch: the same mesh after a move, or any other of the same region.

    Raises:
        ShapeError: meshes of another dimension than the model's.
    """
    kind = next(model.parameters()).dtype
    points = [PointSet(torch.tensor(item.points, dtype=kind), weight=torch.tensor(point_weights(item), dtype=kind)) for item in (mesh, second)]
    return model.prepare(*points, *(_edges(item) for item in (mesh, second)))


def _edges(mesh: Mesh) -> Graph:
    listed = edges(mesh.cells, np.arange(len(mesh.points)))
    pairs = torch.from_numpy(np.unique(np.sort(listed.corners, axis=1), axis=0))
    return Graph.sorted(torch.cat([pairs[:, 0], pairs[:, 1]]), torch.cat([pairs[:, 1], pairs[:, 0]]), len(mesh.points), len(mesh.points))


def _told(u: Tensor, conditions: Tensor, points: PointSet, edges: Graph) -> Tensor:
    """(n, :func:`_numbers_told`) what every point is told: u; its slopes times the local length; its slopes, and u times them, times the typical length of
    the mesh, compressed; global numbers; the local length.

    The change in a step does not know how long the cells are. Told slopes in local lengths alone, a network would have to divide by that length: on a mesh
    that stays the same number everywhere, on a moved one another at every point.
    """
    local = points.weight.clamp_min(1e-12) ** (1 / points.dimension)
    area = points.weight.new_zeros(points.batch_size).index_add(0, points.batch, points.weight) / points.ptr.diff()
    typical = area.clamp_min(1e-12)[points.batch] ** (1 / points.dimension)
    slopes = _slopes(u, points, edges)
    carried = u[:, :, None, None] * slopes[:, None]
    whole = [torch.asinh(typical[:, None] * item.flatten(1)) for item in (slopes, carried)]
    return torch.cat([u, (local[:, None, None] * slopes).flatten(1), *whole, conditions[points.batch], local.log()[:, None] + 4], dim=1)


def _numbers_told(channels: int, conditions: int, dimension: int) -> int:
    return channels * (1 + dimension * (2 + channels)) + conditions + 1


def _slopes(u: Tensor, points: PointSet, edges: Graph) -> Tensor:
    """(n, d, channels) least-squares slopes of u over the edges at every point."""
    offset = take_source(points.pos, edges) - take_target(points.pos, edges)
    rise = take_source(u, edges) - take_target(u, edges)
    share = 1 / offset.square().sum(dim=1).clamp_min(1e-24)
    outer = segment_sum((share[:, None, None] * offset[:, :, None] * offset[:, None, :]).flatten(1), edges).unflatten(1, (points.dimension, -1))
    moments = segment_sum((share[:, None, None] * offset[:, :, None] * rise[:, None, :]).flatten(1), edges).unflatten(1, (points.dimension, -1))
    return torch.linalg.solve(outer + 1e-3 * torch.eye(points.dimension, dtype=outer.dtype, device=outer.device), moments)
