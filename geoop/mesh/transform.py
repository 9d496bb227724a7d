"""Exact symmetries of a case: the same flow seen in a mirror, the same region turned and mirrored."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np

from ..errors import ConditionError, FieldError
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
    if item.quantity.rank == 0:
        if odd and item.name in _ODD:
            return Field(item.quantity, -item.values, item.location)
        if odd and item.quantity.unit in ("1/s", "m^2/s"):  # a vorticity or stream function changes its sign, a potential does not
            raise FieldError(
                f"whether '{item.name}' changes sign in a mirror is unknown", remedy="train with reflect=False and images=1, or leave this field out"
            )
        return item
    if item.quantity.rank > 1:
        raise FieldError(
            f"cannot mirror '{item.name}' of rank {item.quantity.rank}", remedy="train with reflect=False and images=1, or leave this field out"
        )
    return Field(item.quantity, _vectors(item.values, matrix), item.location)


def _reversed(cells: Cells) -> Cells:
    """Lines and faces running the other way, so that their normals stay on their side; volume cells are turned inside out, as a mirror does."""
    return reversed_cells(cells, cells.dimensions <= 2)
