"""Objectives without labels: what a prediction at the nodes of a mesh leaves of the weak form, and sums of objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..errors import ConfigurationError, ShapeError
from ..fem.residual import Norm, WeakResidual
from ..graph.geometry import Queries
from ..graph.pointset import PointSet
from ..models.model import AbstractModel
from .batches import TrainingBatch
from .objectives import Objective, Supervised


@dataclass(frozen=True, eq=False)
class PhysicsCase:
    """The equations of one training case, and where they ask for the solution.

    Attributes:
        queries: the unknowns of the space (``space.points``) as the model sees them, one after the other; where it is given functions, as
            :meth:`geoop.scaling.known_functions.KnownFunctions.seen_by` returns them.
        vertices: number of vertices of the surface that their ``anchor`` counts.
        residual: the equations, with loads, Neumann and Dirichlet data.
        scale, shift: from the model's standardised output y to the unknowns, u = shift + scale y.

    Raises:
        ShapeError: the queries are not one per unknown, or per node of a vector field.
    """

    queries: Queries
    vertices: int
    residual: WeakResidual
    scale: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        n, d = len(self.queries), self.queries.points.dimension
        if self.residual.n not in (n, n * d):
            raise ShapeError(
                f"{n} queries for {self.residual.n} unknowns", where="PhysicsCase", remedy="ask at space.points, one query per unknown or node"
            )


@dataclass(frozen=True, eq=False)
class PhysicsResidual:
    """Mean over cases of |r(u)|/|r(0)| + boundary |u - g|/|g|, u the model's prediction at the nodes.

    The first term is :meth:`WeakResidual.relative`: 1 for a prediction of zero; in the dual norm of a linear problem it is the relative
    error of the prediction in the energy norm against the finite-element solution, that is without any label. Neumann and Robin data
    are part of r. Dirichlet data are imposed on the prediction before its residual is taken (``hold``), penalised, or both: held values
    say nothing to the network about its own values there, so give a penalty where these count.

    Attributes:
        cases: number of a training case -> its equations.
        channel: which scalar (or, of elasticity, which vector) the equations are about.
        norm: ``dual`` costs one pair of triangular solves per case and step; ``diagonal`` and ``plain`` none.
        hold: impose Dirichlet data on u in r(u).
        boundary: weight of the Dirichlet penalty.
    """

    cases: Mapping[int, PhysicsCase] | Sequence[PhysicsCase]
    channel: int = 0
    norm: Norm = "dual"
    hold: bool = True
    boundary: float = 1.0

    def __post_init__(self) -> None:
        if not self.hold and not self.boundary > 0.0:
            raise ConfigurationError(
                "Dirichlet data are neither held nor penalised, so many solutions leave no residual",
                where="PhysicsResidual",
                remedy="hold=True, or a positive weight boundary",
            )

    def loss(self, model: AbstractModel, prepared: Any, batch: TrainingBatch) -> Tensor:
        """Without labels: of the batch only the numbers of the cases and the inputs are read."""
        items = [self.cases[number] for number in batch.cases.tolist()]
        queries = Queries.concatenate([item.queries for item in items], [item.vertices for item in items])
        queries = queries.to(batch.inputs.scalars.device, batch.inputs.scalars.dtype)
        answers = model(prepared, batch.inputs, queries).split()
        return torch.stack([self._of_case(item, answer) for item, answer in zip(items, answers, strict=True)]).mean()

    def _of_case(self, item: PhysicsCase, answer: PointSet) -> Tensor:
        whole = item.residual.n == len(answer)
        u = item.shift + item.scale * (answer.scalars[:, self.channel] if whole else answer.vectors[:, self.channel].reshape(-1)).cpu().double()
        loss = item.residual.relative(item.residual.hold(u) if self.hold else u, self.norm)
        return loss + self.boundary * item.residual.boundary_error(u) if self.boundary else loss


@dataclass(frozen=True, eq=False)
class Combined:
    """A weighted sum of objectives, validated by labels as :class:`Supervised` is.

    Attributes:
        terms: weights and objectives.
        validation: measures errors against labels while training; it adds nothing to the loss.
    """

    terms: Sequence[tuple[float, Objective]]
    validation: Supervised = field(default_factory=Supervised)

    def __post_init__(self) -> None:
        weights = [weight for weight, _ in self.terms]
        if not weights or min(weights) < 0.0 or not max(weights) > 0.0:
            raise ConfigurationError(f"weights {weights}", where="Combined", remedy="give weights that are not negative, one of them positive")

    @property
    def wall(self) -> float:
        """Weight of the wall's error in the validation."""
        return self.validation.wall

    def loss(self, model: AbstractModel, prepared: Any, batch: TrainingBatch) -> Tensor:
        """The sum; terms of weight zero are not computed."""
        return torch.stack([weight * term.loss(model, prepared, batch) for weight, term in self.terms if weight]).sum()

    def errors(self, prediction: PointSet, batch: TrainingBatch) -> Tensor:
        """(b, 2, c) relative error of every case, region and channel."""
        return self.validation.errors(prediction, batch)
