"""Multi-task DeepONet: one network for several equations and several geometries in one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.hierarchy import Connection
from ..graph.interpolation import interpolate
from ..graph.pointset import Inputs, PointSet
from ..layers.mlp import MLP
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .input_clouds import InputClouds
from .point_branch import PointBranch
from .ports import Ports
from .sample_token import sample_token
from .site_trunk import SiteTrunk


class MultiTaskDeepONet(CloudModel):
    """DeepONet over several tasks (Kumar et al. 2024, arXiv 2408.02198), on clouds instead of sensors:

        u_c(x) = m(x) (sum_k W_ck b_k (1 + g_k(code)) t_k(x) + beta_c)

    Two things set it apart from :class:`geoop.models.deeponet.DeepONet`. The global scalars are a code of the equation (coefficients of its source term,
    which kind it is), and the code scales every coefficient, so that one branch serves several equations. And an input function may be a mask m,
    1 where the material is and 0 in holes that are not part of the boundary: masked points of the domain are left out of the branch, and masked queries
    answer 0 and send no gradient, which is the paper's mask in the loss.

    Args:
        ports: channels in and out; ``scalars_in`` is the length of the code.
        width: features per point and in all hidden layers.
        modes: functions of the trunk, coefficients of the branch.
        tokens: that the branch pools into.
        depth: attention blocks among the tokens.
        trunk: hidden layers of the trunk.
        mask: name of the input function that is the mask (its first channel, cut to 0..1); None for none.

    Raises:
        ConfigurationError: there is no such function.
    """

    reference: ClassVar[tuple[str, ...]] = ("kumar-2024-mtdeeponet", "lu-2021-deeponet")
    may_be_zero: ClassVar[tuple[str, ...]] = ("depth",)

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 64,
        *,
        modes: int = 64,
        tokens: int = 8,
        depth: int = 1,
        trunk: int = 3,
        mask: str | None = None,
    ) -> None:
        super().__init__(ports, width, modes=modes, tokens=tokens, depth=depth, trunk=trunk, mask=mask)
        names = [name for name, count in self.ports.functions if count > 0]
        if mask is not None and mask not in names:
            raise ConfigurationError(f"the mask '{mask}' is none of the input functions {names}", where="mask", remedy="name one of them, or None")
        self.mask = mask
        # in place of the perceptrons of models that ask with everything they know and answer nonlinearly
        self.ask = SiteTrunk(self.ports.site, width, modes, depth=trunk)
        self.head = nn.Linear(modes + 1, self.ports.out, bias=False)
        self.clouds = InputClouds(self.ports, width)
        said = self.ports.scalars_in + self.ports.vectors_in * self.ports.dimension
        self.branch = PointBranch(1 + self.clouds.count, width, said, modes, tokens=tokens, depth=depth)
        self.code = MLP([self.ports.scalars_in, width, modes]) if self.ports.scalars_in else None

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        """Nothing: all points are pooled."""
        return {}

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        open_ = self._mask(inputs, points)
        if open_ is not None:
            points = replace(points, scalars=points.scalars * open_, weight=points.weight * open_[:, 0])
        said = torch.cat([inputs.scalars, inputs.vectors.flatten(1)], dim=1)
        coefficients = self.branch([points, *self.clouds(prepared.surface, inputs)], said)
        if self.code is not None:
            coefficients = coefficients * (1 + self.code(inputs.scalars))
        return {"branch": sample_token(coefficients, points)}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        """(n, modes + 1) products of coefficients and modes, and a 1 that carries the bias; all of them 0 where the mask is."""
        products = state.latents["branch"].scalars[queries.batch] * queries.scalars
        products = torch.cat([products, torch.ones_like(products[:, :1])], dim=1)
        open_ = self._mask(state.inputs, queries)
        return products if open_ is None else products * open_

    def _mask(self, inputs: Inputs, points: PointSet) -> Tensor | None:
        """(n, 1) the mask at points."""
        if self.mask is None:
            return None
        return interpolate(inputs.functions[self.mask], points.pos, points.ptr)[:, :1].clamp(0, 1)
