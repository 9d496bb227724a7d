"""Series in time as tensors: what steppers are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DatasetError
from ..graph.geometry import Geometry, Queries
from ..graph.pointset import Inputs, PointSet
from ..mesh.case import Case, Series
from ..mesh.measure import point_weights
from ..mesh.quantity import Field, Quantity, parse_label
from ..models.units import Units
from ..scaling.clouds import thinned
from ..scaling.conditions import LEAD_TIME
from ..scaling.framed import single
from ..scaling.framing import Framing
from ..scaling.functions import InputFunction
from ..scaling.normaliser import Normaliser
from ..scaling.past_states import past_name


@dataclass(frozen=True, eq=False)
class StateTensors:
    """A series on one mesh, standardised as a model's outputs are.

    Attributes:
        name: of the series.
        states: (t, n, c) scalars first, then vectors by component.
        geometry: the boundary and the points of the domain.
        kept: (m,) numbers of the mesh's points where input functions are given to the model: those of the domain where it comes from the mesh.
        places: (m,) these points in the frame.
        queries: the n points of the mesh, without functions.
        weight: (n,) shares of the area, mean 1.
        conditions: (s,) standardised conditions; the lead time among them is one interval.
        direction: (v, d) the free stream, if there is one.
        size: (c,) root mean square over time and points of what changes, the deviation from the mean in time.
        unit: one interval in the unit of the condition that says the lead time.
    """

    name: str
    states: Tensor
    geometry: Geometry
    kept: Tensor
    places: PointSet
    queries: Queries
    weight: Tensor
    conditions: Tensor
    direction: Tensor
    size: Tensor
    unit: float


@dataclass(frozen=True, eq=False)
class StepLayout:
    """How states become input functions: everything that does not depend on the series.

    Attributes:
        quantities: that make a state, in the order of the outputs.
        history: states that a step is given.
        framing, normaliser: of the surrogate.
        interval: time between frames [s].
        lead: (number among the conditions, mean, deviation) of the lead time in the unit of the condition; None where it is always the same.
    """

    quantities: tuple[Quantity, ...]
    history: int
    framing: Framing
    normaliser: Normaliser
    interval: float
    lead: tuple[int, float, float] | None

    @classmethod
    def fit(
        cls, series: Sequence[Series], quantities: Sequence[Quantity], history: int, leads: int, *, frame: Any = "auto", domain_points: int = 1024
    ) -> StepLayout:
        """Fit framing, normaliser and conditions on the training series.

        Args:
            series: for training, frames at equal times.
            quantities: that make a state.
            history: past states of a step.
            leads: longest lead time in intervals.
            frame, domain_points: see :class:`~geoop.scaling.framing.Framing`.
        """
        interval = float(np.diff(series[0].times)[0])
        lead_times = [interval * k for k in range(1, leads + 1)]
        stubs = [replace(s.cases[0], fields={LEAD_TIME.name: _lead_field(tau)}) for s in series for tau in lead_times]
        framing = Framing.fit(stubs, frame=frame, domain_points=domain_points)
        pairs = ((_dimensionless(case, quantities, framing), _direction(case, framing)) for s in series for case in s.cases)
        ordered = tuple(sorted(quantities, key=lambda q: q.rank))
        normaliser = Normaliser.fit(ordered, pairs)
        dimension = series[0].cases[0].mesh.dimension
        functions = []
        for back in range(1, history + 1):
            for k, q in enumerate(ordered):
                functions.append(InputFunction(past_name(q.name, back), dimension**q.rank, normaliser.mean[k], normaliser.deviation[k]))
        framing = replace(framing, functions=tuple(sorted(functions, key=lambda item: item.name)))
        told = framing.conditions
        lead = next(((k, told.mean[k], told.deviation[k]) for k, name in enumerate(told.names) if parse_label(name)[0] == LEAD_TIME.name), None)
        return cls(ordered, history, framing, normaliser, interval, lead)

    @property
    def offsets(self) -> list[tuple[Quantity, int, int]]:
        """(quantity, number of its first output, outputs) in order."""
        dimension, found, at = self.dimension, [], 0
        for q in self.quantities:
            found.append((q, at, dimension**q.rank))
            at += dimension**q.rank
        return found

    @property
    def units(self) -> Units:
        """Of the states and their pasts."""
        known = {item.name: (item.mean, item.deviation) for item in self.framing.functions}
        return Units(self.quantities, self.normaliser.mean, self.normaliser.deviation, known)

    @property
    def dimension(self) -> int:
        """Of space."""
        vectors = [f.channels for f in self.framing.functions if f.channels > 1]
        return vectors[0] if vectors else 2

    @property
    def stream(self) -> list[tuple[int, float]]:
        """(first output, 1/deviation) of velocities: see :class:`~geoop.models.past.Past`."""
        return [(at, 1.0 / self.normaliser.deviation[k]) for k, (q, at, _) in enumerate(self.offsets) if q.is_velocity]

    def past(self) -> dict[str, Any]:
        """JSON data of the model's :class:`~geoop.models.past.Past`."""
        frames = [[[past_name(q.name, back), at] for q, at, _ in self.offsets] for back in range(1, self.history + 1)]
        return {"frames": frames, "stream": [list(item) for item in self.stream]}

    def tensors(self, series: Series, name: str) -> StateTensors:
        """A series as tensors."""
        first = series.cases[0]
        bare = replace(self.framing, functions=())
        framed = bare.of(first)
        on_wall = bare.on_wall(first)
        queries = framed.queries(first.mesh.points, on_wall)
        rows = []
        for case in series.cases:
            parts = self.normaliser.standardise(_dimensionless(case, self.quantities, bare), _direction(case, bare))
            rows.append(torch.cat([parts[0], parts[1].flatten(1)], dim=1))
        states = torch.stack(rows)
        weight = point_weights(first.mesh)
        stub = replace(first, fields={LEAD_TIME.name: _lead_field(self.interval)})
        told = framed.inputs(stub, bare.conditions)
        unit = 0.0
        if self.lead is not None:
            number, mean, deviation = self.lead
            unit = float(told.scalars[0, number]) * deviation + mean
        size = (states - states.mean(dim=0)).square().mean(dim=(0, 1)).sqrt().clamp_min(1e-3)
        cloud = thinned(first, on_wall, bare.domain_points or len(first.mesh.points))
        kept = torch.from_numpy(cloud.number)
        domain = framed.geometry.domain
        # the very points of the domain, so that nothing is searched or interpolated there
        if bare.domain == "mesh" and domain is not None:
            places = PointSet(domain.points.pos, weight=domain.points.weight)
        else:
            places = PointSet(single(framed.frame.points_in(cloud.points)))
        weight = single(weight / weight.mean())
        return StateTensors(name, states, framed.geometry, kept, places, queries, weight, told.scalars[0], told.vectors[0], size, unit)

    def inputs(self, item: StateTensors, past: Tensor, lead: float) -> Inputs:
        """Conditions and functions of one step.

        Args:
            item: whose geometry it is on.
            past: (h, n, c) states at all points of the mesh, oldest first.
            lead: [intervals].
        """
        values = self._functions(item, past[:, item.kept])
        functions = {key: item.places.with_features(scalars=columns) for key, columns in values.items()}
        return Inputs(self._conditions(item, lead)[None], item.direction[None], functions)

    def asked(self, item: StateTensors, past: Tensor, index: Tensor) -> Queries:
        """Queries at some points (k,) of the mesh, with the functions behind their distance."""
        found, columns = item.queries.take(index), []
        for _, values in sorted(self._functions(item, past[:, index]).items()):
            columns += [values, values.new_ones(len(values), 1)]
        return replace(found, points=replace(found.points, scalars=torch.cat([found.points.scalars, *columns], dim=1)))

    def _functions(self, item: StateTensors, past: Tensor) -> dict[str, Tensor]:
        """Past states as the input functions are standardised: velocities with the free stream."""
        found = {}
        stream = dict(self.stream)
        for back in range(1, self.history + 1):
            state = past[len(past) - back]
            for q, at, count in self.offsets:
                values = state[:, at : at + count]
                found[past_name(q.name, back)] = values + stream[at] * item.direction[0] if at in stream and len(item.direction) else values
        return found

    def _conditions(self, item: StateTensors, lead: float) -> Tensor:
        if self.lead is None:
            return item.conditions
        number, mean, deviation = self.lead
        told = item.conditions.clone()
        told[number] = (lead * item.unit - mean) / deviation
        return told


def _lead_field(tau: float) -> Field:
    return Field(LEAD_TIME, np.array(tau), "global")


def _direction(case: Case, framing: Framing) -> np.ndarray:
    point, d = case.operating_point, case.mesh.dimension
    return np.zeros(d) if point is None else framing.frame(case).vectors_in(point.direction(d)).astype(np.float32).astype(np.float64)


def _dimensionless(case: Case, quantities: Sequence[Quantity], framing: Framing) -> dict[str, np.ndarray]:
    problems = [q.name for q in quantities if q.name not in case.fields or not np.isfinite(case.fields[q.name].values).all()]
    if problems:
        raise DatasetError(f"{problems} are missing or not finite", where=case.name, remedy="leave the series out, or repair its file")
    return framing.frame(case).fields_in({q: case.fields[q.name].values for q in quantities}, case.operating_point)
