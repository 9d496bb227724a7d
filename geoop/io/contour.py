"""Marching squares and cubes over a narrow band of grid cells, by VTK."""

from __future__ import annotations

import numpy as np

from ..mesh.cells import Cells
from ..mesh.mesh import Mesh
from ..mesh.orientation import reversed_cells
from ..mesh.zero_set import Band


def contour(band: Band, name: str = "zero set") -> Mesh:
    """The zero set in a band: line cells in 2-D, triangles in 3-D, facing the side where the function is positive.

    Corners lie where the linear interpolant along an edge of the grid is zero, so they are off by the square of the cell's size over the radius of
    curvature. Neighbours share their points: a zero set that does not leave the box is closed.
    """
    import pyvista as pv
    from vtkmodules.vtkFiltersCore import vtkContourFilter

    d = band.corners.shape[1]
    # a zero at a corner would give facets without area
    tiny = 1e-9 * band.size
    values = np.where(np.abs(band.values) < tiny, tiny, band.values)
    points = np.zeros((len(band.corners), 3))
    points[:, :d] = band.corners
    kind = pv.CellType.PIXEL if d == 2 else pv.CellType.VOXEL
    grid = pv.UnstructuredGrid({kind: band.cells}, points)
    grid.point_data["f"] = values
    grid.set_active_scalars("f")
    run = vtkContourFilter()
    run.SetInputData(grid)
    run.SetValue(0, 0.0)
    run.ComputeNormalsOff()
    run.ComputeScalarsOff()
    run.SetOutputPointsPrecision(1)  # double
    run.Update()
    found = pv.wrap(run.GetOutput())
    corners = (found.lines if d == 2 else found.faces).reshape(-1, d + 1)[:, 1:]
    x, merged = np.unique(np.round(np.asarray(found.points)[:, :d], 10), axis=0, return_inverse=True)
    corners = merged.reshape(-1)[corners]
    corners = corners[[len(set(row)) == d for row in corners.tolist()]]
    cells = Cells.of(**{"line" if d == 2 else "triangle": corners})
    return _facing_out(Mesh(band.low + band.size * x, cells, name=name), band)


def _facing_out(mesh: Mesh, band: Band) -> Mesh:
    """The facets turned to where the function grows, by its slope at their middles."""
    from ..mesh.measure import area_vectors

    d = mesh.dimension
    middle = (mesh.points[mesh.cells.connectivity.reshape(-1, d)].mean(axis=1) - band.low) / band.size
    base = int(band.corners.max()) + 2
    weight = base ** np.arange(d)
    keys = band.corners[band.cells[:, 0]] @ weight
    order = np.argsort(keys)
    cell = order[np.clip(np.searchsorted(keys, np.floor(middle).astype(np.int64) @ weight, sorter=order), 0, len(keys) - 1)]
    local = middle - band.corners[band.cells[cell, 0]]
    values = band.values[band.cells[cell]].reshape(-1, *[2] * d)  # the first axis runs fastest: it is the last one here
    slope = []
    for axis in range(d):
        along = np.diff(values, axis=d - axis)
        for other in range(d):
            if other != axis:
                t = local[:, other].reshape(-1, *[1] * d)
                lower, upper = np.split(along, 2, axis=d - other) if along.shape[d - other] == 2 else (along, along)
                along = (1 - t) * lower + t * upper
        slope.append(along.reshape(-1))
    wrong = (area_vectors(mesh) * np.stack(slope, axis=1)).sum(axis=1) < 0
    if d == 3:  # VTK's triangles all face one way
        wrong = np.full(len(wrong), wrong.mean() > 0.5)
    return Mesh(mesh.points, reversed_cells(mesh.cells, wrong), name=mesh.name)
