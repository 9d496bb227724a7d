"""The same lift and drag by independent ways, side by side: wall, circulation, control surfaces, wake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ConditionError
from ...interfaces.result import Result
from ...mesh.body import body
from ...mesh.case import Case
from ..forces import Forces, forces
from ..wall_loads import PressureUnit
from .circulation import circulation
from .control_surface import ControlSurface, MomentumForces, control_surface_forces, default_surface
from .flow_field import FlowField, flow_field
from .wake import default_cut, wake_survey

#: Distances of the control surfaces from the body, in its diagonals, unless they are stated.
_SHARES = (0.25, 0.5, 1.0)
#: Places of boxes between the body and the ends of the mesh, where no such surface lies in the mesh: 0 at the body, 1 at the ends.
_BETWEEN = (0.3, 0.6)
#: Lifts that agree within this share of the largest, or within this much of CL, agree.
_AGREES, _LEAST = 0.02, 0.01
#: A mean velocity on the farthest cut that differs by this share from the free stream's is not of that stream.
_FOREIGN = 0.3
#: A loss of mass above this share of the flow through the body's shadow spoils what control surfaces say of drag.
_LEAK = 0.05
#: A density that varies by this share is no incompressible one.
_COMPRESSIBLE = 0.02


@dataclass(frozen=True)
class BalanceRow:
    """One way to the force: name, lift and drag [N], [N/m] in 2-D, None where it knows none, and CL and CD."""

    method: str
    lift: float | None
    drag: float | None
    CL: float | None
    CD: float | None


@dataclass(frozen=True, eq=False)
class ForceBalance:
    """Lift and drag by independent ways; ``print`` it for a table.

    Attributes:
        rows: the wall first.
        wall: the forces on it.
        mass_imbalance: largest of the control surfaces, None without one; see :class:`geoop.results.momentum.control_surface.MomentumForces`.
        statement: what the comparison says.
        notes: what a reader should know.
    """

    rows: tuple[BalanceRow, ...]
    wall: Forces
    mass_imbalance: float | None
    statement: str
    notes: tuple[str, ...]

    @property
    def largest_lift_difference(self) -> float:
        """Largest |CL - CL of the wall|."""
        return max(abs((row.CL or 0.0) - (self.rows[0].CL or 0.0)) for row in self.rows if row.CL is not None)

    def to_dict(self) -> dict[str, object]:
        """Plain data, for ``--json`` output."""
        return {
            "rows": [dict(vars(row)) for row in self.rows],
            "mass_imbalance": self.mass_imbalance,
            "largest_lift_difference": self.largest_lift_difference,
            "statement": self.statement,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        first = self.rows[0]
        table = [["way", "CL", "CL - wall", "CD", "CD - wall"]]
        for row in self.rows:
            pairs = ((row.CL, first.CL), (row.CD, first.CD))
            table.append(
                [row.method, *[text for mine, its in pairs for text in (_number(mine), _number(None if mine is None else mine - (its or 0.0)))]]
            )
        width = [max(len(row[k]) for row in table) for k in range(5)]
        lines = ["  " + "  ".join(x.ljust(w) if k == 0 else x.rjust(w) for k, (x, w) in enumerate(zip(row, width, strict=True))) for row in table]
        return "\n".join([f"balance of forces on '{self.wall.name}'", *lines, f"  {self.statement}", *[f"  note: {note}" for note in self.notes]])


def force_balance(
    case_or_result: Case | Result,
    *,
    reference_area: float | None = None,
    reference_length: float | None = None,
    reference_pressure: float = 0.0,
    pressure_unit: PressureUnit | None = None,
    shares: Sequence[float] | None = None,
) -> ForceBalance:
    """The force on a body from its wall, from the circulation (sections), from control surfaces and, with friction, from the wake.

    Only the first looks at the wall; circulation needs the velocity alone. CD in the wall's row of an inviscid flow is its pressure drag, which ought
    to be zero in the plane (d'Alembert): a measure of error, no drag.

    Args:
        case_or_result: a result whose field can be asked anywhere, or a volume mesh with its fields; with an operating point.
        reference_area: [m^2], in space. reference_length: [m]. reference_pressure: [Pa]. pressure_unit: as for :func:`geoop.results.forces.forces`.
        shares: distances of loops and control surfaces from the body, in diagonals of its box; None takes those of 0.25, 0.5 and 1 that lie within the
            field, or boxes between the body and the ends of the mesh, or the wall alone where the mesh ends too close to the body for either.

    Raises:
        ConditionError: no operating point. InvalidMeshError: the fields lie on the wall only. The errors of ``forces`` and of the ways.
    """
    flow = flow_field(case_or_result, pressure_unit=pressure_unit, reference_pressure=reference_pressure)
    wall = forces(
        case_or_result,
        reference_area=reference_area,
        reference_length=reference_length,
        reference_pressure=reference_pressure,
        pressure_unit=pressure_unit,
    )
    scale = flow.point.dynamic_pressure * float((wall.references.length if flow.dimension == 2 else reference_area) or np.nan)
    rows = [_row("wall", scale, wall.lift, wall.drag if wall.viscous else wall.pressure_drag)]
    cuts, said = _cuts(flow, shares)
    parts = _around(flow, cuts, scale, rows)
    lost = max((abs(part.mass_imbalance) for part in parts), default=None)
    compressible = max((part.density_range for part in parts), default=0.0) > _COMPRESSIBLE * flow.density
    notes = [*flow.notes, *said, *(_foreign(flow, _widest(parts).mean_velocity) if parts else [])]
    notes += [note for note in _in_wake(flow, scale, rows, always=shares is not None) if note not in notes]
    if not flow.viscous:
        notes.append(f"the flow is inviscid: CD is {_inviscid_drag(flow, compressible)}")
    if lost is not None and lost > _LEAK:
        notes.append(
            f"the field loses or gains mass, {lost:.2g} of the flow through the body's shadow: it is not converged, or not of an incompressible flow, "
            "and the drag by control surfaces is off by about as much"
        )
    if compressible:
        notes.append("the density varies: circulation means lift only far from the body, and is left out of the comparison")
    compared = [row for row in rows if not (compressible and row.method.startswith("circulation"))]
    return ForceBalance(tuple(rows), wall, lost, _said(compared), tuple(notes))


def _inviscid_drag(flow: FlowField, compressible: bool) -> str:
    if compressible:
        return "wave drag and numerical error"
    return "numerical error here, and no drag" if flow.dimension == 2 else "induced drag"


def _cuts(flow: FlowField, shares: Sequence[float] | None) -> tuple[list[ControlSurface], list[str]]:
    """The control surfaces, and what was left out because the mesh ends before."""
    outline = body(flow.case.mesh, flow.case.wall).points
    if shares is not None:
        if not len(shares):
            raise ConditionError("no distance for a control surface", where=flow.case.name, remedy="shares=(0.25, 0.5, 1.0)")
        return [default_surface(outline, float(share)) for share in shares], []
    every = [default_surface(outline, share) for share in _SHARES]
    cuts = [cut for cut in every if flow.reaches(cut.points)]
    if len(cuts) == len(every):
        return cuts, []
    said = f"the field ends before {', '.join(f'the {cut.name}' for cut in every if cut not in cuts)}: left out"
    if cuts:
        return cuts, [said]
    boxes = [box for box in _boxes(outline, flow.case.mesh.bounds) if flow.reaches(box.points)]
    return boxes, [said + ("; boxes within the mesh take their place" if boxes else ", and there is no room for a box either")]


def _boxes(outline: np.ndarray, ends: np.ndarray) -> list[ControlSurface]:
    """Boxes round the points (n, d) of a wall, within the box of the mesh (2, d); none where the body touches its ends."""
    own = np.stack([outline.min(axis=0), outline.max(axis=0)])
    room = np.abs(ends - own)
    if room.min() < 1e-6 * np.ptp(ends, axis=0).max():
        return []
    places = [own + between * (ends - own) for between in _BETWEEN]
    return [ControlSurface.box(low, high) for low, high in places]


def _around(flow: FlowField, cuts: list[ControlSurface], scale: float, rows: list[BalanceRow]) -> list[MomentumForces]:
    """Appends the rows of the loops and control surfaces, and returns what the latter found."""
    outline = body(flow.case.mesh, flow.case.wall).points
    center = 0.5 * (outline.min(axis=0) + outline.max(axis=0))
    radii = [float(np.linalg.norm(cut.points[0] - center)) for cut in cuts if cut.name.startswith("circle")]
    if radii:
        found = circulation(flow, radius=radii, center=center)
        rows += [_row(f"circulation, radius {r:.4g} m", scale, float(lift), None) for r, lift in zip(radii, found.lift, strict=True)]
    parts = [control_surface_forces(flow, cut) for cut in cuts]
    rows += [_row(f"momentum, {part.surface.name}", scale, part.lift, part.drag) for part in parts]
    return parts


def _widest(parts: list[MomentumForces]) -> MomentumForces:
    return max(parts, key=lambda part: float(np.ptp(part.surface.points, axis=0).max()))


def _in_wake(flow: FlowField, scale: float, rows: list[BalanceRow], *, always: bool) -> list[str]:
    """Appends the row of the wake of a viscous flow, and returns notes; a cut that leaves the field is left out unless it must be made."""
    if not flow.viscous:
        return []
    if not (always or flow.reaches(default_cut(flow))):
        return ["the field ends before the cut through the wake: the wake survey is left out"]
    wake = wake_survey(flow)
    rows.append(_row(f"wake survey, {wake.distance:.4g} m behind", scale, None, wake.drag))
    return list(wake.notes)


def _foreign(flow: FlowField, mean: np.ndarray) -> list[str]:
    """A note where the field is not in the free stream that the operating point states."""
    stream = flow.point.velocity * flow.point.direction(flow.dimension)
    if np.linalg.norm(mean - stream) <= _FOREIGN * flow.point.velocity:
        return []
    found = ", ".join(f"{x:.4g}" for x in mean)
    return [f"the mean velocity round the body is ({found}) m/s, far from the free stream that was stated: check speed, angle and units"]


def _row(method: str, scale: float, lift: float | None, drag: float | None) -> BalanceRow:
    return BalanceRow(method, lift, drag, None if lift is None else lift / scale, None if drag is None else drag / scale)


def _said(rows: list[BalanceRow]) -> str:
    lifts = np.array([row.CL for row in rows if row.CL is not None])
    if len(lifts) < 2:
        return "no other way to the lift: the domain is too small for a check, or the flow too compressible for one"
    gap, size = float(np.abs(lifts - lifts[0]).max()), float(np.abs(lifts).max())
    text = f"{len(lifts)} ways to the lift lie within {gap:.2g} of CL {lifts[0]:.5g}"
    if gap <= max(_AGREES * size, _LEAST):
        return f"{text}: they agree"
    return f"{text}: they disagree, so wall and field are not of one flow, or the cuts reach where the field is not known well"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.5f}"
