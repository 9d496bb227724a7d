"""Any message-passing layer of PyTorch Geometric as an operator."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.pyg import edge_index
from ..layers.neighborhood import Ball, Nearest
from ..layers.operator import AbstractOperator, Symmetry


class PyGLayer(AbstractOperator):
    """Calls ``layer(x=(source scalars, target scalars), edge_index=...)`` on the edges of a neighbourhood (Fey and Lenssen 2019).

        PyGLayer(SAGEConv((3, 5), 8), Nearest(6))
        PyGLayer(GATv2Conv((3, 5), 8, edge_dim=2, add_self_loops=False), Ball(0.3), edge_attr=True, symmetry=Symmetry.TRANSLATION)
        PyGLayer(PointNetConv(local_nn, add_self_loops=False), Nearest(6), pos=True, symmetry=Symmetry.TRANSLATION)

    Source: ``scalars`` (m, a). Target: ``scalars`` (n, b). Returns the target points with the layer's output as ``scalars``.
    Quadrature weights are not seen by layers of others, so no order of convergence is claimed.

    Args:
        layer: takes bipartite input ``x=(x_source, x_target)`` and ``edge_index``.
        neighborhood: which points are connected.
        edge_attr: pass the offset from target to source in units of the neighbourhood's size as ``edge_attr`` (e, d).
        pos: pass ``pos=(source positions, target positions)``.
        symmetry: what the layer is known to keep; the claims test measures it.

    Raises:
        ConfigurationError: the layer adds self-loops. Point i of one cloud is not point i of another; within one cloud every point is already
            its own neighbour.
    """

    reference: ClassVar[str] = "fey-2019-pyg"
    symmetry: ClassVar[Symmetry] = Symmetry.NONE

    def __init__(
        self,
        layer: nn.Module,
        neighborhood: Ball | Nearest,
        *,
        edge_attr: bool = False,
        pos: bool = False,
        symmetry: Symmetry = Symmetry.NONE,
    ) -> None:
        super().__init__()
        if getattr(layer, "add_self_loops", False):
            raise ConfigurationError(
                f"{type(layer).__name__} connects point i of the source to point i of the target",
                where="layer",
                remedy=f"construct it as {type(layer).__name__}(..., add_self_loops=False)",
            )
        self.layer, self.neighborhood = layer, neighborhood
        self.edge_attr, self.pos = edge_attr, pos
        self.symmetry = symmetry

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.neighborhood.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        inputs: dict[str, Any] = {"x": (source.scalars, target.scalars), "edge_index": edge_index(graph)}
        if self.edge_attr:
            inputs["edge_attr"] = self.neighborhood.pairs(source, target, graph).offset
        if self.pos:
            inputs["pos"] = (source.pos, target.pos)
        result: Tensor = self.layer(**inputs)
        return target.with_features(scalars=result)
