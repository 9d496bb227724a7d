"""STL: triangles; text with one solid per patch, or binary."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...mesh.case import Case
from ...mesh.triangulation import triangulated
from ..merging import degenerate_triangles
from .options import Options, left_out
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
    names, numbers, lost_names = owners(surface)
    owner = numbers[cell]
    several = len(names) > 1 or (len(names) == 1 and (owner < 0).any())
    more = [f"{', '.join(name for name in surface.mesh.cells.names if name != 'triangle')} faces are cut into triangles"]
    notes = (*notes, *(more if any(name != "triangle" for name in surface.mesh.cells.names) else ()), *options.said)
    if options.text:
        _write_text(path, corners, owner, names, surface.mesh.name)
        return (*notes, *lost_names, *left_out(surface, patches=True))
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


def _write_text(path: Path, corners: np.ndarray, owner: np.ndarray, names: list[str], rest: str) -> None:
    facet = "facet normal %r %r %r\n outer loop\n  vertex %r %r %r\n  vertex %r %r %r\n  vertex %r %r %r\n endloop\nendfacet\n"
    table = np.concatenate([_normals(corners), corners.reshape(len(corners), 9)], axis=1)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for number, name in [*enumerate(names), (-1, rest)]:
            chosen = table[owner == number]
            if len(chosen):
                line = " ".join(name.split())
                file.write(f"solid {line}\n{''.join(facet % tuple(row) for row in chosen.tolist())}endsolid {line}\n")


def _normals(corners: np.ndarray) -> np.ndarray:
    """(t, 3) unit normals, zero where there is no area."""
    vectors = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, size, out=np.zeros_like(vectors), where=size > 0)
