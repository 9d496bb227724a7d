"""What all baselines share: fields are brought to one vector per case, learned there, and brought back to the points asked for."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from ..errors import CheckpointError, ConfigurationError, DatasetError
from ..mesh.case import Case
from ..mesh.quantity import Field, Quantity
from .features import Features
from .transfer import Channels, Place, Transfer, there_and_back


@dataclass(frozen=True, eq=False)
class Fitted:
    """What every fitted baseline holds.

    Attributes:
        transfer: fields <-> vectors.
        channels: which fields.
        features: what is seen of a case.
    """

    transfer: Transfer
    channels: Channels
    features: Features


class AbstractBaseline(ABC):
    """A classical predictor of fields around plane sections that sees the coordinates and the conditions, as a network does.

    A subclass states in three methods how a row of features becomes a vector; everything else is here. Instances are fitted once.
    """

    def __init__(self) -> None:
        self._fitted: Fitted | None = None

    # ---- what a subclass states -----------------------------------------------------------------------------------

    @abstractmethod
    def _learn(self, fitted: Fitted, cases: Sequence[Case], rows: np.ndarray, vectors: np.ndarray) -> None:
        """Learn from features (n, p) and vectors (n, m) of the training cases."""

    @abstractmethod
    def _infer(self, fitted: Fitted, case: Case, row: np.ndarray) -> np.ndarray:
        """Vector (m,) for the features (p,) of a case."""

    @abstractmethod
    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON data and arrays from which :meth:`_restore` makes the same predictor."""

    @abstractmethod
    def _restore(self, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Inverse of :meth:`_state`."""

    # ---- what users call ------------------------------------------------------------------------------------------

    def fit(self, cases: Sequence[Case], quantities: Sequence[str]) -> Self:
        """Learn the fields of training cases.

        Args:
            cases: plane sections with point fields, on the wall, around it, or both.
            quantities: names of the fields to learn.

        Returns:
            self.

        Raises:
            DatasetError: fewer than two cases, or some with field points and some without. PatchError: a field is missing.
            InvalidMeshError: 3-D, an open section, or several loops.
        """
        if len(cases) < 2 or not quantities:
            raise DatasetError(
                f"{len(cases)} cases with {len(quantities)} quantities are too few to learn from",
                where=type(self).__name__,
                remedy="give the training split",
            )
        channels = Channels(tuple(cases[0].field(name).quantity for name in quantities))
        places = [Place.of(case) for case in cases]
        transfer = _transfer(places)
        vectors = np.array([transfer.encode(place, channels.gather(case, place)).reshape(-1) for case, place in zip(cases, places, strict=True)])
        features = Features.fit(cases, places)
        rows = np.array([features.row(case, place) for case, place in zip(cases, places, strict=True)])
        fitted = Fitted(transfer, channels, features)
        self._learn(fitted, cases, rows, vectors)
        self._fitted = fitted
        return self

    def predict(self, case: Case) -> dict[str, Field]:
        """Fields at the points of a case's mesh, NaN inside the section.

        Raises:
            ConfigurationError: not fitted yet. ConditionError: a condition that varied in training is not stated.
            InvalidMeshError: not one closed section in the plane.
        """
        fitted = self._ready()
        place = Place.of(case)
        vector = self._infer(fitted, case, fitted.features.row(case, place)).reshape(fitted.transfer.size, fitted.channels.count)
        values = fitted.channels.scatter(fitted.transfer.decode(place, vector), case, place)
        return {quantity.name: Field(quantity, value) for quantity, value in values.items()}

    def floor(self, case: Case) -> dict[str, Field]:
        """The true fields of a case, brought to a vector and back: their errors are the part of this baseline that no learning removes.

        Raises:
            PatchError: the case has not all of the fields.
        """
        fitted = self._ready()
        place = Place.of(case)
        columns = there_and_back(fitted.transfer, place, fitted.channels.gather(case, place))
        return {quantity.name: Field(quantity, value) for quantity, value in fitted.channels.scatter(columns, case, place).items()}

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Everything for a checkpoint; ``header`` is JSON as bytes. :meth:`from_arrays` gives a predictor with bit-equal answers."""
        fitted = self._ready()
        header, arrays = self._state()
        header = {
            "class": type(self).__name__,
            "transfer": asdict(fitted.transfer),
            "quantities": [asdict(q) for q in fitted.channels.quantities],
            "conditions": list(fitted.features.names),
            "state": header,
        }
        own = {f"state.{key}": value for key, value in arrays.items()}
        seen = {f"features.{key}": value for key, value in fitted.features.arrays().items()}
        return {"header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8).copy(), **seen, **own}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """A fitted baseline from :meth:`to_arrays`.

        Raises:
            CheckpointError: arrays of another class, or damaged.
        """
        try:
            header = json.loads(np.asarray(arrays["header"]).astype(np.uint8).tobytes().decode())
            if header["class"] != cls.__name__:
                raise CheckpointError(f"these are arrays of {header['class']}", where=cls.__name__, remedy=f"use {header['class']}.from_arrays")
            part = {name: {k[len(name) + 1 :]: v for k, v in arrays.items() if k.startswith(name + ".")} for name in ("features", "state")}
            found = cls()
            found._restore(header["state"], part["state"])
            channels = Channels(tuple(Quantity(**q) for q in header["quantities"]))
            found._fitted = Fitted(Transfer(**header["transfer"]), channels, Features.from_arrays(header["conditions"], part["features"]))
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(f"the arrays are damaged: {error!r}", where=cls.__name__, remedy="fit again") from error
        return found

    def _ready(self) -> Fitted:
        if self._fitted is None:
            raise ConfigurationError(f"{type(self).__name__} has not been fitted", remedy="call fit(cases, quantities) first")
        return self._fitted


def _transfer(places: Sequence[Place]) -> Transfer:
    """The transfer that fits what the training cases have: points off the wall, on it, or both."""
    away = [place.d[~place.on_wall & ~place.inside] for place in places]
    has_field, has_wall = [len(d) > 0 for d in away], [bool(place.on_wall.any()) for place in places]
    for name, has in (("off the wall", has_field), ("on the wall", has_wall)):
        if any(has) and not all(has):
            raise DatasetError(
                f"{sum(has)} of {len(has)} training cases have points {name}", where="baselines", remedy="train on cases that are sampled alike"
            )
    return Transfer(max((float(d.max()) for d in away if len(d)), default=1.0), has_field=all(has_field), has_wall=all(has_wall))
