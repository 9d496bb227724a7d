"""The published form of the data-free mesh mover: a branch on the monitor, a trunk on the position, and their exact derivatives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.pointset import PointSet
from ..graph.segment import segment_sum
from ..layers.mlp import MLP
from .mesh_mover import AbstractMeshMover


class BranchTrunkMover(AbstractMeshMover):
    """Data-free mesh mover (Hu et al. 2024, arXiv 2312.05583): phi(xi; m) = s(m) sum_k b_k(m) t_k(cos pi xi, cos 2 pi xi, ...).

    Two things differ from the paper. The branch is told the cosine moments of log m, sums over a cloud of any size with its quadrature weights, in place of
    convolutions on a grid; and the trunk sees cosines of the position alone, so that the normal derivative of phi is zero on the sides by construction, not
    by a penalty of weight 1000. s is the standard deviation of log m: a constant monitor is the identity.

    Args:
        width: features of the hidden layers.
        modes: products that are summed up.
        moments: per direction; moments^2 numbers tell the branch of m.
        waves: cosines per direction in the trunk.
        depth: hidden layers of the branch and of the trunk.
    """

    reference: ClassVar[tuple[str, ...]] = ("hu-2024-mmpde", "lu-2021-deeponet")

    def __init__(self, width: int = 192, modes: int = 192, *, moments: int = 16, waves: int = 12, depth: int = 2) -> None:
        super().__init__()
        if min(width, modes, moments, waves, depth) < 1:
            raise ConfigurationError(
                f"width {width}, {modes} modes, {moments} moments, {waves} waves, {depth} layers", where="BranchTrunkMover", remedy="positive sizes"
            )
        self.arguments: dict[str, Any] = {"width": width, "modes": modes, "moments": moments, "waves": waves, "depth": depth}
        self.moments, self.waves = moments, waves
        self.branch = MLP([moments**2, *[2 * width] * depth, modes])
        self.trunk = _JetMLP([2 * waves, *[width] * depth, modes])
        self.scale = nn.Parameter(torch.tensor(3e-2))

    def encode(self, cloud: PointSet) -> Tensor:
        log_m, batch, b = cloud.scalars[:, 0], cloud.batch, cloud.batch_size
        weight = cloud.weight / segment_sum(cloud.weight, cloud.ptr)[batch]
        centred = log_m - segment_sum(weight * log_m, cloud.ptr)[batch]
        spread = segment_sum(weight * centred.square(), cloud.ptr).sqrt()
        wave = math.pi * torch.arange(self.moments, dtype=cloud.pos.dtype, device=cloud.pos.device)
        x, y = ((cloud.pos[:, k, None] * wave).cos() for k in (0, 1))
        shares = weight * centred / spread.clamp_min(1e-6)[batch]
        rows = [(x[i:j] * shares[i:j, None]).T @ y[i:j] for i, j in pairwise(cloud.ptr.tolist())]
        # moments fall with the wave number about as its inverse: made of one size
        size = 2 + 2 * (wave[:, None] ** 2 + wave**2).sqrt() / math.pi
        told = (torch.stack(rows) * size).reshape(b, -1)
        return self.scale * spread[:, None] * self.branch(told) / math.sqrt(self.arguments["modes"])

    def displacement(self, latent: Tensor, points: Tensor) -> Tensor:
        return torch.einsum("bk,bqjk->bqj", latent, _spread(self._jet(points, 3)[..., 1:, :], latent))

    def hessian(self, latent: Tensor, points: Tensor) -> Tensor:
        bends = torch.einsum("bk,bqjk->bqj", latent, _spread(self._jet(points, 6)[..., 3:, :], latent))
        return bends[..., [0, 1, 1, 2]].unflatten(-1, (2, 2))

    def _jet(self, points: Tensor, parts: int) -> Tensor:
        """(b, q, parts, modes) the trunk and its derivatives x, y, xx, xy, yy by the place."""
        wave = math.pi * torch.arange(1, self.waves + 1, dtype=points.dtype, device=points.device)
        (cx, sx), (cy, sy) = (((angle := points[..., k, None] * wave).cos(), angle.sin()) for k in (0, 1))
        none = torch.zeros_like(cx)
        of_x = (cx, -wave * sx, none, -(wave**2) * cx, none, none)[:parts]
        of_y = (cy, none, -wave * sy, none, none, -(wave**2) * cy)[:parts]
        return self.trunk(torch.cat([torch.stack(of_x, dim=-2), torch.stack(of_y, dim=-2)], dim=-1))


def _spread(jet: Tensor, latent: Tensor) -> Tensor:
    """The same places for all samples, where only one set was given."""
    return jet.expand(len(latent), *jet.shape[1:])


class _JetMLP(nn.Module):
    """Linear layers with tanh between them, on values together with their derivatives: (..., 3 or 6, in) -> (..., 3 or 6, out).

    Derivatives are carried forward by the chain rule, so that they cost no differentiation backwards, and one set of places serves all samples.

    Args:
        widths: features in, of every hidden layer, out.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in pairwise(widths)])

    def forward(self, jet: Tensor) -> Tensor:
        for number, layer in enumerate(self.layers):
            # the constant of a layer belongs to the value alone
            jet = F.linear(jet, layer.weight)  # type: ignore[arg-type]
            jet = torch.cat([jet[..., :1, :] + layer.bias, jet[..., 1:, :]], dim=-2)
            if number < len(self.layers) - 1:
                jet = _tanh(jet)
        return jet


def _tanh(jet: Tensor) -> Tensor:
    """(..., 3 or 6, c): value, first derivatives and, where given, xx, xy, yy after a tanh."""
    value = jet[..., 0, :].tanh()
    slope = 1 - value.square()
    first = jet[..., 1:3, :]
    found = [value[..., None, :], slope[..., None, :] * first]
    if jet.shape[-2] == 6:
        x, y = first.unbind(dim=-2)
        pairs = torch.stack([x * x, x * y, y * y], dim=-2)
        found.append(slope[..., None, :] * (jet[..., 3:, :] - 2 * value[..., None, :] * pairs))
    return torch.cat(found, dim=-2)
