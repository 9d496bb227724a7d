"""VTKHDF (.vtkhdf, .hdf), read with h5py and checked before anything is followed: grids, polygonal data, images, blocks, steps.

The layout is that of the specification of VTK, "VTKHDF format specification", versions 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import UnreadableFileError, UnsupportedFormatError
from ....mesh.cells import Faces
from ....mesh.quantity import Location
from ... import annotations
from ...contents import Array, Contents, chosen_time
from ...source import Source
from .cells import PlainCells, plain_cells
from .data import Piece, assembled, expanded_faces, own_field_data, polygonal
from .image import image_grid
from .listing import in_one
from .multiblock import blocks_of

#: Stands for ``/`` in names of arrays, which HDF5 takes for folders; it looks the same in ParaView.
SLASH = "\u2215"
_LISTS = {"Vertices": "Verts", "Lines": "Lines", "Polygons": "Polys", "Strips": "Strips"}
_SIMPLE = ("UnstructuredGrid", "PolyData", "ImageData")
_TREES = ("MultiBlockDataSet", "PartitionedDataSetCollection")


def read_vtkhdf(source: Source) -> Contents:
    """The wanted step of a VTKHDF file: one grid, or all blocks of a tree as zones and patches. Partitions are one mesh.

    What geoop wrote itself (patches, operating point, notes) comes back.

    Raises:
        UnreadableFileError: no VTKHDF file, damaged, or sizes that do not fit together.
        UnsupportedFormatError: AMR and hyper-tree grids, and cell types that geoop does not have.
        ConfigurationError: there is no such step.
    """
    import h5py

    with source.file() as path:
        try:
            with h5py.File(path, "r") as file:
                return _contents(file, path, source)
        except (OSError, RuntimeError) as error:
            raise UnreadableFileError(f"HDF5 cannot read it: {error}", where=source.where, remedy="write, download or export it again") from error


def _contents(file: Any, path: Path, source: Source) -> Contents:
    import h5py

    root = file.get("VTKHDF")
    if not isinstance(root, h5py.Group):
        raise UnreadableFileError(
            f"an HDF5 file without the group VTKHDF, with {', '.join(list(file)[:6]) or 'nothing'}",
            where=source.where,
            remedy="give it its true suffix",
        )
    kind = _kind(root)
    if kind in _SIMPLE:
        part = _Part.of(root, kind, source)
        piece = part.read()
        contents = piece.contents()
        return replace(contents, times=part.times, time=part.time if part.times else contents.time)
    if kind not in _TREES:
        raise UnsupportedFormatError(
            f"holds a {kind or 'thing without a type'}", where=source.where, remedy="in ParaView save it as .vtu (Filters > Merge Blocks first)"
        )
    parts = [(name, _Part.of(group, _kind(group), source)) for name, group in _blocks(root, source.where)]
    if not parts:
        raise UnreadableFileError("holds no blocks", where=source.where, remedy="export it again")
    contents = blocks_of([(name, part.read()) for name, part in parts], source.where)
    times = next((part.times for _, part in parts if part.times), ())
    return replace(contents, times=times, time=next((part.time for _, part in parts if part.times), contents.time))


def _kind(group: Any) -> str:
    kind = group.attrs.get("Type", b"")
    return kind.decode("utf-8", "replace") if isinstance(kind, bytes) else str(kind)


def _blocks(root: Any, where: str) -> list[tuple[str, Any]]:
    """Blocks with the names on the way to them, in the order of the assembly; those outside it by their own name."""
    import h5py

    found: list[tuple[str, Any]] = []

    def visit(group: Any, names: tuple[str, ...], above: tuple[Any, ...]) -> None:
        for name in group:
            child = group.get(name)
            if not isinstance(child, h5py.Group) or child in above:
                continue
            own = (*names, name.replace(SLASH, "/"))
            if _kind(child) in _SIMPLE:
                found.append(("/".join(own), child))
            elif "Type" not in child.attrs:
                visit(child, own, (*above, child))

    if isinstance(root.get("Assembly"), h5py.Group):
        visit(root["Assembly"], (), (root["Assembly"],))
    others = [(name, root[name]) for name in root if name != "Assembly" and isinstance(root[name], h5py.Group) and _kind(root[name])]
    unknown = [f"{name} ({_kind(group)})" for name, group in others if _kind(group) not in _SIMPLE]
    if unknown:
        raise UnsupportedFormatError(
            f"holds blocks {', '.join(unknown)}", where=where, remedy="in ParaView save it as .vtu (Filters > Merge Blocks first)"
        )
    return found + [(name, group) for name, group in others if not any(group == other for _, other in found)]


@dataclass(frozen=True)
class _Part:
    """One data set of the file at one step.

    Attributes:
        group: its HDF5 group.
        kind: its VTK type.
        where: the file.
        step: number of the step; 0 where there are none.
        times: [s] of all steps.
    """

    group: Any
    kind: str
    where: str
    step: int
    times: tuple[float, ...]

    @classmethod
    def of(cls, group: Any, kind: str, source: Source) -> _Part:
        if "Steps" not in group:
            return cls(group, kind, source.where, 0, ())
        values = np.asarray(cls(group, kind, source.where, 0, ())._dataset("Steps/Values")[()], dtype=np.float64).reshape(-1)
        count = int(group["Steps"].attrs.get("NSteps", len(values)))
        if count != len(values) or not count or not np.isfinite(values).all():
            raise UnreadableFileError(f"damaged: {count} steps are announced with {len(values)} times", where=source.where, remedy="write it again")
        order = np.argsort(values, kind="stable")
        times = tuple(values[order].tolist())
        return cls(group, kind, source.where, int(order[chosen_time(times, source.time, source.where)]), times)

    @property
    def time(self) -> float:
        return float(self.group["Steps/Values"][self.step])

    def read(self) -> Piece:
        """All partitions of the step as one mesh."""
        if self.kind == "ImageData":
            return self._image()
        total, first = len(self._numbers("NumberOfPoints")), self._first
        number = total // max(len(self.times), 1)
        if "Steps/NumberOfParts" in self.group:
            number = int(self._numbers("Steps/NumberOfParts")[self.step])
        if first < 0 or number < 0 or first + number > total:
            raise self._torn(f"step {self.step} has the parts {first} to {first + number} of {total}")
        pieces = [self._piece(part) for part in range(first, first + number)]
        there = [piece for piece in pieces if len(piece.points)]
        if not there:
            raise UnreadableFileError("the file holds no points", where=self.where, remedy="export it again, with its mesh")
        return in_one(there, self.where)

    @property
    def _first(self) -> int:
        """Number of the first partition of the step."""
        return int(self._numbers("Steps/PartOffsets")[self.step]) if "Steps/PartOffsets" in self.group else 0

    def _piece(self, part: int) -> Piece:
        start, count = self._start("NumberOfPoints", part, "PointOffsets"), int(self._numbers("NumberOfPoints")[part])
        points = np.asarray(self._slice("Points", start, count), dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 3:
            raise self._torn(f"its points have shape {points.shape}")
        faces: Faces | None = None
        if self.kind == "UnstructuredGrid":
            offsets, connectivity = self._cells("", 0, part)
            first = self._start("NumberOfCells", part, "CellOffsets")
            types = np.asarray(self._slice("Types", first, len(offsets) - 1), dtype=np.uint8)
            faces = self._faces(part, len(types))
        else:
            present = {kind: (i, name) for i, (kind, name) in enumerate(_LISTS.items()) if kind in self.group}
            types, offsets, connectivity = polygonal({name: self._cells(f"{kind}/", i, part) for kind, (i, name) in present.items()})
            first = sum(self._start(f"{kind}/NumberOfCells", part, "CellOffsets", i) for kind, (i, _) in present.items())
        if faces is None and self.kind == "UnstructuredGrid" and (types == 42).any():
            raise UnreadableFileError(
                f"{int((types == 42).sum())} polyhedra without their faces: some writers of VTK leave them out",
                where=self.where,
                remedy="save it as .vtu from the program that made it",
            )
        plain = plain_cells(types, offsets, connectivity, self.where, faces)
        saved, left_out = own_field_data(_field_data(self.group))
        before = {"PointData": start - self._start("NumberOfPoints", self._first, "PointOffsets"), "CellData": first - self._first_cell()}
        arrays, dropped = self._arrays({"PointData": (start, count), "CellData": (first, len(types))}, before, annotations.is_own(saved.__contains__))
        if plain.parent is not None:
            arrays = [Array(a.label, a.values[plain.parent], a.location) if a.location == "cell" else a for a in arrays]
        notes = (f"field data left out: {', '.join(left_out)}",) if left_out else ()
        notes += (f"arrays that are not numbers or are colours are left out: {', '.join(dropped)}",) if dropped else ()
        return assembled(points, plain, tuple(arrays), notes, saved)

    def _cells(self, prefix: str, topology: int, part: int) -> tuple[np.ndarray, np.ndarray]:
        """Offsets and connectivity of one list of cells of one partition; every partition has one more offset than cells."""
        cells, entries = (f"{prefix}{name}" for name in ("NumberOfCells", "NumberOfConnectivityIds"))
        start = self._start(cells, part, "CellOffsets", topology) + part
        offsets = self._integers(f"{prefix}Offsets", start, int(self._numbers(cells)[part]) + 1)
        entry = self._start(entries, part, "ConnectivityIdOffsets", topology)
        return self._ends(offsets, prefix), self._integers(f"{prefix}Connectivity", entry, int(self._numbers(entries)[part]))

    def _ends(self, offsets: np.ndarray, name: str) -> np.ndarray:
        if offsets[0] != 0 or (offsets[1:] < offsets[:-1]).any():
            raise self._torn(f"the offsets of {name or 'its cells'} do not ascend from 0")
        return offsets

    def _faces(self, part: int, cells: int) -> Faces | None:
        if "PolyhedronOffsets" not in self.group or not int(self._numbers("NumberOfFaces")[part]):
            return None
        start = self._start("NumberOfFaces", part, "FaceOffsetsOffsets") + part
        offsets = self._integers("FaceOffsets", start, int(self._numbers("NumberOfFaces")[part]) + 1)
        sizes = ("NumberOfFaceConnectivityIds", "FaceConnectivityOffsets"), ("NumberOfPolyhedronToFaceIds", "PolyhedronToFaceIdOffsets")
        corners, listed = (
            self._integers(name, self._start(number, part, step), int(self._numbers(number)[part]))
            for name, (number, step) in zip(("FaceConnectivity", "PolyhedronToFaces"), sizes, strict=True)
        )
        of_cells = self._integers("PolyhedronOffsets", self._start("NumberOfCells", part, "CellOffsets") + part, cells + 1)
        return expanded_faces(cells, self._ends(of_cells, "PolyhedronOffsets"), listed, offsets, corners, self.where)

    def _image(self) -> Piece:
        stores: tuple[tuple[str, Location], ...] = (("PointData", "point"), ("CellData", "cell"))
        stored: list[tuple[Any, Location]] = [(array, place) for folder, place in stores for array in _stored(self.group, folder)]
        rows = max([1, *(int(np.prod(array.shape)) for array, _ in stored)])
        points, cells = image_grid(dict(self.group.attrs), 64 * max(rows, 1000), self.where)
        arrays, dropped = [], []
        for array, place in stored:
            values = np.asarray(array[self.step] if self.times else array[()])
            name, count = array.name.rsplit("/", 1)[1].replace(SLASH, "/"), len(points) if place == "point" else len(cells)
            if values.dtype.kind not in "iuf" or not count or values.size % count:
                dropped.append(name)
                continue
            arrays.append(Array(name, values.reshape(-1) if values.size == count else values.reshape(count, -1), place))
        saved, left_out = own_field_data(_field_data(self.group))
        notes = (f"field data left out: {', '.join(left_out)}",) if left_out else ()
        notes += (f"arrays that are not numbers or do not fit the image are left out: {', '.join(dropped)}",) if dropped else ()
        return assembled(points, PlainCells(cells), tuple(arrays), notes, saved)

    def _first_cell(self) -> int:
        """Where the cells of the step begin in the arrays of cells."""
        if self.kind == "UnstructuredGrid":
            return self._start("NumberOfCells", self._first, "CellOffsets")
        return sum(self._start(f"{kind}/NumberOfCells", self._first, "CellOffsets", i) for i, kind in enumerate(_LISTS) if kind in self.group)

    def _arrays(self, rows: dict[str, tuple[int, int]], before: dict[str, int], own: bool) -> tuple[list[Array], list[str]]:
        """Arrays of one partition: ``rows`` are first row and number of rows, ``before`` the rows of earlier partitions of the step."""
        found, dropped = [], []
        stores: tuple[tuple[str, Location], ...] = (("PointData", "point"), ("CellData", "cell"))
        for folder, location in stores:
            for array in _stored(self.group, folder):
                raw = array.name.split(f"/{folder}/", 1)[1]
                label = raw.replace(SLASH, "/")
                if own and label == annotations.PATCH_ARRAY and location == "cell":
                    continue
                begin, count = rows[folder]
                if f"Steps/{folder}Offsets/{raw}" in self.group:
                    begin = int(self._numbers(f"Steps/{folder}Offsets/{raw}")[self.step]) + before[folder]
                values = self._rows(array, begin, count)
                if values.dtype.kind not in "iuf" or values.ndim == 2 and values.shape[1] in (3, 4) and values.dtype.itemsize == 1:
                    dropped.append(label)
                    continue
                found.append(Array(label, values, location))
        return found, dropped

    def _start(self, counts: str, part: int, step: str, topology: int = 0) -> int:
        """Where a partition begins in an array of which the partitions have ``counts`` entries each."""
        sizes, first = self._numbers(counts), self._first
        if f"Steps/{step}" not in self.group:
            return int(sizes[:part].sum())
        offsets = np.asarray(self.group[f"Steps/{step}"][self.step]).reshape(-1)
        return int(offsets[min(topology, len(offsets) - 1)]) + int(sizes[first:part].sum())

    def _dataset(self, name: str) -> Any:
        import h5py

        found = self.group.get(name)
        if not isinstance(found, h5py.Dataset):
            raise self._torn(f"'{name}' is missing")
        return found

    def _numbers(self, name: str) -> np.ndarray:
        values = np.asarray(self._dataset(name)[()]).reshape(-1)
        if values.dtype.kind not in "iu" or (values < 0).any() or (values >= 2**40).any():
            raise self._torn(f"'{name}' holds no counts")
        return values.astype(np.int64)

    def _integers(self, name: str, start: int, count: int) -> np.ndarray:
        values = self._slice(name, start, count)
        if values.dtype.kind not in "iu" or values.ndim != 1:
            raise self._torn(f"'{name}' holds no indices")
        return values.astype(np.int64, copy=False)

    def _slice(self, name: str, start: int, count: int) -> np.ndarray:
        return self._rows(self._dataset(name), start, count)

    def _rows(self, array: Any, start: int, count: int) -> np.ndarray:
        length = array.shape[0] if array.shape else 0
        if start < 0 or count < 0 or start + count > length:
            raise self._torn(f"'{array.name}' has {length} rows, {start} to {start + count} are wanted")
        return np.asarray(array[start : start + count])

    def _torn(self, message: str) -> UnreadableFileError:
        return UnreadableFileError(f"damaged: {message}", where=self.where, remedy="write, download or export it again")


def _stored(group: Any, folder: str) -> list[Any]:
    """The arrays of a folder, also those in folders inside it: VTK takes a ``/`` in a name for one."""
    import h5py

    found: list[Any] = []

    def visit(inside: Any, depth: int) -> None:
        for name in inside:
            child = inside.get(name)
            if isinstance(child, h5py.Dataset):
                found.append(child)
            elif isinstance(child, h5py.Group) and depth < 8:
                visit(child, depth + 1)

    if isinstance(group.get(folder), h5py.Group):
        visit(group[folder], 0)
    return found


def _field_data(group: Any) -> dict[str, np.ndarray | list[str]]:
    """All field data: strings and numbers by name."""
    found: dict[str, np.ndarray | list[str]] = {}
    for array in _stored(group, "FieldData"):
        name = array.name.split("/FieldData/", 1)[1].replace(SLASH, "/")
        values = np.asarray(array[()])
        if values.dtype.kind in "OS":
            found[name] = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values.reshape(-1).tolist()]
        elif values.dtype.kind in "iufb":
            found[name] = values
    return found
