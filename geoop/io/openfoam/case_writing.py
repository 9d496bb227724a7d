"""A case of geoop as the folder of an OpenFOAM case: mesh, fields of one time, and the dictionaries that OpenFOAM's tools ask for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import InvalidMeshError, UnwritableFileError
from ...mesh.body import wall_patches
from ...mesh.case import Case
from ...mesh.quantity import Field
from ..atomic import replacing
from ..writers.options import Options
from .dictionary_writing import write_dictionary
from .mesh_writing import extruded, write_poly_mesh
from .writing import write_fields

_CONTROL = {
    "application": "simpleFoam", "startFrom": "latestTime", "startTime": 0, "stopAt": "endTime", "endTime": 1000, "deltaT": 1,
    "writeControl": "timeStep", "writeInterval": 1000,
}  # fmt: skip
_NONE = {"default": "none"}
_SCHEMES: dict[str, object] = dict.fromkeys(
    ("ddtSchemes", "gradSchemes", "divSchemes", "laplacianSchemes", "interpolationSchemes", "snGradSchemes"), _NONE
)


def write_foam(case: Case, marker: Path, options: Options) -> tuple[str, ...]:
    """Write the case into the folder of ``marker``, and the empty marker (``case.foam``) by which ParaView opens it.

    The folder gets ``constant/polyMesh``, the cell and point fields at the time of the case (0 without one), and a ``system`` with which
    ``checkMesh`` and ``foamToVTK`` run; a solver needs schemes and boundary conditions of its own, see geoop.truth.openfoam. Existing
    dictionaries stay. Plane meshes become one layer of cells, one metre thick.

    Args:
        case: volume cells in 3-D, or plane ones. Patches of ``case.wall`` become walls; without, those that look like walls.
        marker: ``folder/name.foam``.
        options: ``text`` instead of binary.

    Returns:
        what the folder does not hold.

    Raises:
        InvalidMeshError, FieldError: cells, patches or fields that OpenFOAM does not have.
        UnwritableFileError: another mesh lies there that this marker does not belong to, or the disk says no.
    """
    root = marker.parent
    if (root / "constant" / "polyMesh").exists() and not marker.exists():
        raise UnwritableFileError(
            "there is an OpenFOAM mesh already", where=str(root), remedy=f"write to another folder, such as {root / 'new' / marker.name}"
        )
    solid = solid_case(case)
    write_poly_mesh(case.mesh, root / "constant" / "polyMesh", kinds=dict.fromkeys(_walls(case), "wall"), binary=not options.text)
    control: dict[str, object] = {**_CONTROL, "writeFormat": "ascii" if options.text else "binary"}
    files: dict[str, dict[str, object]] = {"controlDict": control, "fvSchemes": _SCHEMES, "fvSolution": {"solvers": {}}}
    for name, entries in files.items():
        if not (root / "system" / name).exists():
            write_dictionary(root / "system" / name, entries)
    time = 0.0 if case.time is None else case.time
    if any(item.location in ("cell", "point") for item in solid.fields.values()):
        write_fields(solid, root, time=time, overwrite=True)
    with replacing(marker) as beside:
        beside.write_bytes(b"")
    return tuple(_left_out(case))


def solid_case(case: Case) -> Case:
    """The case on volume cells: a plane one extruded, its vectors with a third component, values at points on both planes.

    Raises:
        InvalidMeshError: no volume cells and no plane ones.
    """
    if case.mesh.dimension == 3 and case.mesh.cell_dimension == 3:
        return case
    boundary = {patch: {name: _raised(item) for name, item in items.items()} for patch, items in case.boundary.items()}
    fields = {name: _raised(item) for name, item in case.fields.items()}
    return replace(case, mesh=extruded(case.mesh), fields=fields, boundary=boundary, operating_point=case.operating_point)


def _raised(item: Field) -> Field:
    values, rank = np.asarray(item.values), item.quantity.rank
    if rank:
        missing = 3 - values.shape[-1]
        values = np.pad(values, [(0, 0)] * (values.ndim - rank) + [(0, missing)] * rank)
    return Field(item.quantity, np.concatenate([values, values]) if item.location == "point" else values, item.location)


def _walls(case: Case) -> tuple[str, ...]:
    if case.wall is not None:
        return case.wall
    try:
        return wall_patches(case.mesh)
    except InvalidMeshError:  # nothing looks like a wall: all are plain patches
        return ()


def _left_out(case: Case):
    elsewhere = [name for name, item in case.fields.items() if item.location not in ("cell", "point")]
    if elsewhere:
        yield f"fields that are neither at cells nor at points are not written: {', '.join(elsewhere)}"
    if any(item.location == "facet" for items in case.boundary.values() for item in items.values()):
        yield "values on the facets of patches are not written: the patches have conditions by their type"
    if case.operating_point is not None:
        yield "the operating point is not written"
    if case.mesh.dimension == 2:
        yield "the plane mesh is written as one layer of cells, 1 m thick"
