"""Whether cells were turned inside out by a move, looked at on the cells themselves, and the way back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...errors import InvalidMeshError
from ...mesh.measure import signed_measures
from ...mesh.mesh import Mesh

#: Corner and the corners at the ends of its edges, right-handed where the cell is upright; one frame per corner that may fold.
_FRAMES: dict[str, tuple[tuple[int, ...], ...]] = {
    "triangle": ((0, 1, 2),),
    "quad": ((0, 1, 3), (1, 2, 0), (2, 3, 1), (3, 0, 2)),
    "tetra": ((0, 1, 2, 3),),
    "hexahedron": ((0, 1, 3, 4), (1, 2, 0, 5), (2, 3, 1, 6), (3, 0, 2, 7), (4, 7, 5, 0), (5, 4, 6, 1), (6, 5, 7, 2), (7, 6, 4, 3)),
    "wedge": ((0, 1, 2, 3), (1, 2, 0, 4), (2, 0, 1, 5), (3, 5, 4, 0), (4, 3, 5, 1), (5, 4, 3, 2)),
    "pyramid": ((0, 1, 3, 4), (1, 2, 0, 4), (2, 3, 1, 4), (3, 0, 2, 4)),
}
#: Shares of a move that are tried when the whole of it tangles.
SHARES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


def corner_jacobians(mesh: Mesh, points: np.ndarray | None = None) -> np.ndarray:
    """(m,) smallest Jacobian determinant at the corners of every cell of the dimension of space [m^2 or m^3]; NaN for other cells.

    A triangle has one, twice its area, a quad four: it may fold at one corner while its area is positive. Cells that have no
    corner frames here (polygons, polyhedra, quadratic cells) give their signed measure.

    Args:
        mesh: the cells.
        points: (n, d) where the points are [m]; None: where the mesh has them.
    """
    points = mesh.points if points is None else points
    least, largest = np.full(len(mesh.cells), np.nan), np.full(len(mesh.cells), np.nan)
    other = mesh.cells.dimensions == mesh.dimension
    for name in mesh.cells.names:
        if name not in _FRAMES or not len(which := mesh.cells.where(name)) or not other[which[0]]:
            continue
        frames = np.array(_FRAMES[name])
        x = points[mesh.cells.block(name)]
        edges = x[:, frames[:, 1:]] - x[:, frames[:, :1]]
        found = np.linalg.det(edges)
        least[which], largest[which], other[which] = found.min(axis=1), found.max(axis=1), False
    if other.any():
        least[other] = largest[other] = signed_measures(mesh.moved(points))[other]
    return np.where(_clockwise(mesh), -largest, least)


def _clockwise(mesh: Mesh) -> np.ndarray:
    """(m,) cells that are numbered the other way round: sound, their corners all turn right."""
    return signed_measures(mesh) < 0.0


def inverted_cells(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """(m,) cells of a sound mesh that are folded or flat where its points are moved to (n, d) [m]."""
    jacobian = corner_jacobians(mesh, points)
    return np.isfinite(jacobian) & (jacobian <= 0.0)


def require_sound(mesh: Mesh) -> None:
    """Refuse a mesh that has folded or flat cells before anything has moved.

    Raises:
        InvalidMeshError: it has.
    """
    bad = inverted_cells(mesh, mesh.points)
    if bad.any():
        raise InvalidMeshError(
            f"{int(bad.sum())} of {len(mesh.cells)} cells are folded or flat before the move, first cell {int(np.argmax(bad))}",
            where=mesh.name,
            remedy="repair or generate the mesh again: `geoop inspect FILE` lists such cells",
        )


def untangled(mesh: Mesh, points: np.ndarray, onto: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, float, int]:
    """As much of a move as leaves every cell upright: the points on the straight way from the mesh to their goals.

    Args:
        mesh: sound, before the move.
        points: (n, d) goals [m].
        onto: puts the points of the boundary back on it.

    Returns:
        (n, d) points, the share of the way that they went (0: none, the points of the mesh), and how many cells the whole way inverts.
    """
    first = 0
    for share in SHARES:
        tried = points if share == 1.0 else onto(mesh.points + share * (points - mesh.points))
        bad = int(inverted_cells(mesh, tried).sum())
        if not bad:
            return tried, share, first
        first = first or bad
    return mesh.points, 0.0, first
