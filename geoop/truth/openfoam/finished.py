"""A run that has ended as a case of geoop: fields of the last time, pressure in Pa, the traction on the walls, coefficients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import InvalidMeshError
from ...io.reading import read_case
from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import QUANTITIES, Field, Quantity
from ...mesh.topology import row_groups, sides
from .judging import Judgement, Signal
from .standing import EXPERIMENTAL, VALIDATED, standing_of

_SHEAR = "kinematic_wall_shear_stress"
_NAMES = {"Cd": "drag_coefficient", "Cl": "lift_coefficient", "CmPitch": "moment_coefficient"}
_OWN = {
    "amplitude": Quantity("lift_amplitude", "CL'"),
    "frequency": Quantity("shedding_frequency", "f", "1/s"),
    "strouhal": Quantity("strouhal_number", "St"),
}


def finished_case(folder: Path, operating_point: OperatingPoint | None = None, judgement: Judgement | None = None) -> Case:
    """The last time of a case on disk.

    Cell fields: velocity, kinematic_pressure and, with an operating point, pressure [Pa] (zero in the free stream), turbulence variables, and
    wall_shear_stress: the traction of the fluid on the wall [Pa] in the cells beside walls, zero elsewhere (OpenFOAM writes it divided by the
    density and with the opposite sign). ``case.boundary`` has the same per facet. Global fields: drag_coefficient, lift_coefficient,
    moment_coefficient (means over the last fifth or over whole periods); of periodic flows lift_amplitude, shedding_frequency and,
    with a reference length, strouhal_number. The notes of the mesh of a turbulent case say how far such settings are validated.

    Args:
        folder: of the case.
        operating_point: condition of the case; None leaves pressures and stresses divided by the density.
        judgement: with the coefficients.

    Raises:
        UnreadableFileError: no case, or damaged files.
    """
    case = read_case(folder)
    fields = dict(case.fields)
    boundary = {patch: dict(items) for patch, items in case.boundary.items()}
    fields.pop(_SHEAR, None)
    walls = tuple(name for name in (case.wall or ()) if _SHEAR in boundary.get(name, {}))
    if operating_point is not None:
        density = operating_point.density
        for items in (fields, *boundary.values()):
            if "kinematic_pressure" in items:
                items["pressure"] = Field(QUANTITIES["pressure"], density * items["kinematic_pressure"].values, items["kinematic_pressure"].location)
            if _SHEAR in items:
                items["wall_shear_stress"] = Field(QUANTITIES["wall_shear_stress"], -density * items.pop(_SHEAR).values, "facet")
        traction = [boundary[name]["wall_shear_stress"].values for name in walls]
        if walls:
            fields["wall_shear_stress"] = Field(QUANTITIES["wall_shear_stress"], _in_cells(case.mesh, walls, traction), "cell")
    fields |= {item.name: item for item in _global_fields(judgement, operating_point)}
    said = standing_of(folder)
    notes = case.mesh.notes + ((said,) if said else ())
    return replace(case, mesh=replace(case.mesh, notes=notes), operating_point=operating_point, fields=fields, boundary=boundary)


def on_plane(case: Case, mesh: Mesh) -> Case:
    """A case on the extruded mesh of a plane one, back on the plane: the same cells and facets, vectors without their third component.

    Args:
        case: of :func:`finished_case`.
        mesh: (n, 2) that was extruded, see :func:`geoop.io.openfoam.mesh_writing.extruded`.

    Raises:
        InvalidMeshError: the case has another mesh.
    """
    if len(case.mesh.cells) != len(mesh.cells) or len(case.mesh.points) != 2 * len(mesh.points):
        raise InvalidMeshError(
            f"{len(case.mesh.cells)} cells are not the extruded {len(mesh.cells)}",
            where=mesh.name,
            remedy="give the mesh that the case was written from",
        )
    fields = {name: _flat(item) for name, item in case.fields.items() if item.location in ("cell", "global")}
    boundary = {patch: {name: _flat(item) for name, item in items.items()} for patch, items in case.boundary.items() if patch in mesh.patches}
    said = tuple(note for note in case.mesh.notes if note in (EXPERIMENTAL, VALIDATED))
    return Case(replace(mesh, notes=mesh.notes + said), case.operating_point, fields, boundary, case.wall, case.time, mesh.name)


def _flat(item: Field) -> Field:
    return replace(item, values=item.values[..., :2]) if item.quantity.rank == 1 else item


def _in_cells(mesh: Mesh, walls: tuple[str, ...], traction: list[np.ndarray]) -> np.ndarray:
    """(cells, d) the traction of the facets of each cell (their mean where it has several), zero off the wall."""
    owner = np.concatenate([_owners(mesh, name) for name in walls])
    values = np.concatenate(traction)
    count = np.bincount(owner, minlength=len(mesh.cells))
    sums = np.stack([np.bincount(owner, weights=column, minlength=len(mesh.cells)) for column in values.T], axis=1)
    return sums / np.maximum(count, 1)[:, None]


def _owners(mesh: Mesh, patch: str) -> np.ndarray:
    """(facets,) the cell behind each facet of a patch on the outside of a volume mesh."""
    listed = sides(mesh, np.arange(len(mesh.points)))
    facets, width = mesh.patches[patch], listed.corners.shape[1]
    sizes = np.diff(facets.offsets)
    rows = np.full((len(facets), width), -1, dtype=np.int64)
    rows[np.arange(width) < sizes[:, None]] = facets.connectivity
    group = row_groups(np.concatenate([np.sort(listed.corners, axis=1), np.sort(rows, axis=1)]))
    cell_of = np.zeros(int(group.max()) + 1, dtype=np.int64)
    cell_of[group[: len(listed.owner)]] = listed.owner
    return cell_of[group[len(listed.owner) :]]


def _global_fields(judgement: Judgement | None, operating_point: OperatingPoint | None):
    for name, item in (judgement.signals if judgement else {}).items():
        if name in _NAMES:
            yield Field(QUANTITIES[_NAMES[name]], np.array(item.mean), "global")
    lift: Signal | None = judgement.signals.get("Cl") if judgement else None
    if lift is not None and lift.periodic and lift.frequency:
        yield Field(_OWN["amplitude"], np.array(lift.amplitude), "global")
        yield Field(_OWN["frequency"], np.array(lift.frequency), "global")
        if operating_point is not None and operating_point.reference_length is not None:
            strouhal = lift.frequency * operating_point.reference_length / operating_point.velocity
            yield Field(_OWN["strouhal"], np.array(strouhal), "global")
