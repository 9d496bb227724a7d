"""The mesh: points, cells, named patches. It holds data and cheap facts; what computes is a function in a named file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from ..errors import InvalidMeshError, PatchError
from .cells import Cells


@dataclass(frozen=True, eq=False)
class Mesh:
    """Points in metres, cells, and named parts of the boundary. Immutable: moving a mesh returns a mesh.

    Attributes:
        points: (n, d) float64, d = 2 or 3, in metres.
        cells: the cells; empty for a point cloud.
        patches: name -> facets (cells of one dimension less than the mesh, or of the same dimension for a surface).
        zones: name -> (k,) indices of cells.
        name: what it is called in messages and files.
        notes: what a reader had to assume or change, in plain sentences.
    """

    points: np.ndarray
    cells: Cells = field(default_factory=Cells.empty)
    patches: Mapping[str, Cells] = field(default_factory=dict)
    zones: Mapping[str, np.ndarray] = field(default_factory=dict)
    name: str = "mesh"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        points = self.points if _is_frozen(self.points) else np.array(self.points, dtype=np.float64, order="C", copy=True)
        points.setflags(write=False)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "patches", MappingProxyType(dict(self.patches)))
        object.__setattr__(self, "zones", MappingProxyType({key: np.asarray(value, dtype=np.int64) for key, value in self.zones.items()}))
        problems = list(_problems(self))
        if problems:
            raise InvalidMeshError("; ".join(problems), where=self.name, remedy="look at the source of the arrays with `geoop inspect FILE`")

    def __reduce__(self):  # a mapping proxy does not pickle
        return (Mesh, (self.points, self.cells, dict(self.patches), dict(self.zones), self.name, self.notes))

    @property
    def dimension(self) -> int:
        """Dimension of space, 2 or 3."""
        return self.points.shape[1]

    @property
    def cell_dimension(self) -> int:
        """Topological dimension of the cells: 0 for a point cloud, 1 for an outline, 2 for a surface or a plane region, 3."""
        return max(self.cells.dimension, 0)

    @property
    def is_cloud(self) -> bool:
        return self.cell_dimension == 0

    @property
    def is_surface(self) -> bool:
        """Cells have one dimension less than space: an outline in 2-D, a surface in 3-D."""
        return self.cell_dimension == self.dimension - 1

    @property
    def bounds(self) -> np.ndarray:
        """(2, d) lower and upper corner in metres."""
        return np.stack([self.points.min(axis=0), self.points.max(axis=0)])

    @property
    def content_hash(self) -> str:
        """SHA-256 over points, cells, patches and zones: equal content, equal key, whatever the shape of the arrays."""
        digest = hashlib.sha256()
        parts: list[tuple[str, np.ndarray]] = [("points", self.points)]
        for name, cells in [("cells", self.cells), *sorted(self.patches.items())]:
            parts += [(name, cells.types), (name, cells.offsets), (name, cells.connectivity)]
            if cells.faces is not None:
                parts += [(name, cells.faces.cell_offsets), (name, cells.faces.offsets), (name, cells.faces.connectivity)]
        parts += sorted(self.zones.items())
        for name, array in parts:
            digest.update(f"{name}{array.shape}{array.dtype}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def patch(self, name: str) -> Mesh:
        """The facets of one patch as a mesh of its own, with only the points that it uses.

        Raises:
            PatchError: the mesh has no such patch, or it is empty.
        """
        cells = self._patch_cells(name)
        if not len(cells):
            raise PatchError(f"patch '{name}' has no facets", where=self.name, remedy="leave it out: len(mesh.patches[name]) is 0 for such patches")
        return self.submesh(cells, name=f"{self.name}:{name}", patches={name: cells})

    def patch_points(self, name: str) -> np.ndarray:
        """(k,) indices into :attr:`points` of the points of one patch, ascending."""
        return np.unique(self._patch_cells(name).connectivity)

    def _patch_cells(self, name: str) -> Cells:
        if name not in self.patches:
            remedy = (
                f"choose one of {sorted(self.patches)}" if self.patches else "the mesh has no patches: name some, Mesh(points, cells, patches={...})"
            )
            raise PatchError(f"no patch '{name}'", where=self.name, remedy=remedy)
        return self.patches[name]

    def submesh(self, cells: Cells, *, name: str | None = None, patches: Mapping[str, Cells] | None = None) -> Mesh:
        """A mesh of the given cells (in this mesh's point numbers) with only the points that they use, in order."""
        used = np.unique(cells.connectivity)
        new_index = np.full(len(self.points), -1, dtype=np.int64)
        new_index[used] = np.arange(len(used))
        kept = {key: part.renumbered(new_index) for key, part in (patches or {}).items()}
        return Mesh(self.points[used], cells.renumbered(new_index), kept, name=name or self.name, notes=self.notes)

    def moved(self, points: np.ndarray) -> Mesh:
        """The same cells on other points, (n, d) metres."""
        points = np.asarray(points)
        if points.shape != self.points.shape:
            raise InvalidMeshError(
                f"{points.shape} points cannot replace {self.points.shape}", where=self.name, remedy="keep the number of points and the dimension"
            )
        return replace(self, points=points)

    def same_cells(self, other: Mesh) -> bool:
        """Whether another mesh has as many points and the same cells: it is this one, moved or not."""
        mine, theirs = self.cells, other.cells
        return self is other or (
            self.points.shape == other.points.shape
            and np.array_equal(mine.types, theirs.types)
            and np.array_equal(mine.connectivity, theirs.connectivity)
        )

    def __repr__(self) -> str:
        cells = ", ".join(f"{len(self.cells.where(n))} {n}" for n in self.cells.names) or "point cloud"
        return f"Mesh('{self.name}', {len(self.points)} points in {self.dimension}-D, {cells}, patches {sorted(self.patches)})"


def _is_frozen(values: np.ndarray) -> bool:
    """Whether these are coordinates as a mesh keeps them, in memory that no array can write to: they need no copy."""
    sound = isinstance(values, np.ndarray) and values.dtype == np.float64 and values.flags.c_contiguous
    memory = values if sound else None
    while isinstance(memory, np.ndarray):
        if memory.flags.writeable:
            return False
        memory = memory.base
    return sound and memory is None


def _problems(mesh: Mesh):
    points = mesh.points
    if points.ndim != 2 or points.shape[1] not in (2, 3):
        yield f"points have shape {points.shape}, expected (n, 2) or (n, 3)"
        return
    if len(points) == 0:
        yield "the mesh has no points"
        return
    if not np.isfinite(points).all():
        bad = int((~np.isfinite(points).all(axis=1)).sum())
        yield f"{bad} of {len(points)} points have NaN or infinite coordinates"
    for name, cells in [("cells", mesh.cells), *((f"patch '{key}'", part) for key, part in mesh.patches.items())]:
        lowest, highest = cells.index_range
        if lowest < 0 or highest >= len(points):
            yield f"{name} use point indices {lowest}..{highest}, but there are {len(points)} points"
    for key, index in mesh.zones.items():
        if len(index) and (index.min() < 0 or index.max() >= len(mesh.cells)):
            yield f"zone '{key}' uses cell indices up to {index.max()}, but there are {len(mesh.cells)} cells"
