"""Coefficients and data at quadrature points, whatever they are given as: numbers, functions, arrays, fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FieldError
from ..mesh.quantity import Field

if TYPE_CHECKING:
    from .space import Coefficient, Space


def located(space: Space, item: Any, what: str) -> tuple[np.ndarray, str]:
    """Values and where they live: ``constant``, ``unknown``, ``point`` (of the mesh), ``cell``.

    An array is told by its length; where two lengths are the same number of different things, only a :class:`Field` is clear.

    Raises:
        FieldError: another length, two possible meanings, or values that are not finite.
    """
    mesh, domain = space.mesh, space.domain
    if isinstance(item, Field):
        values, lengths = item.values, {"point": len(mesh.points), "cell": len(mesh.cells)}
        if item.location not in lengths or len(values) != lengths[item.location]:
            raise FieldError(
                f"{what}: field '{item.name}' has {item.values.shape} values at {item.location}s",
                where=mesh.name,
                remedy=f"give a field of this mesh: {lengths['point']} points or {lengths['cell']} cells",
            )
        location = item.location
    else:
        values = np.asarray(item, dtype=np.float64)
        d = domain.dimension
        if values.ndim == 0 or (values.shape == (d, d) and len(mesh.points) > d):
            location = "constant"
        else:
            location = _told_by_length(space, len(values), what)
    used = values
    if location == "point":
        used = values[domain.nodes]  # points without cells may hold NaN
    elif location == "cell":
        used = values[domain.cell_of]
    if not np.isfinite(used).all():
        raise FieldError(f"{what}: {int((~np.isfinite(used)).sum())} values are not finite", where=mesh.name, remedy="correct the data")
    return np.asarray(values, dtype=np.float64), location


def _told_by_length(space: Space, length: int, what: str) -> str:
    mesh = space.mesh
    counts = {"unknown": space.n, "point": len(mesh.points), "cell": len(mesh.cells)}
    found = [name for name, count in counts.items() if count == length]
    linear = space.degree == 1 and np.array_equal(space.domain.nodes, np.arange(len(mesh.points)))
    if linear and "unknown" in found:  # the unknowns are the points of the mesh, in its order
        found = [name for name in found if name != "point"]
    if len(found) == 1:
        return found[0]
    has = f"{counts['unknown']} unknowns, the mesh {counts['point']} points and {counts['cell']} cells"
    if not found:
        raise FieldError(f"{what} of {length} values; the space has {has}", where=mesh.name, remedy="give one value for each of one of these")
    raise FieldError(
        f"{what} of {length} values could be at {' or '.join(found)}s: the space has {has}",
        where=mesh.name,
        remedy="say where they live: Field(quantity, values, 'point') or Field(quantity, values, 'cell')",
    )


def sampled(space: Space, basis: Any, item: Coefficient, what: str) -> np.ndarray:
    """Values at the quadrature points of a basis of the space (of cells or of facets).

    Args:
        space: the space.
        basis: its own basis, or ``space.facet_basis(patch)``.
        item: a number or (d, d) tensor; a function of position; an array over unknowns, points or cells; a field.
        what: its name in messages.

    Returns:
        (ne, q) numbers, or (ne, q, d, d) tensors.

    Raises:
        FieldError: an array of the wrong length, or values that are not finite.
    """
    shape = basis.dx.shape
    if callable(item):
        x = np.moveaxis(np.asarray(basis.global_coordinates()), 0, -1)
        values = np.asarray(item(x.reshape(-1, x.shape[-1])), dtype=np.float64)
        if len(values.reshape(-1)) % (shape[0] * shape[1]) or not np.isfinite(values).all():
            raise FieldError(
                f"{what}: the function answers {values.shape} for {x.reshape(-1, x.shape[-1]).shape} points, or values that are not finite",
                where=space.mesh.name,
                remedy="answer one finite value per point: numpy functions of points[:, 0], points[:, 1]",
            )
        return values.reshape(*shape, *values.shape[1:])
    values, location = located(space, item, what)
    if location == "constant":
        return np.broadcast_to(values, (*shape, *values.shape))
    if location == "cell":
        per_cell = values[space.domain.cell_of]
        return np.broadcast_to((per_cell if basis.tind is None else per_cell[basis.tind])[:, None], (*shape, *values.shape[1:]))
    source = basis
    if location == "point":
        source, values = basis.with_element(space.domain.grid.elem()), values[space.domain.nodes]
    flat = values.reshape(len(values), -1)
    answer = np.stack([np.asarray(source.interpolate(np.ascontiguousarray(column))) for column in flat.T], axis=-1)
    return answer.reshape(*shape, *values.shape[1:])


def conducted(conductivity: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """(d, ne, q) conductivity times gradient for (ne, q) numbers or (ne, q, d, d) tensors."""
    if conductivity.ndim == 2:
        return conductivity * gradient
    return np.einsum("cqij,jcq->icq", conductivity, gradient)
