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
from .units import Units


class MaskedLinear(nn.Linear):
    """W x + b where a mask is 1, given values where it is 0; the mask is the last feature.

    Attributes:
        closed: (out,) answers where the mask is 0, in the units of the outputs.
    """

    closed: Tensor

    def __init__(self, features: int, out: int) -> None:
        super().__init__(features, out)
        self.register_buffer("closed", torch.zeros(out))

    def forward(self, x: Tensor) -> Tensor:
        open_ = x[:, -1:]
        return open_ * super().forward(x[:, :-1]) + (1 - open_) * self.closed


class MaskedTrunk(SiteTrunk):
    """A trunk that hands on, as the last of its features, one of the input functions as it is known at the place.

    Args:
        ports: channels in and out.
        mask: name of the function, its first channel.
        width, modes, depth: see :class:`geoop.models.site_trunk.SiteTrunk`.
    """

    def __init__(self, ports: Ports, mask: str, width: int, modes: int, *, depth: int) -> None:
        super().__init__(ports.site, width, modes, depth=depth)
        before = [count + 1 for name, count in ports.functions if name < mask]
        self.column = ports.site + ports.condition + sum(before)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([super().forward(x), x[:, self.column, None]], dim=1)


class MultiTaskDeepONet(CloudModel):
    """DeepONet over several tasks (Kumar et al. 2024, arXiv 2408.02198), on clouds instead of sensors:

        u_c(x) = m(x) (sum_k W_ck b_k (1 + g_k(code)) t_k(x) + beta_c)

    Two things set it apart from :class:`geoop.models.deeponet.DeepONet`. The global scalars are a code of the equation (coefficients of its source term,
    which kind it is), and the code scales every coefficient, so that one branch serves several equations. And an input function may be a mask m,
    1 where the material is and 0 in holes that are not part of the boundary: masked points of the domain are left out of the branch, and masked queries
    answer 0 (a velocity: the free stream) and send no gradient, which is the paper's mask in the loss. Training says how mask and outputs were
    standardised, see :meth:`fit_units`.

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
        self.ask = SiteTrunk(self.ports.site, width, modes, depth=trunk) if mask is None else MaskedTrunk(self.ports, mask, width, modes, depth=trunk)
        self.head = MaskedLinear(modes, self.ports.out)
        self.mask_units: Tensor
        self.register_buffer("mask_units", torch.tensor([0.0, 1.0]))  # mean and deviation
        self.clouds = InputClouds(self.ports, width)
        said = self.ports.scalars_in + self.ports.vectors_in * self.ports.dimension
        self.branch = PointBranch(1 + self.clouds.count, width, said, modes, tokens=tokens, depth=depth)
        self.code = MLP([self.ports.scalars_in, width, modes]) if self.ports.scalars_in else None

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        """Nothing: all points are pooled."""
        return {}

    def fit_units(self, units: Units) -> None:
        self.mask_units.copy_(self.mask_units.new_tensor(units.function(self.mask)))
        zero = [-item.mean / item.deviation for item in units.outputs(self.ports.dimension)]
        self.head.closed.copy_(self.head.closed.new_tensor(zero))

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        if self.mask is not None:
            open_ = self._open(interpolate(inputs.functions[self.mask], points.pos, points.ptr)[:, :1])
            points = replace(points, scalars=points.scalars * open_, weight=points.weight * open_[:, 0])
        said = torch.cat([inputs.scalars, inputs.vectors.flatten(1)], dim=1)
        coefficients = self.branch([points, *self.clouds(prepared.surface, inputs)], said)
        if self.code is not None:
            coefficients = coefficients * (1 + self.code(inputs.scalars))
        return {"branch": sample_token(coefficients, points)}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        """(n, modes + 1) products of coefficients and modes, and the mask."""
        coefficients = state.latents["branch"].scalars[queries.batch]
        modes = queries.scalars[:, : coefficients.shape[1]]
        open_ = torch.ones_like(modes[:, :1]) if self.mask is None else self._open(queries.scalars[:, -1:])
        return torch.cat([coefficients * modes, open_], dim=1)

    def _open(self, seen: Tensor) -> Tensor:
        """The mask, from how it is seen."""
        return (seen * self.mask_units[1] + self.mask_units[0]).clamp(0, 1)
