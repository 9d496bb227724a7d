"""The one interface: an operator maps features on source points to features on target points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import Any, ClassVar

from torch import nn

from ..graph.hierarchy import Connection
from ..graph.pointset import PointSet


class Symmetry(Enum):
    """Transformations of the points under which an operator's output transforms along. Measured in tests for every operator."""

    NONE = "none"
    TRANSLATION = "translation"
    SE = "SE(d)"  # rotations and translations
    E = "E(d)"  # and reflections


class AbstractOperator(nn.Module, ABC):
    """A map from features on source points to features on target points.

    A kernel integral, an encoder (physical -> latent), a processor (latent -> latent) and a decoder (latent -> query) all
    have this form. What the class claims below is measured by ``tests/operators/test_claims.py`` for every operator.

    Attributes:
        reference: key in :mod:`geoop.references`.
        symmetry: the transformations it commutes with.
        mesh_order: claimed order of convergence when both clouds are refined; None makes no claim.
    """

    reference: ClassVar[str]
    symmetry: ClassVar[Symmetry]
    mesh_order: ClassVar[float | None] = None

    @abstractmethod
    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Connection:
        """The edges this operator sums over: geometry only, so that they are computed once per geometry."""

    @abstractmethod
    def forward(self, source: PointSet, target: PointSet, graph: Any) -> PointSet:
        """Target points with new features; ``graph`` is what :meth:`connect` returned."""
