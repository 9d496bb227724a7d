"""Images (regular grids) as explicit points and cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....errors import UnreadableFileError
from ....mesh.cells import Cells
from .cells import plain_cells


def image_grid(about: Mapping[str, Any], most: int, where: str) -> tuple[np.ndarray, Cells]:
    """(n, 3) points, x fastest, and quads, hexahedra, lines or vertices of an image.

    Args:
        about: ``WholeExtent`` (6 integers), ``Origin`` (3), ``Spacing`` (3) and ``Direction`` (9, row by row) as VTK defines them.
        most: points that are believed; more are taken for damage.
        where: the file.

    Raises:
        UnreadableFileError: one of these is missing or impossible.
    """
    extent = np.asarray(about.get("WholeExtent", np.zeros(0))).reshape(-1)
    defaults = {"Origin": np.zeros(3), "Spacing": np.ones(3), "Direction": np.eye(3)}
    origin, spacing, turn = (np.asarray(about.get(name, values), dtype=np.float64).reshape(-1) for name, values in defaults.items())
    sound = extent.shape == (6,) and extent.dtype.kind in "iu" and origin.shape == (3,) and spacing.shape == (3,) and turn.shape == (9,)
    shape = extent[1::2].astype(np.int64) - extent[::2].astype(np.int64) + 1 if sound else np.zeros(3)
    if not sound or (shape < 1).any() or float(np.prod(shape.astype(np.float64))) > most:
        raise UnreadableFileError(
            f"damaged: an image of extent {extent.tolist()[:6]} whose values are for fewer points, or without origin or spacing",
            where=where,
            remedy="write, download or export it again",
        )
    axes = [np.arange(a, b + 1) * step for a, b, step in zip(extent[::2], extent[1::2], spacing, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).transpose(2, 1, 0, 3).reshape(-1, 3)
    offsets, connectivity, code = _lattice(tuple(int(n) for n in shape))
    cells = plain_cells(np.full(len(offsets) - 1, code, dtype=np.uint8), offsets, connectivity, where).cells
    return origin + grid @ turn.reshape(3, 3).T, cells


def _lattice(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, int]:
    """Offsets, connectivity and VTK id of the cells of an image of (nx, ny, nz) points, x fastest; axes of one point have no extent."""
    index = np.arange(int(np.prod(shape))).reshape(shape[::-1])
    axes = [axis for axis in range(3) if shape[2 - axis] > 1]  # of index: z, y, x
    corners = [index]
    for axis in reversed(axes):  # x first: lattice order
        low, high = (
            tuple(slice(None, -1) if k == axis else slice(None) for k in range(3)),
            tuple(slice(1, None) if k == axis else slice(None) for k in range(3)),
        )
        corners = [part[low] for part in corners] + [part[high] for part in corners]
    rows = np.stack([part.reshape(-1) for part in corners], axis=1)
    return np.arange(len(rows) + 1) * rows.shape[1], rows.reshape(-1), {1: 1, 2: 3, 4: 8, 8: 11}[rows.shape[1]]
