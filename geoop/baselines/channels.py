"""Fields of several quantities side by side as columns of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import FieldError, NonFiniteError
from ..mesh.case import Case
from ..mesh.quantity import Field, Quantity
from .abstract_transfer import Located


@dataclass(frozen=True, eq=False)
class Channels:
    """Fields as columns: around a body dimensionless in its frame and velocities without the free stream, in a region as they are.

    Attributes:
        quantities: in the order of the columns; a vector takes as many as space has dimensions, a tensor their square.
        dimension: of space.
        beyond: quantity -> name of a known scalar field of every case from which the difference is taken, e.g. the pressure of a panel method.
    """

    quantities: tuple[Quantity, ...]
    dimension: int = 2
    beyond: tuple[tuple[str, str], ...] = ()

    @property
    def count(self) -> int:
        return sum(self.dimension**q.rank for q in self.quantities)

    def gather(self, case: Case, place: Located) -> np.ndarray:
        """(n, c) columns from the fields of a case.

        Raises:
            PatchError: a field is missing. FieldError: it lives elsewhere, or has another unit. NonFiniteError: NaN in it.
        """
        columns = []
        for quantity in self.quantities:
            values = _checked(case, quantity)
            if place.frame is not None:
                values = place.frame.fields_in({quantity: values}, case.operating_point)[quantity.name]
            columns.append(values - self._known(quantity, case, place))
        return np.concatenate([c.reshape(len(c), -1) for c in columns], axis=1)

    def scatter(self, columns: np.ndarray, case: Case, place: Located) -> dict[Quantity, np.ndarray]:
        """Inverse of :meth:`gather`; NaN where the place has no field."""
        found: dict[Quantity, np.ndarray] = {}
        start = 0
        columns = np.where(place.inside[:, None], np.nan, columns)
        for quantity in self.quantities:
            width = self.dimension**quantity.rank
            part = columns[:, start : start + width].reshape(len(columns), *(self.dimension,) * quantity.rank)
            found[quantity] = part + self._known(quantity, case, place)
            start += width
        if place.frame is None:
            return found
        values = place.frame.fields_out(found, case.operating_point)
        return {quantity: values[quantity.name] for quantity in self.quantities}

    def _known(self, quantity: Quantity, case: Case, place: Located) -> np.ndarray | float:
        """What is known before anything is learned: the free stream, and the field that the difference is taken from."""
        known = dict(self.beyond).get(quantity.name)
        if known is not None:
            item = case.field(known)
            values = _checked(case, item.quantity)
            if item.quantity.unit != quantity.unit or item.quantity.rank != quantity.rank:
                raise FieldError(
                    f"'{known}' [{item.quantity.unit}] cannot be taken from '{quantity.name}' [{quantity.unit}]",
                    where=case.name,
                    remedy="name a field of the same unit and rank",
                )
            return values if place.frame is None else place.frame.fields_in({item.quantity: values}, case.operating_point)[known]
        if quantity.unit != "m/s" or not quantity.rank or case.operating_point is None or place.frame is None:
            return 0.0
        return place.frame.vectors_in(case.operating_point.direction(self.dimension))


def fields_of(values: dict[Quantity, np.ndarray]) -> dict[str, Field]:
    """Values by quantity -> fields by name."""
    return {quantity.name: Field(quantity, value) for quantity, value in values.items()}


def channels_of(case: Case, names: Sequence[str], beyond: Sequence[tuple[str, str]] = ()) -> Channels:
    """Columns for the named fields, their quantities as in this case.

    Raises:
        PatchError: a field is missing.
    """
    return Channels(tuple(case.field(name).quantity for name in names), case.mesh.dimension, tuple(beyond))


def _checked(case: Case, quantity: Quantity) -> np.ndarray:
    item = case.field(quantity.name)
    if item.location != "point" or item.quantity.unit != quantity.unit or item.quantity.rank != quantity.rank:
        raise FieldError(
            f"'{item.name}' is [{item.quantity.unit}] of rank {item.quantity.rank} at {item.location}s, expected [{quantity.unit}] of rank "
            f"{quantity.rank} at points",
            where=case.name,
            remedy="bring all training cases to the same quantities at points",
        )
    if not np.isfinite(item.values).all():
        raise NonFiniteError(f"'{item.name}' has NaN or infinite values", where=case.name, remedy="leave the case out, or repair its file")
    return item.values
