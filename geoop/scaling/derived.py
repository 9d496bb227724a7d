"""Fields that follow from given ones by a formula: a network or a baseline asks for them by name, and no file has to hold them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..errors import ConfigurationError, NonFiniteError
from ..mesh.case import Case
from ..mesh.quantity import Field, Quantity
from .clouds import quadrature_weights
from .newton_potential import newton_potential

#: What the name of a Newton potential begins with: ``newton potential of source`` is that of the field ``source``.
POTENTIAL = "newton potential of "


def base(name: str) -> str:
    """The field of a case that a known function of this name is made from: its own, where nothing is derived."""
    return base(name.removeprefix(POTENTIAL)) if name.startswith(POTENTIAL) else name


def with_derived(case: Case, names: Iterable[str]) -> Case:
    """The case with those of the named fields that can be derived and that it does not have yet.

    Raises:
        ConfigurationError: the case has not the field from which one is derived, or not at points, or is no region with a measure.
        NonFiniteError: that field is not finite.
    """
    for name in names:
        if name.startswith(POTENTIAL) and name not in case.fields:
            case = with_derived(case, [name.removeprefix(POTENTIAL)])
            case = case.with_fields(_potential(case, name))
    return case


def _potential(case: Case, name: str) -> Field:
    """As :func:`newton_potential` of every component of a field at points."""
    source, mesh = name.removeprefix(POTENTIAL), case.mesh
    item = case.fields.get(source)
    if item is None or item.location != "point":
        points = sorted(key for key, field in case.fields.items() if field.location == "point")
        found = "no field" if item is None else f"a {item.location} field and no point field"
        raise ConfigurationError(f"{found} '{source}' to take '{name}' from", where=case.name, remedy=f"give '{POTENTIAL}' and one of {points}")
    if case.operating_point is not None:
        raise ConfigurationError(
            f"'{name}' in a flow", where=case.name, remedy="leave it out: how far the mesh goes would change it; it is meant for closed regions"
        )
    cloud = len(mesh.cells.where("vertex")) > 0
    if cloud and "quadrature_weight" not in case.fields:
        raise ConfigurationError(
            f"'{name}' needs the measure of every point",
            where=case.name,
            remedy=f"give the point field 'quadrature_weight' [m^{mesh.dimension}], or a mesh with cells",
        )
    if not cloud and mesh.cell_dimension != mesh.dimension:
        raise ConfigurationError(f"'{name}' on a surface", where=case.name, remedy="give a mesh that fills the region, or leave it out")
    if not np.isfinite(item.values).all():
        raise NonFiniteError(f"'{item.name}' is not finite", where=case.name, remedy="repair it: its potential needs all of its values")
    values = np.asarray(item.values, dtype=np.float64)
    potential = newton_potential(mesh.points, quadrature_weights(case), values.reshape(len(values), -1))
    return Field(Quantity(name, f"N({item.quantity.symbol})", _times_area(item.quantity.unit), item.quantity.rank), potential.reshape(values.shape))


def _times_area(unit: str) -> str:
    """The unit of a second integral: K/m^2 -> K, 1 -> m^2, W -> W m^2."""
    if unit.endswith("/m^2"):
        return unit.removesuffix("/m^2")
    return "m^2" if unit == "1" else f"{unit} m^2"
