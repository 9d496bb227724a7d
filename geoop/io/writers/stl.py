"""STL: triangles; text with one solid per patch, or binary."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...mesh.case import Case
from ...mesh.cells import CELL_TYPES, Cells
from ...mesh.triangulation import triangulated
from ..merging import degenerate_triangles
from .options import Options, left_out, rewritten
from .surface import owners, surface_of

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def write_stl(case: Case, path: Path, options: Options) -> tuple[str, ...]:
    """Write the surface of a case; see :func:`geoop.io.writing.write`.

    Raises:
        UnsupportedFormatError: an outline or a point cloud.
    """
    surface, notes = surface_of(case, "STL")
    triangles, cell = triangulated(surface.mesh)
    corners = surface.mesh.points[triangles] * options.scale
    names, numbers, said = owners(surface)
    owner = numbers[cell]
    several = len(names) > 1 or (len(names) == 1 and (owner < 0).any())
    notes = (*notes, *_cells_said(surface.mesh.cells), *options.said)
    if options.text:
        rest = surface.mesh.name
        while rest in names:  # faces of no patch must not join one
            rest += " rest"
        solids = [*names, rest] if (owner < 0).any() else names
        heads, changed = rewritten(solids, lambda name: " ".join(name.split()), "a solid has its name on one line, with single blanks")
        _write_text(path, corners, owner, list(heads.values()))
        said += (f"faces of no patch are written as the solid '{heads[rest]}'",) if names and rest in heads else ()
        return (*notes, *said, *changed, *left_out(surface, patches=True))
    single = corners.astype(np.float32)
    lost = degenerate_triangles(single.reshape(-1, 3), np.arange(3 * len(single)).reshape(-1, 3))
    lost -= degenerate_triangles(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3))
    rounded = f"binary STL rounds coordinates to 32 bits, by up to {np.abs(corners - single).max(initial=0.0):.1g} {options.unit}"
    notes = (*notes, rounded + (f"; {lost} triangles lose their area by it: write it as text" if lost > 0 else ""))
    table = np.zeros(len(single), _RECORD)
    table["corners"], table["normal"] = single, _normals(corners)
    with open(path, "wb") as file:
        file.write(f"geoop, lengths in {options.unit}".encode().ljust(80)[:80])
        file.write(np.uint32(len(table)).tobytes())
        table.tofile(file)
    if several:
        notes = (*notes, "binary STL is one solid: write it as text (text=True, --text) for one solid per patch")
    return (*notes, *left_out(surface, patches=not names))


def _cells_said(cells: Cells) -> tuple[str, ...]:
    """Notes on cells that are no triangles."""
    faces = [name for name in cells.names if name != "triangle" and CELL_TYPES[name][1] == 2]
    notes = (f"{', '.join(faces)} faces are cut into triangles",) if faces else ()
    return (*notes, *(f"{len(cells.where(name))} {name} cells are left out" for name in cells.names if CELL_TYPES[name][1] < 2))


def _write_text(path: Path, corners: np.ndarray, owner: np.ndarray, names: list[str]) -> None:
    """One solid per name, in the order of the numbers of their owners; the last may be that of the faces that have none, -1."""
    facet = "facet normal %r %r %r\n outer loop\n  vertex %r %r %r\n  vertex %r %r %r\n  vertex %r %r %r\n endloop\nendfacet\n"
    table = np.concatenate([_normals(corners), corners.reshape(len(corners), 9)], axis=1)
    home = np.where(owner < 0, len(names) - 1, owner)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for number, name in enumerate(names):
            chosen = table[home == number]
            if len(chosen):
                file.write(f"solid {name}\n{''.join(facet % tuple(row) for row in chosen.tolist())}endsolid {name}\n")


def _normals(corners: np.ndarray) -> np.ndarray:
    """(t, 3) unit normals, zero where there is no area."""
    vectors = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, size, out=np.zeros_like(vectors), where=size > 0)
