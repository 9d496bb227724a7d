"""Fourier layer: a convolution over a regular lattice, by its lowest modes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import cache
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigurationError, ShapeError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.sizes import check_sizes

#: Numbers in the matrix of a transform up to which it is multiplied rather than transformed fast: measured on one core, 24^2 nodes with 6 modes
#: take 2 ms instead of 9, 32^2 with 10 modes as long either way.
_SMALL = 2**18


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
        check_sizes("Spectral", {"in_channels": in_channels, "out_channels": out_channels, **({} if rank is None else {"rank": rank})})
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
        """F^-1 R F of (b, *shape, c): by the two matrices of the transforms while they are small, which a processor likes better than many short fast ones."""
        small = 2 * math.prod(self.shape) * len(self.weight) <= _SMALL and not torch.compiler.is_compiling()
        return self._by_matrices(field) if small else self._by_transforms(field)

    def _by_matrices(self, field: Tensor) -> Tensor:
        b, c = len(field), field.shape[-1]
        forward, back = (m.to(device=field.device, dtype=field.dtype) for m in _transforms(self.shape, self.padded, self.modes))
        spectrum = (forward @ field.reshape(b, -1, c)).reshape(b, -1, 2 * c).transpose(0, 1)  # real and imaginary part side by side
        real, imaginary = self.weight.to(field.dtype).unbind(dim=3)
        weight = torch.cat([torch.cat([real, imaginary], dim=2), torch.cat([-imaginary, real], dim=2)], dim=1)
        changed = torch.bmm(spectrum, weight).transpose(0, 1).reshape(b, back.shape[1], -1)
        return (back @ changed).reshape(*field.shape[:-1], -1)

    def _by_transforms(self, field: Tensor) -> Tensor:
        """The modes of every axis are cut before the next axis is transformed."""
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


@cache
def _transforms(shape: tuple[int, ...], padded: tuple[int, ...], modes: int) -> tuple[Tensor, Tensor]:
    """(2 m, n) from the nodes of a lattice to the real and imaginary parts of its m kept modes, and (n, 2 m) back, in double precision."""
    whole = [*range(modes + 1), *range(-modes, 0)]
    waves = np.array(list(itertools.product(*[whole] * (len(shape) - 1), range(modes + 1))), dtype=np.float64)
    nodes = np.array(list(itertools.product(*(range(n) for n in shape))), dtype=np.float64)
    angle = 2 * np.pi * (waves / np.array(padded)) @ nodes.T
    # a wave and its conjugate, which is not kept, give twice the real part
    twice = np.where(waves[:, -1:] == 0, 1.0, 2.0)
    forward = np.stack([np.cos(angle), -np.sin(angle)], axis=1) / math.prod(padded)
    back = np.stack([twice * np.cos(angle), -twice * np.sin(angle)], axis=1)
    return torch.from_numpy(forward.reshape(-1, len(nodes))), torch.from_numpy(np.ascontiguousarray(back.reshape(-1, len(nodes)).T))


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
