"""Steps in time by any model on clouds: what it says is added to the last state."""

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
from .cloud_model import CloudModel, CloudState, PreparedCloud
from .inner import inner_class
from .past import Past
from .ports import Ports
from .units import Units


class TimeIncrement(CloudModel):
    """u(t + tau) = u(t) + tau N(u(t), ..., tau), the stepper of RIGNO (Mousavi et al. 2025, arXiv 2501.19205), with any model inside; outputs without a past
    are those of the model inside.

    Args:
        ports: channels in and out.
        width: of the model inside.
        past: which functions are past states; the first is the last state.
        inner: name of a class in :mod:`geoop.models` that is a :class:`~geoop.models.cloud_model.CloudModel`.
        sizes: its other arguments.
        lead_time: (number among the global scalars, mean, deviation) of the lead time, in the unit in which its root mean square is about 1: the
            factor tau. None adds N without a factor, and does well where lead times are all equal.
    """

    reference: ClassVar[tuple[str, ...]] = ("mousavi-2025-rigno",)

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 48,
        *,
        past: Past | Mapping[str, Any] | None = None,
        inner: str = "RIGNO",
        sizes: Mapping[str, Any] | None = None,
        lead_time: Sequence[float] | None = None,
    ) -> None:
        found, sizes = Past.of(past), dict(sizes or {})
        super().__init__(ports, width, past=found.to_dict(), inner=inner, sizes=sizes, lead_time=None if lead_time is None else list(lead_time))
        if lead_time is not None and (len(lead_time) != 3 or not 0 <= int(lead_time[0]) < self.ports.scalars_in):
            raise ConfigurationError(
                f"lead_time is {lead_time}",
                where="TimeIncrement",
                remedy=f"(number, mean, deviation) of one of {self.ports.scalars_in} global scalars",
            )
        found.check(self.ports)
        # the model inside lifts, asks and has a head: here they only hand on
        self.lift, self.ask, self.head = nn.Identity(), nn.Identity(), nn.Identity()
        self.inner = inner_class(inner)(ports, width, **sizes)
        self.past, self.lead_time = found, lead_time

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        return self.inner.connect(domain, surface)

    @torch.no_grad()
    def prepare(self, geometry: Geometry) -> PreparedCloud:
        """As the model inside prepares it."""
        return self.inner.prepare(geometry)

    def fit_geometries(self, prepared: Sequence[PreparedCloud]) -> None:
        self.inner.fit_geometries(prepared)

    def fit_units(self, units: Units) -> None:
        """The model inside answers increments where there is a past: these have no mean, and no free stream was taken from them."""
        stepped = {at for _, at in self.past.frames[0]} if self.past.frames else set()
        at, quantities, mean = 0, [], []
        for quantity, middle in zip(units.quantities, units.mean, strict=True):
            changes = at in stepped
            quantities.append(replace(quantity, name=f"increment of {quantity.name}", unit="1") if changes else quantity)
            mean.append(0.0 if changes else middle)
            at += self.ports.dimension**quantity.rank
        self.inner.fit_units(replace(units, quantities=tuple(quantities), mean=tuple(mean)))

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        return self.inner.process(points.with_features(scalars=self.inner.lift(points.scalars)), prepared, inputs)

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        asked = queries.with_features(scalars=self.inner.ask(queries.scalars))
        said = self.inner.head(self.inner.read(state, asked))
        if not self.past.frames:
            return said
        if self.lead_time is not None:
            number, mean, deviation = self.lead_time
            tau = (mean + deviation * state.inputs.scalars[:, int(number)]) / max((mean**2 + deviation**2) ** 0.5, 1e-30)
            stepped = said.new_zeros(self.ports.out, dtype=torch.bool)
            sizes = dict(self.ports.functions)
            for name, at in self.past.frames[0]:
                stepped[at : at + sizes[name]] = True
            said = torch.where(stepped, tau.index_select(0, queries.batch)[:, None], 1.0) * said
        return said + self.past.outputs(self.ports, queries.scalars, state.inputs, queries.batch)[:, 0]
