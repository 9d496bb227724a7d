"""Pressures that geoop solves for itself on the wall of a section: what a surrogate that corrects them is given, with no file that holds them.

A surrogate declares that it wants one by its name, as an input or as the field that its difference is added to. Where a case does not have it, it is
computed on the case's own section and operating point: the user gives a section and a condition, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from scipy.interpolate import CubicSpline

from ..errors import ConditionError, InvalidMeshError
from ..graph.cache import ContentCache
from ..mesh.body import body
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from ..mesh.operating_point import OperatingPoint
from ..mesh.primitives import ring
from ..mesh.quantity import QUANTITIES, Field
from ..scaling.framing import Framing
from ..truth.boundary_layer.displacement import displaced_speed
from ..truth.datasets.uiuc import closed_edge
from ..truth.panels.section_curve import SectionCurve, section_curve
from ..truth.panels.system import PanelSystem

_CP = QUANTITIES["pressure_coefficient"]
#: Cp of the panel method, inviscid.
INVISCID = replace(_CP, name="inviscid_pressure_coefficient", symbol="Cp_inviscid")
#: Cp of the panel method on the section with the displacement of its turbulent boundary layer, see :mod:`geoop.truth.boundary_layer.displacement`.
DISPLACED = replace(_CP, name="displaced_pressure_coefficient", symbol="Cp_displaced")
#: The file airfrans_surface divides a kinematic pressure by a dynamic pressure of this density [kg/m^3]: stagnation points have 1/1.184 in it, not 1.
PUBLISHED_DENSITY = 1.184
#: The displaced pressure times that density: what a model that learned the file's numbers beyond the displaced pressure adds its answer to, once that is
#: multiplied by the density as well.
REFERRED = replace(_CP, name="displaced_pressure_coefficient_times_published_density", symbol="Cp_referred")
#: What can be solved for, by the name under which it is asked for.
SOLVED = {item.name: item for item in (INVISCID, DISPLACED, REFERRED)}
#: Panels of a section; its points are joined by the spline of the panel method.
PANELS = 240
#: Thinner trailing edges are refused [deg].
SMALLEST_EDGE_ANGLE = 3.0
#: Points of a ring, as many as the public RANS sections have, and the angle of its first one: x/c = (1 + cos)/2 ends 0.001 chords ahead of the
#: trailing edge, whose own pressure is singular.
RING_POINTS, FIRST = 140, 0.063
_FINE = 4000


def unsolved(case: Case, framing: Framing) -> tuple[str, ...]:
    """What can be solved for of the functions that a model is given and the fields that its differences are added to, as far as the case has it not."""
    wanted = {item.name for item in framing.functions} | {name for _, name in framing.beyond}
    return tuple(sorted(name for name in wanted if name in SOLVED and name not in case.fields))


def solutions(case: Case) -> dict[str, Field]:
    """What a case has of it."""
    return {name: item for name, item in case.fields.items() if name in SOLVED}


def without_solutions(case: Case) -> Case:
    """The case without what can be solved for: at another operating point that has other values."""
    return replace(case, fields={name: item for name, item in case.fields.items() if name not in SOLVED})


def with_solutions(cases: Sequence[Case], names: Iterable[str], cache: ContentCache | None = None, *, panels: int | None = PANELS) -> list[Case]:
    """Cases on one outline with the named solutions at its points; the panel equations are solved once for all operating points.

    Args:
        cases: of one mesh, a bare section; their operating points differ.
        names: of :data:`SOLVED`.
        cache: keeps the solved equations by the outline.
        panels: of the section; None takes its own points as their ends.

    Raises:
        ConditionError: no operating point, sideslip, a Mach number, or no viscosity where a boundary layer is asked for.
        InvalidMeshError: not one closed section with a trailing edge.
    """
    names = tuple(names)
    if not names or not cases:
        return list(cases)
    outline, points = body(cases[0].mesh, cases[0].wall), [_point(case) for case in cases]
    if len(outline.points) != len(cases[0].mesh.points):
        raise InvalidMeshError(
            "the panel method gives pressures on the wall alone, and the mesh has other points",
            where=cases[0].name,
            remedy="pass the bare section: mesh.skin(), or section_ring(outline)",
        )
    cache = ContentCache() if cache is None else cache
    system = cache.fetch(lambda: _solved(outline, panels), "panels", outline.points, outline.cells.connectivity, panels)
    place = _places(system.curve, cases[0].mesh.points)
    fields: list[list[Field]] = [[] for _ in cases]
    displaced = displaced_speed(system, points) if set(names) - {INVISCID.name} else np.zeros(0)
    for name in names:
        found = system.speed(points) if name == INVISCID.name else displaced
        factor = PUBLISHED_DENSITY if name == REFERRED.name else 1.0
        at_points = CubicSpline(system.bodies[0].parameters, found)(place)
        for own, point, values in zip(fields, points, at_points.T, strict=True):
            own.append(Field(SOLVED[name], factor * (1.0 - (values / point.velocity) ** 2)))
    return [case.with_fields(*own) for case, own in zip(cases, fields, strict=True)]


def section_ring(outline: Mesh, count: int = RING_POINTS) -> Mesh:
    """A section on a ring of points as the surrogates of its pressure were trained on, whatever points its file has.

    The trailing edge is closed where it is blunt, see :func:`geoop.truth.datasets.uiuc.closed_edge`, and the ring ends 0.001 chords ahead of it on both
    sides; x/c = (1 + cos)/2 at equal steps of the angle. What was changed is said in the notes of the mesh.

    Args:
        outline: one closed section [m], any start, order and orientation; or a mesh whose wall patches form one.
        count: points, even.

    Raises:
        InvalidMeshError: 3-D, open, several loops, crossing itself, or without a trailing edge.
    """
    curve = section_curve(outline)
    if curve.smooth:
        raise InvalidMeshError(
            "the trailing edge is round: no Kutta condition, no lift by the panel method",
            where=outline.name,
            remedy="give the section a sharp or blunt trailing edge",
        )
    notes = [f"{count} points at equal steps of the angle, from a section of {len(curve.ring)}; they end 0.001 chords ahead of the trailing edge"]
    if curve.gap > 0.0:
        notes.append(f"the trailing edge, {100 * curve.gap / curve.chord:.3g} % of the chord thick, was closed over the last 5 % of the chord")
        curve = section_curve(closed_edge(curve))
    z = curve.points(_at_angles(curve, np.linspace(FIRST, 2.0 * np.pi - FIRST, count)))
    found = ring(np.stack([z.real, z.imag], axis=1), outline.name)
    return Mesh(found.points, found.cells, found.patches, name=outline.name, notes=(*outline.notes, *notes))


def _at_angles(curve: SectionCurve, angle: np.ndarray) -> np.ndarray:
    """Parameters of a curve at which x/c = (1 + cos)/2, the angle running from the trailing edge over the upper side and back."""
    nose, end = curve.nose, float(curve.length[-1])
    leading = complex(curve.points(np.array([nose]))[0])
    found = np.empty(len(angle))
    for part, begin, wanted in ((angle <= np.pi, 0.0, angle), (angle > np.pi, end, 2.0 * np.pi - angle)):
        s = begin + (nose - begin) * 0.5 * (1.0 - np.cos(np.linspace(0.0, np.pi, _FINE)))
        x = ((curve.points(s) - leading) / (curve.edge - leading)).real
        along = np.maximum.accumulate(np.arccos(np.clip(2.0 * x - 1.0, -1.0, 1.0)))
        found[part] = np.interp(wanted[part], along, s)
    return found


def _solved(outline: Mesh, panels: int | None) -> PanelSystem:
    return PanelSystem(outline, panels, smallest_edge_angle=SMALLEST_EDGE_ANGLE)


def _places(curve: SectionCurve, points: np.ndarray) -> np.ndarray:
    """(n,) parameters of the points that a curve goes through."""
    away = np.abs(curve.ring - (points @ np.array([1.0, 1j]))[:, None])
    return curve.length[np.argmin(away, axis=1)]


def _point(case: Case) -> OperatingPoint:
    if case.operating_point is None:
        raise ConditionError("no operating point", where=case.name, remedy="Case(mesh, OperatingPoint(velocity=..., alpha=..., viscosity=...))")
    return case.operating_point
