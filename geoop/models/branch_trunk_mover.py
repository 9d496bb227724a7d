"""The published form of the data-free mesh mover: a branch on the monitor, a trunk on the position, and derivatives by automatic differentiation."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.pointset import PointSet
from ..layers.mlp import MLP
from .mesh_mover import AbstractMeshMover
from .point_branch import PointBranch


class BranchTrunkMover(AbstractMeshMover):
    """Data-free mesh mover (Hu et al. 2024, arXiv 2312.05583): phi(xi; m) = s(m) sum_k b_k(m) t_k(cos pi xi, cos 2 pi xi, ...).

    Two things differ from the paper. The branch pools a cloud of any size by attention (:class:`PointBranch`) in place of convolutions on a grid; and the trunk
    sees cosines of the position alone, so that the normal derivative of phi is zero on the sides by construction, not by a penalty of weight 1000. s is the
    standard deviation of log m: a constant monitor is the identity.

    Args:
        width: features of the branch and of the trunk's hidden layers.
        modes: products that are summed up.
        waves: cosines per direction in the trunk; also waves per direction by which the branch knows a point's place.
        tokens: that the branch pools into.
        depth: hidden layers of the trunk.
    """

    reference: ClassVar[tuple[str, ...]] = ("hu-2024-mmpde", "lu-2021-deeponet")

    def __init__(self, width: int = 96, modes: int = 128, *, waves: int = 8, tokens: int = 32, depth: int = 2) -> None:
        super().__init__()
        if min(width, modes, waves, tokens, depth) < 1 or width % 4:
            raise ConfigurationError(
                f"width {width}, {modes} modes, {waves} waves, {tokens} tokens, {depth} layers",
                where="BranchTrunkMover",
                remedy="positive sizes, the width a multiple of 4",
            )
        self.arguments: dict[str, Any] = {"width": width, "modes": modes, "waves": waves, "tokens": tokens, "depth": depth}
        self.waves = waves
        self.lift = MLP([2 * waves + 1, width, width])
        self.branch = PointBranch(1, width, 1, modes, tokens=tokens, depth=2)
        self.trunk = MLP([2 * waves, *[width] * depth, modes])
        self.scale = nn.Parameter(torch.tensor(1e-2))

    def encode(self, cloud: PointSet) -> Tensor:
        log_m = cloud.scalars[:, 0]
        count = torch.bincount(cloud.batch, cloud.weight, minlength=cloud.batch_size)

        def mean(values: Tensor) -> Tensor:
            return torch.bincount(cloud.batch, cloud.weight * values, minlength=cloud.batch_size) / count

        centred = log_m - mean(log_m)[cloud.batch]
        spread = mean(centred.square()).sqrt()
        relative = centred / spread.clamp_min(1e-6)[cloud.batch]
        known = torch.cat([self._cosines(cloud.pos), relative[:, None]], dim=1)
        said = spread[:, None]
        return self.scale * said * self.branch([cloud.with_features(scalars=self.lift(known))], said) / math.sqrt(self.arguments["modes"])

    def displacement(self, latent: Tensor, points: Tensor) -> Tensor:
        needed = torch.is_grad_enabled()
        with torch.enable_grad():
            gradient = self._gradient(latent, points.detach().requires_grad_(), needed)
        return gradient if needed else gradient.detach()

    def hessian(self, latent: Tensor, points: Tensor) -> Tensor:
        needed = torch.is_grad_enabled()
        with torch.enable_grad():
            points = points.detach().requires_grad_()
            gradient = self._gradient(latent, points, True)
            rows = [torch.autograd.grad(gradient[..., k].sum(), points, create_graph=needed, retain_graph=True)[0] for k in (0, 1)]
        return torch.stack(rows, dim=2)

    def _gradient(self, latent: Tensor, points: Tensor, keep: bool) -> Tensor:
        potential = (self.trunk(self._cosines(points)) * latent[:, None]).sum()
        return torch.autograd.grad(potential, points, create_graph=keep)[0]

    def _cosines(self, points: Tensor) -> Tensor:
        """(..., 2 waves)."""
        wave = math.pi * torch.arange(1, self.waves + 1, dtype=points.dtype, device=points.device)
        return (points[..., None] * wave).cos().flatten(-2)
