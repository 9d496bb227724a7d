"""Fields of a case in SI units, from whatever units their file states."""

from __future__ import annotations

from dataclasses import replace

from ..mesh.case import Case
from ..mesh.quantity import Field
from .collecting.si_units import known_unit


def in_si(case: Case) -> Case:
    """The case with every field whose unit is known in its SI unit: kPa in Pa, km/h in m/s. Units that are not stated or not known stay.

    The notes of the mesh say what was converted.
    """
    made, notes = [], []
    for item in case.fields.values():
        scale = known_unit(item.quantity.unit)
        if scale is not None and (scale.factor != 1.0 or scale.offset):
            made.append(Field(replace(item.quantity, unit=scale.si), scale(item.values), item.location))  # type: ignore[arg-type]
            notes.append(f"{item.name}: {item.quantity.unit} taken to {scale.si}")
    if not made:
        return case
    return replace(case, mesh=replace(case.mesh, notes=(*case.mesh.notes, *notes))).with_fields(*made)
