"""Which part of a mesh is the body: the wall patches, as a surface with only its own points."""

from __future__ import annotations

import re

from ..errors import InvalidMeshError
from .cells import Cells
from .distance.kept import Kept
from .mesh import Mesh

#: Patch names that CFD tools give to boundaries that are not walls.
_NOT_A_WALL = re.compile(
    r"far|free.?stream|in(let|flow)|out(let|flow)|symm|period|cyclic|front|back|empty|internal|interface|opening|top|bottom|upper|lower|send_receive"
    r"|(?<!suction)(?<!suction.)(?<!pressure)(?<!pressure.)sides?$",
    re.I,
)
#: The ends of a box, unless nothing else can be the body.
_END = re.compile(r"left|right", re.I)


def wall_patches(mesh: Mesh) -> tuple[str, ...]:
    """Names of the patches that are walls, judged by their names; every patch of a bare surface mesh is one.

    Raises:
        InvalidMeshError: no patch, or every patch, looks like something else.
    """
    if mesh.is_surface:
        return tuple(mesh.patches)
    names = tuple(name for name in mesh.patches if not _NOT_A_WALL.search(name))
    names = tuple(name for name in names if not _END.fullmatch(name)) or names
    if not mesh.patches:
        raise InvalidMeshError(
            "the mesh has no patches: nothing says which part of its boundary is the body",
            where=mesh.name,
            remedy="read a file with named boundaries, or pass the surface itself",
        )
    if not names:
        raise InvalidMeshError(
            f"cannot tell which of the patches {sorted(mesh.patches)} is the body",
            where=mesh.name,
            remedy="name it: wall=('patch',) in Case(mesh, ...), patches=('patch',) in wall_distance, --wall patch on the command line (geoop forces: --patch patch)",
        )
    return names


def body_cells(mesh: Mesh, wall: tuple[str, ...] | None = None) -> Cells:
    """Cells of the body in the mesh's own point numbers; see :func:`body`."""
    names = wall if wall is not None else wall_patches(mesh)
    if names:
        return Cells.concatenate([mesh.patches[name] for name in names])
    if mesh.is_surface:
        return mesh.cells.take(mesh.cells.dimensions == mesh.cell_dimension)
    raise InvalidMeshError("the mesh has no patches", where=mesh.name, remedy="read a file with named boundaries, or pass the surface itself")


def body(mesh: Mesh, wall: tuple[str, ...] | None = None) -> Mesh:
    """The body as a surface mesh (line cells in 2-D, polygons in 3-D) with only the points it uses, patches kept.

    Args:
        mesh: any mesh; a bare outline or surface is its own body.
        wall: names of the patches; None chooses by :func:`wall_patches`.

    Raises:
        InvalidMeshError: the body cannot be told from the rest.
        PatchError: a named patch does not exist.
    """
    key = (None if wall is None else tuple(wall), mesh.name, mesh.notes)
    return _known(mesh, *key) if len(mesh.cells) <= _KEPT else _found(mesh, *key)


def _found(mesh: Mesh, wall: tuple[str, ...] | None, *_: object) -> Mesh:
    if wall is not None:
        for name in wall:
            mesh.patch(name)
    cells = body_cells(mesh, wall)
    names = wall if wall is not None else wall_patches(mesh)
    return mesh.submesh(cells, name=mesh.name, patches={name: mesh.patches[name] for name in names})


#: A sweep asks for the body of one mesh at every condition; those of larger ones [cells] are not kept.
_KEPT = 20_000
_known = Kept(_found, size=32)
