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
from ..scaling.derived import with_derived
from .abstract_transfer import AbstractTransfer
from .channels import Channels, channels_of, fields_of
from .choosing import chosen, from_header, header_of
from .features import Features


@dataclass(frozen=True, eq=False)
class Fitted:
    """What every fitted baseline holds.

    Attributes:
        transfer: fields <-> vectors.
        channels: which fields.
        features: what is seen of a case.
        spread: (c,) what the columns of the vectors are divided by: 1 around bodies, where all are dimensionless.
        given: the fields that are known of every case; None without any.
        given_spread: (g,) what their columns are divided by.
    """

    transfer: AbstractTransfer
    channels: Channels
    features: Features
    spread: np.ndarray
    given: Channels | None
    given_spread: np.ndarray

    def given_row(self, case: Case, place: Any) -> np.ndarray | None:
        """The vector of the given fields of a case.

        Raises:
            PatchError: the case has not all of them.
        """
        if self.given is None:
            return None
        case = with_derived(case, [quantity.name for quantity in self.given.quantities])
        return (self.transfer.encode(place, self.given.gather(case, place)) / self.given_spread).reshape(-1)

    def row(self, case: Case, place: Any) -> np.ndarray:
        """(p,) features of a case."""
        return self.features.row(case, place, self.given_row(case, place))


class AbstractBaseline(ABC):
    """A classical predictor of fields in the plane that sees geometry, conditions and given fields, as a network does.

    It takes sections in a stream, outlines with values on them, regions of one connectivity or of several: see
    :func:`geoop.baselines.choosing.chosen`. A subclass states in three methods how a row of features becomes a vector; everything else is
    here. Instances are fitted once.

    Args:
        inputs: names of point fields that are known of every case, e.g. ``("source",)``; or derived ones, ``"newton potential of source"``.
        beyond: quantity -> known point field from which the difference is learned.
        transfer: how fields become vectors, ``body``, ``surface``, ``nodes`` or ``region``; None takes what suits the training cases.
        shapes: modes of the geometry that are seen at most; None takes the transfer's. Sections of many families need more than one family does: try
            it on validation cases.
    """

    def __init__(
        self,
        *,
        inputs: Sequence[str] = (),
        beyond: Mapping[str, str] | None = None,
        transfer: str | None = None,
        shapes: int | None = None,
    ) -> None:
        self._given = tuple(inputs)
        self._beyond = dict(beyond or {})
        self._kind = transfer
        self._shapes = shapes
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
            cases: cases with point fields.
            quantities: names of the fields to learn.

        Returns:
            self.

        Raises:
            DatasetError: fewer than two cases, or some with field points and some without. PatchError: a field is missing.
            InvalidMeshError: a body in 3-D, an open section, or several loops; regions in 3-D that differ in their cells.
            ConfigurationError: ``beyond`` names a quantity that is not learned.
        """
        if len(cases) < 2 or not quantities:
            raise DatasetError(
                f"{len(cases)} cases with {len(quantities)} quantities are too few to learn from",
                where=type(self).__name__,
                remedy="give the training split",
            )
        idle = sorted(set(self._beyond) - set(quantities))
        if idle:
            raise ConfigurationError(
                f"beyond names {idle}, which are not learned", where=type(self).__name__, remedy=f"name some of {list(quantities)}"
            )
        cases = [with_derived(case, self._given) for case in cases]
        channels = channels_of(cases[0], quantities, tuple(self._beyond.items()))
        given = channels_of(cases[0], self._given) if self._given else None
        transfer, places = chosen(cases, self._kind)
        columns = np.array([transfer.encode(place, channels.gather(case, place)) for case, place in zip(cases, places, strict=True)])
        spread = np.ones(channels.count) if transfer.kind in ("body", "surface") else _spread(columns)
        vectors = (columns / spread).reshape(len(cases), -1)
        known, given_spread = None, np.ones(0)
        if given is not None:
            known = np.array([transfer.encode(place, given.gather(case, place)) for case, place in zip(cases, places, strict=True)])
            given_spread = _spread(known)
            known = (known / given_spread).reshape(len(cases), -1)
        features = Features.fit(cases, places, known, most=self._shapes or transfer.most_shapes)
        fitted = Fitted(transfer, channels, features, spread, given, given_spread)
        own = [None] * len(cases) if known is None else known
        rows = np.array([features.row(case, place, vector) for case, place, vector in zip(cases, places, own, strict=True)])
        self._learn(fitted, cases, rows, vectors)
        self._fitted = fitted
        return self

    def predict(self, case: Case) -> dict[str, Field]:
        """Fields at the points of a case's mesh, NaN inside a section.

        Raises:
            ConfigurationError: not fitted yet. ConditionError: a condition that varied in training is not stated. PatchError: a given
            field is missing. InvalidMeshError: not a case of the kind of the training cases.
        """
        fitted = self._ready()
        place = fitted.transfer.place(case)
        vector = self._infer(fitted, case, fitted.row(case, place)).reshape(fitted.transfer.size, fitted.channels.count)
        return fields_of(fitted.channels.scatter(fitted.transfer.decode(place, vector * fitted.spread), case, place))

    def floor(self, case: Case) -> dict[str, Field]:
        """The true fields of a case, brought to a vector and back: their errors are the part of this baseline that no learning removes.

        Raises:
            PatchError: the case has not all of the fields.
        """
        fitted = self._ready()
        place = fitted.transfer.place(case)
        columns = fitted.transfer.there_and_back(place, fitted.channels.gather(case, place))
        return fields_of(fitted.channels.scatter(columns, case, place))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Everything for a checkpoint; ``header`` is JSON as bytes. :meth:`from_arrays` gives a predictor with bit-equal answers."""
        fitted = self._ready()
        header, arrays = self._state()
        header = {
            "class": type(self).__name__,
            "transfer": header_of(fitted.transfer),
            "channels": asdict(fitted.channels),
            "given": None if fitted.given is None else asdict(fitted.given),
            "conditions": list(fitted.features.names),
            "state": header,
        }
        own = {f"state.{key}": value for key, value in arrays.items()}
        seen = {f"features.{key}": value for key, value in fitted.features.arrays().items()}
        scales = {"spread": fitted.spread, "given_spread": fitted.given_spread}
        return {"header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8).copy(), **scales, **seen, **own}

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
            given = None if header["given"] is None else _channels(header["given"])
            found._fitted = Fitted(
                from_header(header["transfer"]),
                _channels(header["channels"]),
                Features.from_arrays(header["conditions"], part["features"]),
                np.asarray(arrays["spread"]),
                given,
                np.asarray(arrays["given_spread"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(f"the arrays are damaged: {error!r}", where=cls.__name__, remedy="fit again") from error
        return found

    def _ready(self) -> Fitted:
        if self._fitted is None:
            raise ConfigurationError(f"{type(self).__name__} has not been fitted", remedy="call fit(cases, quantities) first")
        return self._fitted


def _spread(columns: np.ndarray) -> np.ndarray:
    """(c,) deviation of every column of (n, size, c) numbers, 1 where there is none."""
    found = columns.std(axis=(0, 1))
    return np.where(found > 0, found, 1.0)


def _channels(data: Mapping[str, Any]) -> Channels:
    quantities = tuple(Quantity(**own) for own in data["quantities"])
    return Channels(quantities, int(data["dimension"]), tuple((str(name), str(known)) for name, known in data["beyond"]))
