"""Where the latents of :class:`~geoop.models.enf2enf.Enf2Enf` come from: one pass over the surface, or a field fitted to the signed distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..encoders.equivariant_field import SurfaceKernel
from ..encoders.latent_poses import candidates, graded_around
from ..graph.geometry import Geometry, Queries
from ..graph.graph import Graph
from ..graph.interpolation import known_at
from ..graph.pointset import Inputs, PointSet
from ..layers.gated_mlp import GatedMLP
from ..layers.invariant_sites import InvariantSites
from ..layers.sites import Sites
from .ports import Ports
from .shape_field import PreparedShape, ShapeField

#: Vertices that a latent sees in the kernel over the surface; what lies further away it hears of from other latents.
_SEEN_VERTICES = 32


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that a place can know before any learning.

    Attributes:
        ports: channels.
        surface: vertices with what they say of themselves in even numbers.
        middle: (b, d) middles of the surfaces.
        directions: (b, m, d) global vectors: the free stream, and the axes that a problem is not free to turn about.
        inputs: conditions and functions.
    """

    ports: Ports
    surface: PointSet
    middle: Tensor
    directions: Tensor
    inputs: Inputs

    @classmethod
    def of(cls, ports: Ports, surface: PointSet, middle: Tensor, inputs: Inputs) -> Scene:
        """With the axes of a body in a stream its chord, of a region without a stream all of its own."""
        unit = torch.eye(ports.dimension, dtype=inputs.vectors.dtype, device=inputs.vectors.device)[: axes(ports)]
        return cls(ports, surface, middle, torch.cat([inputs.vectors, unit.expand(len(inputs.vectors), *unit.shape)], dim=1), inputs)

    def look(self, queries: Queries) -> tuple[InvariantSites, Tensor]:
        """What moves along with the queries, and (n, f) everything invariant that is known there; functions as the queries carry them, if they do."""
        points, batch = queries.points, queries.points.batch
        site = InvariantSites.of(Sites.of(queries, self.surface), self.middle[batch], self.directions[batch], ends=self.ports.body)
        parts = [site.scalars, self.inputs.scalars[batch]]
        parts += known_at(self.inputs, self.ports.functions, points, queries)
        return site, torch.cat(parts, dim=1)

    def at_vertices(self) -> Queries:
        """The vertices as queries."""
        surface, d = self.surface, self.ports.dimension
        first = torch.eye(d, dtype=surface.pos.dtype, device=surface.pos.device)[0]
        numbers = torch.arange(len(surface), device=surface.pos.device)
        return Queries(replace(surface, scalars=torch.zeros_like(surface.pos[:, :1])), numbers[:, None].expand(-1, d), first.expand(len(surface), d))


def axes(ports: Ports) -> int:
    """Axes of the frame that a problem is not free to turn about: a body's chord; none of bodies in a stream; all of a region without one."""
    return 1 if ports.body else 0 if ports.vectors_in else ports.dimension


def widths(ports: Ports) -> tuple[int, int, int]:
    """Numbers of directions, of vectors that move along with a place, and of invariants known there: what :meth:`Scene.look` returns."""
    directions = ports.vectors_in + axes(ports)
    even = ports.surface_scalars - len(ports.surface_odd)
    invariants, vectors = InvariantSites.counts(directions, even, ends=ports.body)
    return directions, vectors, invariants + ports.scalars_in + ports.given


@dataclass(frozen=True, eq=False)
class PreparedLatents:
    """What is known of the latents of a geometry before any condition.

    Attributes:
        places: where latents stand, with signed distance, its gradient and the closest point; the ``weight`` of the points are the windows.
        near: from vertices to latents.
        shape: what contexts are fitted to.
        contexts: the fitted latents, ``scalars`` (m, c), once the field is trained.
    """

    places: Queries | None = None
    near: Graph | None = None
    shape: PreparedShape | None = None
    contexts: PointSet | None = None

    def to(self, device: torch.device | str) -> PreparedLatents:
        return PreparedLatents(**{name: value if value is None else value.to(device) for name, value in vars(self).items()})

    @staticmethod
    def concatenate(items: Sequence[PreparedLatents], vertices: Sequence[int]) -> PreparedLatents:
        """Several batches as one; ``vertices`` counts those of the surfaces."""

        def joined(name: str) -> Any:
            parts = [getattr(item, name) for item in items]
            if parts[0] is None:
                return None
            return Queries.concatenate(parts, vertices) if name == "places" else type(parts[0]).concatenate(parts)

        return PreparedLatents(**{name: joined(name) for name in vars(items[0])})


class SurfaceLatents(nn.Module):
    """Latents on and around the body, with features from one pass over its surface.

    Args:
        ports: channels in.
        count: latents per geometry.
        width: features of each.
    """

    #: that every pose carries of its own: the gradient of the distance
    vectors = 1

    def __init__(self, ports: Ports, count: int, width: int) -> None:
        super().__init__()
        directions, _, known = widths(ports)
        self.count = count
        even = ports.surface_scalars - len(ports.surface_odd)
        self.kernel = SurfaceKernel(even + directions, 1 + directions, width, width=width, nearest=_SEEN_VERTICES)
        self.lift = GatedMLP(known, width, width)

    def prepare(self, geometry: Geometry, surface: PointSet) -> PreparedLatents:
        """Places on and around the bodies of a batch."""
        parts = zip(geometry.split(), surface.split(), strict=True)
        chosen = [graded_around(candidates(part, self.count), vertices, self.count) for part, vertices in parts]
        places = Queries.concatenate(chosen, surface.ptr.diff().tolist())
        return PreparedLatents(places, self.kernel.connect(surface, places.points))

    def forward(self, prepared: PreparedLatents, scene: Scene) -> PointSet:
        """The latents with features (m, width) and poses."""
        assert prepared.places is not None and prepared.near is not None
        points, surface = prepared.places.points, scene.surface
        _, known = scene.look(prepared.places)
        vectors = torch.cat([points.vectors[:, :1], scene.directions[points.batch]], dim=1)
        latents = replace(points, scalars=self.lift(known), vectors=vectors)
        facing = (surface.vectors[:, :1] * scene.directions[surface.batch]).sum(dim=2)
        told = surface.with_features(scalars=torch.cat([surface.scalars, facing], dim=1))
        return latents.with_features(scalars=latents.scalars + self.kernel(told, latents, prepared.near).scalars)


class ShapeLatents(nn.Module):
    """Latents whose contexts stand for the signed distance, with the conditions appended to each (arXiv 2504.18591).

    The field is trained first and then frozen; contexts are standardised by the statistics of the training shapes.

    Args:
        ports: channels in.
        field: of the signed distance.
        width: features of a latent.
    """

    def __init__(self, ports: Ports, field: ShapeField, width: int) -> None:
        super().__init__()
        self.field = field
        self.vectors = 1 if field.poses == "body" else ports.dimension
        directions, context = widths(ports)[0], field.decoder.context
        self.lift = GatedMLP(context + ports.scalars_in + directions * (self.vectors + directions), width, width)
        self.mean: Tensor
        self.deviation: Tensor
        self.settled: Tensor
        self.register_buffer("mean", torch.zeros(context))
        self.register_buffer("deviation", torch.ones(context))
        self.register_buffer("settled", torch.zeros((), dtype=torch.bool))

    def prepare(self, geometry: Geometry, surface: PointSet) -> PreparedLatents:
        """What contexts are fitted to, and the contexts once the field is trained."""
        prepared = PreparedLatents(shape=PreparedShape.concatenate([self.field.prepare(part) for part in geometry.split()]))
        return self.fitted(prepared) if bool(self.settled) else prepared

    def fitted(self, prepared: PreparedLatents) -> PreparedLatents:
        """With the contexts."""
        assert prepared.shape is not None
        device = self.mean.device
        with torch.no_grad():
            latents = self.field.encode(prepared.shape.to(device))
        return replace(prepared, contexts=latents.to(prepared.shape.poses.pos.device))

    def settle(self, prepared: Sequence[PreparedLatents]) -> None:
        """Freeze the trained field and take the statistics of the contexts of the training shapes."""
        self.field.requires_grad_(False)
        values = torch.cat([item.contexts.scalars for item in prepared if item.contexts is not None])
        self.mean.copy_(values.mean(dim=0))
        self.deviation.copy_(values.std(dim=0).clamp_min(1e-6))
        self.settled.fill_(True)

    def forward(self, prepared: PreparedLatents, scene: Scene) -> PointSet:
        """The latents with features (m, width) and poses."""
        latents = prepared.contexts if prepared.contexts is not None else self.fitted(prepared).contexts
        assert latents is not None
        directions = scene.directions[latents.batch]
        vectors = torch.cat([latents.vectors, directions], dim=1)
        parts = [(latents.scalars - self.mean) / self.deviation, scene.inputs.scalars[latents.batch], (vectors @ directions.mT).flatten(1)]
        return latents.with_features(self.lift(torch.cat(parts, dim=1)), vectors)
