"""enf2enf: a geometry as a small cloud of posed latents, a flow as an equivariant neural field that they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError, ShapeError
from ..graph.geometry import Geometry, Queries
from ..graph.graph import Graph
from ..graph.pointset import Inputs, PointSet
from ..layers.bi_invariants import Components
from ..layers.gated_mlp import GatedMLP
from ..layers.head import Head
from ..layers.invariant_sites import InvariantSites
from ..layers.operator import Symmetry
from ..layers.pose_attention import PoseAttention, PoseSpace
from ..layers.sizes import check_sizes
from ..operators.latent_attention import LatentAttention
from .boundary_potential import boundary_velocity
from .enf_latents import PreparedLatents, Scene, ShapeLatents, SurfaceLatents, axes, widths
from .inner import facet_graph
from .model import AbstractModel
from .ports import Ports
from .shape_field import PreparedShape, ShapeField

Ablation = Literal["none", "latents", "distance"]
#: Latents per geometry in the plane and in space: a surface needs more than a line.
_LATENTS = {2: 64, 3: 160}
#: Latents that a latent hears with their poses in a block; the others it hears through slices.
_HEARD = 8


@dataclass(frozen=True, eq=False)
class PreparedEnf:
    """What :class:`Enf2Enf` keeps of geometries.

    Attributes:
        surface: vertices with what they say of themselves in even numbers, normals, weights.
        facets: from the vertices of a facet to the facet.
        middle: one point per sample, the middle of its surface.
        latents: see :class:`~geoop.models.enf_latents.PreparedLatents`.
    """

    surface: PointSet
    facets: Graph
    middle: PointSet
    latents: PreparedLatents

    def to(self, device: torch.device | str) -> PreparedEnf:
        return PreparedEnf(**{name: value.to(device) for name, value in vars(self).items()})


@dataclass(frozen=True, eq=False)
class EnfState:
    """An encoded batch.

    Attributes:
        scene: what a place can know before any learning.
        facets: of the surface.
        latents: with features as ``scalars`` and the vectors of their poses.
        densities: the vertices with (v, 2 k) strengths of layer potentials; None without.
    """

    scene: Scene
    facets: Graph
    latents: PointSet
    densities: PointSet | None = None


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
        latents: number per geometry; None for 64 in the plane and 160 in space.
        depth: blocks in which latents talk.
        heads, nearest: of the field: latents that a point reads.
        slices: of every head, through which latents hear all others, see :class:`~geoop.operators.latent_attention.LatentAttention`.
        context: channels per latent of a fitted encoder.
        densities: layer potentials, in the plane with a free stream only: None for 16 there and 0 elsewhere, 0 leaves them out (an ablation).
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
        latents: int | None = None,
        depth: int = 2,
        heads: int = 4,
        nearest: int = 4,
        slices: int = 32,
        context: int = 8,
        densities: int | None = None,
        encoder: Literal["surface", "meta", "auto"] = "surface",
        shape: Mapping[str, Any] | None = None,
        ablation: Ablation = "none",
    ) -> None:
        super().__init__()
        self.ports, shape = Ports.of(ports), dict(shape or {})
        latents = _LATENTS[self.ports.dimension] if latents is None else latents
        sizes = {"width": width, "latents": latents, "depth": depth, "heads": heads, "nearest": nearest, "slices": slices, "context": context}
        check_sizes("Enf2Enf", sizes, zero=("depth", "slices"))
        plane = self.ports.dimension == 2 and self.ports.vectors_in > 0
        densities = (16 if plane else 0) if densities is None else densities
        if ablation not in ("none", "latents", "distance") or (densities and not plane) or 0 < densities < self.ports.vectors_out or densities < 0:
            raise ConfigurationError(
                f"ablation '{ablation}', {densities} densities in {self.ports.dimension}-D",
                where="Enf2Enf",
                remedy="ablation none, latents or distance; densities only for plane flows with a free stream, one per vector field at least",
            )
        self.arguments = {"ports": self.ports.to_dict(), **sizes, "densities": densities, "encoder": encoder, "shape": shape, "ablation": ablation}
        p, self.densities, self.ablation = self.ports, densities, ablation
        self.even = [k for k in range(p.surface_scalars) if k not in p.surface_odd]
        directions, self.n_vectors, known = widths(p)
        self.source: SurfaceLatents | ShapeLatents
        self.symmetry = self._claimed(encoder)
        if encoder == "surface":
            self.source = SurfaceLatents(p, latents, width)
        else:
            field = ShapeField(p.dimension, latents, context, encoder=encoder, **shape)
            self.source = ShapeLatents(p, field, width)
        talking, reading = (PoseSpace(Components(), p.dimension, self.source.vectors + directions, k) for k in (_HEARD, nearest))
        self.blocks = nn.ModuleList([LatentAttention(width, talking, heads, slices=slices) for _ in range(depth)])
        self.latent_norm = nn.LayerNorm(width)
        self.ask = GatedMLP(known, 3 * width // 2, width)
        self.attention = PoseAttention(reading, width, heads, asked=width)
        self.to_density = nn.Linear(2 * width, densities * (1 + directions)) if densities else None
        seen = 2 * width + densities * (1 + self.n_vectors)
        self.collect, self.skip = GatedMLP(seen, 3 * width // 2, width), nn.Linear(seen, width)
        self.norm, self.refine = nn.LayerNorm(width), GatedMLP(width, 3 * width // 2, width)
        self.vector_head = nn.Linear(width, p.vectors_out * self.n_vectors) if p.vectors_out else None
        final = width + p.vectors_out * (1 + self.n_vectors)
        self.scalar_head = Head(final, p.scalars_out)
        self.product = nn.ModuleList([nn.Linear(final, 16), nn.Linear(final, 16), Head(16, p.scalars_out)])

    def _claimed(self, encoder: str) -> Symmetry:
        """In coordinates of the frame.

        The ends of a body, and the boxes in which contexts are fitted, stand still in it; of the rest the axes decide that a problem is not free to turn
        about.
        """
        if self.ports.body or encoder != "surface":
            return Symmetry.NONE
        return Symmetry.TRANSLATION if axes(self.ports) else Symmetry.E

    @property
    def shape_stage(self) -> Enf2Enf | None:
        return self if isinstance(self.source, ShapeLatents) else None

    @property
    def field_of_shapes(self) -> ShapeField:
        """What the first stage trains, see :class:`~geoop.models.model.ShapeStage`."""
        assert isinstance(self.source, ShapeLatents)
        return self.source.field

    def shape_of(self, prepared: PreparedEnf) -> PreparedShape:
        """The shapes of a prepared geometry."""
        assert prepared.latents.shape is not None
        return prepared.latents.shape

    def settle(self, prepared: Sequence[PreparedEnf]) -> None:
        """Freeze the field of the shapes and standardise its contexts by those of the training geometries."""
        assert isinstance(self.source, ShapeLatents)
        self.source.settle([self.source.fitted(item.latents) for item in prepared])

    def refreshed(self, prepared: PreparedEnf) -> PreparedEnf:
        """With the contexts of the trained field."""
        assert isinstance(self.source, ShapeLatents)
        return replace(prepared, latents=self.source.fitted(prepared.latents))

    @torch.no_grad()
    def prepare(self, geometry: Geometry) -> PreparedEnf:
        """Latent places, and the contexts of a fitted encoder.

        Raises:
            ShapeError: its boundary says other things than the model was made for, or a region comes without points of its domain.
        """
        surface = geometry.surface
        if surface.scalars.shape[1] != self.ports.surface_scalars or surface.dimension != self.ports.dimension:
            raise ShapeError(
                f"boundaries in {surface.dimension}-D with {surface.scalars.shape[1]} scalars, the model takes {self.ports.dimension}-D with"
                f" {self.ports.surface_scalars}",
                where="Enf2Enf",
                remedy="frame the case as the training cases were",
            )
        surface = surface.with_features(scalars=surface.scalars[:, self.even])
        middle = torch.stack([(s.weight[:, None] * s.pos).sum(dim=0) / s.weight.sum() for s in surface.split()])
        middle = PointSet(middle, ptr=torch.arange(surface.batch_size + 1))
        return PreparedEnf(surface, facet_graph(geometry), middle, self.source.prepare(geometry, surface))

    def concatenate(self, prepared: list[PreparedEnf]) -> PreparedEnf:
        surface, facets, middle = ([getattr(item, name) for item in prepared] for name in ("surface", "facets", "middle"))
        latents = PreparedLatents.concatenate([item.latents for item in prepared], [len(item) for item in surface])
        return PreparedEnf(PointSet.concatenate(surface), Graph.concatenate(facets), PointSet.concatenate(middle), latents)

    def encode(self, prepared: PreparedEnf, inputs: Inputs) -> EnfState:
        self.ports.check_inputs(inputs, prepared.surface.batch_size, "Enf2Enf")
        scene = Scene.of(self.ports, prepared.surface, prepared.middle.pos, inputs)
        latents = self.source(prepared.latents, scene)
        if len(self.blocks):
            between = self.blocks[0].connect(latents, latents)
        for block in self.blocks:
            latents = block(latents, latents, between)
        # the last block is not bounded: without this, latents of shapes unlike those of the training can grow, and products of them with it
        latents = latents.with_features(scalars=self.latent_norm(latents.scalars))
        state = EnfState(scene, prepared.facets, latents)
        return replace(state, densities=self._densities(state)) if self.densities else state

    def field(self, latent: EnfState, queries: Queries) -> PointSet:
        self.ports.check_queries(queries, latent.scene.surface.batch_size, "Enf2Enf")
        points = queries.points
        site, asked, read = self._read(latent, queries)
        potential = points.pos.new_zeros(len(points), 0, points.dimension)
        if latent.densities is not None:
            potential = boundary_velocity(queries, latent.densities, latent.facets)
        seen = torch.cat([asked, read, *_invariants(potential, site.vectors)], dim=1)
        h = self.collect(seen) + self.skip(seen)
        h = h + self.refine(self.norm(h))
        vectors = self._vectors(h, site, potential)
        final = torch.cat([h, *_invariants(vectors, site.vectors)], dim=1)
        left, right, out = self.product
        return points.with_features(self.scalar_head(final) + out(left(final) * right(final)), vectors)

    def _read(self, state: EnfState, queries: Queries) -> tuple[InvariantSites, Tensor, Tensor]:
        """What moves along with the queries, (n, width) what they know themselves, and (n, width) what they read from the latents."""
        site, known = state.scene.look(queries)
        asked = self.ask(known)
        if self.ablation == "distance":
            asked = torch.zeros_like(asked)
        points = queries.points
        read = self.attention(state.latents, points, self.attention.space.connect(state.latents, points), asked)
        return site, asked, torch.zeros_like(read) if self.ablation == "latents" else read

    def _vectors(self, h: Tensor, site: InvariantSites, potential: Tensor) -> Tensor:
        """(n, v, d) combinations of the vectors of a place, beside the first layer potentials."""
        count = self.ports.vectors_out
        if self.vector_head is None:
            return potential[:, :0]
        weights = self.vector_head(h).view(len(h), count, self.n_vectors)
        found = weights @ site.vectors
        return potential[:, :count] + 0.3 * found if self.densities else found

    def _densities(self, state: EnfState) -> PointSet:
        """The vertices with (v, 2 k) source and vortex strengths: what they read, vortices times a direction's component along the wall."""
        surface, normal = state.scene.surface, state.scene.surface.vectors[:, 0]
        directions = state.scene.directions[surface.batch]
        _, asked, read = self._read(state, state.scene.at_vertices())
        assert self.to_density is not None
        source, *vortex = self.to_density(torch.cat([asked, read], dim=1)).chunk(1 + directions.shape[1], dim=1)
        across = normal[:, None, 0] * directions[..., 1] - normal[:, None, 1] * directions[..., 0]
        strengths = [source, sum(v * across[:, k : k + 1] for k, v in enumerate(vortex))]
        return surface.with_features(scalars=torch.cat(strengths, dim=1))


def _invariants(vectors: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """(n, k) squared lengths of vectors (n, k, d), and (n, k m) their products with others (n, m, d)."""
    return vectors.square().sum(dim=2), (vectors @ others.mT).flatten(1)
