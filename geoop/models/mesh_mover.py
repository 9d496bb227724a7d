"""Networks that say where the points of a mesh go: maps of the unit square that are gradients of a potential."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError, ShapeError
from ..graph.pointset import PointSet
from ..layers.mlp import MLP
from ..operators.moment_interpolation import MomentInterpolation
from .cosine_potential import CosineLattice, gradient_at, hessian_at, sampled

#: Newton's steps for the constant of the equation.
_NEWTON = 4


class AbstractMeshMover(nn.Module, ABC):
    """x(xi) = xi + grad phi(xi; m) on the unit square, for a monitor m that is known on a cloud of any size.

    The normal derivative of phi is zero on the sides, exactly: points of a side slide along it, corners stay. A constant monitor moves nothing.

    Attributes:
        reference: keys in :mod:`geoop.references`.
        arguments: what the constructor was given, as plain data for the checkpoint.
    """

    reference: ClassVar[tuple[str, ...]]
    arguments: dict[str, Any]

    @abstractmethod
    def encode(self, cloud: PointSet) -> Tensor:
        """What the points are moved by, (b, ...), from log m as ``scalars`` (n, 1) of points in the unit square; a factor on m changes nothing."""

    @abstractmethod
    def displacement(self, latent: Tensor, points: Tensor) -> Tensor:
        """(b, q, 2) grad phi at points (b, q, 2) of the unit square, or at (1, q, 2) for all samples."""

    @abstractmethod
    def hessian(self, latent: Tensor, points: Tensor) -> Tensor:
        """(b, q, 2, 2) second derivatives of phi at the same points."""


class UnrolledMover(AbstractMeshMover):
    """A few learned steps of a fixed-point iteration for the Monge-Ampere equation m(x) det(I + H phi) = c, x = xi + grad phi.

    With eigenvalues a, b of I + H phi, (a + b)^2 = (a - b)^2 + 4 a b; so the equation is solved where

        laplace phi_(k+1) = sqrt((phi_xx - phi_yy)^2 + 4 phi_xy^2 + 4 c/m(x)) - 2

    (Benamou, Froese and Oberman 2010; here m is at the moved place, and c makes the mean zero). A step here adds a network's density to the right
    side and multiplies the waves of its change by learned factors of their length; both are trained with the equation's residual alone, without target
    meshes, as in Hu et al. 2024 (arXiv 2312.05583). Before training it is the plain iteration. phi is a cosine series: C^infinity, evaluated at any points.

    Args:
        nodes: of the lattice of phi per direction.
        monitor_nodes: of the lattice on which m is known per direction.
        steps: of the iteration.
        width: channels of the network on the lattice; 0 for none.
        neighbours: points of the cloud that a node of the monitor's lattice hears.
        learned: whether steps have factors for waves; without them and with width 0 nothing is trained but the interpolation.
    """

    reference: ClassVar[tuple[str, ...]] = ("hu-2024-mmpde", "benamou-2010-monge-ampere")

    def __init__(
        self, nodes: int = 48, monitor_nodes: int = 96, *, steps: int = 6, width: int = 12, neighbours: int = 10, learned: bool = True
    ) -> None:
        super().__init__()
        if min(nodes, monitor_nodes) < 8 or steps < 1 or width < 0:
            raise ConfigurationError(
                f"{nodes} and {monitor_nodes} nodes, {steps} steps, width {width}", where="UnrolledMover", remedy="8 nodes and 1 step at least"
            )
        self.arguments = {
            "nodes": nodes,
            "monitor_nodes": monitor_nodes,
            "steps": steps,
            "width": width,
            "neighbours": neighbours,
            "learned": learned,
        }
        self.lattice, self.steps = CosineLattice(nodes), steps
        self.reading = MomentInterpolation(2, neighbours=neighbours)
        self.monitor_nodes = monitor_nodes
        self.factors = MLP([1, 16, steps], zero=True) if learned else None
        self.density = nn.ModuleList([_LatticeNet(width) for _ in range(steps)]) if width else None

    def encode(self, cloud: PointSet) -> Tensor:
        return self.solve(self.on_lattice(cloud))

    def on_lattice(self, cloud: PointSet) -> Tensor:
        """(b, m, m) log m at the nodes of the monitor's lattice.

        Raises:
            ShapeError: the cloud is not in the plane or carries another number of scalars than one.
        """
        if cloud.dimension != 2 or cloud.scalars.shape[1] != 1:
            raise ShapeError(
                f"a cloud in {cloud.dimension}-D with {cloud.scalars.shape[1]} scalars",
                where="UnrolledMover",
                remedy="give log m at points in the plane",
            )
        place = (torch.arange(self.monitor_nodes, dtype=cloud.pos.dtype, device=cloud.pos.device) + 0.5) / self.monitor_nodes
        one = torch.stack(torch.meshgrid(place, place, indexing="ij"), dim=-1).reshape(-1, 2)
        b = cloud.batch_size
        nodes = PointSet(one.repeat(b, 1), ptr=len(one) * torch.arange(b + 1, device=one.device))
        values = self.reading(cloud, nodes, self.reading.connect(cloud, nodes)).scalars
        return values.view(b, self.monitor_nodes, self.monitor_nodes)

    def solve(self, log_monitor: Tensor) -> Tensor:
        """(b, nodes, nodes) coefficients of phi from (b, m, m) log m at the nodes of a lattice, of any m."""
        log_monitor = log_monitor - log_monitor.mean(dim=(1, 2), keepdim=True)
        series = log_monitor.new_zeros(len(log_monitor), self.lattice.n, self.lattice.n)
        factors = self._factors(series)
        for k in range(self.steps):
            series = series + factors[k] * (self._next(series, log_monitor, k) - series)
        return series

    def displacement(self, latent: Tensor, points: Tensor) -> Tensor:
        return gradient_at(latent, points)

    def hessian(self, latent: Tensor, points: Tensor) -> Tensor:
        return hessian_at(latent, points)

    def _next(self, series: Tensor, log_monitor: Tensor, k: int) -> Tensor:
        """Coefficients of phi_(k+1) in full."""
        spread = log_monitor.detach().square().mean(dim=(1, 2), keepdim=True).sqrt()  # the mean is zero; nothing is added for a constant monitor
        gradient, xx, yy, xy = self.lattice.derivatives(series)
        log_m = sampled(log_monitor, self.lattice.nodes + gradient)
        stretch = (xx - yy).square() + 4 * xy.square()
        wanted = _compatible(stretch, (-log_m).exp())
        if self.density is not None:
            known = torch.stack([wanted - xx - yy, log_m, xx + yy, (stretch + 1e-6).sqrt()], dim=1)
            wanted = wanted + spread * self.density[k](known)
        return self.lattice.potential_of(wanted)

    def _factors(self, series: Tensor) -> Tensor:
        """(steps, n, n) factors on the change of every wave."""
        if self.factors is None:
            return series.new_ones(self.steps, 1, 1)
        length = 0.5 * self.lattice.squared.log()
        return 1 + self.factors(length[..., None]).permute(2, 0, 1)


class _LatticeNet(nn.Module):
    """(b, 4, n, n) -> (b, n, n): two convolutions with edges repeated outwards, so that what is constant stays constant. Starts as zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        how: dict[str, Any] = {"padding": 1, "padding_mode": "replicate"}
        self.layers = nn.Sequential(nn.Conv2d(4, width, 3, **how), nn.GELU(), nn.Conv2d(width, width, 3, **how), nn.GELU(), nn.Conv2d(width, 1, 1))
        nn.init.zeros_(self.layers[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.layers[-1].bias)  # type: ignore[arg-type]

    def forward(self, known: Tensor) -> Tensor:
        return self.layers(known)[:, 0]


def _compatible(stretch: Tensor, share: Tensor) -> Tensor:
    """sqrt(stretch + 4 c share) - 2 with the c > 0 for which its mean over the lattice is zero, where there is one."""
    c = 1 / share.mean(dim=(1, 2), keepdim=True)
    for _ in range(_NEWTON):
        root = (stretch + 4 * c * share).sqrt()
        slope = (2 * share / root).mean(dim=(1, 2), keepdim=True)
        # where stretching alone is too much already, c goes to zero and the mean is taken off by the Poisson solve
        c = torch.maximum(c - (root.mean(dim=(1, 2), keepdim=True) - 2) / slope, 0.1 * c)
    return (stretch + 4 * c * share).sqrt() - 2
