"""Standardisation by quantity, fitted on the training split and stored in the checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import CheckpointError, DatasetError
from ..mesh.quantity import Quantity


@dataclass(frozen=True)
class Normaliser:
    """Dimensionless fields -> fields of mean 0 and standard deviation 1, and back.

    Scalars lose their mean and are divided by their standard deviation. Vectors are divided by one common root mean square,
    so that the map commutes with rotations; a velocity loses the free stream first: what is learned is the perturbation.

    Attributes:
        quantities: what is predicted; scalars and vectors in this order each.
        mean: (q,) mean of the scalars, 0 for vectors.
        deviation: (q,) standard deviation or root mean square, never 0.
    """

    quantities: tuple[Quantity, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def fit(cls, quantities: Iterable[Quantity], samples: Iterable[tuple[Mapping[str, np.ndarray], np.ndarray]]) -> Normaliser:
        """Fit on (dimensionless fields by name, free-stream direction (d,)) pairs, one per training case.

        Raises:
            DatasetError: no cases, or a field that is not finite.
        """
        quantities = tuple(quantities)
        count, total, square = 0.0, np.zeros(len(quantities)), np.zeros(len(quantities))
        for fields, direction in samples:
            count += 1.0
            for i, quantity in enumerate(quantities):
                values = np.asarray(fields[quantity.name], dtype=np.float64)
                if not np.isfinite(values).all():
                    raise DatasetError(f"'{quantity.name}' has values that are not finite", remedy="regenerate or leave out the case")
                if quantity.rank:
                    values = values - direction if quantity.is_velocity else values
                    square[i] += (values**2).mean()
                else:
                    total[i] += values.mean()
                    square[i] += (values**2).mean()
        if not count:
            raise DatasetError("no cases to fit the normaliser on", remedy="give the training split at least one case")
        mean = total / count
        deviation = np.sqrt(np.maximum(square / count - mean**2, 0.0))
        # a field that is constant over the whole training split carries no scale of its own
        deviation = np.where(deviation > 1e-12 * np.maximum(np.abs(mean), 1.0), deviation, 1.0)
        return cls(quantities, tuple(mean.tolist()), tuple(deviation.tolist()))

    @property
    def scalars(self) -> tuple[Quantity, ...]:
        return tuple(q for q in self.quantities if q.rank == 0)

    @property
    def vectors(self) -> tuple[Quantity, ...]:
        return tuple(q for q in self.quantities if q.rank == 1)

    def _of(self, quantity: Quantity) -> tuple[float, float]:
        i = self.quantities.index(quantity)
        return self.mean[i], self.deviation[i]

    def standardise(self, fields: Mapping[str, np.ndarray], direction: np.ndarray) -> tuple[Tensor, Tensor]:
        """Dimensionless fields of one case -> scalars (n, s) and vectors (n, v, d) in single precision."""
        scalars, vectors = [], []
        for quantity in self.quantities:
            mean, deviation = self._of(quantity)
            shift = direction if quantity.is_velocity else mean
            (vectors if quantity.rank else scalars).append((np.asarray(fields[quantity.name]) - shift) / deviation)
        n, d = len(next(iter(fields.values()))), len(direction)
        return (
            torch.from_numpy(np.stack(scalars, 1) if scalars else np.zeros((n, 0))).float(),
            torch.from_numpy(np.stack(vectors, 1) if vectors else np.zeros((n, 0, d))).float(),
        )

    def restore(self, scalars: Tensor, vectors: Tensor, direction: np.ndarray) -> dict[Quantity, np.ndarray]:
        """Inverse of :meth:`standardise`, in double precision."""
        values: dict[Quantity, np.ndarray] = {}
        for columns, quantities in ((scalars, self.scalars), (vectors, self.vectors)):
            for i, quantity in enumerate(quantities):
                mean, deviation = self._of(quantity)
                column = columns[:, i].detach().cpu().double().numpy()
                values[quantity] = column * deviation + (direction if quantity.is_velocity else mean)
        return values

    def to_dict(self) -> dict[str, Any]:
        """JSON data for the checkpoint header."""
        rows = zip(self.quantities, self.mean, self.deviation, strict=True)
        return {"quantities": [{"name": q.name, "symbol": q.symbol, "unit": q.unit, "rank": q.rank, "mean": m, "deviation": s} for q, m, s in rows]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Normaliser:
        """Inverse of :meth:`to_dict`.

        Raises:
            CheckpointError: the header is damaged.
        """
        try:
            rows = data["quantities"]
            quantities = tuple(Quantity(r["name"], r["symbol"], r["unit"], int(r["rank"])) for r in rows)
            return cls(quantities, tuple(float(r["mean"]) for r in rows), tuple(float(r["deviation"]) for r in rows))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"the normaliser in the header is damaged: {error!r}", remedy="train again") from error
