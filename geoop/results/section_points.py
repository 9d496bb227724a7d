"""Where the flow stops on a wall, where the suction is largest, and where the pressure acts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ConditionError, FieldError, GeoopError
from ..interfaces.result import Result
from ..mesh.body import body
from ..mesh.case import Case
from ..mesh.chord import chord_line
from ..mesh.mesh import Mesh
from .forces import Forces, forces
from .section_drag import wall_numbers, wall_speed

#: Normal force coefficients below this have no centre of pressure worth a number.
SMALLEST_NORMAL_FORCE = 1e-3
#: In space a wall point is a stagnation point if its Cp is largest among its neighbours and above this share of 1.
LEAST_STAGNATION = 0.9


@dataclass(frozen=True, eq=False)
class SectionPoints:
    """Places on the wall; of sections in chords from the leading edge along and across the chord line, in space in metres.

    Attributes:
        stagnation: (k, d) where the flow stops, the one nearest to the nose first; k may be 0.
        lowest: least Cp; None without pressure.
        lowest_at: (d,) where.
        center_of_pressure: x/c where the normal force acts without moment; None where that force is next to none, in space, and without pressure.
    """

    stagnation: np.ndarray
    lowest: float | None
    lowest_at: np.ndarray | None
    center_of_pressure: float | None

    def __str__(self) -> str:
        return "; ".join(",".join(f"{x:.4f}" for x in row) for row in self.stagnation)


def section_points(case_or_result: Case | Result, *, loads: Forces | None = None) -> SectionPoints:
    """Stagnation points, suction peak and centre of pressure of a body.

    The stagnation point of a section is where the speed along the wall changes its sign (:func:`geoop.results.section_drag.wall_speed`), between
    points of the wall by a straight line; with friction, or without a velocity, where the pressure is largest away from the trailing edge. A sharp
    trailing edge, at which every inviscid flow stops, is not counted. In space: points of the wall whose Cp is no less than that of all their
    neighbours and above :data:`LEAST_STAGNATION`.

    Args:
        case_or_result: a body with an operating point and ``velocity`` or ``pressure_coefficient`` at its points.
        loads: its forces, where they are known already.

    Raises:
        ConditionError: no operating point. FieldError: no such field at points. InvalidMeshError: a section that is not one closed outline.
    """
    result = case_or_result if isinstance(case_or_result, Result) else None
    case = result.case if result is not None else case_or_result
    assert isinstance(case, Case)
    if case.operating_point is None:
        raise ConditionError("no operating point", where=case.name, remedy="Case(mesh, OperatingPoint(velocity=..., alpha=...))")
    outline = body(case.mesh, case.wall)
    pressure = _wall_pressure(case)
    if case.mesh.dimension == 3:
        if pressure is None:
            raise FieldError("no pressure_coefficient at points", where=case.name, remedy="pass a result with one")
        k = int(np.argmin(pressure))
        return SectionPoints(outline.points[_peaks(outline, pressure)], float(pressure[k]), outline.points[k], None)
    line = chord_line(outline)
    axis = (line.trailing_edge - line.leading_edge) / line.length
    across = np.array([-axis[1], axis[0]])

    def chords(points: np.ndarray) -> np.ndarray:
        return (points - line.leading_edge) @ np.stack([axis, across], axis=1) / line.length

    stagnation = chords(_stagnation(case, viscous=result is not None and result.viscous))
    if pressure is None:
        return SectionPoints(stagnation, None, None, None)
    k = int(np.argmin(pressure))
    center = _center(case_or_result, loads, line.leading_edge, axis, line.length)
    return SectionPoints(stagnation, float(pressure[k]), chords(outline.points[k][None])[0], center)


def _stagnation(case: Case, *, viscous: bool) -> np.ndarray:
    """(k, 2) [m]."""
    wall = wall_speed(case, by_pressure=viscous)
    try:
        k, share = wall.stagnation()
    except ConditionError:
        return np.zeros((0, 2))  # the flow comes from behind
    return (wall.points[k] + share * (wall.points[k + 1] - wall.points[k]))[None]


def _wall_pressure(case: Case) -> np.ndarray | None:
    """(n,) Cp at points of the wall; None where there is none at points."""
    item = case.fields.get("pressure_coefficient")
    return item.values[wall_numbers(case)] if item is not None and item.location == "point" else None


def _peaks(outline: Mesh, pressure: np.ndarray) -> np.ndarray:
    """(k,) points of a surface that no neighbour exceeds, highest first."""
    highest = pressure.copy()
    for facet in outline.cells:
        highest[facet] = np.maximum(highest[facet], pressure[facet].max())
    found = np.flatnonzero((pressure >= highest) & (pressure > LEAST_STAGNATION))
    return found[np.argsort(-pressure[found], kind="stable")]


def _center(case_or_result: Case | Result, loads: Forces | None, nose: np.ndarray, axis: np.ndarray, length: float) -> float | None:
    """x/c of the centre of pressure: where the force normal to the chord has the moment about the leading edge."""
    try:
        about = forces(case_or_result, reference_length=length, reference_point=nose) if loads is None else loads
    except GeoopError:
        return None
    point = about.operating_point
    normal = float(about.total.force @ np.array([-axis[1], axis[0]]))
    if point is None or abs(normal) < SMALLEST_NORMAL_FORCE * point.dynamic_pressure * length:
        return None
    arm = np.asarray(about.references.point)[:2] - nose
    moment = float(about.total.moment[-1]) + arm[0] * float(about.total.force[1]) - arm[1] * float(about.total.force[0])
    return float(moment / normal / length)
