"""Numbers as lines of text: shortest digits that give the same double again."""

from __future__ import annotations

import numpy as np

from ...mesh.cells import Cells


def number_lines(table: np.ndarray, separator: str = " ") -> list[str]:
    """One line per row of an (n, k) array."""
    pattern = separator.join(["%r"] * table.shape[1])
    return [pattern % tuple(row) for row in table.tolist()]


def cell_lines(cells: Cells, patterns: dict[str, str], shift: int = 0) -> list[str]:
    """One line per cell in their order: the pattern of its type, with one ``%s`` for the points, which count from ``shift``."""
    found = np.empty(len(cells), dtype=object)
    sizes = np.diff(cells.offsets)
    for name in cells.names:
        index = cells.where(name)
        for size in np.unique(sizes[index]):
            chosen = index[sizes[index] == size]
            block = cells.connectivity[cells.offsets[:-1][chosen][:, None] + np.arange(size)] + shift
            pattern = patterns[name] % " ".join(["%d"] * int(size))
            found[chosen] = [pattern % tuple(row) for row in block.tolist()]
    return found.tolist()
