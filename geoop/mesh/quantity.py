"""Physical quantities and fields that know their unit and where they live."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import FieldError

Location = Literal["point", "cell", "facet", "global"]
#: The unit of an array whose name has none and that geoop does not know by name.
UNKNOWN_UNIT = "?"


@dataclass(frozen=True)
class Quantity:
    """A physical quantity.

    Attributes:
        name: the field's word, snake case, e.g. ``pressure_coefficient``.
        symbol: as printed in plots, e.g. ``Cp``.
        unit: SI unit, ``1`` for dimensionless.
        rank: tensor rank: 0 scalar, 1 vector, 2 tensor.
    """

    name: str
    symbol: str
    unit: str = "1"
    rank: int = 0

    @property
    def is_velocity(self) -> bool:
        """Whether a free stream is subtracted from it: a vector in m/s."""
        return self.rank == 1 and self.unit == "m/s"

    @property
    def label(self) -> str:
        """Array name as ParaView users read it: ``pressure [Pa]``, ``pressure_coefficient [1]``.

        Of a file's own array whose unit is not known, ``?``, it is the name as it came; a name that geoop knows keeps the question mark.
        """
        own = re.sub(r"[\s-]+", "_", self.name.strip().lower()) not in QUANTITIES and parse_label(self.name)[1] is None
        return self.name if self.unit == "?" and own else f"{self.name} [{self.unit}]"


#: The quantities that geoop knows by name; a user's own is just another ``Quantity``.
QUANTITIES: dict[str, Quantity] = {
    q.name: q
    for q in (
        Quantity("velocity", "u", "m/s", 1),
        Quantity("pressure", "p", "Pa"),
        Quantity("pressure_coefficient", "Cp"),
        Quantity("wall_shear_stress", "tau_w", "Pa", 1),
        Quantity("skin_friction_coefficient", "Cf", "1", 1),
        Quantity("temperature", "T", "K"),
        Quantity("density", "rho", "kg/m^3"),
        Quantity("signed_distance", "d", "m"),
        Quantity("mach_number", "M"),
        Quantity("vorticity", "omega", "1/s", 1),
        Quantity("kinematic_pressure", "p/rho", "m^2/s^2"),
        Quantity("kinematic_wall_shear_stress", "tau_w/rho", "m^2/s^2", 1),
        Quantity("turbulent_viscosity", "nu_t", "m^2/s"),
        Quantity("modified_turbulent_viscosity", "nu~", "m^2/s"),
        Quantity("turbulent_kinetic_energy", "k", "m^2/s^2"),
        Quantity("turbulent_dissipation_rate", "epsilon", "m^2/s^3"),
        Quantity("specific_dissipation_rate", "omega_t", "1/s"),
        Quantity("displacement", "d", "m", 1),
        Quantity("stress", "sigma", "Pa", 2),
        Quantity("von_mises_stress", "sigma_vM", "Pa"),
        Quantity("drag_coefficient", "CD"),
        Quantity("lift_coefficient", "CL"),
        Quantity("moment_coefficient", "CM"),
    )
}


def parse_label(label: str) -> tuple[str, str | None]:
    """Split an array name ``pressure [Pa]`` into name and unit; the unit is None where the label has none."""
    head, bracket, tail = label.rpartition(" [")
    return (head, tail[:-1]) if bracket and tail.endswith("]") else (label, None)


@dataclass(frozen=True, eq=False)
class Field:
    """Values of a quantity at one kind of location.

    Attributes:
        quantity: what it is.
        values: (n,) for scalars, (n, d) for vectors, (n, d, d) for tensors; without n when ``location`` is ``global``.
        location: ``point``, ``cell``, ``facet`` or ``global``.
    """

    quantity: Quantity
    values: np.ndarray
    location: Location = "point"

    def __post_init__(self) -> None:
        values = np.array(self.values, copy=True)
        axes = self.quantity.rank + (self.location != "global")
        if values.ndim != axes:
            raise FieldError(
                f"'{self.quantity.name}' at {self.location}s has shape {values.shape}, a rank-{self.quantity.rank} quantity there has {axes} axes",
                remedy="pass (n,) for scalars and (n, d) for vectors, or give the quantity its true rank",
            )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @property
    def name(self) -> str:
        return self.quantity.name

    def __repr__(self) -> str:
        """One line: a field has as many values as its mesh has points."""
        shape = " x ".join(map(str, self.values.shape)) or "one value"
        number = np.issubdtype(self.values.dtype, np.number) and bool(np.isfinite(self.values).any())
        low_high = f", {np.nanmin(self.values):.6g} to {np.nanmax(self.values):.6g}" if number else ""
        return f"Field('{self.quantity.label}', {shape} at {self.location}{low_high})"

    def _with(self, other: Field | float, operation) -> Field:
        if isinstance(other, Field):
            if other.location != self.location:
                raise FieldError(
                    f"'{self.name}' lives at {self.location}s, '{other.name}' at {other.location}s",
                    remedy="bring both to one location first",
                )
            if other.quantity.unit != self.quantity.unit:
                raise FieldError(f"units {self.quantity.unit} and {other.quantity.unit} do not add", remedy="convert one of them")
            if other.values.shape != self.values.shape:
                raise FieldError(f"shapes {self.values.shape} and {other.values.shape} do not fit", remedy="use fields of one mesh")
            other = other.values
        return Field(self.quantity, operation(self.values, other), self.location)

    def __add__(self, other: Field | float) -> Field:
        return self._with(other, np.add)

    def __sub__(self, other: Field | float) -> Field:
        return self._with(other, np.subtract)
