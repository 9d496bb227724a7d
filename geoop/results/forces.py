"""Forces and moments from the pressure and friction on the wall, per patch, with every reference value stated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import ConditionError, FieldError, GeoopError
from ..interfaces.result import Result
from ..mesh.body import body
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from ..mesh.operating_point import OperatingPoint
from ..mesh.outline import chord_line
from ..mesh.quality import duplicate_points
from .si_fields import pressure_of
from .wall import Wall, wall_of
from .wall_friction import friction_from_velocity
from .wall_loads import PatchForces, PressureUnit, friction_on, from_cells_beside, integrate, pressure_on, total

#: Said of a viscous flow whose prediction is the pressure on the wall and nothing else.
PRESSURE_ONLY = "pressure only: no drag; the model gives no friction, and the pressure's part of the drag is in pressure_drag"

#: Names of vectors that may be friction under another name.
_FRICTION = re.compile(r"shear.?stress|wall.?shear|skin.?friction|^tau|^c_?f$", re.I)


@dataclass(frozen=True)
class References:
    """The reference values behind the coefficients; every one is printed.

    Attributes:
        length: [m] of moments, and of all coefficients in 2-D; None where nobody stated it.
        length_source: where the length comes from.
        area: [m^2], 3-D only.
        point: (d,) [m] of the moments.
        point_source: where the point comes from.
        density: [kg/m^3], speed: [m/s]; None without an operating point.
        pressure: what the pressure field was taken for.
        reference_pressure: [Pa] subtracted from the static pressure.
        friction: what the friction field was taken for.
    """

    length: float | None
    length_source: str
    area: float | None
    point: tuple[float, ...]
    point_source: str
    density: float | None
    speed: float | None
    pressure: str
    reference_pressure: float
    friction: str


@dataclass(frozen=True, eq=False)
class Forces:
    """Forces on the wall of a case, per patch and in total; ``print`` it for a table.

    Attributes:
        patches: name -> forces on that patch.
        total: sum over the patches.
        references: every reference value, with its origin.
        operating_point: the condition; None leaves forces in axes of the mesh and no coefficients.
        viscous: whether drag means anything: friction was integrated, or the flow is viscous.
        name: of the case.
        notes: what a reader should know before using the numbers.
    """

    patches: Mapping[str, PatchForces]
    total: PatchForces
    references: References
    operating_point: OperatingPoint | None
    viscous: bool
    name: str = ""
    notes: tuple[str, ...] = ()

    @property
    def dimension(self) -> int:
        return len(self.total.pressure)

    @property
    def force(self) -> np.ndarray:
        """(d,) [N], per metre of span [N/m] in 2-D."""
        return self.total.force

    @property
    def moment(self) -> np.ndarray:
        """(3,) [N m], per metre of span [N] in 2-D, about the reference point."""
        return self.total.moment

    @property
    def lift(self) -> float | None:
        """Force normal to the free stream, upward [N] or [N/m]; None without an operating point."""
        return self._along(self.force, "lift")

    @property
    def drag(self) -> float | None:
        """Force along the free stream [N] or [N/m]; None for an inviscid flow, where only :attr:`pressure_drag` exists."""
        return self._along(self.force, "drag") if self.viscous else None

    @property
    def pressure_drag(self) -> float | None:
        """Part of the pressure in the drag [N] or [N/m]; a measure of numerical error where the flow is inviscid and 2-D."""
        return self._along(self.total.pressure, "drag")

    @property
    def CL(self) -> float | None:
        """Lift / (q S), in 2-D lift / (q c)."""
        return self._coefficient(self.lift)

    @property
    def CD(self) -> float | None:
        """Drag / (q S), in 2-D drag / (q c); None for an inviscid flow."""
        return self._coefficient(self.drag)

    @property
    def CM(self) -> float | None:
        """Pitching moment / (q S L), in 2-D / (q c^2), nose up positive; None without a reference length."""
        length = self.references.length
        if self.operating_point is None or length is None:
            return None
        pitch = -self.moment[2] if self.dimension == 2 else self.moment[1]
        return float(pitch / (self.operating_point.dynamic_pressure * self._size() * length))

    @property
    def _no_drag(self) -> str:
        return "none (pressure only)" if PRESSURE_ONLY in self.notes else "none (inviscid)"

    def _along(self, force: np.ndarray, axis: Literal["lift", "drag"]) -> float | None:
        if self.operating_point is None:
            return None
        direction = self.operating_point.lift_direction if axis == "lift" else self.operating_point.direction
        return float(force @ direction(self.dimension))

    def _size(self) -> float:
        size = self.references.length if self.dimension == 2 else self.references.area
        assert size is not None  # forces() refuses to build coefficients without it
        return size

    def _coefficient(self, force: float | None) -> float | None:
        return None if force is None or self.operating_point is None else force / (self.operating_point.dynamic_pressure * self._size())

    def to_dict(self) -> dict[str, object]:
        """Plain data, for ``--json`` output and tables."""
        rows = {
            name: {"pressure": p.pressure.tolist(), "friction": p.friction.tolist(), "moment": p.moment.tolist(), "area": p.area, "closed": p.closed}
            for name, p in {**self.patches, "total": self.total}.items()
        }
        reference = dict(vars(self.references))
        reference["point"] = list(self.references.point)
        numbers = {key: getattr(self, key) for key in ("lift", "drag", "pressure_drag", "CL", "CD", "CM")}
        drag = "" if self.viscous else self._no_drag
        return {"name": self.name, **numbers, "drag_note": drag, "patches": rows, "references": reference, "notes": list(self.notes)}

    def __str__(self) -> str:
        return "\n".join(
            [f"forces on '{self.name}'" + (" (per metre of span)" if self.dimension == 2 else ""), *self._stated(), *self._table(), *self._summary()]
        )

    def _stated(self) -> list[str]:
        r = self.references
        size = [] if r.length is None else [f"length {r.length:.6g} m ({r.length_source})"]
        size += [] if r.area is None else [f"area {r.area:.6g} m^2"]
        flow = [] if r.density is None else [f"density {r.density:.6g} kg/m^3"]
        flow += [] if r.speed is None else [f"speed {r.speed:.6g} m/s"]
        flow += [] if self.operating_point is None else [f"dynamic pressure {self.operating_point.dynamic_pressure:.6g} Pa"]
        point = f"moments about ({', '.join(f'{x:.6g}' for x in r.point)}) m ({r.point_source})"
        return [
            f"  reference  {', '.join([*size, *flow]) or 'no operating point: no coefficients'}",
            f"  {point}",
            f"  pressure   {r.pressure}",
            f"  friction   {r.friction}",
        ]

    def _table(self) -> list[str]:
        force, moment = ("N/m", "N") if self.dimension == 2 else ("N", "N m")
        parts = [f"{kind} F{axis} [{force}]" for kind in ("pressure", "friction") for axis in "xyz"[: self.dimension]]
        keep = slice(2, 3) if self.dimension == 2 else slice(0, 3)
        rows = [["patch", *parts, *[f"M{axis} [{moment}]" for axis in "xyz"[keep]]]]
        for name, p in {**self.patches, "total": self.total}.items():
            rows.append([name, *[f"{x:.6g}" for x in (*p.pressure, *p.friction, *p.moment[keep])]])
        if not self.total.friction.any():
            rows = [[x for k, x in enumerate(row) if not self.dimension < k <= 2 * self.dimension] for row in rows]
        width = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        return ["  " + "  ".join(x.ljust(w) if k == 0 else x.rjust(w) for k, (x, w) in enumerate(zip(row, width, strict=True))) for row in rows]

    def _summary(self) -> list[str]:
        lines = []
        if self.operating_point is not None:
            cm = "none (no reference length)" if self.CM is None else f"{self.CM:.5f} (nose up)"
            cd = f"{self.CD:.5f}" if self.CD is not None else self._no_drag
            lines.append(f"  CL {self.CL:.5f}   CD {cd}   CM {cm}")
        return lines + [f"  note: {note}" for note in self.notes]


def forces(
    case_or_result: Case | Result,
    *,
    patches: Sequence[str] | None = None,
    reference_area: float | None = None,
    reference_length: float | None = None,
    reference_point: Sequence[float] | None = None,
    reference_pressure: float = 0.0,
    pressure_unit: PressureUnit | None = None,
    density: float | None = None,
    friction: Literal["field", "velocity"] = "field",
) -> Forces:
    """Integrate pressure, and friction where there is any, over the wall.

    The pressure is ``pressure`` (static in Pa, kPa, psi, ..., or kinematic in m^2/s^2 times the density: its unit decides, nothing is guessed)
    or else ``pressure_coefficient``; friction is ``wall_shear_stress`` (the traction of the fluid on the wall), or
    ``kinematic_wall_shear_stress`` (OpenFOAM's numbers, which point upstream) times the density, or else ``skin_friction_coefficient`` as a vector.
    Point fields are interpolated by the shape functions of the facets (exact for linear pressures, moments included; second order on curved bodies);
    values of cells and facets count as constant over a facet, and those of ``case.boundary`` at the facets go before those of the cells beside them.

    Args:
        case_or_result: a case with its fields, or a result (its ``case`` carries the predicted fields).
        patches: names; None takes the wall patches. A surface without patches is one patch ``body``.
        reference_area: [m^2], needed for coefficients in 3-D; not used in 2-D.
        reference_length: [m]; None takes the operating point's, in 2-D else the chord.
        reference_point: (d,) [m] of the moments; None takes the quarter chord in 2-D, the origin of the coordinates in 3-D.
        reference_pressure: [Pa], subtracted from a static or kinematic pressure; matters only where the wall is not closed.
        pressure_unit: of a ``pressure`` or ``wall_shear_stress`` whose file does not say it. density: [kg/m^3], else the operating point's.
        friction: from a field, or from a result's ``velocity`` near the wall (laminar; :mod:`geoop.results.wall_friction`).

    Raises:
        ConditionError: a coefficient cannot be formed: no area in 3-D, Cp without an operating point, kinematic pressure without density.
        PatchError: no such patch, or no pressure field. UnitError: its unit is unknown, or contradicts ``pressure_unit``.
        FieldError, NonFiniteError: the field has another size or place than the wall, or NaN on it.
    """
    result, case = _taken(case_or_result)
    point = case.operating_point
    _refuse(case, reference_area, reference_length, reference_point, reference_pressure, density)
    wall = wall_of(case, patches)
    stated = density if density is not None else (point.density if point is not None else None)
    pressure, pressure_text = pressure_on(case, wall, stated, pressure_unit, reference_pressure)
    length, length_source, about, about_source = _length_and_point(case, reference_length, reference_point)
    traction, friction_text = _friction(friction, result, case, wall, (stated, pressure_unit, length))
    references = References(
        length=length,
        length_source=length_source,
        area=reference_area,
        point=tuple(about.tolist()),
        point_source=about_source,
        density=stated,
        speed=None if point is None else point.velocity,
        pressure=pressure_text,
        reference_pressure=float(reference_pressure),
        friction=friction_text,
    )
    parts = {name: integrate(wall, case.mesh, pressure, traction, about, k) for k, name in enumerate(wall.names)}
    whole = total(parts.values(), wall.is_closed(case.mesh))
    viscous = _has_drag(result, case, traction)
    notes = (*wall.notes, *_notes(case, wall, whole, viscous, traction is not None), *_alone(result, viscous))
    return Forces(parts, whole, references, point, viscous, case.name, notes)


def _taken(given: Case | Result | Mesh) -> tuple[Result | None, Case]:
    if isinstance(given, Mesh):
        raise FieldError("a mesh alone has no pressure", where=given.name, remedy="geoop.read_case(FILE) reads a file with its fields")
    return (given, given.case) if isinstance(given, Result) else (None, given)


def _has_drag(result: Result | None, case: Case, traction: np.ndarray | None) -> bool:
    """Whether drag means anything. A prediction on a bare wall has no field from which friction could come: its pressure drag is not passed off as drag."""
    if traction is not None or result is None:
        return traction is not None or (case.operating_point is not None and case.operating_point.viscosity is not None)
    return result.viscous and not case.mesh.is_surface


def _alone(result: Result | None, has_drag: bool) -> list[str]:
    return [PRESSURE_ONLY] if result is not None and result.viscous and not has_drag else []


def _friction(
    source: Literal["field", "velocity"], result: Result | None, case: Case, wall: Wall, known: tuple[float | None, PressureUnit | None, float | None]
) -> tuple[np.ndarray | None, str]:
    """(q, d) traction [Pa], None without friction, and what it was taken from."""
    density, unit, length = known
    if source == "field":
        return friction_on(case, wall, density, unit)
    if result is None or length is None:
        raise ConditionError(
            "friction from the velocity needs a result, whose field can be asked anywhere, and a length",
            where=case.name,
            remedy="pass what surrogate.predict returned, and reference_length= in 3-D; or friction='field' for a case",
        )
    return friction_from_velocity(result, wall, length)


def _refuse(case: Case, area: float | None, length: float | None, about: Sequence[float] | None, pressure: float, density: float | None) -> None:
    """All problems of the arguments in one error."""
    d = case.mesh.dimension
    problems, remedies = [], []
    for name, value in (("reference_area", area), ("reference_length", length), ("density", density)):
        if value is not None and not (np.isfinite(value) and value > 0):
            problems.append(f"{name} is {value}")
            remedies.append("give positive SI values")
    if not np.isfinite(pressure):
        problems.append(f"reference_pressure is {pressure}")
        remedies.append("give the free-stream static pressure in Pa")
    if about is not None and (np.shape(about) != (d,) or not np.isfinite(about).all()):
        problems.append(f"reference_point is {about}")
        remedies.append(f"give {d} finite coordinates in metres")
    if d == 2 and area is not None:
        problems.append("a reference area was given for a 2-D case, whose coefficients are per span")
        remedies.append("give reference_length, the chord")
    if d == 3 and area is None and case.operating_point is not None:
        problems.append("3-D coefficients need a reference area, and none is customary for every body")
        remedies.append("forces(..., reference_area=S) with the area that your report uses, e.g. the wing's planform or the frontal area")
    if density is not None and case.operating_point is not None and not np.isclose(density, case.operating_point.density):
        problems.append(f"density {density} contradicts the operating point's {case.operating_point.density} kg/m^3")
        remedies.append("state one density: the coefficients divide by it")
    if problems:
        raise ConditionError("; ".join(problems), where=case.name, remedy="; ".join(dict.fromkeys(remedies)))


def _length_and_point(case: Case, length: float | None, about: Sequence[float] | None) -> tuple[float | None, str, np.ndarray, str]:
    """Reference length and point, each with its origin; what is not stated comes from the operating point or the chord."""
    point, d = case.operating_point, case.mesh.dimension
    source = "stated" if length is not None else "not stated"
    if length is None and point is not None and point.reference_length is not None:
        length, source = point.reference_length, "of the operating point"
    where = np.zeros(d) if about is None else np.asarray(about, dtype=np.float64)
    where_source = "origin of the coordinates" if about is None else "stated"
    if d == 3 or (length is not None and about is not None):
        return length, source, where, where_source
    try:
        chord = chord_line(body(case.mesh, case.wall))
    except GeoopError as error:
        if point is None or length is not None:  # coefficients can do without
            return length, source, where, where_source
        raise ConditionError(
            f"no reference length was stated and the outline has no chord: {error.message}",
            where=case.name,
            remedy="forces(..., reference_length=..., reference_point=(x, y))",
        ) from error
    if length is None:
        length, source = float(chord.length), "chord of the outline"
    if about is None:
        leading, trailing = np.asarray(chord.leading_edge), np.asarray(chord.trailing_edge)
        where, where_source = leading + 0.25 * (trailing - leading), "quarter chord"
    return length, source, where, where_source


def _notes(case: Case, wall: Wall, whole: PatchForces, viscous: bool, friction: bool) -> list[str]:
    notes = []
    size = float(np.linalg.norm(wall.area.sum(axis=0)))
    if not whole.closed and size > 1e-12 * np.abs(wall.size).sum():  # facets without area leave edges, and no opening
        unit = "m" if case.mesh.dimension == 2 else "m^2"
        notes.append(
            f"the wall taken here is not closed (open area {size:.4g} {unit}): even a constant pressure gives a force, "
            "so the reference pressure matters"
        )
    loose = not whole.closed and case.mesh.is_surface
    if loose and (doubled := duplicate_points(np.unique(case.mesh.points, axis=0), 1e-6)):
        notes.append(
            f"{doubled} points are next to equal to others: facets that are not joined are turned one by one, and some may face the wrong way;"
            " join them: geoop inspect FILE --repair OUT"
        )
    extent = np.ptp(case.mesh.points, axis=0)
    if loose and (extent <= 1e-9 * extent.max()).any():
        notes.append("the surface is flat, taken as a plate: a plane flow has its points in x and y")
    known = pressure_of(case)
    used = case.fields["pressure_coefficient"] if known is None else known
    if used is known and "pressure_coefficient" in case.fields:
        notes.append("the case has pressure and pressure_coefficient; pressure was used")
    if from_cells_beside(case, wall, used):
        notes.append("the pressure of the cell at the wall was taken for that on the wall: first order")
    if viscous and not friction:
        notes.append("the flow is viscous but there is no wall_shear_stress: drag is its pressure part only")
    alike = [] if friction else [item.name for item in case.fields.values() if item.quantity.rank == 1 and _FRICTION.search(item.name)]
    if alike:
        notes.append(
            f"'{alike[0]}' is not counted, as its sign or its unit is not known: --map {alike[0]}=wall_shear_stress:Pa if it is the traction of the fluid on the"
            f" wall, --map {alike[0]}=kinematic_wall_shear_stress:m^2/s^2 (and a density) if OpenFOAM wrote it in an incompressible flow"
        )
    return notes
