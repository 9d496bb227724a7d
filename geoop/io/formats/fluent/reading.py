"""Fluent meshes and cases with their results: .msh, .cas with .dat beside it, text and binary. CFF (.cas.h5) is in ``cff``.

VTK's reader keeps the cells only; the boundary zones with their names are read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from ....errors import UnreadableFileError
from ....mesh.cells import Cells
from ...contents import Array, Contents, flattened
from ...field_names import solver_named
from ...source import Source
from ..face_cells import cells_from_faces, faces_as_cells
from .sections import Section, sections

_INTERIOR, _PARENT_FACE, _PARENT_CELL = 2, 31, 32
#: Results by their number in section 300; others are called by it.
RESULTS = {
    1: "pressure", 3: "temperature", 4: "enthalpy", 5: "turbulent_kinetic_energy", 7: "turbulent_dissipation_rate",
    101: "density", 102: "dynamic_viscosity", 103: "turbulent_dynamic_viscosity", 104: "specific_heat", 111: "x-velocity", 112: "y-velocity", 113: "z-velocity",
}  # fmt: skip


@dataclass(eq=False)
class FluentMesh:
    """Faces and zones as Fluent has them.

    Attributes:
        where: the file.
        points: (n, 2) or (n, 3).
        faces: zone id -> (type of the zone, first face number, sizes of its faces, their corners from 0, (k, 2) cells at both sides, -1 for none).
        cells: zone id -> first and last cell number, from 1.
        names: zone id -> name.
    """

    where: str
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    faces: dict[int, tuple[int, int, np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=dict)
    cells: dict[int, tuple[int, int]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def name(self, zone: int) -> str:
        """What a zone is called; one without a name by its number."""
        return self.names.get(zone) or f"zone {zone}"

    def contents(self, results: list[tuple[str, int, int, np.ndarray]]) -> Contents:
        """The mesh with its boundary zones as patches and its cell zones as zones.

        Args:
            results: label, first number, 0 for cells or 1 for faces, and values from that number on.

        Raises:
            UnreadableFileError: no faces, numbers out of range, cells that do not close.
        """
        if not self.faces or not len(self.points):
            raise UnreadableFileError("holds no faces and points", where=self.where, remedy="write the case or mesh file again from Fluent")
        sizes, corners, sides = (np.concatenate([zone[k] for zone in self.faces.values()]) for k in (2, 3, 4))
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        n_cells = max((last for _, last in self.cells.values()), default=0)
        if not n_cells or not (sides >= 0).any():  # a surface mesh: the faces are all there is
            return self._surface(faces_as_cells(offsets, corners))
        live = np.zeros(n_cells, dtype=bool)
        for first, last in self.cells.values():
            live[first - 1 : last] = True
        number = np.where(live, np.cumsum(live) - 1, -1)
        if sides.max() >= n_cells:
            raise UnreadableFileError(f"faces name cell {sides.max() + 1} of {n_cells}", where=self.where, remedy="export or download it again")
        sides = np.where(sides >= 0, number[sides], -1)
        cells = cells_from_faces(self.points, offsets, corners, sides, int(live.sum()), self.where)
        zones: dict[str, list[np.ndarray]] = {}
        for zone, (first, last) in self.cells.items():
            zones.setdefault(self.name(zone), []).append(number[first - 1 : last])
        patches = {}
        for zone, (kind, _, size, corner, _) in self.faces.items():
            if kind not in (_INTERIOR, _PARENT_FACE):
                patches.setdefault(self.name(zone), []).append(faces_as_cells(np.concatenate([[0], np.cumsum(size)]), corner))
        arrays, boundary = self._results(results, live)
        points, flat = flattened(self.points, cells.dimension)
        return Contents(
            points,
            cells,
            {name: Cells.concatenate(parts) for name, parts in patches.items()},
            {name: np.concatenate(parts) for name, parts in zones.items()},
            arrays,
            (*self.notes, *flat),
            boundary=boundary,
        )

    def _surface(self, cells: Cells) -> Contents:
        ends = np.cumsum([0, *(len(zone[2]) for zone in self.faces.values())])
        patches: dict[str, list[np.ndarray]] = {}
        for zone, first, last in zip(self.faces, ends[:-1], ends[1:], strict=True):
            patches.setdefault(self.name(zone), []).append(np.arange(first, last))
        points, flat = flattened(self.points, cells.dimension)
        return Contents(points, cells, {name: cells.take(np.concatenate(part)) for name, part in patches.items()}, notes=(*self.notes, *flat))

    def _results(self, results: list[tuple[str, int, int, np.ndarray]], live: np.ndarray) -> tuple[tuple[Array, ...], dict[str, tuple[Array, ...]]]:
        """Values of cells, NaN where a zone has none, and those of boundary zones that have them complete."""
        arrays: dict[str, np.ndarray] = {}
        on_faces: dict[str, list[tuple[int, np.ndarray]]] = {}
        for label, first, place, values in results:
            if place:
                on_faces.setdefault(label, []).append((first, values))
                continue
            if first < 1 or first - 1 + len(values) > len(live):
                raise UnreadableFileError(
                    f"'{label}' has values of cells {first}..{first + len(values) - 1} of {len(live)}",
                    where=self.where,
                    remedy="the data file belongs to another case: put the right one beside it, or remove it",
                )
            whole = arrays.setdefault(label, np.full((len(live), *values.shape[1:]), np.nan))
            if whole.shape[1:] == values.shape[1:]:
                whole[first - 1 : first - 1 + len(values)] = values
        boundary: dict[str, list[Array]] = {}
        counts: dict[str, int] = {}
        for zone in self.faces:
            counts[self.name(zone)] = counts.get(self.name(zone), 0) + 1
        for zone, (kind, start, sizes, _, _) in self.faces.items():
            if kind in (_INTERIOR, _PARENT_FACE) or counts[self.name(zone)] > 1:
                continue
            for label, pieces in on_faces.items():
                values = next((v[start - f : start - f + len(sizes)] for f, v in pieces if f <= start and f + len(v) >= start + len(sizes)), None)
                if values is not None and len(values):
                    boundary.setdefault(self.name(zone), []).append(Array(label, values, "facet"))
        found = solver_named(Array(label, values[live], "cell") for label, values in arrays.items())
        return found, {name: solver_named(parts) for name, parts in boundary.items()}


def read_fluent(source: Source) -> Contents:
    """Cell zones as zones, boundary zones as patches by name, polyhedra as such, and the results of a ``.dat`` of the same name beside it.

    Lengths are in metres, as Fluent writes them. Pressure is what Fluent stores: gauge pressure [Pa].

    Raises:
        UnreadableFileError: damaged or truncated, or the data file belongs to another mesh.
    """
    mesh = fluent_mesh(source.data(), source.where)
    beside = data_file(source)
    return mesh.contents(fluent_results(beside.data(), mesh, beside.where) if beside is not None else [])


def data_file(source: Source) -> Source | None:
    """The data file that belongs to a case file, plain or packed: the same name with ``dat`` for ``cas``; None without one."""
    if source.compression == ".zip" or "cas" not in source.path.name.lower():
        return None
    head, tail = re.split(r"(?i)cas(?=(?:\.h5)?(?:\.gz|\.bz2)?$)", source.path.name, maxsplit=1)
    tail = re.sub(r"(\.gz|\.bz2)$", "", tail)
    for name in (f"{head}dat{tail}", f"{head}dat{tail}.gz", f"{head}dat{tail}.bz2"):
        if (source.path.parent / name).is_file():
            return Source.find(source.path.parent / name)
    return None


def fluent_mesh(data: bytes, where: str) -> FluentMesh:
    """Points, faces, cells and names out of a .msh or .cas file.

    Args:
        data: the whole file.
        where: the file, for errors.
    """
    mesh = FluentMesh(where)
    parts: dict[int, np.ndarray] = {}
    dimension, announced, seen = 3, {10: 0, 12: 0, 13: 0}, {10: 0, 12: 0, 13: 0}
    for section in sections(data, where):
        if section.index in seen:
            _count(section, announced, seen)
        if section.index == 2 and section.header[0].isdigit():
            dimension = int(section.header[0])
        elif section.index == 10:
            _add_points(section, parts, dimension, where)
        elif section.index == 12:
            _add_cells(section, mesh)
        elif section.index == 13:
            _add_faces(section, mesh)
        elif section.index in (39, 45) and len(section.header) > 2:
            mesh.names[int(section.header[0])] = section.header[2]
        elif section.index in (58, 59):
            mesh.notes = ["hanging nodes: refined cells are read, the coarse cells that they replace are left out"]
    short = [f"{seen[k]} of {announced[k]} {word}" for k, word in ((10, "points"), (12, "cells"), (13, "faces")) if seen[k] < announced[k]]
    if short:
        raise UnreadableFileError(f"only {', '.join(short)} are there: truncated", where=where, remedy="export or download it again")
    unnamed = [str(zone) for zone in (*mesh.cells, *mesh.faces) if zone not in mesh.names]
    if unnamed:
        mesh.notes.append(f"the file has no names for zones {', '.join(unnamed)}: they are called by their numbers")
    if parts:
        first = min(parts)
        rows = [parts[key] for key in sorted(parts)]
        if first != 1 or any(a + len(row) != b for a, row, b in zip(sorted(parts), rows, sorted(parts)[1:], strict=False)):
            raise UnreadableFileError("the points have gaps in their numbers", where=where, remedy="export or download it again")
        mesh.points = np.concatenate(rows)
    return mesh


def _count(section: Section, announced: dict[int, int], seen: dict[int, int]) -> None:
    """Points, cells or faces: a section of zone 0 announces how many there are in all."""
    numbers = section.hexadecimal()
    if not numbers[0]:
        announced[section.index] = numbers[2]
    elif section.index == 12 or section.body:
        seen[section.index] += max(numbers[2] - numbers[1] + 1, 0)


def _add_points(section: Section, parts: dict[int, np.ndarray], dimension: int, where: str) -> None:
    numbers = section.hexadecimal()
    if not section.body or not numbers[0]:
        return
    dimension = numbers[4] if len(numbers) > 4 and numbers[4] in (2, 3) else dimension
    values = section.reals()
    count = numbers[2] - numbers[1] + 1
    if len(values) != count * dimension:
        raise UnreadableFileError(
            f"{count} points with {dimension} coordinates are announced, {len(values)} numbers are there", where=where, remedy="export it again"
        )
    parts[numbers[1]] = values.reshape(count, dimension)


def _add_cells(section: Section, mesh: FluentMesh) -> None:
    numbers = section.hexadecimal()
    if numbers[0] and numbers[2] >= numbers[1] and not (len(numbers) > 3 and numbers[3] in (0, _PARENT_CELL)):
        mesh.cells[numbers[0]] = (numbers[1], numbers[2])


def _add_faces(section: Section, mesh: FluentMesh) -> None:
    numbers = section.hexadecimal()
    if not numbers[0] or not section.body:
        return
    count, kind = numbers[2] - numbers[1] + 1, numbers[4] if len(numbers) > 4 else 0
    flat = section.integers()
    if kind in (2, 3, 4):
        if len(flat) != count * (kind + 2):
            raise UnreadableFileError(
                f"face zone {numbers[0]} announces {count} faces of {kind} points, {len(flat)} numbers are there",
                where=mesh.where,
                remedy="export or download it again",
            )
        rows = flat.reshape(count, kind + 2)
        sizes, corners, sides = np.full(count, kind), rows[:, :kind].reshape(-1), rows[:, kind:]
    else:
        sizes, corners, sides = _mixed(flat, count, numbers[0], mesh.where)
    if numbers[3] == _PARENT_FACE:
        return
    mesh.faces[numbers[0]] = (numbers[3], numbers[1], sizes, corners - 1, sides - 1)


def _mixed(flat: np.ndarray, count: int, zone: int, where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces that say their own number of points: size, points, two cells."""
    starts, at, numbers = [], 0, flat.tolist()
    while at < len(numbers) and len(starts) < count:
        starts.append(at)
        at += max(numbers[at], 0) + 3
    first = np.array(starts, dtype=np.int64)
    sizes = flat[first] if len(first) else first
    if len(first) != count or at != len(numbers) or (sizes < 2).any():
        raise UnreadableFileError(
            f"face zone {zone} announces {count} faces, {len(first)} fit into its {len(numbers)} numbers",
            where=where,
            remedy="export or download it again",
        )
    ends = np.concatenate([[0], np.cumsum(sizes)])
    corners = flat[np.repeat(first + 1 - ends[:-1], sizes) + np.arange(ends[-1])]
    last = first + sizes
    return sizes, corners, np.stack([flat[last + 1], flat[last + 2]], axis=1)


def fluent_results(data: bytes, mesh: FluentMesh, where: str) -> list[tuple[str, int, int, np.ndarray]]:
    """Results of a .dat file, see :meth:`FluentMesh.contents`."""
    found = []
    for section in sections(data, where):
        if section.index != 300 or not section.body:
            continue
        code, zone, size, _, _, first, last = (int(word) for word in section.header[:7])
        values = section.reals()
        count = last - first + 1
        if count < 1 or size < 1 or len(values) < count * size:
            raise UnreadableFileError(f"result {code} of zone {zone} is cut short", where=where, remedy="write the data file again")
        values = values[: count * size].reshape(count, size)
        label = RESULTS.get(code, f"fluent_{code}")
        if code == 2 and size in (2, 3):
            label = "velocity"  # called momentum there; the values are velocities
        if zone in mesh.cells or zone in mesh.faces:
            found.append((label, first, int(zone not in mesh.cells), values[:, 0] if size == 1 else values))
    return found
