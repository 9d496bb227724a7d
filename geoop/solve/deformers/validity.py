"""Which cells a move has turned inside out, told on the real cells: signed measures, and Jacobians at the corners of linear cells.

Second-order cells are looked at everywhere, by bounds of their Jacobian (:mod:`geoop.solve.deformers.curved_cells`); pyramids of 13 points, and cells
that fold somewhere before the move, at the quadrature points. Of linear hexahedra the corners: inside they may fold with all of these upright, which is rare.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import InvalidMeshError
from ...fem.small_matrices import determinants
from ...mesh.cell_quality import cell_quality, degenerate_cells
from ...mesh.measure import signed_measures
from ...mesh.mesh import Mesh
from ...mesh.shape_functions import reference_cell
from ...mesh.topology import N_CORNERS
from .curved_cells import CURVED, folds

#: Corner -> its neighbours, of cells in which a corner may fold while the measure stays positive.
_CORNERS: dict[str, tuple[tuple[int, ...], ...]] = {
    "quad": ((0, 1, 3), (1, 2, 0), (2, 3, 1), (3, 0, 2)),
    "hexahedron": ((0, 1, 3, 4), (1, 2, 0, 5), (2, 3, 1, 6), (3, 0, 2, 7), (4, 7, 5, 0), (5, 4, 6, 1), (6, 5, 7, 2), (7, 6, 4, 3)),
    "wedge": ((0, 1, 2, 3), (1, 2, 0, 4), (2, 0, 1, 5), (3, 5, 4, 0), (4, 3, 5, 1), (5, 4, 3, 2)),
    "pyramid": ((0, 1, 3, 4), (1, 2, 0, 4), (2, 3, 1, 4), (3, 0, 2, 4)),
}
#: A corner that was flatter than this before the move (sine of its angle) is not judged: wall corners at sharp trailing edges are straight.
_FLAT = 1e-3


@dataclass(frozen=True, eq=False)
class Validity:
    """What a mesh must keep when its points move: the side on which every cell, and every corner of it, lies.

    Clockwise cells are sound as long as they stay clockwise, and so are corners that are straight or reflex from the start.

    Attributes:
        mesh: before the move.
    """

    mesh: Mesh
    _measures: np.ndarray
    _corners: dict[str, np.ndarray]
    _curved: dict[str, np.ndarray]

    @classmethod
    def of(cls, mesh: Mesh) -> Validity:
        """What a mesh must keep.

        Raises:
            InvalidMeshError: cells that have no measure before anything has moved, or no cells that fill the space.
        """
        if mesh.cell_dimension != mesh.dimension:
            raise InvalidMeshError(
                f"cells of dimension {mesh.cell_dimension} in {mesh.dimension}-D fill nothing that could follow a motion",
                where=mesh.name,
                remedy="give a mesh of the region: geoop.mesh.generate meshes round or inside a closed outline or surface",
            )
        measures = signed_measures(mesh)
        flat = degenerate_cells(mesh, np.abs(measures))
        if flat.any():
            at = mesh.points[mesh.cells.connectivity[mesh.cells.offsets[np.argmax(flat)]]]
            raise InvalidMeshError(
                f"{int(flat.sum())} cells have no measure before the move, first near ({', '.join(f'{x:.4g}' for x in at)})",
                where=mesh.name,
                remedy="look at them with `geoop inspect FILE` and mesh that place again",
            )
        corners = {name: _jacobians(name, mesh) for name in mesh.cells.names if name in _CORNERS or name in N_CORNERS}
        curved = {}
        for name in set(mesh.cells.names) & set(CURVED):
            index = mesh.cells.where(name)
            if mesh.cells.dimensions[index[0]] == mesh.dimension:
                curved[name] = ~folds(name, mesh.points[mesh.cells.block(name)], np.sign(measures[index]))
        return cls(mesh, measures, corners, curved)

    def inverted(self, points: np.ndarray) -> np.ndarray:
        """(m,) which cells are turned inside out, or folded at a corner, with the points at (n, d) [m]."""
        if not np.isfinite(points).all():
            return np.ones(len(self.mesh.cells), dtype=bool)
        moved = self.mesh.moved(points)
        top = self.mesh.cells.dimensions == self.mesh.cell_dimension
        bad = top & (signed_measures(moved) * np.sign(self._measures) <= 0)
        for name, before in self._corners.items():
            index = self.mesh.cells.where(name)
            if not top[index[0]]:
                continue
            side = np.sign(before.sum(axis=1, keepdims=True))
            folded = (side * _jacobians(name, moved) <= 0) & (side * before > _FLAT)
            bad[index[folded.any(axis=1)]] = True
        for name, sound in self._curved.items():
            index = self.mesh.cells.where(name)[sound]
            bad[index] |= folds(name, points[self.mesh.cells.block(name)[sound]], np.sign(self._measures[index]))
        return bad


def smallest_quality(mesh: Mesh, before: Mesh | None = None) -> float:
    """The smallest scaled Jacobian of all cells [-]: 1 for ideal cells, 0 or less for folded ones; of clockwise cells as if turned over.

    Polygons and polyhedra have none; a mesh of nothing else gives NaN.

    Args:
        mesh: the cells.
        before: the same cells before a move, which tells cell by cell which way they turn; None: as most cells of their type do.
    """
    upright, mirrored = cell_quality(mesh), cell_quality(mesh.moved(mesh.points * np.where(np.arange(mesh.dimension) == 0, -1.0, 1.0)))
    side = None if before is None else np.sign(signed_measures(before))
    found = []
    for name, measures in upright.items():
        if "scaled Jacobian" not in measures:
            continue
        values, turned = measures["scaled Jacobian"], mirrored[name]["scaled Jacobian"]
        known = np.isfinite(values)
        if not known.any():
            continue
        if side is None:
            clockwise = np.full(len(values), np.median(values[known]) < 0)
        else:
            clockwise = side[mesh.cells.where(name)] < 0
        found.append(float(np.where(clockwise, turned, values)[known].min()))
    return min(found, default=float("nan"))


def _jacobians(name: str, mesh: Mesh) -> np.ndarray:
    """(m, k) Jacobians over lengths of edges at the k corners of linear cells; at the quadrature points of quadratic ones, over the measure."""
    x = mesh.points[mesh.cells.block(name)]
    if name in _CORNERS:
        rows = np.array(_CORNERS[name])
        if x.shape[2] + 1 != rows.shape[1]:  # faces of a solid, listed beside it
            return np.ones((len(x), len(rows)))
        edges = x[:, rows[:, 1:]] - x[:, rows[:, :1]]
        length = np.prod(np.linalg.norm(edges, axis=3), axis=2)
        return determinants(edges) / np.where(length > 0, length, 1.0)
    slopes = reference_cell(name).gradients
    if slopes.shape[2] != x.shape[2]:
        return np.ones((len(x), len(slopes)))
    values = determinants(np.einsum("qkr,mkd->mqdr", slopes, x - x[:, :1], optimize=True))
    return values / np.abs(values).max(axis=1, keepdims=True).clip(min=1e-300)
