"""Synthetic pieces of surface with noise and outliers, and the training of a geometric patch network on them."""

from __future__ import annotations

import torch
from torch import Tensor

from ..layers.height_patch import AXIS, basis, derivatives
from ..operators.geometric_patch import GeometricPatch


def synthetic_patches(
    count: int, points: int, *, noise: float = 0.0, outliers: float = 0.0, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Random patches z = sum c_ij P_i(u) P_j(v) over the unit disc, and points on and beside them.

    Slopes are small (the plane is that of the principal axes), curvature times radius of order one, higher terms smaller.

    Args:
        count: patches.
        points: per patch; the first lies in the middle up to noise.
        noise: standard deviation of the height, in units of the radius; every patch draws its own level between none and this.
        outliers: probability of a point to lie anywhere within half a radius instead.
        generator: of the random numbers.

    Returns:
        (count, points, 3) coordinates and (count, 16) coefficients.
    """
    order = torch.arange(AXIS)
    total = (order[:, None] + order[None, :]).flatten()
    spread = torch.tensor([0.0, 0.1, 0.25, 0.1, 0.04, 0.02, 0.01])[total]
    coefficients = torch.randn(count, AXIS**2, generator=generator) * spread
    radius = torch.rand(count, points, generator=generator).sqrt()
    angle = 2 * torch.pi * torch.rand(count, points, generator=generator)
    flat = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=2)
    flat[:, 0] = 0
    # the patch goes through the middle, where its point is
    coefficients[:, 0] -= (basis(flat[:, :1]) * coefficients[:, None]).sum(dim=2)[:, 0]
    height = (basis(flat) * coefficients[:, None]).sum(dim=2)
    level = noise * torch.rand(count, 1, generator=generator)
    height = height + level * torch.randn(count, points, generator=generator)
    wrong = torch.rand(count, points, generator=generator) < outliers
    anywhere = torch.rand(count, points, generator=generator) - 0.5
    return torch.cat([flat, torch.where(wrong, anywhere, height)[:, :, None]], dim=2), coefficients


def patch_loss(found: Tensor, exact: Tensor) -> Tensor:
    """Mean absolute error of slopes, second derivatives and coefficients (n, 16): outliers leave patches that nobody can tell, and squares see only these."""
    return (derivatives(found) - derivatives(exact)).abs().mean() + (found - exact).abs().mean()


def pretrain(
    operator: GeometricPatch, *, steps: int = 400, batch: int = 128, noise: float = 0.0, outliers: float = 0.0, rate: float = 4e-3, seed: int = 0
) -> list[float]:
    """Train on fresh synthetic patches; returns the loss of every step. Some seconds to minutes on one core.

    Args:
        operator: is changed.
        steps: of Adam, with a rate that falls to zero along a cosine.
        batch: patches per step.
        noise: see :func:`synthetic_patches`.
        outliers: see :func:`synthetic_patches`.
        rate: at the start.
        seed: of the patches.
    """
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(operator.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    losses = []
    for _ in range(steps):
        local, exact = synthetic_patches(batch, operator.neighbours, noise=noise, outliers=outliers, generator=generator)
        loss = patch_loss(operator.coefficients(local), exact)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(operator.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
    return losses
