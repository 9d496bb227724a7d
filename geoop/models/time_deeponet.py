"""Time-dependent geometry-aware DeepONet: a branch over past states on clouds, a trunk that knows the signed distance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..graph.pointset import PointSet
from ..layers.fourier import FourierFeatures
from .cloud_model import CloudState
from .input_clouds import InputClouds
from .past import Past
from .point_branch import PointBranch
from .pooled_model import PooledModel
from .ports import Ports
from .site_trunk import SiteTrunk

#: Wave vectors of the trunk in cycles per size of the frame: their standard deviation.
_WAVES = 4.0


class TimeDeepONet(PooledModel):
    """Next state from the last ones (Rabeh et al. 2025, arXiv 2512.04434), on clouds of any size:

        u_c(x, t + tau) = sum_k W_ck b_k t_k(x, sdf(x)) + beta_c + sum_j (a_j + sum_r A_jr g_r(x, sdf(x))) u_c(x, t_j)

    The branch pools the points of the domain, where every past state stands among the features, the boundary and the input functions
    (:class:`PointBranch`), and is told Reynolds number and lead time; the paper's reads images by convolutions. It says the coefficients b, a and A. The
    trunk gives modes t and weights g of the place, from the signed distance and the like, and from waves of the position.

    Beside the paper, the second sum: past states at the place itself, weighted. A wake is a wave, and a wave of known frequency continues at every point by
    one linear recurrence of its own past, whatever the shape behind which it was shed; the modes then have the mean and what is not a
    wave to say. The training begins near persistence, with 1 in a_1. ``gates=None`` leaves the sum out, as published.

    Args:
        ports: channels in and out.
        width: features per point and in all hidden layers.
        past: which functions are past states, see :class:`~geoop.models.past.Past`; None where there are none.
        modes: functions of the trunk, coefficients of the branch.
        gates: functions g of the trunk that weigh past states; 0 for weights that are the same everywhere, None for no such sum.
        tokens: that the branch pools into.
        depth: attention blocks among the tokens.
        trunk: hidden layers of the trunk.
        waves: of the position that the trunk sees, sines and cosines.
    """

    reference: ClassVar[tuple[str, ...]] = ("rabeh-2025-deeponet", "lu-2021-deeponet", "tancik-2020-fourier")
    may_be_zero: ClassVar[tuple[str, ...]] = ("depth", "gates")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 64,
        *,
        past: Past | Mapping[str, Any] | None = None,
        modes: int = 64,
        gates: int | None = 4,
        tokens: int = 8,
        depth: int = 1,
        trunk: int = 3,
        waves: int = 24,
    ) -> None:
        found = Past.of(past)
        sizes: dict[str, Any] = {"modes": modes, "gates": gates, "tokens": tokens, "depth": depth, "trunk": trunk, "waves": waves}
        super().__init__(ports, width, past=found.to_dict(), **sizes)
        found.check(self.ports)
        self.past, self.modes = found, modes
        self.gates = 0 if gates is None else gates
        self.frames = 0 if gates is None else len(found.frames)
        # the trunk and the sum over past states need what is known at a query as it is
        self.ask, self.head = nn.Identity(), nn.Identity()
        self.waves = FourierFeatures.random(self.ports.dimension, waves, _WAVES)
        self.trunk = SiteTrunk(self.ports.site + 2 * waves, width, modes + self.gates, depth=trunk, activation="gelu")
        self.combine = nn.Linear(modes, self.ports.out)
        # past states stand among the features of the domain's points: clouds of their own would tell them twice
        others = tuple(item for item in self.ports.functions if item[0] not in {name for frame in found.frames for name, _ in frame})
        self.clouds = InputClouds(replace(self.ports, functions=others), width)
        said = self.ports.scalars_in + self.ports.vectors_in * self.ports.dimension
        count = modes + self.frames * (1 + self.gates)
        self.branch = PointBranch(1 + self.clouds.count, width, said, count, tokens=tokens, depth=depth)

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        """(n, out) fields at queries whose ``scalars`` are what is known there."""
        d, site = self.ports.dimension, queries.scalars[:, : self.ports.site]
        functions = self.trunk(torch.cat([site, self.waves(site[:, :d])[:, d:]], dim=1))
        modes, gates = functions.split([self.modes, self.gates], dim=1)
        said = state.latents["branch"].scalars.index_select(0, queries.batch)
        told, weights = said.split([self.modes, self.frames * (1 + self.gates)], dim=1)
        out = self.combine(told * modes)
        if not self.frames:
            return out
        weights = weights.view(len(out), self.frames, 1 + self.gates)
        weights = weights[:, :, 0] + (weights[:, :, 1:] * gates[:, None]).sum(dim=2)
        weights = weights + weights.new_tensor([1.0] + [0.0] * (self.frames - 1))  # persistence
        return out + (weights[:, :, None] * self.past.outputs(self.ports, queries.scalars, state.inputs, queries.batch)).sum(dim=1)
