"""Fields that follow from given ones by a formula: a network or a baseline asks for them by name, and no file has to hold them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..errors import ConfigurationError, NonFiniteError
from ..mesh.case import Case
from ..mesh.measure import point_weights
from ..mesh.quantity import Field, Quantity
from .newton_potential import newton_potential

#: What the name of a Newton potential begins with: ``potential source`` is that of the field ``source``.
POTENTIAL = "potential "


def base(name: str) -> str:
    """The field of a case that a known function of this name is made from: its own, where nothing is derived."""
    return name.removeprefix(POTENTIAL)


def with_derived(case: Case, names: Iterable[str]) -> Case:
    """The case with those of the named fields that can be derived and that it does not have yet.

    Raises:
        ConfigurationError: the case has not the field from which one is derived, or not at points.
        NonFiniteError: that field is not finite.
    """
    missing = [name for name in names if name.startswith(POTENTIAL) and name not in case.fields]
    return case.with_fields(*(_potential(case, name) for name in missing)) if missing else case


def quadrature_weights(case: Case) -> np.ndarray:
    """(n,) weights of the mesh's points [m^d]: of its cells, or of the field ``quadrature_weight`` where points have none; 1 without either."""
    mesh, given = case.mesh, case.fields.get("quadrature_weight")
    if not len(mesh.cells.where("vertex")):
        return point_weights(mesh)
    return np.ones(len(mesh.points)) if given is None else np.asarray(given.values, dtype=np.float64)


def _potential(case: Case, name: str) -> Field:
    """As :func:`newton_potential` of every component of a field at points."""
    item = case.fields.get(base(name))
    if item is None or item.location != "point":
        points = sorted(key for key, field in case.fields.items() if field.location == "point")
        raise ConfigurationError(
            f"no point field '{base(name)}' to take '{name}' from", where=case.name, remedy=f"give '{POTENTIAL}' and one of {points}"
        )
    if not np.isfinite(item.values).all():
        raise NonFiniteError(f"'{item.name}' is not finite", where=case.name, remedy="repair it: its potential needs all of its values")
    values = np.asarray(item.values, dtype=np.float64)
    found = newton_potential(case.mesh.points, quadrature_weights(case), values.reshape(len(values), -1))
    unit = "m^2" if item.quantity.unit == "1" else f"{item.quantity.unit} m^2"
    return Field(Quantity(name, f"N({item.quantity.symbol})", unit, item.quantity.rank), found.reshape(values.shape))
