"""Whether cells were turned inside out by a move, looked at on the cells themselves, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...errors import InvalidMeshError
from ...fem.small_matrices import determinants
from ...mesh.measure import signed_measures
from ...mesh.mesh import Mesh

#: Corner and the corners at the ends of its edges, right-handed where the cell is upright; one frame per corner that may fold.
_FRAMES: dict[str, tuple[tuple[int, ...], ...]] = {
    "triangle": ((0, 1, 2),),
    "quad": ((0, 1, 3), (1, 2, 0), (2, 3, 1), (3, 0, 2)),
    "tetra": ((0, 1, 2, 3),),
    "hexahedron": ((0, 1, 3, 4), (1, 2, 0, 5), (2, 3, 1, 6), (3, 0, 2, 7), (4, 7, 5, 0), (5, 4, 6, 1), (6, 5, 7, 2), (7, 6, 4, 3)),
    "wedge": ((0, 2, 1, 3), (1, 0, 2, 4), (2, 1, 0, 5), (3, 4, 5, 0), (4, 5, 3, 1), (5, 3, 4, 2)),
    "pyramid": ((0, 1, 3, 4), (1, 2, 0, 4), (2, 3, 1, 4), (3, 0, 2, 4)),
}
#: Shares of a move that are tried when the whole of it tangles.
SHARES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


@dataclass(frozen=True, eq=False)
class Folding:
    """The cells of a mesh, asked again and again whether they fold.

    Attributes:
        mesh: before the move.
    """

    mesh: Mesh

    @cached_property
    def _blocks(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Per type with corner frames: (k,) cells, (d+1, k, f) their frames, (k, 1) -1 where they are numbered the other way round."""
        cells, found = self.mesh.cells, []
        for name in cells.names:
            which = cells.where(name)
            if name in _FRAMES and len(which) and cells.dimensions[which[0]] == self.mesh.dimension:
                frames = np.ascontiguousarray(cells.block(name)[:, np.array(_FRAMES[name])].transpose(2, 0, 1))
                turned = _corner_determinants(self.mesh.points, frames).sum(axis=1, keepdims=True) < 0.0
                found.append((which, frames, np.where(turned, -1.0, 1.0)))
        return found

    @cached_property
    def _others(self) -> tuple[np.ndarray, np.ndarray]:
        """Cells of the dimension of space without corner frames (polygons, polyhedra, quadratic cells), and their signs."""
        other = self.mesh.cells.dimensions == self.mesh.dimension
        for which, *_ in self._blocks:
            other[which] = False
        if not other.any():
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        return np.flatnonzero(other), np.where(signed_measures(self.mesh)[other] < 0.0, -1.0, 1.0)

    def jacobians(self, points: np.ndarray) -> np.ndarray:
        """(m,) smallest Jacobian determinant at the corners of every cell of the dimension of space [m^2 or m^3]; NaN for other cells.

        A triangle has one, twice its area, a quad four: it may fold at one corner while its area is positive. Cells without corner
        frames give their signed measure. Cells that were numbered the other way round before the move are sound.

        Args:
            points: (n, d) where the points are [m].
        """
        answer = np.full(len(self.mesh.cells), np.nan)
        for which, frames, sign in self._blocks:
            answer[which] = (sign * _corner_determinants(points, frames)).min(axis=1)
        other, sign = self._others
        if len(other):
            answer[other] = sign * signed_measures(self.mesh.moved(points))[other]
        return answer

    def inverted(self, points: np.ndarray) -> np.ndarray:
        """(m,) cells that are folded or flat where the points are moved to (n, d) [m]."""
        return self.jacobians(points) <= 0.0  # NaN is not

    def require_sound(self, simplices: np.ndarray) -> None:
        """Refuse a mesh that has folded or flat cells before anything has moved, or cells that lie on one side of the facet they share.

        Args:
            simplices: (s, d+1) right-handed triangles or tetrahedra that fill the cells.

        Raises:
            InvalidMeshError: it has.
        """
        if repeated := _repeated_facets(simplices):
            raise InvalidMeshError(
                f"{repeated} facets have cells that overlap: both lie on the same side",
                where=self.mesh.name,
                remedy="repair or generate the mesh again: `geoop inspect FILE` lists inverted cells",
            )
        bad = self.inverted(self.mesh.points)
        if bad.any():
            raise InvalidMeshError(
                f"{int(bad.sum())} of {len(bad)} cells are folded or flat before the move, first cell {int(np.argmax(bad))}",
                where=self.mesh.name,
                remedy="repair or generate the mesh again: `geoop inspect FILE` lists such cells",
            )

    def untangled(self, points: np.ndarray, onto: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, float, int]:
        """As much of a move as leaves every cell upright: the points on the straight way from the mesh to their goals.

        Args:
            points: (n, d) goals [m].
            onto: puts the points of the boundary back on it.

        Returns:
            (n, d) points, the share of the way that they went (0: none, the points of the mesh), and how many cells the whole way inverts.
        """
        first = 0
        for share in SHARES:
            tried = points if share == 1.0 else onto(self.mesh.points + share * (points - self.mesh.points))
            bad = int(self.inverted(tried).sum())
            if not bad:
                return tried, share, first
            first = first or bad
        return self.mesh.points, 0.0, first


def _corner_determinants(points: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(k, f) determinants of the edges that leave the first of (d+1, k, f) points; coordinates apart, so that arithmetic runs along the cells."""
    corner = np.ascontiguousarray(points.T)[:, frames]
    return determinants(np.moveaxis(corner[:, 1:] - corner[:, :1], (0, 1), (-1, -2)))


def _repeated_facets(simplices: np.ndarray) -> int:
    """How many facets two right-handed simplices run round in the same direction."""
    sides = {3: ((0, 1), (1, 2), (2, 0)), 4: ((0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3))}[simplices.shape[1]]
    rows = np.concatenate([simplices[:, side] for side in sides])
    first = np.argmin(rows, axis=1)[:, None]
    if rows.shape[1] == 3:  # the direction of a triangle is that of its points after the lowest
        rows = np.take_along_axis(rows, (first + np.arange(3)) % 3, axis=1)
    rows = rows[np.lexsort(rows.T)]
    return int((rows[1:] == rows[:-1]).all(axis=1).sum())


def inverted_cells(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """(m,) cells of a sound mesh that are folded or flat where its points are moved to (n, d) [m]."""
    return Folding(mesh).inverted(points)
