"""Known functions that a model is given: a source, a coefficient, boundary values, an inviscid solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from ..errors import CheckpointError, ConfigurationError, DatasetError
from ..mesh.case import Case

#: What the name of boundary values begins with: ``boundary solution`` is whatever patches impose on ``solution``.
BOUNDARY = "boundary "


@dataclass(frozen=True)
class InputFunction:
    """A named function and how it is standardised.

    Attributes:
        name: of a point field of the cases, or ``boundary QUANTITY`` for the values that patches impose.
        channels: numbers per point; a vector's components count one each.
        mean, deviation: over the training cases.
    """

    name: str
    channels: int
    mean: float
    deviation: float

    @classmethod
    def fit(cls, name: str, cases: Sequence[Case]) -> Self:
        """Look at the training cases.

        Raises:
            ConfigurationError: a case does not have it; says which names can be given.
            DatasetError: values that are not finite.
        """
        values = [known(name, case)[1] for case in cases]
        bad = [case.name for case, rows in zip(cases, values, strict=True) if not np.isfinite(rows).all()]
        if bad:
            raise DatasetError(f"'{name}' is not finite in {bad[:3]}", where="inputs", remedy="leave these cases out, or repair their files")
        means, squares = [rows.mean() for rows in values], [(rows**2).mean() for rows in values]
        mean = float(np.mean(means))
        deviation = float(np.sqrt(max(np.mean(squares) - mean**2, 0.0)))
        return cls(name, values[0].shape[1], mean, deviation if deviation > 1e-12 * max(1.0, abs(mean)) else 1.0)

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
            return cls(str(data["name"]), int(data["channels"]), float(data["mean"]), float(data["deviation"]))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"an input function in the header is damaged: {error!r}", remedy="train again") from error


def known(name: str, case: Case) -> tuple[np.ndarray, np.ndarray]:
    """(k,) numbers of the mesh points where a function is known, ascending, and its values (k, channels).

    Raises:
        ConfigurationError: the case does not have it; says which names can be given.
    """
    if name.startswith(BOUNDARY):
        return _imposed(name.removeprefix(BOUNDARY), name, case)
    item = case.fields.get(name)
    if item is None or item.location != "point":
        raise _unknown(name, case)
    return np.arange(len(item.values)), np.asarray(item.values, dtype=np.float64).reshape(len(item.values), -1)


def _imposed(quantity: str, name: str, case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Boundary values patch by patch; a point of two patches has the later one's, in order of the patches."""
    values: dict[int, np.ndarray] = {}
    for patch, imposed in case.boundary.items():
        if quantity not in imposed:
            continue
        numbers, item = np.unique(case.mesh.patches[patch].connectivity), imposed[quantity]
        rows = np.asarray(item.values, dtype=np.float64)
        if item.location == "global":
            rows = np.broadcast_to(rows, (len(numbers), *rows.shape))
        elif len(rows) != len(numbers):
            raise ConfigurationError(
                f"'{quantity}' on '{patch}' has {len(rows)} values for {len(numbers)} points", where=case.name, remedy="impose one value per point"
            )
        values |= dict(zip(numbers.tolist(), rows.reshape(len(numbers), -1), strict=True))
    if not values:
        raise _unknown(name, case)
    numbers = np.array(sorted(values))
    return numbers, np.stack([values[int(k)] for k in numbers])


def _unknown(name: str, case: Case) -> ConfigurationError:
    fields = [key for key, item in case.fields.items() if item.location == "point"]
    imposed = [BOUNDARY + key for values in case.boundary.values() for key in values]
    return ConfigurationError(f"no function '{name}'", where=case.name, remedy=f"give some of {sorted({*fields, *imposed})}")
