"""Cells of any type in one pair of arrays, as VTK stores them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import InvalidMeshError

#: VTK cell name -> (VTK id, topological dimension, number of points; 0 = any number).
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
    "quad9": (28, 2, 9),
}
CELL_NAMES: dict[int, str] = {code: name for name, (code, _, _) in CELL_TYPES.items()}
_DIMENSION = np.full(256, -1, dtype=np.int64)
for _code, _dimension, _ in CELL_TYPES.values():
    _DIMENSION[_code] = _dimension


@dataclass(frozen=True, eq=False)
class Cells:
    """A list of cells in file order.

    Attributes:
        types: (m,) uint8, VTK cell ids (names in :data:`CELL_TYPES`).
        offsets: (m+1,) int64, cell i owns ``connectivity[offsets[i]:offsets[i+1]]``.
        connectivity: (total,) int64, point indices.
    """

    types: np.ndarray
    offsets: np.ndarray
    connectivity: np.ndarray

    def __post_init__(self) -> None:
        for name, kind in (("types", np.uint8), ("offsets", np.int64), ("connectivity", np.int64)):
            array = np.ascontiguousarray(getattr(self, name), dtype=kind)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        count = len(self.types)
        sound = (
            self.offsets.shape == (count + 1,)
            and self.offsets[0] == 0
            and self.offsets[-1] == len(self.connectivity)
            and bool((np.diff(self.offsets) >= 0).all())
        )
        if not sound:
            raise InvalidMeshError(
                f"cell offsets of shape {self.offsets.shape} do not describe {count} cells over {len(self.connectivity)} indices",
                remedy="build cells with Cells.of(triangle=array, ...) or check the file with `geoop inspect`",
            )
        unknown = sorted(set(self.types.tolist()) - set(CELL_NAMES))
        if unknown:
            raise InvalidMeshError(f"unknown VTK cell ids {unknown}", remedy=f"use one of {sorted(CELL_TYPES)}")
        sizes = np.diff(self.offsets)
        for code in np.unique(self.types):
            name = CELL_NAMES[int(code)]
            expected = CELL_TYPES[name][2]
            wrong = sizes[self.types == code] != expected if expected else sizes[self.types == code] < 3
            if wrong.any():
                raise InvalidMeshError(
                    f"{int(wrong.sum())} {name} cells do not have {expected or '>= 3'} points", remedy="check the file's connectivity"
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
    def empty(cls) -> Cells:
        return cls(np.zeros(0), np.zeros(1), np.zeros(0))

    @classmethod
    def concatenate(cls, parts: list[Cells]) -> Cells:
        """Several lists of cells over the same points as one, in order."""
        if not parts:
            return cls.empty()
        starts = np.cumsum([0] + [len(part.connectivity) for part in parts])
        offsets = [np.zeros(1, dtype=np.int64)] + [part.offsets[1:] + start for part, start in zip(parts, starts[:-1], strict=True)]
        return cls(np.concatenate([p.types for p in parts]), np.concatenate(offsets), np.concatenate([p.connectivity for p in parts]))

    def __len__(self) -> int:
        return len(self.types)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Point indices cell by cell (slow; for tests and small ragged parts)."""
        return (self.connectivity[a:b] for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True))

    @property
    def names(self) -> list[str]:
        """Cell type names present, in order of VTK id."""
        return [CELL_NAMES[int(code)] for code in np.unique(self.types)]

    @property
    def dimensions(self) -> np.ndarray:
        """(m,) topological dimension of every cell."""
        return _DIMENSION[self.types]

    @property
    def dimension(self) -> int:
        """Highest topological dimension, -1 without cells."""
        return int(self.dimensions.max()) if len(self) else -1

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
        sizes = np.diff(self.offsets)[index]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        flat = np.repeat(self.offsets[:-1][index] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return Cells(self.types[index], offsets, self.connectivity[flat])

    def renumbered(self, new_index: np.ndarray) -> Cells:
        """The same cells on other point numbers: ``new_index[old]``."""
        return Cells(self.types, self.offsets, np.asarray(new_index)[self.connectivity])
