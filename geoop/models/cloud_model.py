"""What models share that let operators act on a cloud of points in and around a geometry."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..errors import ShapeError
from ..graph.geometry import Geometry, Queries
from ..graph.graph import Graph
from ..graph.hierarchy import Connection, Hierarchy
from ..graph.interpolation import known_at
from ..graph.pointset import Inputs, PointSet
from ..layers.condition import condition_features
from ..layers.mlp import MLP
from ..layers.sites import Sites
from ..layers.sizes import check_sizes
from .model import AbstractModel
from .ports import Ports


@dataclass(frozen=True, eq=False)
class PreparedCloud:
    """What a model on a cloud keeps of a geometry.

    Attributes:
        surface: boundary vertices with their own scalars and normals.
        domain: points of the region with site features as ``scalars``, the gradient of the distance (on the boundary the normal) as
            ``vectors[:, 0]``, and quadrature weights.
        connections: graphs and intermediate points by name: whatever :meth:`CloudModel.connect` returned.
    """

    surface: PointSet
    domain: PointSet
    connections: Mapping[str, Connection | PointSet]

    def to(self, device: torch.device | str) -> PreparedCloud:
        return PreparedCloud(self.surface.to(device), self.domain.to(device), {k: v.to(device) for k, v in self.connections.items()})

    def graph(self, name: str) -> Graph:
        """The graph of that name."""
        found = self.connections[name]
        assert isinstance(found, Graph)
        return found

    def hierarchy(self, name: str) -> Hierarchy:
        """The hierarchy of that name."""
        found = self.connections[name]
        assert isinstance(found, Hierarchy)
        return found

    def points(self, name: str) -> PointSet:
        """The intermediate points of that name."""
        found = self.connections[name]
        assert isinstance(found, PointSet)
        return found


@dataclass(frozen=True, eq=False)
class CloudState:
    """An encoded batch: what a query needs.

    Attributes:
        prepared: the geometry.
        inputs: the conditions and functions.
        latents: clouds by name, each with learned ``scalars``: whatever :meth:`CloudModel.process` returned.
    """

    prepared: PreparedCloud
    inputs: Inputs
    latents: Mapping[str, PointSet] = field(default_factory=dict)


class CloudModel(AbstractModel):
    """Lift, process, read: a model whose operators act on the points of ``Geometry.domain``.

    This class turns everything that is known at a place (site, conditions, input functions) into features of width ``width`` at the
    points of the domain and at the queries, and hidden features at the queries into fields. A subclass says in three methods what is
    between: :meth:`connect` (graphs, geometry only), :meth:`process` (features on the domain -> latent clouds) and :meth:`read`
    (latent clouds -> hidden features at any queries).

    Args:
        ports: channels in and out.
        width: features per point after lifting, and of what :meth:`read` returns.
        arguments: constructor arguments of the subclass, JSON-able, beside ``ports``; whole numbers among them are sizes.

    Attributes:
        may_be_zero: which sizes may be 0; all others are at least 1.

    Raises:
        ConfigurationError: a size is too small.
    """

    on_clouds = True
    may_be_zero: ClassVar[tuple[str, ...]] = ()

    def __init__(self, ports: Ports | Mapping[str, Any], width: int, **arguments: Any) -> None:
        super().__init__()
        counts = {name: value for name, value in arguments.items() if isinstance(value, int) and not isinstance(value, bool)}
        check_sizes(type(self).__name__, {"width": width, **counts}, zero=self.may_be_zero)
        self.ports = Ports.of(ports)
        self.width = width
        self.arguments = {"ports": self.ports.to_dict(), "width": width, **arguments}
        self.lift = MLP([self.ports.features, width, width])
        self.ask = MLP([self.ports.features, width, width])
        self.head = MLP([width, width, self.ports.out])

    @abstractmethod
    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        """Graphs and intermediate points of a batch by name; geometry only, no gradients. Names start with a letter.

        Args:
            domain: points with site features, normals and weights.
            surface: boundary vertices.
        """

    @abstractmethod
    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        """Lifted points of the domain, ``scalars`` (n, width), to latent clouds by name."""

    @abstractmethod
    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        """(n, width) hidden features at queries whose ``scalars`` are lifted features (n, width) of the place. Every query by itself."""

    @torch.no_grad()
    def prepare(self, geometry: Geometry) -> PreparedCloud:
        """Site features, graphs and intermediate points of a batch of geometries.

        Raises:
            ShapeError: the geometry comes without points of the domain, or its boundary says other things than the model was made for.
        """
        if geometry.domain is None:
            raise ShapeError("the geometry has no points of the domain", where=type(self).__name__, remedy="frame the case with domain points")
        found, expected = geometry.surface.scalars.shape[1], self.ports.surface_scalars
        if found != expected or geometry.surface.dimension != self.ports.dimension:
            raise ShapeError(
                f"boundaries in {geometry.surface.dimension}-D with {found} scalars, the model takes {self.ports.dimension}-D with {expected}",
                where=type(self).__name__,
                remedy="frame the case as the training cases were",
            )
        domain = self._placed(geometry.domain, geometry.surface)
        return PreparedCloud(geometry.surface, domain, self.connect(domain, geometry.surface))

    def concatenate(self, prepared: list[PreparedCloud]) -> PreparedCloud:
        kinds = {name: type(part) for name, part in prepared[0].connections.items()}
        return PreparedCloud(
            PointSet.concatenate([p.surface for p in prepared]),
            PointSet.concatenate([p.domain for p in prepared]),
            {name: kind.concatenate([p.connections[name] for p in prepared]) for name, kind in kinds.items()},
        )

    def encode(self, prepared: PreparedCloud, inputs: Inputs) -> CloudState:
        self.ports.check_inputs(inputs, prepared.surface.batch_size, type(self).__name__)
        points = prepared.domain.with_features(scalars=self.lift(self._known(prepared.domain, inputs)))
        return CloudState(prepared, inputs, self.process(points, prepared, inputs))

    def field(self, latent: CloudState, queries: Queries) -> PointSet:
        self.ports.check_queries(queries, latent.prepared.surface.batch_size, type(self).__name__)
        places = self._placed(queries, latent.prepared.surface)
        asked = places.with_features(scalars=self.ask(self._known(places, latent.inputs, queries)))
        out = self.head(self.read(latent, asked))
        scalars, vectors = out.split([self.ports.scalars_out, self.ports.dimension * self.ports.vectors_out], dim=1)
        return queries.points.with_features(scalars, vectors.reshape(len(vectors), self.ports.vectors_out, self.ports.dimension))

    def _placed(self, queries: Queries, surface: PointSet) -> PointSet:
        """The points with site features as scalars."""
        points, site = queries.points, Sites.of(queries, surface)
        return replace(points, scalars=site.features(ends=self.ports.body), vectors=points.vectors[:, :1])

    def _known(self, places: PointSet, inputs: Inputs, queries: Queries | None = None) -> Tensor:
        """(n, ports.features) site features, conditions and input functions at places; the functions as the queries carry them, if they do."""
        parts = [places.scalars]
        if self.ports.condition:
            parts.append(condition_features(inputs, places.vectors[:, 0], places.batch))
        parts += known_at(inputs, self.ports.functions, places, queries)
        return torch.cat(parts, dim=1)
