"""Friction of a laminar flow from the velocity near the wall, for results that predict no wall shear stress."""

from __future__ import annotations

import numpy as np

from ..errors import ConditionError, FieldError
from ..interfaces.result import Result
from .wall import Wall

#: Distance of the nearer of the two velocities from the wall, as a share of the thickness L / sqrt(Re) of a laminar boundary layer.
DISTANCE = 0.05


def friction_from_velocity(result: Result, wall: Wall, length: float) -> tuple[np.ndarray, str]:
    """(q, d) traction [Pa] at the quadrature points of the wall, and what it was taken from.

    At a wall at rest the traction of an incompressible Newtonian fluid is mu du_t/dn, whose second-order one-sided difference is
    mu (4 u_t(h) - u_t(2h)) / (2h) with h = 0.05 L / sqrt(Re): well inside a laminar boundary layer, far outside a turbulent sublayer.

    Args:
        result: its field is evaluated at two points per quadrature point.
        wall: of its case.
        length: L of the Reynolds number [m].

    Raises:
        ConditionError: no viscosity is stated.
        FieldError: the result has no velocity, or a point next to the wall lies inside the body.
    """
    point = result.case.operating_point
    if point is None or point.viscosity is None:
        raise ConditionError(
            "friction from the velocity needs the viscosity", where=result.case.name, remedy="OperatingPoint(velocity=..., viscosity=...)"
        )
    reynolds = point.density * point.velocity * length / point.viscosity
    step = DISTANCE * length / np.sqrt(reynolds)
    normal = wall.area / np.linalg.norm(wall.area, axis=1, keepdims=True)
    found = result.at(np.concatenate([wall.points + step * normal, wall.points + 2.0 * step * normal]))
    if "velocity" not in found:
        raise FieldError("the result has no velocity", where=result.case.name, remedy="train on it too: quantities=['velocity', 'pressure']")
    near, far = np.split(found["velocity"], 2)
    slope = (4.0 * near - far) / (2.0 * step)
    slope -= (slope * normal).sum(axis=1, keepdims=True) * normal
    bad = int((~np.isfinite(slope).all(axis=1)).sum())
    if bad:
        raise FieldError(
            f"{bad} points {step:.3g} m off the wall lie inside a body",
            where=result.case.name,
            remedy="predict wall_shear_stress where gaps are this narrow",
        )
    return point.viscosity * slope, f"laminar, viscosity times the slope of the velocity within {2 * step:.3g} m of the wall"
