"""The default model: continuous fields around a body from its surface and a global condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..decoders.local_attention import LocalAttention
from ..encoders.body_latents import SHELLS, BodyLatents, latent_sites, latent_spacing
from ..errors import ConfigurationError, ShapeError
from ..graph.geometry import Geometry, Queries
from ..graph.graph import Graph
from ..graph.pointset import Inputs, PointSet
from ..layers.condition import condition_features
from ..layers.gated_mlp import GatedMLP
from ..layers.head import Head
from ..layers.pose import frame_components
from ..layers.sites import Sites
from ..operators.latent_mixer import LatentMixer, LatentPairs
from ..operators.layer_potential import induced_velocity
from .model import AbstractModel
from .ports import Ports


@dataclass(frozen=True, eq=False)
class PreparedBody:
    """What :class:`BodyField` keeps of a geometry.

    Attributes:
        surface: vertices with site features as ``scalars`` and normals.
        latents: latent points with site features and their spacing as ``scalars``, local normals, weights.
        to_latents: nearest vertices of every latent.
        between: nearest latents of every latent.
        pairs: geometry of all pairs of latents.
        attributes: (v, c) the surface's own scalars, for the closest point of a query.
    """

    surface: PointSet
    latents: PointSet
    to_latents: Graph
    between: Graph
    pairs: LatentPairs
    attributes: Tensor

    def to(self, device: torch.device | str) -> PreparedBody:
        graphs = self.to_latents.to(device), self.between.to(device)
        return PreparedBody(self.surface.to(device), self.latents.to(device), *graphs, self.pairs.to(device), self.attributes.to(device))


@dataclass(frozen=True, eq=False)
class BodyState:
    """Latent state of a batch: what a query needs to know."""

    surface: PointSet
    latents: PointSet
    inputs: Inputs
    density: Tensor
    closest: Tensor
    attributes: Tensor


class BodyField(AbstractModel):
    """Encoder, processor and decoder around one body in unbounded flow.

    Signed distance and surface features place and fill latent points on the wall and on shells around it
    (:class:`~geoop.encoders.body_latents.BodyLatents`); residual blocks of attention, graph kernels and layer potentials let
    them talk (:class:`~geoop.operators.latent_mixer.LatentMixer`); a query reads its nearest latents
    (:class:`~geoop.decoders.local_attention.LocalAttention`), the surface at its closest point, and the layer potential
    of learned surface densities. Points, surface and conditions are in the body's frame, chord 1.

    Args:
        ports: channels in and out; of a body in the plane, without input functions. The first global vector is the free stream.
        width: features per latent point.
        depth: residual blocks.
        densities: layer potentials per block, and half as many in the decoder; 0 leaves them out (an ablation).
        surface_points: vertices per body; bodies are resampled to this number by their shape.
    """

    reference: ClassVar[tuple[str, ...]] = ("li-2020-gkn", "wessels-2024-enf", "alkin-2025-abupt", "katz-plotkin-2001", "vaswani-2017")

    #: scalars per surface vertex, see :data:`geoop.scaling.casting.OUTLINE_SCALARS`
    SURFACE_SCALARS = 10
    HEADS = 4
    STRIDE = 2
    NEIGHBOURS = 6

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 64,
        depth: int = 4,
        densities: int = 16,
        surface_points: int = 200,
    ) -> None:
        super().__init__()
        self.ports = Ports.of(ports)
        sizes = {"width": width, "depth": depth, "densities": densities, "surface_points": surface_points}
        self.arguments = {"ports": self.ports.to_dict(), **sizes}
        scalars_out, vectors_out, vectors_in = self.ports.scalars_out, self.ports.vectors_out, self.ports.vectors_in
        if not self.ports.body or self.ports.functions or self.ports.surface_scalars != self.SURFACE_SCALARS or self.ports.dimension != 2:
            raise ConfigurationError(
                "cases without a body in the plane, or with input functions",
                where="BodyField",
                remedy="choose a model on clouds, such as GAOT: [model] class in run.toml, model= in Python",
            )
        sound = surface_points % self.STRIDE == 0 and surface_points >= 40 and width % self.HEADS == 0 and width > 0 and depth > 0
        if not sound or densities < 0 or 0 < densities < 2 * vectors_out:
            raise ConfigurationError(
                f"width {width}, depth {depth}, densities {densities}, surface_points {surface_points}",
                where="BodyField",
                remedy=f"width divisible by {self.HEADS}, an even surface_points >= 40, densities 0 or at least {2 * vectors_out}",
            )
        d = 2  # layer potentials and resampling are written for sections
        condition = self.ports.condition
        site = self.ports.site
        self.scalars_out, self.vectors_out, self.decoded, self.surface_points = scalars_out, vectors_out, densities // 2, surface_points
        self.encoder = BodyLatents(site + condition, site + condition, width)
        self.mixer = LatentMixer(width, depth, self.HEADS, densities, 3 * width // 2, surface_points // self.STRIDE)
        self.vertex = GatedMLP(site + condition + width, width, width)
        self.to_density = nn.Linear(width + condition, 2 * self.decoded) if densities else None
        self.to_closest = nn.Linear(width, width // 2)
        self.query = GatedMLP(site + condition, width, width)
        self.attention = LocalAttention(width, width, self.HEADS, self.NEIGHBOURS)
        collected = 2 * width + condition + width // 2 + (4 * self.decoded if densities else 0)
        self.collect, self.skip = GatedMLP(collected, width, width), nn.Linear(collected, width)
        self.refine_norm, self.refine = nn.LayerNorm(width), GatedMLP(width, width, width)
        self.vector_head = Head(width, d * vectors_out)
        final = width + d * vectors_out + d * vectors_in + (2 * self.decoded if densities else 0)
        self.scalar_head = Head(final, scalars_out)
        self.product = nn.ModuleList([nn.Linear(final, 16), nn.Linear(final, 16), Head(16, scalars_out)])

    @property
    def outline_points(self) -> int:
        return self.surface_points

    def prepare(self, geometry: Geometry) -> PreparedBody:
        """Latent places, graphs and kernels of a batch of bodies; differentiable by their vertices.

        Raises:
            ShapeError: a body has another number of vertices than the model was made for.
        """
        counts = geometry.surface.ptr.diff()
        if bool((counts != self.surface_points).any()):
            raise ShapeError(f"bodies have {counts.tolist()} vertices, this model takes {self.surface_points}", remedy="resample the outline first")
        surface, b = geometry.surface, geometry.batch_size
        sites = latent_sites(geometry, self.STRIDE, SHELLS)
        pos = torch.cat([s.pos for s in sites])
        n = len(pos) // b
        spacing = latent_spacing(pos, b)
        features = torch.cat([torch.cat([s.features() for s in sites]), spacing[:, None]], dim=1)
        ptr = torch.arange(0, b * n + 1, n)
        latents = PointSet(pos, features, torch.cat([s.gradient for s in sites])[:, None], self._weights(surface, spacing, b, n), ptr)
        normal = surface.vectors[:, 0]
        on_wall = Sites(surface.pos, surface.pos.new_zeros(len(surface)), normal, surface.pos, normal, surface.scalars)
        vertices = surface.with_features(scalars=on_wall.features())
        return PreparedBody(
            vertices,
            latents,
            self.encoder.connect(vertices, latents),
            self.mixer.connect(latents, latents),
            self.mixer.pairs(latents),
            surface.scalars,
        )

    def _weights(self, surface: PointSet, spacing: Tensor, b: int, n: int) -> Tensor:
        """Wall latents carry their share of length, field latents their spacing."""
        share = surface.weight.view(b, -1, self.STRIDE).sum(dim=2)
        return torch.cat([share, spacing.view(b, n)[:, share.shape[1] :]], dim=1).reshape(-1)

    def concatenate(self, prepared: list[PreparedBody]) -> PreparedBody:
        return PreparedBody(
            PointSet.concatenate([p.surface for p in prepared]),
            PointSet.concatenate([p.latents for p in prepared]),
            Graph.concatenate([p.to_latents for p in prepared]),
            Graph.concatenate([p.between for p in prepared]),
            LatentPairs.concatenate([p.pairs for p in prepared]),
            torch.cat([p.attributes for p in prepared]),
        )

    def encode(self, prepared: PreparedBody, inputs: Inputs) -> BodyState:
        self.ports.check_inputs(inputs, prepared.surface.batch_size, "BodyField")
        surface, latents = prepared.surface, prepared.latents
        at_vertices = condition_features(inputs, surface.vectors[:, 0], surface.batch)
        at_latents = condition_features(inputs, latents.vectors[:, 0], latents.batch)
        spacing = latents.scalars[:, -1:]
        known = torch.cat([surface.scalars, at_vertices], dim=1)
        source = surface.with_features(scalars=known)
        target = latents.with_features(scalars=torch.cat([latents.scalars[:, :-1], at_latents, spacing], dim=1))
        z = self.encoder(source, target, prepared.to_latents)
        z = self.mixer(z.with_features(scalars=torch.cat([z.scalars, spacing], dim=1)), latents, prepared.between, prepared.pairs)
        wall = self._to_vertices(z.scalars.view(latents.batch_size, -1, z.scalars.shape[1]))
        vertex = self.vertex(torch.cat([known, wall], dim=1)) + wall
        density = vertex.new_zeros(len(vertex), 0) if self.to_density is None else self.to_density(torch.cat([vertex, at_vertices], dim=1))
        latents = z.with_features(scalars=torch.cat([z.scalars, spacing], dim=1))
        return BodyState(surface, latents, inputs, density, self.to_closest(vertex), prepared.attributes)

    def _to_vertices(self, z: Tensor) -> Tensor:
        """Wall latents (b, n, c) -> vertices (b * surface_points, c), linear along the ring."""
        wall = z[:, : self.surface_points // self.STRIDE]
        after = wall.roll(-1, dims=1)
        steps = [wall + (after - wall) * (i / self.STRIDE) for i in range(self.STRIDE)]
        return torch.stack(steps, dim=2).reshape(-1, z.shape[-1])

    def field(self, latent: BodyState, queries: Queries) -> PointSet:
        self.ports.check_queries(queries, latent.surface.batch_size, "BodyField")
        points = queries.points
        gradient = points.vectors[:, 0]
        normal = nn.functional.normalize(queries.closest(latent.surface.vectors[:, 0]), dim=1)
        sites = Sites(points.pos, points.scalars[:, 0], gradient, queries.closest(latent.surface.pos), normal, queries.closest(latent.attributes))
        batch = points.batch
        condition = condition_features(latent.inputs, gradient, batch)
        h = self.query(torch.cat([sites.features(), condition], dim=1))
        seeing = points.with_features(scalars=h)
        near = self.attention(latent.latents, seeing, self.attention.connect(latent.latents, seeing)).scalars
        collected = [h, condition, near, queries.closest(latent.closest)]
        potential = self._potential(latent, queries)
        collected += [potential.flatten(1), frame_components(potential, gradient[:, None, :].expand_as(potential)).flatten(1)]
        collected = torch.cat(collected, dim=1)
        h = self.collect(collected) + self.skip(collected)
        h = h + self.refine(self.refine_norm(h))
        vectors = 0.1 * self.vector_head(h).view(len(points), self.vectors_out, points.dimension)
        if self.decoded:
            vectors = vectors + potential[:, : self.vectors_out]
        final = torch.cat([h, vectors.flatten(1), latent.inputs.vectors[batch].flatten(1), potential.flatten(1)], dim=1)
        left, right, out = self.product
        return points.with_features(scalars=self.scalar_head(final) + out(left(final) * right(final)), vectors=vectors)

    def _potential(self, latent: BodyState, queries: Queries) -> Tensor:
        """(n, decoded, 2) layer potentials at the queries, from a little off the wall where a query lies on it."""
        points = queries.points
        if not self.decoded:
            return points.pos.new_zeros(len(points), 0, points.dimension)
        spacing = queries.closest(latent.surface.weight[:, None])[:, 0]
        lift = (0.1 * spacing - points.scalars[:, 0].clamp_min(0.0)).clamp_min(0.0)
        pos = points.pos + lift[:, None] * points.vectors[:, 0]
        counts = points.ptr.diff().tolist()
        rings = latent.surface.pos.view(len(counts), self.surface_points, -1)
        density = latent.density.view(len(counts), self.surface_points, -1)
        if len(set(counts)) == 1:
            return self._induced(pos.view(len(counts), counts[0], -1), rings, density).flatten(0, 1)
        return torch.cat([self._induced(*part) for part in zip(pos.split(counts), rings, density, strict=True)])

    @staticmethod
    def _induced(pos: Tensor, ring: Tensor, density: Tensor) -> Tensor:
        return induced_velocity(pos, ring, ring.roll(-1, dims=-2), density, density.roll(-1, dims=-2))
