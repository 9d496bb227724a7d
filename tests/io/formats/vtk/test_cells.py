"""VTK's cell types as geoop's: compared with what VTK itself says about corners, volumes and faces."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv
from vtkmodules.vtkCommonCore import reference

from geoop.errors import UnreadableFileError, UnsupportedFormatError
from geoop.io.formats.vtk.cells import plain_cells, standard_cells
from geoop.mesh.polyhedra import polyhedron_weights

#: VTK's higher-order cells with a number of points that they can have -> the straight cell. VTK 9.6 has no class for the pyramids 74 and 81.
CURVED = {
    30: (6, "quad"), 31: (12, "wedge"), 33: (24, "hexahedron"), 34: (7, "triangle"), 35: (4, "line"), 37: (19, "pyramid"),
    68: (4, "line"), 69: (10, "triangle"), 70: (9, "quad"), 71: (10, "tetra"), 72: (27, "hexahedron"), 73: (18, "wedge"),
    75: (4, "line"), 76: (10, "triangle"), 77: (9, "quad"), 78: (10, "tetra"), 79: (27, "hexahedron"), 80: (18, "wedge"),
}  # fmt: skip
#: Where the corners of the straight cells lie in the parameters of VTK.
CORNERS = {
    "line": [(0, 0, 0), (1, 0, 0)],
    "triangle": [(0, 0, 0), (1, 0, 0), (0, 1, 0)],
    "quad": [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)],
    "tetra": [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)],
    "wedge": [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1)],
    "hexahedron": [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)],
    "pyramid": [(0, 0, 0.5), (1, 0, 0.5), (1, 1, 0.5), (0, 1, 0.5), (0.5, 0.5, 1)],  # as VTK's triquadratic pyramid has them
}


@pytest.mark.parametrize("code", CURVED)
def test_corners_are_those_of_vtk(code):
    """VTK's own cell, evaluated at the parameters of a corner, is at the point that the straight cell has there."""
    count, name = CURVED[code]
    points = np.random.default_rng(code).random((count, 3))
    cell = pv.UnstructuredGrid(np.array([count, *range(count)]), np.array([code]), points).GetCell(0)
    plain = plain_cells(np.array([code], np.uint8), np.array([0, count]), np.arange(count), "")
    assert plain.cells.names == [name] and len(plain.notes) == 1 and plain.parent.tolist() == [0]
    for corner, place in zip(plain.cells.connectivity, CORNERS[name], strict=True):
        found = [0.0, 0.0, 0.0]
        parameters = (2 * place[0] - 1, 0, 0) if code == 35 else place  # the cubic line runs from -1 to 1
        cell.EvaluateLocation(reference(0), parameters, found, [0.0] * count)
        assert np.allclose(found, points[corner], atol=1e-12)


@pytest.mark.parametrize(("code", "corners"), [(15, 5), (16, 6)])
def test_prisms_are_polyhedra_of_the_same_volume(code, corners):
    angle = 2 * np.pi * np.arange(corners) / corners
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.concatenate([np.column_stack([ring, np.zeros(corners)]), np.column_stack([ring, np.full(corners, 2.0)])])
    cells = plain_cells(np.array([code], np.uint8), np.array([0, 2 * corners]), np.arange(2 * corners), "").cells
    assert cells.names == ["polyhedron"] and np.diff(cells.faces.cell_offsets).tolist() == [corners + 2]
    exact = 2 * corners / 2 * np.sin(2 * np.pi / corners)
    assert polyhedron_weights(points, cells).sum() == pytest.approx(exact, rel=1e-12)
    grid = pv.UnstructuredGrid(np.array([2 * corners, *range(2 * corners)]), np.array([code]), points)
    assert grid.compute_cell_sizes()["Volume"][0] == pytest.approx(exact, rel=1e-6)


def test_unknown_cells_are_named_together():
    types = np.array([41, 51, 5, 99, 99], dtype=np.uint8)
    with pytest.raises(UnsupportedFormatError, match="1 of type convex point set, 1 of type parametric cell, 2 of type number 99"):
        standard_cells(types, np.array([0, 1, 2, 5, 6, 7]), np.arange(7), "a.vtu")


def test_who_has_no_place_for_notes_is_refused_cells_of_higher_order():
    with pytest.raises(UnsupportedFormatError, match="1 of type Lagrange hexahedron"):
        standard_cells(np.array([72], dtype=np.uint8), np.array([0, 8]), np.arange(8), "a.vtu")


@pytest.mark.parametrize("code", [72, 36, 8, 15])
def test_too_few_points(code):
    with pytest.raises(UnreadableFileError, match="fewer than"):
        plain_cells(np.array([code], dtype=np.uint8), np.array([0, 3]), np.arange(3), "a.vtu")


def test_empty_cells_go():
    cells, parent = standard_cells(np.array([0, 5], dtype=np.uint8), np.array([0, 0, 3]), np.arange(3), "")
    assert cells.names == ["triangle"] and parent.tolist() == [1]


def test_quadratic_polygons_keep_every_corner():
    plain = plain_cells(np.array([36], np.uint8), np.array([0, 10]), np.arange(10), "")
    assert plain.cells.names == ["polygon"] and plain.cells.connectivity.tolist() == [0, 1, 2, 3, 4]
