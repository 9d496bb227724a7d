"""Training on values and gradients: where labels come with derivatives, few points say much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..axes import check
from ..errors import ConfigurationError
from ..graph.geometry import Queries
from ..graph.pointset import PointSet
from ..models.model import AbstractModel
from .batches import TrainingBatch
from .losses import position_gradient, relative_h1


@dataclass(frozen=True, eq=False)
class SobolevCase:
    """Points of one training case at which fields and their gradients are known.

    Attributes:
        queries: the points as the model sees them; some tens per case are enough, for every channel costs a second backward pass.
        vertices: (v, d) of the surface that their ``anchor`` counts.
        target: standardised fields there.
        gradient: (n, c, d) gradients of its channels, scalars first, then vector components, by positions in the model's frame: of a
            field that is divided by s, on positions that are divided by L, the physical gradient times L/s. Of a finite-element
            solution :func:`geoop.fem.evaluation.evaluate_gradient` gives it.
        weight: (n,) quadrature weights.

    Raises:
        ShapeError: sizes that do not fit.
    """

    queries: Queries
    vertices: Tensor
    target: PointSet
    gradient: Tensor
    weight: Tensor

    def __post_init__(self) -> None:
        n, d = len(self.queries), self.queries.points.dimension
        c = self.target.scalars.shape[1] + d * self.target.vectors.shape[1]
        target = torch.empty(len(self.target))
        check(
            {"n": n, "c": c, "d": d},
            vertices=(self.vertices, "v d"),
            gradient=(self.gradient, "n c d"),
            weight=(self.weight, "n"),
            target=(target, "n"),
        )


@dataclass(frozen=True, eq=False)
class Sobolev:
    """Mean over cases and channels of the relative H1 error, gradients by autograd of the decoded field.

    Beside a term on values alone (:class:`geoop.train.objectives.Supervised`) it is summed by :class:`geoop.train.physics.Combined`.
    (W. M. Czarnecki et al., "Sobolev training for neural networks", arXiv 1706.04859.)

    Attributes:
        cases: number of a training case -> its points.
        length: what makes gradients comparable with values, in the model's unit of length; see :func:`relative_h1`.
    """

    cases: Mapping[int, SobolevCase] | Sequence[SobolevCase]
    length: float = 0.1

    def __post_init__(self) -> None:
        if not self.length > 0.0:
            raise ConfigurationError(f"length is {self.length}", where="Sobolev", remedy="give a positive length, or train on values: Supervised()")

    def loss(self, model: AbstractModel, prepared: Any, batch: TrainingBatch) -> Tensor:
        """Of the batch only the numbers of the cases and the inputs are read."""
        items = [self.cases[number] for number in batch.cases.tolist()]
        like = {"device": batch.inputs.scalars.device, "dtype": batch.inputs.scalars.dtype}
        queries = Queries.concatenate([item.queries for item in items], [len(item.vertices) for item in items]).to(**like)
        latent = model.encode(prepared, batch.inputs)
        found = position_gradient(lambda q: model.field(latent, q), queries, torch.cat([item.vertices for item in items]).to(**like))
        target = PointSet.concatenate([item.target for item in items]).to(**like)
        gradient, weight = (torch.cat(parts).to(**like) for parts in ([item.gradient for item in items], [item.weight for item in items]))
        return relative_h1(found, (target, gradient), weight, length=self.length).mean()
