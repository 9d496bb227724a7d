"""Layer potentials of learned densities around any model on clouds: what potential theory knows, added to what the model learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.geometry import Geometry, Queries
from ..graph.hierarchy import Connection
from ..graph.pointset import Inputs, PointSet
from ..layers.gated_mlp import GatedMLP
from ..layers.head import Head
from ..layers.mlp import MLP
from ..layers.pose import frame_components
from ..layers.sites import Sites
from ..layers.sizes import check_sizes
from .boundary_potential import boundary_velocity
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .inner import facet_graph, inner_class
from .ports import Ports

#: Names under which the boundary is kept beside what the model inside keeps.
_VERTICES, _FACETS, _DENSITIES = "potential_vertices", "potential_facets", "potential_densities"


class PotentialField(CloudModel):
    """A model on clouds whose decoder also sees the velocities that learned sources and vortices on the boundary induce:

        w_k(x) = 1/(2 pi) int_boundary (sigma_k + i gamma_k)(y) / (x - y) dy,        (sigma, gamma)(y) = D h(y),
        u(x) = G(h(x), w(x)) + w_1..v(x)

    h is what the model inside reads at any place, here also at the boundary's vertices. Every incompressible, irrotational flow is the free stream plus such
    potentials (Katz & Plotkin 2001, sec. 3.2), and gradients of harmonic functions decay with them the right way; in other problems they are features as
    good as any. The first potentials are added to the vector fields; scalar fields see products, since a pressure is quadratic in the velocity.

    In the plane. The boundary may have several loops, or be open.

    Args:
        ports: channels in and out.
        width: of the model inside.
        inner: name of a class in :mod:`geoop.models` that is a :class:`~geoop.models.cloud_model.CloudModel`.
        sizes: its other arguments.
        densities: number of potentials, at least one per vector field.
    """

    reference: ClassVar[tuple[str, ...]] = ("katz-plotkin-2001", "li-2020-gkn")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 48,
        *,
        inner: str = "Transolver",
        sizes: Mapping[str, Any] | None = None,
        densities: int = 16,
    ) -> None:
        sizes = dict(sizes or {})
        super().__init__(ports, width, inner=inner, sizes=sizes, densities=densities)
        ports = self.ports
        if ports.dimension != 2:
            raise ConfigurationError(
                f"a problem in {ports.dimension}-D: its layer potentials are those of the plane",
                where="PotentialField",
                remedy=f"take the model inside alone: {inner}",
            )
        check_sizes("PotentialField", {"densities": densities}, least=max(1, ports.vectors_out))
        # the model inside lifts, asks and has a head: here they only hand on
        self.lift, self.ask, self.head = nn.Identity(), nn.Identity(), nn.Identity()
        self.inner = inner_class(inner)(ports, width, **sizes)
        if not isinstance(self.inner.head, MLP):
            raise ConfigurationError(
                f"{inner} reads no hidden features of its width", where="PotentialField", remedy="take another, such as Transolver"
            )
        self.inner.head = nn.Identity()
        self.densities = densities
        self.to_density = nn.Linear(width + ports.features, 2 * densities)
        seen = width + ports.features + 4 * densities
        self.collect, self.skip = GatedMLP(seen, width, width), nn.Linear(seen, width)
        self.norm, self.refine = nn.LayerNorm(width), GatedMLP(width, width, width)
        final = width + 2 * (ports.vectors_out + ports.vectors_in + densities)
        self.vector_head = nn.Linear(width, 2 * ports.vectors_out) if ports.vectors_out else None
        self.scalar_head = Head(final, ports.scalars_out)
        self.product = nn.ModuleList([nn.Linear(final, 16), nn.Linear(final, 16), Head(16, ports.scalars_out)])

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        return self.inner.connect(domain, surface)

    @torch.no_grad()
    def prepare(self, geometry: Geometry) -> PreparedCloud:
        """As the model inside prepares it, and what the boundary's vertices know of themselves."""
        prepared, surface = self.inner.prepare(geometry), geometry.surface
        normal = surface.vectors[:, 0]
        sites = Sites(surface.pos, torch.zeros_like(surface.pos[:, 0]), normal, surface.pos, normal, surface.scalars)
        vertices = replace(surface, scalars=sites.features(ends=self.ports.body), vectors=normal[:, None])
        return replace(prepared, connections={**prepared.connections, _VERTICES: vertices, _FACETS: facet_graph(geometry)})

    def fit_geometries(self, prepared: Sequence[PreparedCloud]) -> None:
        self.inner.fit_geometries(prepared)

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        latents = self.inner.process(points.with_features(scalars=self.inner.lift(points.scalars)), prepared, inputs)
        vertices = prepared.points(_VERTICES)
        known = self._known(vertices, inputs)
        hidden = self.inner.read(CloudState(prepared, inputs, latents), vertices.with_features(scalars=self.inner.ask(known)))
        density = self.to_density(torch.cat([hidden, known.to(hidden.dtype)], dim=1))
        return {**latents, _DENSITIES: vertices.with_features(scalars=density)}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        return self.inner.read(state, queries.with_features(scalars=self.inner.ask(queries.scalars)))

    def field(self, latent: CloudState, queries: Queries) -> PointSet:
        self.ports.check_queries(queries, latent.prepared.surface.batch_size, type(self).__name__)
        surface, inputs, batch = latent.prepared.surface, latent.inputs, queries.points.batch
        places = self._placed(queries, surface)
        known = self._known(places, inputs, queries)
        hidden = self.read(latent, places.with_features(scalars=known))
        potential = boundary_velocity(queries, latent.latents[_DENSITIES], latent.prepared.graph(_FACETS))
        normal = places.vectors[:, :1].expand_as(potential)
        seen = torch.cat([hidden, known, potential.flatten(1), frame_components(potential, normal).flatten(1)], dim=1)
        h = self.collect(seen) + self.skip(seen)
        h = h + self.refine(self.norm(h))
        vectors = potential[:, : self.ports.vectors_out]
        if self.vector_head is not None:
            vectors = vectors + 0.1 * self.vector_head(h).view_as(vectors)
        final = torch.cat([h, vectors.flatten(1), inputs.vectors[batch].flatten(1), potential.flatten(1)], dim=1)
        left, right, out = self.product
        return queries.points.with_features(self.scalar_head(final) + out(left(final) * right(final)), vectors)
