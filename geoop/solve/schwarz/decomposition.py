"""A region cut into overlapping parts: which unknowns every part solves for, and how the parts' answers become one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from ...errors import ConfigurationError
from ...graph.partition import Partition
from ..discrete import Discrete

#: How the answers of parts that overlap are weighed; all add up to one at every free unknown.
Blend = Literal["average", "owner", "distance"]


@dataclass(frozen=True, eq=False)
class Part:
    """One part.

    Attributes:
        cells: (k,) cells of the mesh, overlap included.
        nodes: (m,) nodes of the discrete problem, ascending.
        inner: (m,) which of them have all of their cells in the part; the others lie on its interface to the rest.
    """

    cells: np.ndarray
    nodes: np.ndarray
    inner: np.ndarray


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The parts of a problem; geometry only, the same for all data.

    Attributes:
        partition: of the mesh.
        parts: in its order.
        touches: (cells of the mesh, nodes) ones where a cell has a node.
        components: per node.
        free: (n c,) which unknowns are solved for.
    """

    partition: Partition
    parts: tuple[Part, ...]
    touches: csr_matrix
    components: int
    free: np.ndarray

    @classmethod
    def of(cls, problem: Discrete, partition: Partition) -> Decomposition:
        """Cut a problem.

        Raises:
            ConfigurationError: free unknowns that no part solves for: the parts do not overlap.
        """
        mesh = problem.mesh
        number = np.full(len(mesh.points), -1, dtype=np.int64)
        number[problem.nodes] = np.arange(len(problem.nodes))
        touches = incidence(mesh.cells.offsets, number[mesh.cells.connectivity], len(problem.nodes))
        touches = csr_matrix(touches.multiply((partition.owner >= 0)[:, None]))
        degree = _counts(touches)
        parts = []
        for cells in partition.cells:
            count = _counts(touches[cells])
            nodes = np.flatnonzero(count)
            parts.append(Part(cells, nodes, count[nodes] == degree[nodes]))
        made = cls(partition, tuple(parts), touches, problem.components, problem.free)
        lost = int((problem.free & (made.cover == 0)).sum())
        if lost:
            raise ConfigurationError(
                f"{lost} of {int(problem.free.sum())} unknowns lie on the border of every part that has them: the parts do not overlap",
                where=mesh.name,
                remedy="let them overlap by at least one layer of cells, overlap=1 or more; where the region hangs together at a single point only, split that point",
            )
        return made

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def n(self) -> int:
        """Unknowns of the whole."""
        return len(self.free)

    @cached_property
    def dofs(self) -> tuple[np.ndarray, ...]:
        """(q,) per part the unknowns that it solves for: free ones of its inner nodes."""
        found = (self.unknowns(part.nodes[part.inner]) for part in self.parts)
        return tuple(item[self.free[item]] for item in found)

    def unknowns(self, nodes: np.ndarray) -> np.ndarray:
        """(k c,) unknowns of (k,) nodes."""
        return (self.components * nodes[:, None] + np.arange(self.components)).ravel()

    @cached_property
    def cover(self) -> np.ndarray:
        """(n c,) how many parts solve for every unknown."""
        return np.bincount(np.concatenate([np.zeros(0, dtype=np.int64), *self.dofs]), minlength=self.n)

    @property
    def most(self) -> int:
        """The largest number of parts that share an unknown."""
        return int(self.cover.max(initial=0))

    def weights(self, blend: Blend) -> tuple[np.ndarray, ...]:
        """(q,) per part a partition of unity over its unknowns.

        ``average`` counts all parts of an unknown alike, ``owner`` takes the one that owns most cells around it (restricted additive Schwarz;
        X.-C. Cai, M. Sarkis, SIAM J. Sci. Comput. 21, 1999), ``distance`` weighs them by their distance from their interfaces, in cells: there a
        learned answer is usually worst.
        """
        if blend == "average":
            raw = [np.ones(len(dofs)) for dofs in self.dofs]
        elif blend == "distance":
            raw = [self._layers(k) for k in range(len(self))]
        else:
            raw = self._owned()
        total = np.zeros(self.n)
        for dofs, weight in zip(self.dofs, raw, strict=True):
            total[dofs] += weight
        return tuple(weight / total[dofs] for dofs, weight in zip(self.dofs, raw, strict=True))

    def _owned(self) -> list[np.ndarray]:
        best, owner = np.zeros(self.n), np.full(self.n, -1)
        for k, (part, dofs) in enumerate(zip(self.parts, self.dofs, strict=True)):
            count = np.repeat(_counts(self.touches[part.cells[self.partition.owner[part.cells] == k]]), self.components)[dofs]
            more = count > best[dofs]
            best[dofs[more]], owner[dofs[more]] = count[more], k
        left = owner < 0  # inner to a part that owns none of the cells around: its first part takes it
        for k, dofs in reversed(list(enumerate(self.dofs))):
            owner[dofs[left[dofs]]] = k
        return [(owner[dofs] == k).astype(np.float64) for k, dofs in enumerate(self.dofs)]

    def _layers(self, k: int) -> np.ndarray:
        """(q,) graph distance of the unknowns of a part from its interface; the largest where it has none."""
        part = self.parts[k]
        around = self.touches[part.cells][:, part.nodes]
        near = (around.T @ around).tocsr()
        depth = np.where(part.inner, 0, 1)
        front, layer = ~part.inner, 1
        while front.any():
            layer += 1
            front = (near @ front.astype(np.int32) > 0) & (depth == 0)
            depth[front] = layer
        depth = np.where(depth == 0, layer + 1, depth) - 1
        by_dof = np.full(self.n, 0.0)
        by_dof[self.unknowns(part.nodes)] = np.repeat(depth, self.components)
        return np.maximum(by_dof[self.dofs[k]], 1.0)


def _counts(touches: csr_matrix) -> np.ndarray:
    """(nodes,) in how many of the cells a node is."""
    return np.asarray(touches.sum(axis=0)).ravel()


def incidence(offsets: np.ndarray, flat: np.ndarray, count: int) -> csr_matrix:
    """(cells, count) ones where a cell has a node; entries below zero are no nodes."""
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    kept = flat >= 0
    return csr_matrix((np.ones(int(kept.sum()), dtype=np.int32), (owner[kept], flat[kept])), shape=(len(offsets) - 1, count))
