"""The fields of a case on its repaired mesh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...errors import InvalidMeshError
from ..case import Case
from ..mesh import Mesh
from ..quantity import Field
from .draft import cells_of_patches
from .repairing import Repaired, split_parts


def carried(case: Case, repaired: Repaired) -> Case:
    """The case on the repaired mesh: values at the points and cells that are still there.

    Of points that became one the first keeps its value; where the others differed, a note on the mesh says so. New facets get NaN.

    Args:
        case: the case that ``repaired`` was made of: ``repair(case.mesh)``.
        repaired: the repair.

    Raises:
        InvalidMeshError: the repair is of another mesh.
    """
    if len(repaired.point_target) != len(case.mesh.points) or repaired.n_cells != len(case.mesh.cells):
        raise InvalidMeshError(
            f"the repair is of {len(repaired.point_target)} points, the case has {len(case.mesh.points)}",
            where=case.name,
            remedy="repair(case.mesh) first and carry this case over",
        )
    if repaired.mesh is case.mesh:
        return case
    notes: list[str] = []
    fields = {name: _carried(item, repaired, notes) for name, item in case.fields.items()}
    boundary = _boundary(case, repaired, notes)
    mesh = replace(repaired.mesh, notes=(*repaired.mesh.notes, *notes)) if notes else repaired.mesh
    return replace(case, mesh=mesh, fields=fields, boundary=boundary)


def split(case: Case) -> tuple[Case, ...]:
    """The connected parts of a case as cases of their own, most cells first, with their fields; the case itself if all is connected."""
    parts = split_parts(case.mesh)
    if len(parts) == 1:
        return (case,)
    out = []
    for mesh, points, cells in parts:
        rows = {"point": points, "cell": cells}
        fields = {
            name: Field(item.quantity, item.values[rows[item.location]], item.location) if item.location in rows else item
            for name, item in case.fields.items()
        }
        inside = np.zeros(len(case.mesh.points), dtype=bool)
        inside[points] = True
        boundary = {patch: _of_part(case.mesh, patch, inside, values) for patch, values in case.boundary.items() if patch in mesh.patches}
        wall = None if case.wall is None else tuple(patch for patch in case.wall if patch in mesh.patches)
        out.append(replace(case, mesh=mesh, fields=fields, boundary=boundary, wall=wall or None, name=mesh.name))
    return tuple(out)


def _of_part(mesh: Mesh, patch: str, inside: np.ndarray, values: Mapping[str, Field]) -> dict[str, Field]:
    """Boundary values of the facets and points of a patch that lie in one part."""
    part = mesh.patches[patch]
    rows = {"point": inside[mesh.patch_points(patch)]}
    rows["facet"] = rows["cell"] = inside[part.connectivity[part.offsets[:-1]]]
    return {
        name: item if item.location == "global" else Field(item.quantity, item.values[rows[item.location]], item.location)
        for name, item in values.items()
    }


def _boundary(case: Case, repaired: Repaired, notes: list[str]) -> dict[str, dict[str, Field]]:
    """Values on patches: one per facet, or one per point of the patch in ascending order; NaN where a facet or point is new."""
    if not any(item.location != "global" for values in case.boundary.values() for item in values.values()):
        return {patch: dict(values) for patch, values in case.boundary.items()}
    before, after = cells_of_patches(case.mesh), cells_of_patches(repaired.mesh)
    out: dict[str, dict[str, Field]] = {}
    for patch, values in case.boundary.items():
        facets = _facet_rows(before[patch], after[patch], repaired.cell_origin)
        had, has = case.mesh.patch_points(patch), repaired.mesh.patch_points(patch)
        row = np.full(len(repaired.mesh.points), -1, dtype=np.int64)
        row[repaired.point_target[had][::-1]] = np.arange(len(had))[::-1]  # the first of merged points counts
        out[patch] = {
            name: item if item.location == "global" else _filled(item, row[has] if item.location == "point" else facets)
            for name, item in values.items()
        }
        if (facets < 0).any():
            notes.append(f"boundary values of patch '{patch}' are NaN on {int((facets < 0).sum())} new facets")
    return out


def _facet_rows(before: np.ndarray, after: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """(k,) place among the facets of a patch before, for each facet of it after; -1 for new ones.

    Facets that are cells are known by their cell; those that are not come last in both and keep their order.
    """
    place = np.full(int(max(before.max(initial=-1), origin.max(initial=-1))) + 2, -1, dtype=np.int64)
    place[before[before >= 0]] = np.flatnonzero(before >= 0)
    out = np.full(len(after), -1, dtype=np.int64)
    cells = after >= 0
    was = origin[after[cells]]
    out[cells] = np.where(was >= 0, place[was], -1)
    out[~cells] = np.flatnonzero(before < 0)
    return out


def _filled(item: Field, rows: np.ndarray) -> Field:
    values = item.values[np.maximum(rows, 0)]
    if (rows < 0).any():
        values = values.astype(np.result_type(values.dtype, np.float32))
        values[rows < 0] = np.nan
    return Field(item.quantity, values, item.location)


def _carried(item: Field, repaired: Repaired, notes: list[str]) -> Field:
    if item.location == "point":
        values = item.values[repaired.point_origin]
        gone = np.flatnonzero(repaired.point_target >= 0)
        differing = np.unique(gone[_differ(item.values[gone], values[repaired.point_target[gone]])])
        if len(differing):
            notes.append(f"field '{item.name}' differed at {len(differing)} merged points: the value of the first point is kept")
        return Field(item.quantity, values, "point")
    if item.location == "cell":
        new = repaired.cell_origin < 0
        values = item.values[np.where(new, 0, repaired.cell_origin)]
        if new.any():
            values = values.astype(np.result_type(values.dtype, np.float32))
            values[new] = np.nan
            notes.append(f"field '{item.name}' has no value on {int(new.sum())} new facets: NaN there")
        return Field(item.quantity, values, "cell")
    return item


def _differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    same = (a == b) | (np.isnan(a) & np.isnan(b)) if np.issubdtype(a.dtype, np.floating) else a == b
    return ~same.reshape(len(a), -1).all(axis=1)
