"""Known functions that a model is given: a source, its potential, a coefficient, boundary values, an inviscid solution, a number of the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from ..errors import CheckpointError, ConfigurationError, DatasetError, NonFiniteError
from ..graph.pointset import BOUNDARY
from ..mesh.case import Case
from ..mesh.quantity import Quantity
from ..mesh.si_units import in_unit
from .body_frame import SCALES, BodyFrame
from .derived import base, with_derived
from .normaliser import Normaliser
from .region_frame import RegionFrame

#: What the name of an input function begins with that is the state before a step in time: ``previous_solution`` is that of ``solution``.
PREVIOUS = "previous_"


@dataclass(frozen=True)
class InputFunction:
    """A named function and how it is standardised.

    Attributes:
        name: of a field of the cases at points or of the whole case, ``boundary QUANTITY`` for the values that patches impose, or ``newton
            potential of FIELD``, see :func:`~geoop.scaling.newton_potential.newton_potential`.
        channels: numbers per point; a vector's components count one each.
        mean, deviation: over the training cases, of what :func:`seen` returns.
        optional: boundary values that some training cases did not impose anywhere, such as a flux where no side is free.
        averaged: the points of a cloud know its mean over what they stand for, see :meth:`geoop.scaling.clouds.Cloud.means`, not its value there.
        unit: of the training cases; empty in checkpoints of older versions, which take values as they come.
    """

    name: str
    channels: int
    mean: float
    deviation: float
    optional: bool = False
    averaged: bool = False
    unit: str = ""

    @classmethod
    def fit(cls, name: str, cases: Sequence[Case], frames: Sequence[BodyFrame | RegionFrame]) -> Self:
        """Look at the training cases in their frames.

        Raises:
            ConfigurationError: a case does not have it; says which names can be given.
            DatasetError: values that are not finite, or of several ranks.
        """
        having = [k for k, case in enumerate(cases) if not name.startswith(BOUNDARY) or imposes(name, case)] or [0]
        values = [seen(name, cases[k], frames[k])[1] for k in having]
        bad = [cases[k].name for k, rows in zip(having, values, strict=True) if not np.isfinite(rows).all()]
        if bad:
            raise DatasetError(f"'{name}' is not finite in {bad[:3]}", where="inputs", remedy="leave these cases out, or repair their files")
        if len({rows.shape[1] for rows in values}) > 1:
            raise DatasetError(f"'{name}' is a scalar in some cases and a vector in others", where="inputs", remedy="call them by two names")
        means, squares = [rows.mean() for rows in values], [(rows**2).mean() for rows in values]
        mean = float(np.mean(means))
        deviation = float(np.sqrt(max(np.mean(squares) - mean**2, 0.0)))
        least = 1e-12 * max(1e-300, float(np.sqrt(np.mean(squares))))
        unit = _found(name, cases[having[0]])[2].unit
        return cls(
            name, values[0].shape[1], mean, deviation if deviation > least else 1.0, len(having) < len(cases), not name.startswith(BOUNDARY), unit
        )

    def beside(self, normaliser: Normaliser) -> Self:
        """The same function for a boundary-value problem: superposition must survive its standardisation.

        Boundary values of what is predicted, and its state before a step in time (:data:`PREVIOUS`), are moved and scaled as the predictions are, so that a
        constant stays the same constant. Anything else (a source, a flux, a coefficient) keeps its zero and its sign: it is divided by its root mean square.
        """
        learned = {prefix + q.name: k for k, q in enumerate(normaliser.quantities) for prefix in (BOUNDARY, PREVIOUS)}
        if self.name in learned:
            return replace(self, mean=normaliser.mean[learned[self.name]], deviation=normaliser.deviation[learned[self.name]])
        return replace(self, mean=0.0, deviation=float(np.hypot(self.mean, self.deviation)))

    def of(self, case: Case, frame: BodyFrame | RegionFrame) -> tuple[np.ndarray, np.ndarray]:
        """(k,) numbers of mesh points and (k, channels) standardised values there; k is 0 where optional boundary values are not imposed.

        Raises:
            ConfigurationError: the case does not have it, or has a vector where a scalar was trained on.
            NonFiniteError: values that are not finite.
            UnitError: values in a unit of another kind than the training's.
        """
        if self.optional and not imposes(self.name, case):
            return np.zeros(0, dtype=np.int64), np.zeros((0, self.channels))
        try:
            number, values = seen(self.name, case, frame, self.unit)
        except ConfigurationError as error:
            where = "boundary values" if self.name.startswith(BOUNDARY) else "a point field"
            raise ConfigurationError(
                f"the model is given '{self.name}', and the case does not have it" if error.message.startswith("no function") else error.message,
                where=case.name,
                remedy=f"pass a case, or a file of one, with {where} '{base(self.name.removeprefix(BOUNDARY))}'",
            ) from error
        if values.shape[1] != self.channels:
            raise ConfigurationError(
                f"'{self.name}' has {values.shape[1]} numbers per point, the model was trained on {self.channels}",
                where=case.name,
                remedy="give the function that the training cases had under this name",
            )
        if not np.isfinite(values).all():
            raise NonFiniteError(f"'{self.name}' is not finite", where=case.name, remedy="repair it: the model is given all of its values")
        return number, self.standardised(values)

    def described(self, case: Case, frame: BodyFrame | RegionFrame) -> dict[str, float]:
        """Mean and root mean square over the points where the function is known, for the verdict; 0 for values that are imposed nowhere."""
        values = np.zeros((1, 1)) if self.optional and not imposes(self.name, case) else seen(self.name, case, frame, self.unit)[1]
        return {f"mean_{self.name}": float(values.mean()), f"size_{self.name}": float(np.sqrt((values**2).mean()))}

    def standardised(self, values: np.ndarray) -> np.ndarray:
        """(n, channels) of mean 0 and deviation 1 over the training cases."""
        return (values - self.mean) / self.deviation

    def to_dict(self) -> dict[str, Any]:
        """JSON data for the checkpoint header."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`.

        Raises:
            CheckpointError: the header is damaged.
        """
        try:
            numbers = int(data["channels"]), float(data["mean"]), float(data["deviation"])
            return cls(str(data["name"]), *numbers, bool(data["optional"]), bool(data.get("averaged", False)), str(data.get("unit", "")))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"an input function in the header is damaged: {error!r}", remedy="train again") from error


def seen(name: str, case: Case, frame: BodyFrame | RegionFrame, unit: str = "") -> tuple[np.ndarray, np.ndarray]:
    """As :func:`known`, in a unit if one is named, vectors in the axes of the frame, and in flows without dimension where speed, density and length can
    take it away.

    A prediction then depends as little on the unit of the mesh, the speed and the turn of a body as without input functions.
    """
    number, values, quantity = _found(name, case, unit)
    if quantity.rank == 1:
        values = frame.vectors_in(values)
    point = case.operating_point
    return number, values / frame.scale(quantity, point) if point is not None and quantity.unit in SCALES else values


def known(name: str, case: Case, unit: str = "") -> tuple[np.ndarray, np.ndarray]:
    """(k,) numbers of the mesh points where a function is known, ascending, and its values (k, channels), in its own unit unless another is named.

    A number of the whole case, such as a diffusivity, is a constant function.

    Raises:
        ConfigurationError: the case does not have it; says which names can be given.
        UnitError: it is in a unit of another kind.
    """
    return _found(name, case, unit)[:2]


def imposes(name: str, case: Case) -> bool:
    """Whether any patch of the case imposes the boundary values of that name."""
    return any(name.removeprefix(BOUNDARY) in imposed for imposed in case.boundary.values())


def _found(name: str, case: Case, unit: str = "") -> tuple[np.ndarray, np.ndarray, Quantity]:
    number, values, quantity = _imposed(name.removeprefix(BOUNDARY), name, case) if name.startswith(BOUNDARY) else _at_points(name, case)
    if not unit:
        return number, values, quantity
    return number, in_unit(values, quantity.unit, unit, name, case.name), replace(quantity, unit=unit)


def _at_points(name: str, case: Case) -> tuple[np.ndarray, np.ndarray, Quantity]:
    item = with_derived(case, [name]).fields.get(name)
    if item is None or item.location not in ("point", "global"):
        raise _unknown(name, case)
    n, values = len(case.mesh.points), np.asarray(item.values, dtype=np.float64)
    rows = values.reshape(n, -1) if item.location == "point" else np.broadcast_to(values.reshape(1, -1), (n, values.size))
    return np.arange(n), rows, item.quantity


def _imposed(quantity: str, name: str, case: Case) -> tuple[np.ndarray, np.ndarray, Quantity]:
    """Boundary values patch by patch; a point of two patches has the later one's, in order of the patches."""
    values: dict[int, np.ndarray] = {}
    kind: Quantity | None = None
    for patch, imposed in case.boundary.items():
        if quantity not in imposed:
            continue
        numbers, item = np.unique(case.mesh.patches[patch].connectivity), imposed[quantity]
        rows, kind = np.asarray(item.values, dtype=np.float64), item.quantity
        if item.location == "global":
            rows = np.broadcast_to(rows, (len(numbers), *rows.shape))
        elif len(rows) != len(numbers):
            raise ConfigurationError(
                f"'{quantity}' on '{patch}' has {len(rows)} values for {len(numbers)} points", where=case.name, remedy="impose one value per point"
            )
        values |= dict(zip(numbers.tolist(), rows.reshape(len(numbers), -1), strict=True))
    if kind is None:
        raise _unknown(name, case)
    numbers = np.array(sorted(values))
    return numbers, np.stack([values[int(k)] for k in numbers]), kind


def _unknown(name: str, case: Case) -> ConfigurationError:
    fields = [key for key, item in case.fields.items() if item.location in ("point", "global")]
    imposed = [BOUNDARY + key for values in case.boundary.values() for key in values]
    return ConfigurationError(f"no function '{name}'", where=case.name, remedy=f"give some of {sorted({*fields, *imposed})}")
