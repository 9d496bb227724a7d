"""Exact symmetries of a case: the same flow seen in a mirror."""

from __future__ import annotations

from dataclasses import replace

from ..errors import FieldError
from .case import Case
from .cells import Cells
from .orientation import reversed_cells
from .quantity import Field

#: Scalars that change sign in a mirror.
_ODD = frozenset({"lift_coefficient", "moment_coefficient", "vorticity_z", "stream_function"})


def mirrored(case: Case) -> Case:
    """The case reflected in the plane of the free stream's zero incidence: y -> -y in 2-D, z -> -z in 3-D.

    Positions, vectors and the angle of attack change sign in that direction; scalars stay. Facets are reversed, so that
    their normals keep pointing the same side.

    Raises:
        FieldError: a field of rank 2, whose reflection is not implemented.
    """
    axis = 1 if case.mesh.dimension == 2 else 2
    points = case.mesh.points.copy()
    points[:, axis] *= -1.0
    mesh = replace(
        case.mesh,
        points=points,
        cells=_reversed(case.mesh.cells),
        patches={name: _reversed(cells) for name, cells in case.mesh.patches.items()},
        name=case.mesh.name + "-mirrored",
    )
    point = case.operating_point
    return replace(
        case,
        mesh=mesh,
        operating_point=None if point is None else replace(point, alpha=-point.alpha),
        fields={name: _reflected(item, axis) for name, item in case.fields.items()},
        boundary={patch: {name: _reflected(item, axis) for name, item in values.items()} for patch, values in case.boundary.items()},
        name=case.name + "-mirrored",
    )


def _reflected(item: Field, axis: int) -> Field:
    if item.quantity.rank == 0:
        if item.name in _ODD:
            return Field(item.quantity, -item.values, item.location)
        if item.quantity.unit in ("1/s", "m^2/s"):  # a vorticity or stream function changes its sign, a potential does not
            raise FieldError(f"whether '{item.name}' changes sign in a mirror is unknown", remedy="train with reflect=False, or leave this field out")
        return item
    if item.quantity.rank > 1:
        raise FieldError(f"cannot mirror '{item.name}' of rank {item.quantity.rank}", remedy="train without the reflection, or leave this field out")
    values = item.values.copy()
    values[..., axis] *= -1.0
    return Field(item.quantity, values, item.location)


def _reversed(cells: Cells) -> Cells:
    """Lines and faces running the other way, so that their normals stay on their side; volume cells are turned inside out, as a mirror does."""
    return reversed_cells(cells, cells.dimensions <= 2)
