"""Wavefront OBJ: polygons and lines in one group per patch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ...mesh.case import Case
from ...mesh.cells import CELL_TYPES, Cells
from ...mesh.mesh import Mesh
from ...mesh.triangulation import triangulated
from ..patch_cells import cells_by_patch
from .options import Options, left_out, one_word
from .rows import cell_lines, number_lines
from .surface import FLAT, in_space, owners, surface_of


def write_obj(case: Case, path: Path, options: Options) -> tuple[str, ...]:
    """Write the surface or outline of a case; see :func:`geoop.io.writing.write`.

    Raises:
        UnsupportedFormatError: a point cloud.
    """
    surface, notes = in_space(case) if set(case.mesh.cells.names) == {"line"} else surface_of(case, "OBJ")
    whole = surface
    surface, loose = _without_loose(surface)
    surface, _, more = faces_of(surface, (*FLAT, "line"))
    names, numbers, lost = owners(surface)
    words, changed = one_word(names)
    lines = np.array(cell_lines(surface.mesh.cells, dict.fromkeys(FLAT, "f %s") | {"line": "l %s"}, shift=1), dtype=object)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(f"# geoop, lengths in {options.unit}\n")
        file.write("".join(f"v {line}\n" for line in number_lines(surface.mesh.points * options.scale)))
        for number, name in [(-1, ""), *enumerate(names)]:
            chosen = lines[numbers == number]
            if len(chosen):
                file.write((f"g {words[name]}\n" if name in words and number >= 0 else "") + "\n".join(chosen) + "\n")
    return (*notes, *loose, *more, *lost, *changed, *options.said, *left_out(whole, patches=True))


def _without_loose(case: Case) -> tuple[Case, tuple[str, ...]]:
    """The case without vertex cells and curved lines, which have no place beside faces, and notes."""
    cells = case.mesh.cells
    loose = [name for name in cells.names if name != "line" and CELL_TYPES[name][1] < 2]
    if not loose:
        return case, ()
    kept = np.flatnonzero(~np.isin(np.arange(len(cells)), np.concatenate([cells.where(name) for name in loose])))
    fields = {name: replace(item, values=item.values[kept]) if item.location == "cell" else item for name, item in case.fields.items()}
    mesh = replace(case.mesh, cells=cells.take(kept), zones={})
    return replace(case, mesh=mesh, fields=fields), tuple(f"{len(cells.where(name))} {name} cells are left out" for name in loose)


def faces_of(case: Case, allowed: tuple[str, ...]) -> tuple[Case, np.ndarray | None, tuple[str, ...]]:
    """The case with its quadratic faces cut into triangles between their nodes; cells of the allowed types stay.

    Returns:
        The case, (t,) the old cell of every new one where something was cut, and the note on it.
    """
    mesh = case.mesh
    foreign = [name for name in mesh.cells.names if name not in allowed]
    if not foreign:
        return case, None, ()
    triangles, cell = triangulated(mesh)
    curved = np.isin(cell, np.concatenate([mesh.cells.where(name) for name in foreign]))
    kept = np.setdiff1d(np.arange(len(mesh.cells)), cell[curved])
    origin = np.concatenate([kept, cell[curved]])
    cells = Cells.concatenate([mesh.cells.take(kept), Cells.of(triangle=triangles[curved])])
    found = cells_by_patch(mesh)
    patches = {name: cells.take(np.isin(origin, index)) if (index >= 0).all() else mesh.patches[name] for name, index in found.items()}
    fields = {name: replace(item, values=item.values[origin]) if item.location == "cell" else item for name, item in case.fields.items()}
    fresh = Mesh(mesh.points, cells, patches, name=mesh.name, notes=mesh.notes)
    note = f"{', '.join(foreign)} faces are cut into triangles between their nodes"
    return replace(case, mesh=fresh, fields=fields, boundary={}), origin, (note,)
