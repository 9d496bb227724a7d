"""A field to look at around a body in space of which only the surface was predicted: the continuous answer on a block of cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...errors import GeoopError
from ...interfaces.result import Result
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field

#: How far the block reaches from the body to all sides [largest extents of the body], and its cells along its longest side.
REACH, CELLS = 0.4, 36


def near_field(result: Result, *, reach: float = REACH, cells: int = CELLS) -> Case | None:
    """The predicted fields on cubes around a body, none of which reaches into it.

    Args:
        result: of a surface in space.
        reach: [largest extents of the body] from its box to the sides of the block.
        cells: along the longest side of the block.

    Returns:
        hexahedra with the fields that the result has between its points; None for other meshes, and where it has none there.
    """
    mesh = result.mesh
    if mesh.dimension != 3 or not mesh.is_surface:
        return None
    low, high = mesh.bounds
    margin = reach * float((high - low).max())
    size = float((high - low).max() + 2.0 * margin) / cells
    counts = np.maximum(2, np.ceil((high - low + 2.0 * margin) / size).astype(int))
    start = 0.5 * (low + high) - 0.5 * size * counts
    index = np.stack(np.meshgrid(*(np.arange(n + 1) for n in counts), indexing="ij"), axis=-1).reshape(-1, 3)
    points = start + size * index
    try:
        found = result.evaluate(points)
    except GeoopError:
        return None
    if not found:
        return None
    values = [item.values.reshape(len(points), -1) for item in found.values()]
    sound = np.all(
        [np.isfinite(part).all(axis=1) for part in values if np.isfinite(part).any()], axis=0
    )  # a band that nobody knows is NaN throughout
    hexahedra = _hexahedra(counts)
    hexahedra = hexahedra[sound[hexahedra].all(axis=1)]
    if not len(hexahedra):
        return None
    used = np.unique(hexahedra)
    number = np.zeros(len(points), dtype=np.int64)
    number[used] = np.arange(len(used))
    block = Mesh(points[used], Cells.of(hexahedron=number[hexahedra]), name=f"{mesh.name}, near field")
    whole = {name: item for name, item in result.case.fields.items() if item.location == "global"}
    fields = whole | {name: Field(item.quantity, item.values[used]) for name, item in found.items()}
    return replace(result.case, mesh=block, fields=fields, boundary={}, wall=None)


def _hexahedra(counts: np.ndarray) -> np.ndarray:
    """(m, 8) corners of the cells of a block, in the order of VTK."""
    i, j, k = (g.ravel() for g in np.meshgrid(*(np.arange(n) for n in counts), indexing="ij"))

    def at(a: int, b: int, c: int) -> np.ndarray:
        return ((i + a) * (counts[1] + 1) + j + b) * (counts[2] + 1) + k + c

    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    return np.stack([at(*corner) for corner in corners], axis=1)
