"""Which patches of a run are the body; patches for files that have none: their rim, or surfaces that lie beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from ...errors import GeoopError, InvalidMeshError, PatchError
from ...mesh.body import wall_patches
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.rim import OUTER, bodies_of, with_rim
from .choices import Choices, Question

#: Points of two files that are this close, relative to the size, are the same.
_SAME = 1e-5


def with_patches(case: Case, surfaces: tuple[Path, ...] = (), unit: str | None = None) -> tuple[Case, list[str]]:
    """A case whose mesh has patches where the file has none, and notes.

    Args:
        case: as it was read.
        surfaces: files of surfaces of the run; those whose points are points of the mesh become patches of their names.
        unit: length unit of the surfaces, where they do not state it.
    """
    mesh, patches = case.mesh, dict(case.mesh.patches)
    notes: list[str] = []
    for path in surfaces:
        try:
            from ..reading import read

            part = patch_of(mesh, read(path, unit=unit))
        except GeoopError as error:
            notes.append(f"'{path.name}' is left out: {' '.join(error.message.split())}")
            continue
        name = path.stem if path.stem not in patches else f"{path.stem} (file)"
        patches[name] = part
        notes.append(f"patch '{name}' is the surface '{path.name}'")
    if not patches:
        whole = with_rim(case).mesh
        return replace(case, mesh=replace(whole, notes=mesh.notes)), [*notes, *whole.notes[len(mesh.notes) :]]
    if patches.keys() == mesh.patches.keys():
        return case, notes
    return replace(case, mesh=replace(mesh, patches=patches)), notes


def patch_of(mesh: Mesh, surface: Mesh) -> Cells:
    """The facets of a surface mesh in the point numbers of a mesh that has the same points.

    Raises:
        InvalidMeshError: some of its points are no points of the mesh.
    """
    points = np.zeros((len(surface.points), max(mesh.dimension, surface.dimension)))
    points[:, : surface.dimension] = surface.points
    size = float(np.ptp(mesh.points, axis=0).max())
    distance, index = map(np.asarray, KDTree(mesh.points).query(points[:, : mesh.dimension]))
    used = np.unique(surface.cells.connectivity)
    off = int((distance[used] > _SAME * size).sum())
    if off:
        raise InvalidMeshError(
            f"{off} of {len(used)} points of the surface are no points of the mesh", where=surface.name, remedy="export surface and mesh together"
        )
    return surface.cells.renumbered(index)


def guess_wall(case: Case, choices: Choices) -> tuple[tuple[str, ...] | None, dict[str, str], Question | None]:
    """Patches that are the body, the reason for every patch, and what must be asked.

    Returns:
        (names, patch -> reason, question); names are None where the mesh itself is the body.

    Raises:
        PatchError: the case has none of the patches that the user names.
    """
    mesh = case.mesh
    names = list(mesh.patches)
    if choices.wall:
        wanted = () if choices.wall == ("none",) else tuple(name for name in choices.wall if name in mesh.patches)
        if not wanted and choices.wall != ("none",):
            raise PatchError(
                f"it has none of the patches {', '.join(choices.wall)}; it has {', '.join(names) or 'no patches'}",
                where=case.name,
                remedy="repeat --wall for every name that the body has in some run",
            )
        return wanted, {name: "wall, as said" if name in wanted else "no wall, as said" for name in names}, None
    if case.wall is not None:
        return case.wall, {name: "wall: type in the file" if name in case.wall else "no wall: type in the file" for name in names}, None
    if mesh.is_surface or mesh.is_cloud:
        return None, dict.fromkeys(names, "part of the surface, which is the body"), None
    own = bodies_of(names)
    if own:
        return own, {name: "wall: inner part of the rim" if name in own else "no wall: goes round everything" for name in names}, None
    try:
        if names == [OUTER]:
            raise InvalidMeshError("one rim", remedy="-")
        walls = wall_patches(mesh)
    except GeoopError:
        listed = ", ".join(names[:8])
        question = Question(
            f"which patch is the body? Patches: {listed} ('none' if there is no body)", "--wall ", "none" if names in ([], [OUTER]) else names[0]
        )
        return (), dict.fromkeys(names, "unknown"), question
    return walls, {name: "wall, by its name" if name in walls else "no wall, by its name" for name in names}, None
