"""Fields of files in the units that their makers wrote: converted where the unit is known, refused where it is not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import UnitError
from ..mesh.case import Case
from ..mesh.quantity import UNKNOWN_UNIT, Field
from ..mesh.si_units import Scale, known_unit

#: Quantity -> SI units that it may have.
_UNITS: dict[str, tuple[str, ...]] = {
    "pressure": ("Pa", "m^2/s^2"),
    "kinematic_pressure": ("m^2/s^2",),
    "pressure_coefficient": ("1",),
    "wall_shear_stress": ("Pa", "m^2/s^2"),
    "skin_friction_coefficient": ("1",),
    "velocity": ("m/s",),
    "density": ("kg/m^3",),
}
#: What people write instead of these.
_EXAMPLES = {"Pa": "Pa, kPa, bar, psi", "m^2/s^2": "m^2/s^2", "1": "1, %", "m/s": "m/s, km/h, ft/s, kn", "kg/m^3": "kg/m^3, g/cm^3"}


def si_scale(item: Field, where: str) -> Scale | None:
    """From the unit of a pressure, friction, velocity or density to its SI unit; None where the file states none, ``?``,
    or that of a run without dimensions, 1.

    Raises:
        UnitError: the unit is not known, or not one of this quantity.
    """
    unit = item.quantity.unit
    expected, found = _UNITS[item.name], known_unit(unit)
    if unit == UNKNOWN_UNIT or (unit == "1" and "1" not in expected):
        return None
    if found is None or found.si not in expected:
        what = "which is not known" if found is None else f"which is {found.si} in SI units"
        raise UnitError(
            f"'{item.name}' is in '{unit}', {what}: it must be one of {', '.join(expected)}",
            where=where,
            remedy=f"name the array with a unit that it can have ({'; '.join(_EXAMPLES[one] for one in expected)}), such as '{item.name} [{expected[0]}]', "
            f"or say it on the command line: --map {item.name}={item.name}:{expected[0]}",
        )
    return found


def in_si(item: Field, where: str) -> np.ndarray:
    """The values of a pressure, friction, velocity or density in its SI unit; as they are where the file states none.

    Raises:
        UnitError: the unit is not known, or not one of this quantity.
    """
    scale = si_scale(item, where)
    return item.values if scale is None else np.asarray(scale(item.values))


def pressure_of(case: Case) -> Field | None:
    """The pressure of a case, static or kinematic; None where it has none of these names."""
    return case.fields.get("pressure", case.fields.get("kinematic_pressure"))


def rename_remedy(fields: Mapping[str, Field]) -> str:
    """What to do where no array has the name that is looked for."""
    names = sorted(f"{item.name} [{item.quantity.unit}]" for item in fields.values())
    return f"say which array holds it, --map NAME=pressure:Pa, or rename the field: there is {names or 'none'}"
