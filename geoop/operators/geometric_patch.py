"""Geometry of a surface from its points by a network on local patches."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.graph import Graph
from ..graph.neighbors import knn
from ..graph.pointset import PointSet
from ..layers.height_patch import COEFFICIENTS, derivatives, fit, residual, robust_fit, shape
from ..layers.mlp import MLP
from ..layers.operator import AbstractOperator, Symmetry


class BlockKernel(nn.Module):
    """Kernel integral within patches, with a kernel of diagonal blocks (Quackenbush and Atzberger 2024, arXiv 2404.10843):

        v'(x_i) = v(x_i) + gelu( W v(x_i) + 1/k sum_j kappa(x_i, x_j) v(x_j) ),    kappa = diag(kappa_1, ..., kappa_B)

    Every block mixes channels / blocks channels, so a pair costs channels^2 / blocks numbers instead of channels^2.

    Args:
        channels: features per point.
        blocks: divides ``channels``.
        hidden: width of the perceptron that gives the kernel from both points.
    """

    def __init__(self, channels: int, blocks: int = 4, hidden: int = 16) -> None:
        super().__init__()
        if channels % blocks:
            raise ConfigurationError(f"{channels} channels in {blocks} blocks", where="BlockKernel", remedy="choose a divisor of the channels")
        self.blocks, self.size = blocks, channels // blocks
        self.near, self.far = nn.Linear(3, hidden), nn.Linear(3, hidden, bias=False)
        self.kernel = nn.Linear(hidden, blocks * self.size**2)
        self.norm, self.local = nn.LayerNorm(channels), nn.Linear(channels, channels)

    def forward(self, local: Tensor, v: Tensor) -> Tensor:
        """(n, k, 3) coordinates and (n, k, channels) features -> (n, k, channels)."""
        x = self.norm(v)
        pair = nn.functional.silu(self.near(local)[:, :, None] + self.far(local)[:, None, :])
        split = x.unflatten(-1, (self.blocks, self.size))
        # sum over j of (A pair + a) x = A sum_j pair (x) x + a sum_j x: the kernel itself is never built for a pair
        moments = torch.einsum("nijh,njbs->nihbs", pair, split) / v.shape[1]
        matrix = self.kernel.weight.view(self.blocks, self.size, self.size, -1)
        integral = torch.einsum("nihbs,btsh->nibt", moments, matrix)
        integral = integral + torch.einsum("nbs,bts->nbt", split.mean(dim=1), self.kernel.bias.view(self.blocks, self.size, self.size))[:, None]
        return v + nn.functional.gelu(self.local(x) + integral.flatten(2))


class GeometricPatch(AbstractOperator):
    """Height of the surface around every point as 16 Legendre coefficients, learned, and the geometry that follows from them.

    The nearest points, in the frame of their principal axes and in units of their radius, pass through :class:`BlockKernel` layers. Then

    - ``head="coefficients"`` (the papers' way): the mean over the patch is turned into the coefficients;
    - ``head="weights"``: every point gets a weight, beside the one that its residual to a robust fit gives it, and the coefficients are the weighted
      least squares. Whatever the weights, this is exact for points without noise on such a patch; what is learned is whom not to believe.

    Train it with :func:`geoop.models.geometry_patches.pretrain`. Axes are turned so that third moments are positive, the normal to the side of
    ``target.vectors[:, 0]`` if there are any: rotating or reflecting the points changes nothing. Positions get no gradients.

    Source: positions (m, 3) on a surface. Target: points on it. Returns the target points with ``scalars`` (n, 18): coefficients in units of the
    patch's radius, Gauss and mean curvature [1/m^2, 1/m] (positive on a sphere with outward normals), and as ``vectors`` (n, 1, 3) the normal.

    Args:
        neighbours: points in every patch; a sample with fewer repeats its last one.
        channels: features per point.
        layers: kernel layers.
        head: see above.
    """

    reference: ClassVar[str] = "quackenbush-2024-gnp"
    symmetry: ClassVar[Symmetry] = Symmetry.E

    def __init__(self, neighbours: int = 32, *, channels: int = 16, layers: int = 2, head: Literal["weights", "coefficients"] = "weights") -> None:
        super().__init__()
        if neighbours < COEFFICIENTS or head not in ("weights", "coefficients"):
            raise ConfigurationError(
                f"{neighbours} neighbours, head '{head}'", where="GeometricPatch", remedy=f"at least {COEFFICIENTS}, and 'weights' or 'coefficients'"
            )
        self.neighbours, self.head = neighbours, head
        self.lift = MLP([5, channels, channels])
        self.layers = nn.ModuleList(BlockKernel(channels) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)
        self.out_head = MLP([channels, channels, 1 if head == "weights" else COEFFICIENTS])

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return knn(source.pos, target.pos, self.neighbours, source.ptr, target.ptr)

    def coefficients(self, local: Tensor) -> Tensor:
        """(n, 16) from patches (n, k, 3) in units of their radius."""
        # how far a point is off a robust fit says most about whom to believe; a bounded number, or outliers would drown the rest
        with torch.no_grad():
            off, scale = residual(local, robust_fit(local, 4))
            doubt = 1 / (1 + (off / (2.385 * scale)).square())
            off, scale = torch.asinh(off / scale), (scale + 1e-3).log()
        v = self.lift(torch.cat([local, off[..., None], scale.expand_as(off)[..., None]], dim=-1))
        for layer in self.layers:
            v = layer(local, v)
        v = self.out_head(self.norm(v))
        return fit(local, doubt * torch.sigmoid(v[..., 0]) + 1e-6) if self.head == "weights" else v.mean(dim=1)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        with torch.no_grad():
            local, frame, radius = patches(source, target, graph, self.neighbours)
        coefficients = self.coefficients(local.to(target.scalars.dtype))
        found = shape(derivatives(coefficients))
        curvature = torch.stack([found.gauss / radius**2, -found.mean / radius], dim=1)
        normal = torch.einsum("na,nad->nd", found.normal, frame.to(found.normal.dtype))
        return target.with_features(scalars=torch.cat([coefficients, curvature], dim=1), vectors=normal[:, None])


def patches(source: PointSet, target: PointSet, graph: Graph, neighbours: int) -> tuple[Tensor, Tensor, Tensor]:
    """Neighbours of every target in the frame of their principal axes.

    Returns:
        (n, k, 3) coordinates relative to the target in units of the radius, (n, 3, 3) the axes u, v, normal as rows, (n,) the radius.
    """
    table = graph.ptr[:-1, None] + torch.arange(neighbours, device=graph.ptr.device)
    table = graph.source[torch.minimum(table, graph.ptr[1:, None] - 1)]
    # in order of distance, so that no order of edges matters
    offset = source.pos[table] - target.pos[:, None]
    far = offset.square().sum(dim=2)
    order = far.argsort(dim=1, stable=True)
    offset = offset.gather(1, order[:, :, None].expand_as(offset))
    radius = far.amax(dim=1).sqrt()
    radius = torch.where(radius > 0, radius, torch.ones_like(radius))
    offset = offset / radius[:, None, None]
    centred = offset - offset.mean(dim=1, keepdim=True)
    # axes in double precision: of nearly equal moments a rounding would choose others
    axes = torch.linalg.eigh((centred.transpose(1, 2) @ centred).double())[1].to(offset.dtype).flip(2).transpose(1, 2)
    side = torch.einsum("nad,nkd->nak", axes, centred).pow(3).sum(dim=2)
    if target.vectors.shape[1]:
        side = torch.cat([side[:, :2], (axes[:, 2] * target.vectors[:, 0]).sum(dim=1, keepdim=True)], dim=1)
    axes = axes * torch.where(side < 0, -1.0, 1.0).to(axes.dtype)[:, :, None]
    return torch.einsum("nad,nkd->nka", axes, offset), axes, radius
