"""What a training stage minimises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor

from ..errors import ConfigurationError
from ..graph.pointset import PointSet
from ..models.model import AbstractModel
from .batches import TrainingBatch
from .losses import mean_square, relative_l1, relative_l2

Kind = Literal["l2", "l1", "square"]
Measure = Callable[[PointSet, PointSet, Tensor, Tensor], Tensor]
#: (prediction, target, weight, reference) -> (parts, channels) errors; a mean square is relative to nothing.
_MEASURES: dict[Kind, Measure] = {
    "l1": relative_l1,
    "l2": relative_l2,
    "square": lambda prediction, target, weight, _: mean_square(prediction, target, weight),
}


class Objective(Protocol):
    """One stage of training."""

    def loss(self, model: AbstractModel, prepared: Any, batch: TrainingBatch) -> Tensor:
        """A scalar to be minimised."""
        ...


@dataclass(frozen=True)
class Supervised:
    """Relative error of the fields, field and wall as two regions.

    Attributes:
        wall: weight of the wall's error beside the field's.
        area_weighted: weigh points by their quadrature weights (ratio of L2 norms over the domain) instead of equally
            (ratio over the nodes). With points clustered at the wall, area weights leave the wall to the wall term.
        kind: what is minimised. ``l1`` over the same denominators gives less weight to the few points with large errors; errors that
            are reported (:meth:`errors`) are L2 for both, so that runs compare. ``square`` is the mean square of the error in units of the
            quantity's own deviation over all training cases, and is reported as such: cases with large fields count for more. Take it where
            the absolute error matters, such as that of a suction peak, and not that of each case relative to itself.

    Raises:
        ConfigurationError: another kind.
    """

    wall: float = 0.5
    area_weighted: bool = False
    kind: Kind = "l2"

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ConfigurationError(f"kind is {self.kind!r}", where="Supervised", remedy=f"choose one of {', '.join(get_args(Kind))}")

    def loss(self, model: AbstractModel, prepared: Any, batch: TrainingBatch) -> Tensor:
        prediction = model(prepared, batch.inputs, batch.queries)
        errors = self._measured(prediction, batch, _MEASURES[self.kind])
        share = torch.tensor([1.0, self.wall], device=errors.device)
        return (errors * share[None, :, None]).sum(dim=1).mean()

    def errors(self, prediction: PointSet, batch: TrainingBatch) -> Tensor:
        """(b, 2, c) relative L2 error (mean square error under ``square``) of every case, region and channel."""
        return self._measured(prediction, batch, _MEASURES["square" if self.kind == "square" else "l2"])

    def _measured(self, prediction: PointSet, batch: TrainingBatch, measure: Measure) -> Tensor:
        by_region = replace(batch.target, ptr=batch.region_ptr)
        weight = batch.weight if self.area_weighted else torch.ones_like(batch.weight)
        return measure(prediction, by_region, weight, batch.reference).view(len(batch.cases), 2, -1)
