"""A file as a region to solve in: a volume or plane mesh as it is, a closed surface or outline meshed inside, its patches kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import ConfigurationError, InvalidMeshError
from ..io.cad import SUFFIXES, tessellate
from ..io.reading import read_case
from ..mesh.case import Case
from ..mesh.cells import Cells
from ..mesh.generate.tetrahedra import mesh_solid
from ..mesh.generate.triangles import mesh_inside
from ..mesh.mesh import Mesh
from ..mesh.planar import flattened, is_one_layer
from ..mesh.topology import sides
from ..mesh.triangulation import triangulated

_FACETS = {2: "line", 3: "triangle", 4: "quad"}


def read_region(path: str | Path, *, unit: str | None = None, size: float | None = None) -> Case:
    """Read a file as a region that has cells.

    A mesh that names no patches gets one, ``boundary``, all around. A plane mesh that is kept as one layer of volume cells becomes plane. A closed outline
    is filled with triangles and a closed surface with tetrahedra; then values that its file has for points or facets are left out, and numbers on whole
    patches are kept.

    Args:
        path: any file that geoop reads.
        unit: length unit, for formats that do not say it.
        size: edges inside an outline or a surface [m]; None goes by the outline's or surface's own.

    Returns:
        the case; ``mesh.notes`` says what was done.

    Raises:
        The errors of :func:`geoop.io.reading.read_case`.
        InvalidMeshError: a cloud, a surface that is open, crosses itself or is several solids.
        ConfigurationError: a size for a mesh that has cells already.
        ConvergenceError: the mesher gave up.
    """
    case = read_case(path, unit=unit)
    case = flattened(case) if is_one_layer(case.mesh) else case
    mesh = case.mesh
    if mesh.is_cloud:
        raise InvalidMeshError(
            "points without cells fill no region", where=mesh.name, remedy="give a mesh with cells, or a closed outline or surface"
        )
    if not mesh.is_surface:
        if size is not None:
            raise ConfigurationError("a size for a mesh that has cells already", where=mesh.name, remedy="leave size out")
        return case if mesh.patches else replace(case, mesh=_with_boundary(mesh))
    if mesh.dimension == 2:
        inside = mesh_inside(mesh, size=size)
    elif Path(path).suffix.lower() in SUFFIXES and size is not None:
        inside = mesh_solid(tessellate(path, size=size))  # curved faces get triangles of that size, flat ones too
    else:
        inside = mesh_solid(all_triangles(mesh), size=size)
    kind = "triangles" if mesh.dimension == 2 else "tetrahedra"
    note = f"a closed {'outline' if mesh.dimension == 2 else 'surface'}: filled with {len(inside.cells)} {kind}"
    boundary = {}
    for patch, data in case.boundary.items():
        kept = {name: item for name, item in data.items() if item.location == "global" and patch in inside.patches}
        boundary |= {patch: kept} if kept else {}
    filled = replace(inside, name=mesh.name, notes=(*mesh.notes, note))
    return Case(filled, None, {}, boundary, name=case.name)


def all_triangles(surface: Mesh) -> Mesh:
    """The surface with its quads and polygons cut into triangles, patches with them; itself where it has triangles alone.

    Raises:
        InvalidMeshError: not a surface in 3-D.
    """
    if surface.cells.names == ["triangle"]:
        return surface
    triangles, owner = triangulated(surface)
    cell_of = {tuple(sorted(row.tolist())): k for k, row in enumerate(surface.cells)}
    patches = {}
    for name, facets in surface.patches.items():
        mine = [cell_of[key] for row in facets if (key := tuple(sorted(row.tolist()))) in cell_of]
        patches[name] = Cells.of(triangle=triangles[np.isin(owner, mine)])
    return Mesh(surface.points, Cells.of(triangle=triangles), patches, name=surface.name, notes=surface.notes)


def _with_boundary(mesh: Mesh) -> Mesh:
    """The mesh with its whole boundary as the patch ``boundary``."""
    found = sides(mesh, np.arange(len(mesh.points)))
    rows = found.corners[found.counts[found.group] == 1]
    count = (rows >= 0).sum(axis=1)
    blocks = [Cells.of({kind: rows[count == size][:, :size]}) for size, kind in _FACETS.items() if (count == size).any()]
    note = "the file names no patches: the whole boundary is the patch 'boundary'"
    return replace(mesh, patches={"boundary": Cells.concatenate(blocks)} if blocks else {}, notes=(*mesh.notes, note))
