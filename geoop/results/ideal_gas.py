"""The pressure of compressible flows whose solver wrote density, momentum and energy alone."""

from __future__ import annotations

import numpy as np

from ..errors import ConditionError, FieldError
from ..mesh.case import Case
from ..mesh.quantity import Field, Quantity
from .si_fields import in_si

#: What solvers call the total energy per volume: SU2, PLOT3D, CGNS.
ENERGIES = ("Energy", "stagnation_energy", "EnergyStagnationDensity", "total_energy_density", "rhoE")


def with_gas_pressure(case: Case, gamma: float) -> Case:
    """The case with the static pressure of an ideal gas, p = (gamma - 1) (rho E - |rho u|^2 / (2 rho)), where it has none.

    A turbulent kinetic energy that the solver counts in rho E is not taken off.

    Args:
        case: with ``density``, ``momentum`` or ``velocity``, and the total energy per volume under one of the names :data:`ENERGIES`.
        gamma: ratio of specific heats, 1.4 for air [1].

    Returns:
        the case with ``pressure``, in Pa where the energy is in J/m^3 or Pa, else in the energy's own unit (that of the run); a case
        with a pressure stays as it is.

    Raises:
        ConditionError: gamma is not above 1.
        FieldError: a field is missing, or the pressure would not be positive. UnitError: density or velocity in a unit that is not known.
    """
    if not 1.0 < gamma < np.inf:
        raise ConditionError(f"gamma is {gamma}", where="ideal gas", remedy="give the ratio of specific heats, 1.4 for air")
    if "pressure" in case.fields:
        return case
    there = {_key(name): item for name, item in case.fields.items()}
    energy = next((there[_key(name)] for name in ENERGIES if _key(name) in there), None)
    flow, density = there.get("momentum", there.get("velocity")), there.get("density")
    if energy is None or flow is None or density is None:
        raise FieldError(
            f"a pressure follows from density, momentum and the energy per volume; there is {sorted(case.fields) or 'none'}",
            where=case.name,
            remedy=f"name them density, momentum (or velocity) and one of {', '.join(ENERGIES)}, or write the pressure from the solver",
        )
    places = {item.location for item in (energy, flow, density)}
    if len(places) > 1:
        raise FieldError(f"density, momentum and energy live at {sorted(places)}", where=case.name, remedy="write all of them at points, or in cells")
    speed = in_si(flow, case.name) if flow.name == "velocity" else flow.values
    square = (np.asarray(speed, dtype=np.float64).reshape(len(density.values), -1) ** 2).sum(axis=1)
    rho = in_si(density, case.name)
    with np.errstate(all="ignore"):
        kinetic = 0.5 * (square / rho if _key(flow.name) == "momentum" else square * rho)
        pressure = (gamma - 1.0) * (energy.values - kinetic)
    if not (pressure > 0).all():
        worst = int(np.nan_to_num(pressure, nan=-np.inf).argmin())
        raise FieldError(
            f"the pressure would be {pressure[worst]:.4g} at {density.location} {worst}, where {energy.name} is {energy.values[worst]:.4g}",
            where=case.name,
            remedy=f"{energy.name} must be the total energy per volume, in units that fit density and momentum",
        )
    unit = "Pa" if energy.quantity.unit in ("Pa", "J/m^3", "N/m^2") else energy.quantity.unit
    return case.with_fields(Field(Quantity("pressure", "p", unit), pressure, energy.location))


def _key(name: str) -> str:
    return name.replace("_", "").lower()
