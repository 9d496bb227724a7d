"""Fourier features of coordinates."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class FourierFeatures(nn.Module):
    """[x, sin(2 pi F x), cos(2 pi F x)]: lets a small network resolve short waves (Tancik et al. 2020, arXiv 2006.10739).

    Meant for relative positions: of absolute ones they would break the symmetry under translation.

    Args:
        frequencies: (f, d) wave vectors in cycles per unit of x; fixed, saved with the weights.

    Shapes: (..., d) -> (..., d + 2 f); :attr:`width` is d + 2 f.
    """

    def __init__(self, frequencies: Tensor) -> None:
        super().__init__()
        self.frequencies: Tensor
        self.register_buffer("frequencies", frequencies.clone())

    @classmethod
    def log_spaced(cls, dimension: int, octaves: int, lowest: float = 0.5) -> FourierFeatures:
        """``octaves`` frequencies lowest, 2 lowest, 4 lowest, ... along every axis."""
        powers = lowest * 2.0 ** torch.arange(octaves)
        return cls((powers[:, None, None] * torch.eye(dimension)).reshape(-1, dimension))

    @classmethod
    def random(cls, dimension: int, count: int, deviation: float, seed: int = 0) -> FourierFeatures:
        """``count`` wave vectors from a normal distribution: isotropic on average."""
        generator = torch.Generator().manual_seed(seed)
        return cls(deviation * torch.randn(count, dimension, generator=generator))

    @property
    def width(self) -> int:
        count, dimension = self.frequencies.shape
        return dimension + 2 * count

    def forward(self, x: Tensor) -> Tensor:
        phase = 2 * math.pi * (x @ self.frequencies.T)
        return torch.cat([x, phase.sin(), phase.cos()], dim=-1)
