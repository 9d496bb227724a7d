"""An OpenFOAM case, whole or decomposed, of one or several regions, at one of its times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import UnreadableFileError
from ...mesh.cells import Cells
from ..contents import Array, Contents, chosen_time
from ..source import Source
from .case_folder import Part, parts_of
from .region import Region, read_region

#: Patch types that are solid, coupled to another region or not.
_WALL = re.compile(r"wall|mappedWall.*")


@dataclass(frozen=True)
class Step:
    """What is to be read: the folders, the regions in them, the time.

    Attributes:
        parts: the case itself, or its processor folders.
        regions: names of the meshes in the order in which they are joined.
        time: [s], None for a case without times.
        times: [s] all that there are.
        notes: what was chosen.
    """

    parts: tuple[Part, ...]
    regions: tuple[str, ...]
    time: float | None
    times: tuple[float, ...]
    notes: tuple[str, ...] = ()


def read_openfoam(source: Source) -> Contents:
    """A case: mesh, patches, cell zones, and all cell and point fields of one time with their values on the patches.

    Of a case that was run in parallel, times that only the processor folders have are read from there and put together. Regions
    become zones of one mesh. Patches keep their faces in OpenFOAM's order, looking out of the mesh; those of type wall are the
    walls of the case, unless it has several regions, where both sides of a solid have some. Cells that are a tetrahedron,
    pyramid, wedge or hexahedron by their faces are read as such, all others as polyhedra.

    Raises:
        UnreadableFileError: a file is missing, truncated or damaged; the message names it.
        InvalidMeshError: the mesh has indices out of range.
        ConfigurationError: no such time.
    """
    with source.file() as folder:
        try:
            step = step_of(folder, source.time, source.where)
            regions = [read_region(list(step.parts), name, step.time) for name in step.regions]
        except OSError as error:
            raise UnreadableFileError(
                f"cannot be read: {error.strerror or error}", where=str(error.filename or source.where), remedy="check the permissions"
            ) from error
    found = regions[0] if len(regions) == 1 and not regions[0].name else _together(regions)
    return Contents(
        found.points,
        found.cells,
        found.patches,
        found.zones,
        tuple(found.arrays),
        tuple(dict.fromkeys((*step.notes, *_notes(found), *found.notes))),
        boundary={name: tuple(arrays) for name, arrays in found.boundary.items()},
        time=step.time,
        times=step.times,
        wall=tuple(name for name in found.patches if _WALL.fullmatch(found.kinds[name])) if len(regions) == 1 else (),
    )


def step_of(root: Path, wanted: float | None, where: str) -> Step:
    """Which folders hold the wanted time: the case itself where it has it, the processor folders otherwise.

    Raises:
        UnreadableFileError: the folder holds no mesh.
        ConfigurationError: no such time.
    """
    case, parts = Part(root, root), parts_of(root)
    own = set(case.times) if case.regions() else set()
    spread = set(parts[0].times) if parts and parts[0].regions() else set()
    times = tuple(sorted(own | spread))
    if not case.regions() and not (parts and parts[0].regions()):
        raise UnreadableFileError(
            "the case has no mesh: neither constant/polyMesh nor processor0/constant/polyMesh",
            where=where,
            remedy="make the mesh with `blockMesh` or `snappyHexMesh`, or copy the folder constant/polyMesh too",
        )
    time = times[chosen_time(times, wanted, where)] if times else None
    decomposed = not case.regions() or (time is not None and time not in own)
    chosen = tuple(parts) if decomposed else (case,)
    lacking = [part.folder.name for part in chosen if time is not None and time not in part.times]
    if lacking:
        raise UnreadableFileError(
            f"there is no time {time:g} in {', '.join(lacking[:6])}{' and others' if len(lacking) > 6 else ''}",
            where=where,
            remedy="choose another time, or copy all processor folders completely",
        )
    notes = (f"put together from {len(chosen)} processor folders",) if decomposed else ()
    return Step(chosen, tuple(chosen[0].regions()), time, times, notes)


def _notes(region: Region) -> list[str]:
    notes = [f"patch types: {', '.join(f'{name} {kind}' for name, kind in region.kinds.items())}"] if region.kinds else []
    if "empty" in region.kinds.values():
        notes.append("a two-dimensional case (patches of type empty): read as it is, three-dimensional and one cell thick")
    elif "wedge" in region.kinds.values():
        notes.append("an axisymmetric case (patches of type wedge): read as it is, a wedge one cell thick")
    return notes


def _together(regions: list[Region]) -> Region:
    """All regions as one: each is a zone; patches and zones that several regions have get the name of the region in front."""
    names = [region.name or "region0" for region in regions]
    points = np.cumsum([0, *(len(region.points) for region in regions)])
    starts = np.cumsum([0, *(len(region.cells) for region in regions)])
    often = [name for region in regions for name in (*region.patches, *region.zones)]
    patches, kinds, zones, boundary, notes = {}, {}, {}, {}, []
    for number, (region, name) in enumerate(zip(regions, names, strict=True)):
        zones[name] = np.arange(starts[number], starts[number + 1])
        own = {key: f"{name}/{key}" if often.count(key) > 1 or key in names else key for key in (*region.patches, *region.zones)}
        for key, part in region.patches.items():
            patches[own[key]] = part.renumbered(np.arange(len(region.points)) + points[number])
            kinds[own[key]] = region.kinds[key]
        for key, index in region.zones.items():
            zones[own[key]] = index + starts[number]
        boundary |= {own[key]: arrays for key, arrays in region.boundary.items()}
        notes += [f"{name}: {note}" for note in region.notes]
    arrays, missing = _joined_arrays(regions, names)
    notes += [f"fields that not every region has are NaN in the others: {', '.join(missing)}"] if missing else []
    cells = Cells.concatenate(
        [region.cells.renumbered(np.arange(len(region.points)) + start) for region, start in zip(regions, points, strict=False)]
    )
    return Region("", np.concatenate([region.points for region in regions]), cells, patches, kinds, zones, arrays, boundary, notes)


def _joined_arrays(regions: list[Region], names: list[str]) -> tuple[list[Array], list[str]]:
    arrays, missing = [], []
    for label, location in dict.fromkeys((item.label, item.location) for region in regions for item in region.arrays):
        parts = [next((item.values for item in region.arrays if (item.label, item.location) == (label, location)), None) for region in regions]
        width = next(part.shape[1:] for part in parts if part is not None)
        rows = [len(region.cells) if location == "cell" else len(region.points) for region in regions]
        filled = [
            np.full((count, *width), np.nan) if part is None or part.shape[1:] != width else part for part, count in zip(parts, rows, strict=True)
        ]
        arrays.append(Array(label, np.concatenate(filled), "cell" if location == "cell" else "point"))
        lacking = [name for name, part in zip(names, parts, strict=True) if part is None or part.shape[1:] != width]
        if lacking:
            missing.append(f"{label} (not in {', '.join(lacking)})")
    return arrays, missing
