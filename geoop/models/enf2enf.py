"""enf2enf: a geometry as a small cloud of posed latents, a flow as an equivariant neural field that they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ..encoders.equivariant_field import SurfaceKernel
from ..encoders.latent_poses import graded_around
from ..errors import ConfigurationError, ShapeError
from ..graph.geometry import Geometry, Queries
from ..graph.graph import Graph
from ..graph.interpolation import interpolate
from ..graph.pointset import Inputs, PointSet
from ..layers.bi_invariants import Components
from ..layers.gated_mlp import GatedMLP
from ..layers.invariant_sites import InvariantSites, place
from ..layers.pose_attention import PoseAttention, PoseSpace
from ..operators.latent_attention import LatentAttention
from .boundary_potential import boundary_velocity
from .inner import facet_graph
from .model import AbstractModel
from .ports import Ports
from .shape_field import PreparedShape, ShapeField

Ablation = Literal["none", "latents", "distance"]


@dataclass(frozen=True, eq=False)
class PreparedEnf:
    """What :class:`Enf2Enf` keeps of geometries.

    Attributes:
        surface: vertices with what they say of themselves in even numbers, normals, weights.
        facets: from the vertices of a facet to the facet.
        latents: where latents stand, with signed distance, its gradient and the closest point; ``weight`` the windows.
        near: from vertices to latents. between: from latents to latents. read: from latents to vertices.
        middle: one point per sample, the middle of its surface.
        shape: what contexts are fitted to; None for an encoder of one pass.
        contexts: (m, c) of the latents of :attr:`shape` once its field is trained.
    """

    surface: PointSet
    facets: Graph
    latents: Queries
    near: Graph
    between: Graph
    read: Graph
    middle: PointSet
    shape: PreparedShape | None = None
    contexts: PointSet | None = None

    def to(self, device: torch.device | str) -> PreparedEnf:
        moved = {name: value if value is None else value.to(device) for name, value in vars(self).items()}
        return PreparedEnf(**moved)

    @staticmethod
    def concatenate(items: Sequence[PreparedEnf]) -> PreparedEnf:
        """Several batches as one."""

        def joined(name: str) -> Any:
            parts = [getattr(item, name) for item in items]
            return None if parts[0] is None else type(parts[0]).concatenate(parts)

        latents = Queries.concatenate([item.latents for item in items], [len(item.surface) for item in items])
        return PreparedEnf(**{name: latents if name == "latents" else joined(name) for name in vars(items[0])})


@dataclass(frozen=True, eq=False)
class EnfState:
    """An encoded batch.

    Attributes:
        prepared: the geometry.
        inputs: conditions and functions.
        latents: with features as ``scalars`` and the vectors of their poses.
        directions: (b, m, d) global vectors: the free stream and the axes that a problem is not free to turn about.
        densities: the vertices with (v, 2 k) strengths of layer potentials; None without.
    """

    prepared: PreparedEnf
    inputs: Inputs
    latents: PointSet
    directions: Tensor
    densities: PointSet | None


class Enf2Enf(AbstractModel):
    """Latents with poses on and around the body, contexts from its shape, and a field that sees both through bi-invariants alone.

    Published (arXiv 2504.18591): contexts are fitted to the signed distance by three meta-learned gradient steps (stage 1), conditions are appended to
    every latent, and a second field decodes the flow (stage 2): ``encoder="meta"``. Here latents stand on and around the body, so the
    whole prediction is equivariant for a body that is moved, turned or mirrored together with the free stream, and ``encoder="surface"``
    learns contexts end to end in one pass. Vector fields are combinations of vectors that move along: the free stream, the gradient of the
    distance, the normal, the ways from the body's middle and ends. In a plane flow layer potentials (:mod:`geoop.operators.layer_potential`) are among
    them, with vortex strengths that change their sign in a mirror.

    Args:
        ports: channels in and out.
        width: features per latent and point.
        latents: number per geometry.
        depth: blocks in which latents talk.
        heads, nearest: of the field: latents that a point reads.
        context: channels per latent of a fitted encoder.
        densities: layer potentials, in the plane with a free stream only; 0 for none.
        encoder: ``surface``, ``meta`` or ``auto``, see :mod:`geoop.encoders.equivariant_field`.
        shape: other arguments of the :class:`~geoop.models.shape_field.ShapeField` of a fitted encoder.
        ablation: what queries go without: ``latents`` (the field sees its own place and distance only) or ``distance`` (it sees latents only).
    """

    reference: ClassVar[tuple[str, ...]] = ("catalani-2025-enf2enf", "wessels-2024-enf")
    on_clouds = True

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 48,
        *,
        latents: int = 48,
        depth: int = 2,
        heads: int = 4,
        nearest: int = 4,
        context: int = 8,
        densities: int = 0,
        encoder: Literal["surface", "meta", "auto"] = "surface",
        shape: Mapping[str, Any] | None = None,
        ablation: Ablation = "none",
    ) -> None:
        super().__init__()
        self.ports, shape = Ports.of(ports), dict(shape or {})
        sizes = {"width": width, "latents": latents, "depth": depth, "heads": heads, "nearest": nearest, "context": context}
        self.arguments = {"ports": self.ports.to_dict(), **sizes, "densities": densities, "encoder": encoder, "shape": shape, "ablation": ablation}
        plane = self.ports.dimension == 2 and self.ports.vectors_in > 0
        if ablation not in ("none", "latents", "distance") or (densities and not plane) or densities < 0:
            raise ConfigurationError(
                f"ablation '{ablation}', {densities} densities in {self.ports.dimension}-D",
                where="Enf2Enf",
                remedy="ablation none, latents or distance; densities only for plane flows with a free stream",
            )
        p, self.width, self.count, self.densities, self.ablation = self.ports, width, latents, densities, ablation
        self.even = [k for k in range(p.surface_scalars) if k not in p.surface_odd]
        self.axes = 1 if p.body else 0 if p.vectors_in else p.dimension
        directions = p.vectors_in + self.axes
        invariants, self.n_vectors = InvariantSites.counts(directions, len(self.even), ends=p.body)
        known = invariants + p.scalars_in + p.given
        self.shape = None if encoder == "surface" else ShapeField(p.dimension, context=context, encoder=encoder, **shape)
        fitted = 0 if self.shape is None else context
        self.kernel = SurfaceKernel(len(self.even) + directions, 1 + directions, width, width=width, nearest=32) if self.shape is None else None
        self.lift = GatedMLP(known if self.shape is None else fitted + p.scalars_in + directions * (directions + p.dimension), width, width)
        vectors = directions + (1 if self.shape is None or self.shape.poses == "body" else p.dimension)
        talking, reading = (PoseSpace(Components(), p.dimension, vectors, k) for k in (12, nearest))
        self.blocks = nn.ModuleList([LatentAttention(width, talking, heads) for _ in range(depth)])
        self.ask = GatedMLP(known, 3 * width // 2, width)
        self.attention = PoseAttention(reading, width, heads, asked=width)
        self.to_density = nn.Linear(2 * width, densities * (1 + directions)) if densities else None
        seen = 2 * width + densities * (1 + self.n_vectors)
        self.collect, self.skip = GatedMLP(seen, 3 * width // 2, width), nn.Linear(seen, width)
        self.norm, self.refine = nn.LayerNorm(width), GatedMLP(width, 3 * width // 2, width)
        self.vector_head = nn.Linear(width, p.vectors_out * self.n_vectors) if p.vectors_out else None
        final = width + p.vectors_out * (1 + self.n_vectors)
        self.scalar_head = nn.Linear(final, p.scalars_out)
        self.product = nn.ModuleList([nn.Linear(final, 16), nn.Linear(final, 16), nn.Linear(16, p.scalars_out)])
        self.register_buffer("context_mean", torch.zeros(context))
        self.register_buffer("context_deviation", torch.ones(context))

    @torch.no_grad()
    def prepare(self, geometry: Geometry) -> PreparedEnf:
        """Latent places, graphs, and the contexts of a fitted encoder.

        Raises:
            ShapeError: the geometry comes without points of the domain, or its boundary says other things than the model was made for.
        """
        surface, domain = geometry.surface, geometry.domain
        if domain is None:
            raise ShapeError("the geometry has no points of the domain", where="Enf2Enf", remedy="frame the case with domain points")
        if surface.scalars.shape[1] != self.ports.surface_scalars or surface.dimension != self.ports.dimension:
            raise ShapeError(
                f"boundaries in {surface.dimension}-D with {surface.scalars.shape[1]} scalars, the model takes {self.ports.dimension}-D with"
                f" {self.ports.surface_scalars}",
                where="Enf2Enf",
                remedy="frame the case as the training cases were",
            )
        surface = surface.with_features(scalars=surface.scalars[:, self.even])
        latents = graded_around(domain, surface, self.count)
        points = latents.points
        near = self.kernel.connect(surface, points) if self.kernel else Graph.unconnected(len(surface), len(points))
        block = self.blocks[0] if len(self.blocks) else None
        between = block.connect(points, points) if isinstance(block, LatentAttention) else Graph.unconnected(len(points), len(points))
        read = self.attention.space.connect(points, surface) if self.densities else Graph.unconnected(len(points), len(surface))
        middle = PointSet(torch.stack([(s.weight[:, None] * s.pos).sum(dim=0) / s.weight.sum() for s in surface.split()]))
        middle = replace(middle, ptr=torch.arange(surface.batch_size + 1))
        return PreparedEnf(surface, facet_graph(geometry), latents, near, between, read, middle)

    def concatenate(self, prepared: list[PreparedEnf]) -> PreparedEnf:
        return PreparedEnf.concatenate(prepared)

    def encode(self, prepared: PreparedEnf, inputs: Inputs) -> EnfState:
        directions = self._directions(inputs)
        points, batch = prepared.latents.points, prepared.latents.points.batch
        site = self._site(prepared.latents, prepared, directions)
        vectors = torch.cat([points.vectors[:, :1], directions[batch]], dim=1)
        latents = replace(points, scalars=self.lift(self._known(site, points, inputs)), vectors=vectors)
        if self.kernel is not None:
            surface = prepared.surface
            facing = (surface.vectors[:, :1] * directions[surface.batch]).sum(dim=2)
            told = surface.with_features(scalars=torch.cat([surface.scalars, facing], dim=1))
            latents = latents.with_features(scalars=latents.scalars + self.kernel(told, latents, prepared.near).scalars)
        for block in self.blocks:
            latents = block(latents, latents, prepared.between)
        state = EnfState(prepared, inputs, latents, directions, None)
        return replace(state, densities=self._densities(state)) if self.densities else state

    def field(self, latent: EnfState, queries: Queries) -> PointSet:
        points = queries.points
        site = self._site(queries, latent.prepared, latent.directions)
        asked = self.ask(self._known(site, points, latent.inputs, queries))
        if self.ablation == "distance":
            asked = torch.zeros_like(asked)
        read = self.attention(latent.latents, points, self.attention.space.connect(latent.latents, points), asked)
        if self.ablation == "latents":
            read = torch.zeros_like(read)
        potential = points.pos.new_zeros(len(points), 0, points.dimension)
        if latent.densities is not None:
            potential = boundary_velocity(queries, latent.densities, latent.prepared.facets)
        seen = torch.cat([asked, read, *_invariants(potential, site.vectors)], dim=1)
        h = self.collect(seen) + self.skip(seen)
        h = h + self.refine(self.norm(h))
        vectors = self._vectors(h, site, potential)
        final = torch.cat([h, *_invariants(vectors, site.vectors)], dim=1)
        left, right, out = self.product
        return points.with_features(self.scalar_head(final) + out(left(final) * right(final)), vectors)

    def _directions(self, inputs: Inputs) -> Tensor:
        """(b, m, d) the free stream and the axes."""
        axes = torch.eye(self.ports.dimension, dtype=inputs.vectors.dtype, device=inputs.vectors.device)[: self.axes]
        return torch.cat([inputs.vectors, axes.expand(len(inputs.vectors), *axes.shape)], dim=1)

    def _site(self, queries: Queries, prepared: PreparedEnf, directions: Tensor) -> InvariantSites:
        batch = queries.points.batch
        return InvariantSites.of(place(queries, prepared.surface), prepared.middle.pos[batch], directions[batch], ends=self.ports.body)

    def _known(self, site: InvariantSites, points: PointSet, inputs: Inputs, queries: Queries | None = None) -> Tensor:
        """(n, f) invariants of places, conditions and input functions there; the functions as the queries carry them, if they do."""
        parts = [site.scalars, inputs.scalars[points.batch]]
        if queries is not None and points.scalars.shape[1] == 1 + self.ports.given:
            parts.append(points.scalars[:, 1:])
        else:
            parts += [interpolate(inputs.functions[name], points.pos, points.ptr) for name, _ in self.ports.functions]
        return torch.cat(parts, dim=1)

    def _vectors(self, h: Tensor, site: InvariantSites, potential: Tensor) -> Tensor:
        """(n, v, d) combinations of the vectors of a place, beside the first layer potentials."""
        count = self.ports.vectors_out
        if self.vector_head is None:
            return potential[:, :0]
        weights = self.vector_head(h).view(len(h), count, self.n_vectors)
        found = weights @ site.vectors
        return potential[:, :count] + 0.3 * found if self.densities else found

    def _densities(self, state: EnfState) -> PointSet:
        """The vertices with (v, 2 k) source and vortex strengths: what vertices read, vortices times a direction's component along the wall."""
        surface, d = state.prepared.surface, state.directions[state.prepared.surface.batch]
        vertices = Queries(
            replace(surface, scalars=torch.zeros_like(surface.pos[:, :1])),
            torch.arange(len(surface), device=surface.pos.device)[:, None].expand(-1, 2),
            surface.pos.new_tensor([1.0, 0.0]).expand(len(surface), 2),
        )
        asked = self.ask(self._known(self._site(vertices, state.prepared, state.directions), vertices.points, state.inputs))
        read = self.attention(state.latents, surface, state.prepared.read, asked)
        assert self.to_density is not None
        source, *vortex = self.to_density(torch.cat([asked, read], dim=1)).chunk(1 + d.shape[1], dim=1)
        normal = surface.vectors[:, 0]
        across = normal[:, None, 0] * d[..., 1] - normal[:, None, 1] * d[..., 0]
        strengths = [source, sum(v * across[:, k : k + 1] for k, v in enumerate(vortex))]
        return surface.with_features(scalars=torch.cat(strengths, dim=1))


def _invariants(vectors: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """(n, k) squared lengths of vectors (n, k, d), and (n, k m) their products with others (n, m, d)."""
    return vectors.square().sum(dim=2), (vectors @ others.mT).flatten(1)
