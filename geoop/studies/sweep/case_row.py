"""What a study says about one case: coefficients with their source, the pressure peak, stagnation points, confidence, control."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import GeoopError, InvalidMeshError
from ...interfaces.result import Result
from ...mesh.body import body, body_cells
from ...mesh.case import Case
from ...mesh.measure import point_weights
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import Field
from ...results.forces import Forces, forces
from ...results.metrics import relative_l2
from ...results.section_drag import boundary_layer_drag
from ...results.section_points import section_points
from ...truth.panels.predictor import PanelPredictor, reversed_sections
from .geometries import Geometry
from .study_file import StudySettings
from .table import finite

#: Source of the drag of a viscous flow without friction on its wall.
PRESSURE_ONLY = "field: pressure part only"


def wall_case(case: Case) -> Case:
    """The body of a case as a case of its own, with the point fields on it and those of the case as a whole."""
    cells = body_cells(case.mesh, case.wall)
    used = np.unique(cells.connectivity)
    outline = body(case.mesh, case.wall)
    fields = {name: Field(item.quantity, item.values[used], "point") for name, item in case.fields.items() if item.location == "point"}
    fields |= {name: item for name, item in case.fields.items() if item.location == "global"}
    return replace(case, mesh=outline, fields=fields, wall=None)


def inputs(name: str, geometry: Geometry, point: OperatingPoint) -> dict[str, Any]:
    """The columns that are known before a case is computed."""
    return {
        "case": name,
        "geometry": geometry.name,
        "alpha [deg]": point.alpha,
        "beta [deg]": point.beta if geometry.mesh.dimension == 3 else None,
        "velocity [m/s]": point.velocity,
        "Re": point.reynolds,
        "Mach": point.mach,
        "reference_length [m]": geometry.length,
        **geometry.parameters,
    }


def outputs(result: Result, geometry: Geometry, point: OperatingPoint, settings: StudySettings, seconds: float) -> dict[str, Any]:
    """The columns of a case that was computed."""
    found, note = _forces(result, geometry)
    drag, source, message = _drag(result, found, point, settings)
    lift = None if found is None else found.CL
    errors = {name: result.verdict.expected_errors.get(name) for name in ("CL", "CD", "CM")}
    row = {
        "CL": lift,
        "CD": drag,
        "CD source": source,
        "CM": None if found is None else found.CM,
        **_places(result, found),
        "L/D": lift / drag if lift is not None and drag and source != PRESSURE_ONLY else None,
        **{f"{name} error": value for name, value in errors.items()},
        "level": result.verdict.level,
        "reason": result.verdict.reason,
        "outcome": result.outcome.status,
        "message": "; ".join(text for text in (result.outcome.detail, note, message) if text),
        "seconds": seconds,
    }
    return finite(row.items())


def control(panels: PanelPredictor, wall: Case, geometry: Geometry, point: OperatingPoint) -> dict[str, Any]:
    """The panel method on the same section: CL, CM, and how far the wall's Cp is from it in the L2 norm along the wall.

    Raises:
        InvalidMeshError: panels cannot be trusted on the section, or would take its nose for the trailing edge.
    """
    bare = replace(point, viscosity=None, mach=None)
    system = panels.system(body(geometry.mesh, geometry.wall))
    if found := reversed_sections(system):
        raise InvalidMeshError(found, where=geometry.name, remedy="turn the section so that its tail has the larger x")
    flow = system.flow(bare)
    row = {"CL panels": flow.lift_coefficient, "CM panels": flow.moment_coefficient}
    if "pressure_coefficient" in wall.fields:
        speed = system.surface_velocity(wall.mesh.points, [bare])[0]
        truth = 1.0 - (speed**2).sum(axis=1) / point.velocity**2
        error = relative_l2(wall.field("pressure_coefficient").values, truth, point_weights(wall.mesh))
        row["Cp L2 panels [%]"] = 100.0 * float(error)
    return finite(row.items())


def _forces(result: Result, geometry: Geometry) -> tuple[Forces | None, str]:
    """Forces on the wall, or why there are none."""
    if not {"pressure", "pressure_coefficient"} & set(result.fields):
        return None, "no forces: the model predicts no pressure"
    try:
        area = geometry.area if result.mesh.dimension == 3 else None
        return forces(result, reference_area=area, reference_length=geometry.length, reference_point=geometry.point), ""
    except GeoopError as error:
        return None, f"no forces: {error.message}"


def _drag(result: Result, found: Forces | None, point: OperatingPoint, settings: StudySettings) -> tuple[float | None, str, str]:
    """CD, where it comes from, and what to know about it."""
    if found is None:
        return None, "none", ""
    if found.CD is not None:
        return found.CD, "field" if found.total.friction.any() else PRESSURE_ONLY, ""
    none = "pressure only: none" if result.viscous else "inviscid: none"
    if settings.drag != "boundary layer" or result.mesh.dimension == 3:
        return None, none, ""
    try:
        drag = boundary_layer_drag(result, reynolds=point.reynolds)
    except GeoopError as error:
        return None, none, f"no boundary layer: {error.message}"
    return drag.CD, "boundary layer", drag.note


def _places(result: Result, found: Forces | None) -> dict[str, Any]:
    """Centre of pressure on the chord, pressure peak and stagnation points; of sections in chords, in space in metres."""
    row: dict[str, Any] = {"x_cp/c": None, "Cp min": None, "x/c of Cp min": None, "stagnation points": None}
    try:
        places = section_points(result, loads=found)
    except GeoopError:
        return row
    row |= {"x_cp/c": places.center_of_pressure, "Cp min": places.lowest, "stagnation points": str(places) or None}
    if result.mesh.dimension == 2 and places.lowest_at is not None:
        row["x/c of Cp min"] = float(places.lowest_at[0])
    return row
