"""Drag from what the wake has lost: total pressure (Jones) and momentum, on a line or plane behind the body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError
from ...interfaces.result import Result
from ...mesh.body import body
from ...mesh.case import Case
from ..wall_loads import PressureUnit
from .flow_field import FlowField, flow_field

#: A deficit at the ends of the cut above this share of the largest one means that the wake reaches beyond it.
_AT_ENDS = 0.02
#: A density that varies by this share is no incompressible one.
_COMPRESSIBLE = 0.02


@dataclass(frozen=True, eq=False)
class WakeSurvey:
    """Drag by a survey of the wake. Per metre of span in 2-D.

    Attributes:
        drag: by Jones from the loss of total pressure [N] or [N/m]; zero in an inviscid flow, whatever its lift.
        momentum_drag: int (p0 - p) + rho u (U - u) dA [N] or [N/m]; right only where the cut is far behind, and wide.
        points: (q, d) of the cut [m].
        deficit: (q,) 1 - sqrt of the total pressure over the free stream's dynamic pressure [1].
        distance: of the cut behind the body [m].
        notes: what a reader should know.
    """

    drag: float
    momentum_drag: float
    points: np.ndarray
    deficit: np.ndarray
    distance: float
    notes: tuple[str, ...]


def wake_survey(
    case_or_result: Case | Result | FlowField,
    *,
    behind: float | None = None,
    half_width: float | None = None,
    count: int | None = None,
    pressure_unit: PressureUnit | None = None,
    reference_pressure: float = 0.0,
) -> WakeSurvey:
    """Drag of a viscous flow from a cut across the free stream behind the body.

    D = 2 q int u/U (1 - sqrt(Cpt)) dA with Cpt = (p + rho |u|^2/2 - p0)/q (B. M. Jones, ARC R&M 1688, 1936): it needs no cut far behind, for total
    pressure stays while static pressure recovers, and only the wake counts.

    Args:
        case_or_result: a result whose field can be asked anywhere, or a volume mesh with velocity and pressure.
        behind: distance of the cut behind the last point of the body along the stream [m]; None takes half the body's size.
        half_width: half the length of the line, or of the sides of the square [m]; None takes the body's size.
        count: of points along it; None takes 800, in space 80.
        pressure_unit: of a ``pressure`` whose file does not say whether it is static or kinematic. reference_pressure: [Pa], of the free stream.

    Raises:
        ConditionError: no operating point. ConfigurationError: lengths that are not positive, fewer than 8 points.
        FieldError: no velocity, or a cut beyond the field. PatchError: no pressure. UnitError: its unit is unknown.
    """
    if isinstance(case_or_result, FlowField):
        flow = case_or_result
    else:
        flow = flow_field(case_or_result, pressure_unit=pressure_unit, reference_pressure=reference_pressure)
    d = flow.dimension
    wall = body(flow.case.mesh, flow.case.wall).points
    size = float(np.linalg.norm(np.ptp(wall, axis=0)))
    distance, half = 0.5 * size if behind is None else behind, size if half_width is None else half_width
    number = (800 if d == 2 else 80) if count is None else count
    if not (np.isfinite([distance, half]).all() and distance > 0 and half > 0) or number < 8:
        raise ConfigurationError(
            f"a cut {distance} m behind, {half} m to either side, {number} points",
            where="wake_survey",
            remedy="positive lengths in metres, at least 8 points",
        )
    points, size_of_one = _cut(wall, flow.point.direction(d), flow.point.lift_direction(d), distance, half, number)
    velocity, pressure, density = flow.at(points)
    through, q = velocity @ flow.point.direction(d), flow.point.dynamic_pressure
    total = (pressure + 0.5 * density * (velocity**2).sum(axis=1)) / q
    deficit = 1.0 - np.sqrt(np.maximum(total, 0.0))
    drag = 2.0 * q * float((through / flow.point.velocity * deficit).sum()) * size_of_one
    momentum = float((-pressure + density * through * (flow.point.velocity - through)).sum()) * size_of_one
    notes = [*flow.notes, *_notes(deficit, through, points, number)]
    if np.ptp(density) > _COMPRESSIBLE * flow.density:
        notes.append("the density varies: the loss of total pressure is that of an incompressible flow")
    return WakeSurvey(drag, momentum, points, deficit, float(distance), tuple(notes))


def default_cut(flow: FlowField) -> np.ndarray:
    """(q, d) points [m] at which :func:`wake_survey` asks a flow unless it is told where."""
    d = flow.dimension
    wall = body(flow.case.mesh, flow.case.wall).points
    size = float(np.linalg.norm(np.ptp(wall, axis=0)))
    return _cut(wall, flow.point.direction(d), flow.point.lift_direction(d), 0.5 * size, size, 800 if d == 2 else 80)[0]


def _cut(wall: np.ndarray, stream: np.ndarray, lift: np.ndarray, behind: float, half: float, count: int) -> tuple[np.ndarray, float]:
    """Middles of equal parts of a line or square across the stream behind the body, and the size of one."""
    last = wall[np.argmax(wall @ stream)]
    center = 0.5 * (wall.min(axis=0) + wall.max(axis=0))
    center = center + ((last - center) @ stream + behind) * stream
    center = center + ((last - center) @ lift) * lift  # the wake leaves from the last point, not from the middle of a cambered body
    side = half * (2.0 * (np.arange(count) + 0.5) / count - 1.0)
    if len(stream) == 2:
        return center + side[:, None] * lift, 2.0 * half / count
    across = np.cross(lift, stream)
    grid = side[:, None, None] * lift + side[None, :, None] * across
    return center + grid.reshape(-1, 3), (2.0 * half / count) ** 2


def _notes(deficit: np.ndarray, through: np.ndarray, points: np.ndarray, count: int) -> list[str]:
    notes = []
    large = float(np.abs(deficit).max())
    if points.shape[1] == 2:
        ends = np.abs(deficit[[0, -1]])
    else:
        square = np.abs(deficit).reshape(count, count)
        ends = np.concatenate([square[0], square[-1], square[:, 0], square[:, -1]])
    if large > 1e-6 and ends.max() > _AT_ENDS * large:
        notes.append("the wake reaches the ends of the cut: a wider cut finds more drag")
    if (through < 0).any():
        notes.append("the flow on the cut turns back: take one farther behind the body")
    return notes
