"""The part of a case that a surface format takes: its named patches, or its outer faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...errors import UnsupportedFormatError
from ...mesh.case import Case
from ...mesh.cells import CELL_TYPES, Cells
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field
from ...mesh.topology import row_groups, sides
from ..patch_cells import cells_of_patch

#: Faces with corners only.
FLAT = ("triangle", "quad", "polygon")


def part_of(case: Case, names: Sequence[str]) -> tuple[Case, tuple[str, ...]]:
    """Some patches of a case as a case of their own: facets, points, point fields, boundary values, cell fields where facets are cells.

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
    group = row_groups(_keys(every))
    first = np.sort(np.unique(group, return_index=True)[1]) if len(every) else np.zeros(0, dtype=np.int64)
    facets = every.take(first)
    rows = cells_of_patch(mesh.cells, facets)
    fields: dict[str, Field] = {}
    lost = []
    for name, item in case.fields.items():
        if item.location == "point":
            fields[name] = Field(item.quantity, item.values[points])
        elif item.location == "cell" and len(rows) and (rows >= 0).all():
            fields[name] = Field(item.quantity, item.values[rows], "cell")
        elif item.location == "global":
            fields[name] = item
        else:
            lost.append(name)
    part = mesh.submesh(
        facets, name=":".join([mesh.name, *names]) if len(names) < 3 else mesh.name, patches={name: mesh.patches[name] for name in names}
    )
    wall = None if case.wall is None else tuple(name for name in case.wall if name in names)
    boundary = {name: values for name, values in case.boundary.items() if name in names}
    notes = [f"{len(every) - len(facets)} facets that belong to several patches are written once"] if len(facets) < len(every) else []
    notes += [f"fields that do not live on the boundary are left out: {', '.join(lost)}"] if lost else []
    return replace(case, mesh=part, fields=fields, boundary=boundary, wall=wall, name=part.name), tuple(notes)


def surface_of(case: Case, format_name: str) -> tuple[Case, tuple[str, ...]]:
    """What a surface format takes: of a volume mesh the boundary, of a surface or plane mesh all of it, in 3-D.

    Raises:
        UnsupportedFormatError: an outline or a point cloud.
    """
    mesh = case.mesh
    notes: tuple[str, ...] = ()
    if mesh.cell_dimension == 3 and mesh.patches:
        case, notes = part_of(case, list(mesh.patches))
        notes = (f"a {format_name} file holds surfaces only: the boundary patches are written, the volume is not", *notes)
    elif mesh.cell_dimension == 3:
        case = _outer(case)
        notes = (f"a {format_name} file holds surfaces only: the outer faces are written, the volume is not",)
    if case.mesh.cell_dimension < 2:
        kind = "a point cloud" if case.mesh.is_cloud else "an outline"
        raise UnsupportedFormatError(f"a {format_name} file cannot hold {kind}", remedy="write .vtu, .vtp or .csv, or .ply for a cloud")
    case, said = in_space(case)
    return case, (*notes, *said)


def in_space(case: Case) -> tuple[Case, tuple[str, ...]]:
    """The same case with three coordinates."""
    mesh = case.mesh
    if mesh.dimension == 3:
        return case, ()
    flat = Mesh(np.pad(mesh.points, ((0, 0), (0, 1))), mesh.cells, mesh.patches, mesh.zones, mesh.name, mesh.notes)
    return replace(case, mesh=flat), ("the plane mesh is written at z = 0",)


def owners(case: Case) -> tuple[list[str], np.ndarray, tuple[str, ...]]:
    """Names of the patches, (m,) the number of the patch of every cell (the first that has it, -1 for none), and a note on the rest."""
    mesh = case.mesh
    numbers = np.full(len(mesh.cells), -1, dtype=np.int64)
    found = cells_by_patch(mesh)
    for number, index in reversed(list(enumerate(found.values()))):
        numbers[index[index >= 0]] = number
    lost = [name for name, index in found.items() if (index < 0).any()]
    return list(mesh.patches), numbers, (f"patches whose facets are no faces of the file are left out: {', '.join(lost)}",) if lost else ()


def cells_by_patch(mesh: Mesh) -> dict[str, np.ndarray]:
    """Patch name -> the cell that each of its facets is, -1 where it is only a side of a cell.

    Of equal cells each is taken once as long as there are as many as facets, in all patches together or in one of them.
    """
    if not mesh.patches:
        return {}
    every = Cells.concatenate([mesh.cells, *mesh.patches.values()])
    group = row_groups(_keys(every))
    code = group * (len(every) + 1)
    count = len(mesh.cells)
    patch = np.repeat(np.arange(len(mesh.patches)), [len(part) for part in mesh.patches.values()])
    cells, facets = code[:count] + _ranks(group[:count]), code[count:]
    order = np.argsort(cells)
    index = np.full(len(facets), -1, dtype=np.int64)
    within = _ranks(row_groups(np.stack([group[count:], patch], axis=1)))
    for wanted in (facets, facets + within, facets + _ranks(group[count:])):  # the best comes last
        place = np.minimum(np.searchsorted(cells[order], wanted), max(count - 1, 0))
        there = cells[order][place] == wanted if count else np.zeros(len(wanted), dtype=bool)
        index[there] = order[place[there]]
    return dict(zip(mesh.patches, np.split(index, np.cumsum([len(part) for part in mesh.patches.values()])[:-1]), strict=True))


def _ranks(group: np.ndarray) -> np.ndarray:
    """(m,) how many entries before each one are equal to it."""
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group[order]) if len(group) else np.zeros(0, dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    ranks = np.empty(len(group), dtype=np.int64)
    ranks[order] = np.arange(len(group)) - starts[group[order]]
    return ranks


def _outer(case: Case) -> Case:
    """The faces that one cell only has, outward."""
    mesh = case.mesh
    listed = sides(mesh, np.arange(len(mesh.points)))
    rows = listed.corners[(listed.counts == 1)[listed.group]]
    sizes = (rows >= 0).sum(axis=1)
    types = np.full(len(rows), CELL_TYPES["polygon"][0])
    types[sizes == 3], types[sizes == 4] = CELL_TYPES["triangle"][0], CELL_TYPES["quad"][0]
    faces = Cells(types, np.concatenate([[0], np.cumsum(sizes)]), rows[rows >= 0])
    whole = Mesh(mesh.points, mesh.cells, {"boundary": faces}, name=mesh.name, notes=mesh.notes)
    return part_of(replace(case, mesh=whole, boundary={}, wall=None), ["boundary"])[0]


def _keys(cells: Cells) -> np.ndarray:
    """(m, k) sorted points of every facet, filled with -1."""
    sizes = np.diff(cells.offsets)
    rows = np.full((len(cells), int(sizes.max(initial=1))), -1, dtype=np.int64)
    rows[np.arange(rows.shape[1]) < sizes[:, None]] = cells.connectivity
    return np.sort(rows, axis=1)
