"""The part of a case that a surface format takes: its named patches, or its outer faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...errors import UnsupportedFormatError
from ...mesh.case import Case
from ...mesh.cells import CELL_TYPES, Cells
from ...mesh.mesh import Mesh
from ...mesh.orientation import oriented
from ...mesh.quantity import Field
from ...mesh.topology import row_groups, sides
from ..patch_cells import cells_by_patch, sorted_points
from .options import listed

#: Faces with corners only.
FLAT = ("triangle", "quad", "polygon")


def part_of(case: Case, names: Sequence[str]) -> tuple[Case, tuple[str, ...]]:
    """Some patches of a case as a case of their own: facets, points, point fields, boundary values, cell fields where facets are cells, else the values that
    the boundary has at its facets, as a solver writes them.

    Facets of a volume mesh in space are turned as :func:`geoop.mesh.orientation.oriented` says: those of one body outward, those of a body within
    another closed surface the other way. Facets of a surface stay as they are.

    Args:
        case: any case.
        names: patches; a facet of several is written once.

    Returns:
        The case and notes.

    Raises:
        PatchError: the mesh has no such patch.
    """
    mesh = case.mesh
    names = list(dict.fromkeys(names))
    points = np.unique(np.concatenate([mesh.patch_points(name) for name in names]))
    every = Cells.concatenate([mesh.patches[name] for name in names])
    group = row_groups(sorted_points(every))
    first = np.sort(np.unique(group, return_index=True)[1]) if len(every) else np.zeros(0, dtype=np.int64)
    facets = every.take(first)
    rows = cells_by_patch(Mesh(mesh.points, mesh.cells, {"part": facets}))["part"]
    fields: dict[str, Field] = {}
    lost = []
    for name, item in case.fields.items():
        if item.location == "point":
            fields[name] = Field(item.quantity, item.values[points])
        elif item.location == "cell" and len(rows) and (rows >= 0).all():
            fields[name] = Field(item.quantity, item.values[rows], "cell")
        elif item.location == "global":
            fields[name] = item
        elif item.location == "cell" and (own := _on_facets(case, names, item)) is not None:
            fields[name] = Field(item.quantity, own[first], "cell")
        else:
            lost.append(name)
    part = mesh.submesh(
        facets, name=":".join([mesh.name, *names]) if len(names) < 3 else mesh.name, patches={name: mesh.patches[name] for name in names}
    )
    if mesh.cell_dimension == 3 and part.is_surface:  # mesh generators turn facets as they like, and the cells behind them are gone here
        part = oriented(part)
    wall = None if case.wall is None else tuple(name for name in case.wall if name in names)
    boundary = {name: values for name, values in case.boundary.items() if name in names}
    notes = []
    if len(facets) < len(every):
        several = _overlapping(names, [len(mesh.patches[name]) for name in names], group)
        notes = [f"{len(every) - len(facets)} facets that belong to several patches are written once ({listed(several)})"]
    notes += [f"fields that do not live on the boundary are left out: {listed(lost)}"] if lost else []
    notes += [f"zones are left out: {listed(list(mesh.zones))}"] if mesh.zones else []
    return replace(case, mesh=part, fields=fields, boundary=boundary, wall=wall, name=part.name), tuple(notes)


def _on_facets(case: Case, names: Sequence[str], item: Field) -> np.ndarray | None:
    """Values of a field at the facets of some patches, one after the other; None where a patch has none."""
    found = [own for name in names if (own := case.on_facets(name, item)) is not None]
    return np.concatenate(found) if len(found) == len(names) else None


def _overlapping(names: list[str], sizes: list[int], group: np.ndarray) -> list[str]:
    """The patches with facets that occur more than once; ``group`` (f,) is equal for equal facets of all patches in their order."""
    repeated = (np.bincount(group) > 1)[group]
    return [name for name, part in zip(names, np.split(repeated, np.cumsum(sizes)[:-1]), strict=True) if part.any()]


def surface_of(case: Case, format_name: str) -> tuple[Case, tuple[str, ...]]:
    """What a surface format takes: of a volume mesh the boundary, of a surface or plane mesh all of it, in 3-D.

    Raises:
        UnsupportedFormatError: an outline or a point cloud.
    """
    mesh = case.mesh
    notes: tuple[str, ...] = ()
    if mesh.cell_dimension == 3 and mesh.patches:
        case, notes = part_of(case, list(mesh.patches))
        notes = (f"{_a(format_name)} file holds surfaces only: the boundary patches are written, the volume is not", *notes)
    elif mesh.cell_dimension == 3:
        case, notes = _outer(case)
        notes = (f"{_a(format_name)} file holds surfaces only: the outer faces are written, the volume is not", *notes)
    if case.mesh.cell_dimension < 2:
        kind = "a point cloud" if case.mesh.is_cloud else "an outline"
        raise UnsupportedFormatError(f"{_a(format_name)} file cannot hold {kind}", remedy="write .vtu, .vtp or .csv, or .ply for a cloud")
    case, said = in_space(case)
    return case, (*notes, *said)


def _a(format_name: str) -> str:
    return f"{'an' if format_name in ('OBJ', 'STL') else 'a'} {format_name}"


def in_space(case: Case) -> tuple[Case, tuple[str, ...]]:
    """The same case with three coordinates."""
    mesh = case.mesh
    if mesh.dimension == 3:
        return case, ()
    flat = Mesh(np.pad(mesh.points, ((0, 0), (0, 1))), mesh.cells, mesh.patches, mesh.zones, mesh.name, mesh.notes)
    return replace(case, mesh=flat), ("the plane mesh is written at z = 0",)


def owners(case: Case) -> tuple[list[str], np.ndarray, tuple[str, ...]]:
    """Names of the patches, (m,) the number of the patch of every cell (the first that has it, -1 for none), and notes on the rest.

    The notes name the patches that a file with one patch per cell shortens or does not have.
    """
    mesh = case.mesh
    numbers = np.full(len(mesh.cells), -1, dtype=np.int64)
    found = cells_by_patch(mesh)
    for number, index in reversed(list(enumerate(found.values()))):
        numbers[index[index >= 0]] = number
    lost = [name for name, index in found.items() if len(index) and (index < 0).all()]
    notes = [f"patches whose facets are no faces of the file are left out: {listed(lost)}"] if lost else []
    cut = [f"{(index < 0).sum()} of {len(index)} of '{name}'" for name, index in found.items() if (index < 0).any() and name not in lost]
    notes += [f"facets that are no faces of the file are left out: {listed(cut)}"] if cut else []
    empty = [name for name, index in found.items() if not len(index)]
    notes += [f"patches without facets are left out: {listed(empty)}"] if empty else []
    shared = []
    for number, (name, index) in enumerate(found.items()):
        own = index[index >= 0]
        taken = int((numbers[own] != number).sum())
        shared += [f"'{name}' {'disappears' if taken == len(own) else f'loses {taken} of {len(own)}'}"] if taken else []
    notes += [f"faces of several patches are written with the first of them: {listed(shared)}"] if shared else []
    return list(mesh.patches), numbers, tuple(notes)


def _outer(case: Case) -> tuple[Case, tuple[str, ...]]:
    """The faces that one cell only has, outward, as a surface without patches; and notes."""
    mesh = case.mesh
    listed = sides(mesh, np.arange(len(mesh.points)))
    rows = listed.corners[(listed.counts == 1)[listed.group]]
    sizes = (rows >= 0).sum(axis=1)
    types = np.full(len(rows), CELL_TYPES["polygon"][0])
    types[sizes == 3], types[sizes == 4] = CELL_TYPES["triangle"][0], CELL_TYPES["quad"][0]
    faces = Cells(types, np.concatenate([[0], np.cumsum(sizes)]), rows[rows >= 0])
    whole = Mesh(mesh.points, mesh.cells, {"boundary": faces}, mesh.zones, mesh.name, mesh.notes)
    part, notes = part_of(replace(case, mesh=whole, boundary={}, wall=None), ["boundary"])
    return replace(part, mesh=replace(part.mesh, patches={})), notes  # the name is ours, not the mesh's
