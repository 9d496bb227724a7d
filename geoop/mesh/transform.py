"""Exact symmetries of a case: the same flow seen in a mirror, the same region turned and mirrored."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import permutations, product

import numpy as np

from ..errors import ConditionError, FieldError
from .case import Case
from .cells import Cells
from .orientation import reversed_cells
from .quantity import Field

#: Scalars that change sign in a mirror, and others in the units of such that do not: lengths of vectors and properties of a material.
_ODD = frozenset({"lift_coefficient", "moment_coefficient", "vorticity_z", "stream_function"})
_EVEN = re.compile(r"diffusiv|viscosity|magnitude|(shear|strain|dissipation).?rate|^(nut?|mut?|dt|omega)$", re.I)
#: Units of vorticities, which are no vectors: a mirror turns what stays in a vector, and leaves what it turns.
_AXIAL_UNITS = ("1/s", "m^2/s")
_AXIAL = re.compile(r"vort|curl|rotation|spin", re.I)
#: One component of a vector or tensor under a name of its own: no scalar, it has the signs of its axes.
_COMPONENT = re.compile(r"[_.: -]([xyz]{1,2})$", re.I)
#: A coordinate; and units of angles: they change with the axes in ways that a name does not tell.
_COORDINATE = re.compile(r"[xyz]", re.I)
_ANGLES = ("rad", "deg")


def mirrored(case: Case) -> Case:
    """The case reflected in the plane of the free stream's zero incidence: y -> -y in 2-D, z -> -z in 3-D.

    Positions, vectors and the angle of attack change sign in that direction; scalars stay. Facets are reversed, so that
    their normals keep pointing the same side.

    Raises:
        FieldError: a field of rank 2, whose reflection is not implemented.
    """
    signs = np.array([1, -1]) if case.mesh.dimension == 2 else np.array([1, 1, -1])
    point = case.operating_point
    return replace(
        _mapped(case, np.diag(signs), np.zeros(len(signs)), "-mirrored"),
        operating_point=None if point is None else replace(point, alpha=-point.alpha),
    )


def symmetries(dimension: int) -> list[np.ndarray]:
    """Maps of the square onto itself, or of a box in space: (d, d) matrices of -1, 0 and 1, the identity first, quarter turns last.

    The eight of the square; in space the eight that change signs alone, which any box allows, as do the first four in the plane.
    """
    orders = list(permutations(range(dimension))) if dimension == 2 else [tuple(range(dimension))]
    signs = sorted(product((1, -1), repeat=dimension), key=lambda item: item.count(-1))
    return [np.diag(sign)[:, list(order)] for order in orders for sign in signs]


def image(case: Case, matrix: np.ndarray, middle: np.ndarray) -> Case:
    """The case under a map of :func:`symmetries` about a point: positions and vectors are mapped, scalars stay, normals keep their side.

    Where an equation has no preferred direction (diffusion, isotropic elasticity) it is the solution of the mapped problem.

    Args:
        case: without operating point.
        matrix: (d, d) with one entry 1 or -1 in every row and column.
        middle: (d,) what stays in place [m].

    Raises:
        ConditionError: a free stream; see :func:`mirrored`.
        FieldError: a field of rank 2, or a scalar that may change sign in a mirror.
    """
    if case.operating_point is not None:
        raise ConditionError("a free stream has a direction", where=case.name, remedy="take mirrored(case)")
    return _mapped(
        case, matrix, np.asarray(middle, dtype=np.float64), "-image" + "".join("-+"[int(s > 0)] + "xyz"[int(k)] for k, s in _places(matrix))
    )


def _places(matrix: np.ndarray) -> list[tuple[int, int]]:
    """For every row the column of its entry, and its sign."""
    columns = np.abs(matrix).argmax(axis=1)
    return [(int(k), int(np.sign(row[k]))) for row, k in zip(matrix, columns, strict=True)]


def _mapped(case: Case, matrix: np.ndarray, middle: np.ndarray, suffix: str) -> Case:
    odd = bool(np.linalg.det(matrix) < 0)

    def facets(cells: Cells) -> Cells:
        return _reversed(cells) if odd else cells

    mesh = replace(
        case.mesh,
        points=_vectors(case.mesh.points - middle, matrix) + middle,
        cells=facets(case.mesh.cells),
        patches={name: facets(cells) for name, cells in case.mesh.patches.items()},
        name=case.mesh.name + suffix,
    )
    return replace(
        case,
        mesh=mesh,
        fields={name: _field(item, matrix, odd) for name, item in case.fields.items()},
        boundary={patch: {name: _field(item, matrix, odd) for name, item in values.items()} for patch, values in case.boundary.items()},
        name=case.name + suffix,
    )


def _vectors(values: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Components exchanged and signed, not multiplied: one that is not a number leaves the others alone."""
    places = _places(matrix)
    return values[..., [k for k, _ in places]] * np.array([sign for _, sign in places], dtype=values.dtype)


def _field(item: Field, matrix: np.ndarray, odd: bool) -> Field:
    quantity, remedy = item.quantity, "train with reflect=False and images=1, or leave this field out"
    if quantity.rank > 1:
        raise FieldError(f"cannot mirror '{item.name}' of rank {quantity.rank}", remedy=remedy)
    axial = quantity.unit in _AXIAL_UNITS or bool(_AXIAL.search(item.name))
    if quantity.rank == 1:
        if odd and axial and not _AXIAL.search(item.name):
            raise FieldError(f"whether '{item.name}' in {quantity.unit} is a vector in a mirror is unknown", remedy=remedy)
        return Field(quantity, _vectors(item.values, matrix) * (-1 if odd and axial else 1), item.location)
    if item.name in _ODD:
        return Field(quantity, -item.values if odd else item.values, item.location)
    component, straight = _COMPONENT.search(item.name), np.count_nonzero(matrix - np.diag(np.diag(matrix))) == 0
    if component and straight:
        signs = [*np.diag(matrix), 1.0]  # nothing happens across the plane
        sign = np.prod([signs[min("xyz".index(axis), len(matrix))] for axis in component[1].lower()]) * (-1 if odd and axial else 1)
        return Field(quantity, sign * item.values, item.location)
    if component or _COORDINATE.fullmatch(item.name) or quantity.unit in _ANGLES:
        kind = "a component" if component else "a coordinate" if _COORDINATE.fullmatch(item.name) else "an angle"
        raise FieldError(f"'{item.name}' looks like {kind}, and how that changes with the axes is unknown", remedy=remedy)
    if odd and axial and not _EVEN.search(item.name):  # a vorticity or stream function changes its sign, a potential does not
        raise FieldError(f"whether '{item.name}' changes sign in a mirror is unknown", remedy=remedy)
    return item


def _reversed(cells: Cells) -> Cells:
    """Lines and faces running the other way, so that their normals stay on their side; volume cells are turned inside out, as a mirror does."""
    return reversed_cells(cells, cells.dimensions <= 2)
