"""Patches as a case of their own: facets once, points, fields and boundary values where they belong."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import PatchError
from geoop.io.writers.surface import cells_by_patch, owners, part_of
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box
from geoop.mesh.quantity import QUANTITIES, Field


def test_fields_follow_their_points_and_cells():
    mesh = box(divisions=2)
    fields = {"pressure": Field(QUANTITIES["pressure"], mesh.points[:, 1]), "density": Field(QUANTITIES["density"], np.arange(24.0), "cell")}
    boundary = {"x_max": {"temperature": Field(QUANTITIES["temperature"], np.arange(4.0), "facet")}, "z_min": {}}
    part, notes = part_of(Case(mesh, fields=fields, boundary=boundary, wall=("x_max", "y_min")), ["x_max", "y_max"])
    assert np.array_equal(part.fields["pressure"].values, part.mesh.points[:, 1]) and not notes
    rows = {tuple(sorted(map(tuple, mesh.points[cell].tolist()))): i for i, cell in enumerate(mesh.cells)}
    assert part.fields["density"].values.tolist() == [rows[tuple(sorted(map(tuple, part.mesh.points[cell].tolist())))] for cell in part.mesh.cells]
    assert list(part.boundary) == ["x_max"] and part.wall == ("x_max",) and set(part.mesh.patches) == {"x_max", "y_max"}


def test_facets_of_several_patches_once():
    mesh = box()
    twice = Cells.concatenate([mesh.patches["x_min"], mesh.patches["y_min"]])
    case = Case(Mesh(mesh.points, mesh.cells, {"both": twice, "x": mesh.patches["x_min"]}))
    part, notes = part_of(case, ["x", "both"])
    assert len(part.mesh.cells) == 2 and any("1 facets that belong to several patches" in note for note in notes)
    names, numbers, lost = owners(part)
    assert [names[i] for i in numbers] == ["x", "both"] and not lost


def test_equal_cells_are_taken_one_by_one():
    """Two sheets of one facet belong to two patches; a third patch has one of them again."""
    cells = Cells.of(triangle=[[0, 1, 2], [2, 3, 0], [2, 1, 0]])
    front, back = Cells.of(triangle=[[0, 1, 2]]), Cells.of(triangle=[[2, 1, 0]])
    mesh = Mesh(np.eye(4, 3), cells, {"front": front, "back": back, "all": cells, "edge": Cells.of(line=[[0, 1]]), "none": Cells.empty()})
    found = {name: index.tolist() for name, index in cells_by_patch(mesh).items()}
    assert found == {"front": [0], "back": [2], "all": [0, 1, 2], "edge": [-1], "none": []}
    names, numbers, lost = owners(Case(mesh))
    assert [names[i] for i in numbers] == ["front", "all", "back"] and "left out: edge" in lost[0]


def test_unknown_patch():
    with pytest.raises(PatchError, match="no patch 'lid'"):
        part_of(Case(box()), ["lid"])
