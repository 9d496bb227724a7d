"""Which part of a mesh is the body: the wall patches, as a surface with only its own points."""

from __future__ import annotations

import re

import numpy as np

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
#: Names of what bounds a flow and belongs to no body. A nacelle has an inlet of its own, so the names alone decide nothing on a surface.
_AROUND = re.compile(r"far|free.?stream|in(let|flow)|out(let|flow)|symm|period|cyclic|opening|tunnel|domain|^((bounding|outer).?)?box$", re.I)
#: Boxes that differ by less, in sizes of the mesh, are the same.
_SAME = 1e-6
#: The ends of a box, unless nothing else can be the body.
_END = re.compile(r"left|right", re.I)


def wall_patches(mesh: Mesh) -> tuple[str, ...]:
    """Names of the patches that are walls, judged by their names; every patch of a surface is one, unless it :func:`bounds_a_flow`.

    Raises:
        InvalidMeshError: no patch, or every patch, looks like something else.
    """
    if mesh.is_surface and not bounds_a_flow(mesh):
        return tuple(mesh.patches)
    names = tuple(name for name in mesh.patches if not (is_around(name) if mesh.is_surface else _NOT_A_WALL.search(name)))
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


def bounds_a_flow(mesh: Mesh) -> bool:
    """Whether a surface is the whole boundary of a flow, as solvers export it, and not that of a body: the fluid is inside.

    Then some patches are called far field, inlet, outlet, symmetry or the like, and they alone reach as far as all of them in every direction. (A
    nacelle has an inlet, too, but its lip and its sides reach beyond it.) False for volume meshes.
    """
    names = [name for name in mesh.patches if _AROUND.search(name)] if mesh.is_surface else []
    if not names or len(names) == len(mesh.patches):
        return False
    outer, all_ = (mesh.points[np.unique(np.concatenate([mesh.patches[name].connectivity for name in chosen]))] for chosen in (names, mesh.patches))
    size = float(np.ptp(all_, axis=0).max())
    return bool(
        np.abs(outer.min(axis=0) - all_.min(axis=0)).max() <= _SAME * size and np.abs(outer.max(axis=0) - all_.max(axis=0)).max() <= _SAME * size
    )


def is_around(name: str) -> bool:
    """Whether a patch of the boundary of a flow is called as what goes round the bodies, and not as a body."""
    return bool(_AROUND.search(name) or _NOT_A_WALL.search(name))


def body_cells(mesh: Mesh, wall: tuple[str, ...] | None = None) -> Cells:
    """Cells of the body in the mesh's own point numbers; see :func:`body`. None of a region that was said to have no body, by no patches at all."""
    names = wall if wall is not None else wall_patches(mesh)
    if names:
        return Cells.concatenate([mesh.patches[name] for name in names])
    if mesh.is_surface:
        return mesh.cells.take(mesh.cells.dimensions == mesh.cell_dimension)
    if wall is not None:
        return Cells.empty()
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
    if not len(cells):
        raise InvalidMeshError("there is no body", where=mesh.name, remedy="name its patches: wall=('patch',) in Case(mesh, ...), --wall patch")
    names = wall if wall is not None else wall_patches(mesh)
    return mesh.submesh(cells, name=mesh.name, patches={name: mesh.patches[name] for name in names})


#: A sweep asks for the body of one mesh at every condition; those of larger ones [cells] are not kept.
_KEPT = 20_000
_known = Kept(_found, size=32)
