"""What every model is: prepare a geometry once, encode per condition, decode anywhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn

from ..errors import ConfigurationError
from ..graph.geometry import Geometry, Queries
from ..graph.pointset import Inputs, PointSet
from ..layers.operator import Symmetry

if TYPE_CHECKING:
    from .shape_field import PreparedShape, ShapeField
    from .units import Units

#: Queries decoded at once: bounds the memory of a decode whatever the number of points.
CHUNK = 8192


class ShapeStage(Protocol):
    """The first of two stages: a field learns to stand for the shapes, is frozen, and the rest is trained on what it makes of them."""

    @property
    def field_of_shapes(self) -> ShapeField:
        """What is trained first."""
        ...

    def shape_of(self, prepared: Any) -> PreparedShape:
        """The shapes of a prepared geometry."""
        ...

    def settle(self, prepared: Sequence[Any]) -> None:
        """Freeze the field, and take what the second stage needs to know of it from the training geometries."""
        ...

    def refreshed(self, prepared: Any) -> Any:
        """A geometry that was prepared before the first stage, as it would be prepared now."""
        ...


class AbstractModel(nn.Module, ABC):
    """A trainable map from a body and a condition to fields around it. Pure tensors: no files, no units.

    ``Prepared`` and ``Latent`` are types of the model's own; both are opaque to the caller. ``Prepared`` has ``to(device)``.

    Attributes:
        reference: keys in :mod:`geoop.references`.
        arguments: JSON-able constructor arguments, stored in the checkpoint; ``ports`` among them.
        on_clouds: whether it works on the points of ``Geometry.domain``.
        symmetry: motions of geometry, conditions and queries together, in the model's own coordinates, that its fields follow. By default none: most models
            read coordinates. Measured in ``tests/models/test_symmetry.py`` for every model on clouds.
    """

    reference: tuple[str, ...]
    arguments: dict[str, Any]
    on_clouds: bool = False
    symmetry: Symmetry = Symmetry.NONE

    @property
    def outline_points(self) -> int | None:
        """Vertices that the outline of a body must have; None for any."""
        return None

    @abstractmethod
    def prepare(self, geometry: Geometry) -> Any:
        """Everything that depends on the geometry alone: latent positions, graphs, distances. On the CPU, no gradients."""

    @abstractmethod
    def concatenate(self, prepared: list[Any]) -> Any:
        """Prepared geometries as one batch, equal to preparing the concatenated geometries."""

    def fit_geometries(self, prepared: Sequence[Any]) -> None:
        """Take statistics of the training geometries, once before training and into buffers; by default a model needs none."""
        return

    def fit_units(self, units: Units) -> None:
        """Learn what comes in and goes out and how it is standardised, once before training and into buffers; by default a model need not know."""
        return

    @property
    def shape_stage(self) -> ShapeStage | None:
        """What is trained before everything else; None for a model of one stage."""
        return None

    @abstractmethod
    def encode(self, prepared: Any, inputs: Inputs) -> Any:
        """The latent state of every sample at its condition; the first thing it does is :meth:`~geoop.models.ports.Ports.check_inputs`."""

    def encode_many(self, prepared: Any, inputs: Sequence[Inputs]) -> list[Any]:
        """Latent states of one batch of geometries at several conditions; a model may let them share what depends on the geometry alone."""
        return [self.encode(prepared, item) for item in inputs]

    @abstractmethod
    def field(self, latent: Any, queries: Queries) -> PointSet:
        """Fields at all queries at once: ``scalars`` (n, s) and ``vectors`` (n, v, d) of the query points; checks them as ``encode`` does its inputs."""

    def field_many(self, latents: Sequence[Any], queries: Queries) -> list[PointSet]:
        """Fields of the states of :meth:`encode_many` at the same queries; a model may let them share what they have in common."""
        return [self.field(latent, queries) for latent in latents]

    def forward(self, prepared: Any, inputs: Inputs, queries: Queries) -> PointSet:
        return self.field(self.encode(prepared, inputs), queries)

    @torch.no_grad()
    def decode(self, latent: Any, queries: Queries, chunk: int = CHUNK) -> PointSet:
        """As :meth:`field`, without gradients, in chunks: any number of queries of one sample in bounded memory.

        Every query is decoded by itself, so the answer does not depend on ``chunk``.

        Raises:
            ConfigurationError: a chunk holds no query.
        """
        if chunk < 1:
            raise ConfigurationError(
                f"chunks of {chunk} queries", where=f"{type(self).__name__}.decode", remedy="give at least 1, or leave chunk out"
            )
        parts = [self.field(latent, queries.take(torch.arange(a, min(a + chunk, len(queries))))) for a in range(0, len(queries), chunk)]
        if not parts:
            return self.field(latent, queries)
        return queries.points.with_features(torch.cat([p.scalars for p in parts]), torch.cat([p.vectors for p in parts]))
