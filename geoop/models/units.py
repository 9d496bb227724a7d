"""How what goes into a model and what comes out of it was standardised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..mesh.quantity import Quantity


class OutputUnit(NamedTuple):
    """One number predicted per point: ``value = deviation * standardised + mean``, and plus component ``axis`` of the free stream where it is not None."""

    mean: float
    deviation: float
    axis: int | None


@dataclass(frozen=True)
class Units:
    """Between the standardised numbers that a model sees and the dimensionless fields that they stand for.

    Attributes:
        quantities: that are predicted, scalars and vectors.
        mean, deviation: of each, see :class:`geoop.scaling.normaliser.Normaliser`.
        functions: name of an input function -> its mean and deviation.
    """

    quantities: tuple[Quantity, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    functions: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def outputs(self, dimension: int) -> list[OutputUnit]:
        """In the order of a model's outputs: the scalars, then the vectors by component."""
        rows = list(zip(self.quantities, self.mean, self.deviation, strict=True))
        scalars = [OutputUnit(mean, deviation, None) for quantity, mean, deviation in rows if not quantity.rank]
        vectors = [(quantity.is_velocity, mean, deviation) for quantity, mean, deviation in rows if quantity.rank]
        return scalars + [OutputUnit(mean, deviation, k if lost else None) for lost, mean, deviation in vectors for k in range(dimension)]

    def function(self, name: str | None) -> tuple[float, float]:
        """Mean and deviation of an input function; (0, 1) for one that was not standardised, and for None."""
        return self.functions.get(name or "", (0.0, 1.0))
