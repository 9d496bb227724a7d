"""What a training stage minimises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from ..graph.pointset import PointSet
from ..models.model import AbstractModel
from .batches import TrainingBatch
from .losses import relative_l2


class Objective(Protocol):
    """One stage of training."""

    def loss(self, model: AbstractModel, prepared: Any, batch: TrainingBatch) -> Tensor:
        """A scalar to be minimised."""
        ...


@dataclass(frozen=True)
class Supervised:
    """Relative L2 error of the fields, field and wall as two regions.

    Attributes:
        wall: weight of the wall's error beside the field's.
        area_weighted: weigh points by their quadrature weights (ratio of L2 norms over the domain) instead of equally
            (ratio over the nodes). With points clustered at the wall, area weights leave the wall to the wall term.
    """

    wall: float = 0.5
    area_weighted: bool = False

    def loss(self, model: AbstractModel, prepared: Any, batch: TrainingBatch) -> Tensor:
        prediction = model(prepared, batch.inputs, batch.queries)
        errors = self.errors(prediction, batch)
        share = torch.tensor([1.0, self.wall], device=errors.device)
        return (errors * share[None, :, None]).sum(dim=1).mean()

    def errors(self, prediction: PointSet, batch: TrainingBatch) -> Tensor:
        """(b, 2, c) relative error of every case, region and channel."""
        by_region = replace(batch.target, ptr=batch.region_ptr)
        weight = batch.weight if self.area_weighted else torch.ones_like(batch.weight)
        return relative_l2(prediction, by_region, weight, batch.reference).view(len(batch.cases), 2, -1)
