"""From cases to training samples: geometries, conditions, queries and standardised targets as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import DatasetError
from ..graph.geometry import Geometry, Queries
from ..graph.pointset import Inputs, PointSet
from ..mesh.case import Case
from ..mesh.measure import point_weights
from ..mesh.quantity import Quantity
from ..scaling.framed import Framed
from ..scaling.framing import Framing
from ..scaling.known_functions import KnownFunctions
from ..scaling.normaliser import Normaliser

#: Of the root mean square over a whole case: the least that an error in one of its regions is divided by.
_LEAST_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Sample:
    """One case in its body's frame, outputs standardised; field points first, wall points behind.

    Attributes:
        name: of the case.
        geometry: the body.
        inputs: the condition.
        queries: (n,) points with known fields.
        target: standardised fields there.
        weight: (n,) quadrature weights of the points, each region's mean 1.
        n_field: number of field points; the rest lie on the wall.
        reference: (2, c) root mean square of every channel over the field and over the wall, in standardised units: the
            denominators of the relative errors.
    """

    name: str
    geometry: Geometry
    inputs: Inputs
    queries: Queries
    target: PointSet
    weight: Tensor
    n_field: int
    reference: Tensor


@dataclass(frozen=True, eq=False)
class FramedCase:
    """A case in its frame with its dimensionless fields: what the normaliser is fitted on."""

    case: Case
    framed: Framed
    order: np.ndarray
    n_field: int
    fields: dict[str, np.ndarray]
    inputs: Inputs
    known: KnownFunctions
    on_wall: np.ndarray

    @classmethod
    def of(cls, case: Case, quantities: Sequence[Quantity], framing: Framing) -> FramedCase:
        """Frame one case.

        Args:
            case: its ``fields`` hold every quantity at points.
            quantities: what is learned.
            framing: how cases become tensors.

        Raises:
            DatasetError: a quantity is missing, lives elsewhere or is not finite.
        """
        framed = framing.of(case)
        on_body = framing.on_body(case)
        order = np.concatenate([np.flatnonzero(~on_body), np.flatnonzero(on_body)])
        physical = {}
        for quantity in quantities:
            item = case.fields.get(quantity.name)
            if item is None or item.location != "point" or not np.isfinite(item.values).all():
                raise DatasetError(
                    f"'{quantity.name}' is {'missing' if item is None else 'not finite or not at points'}",
                    where=case.name,
                    remedy="leave the case out, repair its file, or train on other quantities",
                )
            physical[quantity] = (item.values - framing.prior(case, quantity))[order]
        fields = framed.frame.fields_in(physical, case.operating_point)
        known = KnownFunctions.of(framing.functions, case, framed.frame)
        return cls(case, framed, order, int((~on_body).sum()), fields, framing.inputs(case, framed), known, framing.on_wall(case))

    @property
    def direction(self) -> np.ndarray:
        """(d,) free-stream direction in the frame; zeros where there is none."""
        return self.framed.direction(self.case)

    def sample(self, normaliser: Normaliser, perturbation: float = 0.5) -> Sample:
        """As tensors.

        Args:
            normaliser: fitted on the training split.
            perturbation: how much an error of the velocity also counts relative to the perturbation alone: with the whole
                velocity as the only denominator, the far field makes errors near the wall cheap.
        """
        on_wall = self.on_wall[self.order] | (np.arange(len(self.order)) >= self.n_field)
        queries = self.known.seen_by(self.framed.queries(self.case.mesh.points[self.order], on_wall), self.order)
        target = queries.points.with_features(*normaliser.standardise(self.fields, self.direction))
        regions = (slice(0, self.n_field), slice(self.n_field, None))
        reference = torch.tensor(np.stack([self._reference(normaliser, region, perturbation) for region in regions]), dtype=torch.float32)
        return Sample(self.case.name, self.framed.geometry, self.inputs, queries, target, self._weights(), self.n_field, reference)

    def _reference(self, normaliser: Normaliser, region: slice, perturbation: float) -> np.ndarray:
        """(c,) one over the summed inverse norms that an error is divided by; 1 where the region has no points.

        A norm counts as a tenth of that over all points at least: on a wall without slip the velocity is zero, and dividing by it
        would make its last digits the whole loss.
        """

        def rms(values: np.ndarray) -> np.ndarray:
            if not len(values[region]):
                return np.ones(values.shape[1:])
            return np.maximum(np.sqrt((values[region] ** 2).mean(axis=0)), _LEAST_SHARE * np.sqrt((values**2).mean()))

        rows = []
        for quantity in (*normaliser.scalars, *normaliser.vectors):
            values, deviation = self.fields[quantity.name], normaliser.deviation[normaliser.quantities.index(quantity)]
            inverse = 1.0 / np.maximum(rms(values), 1e-3 * deviation)
            if quantity.is_velocity:
                inverse = inverse + perturbation / np.maximum(rms(values - self.direction), 1e-3 * deviation)
            rows.append(np.atleast_1d(1.0 / (inverse * deviation)))
        return np.concatenate(rows)

    def _weights(self) -> Tensor:
        item, mesh = self.case.fields.get("quadrature_weight"), self.case.mesh
        if item is not None:
            weight = np.asarray(item.values[self.order], dtype=np.float64)
        else:
            weight = np.ones(len(self.order)) if len(mesh.cells.where("vertex")) else point_weights(mesh)[self.order]
        for region in (slice(0, self.n_field), slice(self.n_field, None)):
            if len(weight[region]):
                weight[region] = weight[region] / max(weight[region].mean(), 1e-300)
        return torch.from_numpy(weight).float()
