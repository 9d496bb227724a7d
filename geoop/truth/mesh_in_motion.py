"""What solvers stand on while their mesh moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..errors import GeoopError, InvalidMeshError
from ..mesh.mesh import Mesh

Made = TypeVar("Made")


def remade(make: Callable[[Mesh], Made], mesh: Mesh, before: Mesh, *, time: float, where: str) -> Made:
    """``make(mesh)`` on the mesh of another time.

    Args:
        make: elements, or a problem on them.
        mesh: at the new time.
        before: at the time before.
        time: new [s], for errors.
        where: whose mesh it is, for errors.

    Raises:
        InvalidMeshError: the mesh has other cells than before, or cells that ``make`` refuses, such as folded ones.
    """
    if not mesh.same_cells(before):
        raise InvalidMeshError(
            f"{mesh!r} at time {time:.5g} s has other cells than {before!r}",
            where=where,
            remedy="move the points of one mesh; to go on with another one, transfer the fields to it first",
        )
    try:
        return make(mesh)
    except GeoopError as error:
        raise InvalidMeshError(
            f"at time {time:.5g} s: {error.message}", where=mesh.name, remedy="take a deformer that keeps cells valid, or move less"
        ) from error
