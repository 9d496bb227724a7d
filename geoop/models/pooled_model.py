"""What geometry-aware DeepONets share: one branch that pools all clouds of a sample into coefficients."""

from __future__ import annotations

import torch

from ..graph.hierarchy import Connection
from ..graph.pointset import Inputs, PointSet
from .cloud_model import CloudModel, PreparedCloud
from .input_clouds import InputClouds
from .point_branch import PointBranch
from .sample_token import sample_token


class PooledModel(CloudModel):
    """A model whose latents are one token per sample, ``branch``, of its points, its input functions and its conditions.

    Attributes:
        clouds: input functions as clouds of their own.
        branch: (clouds, conditions) -> (b, k) coefficients.
    """

    clouds: InputClouds
    branch: PointBranch

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        """Nothing: all points are pooled."""
        return {}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        said = torch.cat([inputs.scalars, inputs.vectors.flatten(1)], dim=1)
        coefficients = self.branch([points, *self.clouds(prepared.surface, inputs)], said)
        return {"branch": sample_token(coefficients, points)}
