"""Values of cells as a function that is linear in every cell: slopes from the cells behind its sides and behind theirs, and from no others.

Sides are told by the numbers of their points, not by distance: what lies across a slit or a thin wall is no neighbour, however
near. The slopes are those of least squares, and are lowered so far that no value in the cell leaves the range of its neighbours (T. J.
Barth, D. C. Jespersen, "The design and application of upwind schemes on unstructured meshes", AIAA paper 89-0366, 1989), but only where
the neighbours do not lie on one linear function: linear functions stay exact up to the boundary, and jumps do not overshoot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from ...mesh.mesh import Mesh
from ...mesh.topology import sides

#: Share of the variation among the neighbours that a linear function may leave over: up to the first one the slope counts as it is, from
#: the second one on it is limited. A straight jump between two cells leaves a half, a smooth field the square of its relative curvature.
_LINEAR, _BENT = 1e-3, 1e-2
#: Neighbours whose spread in their narrowest direction, relative to the widest, is less lie on a line or plane.
_FLAT = 1e-8
_REFINED = 3  # solutions of the normal equations, each for what the ones before leave over


@dataclass(frozen=True, eq=False)
class CellFunctions:
    """What the slopes in cells take, prepared for any number of fields.

    Attributes:
        centres: (m, d) of the cells [m].
        pairs: (2, p) cells and their neighbours.
        corners: (c, d) the points of all cells, cell by cell, from the centre of the cell [m].
        starts: (m,) where those of each cell begin.
    """

    centres: np.ndarray
    pairs: np.ndarray
    corners: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh, rows: np.ndarray, centres: np.ndarray) -> CellFunctions:
        """On the cells ``rows`` (m,) of a mesh, which fill a region, with their (m, d) centres [m].

        Neighbours are the cells behind the sides of a cell and behind theirs. Cells at the boundary have them on one side only, which
        cannot tell a jump from a slope, and those of a strip of single cells lie on one line: such cells get one ring more.
        """
        cells = mesh.cells.take(rows)
        owner = np.repeat(np.arange(len(cells)), np.diff(cells.offsets))
        corners = mesh.points[cells.connectivity] - centres[owner]
        listed = sides(Mesh(mesh.points, cells), np.arange(len(mesh.points)))
        one, two = (listed.owner[part] for part in listed.pairs())
        link = sp.csr_array((np.ones(2 * len(one), dtype=np.int32), (np.append(one, two), np.append(two, one))), shape=(len(cells),) * 2)
        near = link + link @ link
        made = cls(centres, _pairs(near, np.arange(len(cells))), corners, cells.offsets[:-1])
        spread = np.linalg.eigvalsh(made._moments)
        one_sided = spread[:, 0] <= _FLAT * spread[:, -1]
        one_sided[listed.owner[listed.counts[listed.group] == 1]] = True
        alone = np.flatnonzero(one_sided)
        if not len(alone):
            return made
        more = _pairs(link[alone] + near[alone] @ link, alone)
        kept = made.pairs[:, ~one_sided[made.pairs[0]]]
        return replace(made, pairs=np.concatenate([kept, more], axis=1))

    @property
    def _offsets(self) -> np.ndarray:
        return self.centres[self.pairs[1]] - self.centres[self.pairs[0]]

    @property
    def _moments(self) -> np.ndarray:
        """(m, d, d) sums over the neighbours of their offsets squared, the near ones weighing most."""
        away = self._offsets
        unit = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-300)
        return self._summed(unit[:, :, None] * unit[:, None, :])

    def _summed(self, values: np.ndarray) -> np.ndarray:
        """(m, ...) sums over the neighbours of (p, ...)."""
        flat = values.reshape(len(values), -1)
        rows = sp.csr_array((np.ones(len(flat)), (self.pairs[0], np.arange(len(flat)))), shape=(len(self.centres), len(flat)))
        return (rows @ flat).reshape(len(self.centres), *values.shape[1:])

    def slopes(self, values: np.ndarray) -> np.ndarray:
        """(m, d, k) slopes [1/m] of (m, k) values of cells; zero in cells without neighbours."""
        away = self._offsets
        weight = 1.0 / np.maximum((away**2).sum(axis=1), 1e-300)
        spread, axes = np.linalg.eigh(self._moments)
        sound = spread > _FLAT * spread[:, -1:]
        inverse = np.einsum("mij,mj,mkj->mik", axes, sound / np.where(sound, spread, 1.0), axes)
        change = values[self.pairs[1]] - values[self.pairs[0]]
        slope, left = np.zeros((len(values), away.shape[1], values.shape[1])), change
        for _ in range(_REFINED):
            right = self._summed(away[:, :, None] * (weight[:, None] * left)[:, None, :])
            slope = slope + np.einsum("mij,mjk->mik", inverse, right)
            left = change - np.einsum("pd,pdk->pk", away, slope[self.pairs[0]])
        whole, rest = (self._summed(weight[:, None] * part**2) for part in (change, left))
        bent = np.clip((rest / np.where(whole > 0, whole, 1.0) - _LINEAR) / (_BENT - _LINEAR), 0.0, 1.0)
        return slope * (1.0 - bent * (1.0 - self._limit(slope, change)))[:, None, :]

    def _limit(self, slope: np.ndarray, change: np.ndarray) -> np.ndarray:
        """(m, k) shares of the slopes with which no corner of a cell leaves the range of the cell and its neighbours."""
        low, high = np.zeros((2, len(self.centres), change.shape[1]))
        np.minimum.at(low, self.pairs[0], change)
        np.maximum.at(high, self.pairs[0], change)
        owner = np.repeat(np.arange(len(self.starts)), np.diff(np.append(self.starts, len(self.corners))))
        step = np.einsum("cd,cdk->ck", self.corners, slope[owner])
        room = np.where(step > 0, high[owner], low[owner]) / np.where(step == 0, 1.0, step)
        return np.minimum.reduceat(np.where(step == 0, 1.0, np.minimum(room, 1.0)), self.starts, axis=0)


def _pairs(near: sp.csr_array, rows: np.ndarray) -> np.ndarray:
    """(2, p) cells ``rows`` and different ones, as a pattern over them says."""
    found = near.tocoo()
    pairs = np.stack([rows[found.row], found.col]).astype(np.int64)
    return pairs[:, pairs[0] != pairs[1]]
