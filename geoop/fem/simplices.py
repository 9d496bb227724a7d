"""Cells of several kinds as simplices that still fit together: the same diagonal on both sides of every face.

A quadrilateral, of a cell or of a patch, is cut along the diagonal through the lowest of its point numbers. Neighbours see the same
four numbers, so they choose the same diagonal (J. Dompierre, P. Labbe, M.-G. Vallet, R. Camarero, "How to subdivide pyramids, prisms
and hexahedra into tetrahedra", 8th International Meshing Roundtable, 1999).
"""

from __future__ import annotations

import numpy as np

from ..errors import InvalidMeshError
from ..mesh.cells import CELL_NAMES, Cells
from ..mesh.mesh import Mesh
from .small_matrices import determinants

#: Corners of each face of a linear cell in VTK order; quadrilaterals and triangles.
_FACES: dict[str, tuple[tuple[int, ...], ...]] = {
    "hexahedron": ((0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)),
    "wedge": ((0, 1, 2), (3, 4, 5), (0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5)),
    "pyramid": ((0, 1, 2, 3), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)),
}
#: Cell types that :func:`simplices` cuts, by dimension.
CUT = {2: ("triangle", "quad"), 3: ("tetra", "pyramid", "wedge", "hexahedron")}


def simplices(cells: Cells, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Triangles or tetrahedra that fill linear cells, and the cell that each is a part of.

    Every cell is cut into the cones from its lowest point number over the triangles of the faces that do not hold that point, which
    agrees with the rule of the diagonal on all faces. Convex cells with plane faces are filled exactly.

    Args:
        cells: of any types; those that are not in ``CUT[dimension]`` are left out.
        dimension: 2 or 3.

    Returns:
        (m, dimension + 1) points and (m,) indices of cells, ascending.
    """
    parts, owners = [], []
    for name in CUT[dimension]:
        rows, which = cells.block(name), cells.where(name)
        if not len(rows):
            continue
        if rows.shape[1] == dimension + 1:
            parts.append(rows)
            owners.append(which)
        elif name == "quad":
            parts.append(cut_quads(rows).reshape(-1, 3))
            owners.append(np.repeat(which, 2))
        else:
            found, owner = _cones(rows, _FACES[name])
            parts.append(found)
            owners.append(which[owner])
    if not parts:
        return np.zeros((0, dimension + 1), dtype=np.int64), np.zeros(0, dtype=np.int64)
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return np.concatenate(parts)[order], owner[order]


def cut_quads(quads: np.ndarray) -> np.ndarray:
    """(n, 2, 3) triangles of (n, 4) quadrilaterals, cut along the diagonal through the lowest point number, in the same direction."""
    turned = np.take_along_axis(quads, (np.argmin(quads, axis=1)[:, None] + np.arange(4)) % 4, axis=1)
    return turned[:, [[0, 1, 2], [0, 2, 3]]]


def _cones(rows: np.ndarray, faces: tuple[tuple[int, ...], ...]) -> tuple[np.ndarray, np.ndarray]:
    """(m, 4) tetrahedra over the faces that miss the lowest point of each cell, and (m,) rows that they belong to."""
    apex = rows.min(axis=1)
    parts, owners = [], []
    for face in faces:
        corners = rows[:, face]
        index = np.flatnonzero((corners != apex[:, None]).all(axis=1))
        pieces = cut_quads(corners[index]) if len(face) == 4 else corners[index][:, None, :]
        count = pieces.shape[1]
        parts.append(np.concatenate([np.repeat(apex[index], count)[:, None], pieces.reshape(-1, 3)], axis=1))
        owners.append(np.repeat(index, count))
    return np.concatenate(parts), np.concatenate(owners)


def corner_simplices(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Triangles or tetrahedra that fill the cells of a mesh of linear cells, all right-handed, and the cell of the mesh that each is a part of.

    Returns:
        (m, d+1) points and (m,) cells, ascending.

    Raises:
        InvalidMeshError: no cells of the dimension of space, or cells that are not linear.
    """
    top = mesh.cells.dimensions == mesh.dimension
    names = sorted({CELL_NAMES[int(code)] for code in np.unique(mesh.cells.types[top])})
    if not names or not set(names) <= set(CUT[mesh.dimension]):
        found = f"cells are {', '.join(names)}" if names else f"there is no cell of dimension {mesh.dimension}"
        raise InvalidMeshError(
            f"linear cells that fill a {mesh.dimension}-D region are needed ({', '.join(CUT[mesh.dimension])}), but {found}",
            where=mesh.name,
            remedy="straighten quadratic cells with geoop.mesh.straight.straightened, or mesh the region with geoop.mesh.generate",
        )
    rows, owner = simplices(mesh.cells, mesh.dimension)
    corner = mesh.points[rows]
    turned = determinants(corner[:, 1:] - corner[:, :1]) < 0.0
    rows[turned, :2] = rows[turned, 1::-1]
    return rows, owner
