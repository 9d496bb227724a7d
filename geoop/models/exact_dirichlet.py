"""Exact Dirichlet values for any model on clouds, by lifting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..graph.geometry import Geometry
from ..graph.hierarchy import Connection
from ..graph.pointset import Inputs, PointSet
from ..layers.lifting import DirichletData, extend
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .inner import facet_graph, inner_class
from .ports import Ports
from .units import Units

#: what this model adds to those of the model inside; its names are the same as without
_FACETS = "dirichlet_facets"
_VALUES = "dirichlet_values"


class ExactDirichlet(CloudModel):
    """u = g + t(phi) u^: whatever the model inside says, the field takes its boundary values to rounding (Sukumar and Srivastava 2022, arXiv 2104.08426).

    g extends the boundary values into the domain and is exact on every facet; phi is a smooth distance that vanishes there with slope 1
    (:func:`geoop.layers.lifting.extend`), and t(phi) = phi / (phi + reach) turns it into a factor that is 1 away from the boundary, so that the model
    inside learns a field of the usual size. Fields that are not listed go through unchanged.

    All boundary is Dirichlet for the listed fields (for the difference, where one is learned beyond a known field): zero, or the values of a function.
    Training brings them into the units of the standardised outputs, see :class:`~geoop.layers.lifting.DirichletData`, here the attribute ``data``.

    Args:
        ports: channels in and out.
        width: of the model inside.
        inner: name of a class in :mod:`geoop.models` that is a :class:`~geoop.models.cloud_model.CloudModel`.
        sizes: its other arguments.
        dirichlet: name of the input function that holds the values, best at the boundary's vertices; None for zero.
        fields: numbers of the outputs that take them, vectors by component; None for all, an empty list for none.
        reach: distance from the boundary at which the factor is one half, in the unit of the positions.
    """

    reference: ClassVar[tuple[str, ...]] = ("sukumar-2022-dirichlet", "belyaev-2013-distance")

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 48,
        *,
        inner: str = "StructurePreservingOperator",
        sizes: Mapping[str, Any] | None = None,
        dirichlet: str | None = None,
        fields: Sequence[int] | None = None,
        reach: float = 0.1,
    ) -> None:
        chosen = DirichletData.chosen(fields, dirichlet, Ports.of(ports).out, Ports.of(ports).functions)
        if not reach > 0:
            raise ConfigurationError(f"the reach is {reach}", where="ExactDirichlet", remedy="give a positive length")
        sizes = dict(sizes or {})
        super().__init__(ports, width, inner=inner, sizes=sizes, dirichlet=dirichlet, fields=chosen, reach=reach)
        # the model inside lifts, asks and has a head: here they only hand on
        self.lift, self.ask, self.head = nn.Identity(), nn.Identity(), nn.Identity()
        self.inner = inner_class(inner)(ports, width, **sizes)
        self.data = DirichletData(dirichlet, len(chosen), self.ports.dimension)
        self.reach, self.fields = reach, chosen

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        return self.inner.connect(domain, surface)

    @torch.no_grad()
    def prepare(self, geometry: Geometry) -> PreparedCloud:
        """As the model inside prepares it, and the facets, on which the values are exact."""
        prepared = self.inner.prepare(geometry)
        return replace(prepared, connections={**prepared.connections, _FACETS: facet_graph(geometry)})

    def fit_geometries(self, prepared: Sequence[PreparedCloud]) -> None:
        self.inner.fit_geometries(prepared)

    def fit_units(self, units: Units) -> None:
        self.inner.fit_units(units)
        self.data.fit_units([units.outputs(self.ports.dimension)[field] for field in self.fields], units.function(self.data.name))

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        lifted = points.with_features(scalars=self.inner.lift(points.scalars))
        return {**self.inner.process(lifted, prepared, inputs), _VALUES: self.data(inputs, prepared.surface)}

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        asked = queries.with_features(scalars=self.inner.ask(queries.scalars))
        free = self.inner.head(self.inner.read(state, asked))
        if not self.fields:
            return free
        extension, distance = extend(queries.pos, queries.ptr, state.latents[_VALUES], state.prepared.graph(_FACETS))
        factor = (1 / (1 + self.reach / distance)).to(free.dtype)[:, None]
        columns = list(free.unbind(dim=1))
        for k, field in enumerate(self.fields):
            columns[field] = extension[:, k].to(free.dtype) + factor[:, 0] * columns[field]
        return torch.stack(columns, dim=1)
