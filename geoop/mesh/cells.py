"""Cells of any type in one pair of arrays, as VTK stores them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import InvalidMeshError

#: VTK cell name -> (VTK id, topological dimension, number of points; 0 = any number). Node numbers follow VTK.
CELL_TYPES: dict[str, tuple[int, int, int]] = {
    "vertex": (1, 0, 1),
    "line": (3, 1, 2),
    "triangle": (5, 2, 3),
    "polygon": (7, 2, 0),
    "quad": (9, 2, 4),
    "tetra": (10, 3, 4),
    "hexahedron": (12, 3, 8),
    "wedge": (13, 3, 6),
    "pyramid": (14, 3, 5),
    "line3": (21, 1, 3),
    "triangle6": (22, 2, 6),
    "quad8": (23, 2, 8),
    "tetra10": (24, 3, 10),
    "hexahedron20": (25, 3, 20),
    "wedge15": (26, 3, 15),
    "pyramid13": (27, 3, 13),
    "quad9": (28, 2, 9),
    "hexahedron27": (29, 3, 27),
    "wedge18": (32, 3, 18),
    "polyhedron": (42, 3, 0),
}
_POLYHEDRON = CELL_TYPES["polyhedron"][0]
CELL_NAMES: dict[int, str] = {code: name for name, (code, _, _) in CELL_TYPES.items()}
_DIMENSION = np.full(256, -1, dtype=np.int64)
for _code, _dimension, _ in CELL_TYPES.values():
    _DIMENSION[_code] = _dimension


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces of polyhedra, cell by cell; a face between two cells is listed by both, each with its own side out.

    Attributes:
        cell_offsets: (m+1,) int64, cell i owns faces ``cell_offsets[i]:cell_offsets[i+1]``; none where it is no polyhedron.
        offsets: (f+1,) int64, face j owns ``connectivity[offsets[j]:offsets[j+1]]``.
        connectivity: (total,) int64, point indices round each face, counter-clockwise seen from outside the cell.
    """

    cell_offsets: np.ndarray
    offsets: np.ndarray
    connectivity: np.ndarray

    def __post_init__(self) -> None:
        for name in ("cell_offsets", "offsets", "connectivity"):
            array = np.ascontiguousarray(getattr(self, name), dtype=np.int64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        for name, total in (("cell_offsets", len(self.offsets) - 1), ("offsets", len(self.connectivity))):
            array = getattr(self, name)
            if not len(array) or array[0] != 0 or array[-1] != total or (np.diff(array) < 0).any():
                raise InvalidMeshError(
                    f"{name} of polyhedral faces do not describe {total} entries", remedy="check the file's faces with `geoop inspect`"
                )

    @property
    def owner(self) -> np.ndarray:
        """(f,) the cell of every face."""
        return np.repeat(np.arange(len(self.cell_offsets) - 1), np.diff(self.cell_offsets))

    def take(self, index: np.ndarray) -> Faces:
        """The faces of the given cells, in that order."""
        face_offsets, rows = _runs(self.cell_offsets, index)
        offsets, slots = _runs(self.offsets, rows)
        return Faces(face_offsets, offsets, self.connectivity[slots])

    def reversed(self, which: np.ndarray) -> Faces:
        """The faces with the marked ones (f,) running the other way round."""
        slots = np.arange(len(self.connectivity))
        last = np.repeat(self.offsets[:-1] + self.offsets[1:] - 1, np.diff(self.offsets))
        turned = np.repeat(which, np.diff(self.offsets))
        return Faces(self.cell_offsets, self.offsets, self.connectivity[np.where(turned, last - slots, slots)])


def _runs(offsets: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets of the chosen runs put one behind the other, and the places of their entries."""
    sizes = np.diff(offsets)[index]
    new = np.concatenate([[0], np.cumsum(sizes)])
    return new, np.repeat(offsets[:-1][index] - new[:-1], sizes) + np.arange(new[-1])


@dataclass(frozen=True, eq=False)
class Cells:
    """A list of cells in file order.

    Attributes:
        types: (m,) uint8, VTK cell ids (names in :data:`CELL_TYPES`).
        offsets: (m+1,) int64, cell i owns ``connectivity[offsets[i]:offsets[i+1]]``.
        connectivity: (total,) int64, point indices; the points of a polyhedron once each, in any order.
        faces: faces of the polyhedra; None where there is no polyhedron.
    """

    types: np.ndarray
    offsets: np.ndarray
    connectivity: np.ndarray
    faces: Faces | None = None

    def __post_init__(self) -> None:
        for name, kind in (("types", np.uint8), ("offsets", np.int64), ("connectivity", np.int64)):
            array = np.ascontiguousarray(getattr(self, name), dtype=kind)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        self._check_offsets()
        polyhedral = False
        sizes, codes = np.diff(self.offsets), present_types(self.types)
        unknown = sorted(set(codes) - set(CELL_NAMES))
        if unknown:
            raise InvalidMeshError(f"unknown VTK cell ids {unknown}", remedy=f"use one of {sorted(CELL_TYPES)}")
        for code in codes:
            name = CELL_NAMES[code]
            expected = CELL_TYPES[name][2]
            fewest = CELL_TYPES[name][1] + 1
            own = sizes if len(codes) == 1 else sizes[self.types == code]
            wrong = own != expected if expected else own < fewest
            if wrong.any():
                raise InvalidMeshError(
                    f"{int(wrong.sum())} {name} cells do not have {expected or f'>= {fewest}'} points", remedy="check the file's connectivity"
                )
            polyhedral |= code == _POLYHEDRON
        if polyhedral or self.faces is not None:
            self._check_faces()

    def _check_offsets(self) -> None:
        count = len(self.types)
        sound = (
            self.offsets.shape == (count + 1,)
            and self.offsets[0] == 0
            and self.offsets[-1] == len(self.connectivity)
            and not bool((self.offsets[1:] < self.offsets[:-1]).any())
        )
        if not sound:
            raise InvalidMeshError(
                f"cell offsets of shape {self.offsets.shape} do not describe {count} cells over {len(self.connectivity)} indices",
                remedy="build cells with Cells.of(triangle=array, ...) or check the file with `geoop inspect`",
            )

    def _check_faces(self) -> None:
        polyhedra = self.types == _POLYHEDRON
        faces = self.faces
        if faces is None:
            if polyhedra.any():
                raise InvalidMeshError(f"{int(polyhedra.sum())} polyhedra without faces", remedy="build them with Cells.polyhedra(...)")
            return
        if len(faces.cell_offsets) != len(self.types) + 1:
            raise InvalidMeshError(f"faces of {len(faces.cell_offsets) - 1} cells for {len(self.types)} cells", remedy="give every cell an entry")
        counts = np.diff(faces.cell_offsets)
        if (counts[~polyhedra] > 0).any() or (counts[polyhedra] < 4).any() or (np.diff(faces.offsets) < 3).any():
            raise InvalidMeshError(
                "polyhedra need four faces of three points at least, other cells have none listed", remedy="check the file's faces"
            )
        if not polyhedra.any():
            object.__setattr__(self, "faces", None)
            return
        self._check_face_points(faces)

    def _check_face_points(self, faces: Faces) -> None:
        """The points of the faces of a polyhedron are exactly its points."""
        of_cells = np.repeat(np.arange(len(self.types)), np.diff(self.offsets))
        chosen = self.types[of_cells] == _POLYHEDRON
        of_faces = np.repeat(faces.owner, np.diff(faces.offsets))
        sets = []
        for cell, point in ((of_cells[chosen], self.connectivity[chosen]), (of_faces, faces.connectivity)):
            sets.append(_distinct_pairs(cell, point))
        if not np.array_equal(*sets) or sets[0].shape[1] != int(chosen.sum()):
            raise InvalidMeshError(
                "the points of some polyhedra are not the points of their faces, or occur twice", remedy="build them with Cells.polyhedra(...)"
            )

    @classmethod
    def of(cls, blocks: Mapping[str, np.ndarray] | None = None, **named: np.ndarray) -> Cells:
        """Cells from ``name=(m, k) indices`` blocks; ragged polygons come from :meth:`ragged`."""
        return cls.concatenate([cls._block(name, np.asarray(array)) for name, array in {**(blocks or {}), **named}.items()])

    @classmethod
    def _block(cls, name: str, array: np.ndarray) -> Cells:
        if name not in CELL_TYPES:
            raise InvalidMeshError(f"unknown cell type '{name}'", remedy=f"use one of {sorted(CELL_TYPES)}")
        if array.ndim != 2:
            raise InvalidMeshError(f"{name} cells have shape {array.shape}, expected (m, k)", remedy="pass one row of point indices per cell")
        count, size = array.shape
        return cls(np.full(count, CELL_TYPES[name][0]), np.arange(count + 1) * size, array.reshape(-1))

    @classmethod
    def ragged(cls, name: str, rows: list[np.ndarray]) -> Cells:
        """Cells of one type with different numbers of points, such as polygons."""
        sizes = np.array([len(row) for row in rows], dtype=np.int64)
        flat = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
        return cls(np.full(len(rows), CELL_TYPES[name][0]), np.concatenate([[0], np.cumsum(sizes)]), flat)

    @classmethod
    def polyhedra(cls, cell_offsets: np.ndarray, face_offsets: np.ndarray, connectivity: np.ndarray) -> Cells:
        """Polyhedra from their faces, see :class:`Faces`; the points of each cell are listed in ascending order."""
        faces = Faces(cell_offsets, face_offsets, connectivity)
        pairs = _distinct_pairs(np.repeat(faces.owner, np.diff(faces.offsets)), faces.connectivity)
        count = len(faces.cell_offsets) - 1
        offsets = np.concatenate([[0], np.cumsum(np.bincount(pairs[0], minlength=count))])
        return cls(np.full(count, _POLYHEDRON), offsets, pairs[1], faces)

    @classmethod
    def empty(cls) -> Cells:
        return cls(np.zeros(0), np.zeros(1), np.zeros(0))

    @classmethod
    def concatenate(cls, parts: list[Cells]) -> Cells:
        """Several lists of cells over the same points as one, in order."""
        if not parts:
            return cls.empty()
        starts = np.cumsum([0] + [len(part.connectivity) for part in parts])
        offsets = [np.zeros(1, dtype=np.int64)] + [part.offsets[1:] + start for part, start in zip(parts, starts[:-1], strict=True)]
        return cls(
            np.concatenate([p.types for p in parts]),
            np.concatenate(offsets),
            np.concatenate([p.connectivity for p in parts]),
            _joined_faces(parts),
        )

    def __len__(self) -> int:
        return len(self.types)

    @cached_property
    def index_range(self) -> tuple[int, int]:
        """Lowest and highest point index; (0, -1) without any."""
        index = self.connectivity
        return (int(index.min()), int(index.max())) if len(index) else (0, -1)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Point indices cell by cell (slow; for tests and small ragged parts)."""
        return (self.connectivity[a:b] for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True))

    @property
    def names(self) -> list[str]:
        """Cell type names present, in order of VTK id."""
        return [CELL_NAMES[code] for code in present_types(self.types)]

    @property
    def dimensions(self) -> np.ndarray:
        """(m,) topological dimension of every cell."""
        return _DIMENSION[self.types]

    @property
    def dimension(self) -> int:
        """Highest topological dimension, -1 without cells."""
        return max((CELL_TYPES[name][1] for name in self.names), default=-1)

    def where(self, name: str) -> np.ndarray:
        """(k,) indices of the cells of one type."""
        return np.flatnonzero(self.types == CELL_TYPES[name][0])

    def block(self, name: str) -> np.ndarray:
        """(k, points per cell) connectivity of all cells of one fixed-size type, in file order."""
        size = CELL_TYPES[name][2]
        if not size:
            raise InvalidMeshError(f"{name} cells have no fixed number of points", remedy="iterate over the cells, or triangulate first")
        starts = self.offsets[:-1][self.where(name)]
        return self.connectivity[starts[:, None] + np.arange(size)]

    def take(self, index: np.ndarray) -> Cells:
        """The cells of the given indices (or boolean mask), in that order."""
        index = np.flatnonzero(index) if np.asarray(index).dtype == bool else np.asarray(index, dtype=np.int64)
        offsets, flat = _runs(self.offsets, index)
        return Cells(self.types[index], offsets, self.connectivity[flat], self.faces.take(index) if self.faces is not None else None)

    def renumbered(self, new_index: np.ndarray) -> Cells:
        """The same cells on other point numbers: ``new_index[old]``."""
        new_index = np.asarray(new_index)
        faces = self.faces
        if faces is not None:
            faces = Faces(faces.cell_offsets, faces.offsets, new_index[faces.connectivity])
        return Cells(self.types, self.offsets, new_index[self.connectivity], faces)


def present_types(types: np.ndarray) -> list[int]:
    """The different ids among (m,) VTK cell types, ascending."""
    if len(types) and (types == types[0]).all():
        return [int(types[0])]
    return np.flatnonzero(np.bincount(types)).tolist()


def _distinct_pairs(cell: np.ndarray, point: np.ndarray) -> np.ndarray:
    """(2, k) the different pairs, sorted by cell and then by point."""
    order = np.lexsort((point, cell))
    pairs = np.stack([cell[order], point[order]])
    new = np.ones(len(order), dtype=bool)
    new[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
    return pairs[:, new]


def _joined_faces(parts: list[Cells]) -> Faces | None:
    if all(part.faces is None for part in parts):
        return None
    zero = np.zeros(1, dtype=np.int64)
    faces = [part.faces or Faces(np.zeros(len(part) + 1), zero, zero[:0]) for part in parts]
    starts = np.cumsum([0] + [len(item.offsets) - 1 for item in faces])
    points = np.cumsum([0] + [len(item.connectivity) for item in faces])
    cell_offsets = [zero] + [item.cell_offsets[1:] + start for item, start in zip(faces, starts[:-1], strict=True)]
    offsets = [zero] + [item.offsets[1:] + start for item, start in zip(faces, points[:-1], strict=True)]
    return Faces(np.concatenate(cell_offsets), np.concatenate(offsets), np.concatenate([item.connectivity for item in faces]))
