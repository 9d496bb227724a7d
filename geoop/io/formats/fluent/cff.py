"""Fluent's CFF cases, .cas.h5 with .dat.h5 beside it: HDF5, read in a process of its own.

Layout as ANSYS Fluent writes it: ``meshes/<n>/{nodes,faces,cells}`` with a ``zoneTopology`` each, results under
``results/<n>/phase-<k>/{cells,faces}/<name>/<section>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import UnreadableFileError
from ...contents import Contents
from ...isolated import read_isolated
from ...source import Source
from .reading import FluentMesh

#: Fluent's names of solution variables -> words; others keep theirs.
RESULTS = {
    "SV_P": "pressure", "SV_T": "temperature", "SV_DENSITY": "density", "SV_U": "x-velocity", "SV_V": "y-velocity", "SV_W": "z-velocity",
    "SV_K": "turbulent_kinetic_energy", "SV_D": "turbulent_dissipation_rate", "SV_O": "specific_dissipation_rate", "SV_H": "enthalpy",
    "SV_MU_LAM": "dynamic_viscosity", "SV_MU_T": "turbulent_dynamic_viscosity",
}  # fmt: skip


def read_fluent_cff(source: Source) -> Contents:
    """Cell zones as zones, boundary zones as patches by name, polyhedra as such, results of the ``.dat.h5`` of the same name beside it.

    Lengths are in metres. Pressure is what Fluent stores: gauge pressure [Pa].

    Raises:
        UnreadableFileError: no mesh inside, damaged, or the data file belongs to another mesh.
    """
    with source.file() as path:
        beside = _data_beside(path)
        size = path.stat().st_size + (beside.stat().st_size if beside else 0)
        return read_isolated("fluent.cff:file_contents", path, source.time, source.where, size)


def _data_beside(path: Path) -> Path | None:
    name = re.sub(r"(?i)cas(?=\.h5$)", "dat", path.name)
    return path.parent / name if name != path.name and (path.parent / name).is_file() else None


def file_contents(path: Path, time: float | None, where: str) -> Contents:
    """What :func:`read_fluent_cff` returns; runs in the child. A case has no times of its own: ``time`` is not used."""
    import h5py

    with h5py.File(path, "r") as file:
        if "meshes" not in file:
            raise _no_mesh(set(file), where)
        meshes = [file["meshes"][key] for key in file["meshes"]]
        if len(meshes) != 1:
            raise UnreadableFileError(f"{len(meshes)} meshes in one case", where=where, remedy="export the meshes one by one")
        mesh = _mesh(meshes[0], where)
    beside = _data_beside(path)
    if beside is None:
        return mesh.contents([])
    with h5py.File(beside, "r") as file:
        return mesh.contents(list(_results(file, mesh)))


def _no_mesh(names: set[str], where: str) -> UnreadableFileError:
    """The error for an HDF5 file of something else, by the names in its root."""
    if "results" in names:
        remedy = "give the .cas.h5 file beside it: results alone (.dat.h5) have no mesh"
    elif any(re.fullmatch(r"data\d+", name) for name in names):
        remedy = "these seem to be the arrays of an .xdmf file: export that mesh as .vtu and read it"
    else:
        remedy = "give it the suffix of its format (.cgns, .vtkhdf, .exo), or export the mesh as .vtu"
    return UnreadableFileError(
        f"an HDF5 file without a Fluent mesh (it holds {', '.join(sorted(names)[:5]) or 'nothing'})", where=where, remedy=remedy
    )


def _mesh(group: Any, where: str) -> FluentMesh:
    mesh = FluentMesh(where)
    mesh.points = np.concatenate([np.asarray(part[()], dtype=np.float64) for _, _, part in _sections(group["nodes/coords"])])
    for zone, _, first, last, name in _zones(group["cells/zoneTopology"]):
        mesh.names[zone] = name
        if last >= first:
            mesh.cells[zone] = (first, last)
    faces = group["faces"]
    offsets, corners = _face_points(faces["nodes"], where)
    count = len(offsets) - 1
    sides = np.full((count, 2), -1, dtype=np.int64)
    for column, name in enumerate(("c0", "c1")):
        for first, last, part in _sections(faces[name]) if name in faces else ():
            values = np.asarray(part[()], dtype=np.int64)
            if first < 1 or last > count or len(values) != last - first + 1:
                raise UnreadableFileError(f"cells beside faces {first}..{last} of {count} do not fit", where=where, remedy="write the case again")
            sides[first - 1 : last, column] = values - 1
    for zone, kind, first, last, name in _zones(faces["zoneTopology"]):
        mesh.names[zone] = name
        if last < first:
            continue
        if first < 1 or last > count:
            raise UnreadableFileError(f"face zone '{name}' reaches to face {last} of {count}", where=where, remedy="write the case again")
        part = slice(offsets[first - 1], offsets[last])
        mesh.faces[zone] = (kind, first, np.diff(offsets[first - 1 : last + 1]), corners[part] - 1, sides[first - 1 : last])
    return mesh


def _zones(group: Any) -> Iterator[tuple[int, int, int, int, str]]:
    """Id, type, first and last number, name of every zone."""
    ids, first, last = (np.asarray(group[key][()]).reshape(-1) for key in ("id", "minId", "maxId"))
    kinds = np.asarray(group["zoneType"][()]).reshape(-1) if "zoneType" in group else np.zeros(len(ids), dtype=int)
    names = _words(group["name"][()]) if "name" in group else []
    for k in range(len(ids)):
        yield int(ids[k]), int(kinds[k]), int(first[k]), int(last[k]), names[k] if k < len(names) else ""


def _words(value: Any) -> list[str]:
    """``b"inlet;outlet"`` or an array of strings as a list."""
    parts = np.asarray(value).reshape(-1).tolist()
    texts = [part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts]
    return [word.strip(" \0") for text in texts for word in text.split(";")]


def _sections(group: Any) -> list[tuple[int, int, Any]]:
    """First and last number and data set of each section of a group, in order of the numbers."""
    found = []
    for key in group:
        part = group[key]
        said = {name: int(np.ravel(part.attrs[name])[0]) for name in ("minId", "maxId") if name in part.attrs}
        first = said.get("minId", 1)
        found.append((first, said.get("maxId", first + len(part) - 1), part))
    return sorted(found, key=lambda item: item[0])


def _face_points(group: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
    sizes, corners, at = [], [], 1
    for first, last, part in _sections(group):
        size, corner = (np.asarray(part[name][()], dtype=np.int64).reshape(-1) for name in ("nnodes", "nodes"))
        if first != at or "minId" in part.attrs and len(size) != last - first + 1 or (size < 2).any() or size.sum() != len(corner):
            raise UnreadableFileError(f"the points of faces {first}..{last} do not fit together", where=where, remedy="write the case again")
        sizes.append(size)
        corners.append(corner)
        at += len(size)
    if not sizes:
        raise UnreadableFileError("the mesh has no faces", where=where, remedy="write the case again")
    return np.concatenate([[0], np.cumsum(np.concatenate(sizes))]), np.concatenate(corners)


def _results(file: Any, mesh: FluentMesh) -> Iterator[tuple[str, int, int, np.ndarray]]:
    """Values of all phases; those of other phases than the first carry its name."""
    import h5py

    for run in file.get("results", {}).values():
        phases = [key for key in run if key.startswith("phase-")]
        for phase in phases:
            for place, kind in enumerate(("cells", "faces")):
                for name, group in run[phase].get(kind, {}).items():
                    if not isinstance(group, h5py.Group) or re.search(r"_M\d$", name):
                        continue  # lists of names, and the time steps before this one
                    label = f"{RESULTS.get(name, name)}{'' if phase == 'phase-1' or len(phases) == 1 else f' {phase}'}"
                    for first, _, part in _sections(group):
                        values = np.asarray(part[()], dtype=np.float64)
                        if values.ndim and values.dtype.kind == "f" and len(values):
                            yield label, first, place, values
