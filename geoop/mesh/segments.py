"""The straight pieces of an outline."""

from __future__ import annotations

import numpy as np

from .mesh import Mesh


def straight_segments(outline: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Line cells cut at their middle nodes, in the order of the cells.

    Args:
        outline: line cells, among others that are left out; curved ones count as two straight pieces.

    Returns:
        (s, 2) point indices of the pieces, which run the way of their cells, and (s,) the cell of each.
    """
    straight, bent = outline.cells.where("line"), outline.cells.where("line3")
    corners = outline.cells.block("line3")  # both ends, then the middle
    pieces = np.concatenate([outline.cells.block("line"), corners[:, [0, 2]], corners[:, [2, 1]]])
    cell = np.concatenate([straight, bent, bent])
    order = np.argsort(cell, kind="stable")
    return pieces[order], cell[order]
