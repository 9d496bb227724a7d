"""Layer potentials: the velocity induced by learned source and vortex densities on a polygonal boundary."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from ..errors import ShapeError
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.operator import AbstractOperator, Symmetry


def layer_kernel(targets: Tensor, ring: Tensor) -> tuple[Tensor, Tensor]:
    """Influence of linear densities on the segments of closed rings, integrated exactly (Katz & Plotkin 2001, sec. 10.2-10.3).

    With complex coordinates z, vertices p_j and a density f(s) = sigma + i gamma that is linear on every straight segment,

        u - i v = 1/(2 pi) sum_segments conj(t) int f(s) / (zeta - s) ds,      zeta = (z - p_j) / t,

    where t is the unit tangent. The two integrals that a linear f needs are log(zeta/(zeta - L)) and zeta log(...) - L.

    Args:
        targets: (..., n, 2) positions; on a segment the mean of both sides is returned up to the branch of the angle.
        ring: (..., m, 2) vertices in ring order.

    Returns:
        real and imaginary part, (..., n, m): conjugate velocity at a target per unit density at a vertex.
    """
    start, end = ring, ring.roll(-1, dims=-2)
    edge = end - start
    length = edge.norm(dim=-1).clamp_min(1e-12)[..., None, :]
    tx, ty = (edge / edge.norm(dim=-1, keepdim=True).clamp_min(1e-12)).unbind(-1)
    tx, ty = tx[..., None, :], ty[..., None, :]
    dx = targets[..., :, None, 0] - start[..., None, :, 0]
    dy = targets[..., :, None, 1] - start[..., None, :, 1]
    x, y = dx * tx + dy * ty, dy * tx - dx * ty
    far = x - length
    y2 = y * y
    # log(zeta/(zeta - L)); the tiny constant only matters exactly at a vertex, where the field is singular
    real = 0.5 * torch.log((x * x + y2 + 1e-18) / (far * far + y2 + 1e-18))
    imag = -torch.atan2(y * length, x * far + y2)
    at_end_real = (x * real - y * imag) / length - 1.0
    at_end_imag = (x * imag + y * real) / length
    at_start_real, at_start_imag = real - at_end_real, imag - at_end_imag
    # the end vertex of segment j is vertex j + 1: rotate by conj(t), then add both hats of every vertex
    end_real, end_imag = at_end_real * tx + at_end_imag * ty, at_end_imag * tx - at_end_real * ty
    start_real, start_imag = at_start_real * tx + at_start_imag * ty, at_start_imag * tx - at_start_real * ty
    scale = 1.0 / (2.0 * math.pi)
    return scale * (start_real + end_real.roll(1, dims=-1)), scale * (start_imag + end_imag.roll(1, dims=-1))


def apply_kernel(kernel: tuple[Tensor, Tensor], density: Tensor) -> Tensor:
    """Velocity (..., n, c, 2) of densities (..., m, 2c): first the c source strengths, then the c vortex strengths."""
    with torch.autocast(density.device.type, enabled=False):  # sums over the boundary cancel: half precision would lose them
        real, imag = kernel
        density = density.to(real.dtype)
        count = density.shape[-1] // 2
        by_real, by_imag = real @ density, imag @ density
        u = by_real[..., :count] - by_imag[..., count:]
        v = -(by_real[..., count:] + by_imag[..., :count])
        return torch.stack([u, v], dim=-1)


def induced_velocity(targets: Tensor, start: Tensor, end: Tensor, at_start: Tensor, at_end: Tensor) -> Tensor:
    """Velocity of densities that are linear on every segment, without the matrix of :func:`layer_kernel` and three times as fast.

    The integral over a segment from p to q with unit tangent t and length l is, with f_p and f_q at its ends,

        conj(t) [f_p l(z) + (f_q - f_p) (zeta l(z) / l - 1)],      l(z) = log((z - p)/(z - q)),   zeta = (z - p) conj(t),

    which is l(z) (A + z B) + C with coefficients that do not depend on the target: only the logarithm is evaluated for every pair.

    Args:
        targets: (..., n, 2) positions; on a segment as in :func:`layer_kernel`.
        start, end: (..., m, 2) the ends of the segments, in any order; the body lies to the side where a closed curve has it.
        at_start, at_end: (..., m, 2c) densities there: first the c source strengths, then the c vortex strengths.

    Returns:
        (..., n, c, 2).
    """
    with torch.autocast(targets.device.type, enabled=False):  # the sums cancel: half precision would lose them
        at_start, at_end = at_start.to(targets.dtype), at_end.to(targets.dtype)
        p, edge = torch.complex(*start.unbind(-1)), torch.complex(*(end - start).unbind(-1))
        length = edge.abs().clamp_min(1e-12)
        turn = (edge.conj() / length)[..., None]
        first = torch.complex(*at_start.chunk(2, dim=-1))
        slope = (torch.complex(*at_end.chunk(2, dim=-1)) - first) / length[..., None]
        by_place = turn * turn * slope
        fixed = turn * first - by_place * p[..., None]
        rest = -(turn * slope * length[..., None]).sum(dim=-2, keepdim=True)
        both = torch.cat([fixed, by_place], dim=-1)
        real, angle = _logarithms(targets, start, end)
        sums = real @ torch.cat([both.real, both.imag], dim=-1) + angle @ torch.cat([-both.imag, both.real], dim=-1)
        (a, b), (c, d) = (part.chunk(2, dim=-1) for part in sums.chunk(2, dim=-1))
        x, y = targets[..., :1], targets[..., 1:]
        u = a + x * b - y * d + rest.real
        v = c + x * d + y * b + rest.imag
        return torch.stack([u, -v], dim=-1) / (2 * math.pi)


def _logarithms(targets: Tensor, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """(..., n, m) real and imaginary part of log((z - p)/(z - q)), the imaginary part in (-pi, pi]."""
    x, y = targets[..., :, None, 0], targets[..., :, None, 1]
    px, py = x - start[..., None, :, 0], y - start[..., None, :, 1]
    qx, qy = x - end[..., None, :, 0], y - end[..., None, :, 1]
    # the tiny constant only matters exactly at a vertex, where the field is singular
    real = 0.5 * torch.log((px * px + py * py + 1e-18) / (qx * qx + qy * qy + 1e-18))
    return real, torch.atan2(py * qx - px * qy, px * qx + py * qy)


class LayerPotential(AbstractOperator):
    """A kernel integral over a closed boundary whose kernel is the gradient of Laplace's fundamental solution.

    Potential theory writes every incompressible, irrotational flow around a body as the free stream plus sources and
    vortices on its surface. Here the densities are features of the boundary, so they are learned, and the integral is exact
    for piecewise linear densities, however close the target is. It carries the far field, decays like one, and is an
    ingredient, not a solver: nothing enforces a boundary condition.

    Source: the vertices of one closed ring per sample, in order; ``scalars`` (m, 2c), see :func:`apply_kernel`.
    Target: any points. Returns the target with ``vectors`` (n, c, 2); its scalars are kept.
    Turning a figure turns the vectors; a mirror image changes the sign of a vortex, so reflections are not claimed.
    """

    reference: ClassVar[str] = "katz-plotkin-2001"
    symmetry: ClassVar[Symmetry] = Symmetry.SE
    mesh_order: ClassVar[float | None] = 2.0

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        """No edges: every vertex acts on every target of its sample, and a list of all pairs would be the largest array of all."""
        none = source.ptr.new_zeros(0)
        return Graph(none, none, len(source), len(target))

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        if source.dimension != 2 or source.scalars.shape[1] % 2:
            raise ShapeError(
                f"layer potentials take 2-D rings with 2c densities, got dimension {source.dimension} and {source.scalars.shape[1]} densities",
                remedy="give every channel a source and a vortex strength on a 2-D outline",
            )
        parts = [apply_kernel(layer_kernel(points.pos, ring.pos), ring.scalars) for ring, points in zip(source.split(), target.split(), strict=True)]
        return target.with_features(vectors=torch.cat(parts))
