"""Loads along the span of a wing: lift, drag and moment per metre from facets cut exactly at station planes, and the Cp on such cuts."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ..errors import ConditionError, ConfigurationError, GeoopError
from ..interfaces.result import Result
from ..io.atomic import replacing
from ..io.paraview import write_case
from ..mesh.case import Case
from ..mesh.cells import Cells
from ..mesh.chord import chord_line
from ..mesh.mesh import Mesh
from ..mesh.operating_point import OperatingPoint
from ..mesh.quantity import QUANTITIES, Field, Quantity
from .wall_loads import PressureUnit
from .wall_triangles import WallTriangles, wall_triangles

_COLUMNS = ("station [m]", "width [m]", "chord [m]", "lift [N/m]", "drag [N/m]", "moment [N]", "cl", "cd", "cm", "cl c/c_ref")


@dataclass(frozen=True, eq=False)
class WallCut:
    """The wall on a plane across the span.

    Attributes:
        points: (k, 3) on the plane [m]; linear along the edges of the facets.
        lines: (m, 2) pieces of the outline, one per triangle.
        pressure_coefficient: (k,).
        chord: [m], 0 where nothing is cut.
        quarter: (3,) quarter-chord point [m].
        chordwise: (k,) x/c along the chord line, 0 at the leading edge.
    """

    points: np.ndarray
    lines: np.ndarray
    pressure_coefficient: np.ndarray
    chord: float
    quarter: np.ndarray
    chordwise: np.ndarray


@dataclass(frozen=True, eq=False)
class SectionalLoads:
    """Loads on strips across the span; n of them. ``print`` it for a table.

    Attributes:
        edges: (n + 1,) station planes along ``axis`` [m]; strips lie between them.
        force: (n, 3) on the strips [N].
        moment: (n, 3) about ``about`` [N m].
        total_force: (3,) on the whole wall [N]; the strips sum to it to rounding. total_moment: (3,) [N m].
        root: station of the bending moments [m].
        bending: moments of the loads outside the root about it, on the sides of larger and smaller stations [N m]; up-bending positive.
        cuts: the wall on the middle planes of the strips.
        axis: (3,) unit vector of the span.
        about: (3,) [m].
        reference_length: c_ref [m].
        operating_point: the condition.
        case: whose wall it is. notes: what a reader should know.
    """

    edges: np.ndarray
    force: np.ndarray
    moment: np.ndarray
    total_force: np.ndarray
    total_moment: np.ndarray
    root: float
    bending: tuple[float, float]
    cuts: tuple[WallCut, ...]
    axis: np.ndarray
    about: np.ndarray
    reference_length: float
    operating_point: OperatingPoint
    case: Case
    notes: tuple[str, ...]

    @property
    def station(self) -> np.ndarray:
        """(n,) middles of the strips [m]."""
        return 0.5 * (self.edges[:-1] + self.edges[1:])

    @property
    def width(self) -> np.ndarray:
        """(n,) [m]."""
        return np.diff(self.edges)

    @property
    def chord(self) -> np.ndarray:
        """(n,) of the cuts [m]."""
        return np.array([cut.chord for cut in self.cuts])

    @property
    def lift(self) -> np.ndarray:
        """(n,) across the free stream [N/m]."""
        return self.force @ self.operating_point.lift_direction(3) / self.width

    @property
    def drag(self) -> np.ndarray:
        """(n,) along the free stream [N/m]; that of the pressure alone in an inviscid flow: induced drag and error."""
        return self.force @ self.operating_point.direction(3) / self.width

    @property
    def pitching(self) -> np.ndarray:
        """(n,) about the quarter chord of the strip's cut, nose up positive [N]."""
        arm = np.array([cut.quarter for cut in self.cuts]) - self.about
        return (self.moment - np.cross(arm, self.force)) @ self.axis / self.width

    @property
    def cl(self) -> np.ndarray:
        """(n,) lift / (q c) with the chord of the cut; nan where nothing is cut."""
        return self._coefficient(self.lift, 1)

    @property
    def cd(self) -> np.ndarray:
        """(n,) drag / (q c)."""
        return self._coefficient(self.drag, 1)

    @property
    def cm(self) -> np.ndarray:
        """(n,) pitching / (q c^2)."""
        return self._coefficient(self.pitching, 2)

    @property
    def loading(self) -> np.ndarray:
        """(n,) cl c/c_ref = lift / (q c_ref): what an elliptic wing has as a half ellipse."""
        return self.lift / (self.operating_point.dynamic_pressure * self.reference_length)

    def _coefficient(self, load: np.ndarray, power: int) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = load / (self.operating_point.dynamic_pressure * self.chord**power)
        return np.where(self.chord > 0, found, np.nan)

    def rows(self) -> list[dict[str, float]]:
        """One row per strip, for tables and ``--json`` output."""
        columns = (self.station, self.width, self.chord, self.lift, self.drag, self.pitching, self.cl, self.cd, self.cm, self.loading)
        return [dict(zip(_COLUMNS, (float(x) for x in row), strict=True)) for row in zip(*columns, strict=True)]

    def to_dict(self) -> dict[str, object]:
        """Plain data, for ``--json`` output."""
        return {
            "rows": self.rows(),
            "total_force": self.total_force.tolist(),
            "total_moment": self.total_moment.tolist(),
            "root": self.root,
            "bending": list(self.bending),
            "axis": self.axis.tolist(),
            "about": self.about.tolist(),
            "reference_length": self.reference_length,
            "notes": list(self.notes),
        }

    def write(self, path: str | Path) -> Path:
        """Write the table as .csv, or the cuts with Cp, x/c and the loads of their strips as .vtp.

        Raises:
            ConfigurationError: another suffix. UnwritableFileError: the file cannot be written.
        """
        path = Path(path)
        if path.suffix == ".vtp":
            return write_case(self._cuts_case(), path)
        if path.suffix != ".csv":
            raise ConfigurationError(f"'{path.name}' is neither .csv nor .vtp", where="SectionalLoads.write", remedy="loads.csv, or cuts.vtp")
        with replacing(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, _COLUMNS)
            table.writeheader()
            table.writerows(self.rows())
        return path

    def _cuts_case(self) -> Case:
        counts = [len(cut.points) for cut in self.cuts]
        before = np.cumsum([0, *counts])
        lines = np.concatenate([cut.lines + start for cut, start in zip(self.cuts, before, strict=False)])
        mesh = Mesh(np.concatenate([cut.points for cut in self.cuts]), Cells.of(line=lines), name=f"{self.case.name} cuts")
        fields = [
            Field(QUANTITIES["pressure_coefficient"], np.concatenate([cut.pressure_coefficient for cut in self.cuts])),
            Field(Quantity("chordwise", "x/c"), np.concatenate([cut.chordwise for cut in self.cuts])),
        ]
        for name, unit, values in (("station", "m", self.station), ("lift_per_span", "N/m", self.lift), ("section_lift_coefficient", "1", self.cl)):
            fields.append(Field(Quantity(name, name, unit), np.repeat(values, counts)))
        return Case(mesh, self.operating_point).with_fields(*fields)

    def __str__(self) -> str:
        rows = [_COLUMNS, *[[f"{x:.5g}" for x in row.values()] for row in self.rows()]]
        width = [max(len(row[k]) for row in rows) for k in range(len(_COLUMNS))]
        lines = ["  " + "  ".join(x.rjust(w) for x, w in zip(row, width, strict=True)) for row in rows]
        total = ", ".join(f"{x:.6g}" for x in self.total_force)
        ends = f"{self.bending[0]:.6g} and {self.bending[1]:.6g} N m"
        return "\n".join(
            [
                f"loads along the span of '{self.case.name}', c_ref {self.reference_length:.6g} m",
                *lines,
                f"  sum of the strips = total force ({total}) N; bending moments at {self.root:.6g} m: {ends}",
                *[f"  note: {note}" for note in self.notes],
            ]
        )


def sectional_loads(
    case_or_result: Case | Result,
    axis: Literal["span"] | Sequence[float] = "span",
    stations: int | Sequence[float] = 40,
    *,
    patches: Sequence[str] | None = None,
    reference_length: float | None = None,
    reference_point: Sequence[float] | None = None,
    root: float | None = None,
    density: float | None = None,
    pressure_unit: PressureUnit | None = None,
    reference_pressure: float = 0.0,
) -> SectionalLoads:
    """Loads on strips of a body in space between planes across its span.

    Facets are cut exactly at the planes, and the linear pressure on them is integrated exactly, moments included: the strips sum to the total to
    rounding, whatever the stations. Facets with four or more corners count as fans of triangles about their middles.

    Args:
        case_or_result: a body with pressure or Cp on its wall, and friction if there is some; with an operating point.
        axis: of the span; ``span`` is y.
        stations: number of equal strips, or the planes [m] along the axis; the ends of the wall count where planes stop short of them.
        patches: names; None takes the wall.
        reference_length: c_ref [m]; None takes the operating point's, or the longest chord.
        reference_point: (3,) of the moments [m]; None the origin.
        root: station of the bending moments [m]; None takes 0 if the wall reaches across it, else the end nearer to it.
        density, pressure_unit, reference_pressure: as for :func:`geoop.results.forces.forces`.

    Raises:
        InvalidMeshError: a section, or no wall. ConditionError: no operating point.
        ConfigurationError: an axis without length, no strip, or planes that do not increase or miss the wall.
        PatchError, FieldError, NonFiniteError, UnitError: as for :func:`geoop.results.forces.forces`.
    """
    case = case_or_result.case if isinstance(case_or_result, Result) else case_or_result
    point = case.operating_point
    if point is None:
        raise ConditionError("lift and drag need the free stream", where=case.name, remedy="give the case an OperatingPoint(velocity=..., alpha=...)")
    unit = _axis(axis)
    named = None if patches is None else (patches,) if isinstance(patches, str) else tuple(patches)
    wall = wall_triangles(case, named, point.density if density is None else density, pressure_unit, reference_pressure)
    place = wall.points @ unit
    edges = _edges(stations, float(place.min()), float(place.max()))
    about = np.zeros(3) if reference_point is None else np.asarray(reference_point, dtype=np.float64)
    order = np.argsort(place, axis=1, kind="stable")
    whole = wall.integral(np.broadcast_to(np.eye(3), (len(place), 3, 3)), np.ones(len(place)), np.arange(len(place)), about)
    at = 0.0 if root is None and place.min() < 0.0 < place.max() else root
    at = float(place.flat[np.argmin(np.abs(place))]) if at is None else float(at)
    below = [_below(wall, place, order, whole, about, edge) for edge in (*edges[1:-1], at)]
    total = whole.sum(axis=0)
    ends = np.array([np.zeros(6), *below[:-1], total])
    strips = np.diff(ends, axis=0)
    cuts = tuple(wall_cut(wall, unit, float(s), point) for s in 0.5 * (edges[:-1] + edges[1:]))
    length = reference_length or point.reference_length or max(cut.chord for cut in cuts)
    bending = _bending(below[-1], total, unit, about, at, point)
    return SectionalLoads(
        edges, strips[:, :3], strips[:, 3:], total[:3], total[3:], at, bending, cuts, unit, about, length, point, case, wall.notes
    )  # fmt: skip


def _axis(axis: Literal["span"] | Sequence[float]) -> np.ndarray:
    if isinstance(axis, str):
        if axis != "span":
            raise ConfigurationError(f"no axis '{axis}'", where="sectional_loads", remedy="axis='span', or a vector such as (0, 1, 0)")
        return np.array([0.0, 1.0, 0.0])
    vector = np.asarray(axis, dtype=np.float64)
    if vector.shape != (3,) or not np.isfinite(vector).all() or not vector.any():
        raise ConfigurationError(f"axis is {axis}", where="sectional_loads", remedy="a vector with length, such as (0, 1, 0)")
    return vector / np.linalg.norm(vector)


def _edges(stations: int | Sequence[float], low: float, high: float) -> np.ndarray:
    """(n + 1,) planes from one end of the wall to the other."""
    if isinstance(stations, (int, np.integer)):
        if stations < 1 or not high > low:
            raise ConfigurationError(
                f"{stations} strips over {high - low:.4g} m", where="sectional_loads", remedy="at least one, on a body with extent along the axis"
            )
        return np.linspace(low, high, int(stations) + 1)
    planes = np.asarray(stations, dtype=np.float64)
    if planes.ndim != 1 or not len(planes) or not np.isfinite(planes).all() or (np.diff(planes) <= 0).any():
        raise ConfigurationError(f"stations {stations}", where="sectional_loads", remedy="a number of strips, or increasing planes in metres")
    inner = planes[(planes > low) & (planes < high)]
    if not len(inner) and (planes.max() < low or planes.min() > high):
        raise ConfigurationError(
            f"no station cuts the wall, which reaches from {low:.4g} to {high:.4g} m", where="sectional_loads", remedy="give planes between"
        )
    return np.array([low, *inner, high])


def _below(wall: WallTriangles, place: np.ndarray, order: np.ndarray, whole: np.ndarray, about: np.ndarray, edge: float) -> np.ndarray:
    """(6,) force and moment of what lies on the low side of a plane."""
    s = np.take_along_axis(place, order, axis=1)
    done = whole[s[:, 2] <= edge].sum(axis=0)
    rows = np.flatnonzero((s[:, 0] < edge) & (s[:, 2] > edge))
    if not len(rows):
        return done
    s, order = s[rows], order[rows]
    low = edge <= s[:, 1]  # the smaller part is a triangle at the lowest corner, or what is beyond is one at the highest
    tip = np.where(low, 0, 2)
    others = np.where(low[:, None], [1, 2], [0, 1])
    k = np.arange(len(rows))
    share = (edge - s[k, tip])[:, None] / (s[k[:, None], others] - s[k, tip][:, None])
    corners = np.zeros((len(rows), 3, 3))
    corners[k, :, order[k, tip]] = 1.0
    for j in range(2):
        corners[k, j + 1, order[k, tip]] = 1.0 - share[:, j]
        corners[k, j + 1, order[k, others[:, j]]] = share[:, j]
    part = wall.integral(corners, share.prod(axis=1), rows, about)
    return done + np.where(low[:, None], part, whole[rows] - part).sum(axis=0)


def _bending(below: np.ndarray, total: np.ndarray, axis: np.ndarray, about: np.ndarray, root: float, point: OperatingPoint) -> tuple[float, float]:
    """Moments of the outer loads about the root, up-bending positive."""
    at = about + (root - about @ axis) * axis
    along = np.cross(axis, point.lift_direction(3))
    beyond, before = (part[3:] - np.cross(at - about, part[:3]) for part in (total - below, below))
    return float(beyond @ along), -float(before @ along)


def wall_cut(wall: WallTriangles, axis: np.ndarray, station: float, point: OperatingPoint) -> WallCut:
    """The wall on a plane across the span, with its Cp; chord and quarter chord as those of a section.

    Args:
        wall: its triangles. axis: (3,) unit vector. station: [m]. point: for the dynamic pressure and where backward is.
    """
    above = wall.points @ axis >= station
    rows = np.flatnonzero(above.any(axis=1) & ~above.all(axis=1))
    if not len(rows):
        return WallCut(np.zeros((0, 3)), np.zeros((0, 2), dtype=np.int64), np.zeros(0), 0.0, station * axis, np.zeros(0))
    sides = np.array([[0, 1], [1, 2], [2, 0]])
    crossed = above[rows][:, sides[:, 0]] != above[rows][:, sides[:, 1]]  # two of three
    row, side = np.nonzero(crossed)
    ends = sides[side]
    ends = np.where((wall.key[rows[row], ends[:, 0]] > wall.key[rows[row], ends[:, 1]])[:, None], ends[:, ::-1], ends)  # one order for both triangles
    a, b = (wall.points[rows[row], ends[:, k]] for k in range(2))
    t = ((station - a @ axis) / ((b - a) @ axis))[:, None]
    _, first, number = np.unique(
        np.stack([wall.key[rows[row], ends[:, k]] for k in range(2)], axis=1), axis=0, return_index=True, return_inverse=True
    )
    pressure = [wall.pressure[rows[row], ends[:, k]] for k in range(2)]
    points = (a + t * (b - a))[first]
    values = (pressure[0] + t[:, 0] * (pressure[1] - pressure[0]))[first] / point.dynamic_pressure
    lines = number.reshape(-1, 2)
    chord, nose, back = _chord(points, lines, axis, point)
    return WallCut(points, lines, values, chord, nose + 0.25 * chord * back, (points - nose) @ back / chord if chord > 0 else np.zeros(len(points)))


def _chord(points: np.ndarray, lines: np.ndarray, axis: np.ndarray, point: OperatingPoint) -> tuple[float, np.ndarray, np.ndarray]:
    """Length, leading edge and direction of the chord of a cut: as of a section, or else from its first to its last point along the stream."""
    back = np.array([1.0, 0.0, 0.0]) - axis[0] * axis
    back = back if np.linalg.norm(back) > 1e-6 else point.direction(3) - (point.direction(3) @ axis) * axis
    back /= np.linalg.norm(back)
    up = np.cross(back, axis)
    flat = np.stack([points @ back, points @ up], axis=1)
    try:
        line = chord_line(Mesh(flat, Cells.of(line=lines), name="cut"))
    except GeoopError:
        first, last = int(np.argmin(flat[:, 0])), int(np.argmax(flat[:, 0]))
        nose, tail = points[first], points[last]
    else:
        nose, tail = (x[0] * back + x[1] * up + (points[0] @ axis) * axis for x in (line.leading_edge, line.trailing_edge))
    length = float(np.linalg.norm(tail - nose))
    return length, nose, (tail - nose) / length if length > 0 else back
