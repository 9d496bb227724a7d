"""What solvers stand on while their mesh moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np

from ..errors import GeoopError, InvalidMeshError
from ..fem.domain import Domain
from ..mesh.mesh import Mesh

_REMEDY = "take a deformer that keeps cells valid, or move less"


class OnDomain(Protocol):
    """Elements on the cells of a mesh."""

    @property
    def domain(self) -> Domain:
        """The cells."""
        ...


Elements = TypeVar("Elements", bound=OnDomain)


def remade(make: Callable[[Mesh], Elements], mesh: Mesh, before: Elements, *, time: float, where: str) -> Elements:
    """The elements on the mesh of another time.

    Args:
        make: a mesh -> elements on it.
        mesh: at the new time.
        before: elements at a time before.
        time: new [s], for errors.
        where: whose mesh it is, for errors.

    Raises:
        InvalidMeshError: the mesh has other cells than before, cells that ``make`` refuses, or cells that were turned inside out on the way
            (elements of either orientation are sound in themselves).
    """
    old = before.domain.mesh
    if not mesh.same_cells(old):
        raise InvalidMeshError(
            f"{mesh!r} at time {time:.5g} s has other cells than {old!r}",
            where=where,
            remedy="move the points of one mesh; to go on with another one, transfer the fields to it first",
        )
    try:
        made = make(mesh)
    except GeoopError as error:
        raise InvalidMeshError(f"at time {time:.5g} s: {error.message}", where=mesh.name, remedy=_REMEDY) from error
    if (over := made.domain.turned != before.domain.turned).any():
        found = f"at time {time:.5g} s: {int(over.sum())} cells are turned inside out, first cell {int(np.argmax(over))}"
        raise InvalidMeshError(found, where=mesh.name, remedy=_REMEDY)
    return made
