"""Cosine series on the unit square: potentials whose normal derivative is zero on all sides, and maps x = xi + grad phi made of them."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CosineLattice(nn.Module):
    """The n x n cell-centred nodes ((i + 1/2)/n, (j + 1/2)/n) and the series phi(x, y) = sum_kl c_kl cos(k pi x) cos(l pi y), k, l < n.

    The series interpolates what is given at the nodes; every one of its functions has a normal derivative of zero on the sides, exactly.

    Args:
        n: nodes per direction.
    """

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n
        place = (torch.arange(n, dtype=torch.float64) + 0.5) / n
        wave = math.pi * torch.arange(n, dtype=torch.float64)
        value = torch.cos(wave[:, None] * place)
        forward = value * (2.0 / n)
        forward[0] /= 2.0
        squared = wave[:, None] ** 2 + wave**2
        squared[0, 0] = 1.0
        tables = {
            "forward_": forward,
            "value": value,
            "slope": -wave[:, None] * torch.sin(wave[:, None] * place),
            "bend": -(wave[:, None] ** 2) * value,
        }
        tables |= {"squared": squared, "nodes": torch.stack(torch.meshgrid(place, place, indexing="ij"), dim=-1)}
        for name, table in tables.items():
            self.register_buffer(name, table.to(torch.get_default_dtype()), persistent=False)

    def series(self, values: Tensor) -> Tensor:
        """(b, n, n) values at the nodes -> (b, n, n) coefficients."""
        return self.forward_ @ values @ self.forward_.T

    def potential_of(self, density: Tensor) -> Tensor:
        """Coefficients of the potential of mean zero with laplace phi = density - mean, no flux through the sides, for (b, n, n) values at the nodes."""
        series = -self.series(density) / self.squared
        return series * (torch.arange(self.n * self.n, device=series.device).view(self.n, self.n) > 0)

    def derivatives(self, series: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """At the nodes: gradient (b, n, n, 2), and second derivatives xx, yy, xy (b, n, n)."""
        across = series @ self.value
        gradient = torch.stack([self.slope.T @ across, self.value.T @ (series @ self.slope)], dim=-1)
        return gradient, self.bend.T @ across, self.value.T @ (series @ self.bend), self.slope.T @ (series @ self.slope)


def gradient_at(series: Tensor, points: Tensor) -> Tensor:
    """(b, q, 2) gradient of the series (b, n, n) at points (b, q, 2)."""
    n = series.shape[-1]
    (cx, sx), (cy, sy), wave = _waves(points[..., 0], n), _waves(points[..., 1], n), _wave(series)
    # waves belong to the few coefficients, not to the many places
    return -torch.stack([((wave * series) @ cy).mul_(sx).sum(dim=1), ((series * wave.T) @ sy).mul_(cx).sum(dim=1)], dim=2)


def hessian_at(series: Tensor, points: Tensor) -> Tensor:
    """(b, q, 2, 2) second derivatives of the series (b, n, n) at points (b, q, 2)."""
    n = series.shape[-1]
    (cx, sx), (cy, sy), wave = _waves(points[..., 0], n), _waves(points[..., 1], n), _wave(series)
    xx, yy = -((series @ cy) * (wave**2 * cx)).sum(dim=1), -((series @ (wave**2 * cy)) * cx).sum(dim=1)
    xy = ((series @ (wave * sy)) * (wave * sx)).sum(dim=1)
    return torch.stack([xx, xy, xy, yy], dim=2).unflatten(2, (2, 2))


def sampled(values: Tensor, points: Tensor) -> Tensor:
    """(b, ...) bilinear values at points (b, ..., 2) of the unit square from (b, m, m) values at cell-centred nodes; constant beyond the outermost nodes."""
    flat = points.reshape(len(points), -1, 1, 2)
    found = F.grid_sample(values[:, None], (2 * flat - 1).flip(-1), mode="bilinear", padding_mode="border", align_corners=False)
    return found.reshape(points.shape[:-1])


def _wave(series: Tensor) -> Tensor:
    """(n, 1) wave numbers."""
    return math.pi * torch.arange(series.shape[-1], dtype=series.dtype, device=series.device)[:, None]


def _waves(place: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """(b, n, q) cosines and sines of k pi x, k < n, at places x (b, q) that carry no derivative.

    From the waves up to 2^j those up to 2^(j+1) follow by the theorem of addition: a tenth of the time of asking for each.
    """
    angle = math.pi * place.detach()
    cosines, sines = (place.new_empty(len(place), n, place.shape[1]) for _ in range(2))
    cosines[:, 0], sines[:, 0] = 1.0, 0.0
    done = 1
    while done < n:
        c, s = (done * angle).cos()[:, None], (done * angle).sin()[:, None]
        more = slice(0, min(done, n - done))
        new = slice(done, done + more.stop)
        # into the tables themselves: new memory would cost more than the arithmetic
        torch.mul(cosines[:, more], c, out=cosines[:, new]).addcmul_(sines[:, more], s, value=-1)
        torch.mul(sines[:, more], c, out=sines[:, new]).addcmul_(cosines[:, more], s)
        done = new.stop
    return cosines, sines
