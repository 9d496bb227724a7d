"""From the surface of a body to latent points on it and around it."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..graph.geometry import Geometry
from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..layers.gated_mlp import GatedMLP
from ..layers.neighborhood import SoftNearest
from ..layers.operator import AbstractOperator, Symmetry
from ..layers.pose import N_POSE, relative_pose
from ..layers.sites import Sites
from ..mesh.choices import choice
from ..mesh.distance.polygon import segment_distance
from ..mesh.sampling import farthest_points

#: (distance from the wall in body lengths, number of latents at that distance).
SHELLS = ((0.02, 20), (0.07, 16), (0.25, 12), (0.8, 8))


def latent_sites(geometry: Geometry, stride: int, shells: tuple[tuple[float, int], ...]) -> list[Sites]:
    """Latent places of every body: every ``stride``-th vertex, then points on shells at fixed distances.

    Differentiable by the vertices; which of them carry a latent is a choice.
    A shell's candidates are the vertices moved out along their normals; those that came closer to another part of the wall
    are dropped, the rest are thinned by farthest-point sampling, which is deterministic. Geometry only.
    """
    return [_sites(points, stride, shells) for points in geometry.surface.split()]


def _sites(surface: PointSet, stride: int, shells: tuple[tuple[float, int], ...]) -> Sites:
    ring = surface.pos.double()
    normal = surface.vectors[:, 0].double()
    wall = torch.arange(0, len(ring), stride)
    chosen = [ring[wall]]
    for distance, count in shells:
        candidates = ring + distance * normal
        chosen.append(candidates[choice(partial(_thinned, candidates.detach(), ring.detach(), distance, count))])
    sites = sites_at(surface, torch.cat(chosen).to(surface.pos.dtype))
    on_wall = torch.zeros(len(sites.pos), dtype=torch.bool)
    on_wall[: len(wall)] = True
    # on the wall the gradient of the distance is the normal; computed from a zero offset it would be noise
    exact = torch.where(on_wall[:, None], sites.normal, sites.gradient)
    return Sites(sites.pos, torch.where(on_wall, 0.0, sites.distance), exact, sites.closest, sites.normal, sites.scalars)


def _thinned(candidates: Tensor, ring: Tensor, distance: float, count: int) -> Tensor:
    clear = segment_distance(candidates, ring, ring.roll(-1, 0)).distance.abs() > 0.7 * distance
    if int(clear.sum()) < count:  # a very narrow gap: rather a crowded shell than a missing one
        clear = torch.ones_like(clear)
    return torch.nonzero(clear)[:, 0][torch.from_numpy(farthest_points(candidates[clear].numpy(), count))]


def sites_at(surface: PointSet, pos: Tensor) -> Sites:
    """Places at any positions around one closed ring."""
    ring = surface.pos.double()
    near = segment_distance(pos.double(), ring, ring.roll(-1, 0))
    after = (near.facet + 1) % len(ring)  # vertices stand in ring order
    kind = surface.pos.dtype
    share = near.parameter[:, None].to(kind)

    def between(values: Tensor) -> Tensor:
        return (1 - share) * values[near.facet] + share * values[after]

    normal = nn.functional.normalize(between(surface.vectors[:, 0]), dim=1)
    return Sites(pos, near.distance.to(kind), near.gradient.to(kind), between(surface.pos), normal, between(surface.scalars))


def latent_spacing(pos: Tensor, batch_size: int) -> Tensor:
    """(n,) mean distance of every latent to its two nearest ones, the local scale of relative poses."""
    by_sample = pos.view(batch_size, -1, pos.shape[-1])
    distance = torch.cdist(by_sample, by_sample, compute_mode="donot_use_mm_for_euclid_dist")
    nearest = choice(lambda: distance.detach().topk(3, largest=False).indices)
    return distance.gather(-1, nearest)[..., 1:].mean(dim=-1).reshape(-1).clamp_min(1e-6)


class BodyLatents(AbstractOperator):
    """Surface vertices -> latent points: a graph kernel over the nearest vertices plus what the place itself knows.

        z_i = phi(s_i) + W sum_j w_j g(p_ij) * h_j / sum_j w_j,    h_j = psi(f_j),    j in the k nearest vertices of i

    with site features s, vertex features f, relative poses p and quadrature weights w (graph kernel network, Li et al. 2020).

    Source: vertices, ``scalars`` (m, width_surface). Target: latents, ``scalars`` (n, width_site + 1): features, then the
    local spacing h; ``vectors[:, 0]`` local normals. Returns the latents with ``scalars`` (n, width).
    """

    reference: ClassVar[str] = "li-2020-gkn"
    symmetry: ClassVar[Symmetry] = Symmetry.SE

    def __init__(self, width_surface: int, width_site: int, width: int, neighbours: int = 5) -> None:
        super().__init__()
        self.nearest = SoftNearest(neighbours)
        self.surface = GatedMLP(width_surface, width, width)
        self.site = GatedMLP(width_site, width, width)
        self.gain = nn.Sequential(nn.Linear(N_POSE, 32), nn.SiLU(), nn.Linear(32, width))
        self.mix = nn.Linear(width, width)

    def connect(self, source: PointSet, target: PointSet, seed: int | None = None) -> Graph:
        return self.nearest.connect(source, target)

    def forward(self, source: PointSet, target: PointSet, graph: Graph) -> PointSet:
        edges = graph.table
        h = self.surface(source.scalars).index_select(0, edges.reshape(-1)).unflatten(0, edges.shape)
        offset = source.pos[edges] - target.pos[:, None, :]
        normal = target.vectors[:, 0][:, None, :].expand_as(offset)
        gain = self.gain(relative_pose(offset, normal, target.scalars[:, -1:].expand_as(edges)))
        weight = self.nearest.shares(source.weight[edges], offset)[..., None]
        return target.with_features(scalars=self.site(target.scalars[:, :-1]) + self.mix((weight * gain * h).sum(dim=1)))
