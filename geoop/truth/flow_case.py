"""A solved case: velocity and pressure coefficient of an incompressible flow at all points of a case's mesh."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import ConditionError, InvalidMeshError
from ..mesh.case import Case
from ..mesh.operating_point import OperatingPoint
from ..mesh.quantity import QUANTITIES, Field


def check_plane_incompressible(operating_point: OperatingPoint) -> None:
    """Refuse conditions that a plane incompressible flow does not have.

    Raises:
        ConditionError: sideslip or a Mach number is stated.
    """
    problems = []
    if operating_point.beta:
        problems.append(f"beta is {operating_point.beta} degrees in a plane flow")
    if operating_point.mach:
        problems.append(f"mach is {operating_point.mach}, but the flow is incompressible")
    if problems:
        raise ConditionError("; ".join(problems), where="OperatingPoint", remedy="leave beta and mach out")


def flow_case(case: Case, operating_point: OperatingPoint, velocity: np.ndarray) -> Case:
    """The case at this operating point with the fields velocity and pressure_coefficient = 1 - |u|^2/U^2.

    Args:
        case: its mesh has n points.
        operating_point: condition that the velocity belongs to.
        velocity: (n, 2) [m/s]; NaN marks points inside the body.

    Raises:
        InvalidMeshError: there are points inside the body.
    """
    inside = int((~np.isfinite(velocity).all(axis=1)).sum())
    if inside:
        raise InvalidMeshError(
            f"{inside} of {len(velocity)} points lie inside the body, where there is no flow",
            where=case.name,
            remedy="keep only points with geoop.mesh.signed_distance >= 0 from the body",
        )
    pressure = 1.0 - (velocity**2).sum(axis=1) / operating_point.velocity**2
    fields = Field(QUANTITIES["velocity"], velocity), Field(QUANTITIES["pressure_coefficient"], pressure)
    return replace(case, operating_point=operating_point).with_fields(*fields)
