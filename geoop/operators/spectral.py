"""Fourier layer: a convolution over a regular lattice, by its lowest modes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigurationError, ShapeError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.operator import AbstractOperator, Symmetry


class Spectral(AbstractOperator):
    """Fourier layer of Li et al. 2021 (arXiv 2010.08895) on points that stand on a lattice:

        v' = W v + b + U F^-1( R_k F(V v)_k ),    |k_i| <= modes on every axis

    F is the discrete Fourier transform over the lattice, R_k a complex matrix per mode. Without ``rank`` U and V are absent and R_k is
    out_channels x in_channels, as in the paper; with it V reduces to ``rank`` channels before the transform and U leads back, so that the
    modes cost rank^2 numbers each and the transform rank channels (a Tucker factorisation along the channels).

    The modes are symmetric and below the Nyquist frequency, hence the same weights on a finer lattice give the same answer for a
    band-limited input: exactly, not in the limit.

    Source and target: one object, the same number of points prod(shape) in every sample, in row-major order; ``scalars`` (n, in_channels)
    to (n, out_channels). Positions and weights are not read: all cells of a lattice are equal.

    Args:
        in_channels: scalars of the points.
        out_channels: scalars of the result.
        shape: nodes along every axis; the weights do not depend on it.
        modes: highest wave number on every axis.
        rank: channels that are transformed; None for all.
        padding: zeros appended on every axis, as a share of its nodes, for fields that are not periodic.
    """

    reference: ClassVar[str] = "li-2021-fno"
    symmetry: ClassVar[Symmetry] = Symmetry.E  # the lattice is moved with its points; turning the axes of the lattice is another matter

    def __init__(
        self, in_channels: int, out_channels: int, shape: Sequence[int], *, modes: int = 8, rank: int | None = None, padding: float = 0.0
    ) -> None:
        super().__init__()
        self.shape, self.modes = tuple(int(n) for n in shape), int(modes)
        self.padded = tuple(n + round(padding * n) for n in self.shape)
        if not self.shape or modes < 0 or padding < 0 or 2 * modes >= min(self.padded):
            raise ConfigurationError(
                f"{modes} modes on a lattice of {self.shape} nodes with padding {padding:g}",
                where="Spectral",
                remedy="ask for fewer than half as many modes as there are nodes on the shortest axis",
            )
        inside, outside = (in_channels, out_channels) if rank is None else (rank, rank)
        self.reduce = None if rank is None else nn.Linear(in_channels, rank, bias=False)
        self.expand = None if rank is None else nn.Linear(rank, out_channels, bias=False)
        self.local = nn.Linear(in_channels, out_channels)
        count = (2 * modes + 1) ** (len(self.shape) - 1) * (modes + 1)
        # real and imaginary parts as real numbers: complex parameters are refused by optimisers and by the checkpoint's format
        self.weight = nn.Parameter(torch.randn(count, inside, outside, 2) / math.sqrt(2 * inside))

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        """No edges: every point acts on every other.

        Raises:
            ShapeError: a sample does not fill the lattice.
        """
        sizes = set(source.ptr.diff().tolist())
        if target is not source and not torch.equal(source.pos, target.pos):
            raise ShapeError("source and target are different points", where="Spectral", remedy="give the lattice as both")
        if sizes - {math.prod(self.shape)}:
            raise ShapeError(f"samples of {sorted(sizes)} points on a lattice of {self.shape}", where="Spectral", remedy="fill the lattice")
        return Graph.unconnected(len(source), len(target), source.pos.device)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        field = source.scalars.reshape(-1, *self.shape, source.scalars.shape[1])
        return target.with_features(scalars=self.on_lattice(field).flatten(0, -2))

    def on_lattice(self, field: Tensor) -> Tensor:
        """(b, *shape, in_channels) -> (b, *shape, out_channels)."""
        inner = field if self.reduce is None else self.reduce(field)
        with torch.autocast(inner.device.type, enabled=False):  # there is no transform in bfloat16
            waves = self._convolve(inner.float() if inner.dtype in (torch.float16, torch.bfloat16) else inner)
        return self.local(field) + (waves if self.expand is None else self.expand(waves))

    def _convolve(self, field: Tensor) -> Tensor:
        """F^-1 R F of (b, *shape, c), the modes of every axis cut before the next axis is transformed."""
        last, k = len(self.shape), self.modes
        spectrum = torch.fft.rfft(field, n=self.padded[-1], dim=last, norm="forward").narrow(last, 0, k + 1)
        for axis in range(1, last):
            full = torch.fft.fft(spectrum, n=self.padded[axis - 1], dim=axis, norm="forward")
            spectrum = torch.cat([full.narrow(axis, 0, k + 1), full.narrow(axis, full.shape[axis] - k, k)], dim=axis)
        b, *counts, c = spectrum.shape
        weight = torch.view_as_complex(self.weight.to(field.dtype))
        spectrum = torch.bmm(spectrum.reshape(b, -1, c).transpose(0, 1), weight).transpose(0, 1).reshape(b, *counts, -1)
        for axis in range(last - 1, 0, -1):
            gap = list(spectrum.shape)
            gap[axis] = self.padded[axis - 1] - 2 * k - 1
            parts = (spectrum.narrow(axis, 0, k + 1), spectrum.new_zeros(gap), spectrum.narrow(axis, k + 1, k))
            spectrum = torch.fft.ifft(torch.cat(parts, dim=axis), dim=axis, norm="forward").narrow(axis, 0, self.shape[axis - 1])
        return torch.fft.irfft(spectrum, n=self.padded[-1], dim=last, norm="forward").narrow(last, 0, self.shape[-1])


class FourierBlock(nn.Module):
    """x + B gelu( Fourier layer of (LayerNorm x) ): the layer of the paper as a residual block, on (b, *shape, width).

    Args:
        spectral: from ``width`` channels to ``hidden``.
        width: channels of x.
        hidden: channels between.
    """

    def __init__(self, spectral: Spectral, width: int, hidden: int) -> None:
        super().__init__()
        self.norm, self.spectral, self.back = nn.LayerNorm(width), spectral, nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.back(F.gelu(self.spectral.on_lattice(self.norm(x))))
