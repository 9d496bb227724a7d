"""A mesh under repair: cells in the point numbers of the original, and where each of them comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..cells import Cells
from ..mesh import Mesh
from ..topology import row_groups


@dataclass(frozen=True, eq=False)
class Draft:
    """What the steps of a repair hand on to each other.

    Attributes:
        original: the mesh as it came; points keep its numbers until the end.
        target: (n,) the point that each point has become.
        cells: current cells.
        origin: (m,) the cell of the original that each one was, -1 for new ones.
        members: patch name -> current cells in it; for patches that consist of cells.
        loose: patch name -> facets that are no cells (boundary faces of a volume mesh), in current points.
        counts: what was done -> how often.
    """

    original: Mesh
    target: np.ndarray
    cells: Cells
    origin: np.ndarray
    members: Mapping[str, np.ndarray]
    loose: Mapping[str, Cells]
    counts: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, mesh: Mesh) -> Draft:
        """The beginning of a repair."""
        matched = cells_of_patches(mesh)
        return cls(
            mesh,
            np.arange(len(mesh.points)),
            mesh.cells,
            np.arange(len(mesh.cells)),
            {name: index[index >= 0] for name, index in matched.items()},
            {name: mesh.patches[name].take(index < 0) for name, index in matched.items()},
        )

    @property
    def mesh(self) -> Mesh:
        """The current cells on the points of the original, without names."""
        return Mesh(self.original.points, self.cells, name=self.original.name)

    def counted(self, **more: float) -> Draft:
        """With these numbers added to what was done."""
        known = dict(self.counts)
        for key, number in more.items():
            if number:
                known[key] = known.get(key, 0) + number
        return replace(self, counts=known)

    def with_cells(self, cells: Cells, source: np.ndarray, patch_of_new: Mapping[str, np.ndarray] | None = None) -> Draft:
        """Other cells: ``source`` (m,) says which current cell each one was, -1 for new ones.

        Args:
            cells: the new list.
            source: (m,) current cell, or -1.
            patch_of_new: patch name -> indices among the new list that join it besides those that it had.
        """
        joins = patch_of_new or {}
        members = {}
        for name in [*self.members, *(name for name in joins if name not in self.members)]:
            place = np.full(len(self.cells) + 1, -1, dtype=np.int64)  # the order of the facets within a patch is kept
            own = self.members.get(name, np.zeros(0, dtype=np.int64))
            place[own] = np.arange(len(own))
            found = np.flatnonzero(place[source] >= 0)
            found = found[np.argsort(place[source[found]], kind="stable")]
            members[name] = np.concatenate([found, joins.get(name, np.zeros(0, dtype=np.int64))])
        origin = np.where(source >= 0, self.origin[source], -1) if len(self.origin) else np.full(len(source), -1)
        return replace(self, cells=cells, origin=origin, members=members)

    def kept(self, which: np.ndarray) -> Draft:
        """Only the marked cells (m,)."""
        return self.with_cells(self.cells.take(which), np.flatnonzero(which))


def cells_of_patches(mesh: Mesh) -> dict[str, np.ndarray]:
    """Patch name -> (k,) cell that each facet is, -1 for none.

    Facets are compared by their set of points. Where several cells are equal, the first such facet in the list of patches is the
    first of them, and so on. Where facets are named more often than there are cells, patches overlap, and the first such facet of
    each patch is the first of the cells.
    """
    patches = mesh.patches
    joined = Cells.concatenate([mesh.cells, *patches.values()])
    sizes = np.diff(joined.offsets)
    n = len(mesh.cells)
    found = np.full(len(joined), -1, dtype=np.int64)
    patch = np.repeat(np.arange(len(patches) + 1), [n, *(len(part) for part in patches.values())])
    for size in np.unique(sizes[n:]):
        rows = np.flatnonzero(sizes == size)
        group = row_groups(np.sort(joined.connectivity[joined.offsets[:-1][rows][:, None] + np.arange(size)], axis=1))
        own, named = rows < n, rows >= n
        cells = np.bincount(group[own], minlength=group.max() + 1)
        start = np.concatenate([[0], np.cumsum(cells)[:-1]])
        listed = rows[own][np.argsort(group[own], kind="stable")]
        overlapping = (np.bincount(group[named], minlength=group.max() + 1) > cells)[group[named]]
        rank = np.where(overlapping, _rank(group[named] * (len(patches) + 1) + patch[rows[named]]), _rank(group[named]))
        rank = np.minimum(rank, cells[group[named]] - 1)
        hit = rank >= 0
        found[rows[named][hit]] = listed[start[group[named][hit]] + rank[hit]]
    ends = n + np.cumsum([0] + [len(part) for part in patches.values()])
    return {name: found[a:b] for name, a, b in zip(patches, ends[:-1], ends[1:], strict=True)}


def _rank(group: np.ndarray) -> np.ndarray:
    """(k,) how many earlier entries are of the same group."""
    order = np.argsort(group, kind="stable")
    start = np.concatenate([[True], group[order][1:] != group[order][:-1]])
    out = np.empty(len(group), dtype=np.int64)
    out[order] = np.arange(len(group)) - np.maximum.accumulate(np.where(start, np.arange(len(group)), 0))
    return out
