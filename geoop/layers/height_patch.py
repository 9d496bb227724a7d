"""A piece of surface as a height over a plane, in Legendre polynomials: fit, derivatives, metric and curvature."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: polynomials per axis: degree 3 in u and in v
AXIS = 4
#: coefficients of a patch
COEFFICIENTS = AXIS**2


@dataclass(frozen=True, eq=False)
class PatchShape:
    """Geometry at the middle of patches z = h(u, v).

    Attributes:
        metric: (n, 2, 2) first fundamental form g = I + dh dh^T.
        second: (n, 2, 2) second fundamental form b = ddh / sqrt(1 + |dh|^2), positive where the surface bends towards +z.
        gauss: (n,) K = det(g^-1 b).
        mean: (n,) H = tr(g^-1 b) / 2.
        normal: (n, 3) unit normal with positive z.
    """

    metric: Tensor
    second: Tensor
    gauss: Tensor
    mean: Tensor
    normal: Tensor


def legendre(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Values, first and second derivatives of the Legendre polynomials of degree 0 to 3: (...) -> (..., 4) each."""
    one, none = torch.ones_like(x), torch.zeros_like(x)
    values = torch.stack([one, x, 1.5 * x * x - 0.5, 2.5 * x**3 - 1.5 * x], dim=-1)
    first = torch.stack([none, one, 3 * x, 7.5 * x * x - 1.5], dim=-1)
    second = torch.stack([none, none, 3 * one, 15 * x], dim=-1)
    return values, first, second


def basis(local: Tensor) -> Tensor:
    """(..., 16) products P_i(u) P_j(v) at (..., 2 or more) coordinates u, v in [-1, 1]; i counts slowly."""
    u, v = legendre(local[..., 0])[0], legendre(local[..., 1])[0]
    return (u[..., :, None] * v[..., None, :]).flatten(-2)


def fit(local: Tensor, weight: Tensor | None = None) -> Tensor:
    """(n, 16) coefficients by weighted least squares: exact, whatever the weights, where the points lie on such a patch.

    Args:
        local: (n, k, 3) coordinates u, v and height of the points of every patch; k >= 16 for a fit that is determined.
        weight: (n, k) non-negative; None for ones.
    """
    rows, right = basis(local), local[..., 2:]
    if weight is not None:
        root = weight.clamp(min=torch.finfo(local.dtype).tiny).sqrt()[..., None]
        rows, right = rows * root, right * root
    # orthogonal factors, because normal equations square the condition of one-sided patches; the added rows decide only what points leave open
    size = rows.detach().square().mean(dim=(1, 2), keepdim=True).sqrt().clamp(min=torch.finfo(local.dtype).tiny)
    extra = 10 * torch.finfo(local.dtype).eps * size * torch.eye(COEFFICIENTS, dtype=local.dtype, device=local.device)
    q, r = torch.linalg.qr(torch.cat([rows, extra], dim=1))
    return torch.linalg.solve_triangular(r, q[:, : rows.shape[1]].transpose(1, 2) @ right, upper=True)[..., 0]


def robust_fit(local: Tensor, rounds: int = 10) -> Tensor:
    """(n, 16) least squares, reweighted by the residuals: Cauchy weights 1 / (1 + (r / 2.385 s)^2) with the scale s from the median.

    What a sceptic runs against outliers, and where the learned fit starts.
    """
    found = fit(local)
    for _ in range(rounds):
        off, scale = residual(local, found)
        found = fit(local, 1 / (1 + (off / (2.385 * scale)).square()))
    return found


def residual(local: Tensor, coefficients: Tensor) -> tuple[Tensor, Tensor]:
    """Heights of the points over a patch (n, k), and their scale (n, 1) from the median: the standard deviation without outliers."""
    off = local[..., 2] - (basis(local) * coefficients[:, None]).sum(dim=-1)
    return off, 1.4826 * off.abs().median(dim=1, keepdim=True).values + 1e-6


def derivatives(coefficients: Tensor) -> Tensor:
    """(n, 5) h_u, h_v, h_uu, h_uv, h_vv at the middle u = v = 0 of patches with (n, 16) coefficients."""
    value, first, second = legendre(coefficients.new_zeros(()))
    pairs = ((first, value), (value, first), (second, value), (first, first), (value, second))
    return torch.stack([coefficients @ torch.outer(u, v).flatten() for u, v in pairs], dim=1)


def shape(derivatives: Tensor) -> PatchShape:
    """Metric, second form, Weingarten map and curvatures from (n, 5) h_u, h_v, h_uu, h_uv, h_vv."""
    slope, (r, s, t) = derivatives[:, :2], derivatives[:, 2:].unbind(dim=1)
    root = (1 + slope.square().sum(dim=1)).sqrt()
    metric = torch.eye(2, dtype=slope.dtype, device=slope.device) + slope[:, :, None] * slope[:, None, :]
    second = torch.stack([torch.stack([r, s], 1), torch.stack([s, t], 1)], 1) / root[:, None, None]
    weingarten = torch.linalg.solve(metric, second)
    gauss = weingarten[:, 0, 0] * weingarten[:, 1, 1] - weingarten[:, 0, 1] * weingarten[:, 1, 0]
    mean = 0.5 * (weingarten[:, 0, 0] + weingarten[:, 1, 1])
    normal = torch.cat([-slope, torch.ones_like(root)[:, None]], dim=1) / root[:, None]
    return PatchShape(metric, second, gauss, mean, normal)
