"""Patches as a case of their own: facets once, points, fields and boundary values where they belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import PatchError
from geoop.io.reading import read
from geoop.io.writers.surface import owners, part_of
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.grid import grid
from geoop.mesh.measure import cell_centers, cell_fluxes
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import facets_to_turn, reversed_cells
from geoop.mesh.primitives import box
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.mesh.rim import rim_parts
from tests.mesh.cell_zoo import UNIT_CELLS, cell_mesh


def test_fields_follow_their_points_and_cells():
    mesh = box(divisions=2)
    fields = {"pressure": Field(QUANTITIES["pressure"], mesh.points[:, 1]), "density": Field(QUANTITIES["density"], np.arange(24.0), "cell")}
    boundary = {"x_max": {"temperature": Field(QUANTITIES["temperature"], np.arange(4.0), "facet")}, "z_min": {}}
    part, notes = part_of(Case(mesh, fields=fields, boundary=boundary, wall=("x_max", "y_min")), ["x_max", "y_max"])
    assert np.array_equal(part.fields["pressure"].values, part.mesh.points[:, 1]) and not notes
    rows = {tuple(sorted(map(tuple, mesh.points[cell].tolist()))): i for i, cell in enumerate(mesh.cells)}
    assert part.fields["density"].values.tolist() == [rows[tuple(sorted(map(tuple, part.mesh.points[cell].tolist())))] for cell in part.mesh.cells]
    assert list(part.boundary) == ["x_max"] and part.wall == ("x_max",) and set(part.mesh.patches) == {"x_max", "y_max"}


def test_values_that_a_solver_has_on_the_facets_stand_for_those_of_the_cells():
    whole = grid([2, 2, 2])
    parts = {"a": whole.patches["x_min"], "b": whole.patches["z_max"]}
    own = {name: {"pressure": Field(QUANTITIES["pressure"], number + np.arange(4.0), "facet")} for number, name in ((0.0, "a"), (10.0, "b"))}
    fields = {"pressure": Field(QUANTITIES["pressure"], np.full(8, -1.0), "cell")}
    case = Case(Mesh(whole.points, whole.cells, parts), fields=fields, boundary=own)
    part, notes = part_of(case, ["b", "a"])
    assert part.fields["pressure"].values.tolist() == [10, 11, 12, 13, 0, 1, 2, 3] and part.fields["pressure"].location == "cell" and not notes
    part, notes = part_of(replace(case, boundary={"b": own["b"]}), ["b", "a"])
    assert "pressure" not in part.fields and "left out: pressure" in notes[0]


def test_facets_of_several_patches_once():
    mesh = box()
    twice = Cells.concatenate([mesh.patches["x_min"], mesh.patches["y_min"]])
    case = Case(Mesh(mesh.points, mesh.cells, {"both": twice, "x": mesh.patches["x_min"]}))
    part, notes = part_of(case, ["x", "both"])
    assert len(part.mesh.cells) == 2 and any("1 facets that belong to several patches" in note for note in notes)
    names, numbers, said = owners(part)
    assert [names[i] for i in numbers] == ["x", "both"] and len(said) == 1 and "'both' loses 1 of 2" in said[0]


@pytest.mark.parametrize("names", [None, ["ball"]])
def test_boundaries_of_volumes_are_turned_outward_however_their_maker_turned_them(tmp_path, names):
    """A cube within a cube, with a layer of cells between, and every third facet the wrong way."""
    whole = grid([3, 3, 3])
    centers = cell_centers(whole)
    inner = (np.abs(centers - 0.5) < 0.2).all(axis=1)
    hollow = Mesh(whole.points, whole.cells.take(~inner))
    parts = list(rim_parts(hollow).values())
    odd = [reversed_cells(part, np.arange(len(part)) % 3 == 0) for part in parts]
    case = Case(Mesh(hollow.points, hollow.cells, {"far": odd[0], "ball": odd[1]}))
    surface = read(write(case, tmp_path / "a.stl", patches=names).path, unit="m")
    assert not facets_to_turn(surface).any()
    assert cell_fluxes(surface).sum() == pytest.approx(1 / 27 if names else 26 / 27)


def test_unknown_patch():
    with pytest.raises(PatchError, match="no patch 'lid'"):
        part_of(Case(box()), ["lid"])


def test_patches_that_shrink_or_disappear_are_named():
    """In a file with one patch per face: the first patch takes it, and who loses what is said."""
    cells = Cells.of(triangle=[[0, 1, 2], [2, 3, 0], [1, 2, 3]])
    patches = {"front": cells.take([0]), "all": cells, "again": cells.take([1]), "edge": Cells.of(line=[[0, 1]]), "none": Cells.empty()}
    mesh = Mesh(np.eye(4, 3), cells, {**patches, "half": Cells.concatenate([cells.take([2]), Cells.of(triangle=[[0, 1, 3]])])})
    names, numbers, notes = owners(Case(mesh))
    assert [names[i] for i in numbers] == ["front", "all", "all"]
    said = " | ".join(notes)
    for words in (
        "'all' loses 1 of 3",
        "'again' disappears",
        "'half' disappears",
        "1 of 2 of 'half'",
        "file are left out: edge",
        "without facets are left out: none",
    ):
        assert words in said
    assert "front" not in said.replace("'front'", "") and "loses 1 of 1" not in said


@pytest.mark.parametrize("suffix", [".stl", ".obj", ".ply"])
def test_overlapping_patches_of_a_volume_are_named(tmp_path, suffix):
    mesh = UNIT_CELLS["hexahedron"][0]
    floor, side = Cells.of(quad=[[0, 3, 2, 1]]), Cells.of(quad=[[0, 1, 5, 4]])
    patches = {"floor": floor, "corner": Cells.concatenate([floor, side]), "copy": side, "lid": Cells.of(quad=[[4, 5, 6, 7]])}
    case = Case(Mesh(mesh, Cells.of(hexahedron=[np.arange(8)]), patches, {"fluid": [0]}))
    said = " | ".join(write(case, tmp_path / f"a{suffix}", text=True).notes)
    assert "2 facets that belong to several patches are written once (floor, corner, copy)" in said and "zones are left out: fluid" in said
    if suffix != ".ply":  # it has no patches at all, and says so
        assert "'corner' loses 1 of 2" in said
        assert "'copy' disappears" in said and "'floor' disappears" not in said


@pytest.mark.parametrize("suffix", [".stl", ".ply", ".obj"])
def test_fields_in_the_cells_of_a_volume_without_patches_are_not_lost_unsaid(tmp_path, suffix):
    mesh = cell_mesh("tetra", UNIT_CELLS["tetra"][0])
    fields = {"density": Field(QUANTITIES["density"], np.ones(1), "cell"), "pressure": Field(QUANTITIES["pressure"], np.ones(4))}
    notes = write(Case(mesh, fields=fields), tmp_path / f"a{suffix}").notes
    assert any("left out: density" in note for note in notes) and not any("boundary," in note or "patches boundary" in note for note in notes)
    assert any("pressure" in note for note in notes) == (suffix != ".ply")
    assert not read(tmp_path / f"a{suffix}", unit="m").patches
