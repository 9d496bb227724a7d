"""Cells between the points of a structured block."""

from __future__ import annotations

import numpy as np

from ...mesh.cells import Cells


def lattice_cells(shape: tuple[int, ...]) -> Cells:
    """Hexahedra, quads or lines between points that are numbered with i running fastest; a direction of one point does not count.

    Args:
        shape: points per direction (ni, nj, nk), any number of them.
    """
    sizes = [n for n in shape if n > 1]
    if not sizes:
        return Cells.empty()
    number = np.arange(int(np.prod(sizes))).reshape(sizes[::-1])
    names = {1: "line", 2: "quad", 3: "hexahedron"}
    ring = [(0, 0), (1, 0), (1, 1), (0, 1)]
    corners = {1: [(0,), (1,)], 2: [(j, i) for i, j in ring], 3: [(k, j, i) for k in (0, 1) for i, j in ring]}[len(sizes)]
    rows = [number[tuple(slice(1, None) if up else slice(None, -1) for up in corner)].reshape(-1) for corner in corners]
    return Cells.of({names[len(sizes)]: np.stack(rows, axis=1)})
