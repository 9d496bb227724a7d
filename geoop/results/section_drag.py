"""Drag of a section whose fields are inviscid: the boundary layer on the speed that they have along the wall."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import ConditionError, FieldError, InvalidMeshError
from ..interfaces.result import Result
from ..mesh.body import body, body_cells
from ..mesh.case import Case
from ..mesh.chord import chord_line
from ..mesh.operating_point import OperatingPoint
from ..mesh.resample import closed_ring
from ..truth.boundary_layer.section import Trip, boundary_layer_on, trips_of
from ..truth.boundary_layer.wall_speed import WallSpeed
from ..truth.panels.section_curve import trailing_edge


@dataclass(frozen=True)
class SectionDrag:
    """Drag that the fields themselves do not have.

    Attributes:
        CD: by Squire and Young from both sides, about the reference length.
        reynolds: about the same length.
        upper_transition, lower_transition: x/c, None where laminar to the end.
        upper_separation, lower_separation: x/c of turbulent separation, None where attached.
        separated: whether a side separates ahead of the last 5 % of the chord: CD is then too low, and so is the loss of lift: there is none.
        note: where the number comes from, in one sentence.
    """

    CD: float
    reynolds: float
    upper_transition: float | None
    lower_transition: float | None
    upper_separation: float | None
    lower_separation: float | None
    separated: bool
    note: str


def boundary_layer_drag(case_or_result: Case | Result, *, reynolds: float | None = None, transition: Trip = None) -> SectionDrag:
    """CD of a section from an integral boundary layer (Thwaites, entrainment with lag, Squire-Young) on the speed along its wall.

    The speed is that of the field ``velocity``, or by Bernoulli that of ``pressure_coefficient`` where there is no velocity or the flow has friction.
    Nothing acts back on the fields: lift and moment stay theirs.

    Args:
        case_or_result: a section with an operating point and one of these fields at its points.
        reynolds: about the operating point's reference length, or the chord; None takes the operating point's viscosity.
        transition: x/c of a trip on both sides, or (upper, lower); 0 for fully turbulent, None for free transition.

    Raises:
        ConditionError: no operating point, no viscosity and no Reynolds number, or the flow parts at the trailing edge.
        FieldError: neither field at points. InvalidMeshError: not one closed section. ConfigurationError: a trip that is not on the chord.
    """
    case = case_or_result.case if isinstance(case_or_result, Result) else case_or_result
    viscous = isinstance(case_or_result, Result) and case_or_result.viscous
    trips_of(transition)
    wall = wall_speed(case, by_pressure=viscous)
    point = _with_viscosity(case, wall.length, reynolds)
    layer = boundary_layer_on(wall, point, transition)
    number = point.density * point.velocity * wall.length / float(point.viscosity or np.nan)
    source = "pressure" if viscous or "velocity" not in case.fields else "velocity"
    note = f"CD by the boundary layer on the wall's {source} at Re {number:.3g} (Thwaites, entrainment with lag, Squire-Young), not from the fields"
    if layer.separated:
        note += "; a turbulent layer separates: CD is too low, and CL knows no stall"
    places = (layer.upper_transition, layer.lower_transition, layer.upper_separation, layer.lower_separation)
    return SectionDrag(layer.drag_coefficient, number, *[None if np.isnan(x) else float(x) for x in places], layer.separated, note)


def wall_speed(case: Case, *, by_pressure: bool = False) -> WallSpeed:
    """The speed along the wall of one section, with its sign, from its fields at points.

    Args:
        case: a section with an operating point.
        by_pressure: from ``pressure_coefficient`` even where there is a velocity, which friction makes zero at a wall.

    Raises:
        ConditionError: no operating point. FieldError: no such field at points. InvalidMeshError: not one closed section.
    """
    if case.mesh.dimension != 2:
        raise InvalidMeshError("a body in space has no chord line", where=case.name, remedy="cut it: sectional loads have sections of their own")
    if case.operating_point is None:
        raise ConditionError("no operating point", where=case.name, remedy="Case(mesh, OperatingPoint(velocity=..., alpha=..., viscosity=1.8e-5))")
    outline = body(case.mesh, case.wall)
    ring, line = closed_ring(outline), chord_line(outline)
    upper, lower, smooth = trailing_edge(ring, line.trailing_edge)
    order = (upper + np.arange(((lower - upper) % len(ring) or len(ring)) + 1)) % len(ring)
    numbers = wall_numbers(case)[_numbers(outline.points, ring)[order]]
    points = ring[order]
    s = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    nose = float(s[np.argmin(np.linalg.norm(points - line.leading_edge, axis=1))])
    ends = np.stack([line.leading_edge, line.trailing_edge])
    speed = _speed(case, points, numbers, by_pressure=by_pressure)
    length = case.operating_point.reference_length or line.length
    return WallSpeed(points, s, speed, nose, ends, length, line.length, upper == lower and not smooth)


def wall_numbers(case: Case) -> np.ndarray:
    """(n,) which points of the mesh those of its body are, in the order of :func:`geoop.mesh.body.body`."""
    return np.unique(body_cells(case.mesh, case.wall).connectivity)


def _numbers(points: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """(n,) which of the outline's points those of the ring are."""
    known = {tuple(row): k for k, row in reversed(list(enumerate(points.tolist())))}
    return np.array([known[tuple(row)] for row in ring.tolist()])


def _speed(case: Case, points: np.ndarray, numbers: np.ndarray, *, by_pressure: bool) -> np.ndarray:
    """(m,) counter-clockwise over the free stream."""
    assert case.operating_point is not None
    fields = {name: item for name, item in case.fields.items() if item.location == "point"}
    if "velocity" in fields and not by_pressure:
        behind, ahead = np.concatenate([points[:1], points[:-1]]), np.concatenate([points[1:], points[-1:]])
        tangent = ahead - behind
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        return (fields["velocity"].values[numbers] * tangent).sum(axis=1) / case.operating_point.velocity
    if "pressure_coefficient" not in fields:
        raise FieldError(
            f"no pressure_coefficient or inviscid velocity at points: there is {sorted(case.fields) or 'no field'}",
            where=case.name,
            remedy="pass a prediction or a solution with one of them at its points",
        )
    pressure = fields["pressure_coefficient"].values[numbers]
    size = np.sqrt(np.maximum(1.0 - pressure, 0.0))
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    ahead = np.abs(length / length[-1] - 0.5) <= 0.25  # away from the trailing edge, where the pressure is large, too
    k = int(np.flatnonzero(ahead)[np.argmax(pressure[ahead])])
    signed = np.where(np.arange(len(size)) < k, -size, size)
    signed[k] = 0.5 * (signed[k - 1] + signed[k + 1])  # Bernoulli's root has no sign at the stagnation point itself
    return signed


def _with_viscosity(case: Case, length: float, reynolds: float | None) -> OperatingPoint:
    point = case.operating_point
    assert point is not None
    if reynolds is None:
        if point.viscosity is None:
            raise ConditionError(
                "a boundary layer needs a Reynolds number, and the operating point has no viscosity",
                where=case.name,
                remedy="boundary_layer_drag(..., reynolds=3e6), or OperatingPoint(..., viscosity=1.8e-5)",
            )
        return point
    if not np.isfinite(reynolds) or reynolds <= 0:
        raise ConditionError(f"the Reynolds number is {reynolds}", where=case.name, remedy="a positive number, such as 3e6")
    return replace(point, viscosity=point.density * point.velocity * length / reynolds)
