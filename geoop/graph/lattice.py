"""A regular lattice that fits any cloud: its coordinates, its nodes, and which of them surround a point."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .graph import Graph
from .neighbors import knn
from .pointset import PointSet
from .segment import take_source, take_target

#: Rim of the box, as a share of the cloud's own box, into which the rest of space is pressed.
MARGIN = 1 / 16
#: Shortest unit of the stretch, as a share of the longest: a flat plate has no thickness.
FLATTEST = 0.25


@dataclass(frozen=True, eq=False)
class Chart:
    """Coordinates of every sample in which its cloud fills the box [-1/2, 1/2]^d about evenly, and nothing lies outside.

        t = asinh((x - c) / a),    u = (t - middle) / width,    xi = rim(u) / (1 + 2 MARGIN)

    c and a are the centre and the half extent of the boundary along every axis: around a body spacing grows with the distance, as that of
    graded clouds does, while inside a region, whose boundary is its box, the map is nearly linear. middle and width are the box of the cloud
    in t. ``rim`` is the identity on [-1/2, 1/2] and presses everything beyond it into a margin, twice differentiable: every point of
    space has a place in the box, and no two on one axis have the same.

    Attributes:
        centre, scale, middle, width: (b, d).
    """

    centre: Tensor
    scale: Tensor
    middle: Tensor
    width: Tensor

    @classmethod
    def of(cls, domain: PointSet, surface: PointSet) -> Chart:
        """From the boxes of a cloud and of the boundary; neither the order of the points nor their weights matter."""
        rows = []
        for cloud, body in zip(domain.split(), surface.split(), strict=True):
            edge = body.pos if len(body) else cloud.pos
            centre, half = (edge.amax(0) + edge.amin(0)) / 2, (edge.amax(0) - edge.amin(0)) / 2
            largest = half.max() if half.max() > 0 else torch.ones_like(half.max())
            scale = half.clamp(min=FLATTEST * float(largest))
            t = torch.asinh((torch.cat([cloud.pos, edge]) - centre) / scale)
            low, high = t.amin(0), t.amax(0)
            rows.append(torch.stack([centre, scale, (low + high) / 2, (high - low).clamp(min=0.5)]))
        return cls(*torch.stack(rows, dim=1))

    @classmethod
    def read(cls, kept: PointSet) -> Chart:
        """From what :meth:`keep` gave."""
        return cls(kept.pos, *kept.scalars.chunk(3, dim=1))

    def keep(self) -> PointSet:
        """One point per sample, so that charts are moved and batched as clouds are."""
        one_each = torch.arange(len(self.centre) + 1, device=self.centre.device)
        return PointSet(self.centre, torch.cat([self.scale, self.middle, self.width], dim=1), ptr=one_each)

    def inside(self, pos: Tensor, batch: Tensor) -> Tensor:
        """(n, d) positions in space -> coordinates in the box, strictly inside of it. Twice differentiable."""
        t = torch.asinh((pos - self.centre[batch]) / self.scale[batch])
        u = (t - self.middle[batch]) / self.width[batch]
        beyond = (u.abs() - 0.5).clamp(min=0) / MARGIN
        pressed = 0.5 + MARGIN * beyond / (1 + beyond.square()).sqrt()
        return torch.where(beyond > 0, u.sign() * pressed, u) / (1 + 2 * MARGIN)

    def outside(self, coordinates: Tensor, batch: Tensor) -> Tensor:
        """(n, d) coordinates in the box -> positions; on the margin by the stretch alone, so that all are finite."""
        t = coordinates * (1 + 2 * MARGIN) * self.width[batch] + self.middle[batch]
        return self.centre[batch] + self.scale[batch] * torch.sinh(t)

    def density(self, pos: Tensor, batch: Tensor) -> Tensor:
        """(n,) volume in the box per volume of space: a weight times this is the weight in the box."""
        t = (pos - self.centre[batch]) / self.scale[batch]
        rate = 1 / ((1 + t.square()).sqrt() * self.scale[batch] * self.width[batch] * (1 + 2 * MARGIN))
        return rate.prod(dim=1)


def lattice_nodes(resolution: int, dimension: int, like: Tensor) -> Tensor:
    """(resolution^d, d) nodes of a lattice over [-1/2, 1/2]^d, corners included, in row-major order."""
    axis = torch.linspace(-0.5, 0.5, resolution, dtype=like.dtype, device=like.device)
    return torch.cartesian_prod(*[axis] * dimension).reshape(-1, dimension)


def surrounding(coordinates: Tensor, first: Tensor, n_nodes: int, resolution: int, reach: float) -> Graph:
    """Edges from all nodes of a lattice within ``reach`` spacings to points in its box: by counting, not by searching.

    Args:
        coordinates: (n, d) in [-1/2, 1/2]; what lies outside is taken to the rim.
        first: (n,) index of the first node of the lattice that the point belongs to.
        n_nodes: number of nodes of all lattices.
        resolution: nodes per axis.
        reach: at least sqrt(d) / 2, else some points have no node.
    """
    with torch.no_grad():
        n, d = coordinates.shape
        steps = ((coordinates + 0.5) * (resolution - 1)).clamp(0, resolution - 1)
        half = math.ceil(reach)
        base = steps.floor().long().clamp(max=max(resolution - 2, 0)) - (half - 1)
        window = list(itertools.product(range(2 * half), repeat=d))
        node = base[:, None] + torch.tensor(window, device=base.device)  # (n, w, d)
        near = (node - steps[:, None]).square().sum(dim=2) <= reach**2
        near &= ((node >= 0) & (node < resolution)).all(dim=2)
        strides = torch.tensor([resolution ** (d - 1 - i) for i in range(d)], device=base.device)
        target, place = near.nonzero(as_tuple=True)
        return Graph(first[target] + (node[target, place] * strides).sum(dim=1), target, n_nodes, n)


def vertex_distance(points: PointSet, surface: PointSet, neighbours: int = 8) -> tuple[Tensor, Tensor]:
    """(n,) signed distance to a boundary that is known by its vertices, positive where the normals point to, and (n, d) normal there.

    Every vertex is taken for the disc of its share of length or area across its normal; the nearest disc counts. The error is of second order in
    the spacing on smooth parts. Where several discs are equally near, as beyond a corner, the one that is seen most frontally has the sign.

    Args:
        points: where.
        surface: ``vectors[:, 0]`` the normals, ``weight`` the share of every vertex.
        neighbours: vertices that are looked at.
    """
    graph = knn(surface.pos, points.pos, neighbours, surface.ptr, points.ptr)
    offset = take_target(points.pos, graph) - take_source(surface.pos, graph)
    normal = take_source(surface.vectors[:, 0], graph)
    height = (offset * normal).sum(dim=1)
    along = (offset - height[:, None] * normal).norm(dim=1)
    share = take_source(surface.weight, graph)
    size = share / 2 if points.dimension == 2 else (share / math.pi).sqrt()
    distance = (height.square() + (along - size).clamp(min=0).square()).sqrt()
    key = distance + 0.01 * (distance - height.abs())
    order = np.lexsort((key.cpu().numpy(), graph.target.cpu().numpy()))
    best = torch.from_numpy(order).to(graph.source.device)[graph.ptr[:-1]]
    return torch.where(height[best] < 0, -distance[best], distance[best]), normal[best]
