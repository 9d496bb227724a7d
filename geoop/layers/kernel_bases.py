"""Green's and Poisson kernels of a half-space: what a learned kernel of a bounded region starts from.

Near a smooth wall every region looks like a half-space, and that is where its kernels are large. All lengths are in one unit, ``squared`` is r^2 > 0.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: A cell's mean of log r, r the distance from its middle, is log sqrt(_CORE cell): log(radius) - 1/2 of the disk of equal area. In space the mean of
#: 1/r is 3/(2 radius) of the ball of equal volume: the same constant of its (2/3)-rd power is 0.171.
_CORE = {2: 0.117, 3: 0.171}


def softened(squared: Tensor, spacing: Tensor, dimension: int) -> Tensor:
    """r^2 with the mean over a source's own cell in place of the singularity; ``spacing``^d is the cell's measure."""
    return squared + _CORE[dimension] * spacing.square()


def poisson_logarithm(squared: Tensor, measure: Tensor, dimension: int) -> Tensor:
    """log of the half-space's Poisson kernel times the measure of a boundary point, less what a softmax takes away: log mu - d log r."""
    return measure.log() - 0.5 * dimension * squared.log()


def green(squared: Tensor, wall: Tensor, dimension: int) -> Tensor:
    """Green's function of -laplace in the half-space, 0 on its wall: source and image.

    Args:
        squared: r^2.
        wall: product of the distances of the two points from the wall.
        dimension: of space.
    """
    image = 4.0 * wall / squared
    if dimension == 2:
        return torch.log1p(image) / (4.0 * math.pi)
    return (1.0 - torch.rsqrt(1.0 + image)) * torch.rsqrt(squared) / (4.0 * math.pi)


def screened_boundary_logarithm(squared: Tensor, measure: Tensor, length: Tensor, dimension: int) -> Tensor:
    """As :func:`poisson_logarithm` for u - l^2 laplace(u) = 0, and less log d(x): in space exact, in the plane K_1 is approximated to 10 %."""
    ratio = squared.sqrt() / length
    tail = torch.log1p(0.5 * math.pi * ratio) / 2.0 if dimension == 2 else torch.log1p(ratio)
    sphere = math.log(math.pi) if dimension == 2 else math.log(2.0 * math.pi)
    return poisson_logarithm(squared, measure, dimension) + tail - ratio - sphere


def screened_inside_logarithm(squared: Tensor, target: Tensor, source: Tensor, cell: Tensor, length: Tensor, dimension: int) -> Tensor:
    """log of the Green's function of u - l^2 laplace(u) = f in the half-space times the source's cell, less log d(x), approximately.

    Args:
        squared: r^2.
        target, source: distances d(x) >= 0 and d(z) > 0 from the wall.
        cell: measure of the source's cell.
        length: l.
        dimension: of space.
    """
    ratio = squared.sqrt() / length
    image = (4.0 * target * source / squared).clamp_min(1e-6)
    near = torch.log1p(image) / (2.0 if dimension == 2 else 1.0) if dimension == 2 else 1.0 - torch.rsqrt(1.0 + image)
    tail = torch.log1p(0.5 * math.pi * ratio) / 2.0 if dimension == 2 else torch.log1p(ratio)
    unit = (near / image).log() + (4.0 * source / squared).log() - 0.5 * (dimension - 2) * squared.log()
    sphere = math.log(2.0 * math.pi) if dimension == 2 else math.log(4.0 * math.pi)
    return cell.log() - 2.0 * length.log() + unit + tail - ratio - sphere
