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
from .cell_functions import CellFunctions
from .conservative import Supermesh
from .facets import nearest_cells
from .interpolation import Outside, brought_in, interpolated, nearest_corners, owners
from .moving_least_squares import moving_least_squares

Method = Literal["p1", "conservative", "moving-least-squares"]
#: (values (n, k) at points or cells) -> (m, k)
Carry = Callable[[np.ndarray], np.ndarray]


def transfer(case: Case, mesh: Mesh, *, method: Method = "p1", outside: Outside = "nearest") -> Case:
    """A case with its fields on another mesh; the patches and zones are those of that mesh.

    - ``p1``: the finite-element function at the new points (:func:`interpolated`); cell values by the linear function of the cell that
      holds the new centre (:class:`~geoop.solve.transfer.cell_functions.CellFunctions`). What lies across a slit or a thin wall
      has no share in either.
    - ``conservative``: L2 projection over the exact overlaps of the cells, in 2-D and 3-D (:class:`Supermesh`). Keeps integrals.
    - ``moving-least-squares``: linear fits through the nearest points; needs no cells, so clouds will do.

    All three carry constants and linear functions exactly, at points and in cells (those of cells as means), wherever the new mesh
    lies in the old one. Scalars, vectors and tensors are carried component by component, all at once: what is prepared for one field
    serves for all. Integers and truth values (numbers of zones and the like) have nothing between them: each place gets those of the
    cell that holds it, or of the nearest point of that cell (of clouds, of the nearest). Facets, wires and other cells of lower dimension
    than the region beside them get those of the nearest cell of their own dimension. Global fields stay. Numbers and vectors imposed on
    whole patches stay where the new mesh has the patch; values along patches do not, and the mesh's notes say so.

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
    carries, counted = _carries(case.mesh, mesh, method, outside), _counted(case.mesh, mesh, method, outside)
    for location in carries:
        of_place = [field for field in case.fields.values() if field.location == location]
        for field in of_place:
            if field.values.dtype.kind in "biu":
                values = counted[location](field.values.reshape(len(field.values), -1))
                fields[field.name] = Field(field.quantity, values.reshape(len(values), *field.values.shape[1:]), location)
        chosen = [field for field in of_place if field.values.dtype.kind == "f"]
        if not chosen:
            continue
        columns = [field.values.reshape(len(field.values), -1).astype(np.float64) for field in chosen]
        answer = carries[location](np.concatenate(columns, axis=1))
        stops = np.cumsum([part.shape[1] for part in columns])
        for field, values in zip(chosen, np.split(answer, stops[:-1], axis=1), strict=True):
            fields[field.name] = Field(field.quantity, values.reshape(len(values), *field.values.shape[1:]), location)
    kept, notes = _boundary(case, mesh)
    wall = None if case.wall is None else tuple(name for name in case.wall if name in mesh.patches)
    mesh = replace(mesh, notes=(*mesh.notes, *notes)) if notes else mesh
    return Case(
        mesh, case.operating_point, {name: fields[name] for name in case.fields}, kept, wall if wall or not case.wall else None, case.time, case.name
    )


def _carries(old: Mesh, new: Mesh, method: str, outside: Outside) -> dict[Location, Carry]:
    """What carries values of points and of cells; those of cells dimension by dimension."""
    if method == "moving-least-squares":
        return {
            "point": lambda values: moving_least_squares(old.points, brought_in(old, new.points, outside))[0] @ values,
            "cell": _by_dimension(old, new, lambda a, b, values: _between_centres(old, new, a, b, values, outside)),
        }
    if method == "p1":
        return {
            "point": lambda values: interpolated(old, values, new.points, outside=outside, toward=_beside(new)),
            "cell": _by_dimension(old, new, lambda a, b, values: _of_holding_cells(old, new, a, b, values, outside)),
        }
    made: list[Supermesh] = []  # cut once, when the first field asks for it

    def cut() -> Supermesh:
        if not made:
            made.append(Supermesh.of(old, new))
        return made[0]

    def projected(a: np.ndarray, b: np.ndarray, values: np.ndarray) -> np.ndarray:
        whole = np.zeros((len(old.cells), values.shape[1]))
        whole[a] = values
        return cut().cells(whole, outside=outside)[b]

    return {"point": lambda values: cut().points(values, outside=outside), "cell": _by_dimension(old, new, projected)}


def _counted(old: Mesh, new: Mesh, method: str, outside: Outside) -> dict[Location, Carry]:
    """What carries numbers that have nothing between them: of the nearest point of the cell that holds a place, and of that cell."""
    if method == "moving-least-squares":
        return {
            "point": lambda values: values[cKDTree(old.points).query(new.points)[1]],
            "cell": _by_dimension(old, new, lambda a, b, values: values[cKDTree(cell_centers(old)[a]).query(cell_centers(new)[b])[1]]),
        }
    return {
        "point": lambda values: values[nearest_corners(old, new.points, outside=outside, toward=_beside(new))],
        "cell": _by_dimension(old, new, lambda a, b, values: _taken(old, owners(old, cell_centers(new)[b], outside)[0], a, values)),
    }


def _by_dimension(old: Mesh, new: Mesh, top: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Carry:
    """Cells of the highest dimension by a method, (rows, new rows, values) -> new values; facets and wires beside them from their own kind."""
    kinds, wanted = old.cells.dimensions, new.cells.dimensions
    highest = old.cells.dimension

    def carry(values: np.ndarray) -> np.ndarray:
        out = np.zeros((len(wanted), values.shape[1]), dtype=values.dtype)
        for k in np.unique(wanted):
            # a kind that the old mesh lacks takes what is there: a facet the value of the region beside it
            rows, here = np.flatnonzero(kinds == (k if (kinds == k).any() else highest)), np.flatnonzero(wanted == k)
            if k == highest:
                out[here] = top(rows, here, values[rows])
            else:
                out[here] = values[rows[nearest_cells(old, rows, new, here)]]
        return out

    return carry


def _between_centres(old: Mesh, new: Mesh, rows: np.ndarray, here: np.ndarray, values: np.ndarray, outside: Outside) -> np.ndarray:
    return moving_least_squares(cell_centers(old)[rows], brought_in(old, cell_centers(new)[here], outside))[0] @ values


def _of_holding_cells(old: Mesh, new: Mesh, rows: np.ndarray, here: np.ndarray, values: np.ndarray, outside: Outside) -> np.ndarray:
    """Each new centre gets the linear function of the cell that holds it, and no share of what lies across a slit."""
    cell, places = owners(old, cell_centers(new)[here], outside)
    number = np.full(len(old.cells), -1)
    number[rows] = np.arange(len(rows))
    functions = CellFunctions.of(old, rows, cell_centers(old)[rows])
    own = number[cell]
    return values[own] + np.einsum("md,mdk->mk", places - functions.centres[own], functions.slopes(values)[own])


def _taken(old: Mesh, cell: np.ndarray, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values (k, c) of the cells ``rows`` at cells (m,) among them."""
    number = np.full(len(old.cells), -1)
    number[rows] = np.arange(len(rows))
    return values[number[cell]]


def _beside(mesh: Mesh) -> np.ndarray:
    """(n, d) for every point the centre of a cell that has it: the side of a slit that it is on."""
    top = np.flatnonzero(mesh.cells.dimensions == mesh.cells.dimension)
    cells = mesh.cells.take(top)
    owner = np.repeat(top, np.diff(cells.offsets))
    used, first = np.unique(cells.connectivity, return_index=True)
    out = np.array(mesh.points)
    out[used] = cell_centers(mesh)[owner[first]]
    return out


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
