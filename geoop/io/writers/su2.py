"""SU2 meshes: elements, points, one marker per patch, zones that share no points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

from ...errors import UnsupportedFormatError
from ...mesh.case import Case
from ...mesh.cells import CELL_TYPES, Cells
from ...mesh.mesh import Mesh
from .options import Options, left_out, listed, one_word
from .rows import cell_lines, number_lines

#: What SU2's finite-volume solver reads.
_ELEMENTS = {2: ("triangle", "quad"), 3: ("tetra", "hexahedron", "wedge", "pyramid")}
_FACETS = {2: ("line",), 3: ("triangle", "quad")}


def write_su2(case: Case, path: Path, options: Options) -> tuple[str, ...]:
    """Write a plane or volume mesh; see :func:`geoop.io.writing.write`.

    Zones that share no points and hold all cells are zones of the file (NZONE=), each with its markers; others are left out.

    Raises:
        UnsupportedFormatError: an outline, a surface or a point cloud, or cells and facets that SU2 does not have.
    """
    mesh = case.mesh
    _check(mesh)
    zones = _own_zones(mesh)
    notes: tuple[str, ...] = ()
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("% written by geoop, lengths in metres\n")
        if not zones:
            notes = _write_mesh(file, mesh, mesh.patches)
        else:
            file.write(f"NZONE= {len(zones)}\n")
            for number, (name, (points, cells)) in enumerate(zones.items(), 1):
                file.write(f"IZONE= {number}\n")
                index = np.full(len(mesh.points), -1, dtype=np.int64)
                index[points] = np.arange(len(points))
                part = Mesh(mesh.points[points], mesh.cells.take(cells).renumbered(index), name=name)
                patches = {key.removeprefix(f"{name}: "): _within(facets, index) for key, facets in mesh.patches.items()}
                notes += _write_mesh(file, part, {key: facets for key, facets in patches.items() if len(facets)})
            renamed = [name for number, name in enumerate(zones, 1) if name != f"zone {number}"]
            notes += (f"SU2 numbers its zones: {listed(zones)} are zones 1 to {len(zones)}",) if renamed else ()
    return (*notes, *left_out(case, patches=True, zones=bool(zones)))


def _check(mesh: Mesh) -> None:
    """Raise unless SU2 can hold the mesh; all reasons in one error."""
    dimension = mesh.dimension
    if mesh.cell_dimension != dimension:
        kind = "a point cloud" if mesh.is_cloud else ("an outline" if mesh.cell_dimension == 1 else "a surface")
        raise UnsupportedFormatError(
            f"an SU2 file holds plane or volume meshes, not {kind}", remedy="mesh the flow region first, or write .vtp, .stl or .vtu"
        )
    problems = [f"{len(mesh.cells.where(name))} {name} cells" for name in mesh.cells.names if name not in _ELEMENTS[dimension]]
    for patch, facets in mesh.patches.items():
        problems += [f"{len(facets.where(name))} {name} facets of '{patch}'" for name in facets.names if name not in _FACETS[dimension]]
    if problems:
        raise UnsupportedFormatError(
            f"SU2 has no {listed(problems)}",
            remedy="write .vtu or .msh, or mesh with linear triangles, quads, tetrahedra, hexahedra, wedges, pyramids",
        )


def _own_zones(mesh: Mesh) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name -> points and cells of every zone, where there are several that hold all cells once and share no points; else empty."""
    found = {name: (np.unique(mesh.cells.take(index).connectivity), index) for name, index in mesh.zones.items() if len(index)}
    if len(found) < 2:
        return {}
    cells = np.concatenate([index for _, index in found.values()])
    points = np.concatenate([index for index, _ in found.values()])
    apart = len(np.unique(points)) == len(points) and np.array_equal(np.sort(cells), np.arange(len(mesh.cells)))
    whole = all(_held(facets, [index for index, _ in found.values()], len(mesh.points)) for facets in mesh.patches.values())
    return found if apart and whole else {}


def _held(facets: Cells, zones: list[np.ndarray], count: int) -> bool:
    """Whether every facet has all of its points in one zone."""
    owner = np.full(count, -1, dtype=np.int64)
    for number, points in enumerate(zones):
        owner[points] = number
    if not len(facets):
        return True
    low, high = (ufunc.reduceat(owner[facets.connectivity], facets.offsets[:-1]) for ufunc in (np.minimum, np.maximum))
    return bool(((low == high) & (low >= 0)).all())


def _within(facets: Cells, index: np.ndarray) -> Cells:
    """The facets whose points have a number there, in these numbers."""
    if not len(facets):
        return facets
    inside = np.minimum.reduceat(index[facets.connectivity], facets.offsets[:-1]) >= 0
    return facets.take(inside).renumbered(index)


def _write_mesh(file: IO[str], mesh: Mesh, patches: Mapping[str, Cells]) -> tuple[str, ...]:
    words, notes = one_word(list(patches))
    file.write(f"NDIME= {mesh.dimension}\nNELEM= {len(mesh.cells)}\n")
    file.write("".join(f"{line} {i}\n" for i, line in enumerate(cell_lines(mesh.cells, _patterns()))))
    file.write(f"NPOIN= {len(mesh.points)}\n")
    file.write("".join(f"{line} {i}\n" for i, line in enumerate(number_lines(mesh.points))))
    file.write(f"NMARK= {len(patches)}\n")
    for name, facets in patches.items():
        file.write(f"MARKER_TAG= {words[name]}\nMARKER_ELEMS= {len(facets)}\n")
        file.write("".join(f"{line}\n" for line in cell_lines(facets, _patterns())))
    return notes


def _patterns() -> dict[str, str]:
    return {name: f"{code} %s" for name, (code, _, _) in CELL_TYPES.items()}
