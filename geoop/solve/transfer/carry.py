"""All fields of a case on another mesh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from scipy.spatial import cKDTree

from ...errors import ConfigurationError, FieldError, InvalidMeshError
from ...mesh.case import Case
from ...mesh.measure import cell_centers
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field, Location
from .conservative import Supermesh
from .interpolation import Outside, brought_in, interpolated
from .moving_least_squares import moving_least_squares

Method = Literal["p1", "conservative", "moving-least-squares"]
#: (values (n, k) at points or cells) -> (m, k)
Carry = Callable[[np.ndarray], np.ndarray]


def transfer(case: Case, mesh: Mesh, *, method: Method = "p1", outside: Outside = "nearest") -> Case:
    """A case with its fields on another mesh; the patches and zones are those of that mesh.

    - ``p1``: the finite-element function at the new points (:func:`interpolated`); cell values by a linear fit through the nearest
      cell centres.
    - ``conservative``: L2 projection over the exact overlaps of the cells, in 2-D and 3-D (:class:`Supermesh`). Keeps integrals.
    - ``moving-least-squares``: linear fits through the nearest points; needs no cells, so clouds will do.

    All three carry constants and linear functions exactly, at points and in cells (those of cells as means), wherever the new mesh
    lies in the old one. Scalars, vectors and tensors are carried component by component, all at once: what is prepared for one field
    serves for all. Integers and truth values (numbers of zones and the like) have nothing between them: each place gets those of the
    nearest point or cell. Global fields stay. Numbers and vectors imposed on whole patches stay where the new mesh has the patch; values
    along patches do not, and the mesh's notes say so.

    Args:
        case: with fields at points, in cells or global.
        mesh: where they are wanted.
        method: see above.
        outside: of points beyond the old mesh: value at the nearest boundary point, or an error.

    Raises:
        FieldError: fields on facets, or that are not numbers or not finite, all named; points outside where that is an error.
        InvalidMeshError: meshes of different dimensions, or of cells that the method cannot use.
        ConfigurationError: an unknown method.
    """
    if method not in get_args(Method):
        raise ConfigurationError(f"method is {method!r}", where="transfer", remedy=f"choose one of {list(get_args(Method))}")
    if outside not in get_args(Outside):
        raise ConfigurationError(f"outside is {outside!r}", where="transfer", remedy=f"choose one of {list(get_args(Outside))}")
    if case.mesh.dimension != mesh.dimension:
        raise InvalidMeshError(
            f"fields in {case.mesh.dimension}-D on a mesh in {mesh.dimension}-D", where=mesh.name, remedy="give a mesh of the same dimension"
        )
    _require_fields(case)
    fields = {name: field for name, field in case.fields.items() if field.location == "global"}
    carries = _carries(case.mesh, mesh, method, outside)
    for location, carry in carries.items():
        of_place = [field for field in case.fields.values() if field.location == location]
        counted = [field for field in of_place if field.values.dtype.kind in "biu"]
        if counted:
            nearest = _nearest(case.mesh, mesh, location)
            fields |= {field.name: Field(field.quantity, field.values[nearest], location) for field in counted}
        chosen = [field for field in of_place if field.values.dtype.kind == "f"]
        if not chosen:
            continue
        columns = [field.values.reshape(len(field.values), -1).astype(np.float64) for field in chosen]
        answer = carry(np.concatenate(columns, axis=1))
        stops = np.cumsum([part.shape[1] for part in columns])
        for field, values in zip(chosen, np.split(answer, stops[:-1], axis=1), strict=True):
            fields[field.name] = Field(field.quantity, values.reshape(len(values), *field.values.shape[1:]), location)
    kept, notes = _boundary(case, mesh)
    wall = None if case.wall is None else tuple(name for name in case.wall if name in mesh.patches)
    mesh = replace(mesh, notes=(*mesh.notes, *notes)) if notes else mesh
    return Case(
        mesh, case.operating_point, {name: fields[name] for name in case.fields}, kept, wall if wall or not case.wall else None, case.time, case.name
    )


def _nearest(old: Mesh, new: Mesh, location: Location) -> np.ndarray:
    """(m,) the nearest point, or cell by its middle, of the old mesh."""
    source, target = (mesh.points if location == "point" else cell_centers(mesh) for mesh in (old, new))
    return cKDTree(source).query(target)[1]


def _carries(old: Mesh, new: Mesh, method: str, outside: Outside) -> dict[Location, Carry]:
    if method == "conservative":
        made: list[Supermesh] = []  # cut once, when the first field asks for it

        def cut() -> Supermesh:
            if not made:
                made.append(Supermesh.of(old, new))
            return made[0]

        return {"point": lambda values: cut().points(values, outside=outside), "cell": lambda values: cut().cells(values, outside=outside)}
    return {
        "point": (lambda values: moving_least_squares(old.points, brought_in(old, new.points, outside))[0] @ values)
        if method == "moving-least-squares"
        else (lambda values: interpolated(old, values, new.points, outside=outside)),
        "cell": lambda values: moving_least_squares(cell_centers(old), brought_in(old, cell_centers(new), outside))[0] @ values,
    }


def _require_fields(case: Case) -> None:
    problems = []
    for field in case.fields.values():
        if field.location == "facet":
            problems.append(f"'{field.name}' lives on facets")
        elif field.location != "global" and (field.values.dtype.kind not in "biuf" or not np.isfinite(field.values).all()):
            problems.append(f"'{field.name}' has values that are not finite numbers")
    if problems:
        raise FieldError("; ".join(problems), where=case.name, remedy="bring fields to points or cells first, and leave out those with gaps")


def _boundary(case: Case, mesh: Mesh) -> tuple[dict[str, dict[str, Field]], list[str]]:
    """Values imposed on whole patches that the new mesh has, and sentences about the others."""
    kept: dict[str, dict[str, Field]] = {}
    dropped = []
    for patch, values in case.boundary.items():
        for name, field in values.items():
            if patch in mesh.patches and field.location == "global":
                kept.setdefault(patch, {})[name] = field
            else:
                dropped.append(f"{name} on '{patch}'")
    return kept, [f"boundary values left behind in a transfer: {', '.join(dropped)}"] if dropped else []
