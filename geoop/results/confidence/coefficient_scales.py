"""Errors of coefficients are known per chord; a case may refer its coefficients to another length."""

from __future__ import annotations

from ...errors import GeoopError
from ...mesh.body import body
from ...mesh.case import Case
from ...mesh.chord import chord_line


def coefficient_scales(case: Case) -> dict[str, float]:
    """Coefficient -> what one with the chord as reference length is with that of the case: c/L of forces, (c/L)^2 of the moment; empty in space,
    where the case states no length, or where the section has no chord."""
    point = case.operating_point
    if point is None or point.reference_length is None or case.mesh.dimension != 2:
        return {}
    try:
        ratio = chord_line(body(case.mesh, case.wall)).length / point.reference_length
    except GeoopError:
        return {}
    return {"CL": ratio, "CD": ratio, "CM": ratio**2}
