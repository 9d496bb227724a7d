"""Fields go with the points and cells that are still there, and say where they could not."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import icosphere
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.mesh.repair import carried, repair, split


def soup_with_fields(level: int = 2) -> Case:
    """Facets with corners of their own, shuffled; fields that are functions of the place."""
    sphere = icosphere(level)
    order = np.random.default_rng(0).permutation(len(sphere.cells))
    corners = sphere.cells.block("triangle")[order]
    mesh = Mesh(
        np.concatenate([sphere.points[corners.ravel()], [[9.0, 9, 9]]]), Cells.of(triangle=np.arange(corners.size).reshape(-1, 3)), name="soup"
    )
    center = mesh.points[:-1].reshape(-1, 3, 3).mean(axis=1)
    return Case(mesh, OperatingPoint(10.0, 2.0), time=0.5).with_fields(
        Field(QUANTITIES["pressure"], mesh.points[:, 0]),
        Field(QUANTITIES["velocity"], center, "cell"),
        Field(Quantity("label", "l"), np.arange(len(mesh.points)) % 7),
        Field(Quantity("mass", "m", "kg"), np.array(3.0), "global"),
    )


def test_values_stay_at_their_place():
    case = soup_with_fields()
    after = carried(case, repair(case.mesh))
    assert len(after.mesh.points) == 162
    np.testing.assert_array_equal(after.fields["pressure"].values, after.mesh.points[:, 0])
    middle = after.mesh.points[after.mesh.cells.block("triangle")].mean(axis=1)
    np.testing.assert_allclose(after.fields["velocity"].values, middle, atol=1e-15)
    assert after.fields["mass"].values == 3.0 and after.time == 0.5 and after.operating_point == case.operating_point


def test_values_that_differ_at_merged_points_are_noted():
    case = soup_with_fields()
    after = carried(case, repair(case.mesh))
    notes = [note for note in after.mesh.notes if "differed" in note]
    assert len(notes) == 1 and "'label'" in notes[0]
    first = np.array([np.flatnonzero((case.mesh.points == p).all(axis=1))[0] for p in after.mesh.points])
    np.testing.assert_array_equal(after.fields["label"].values, first % 7)


def test_nan_is_equal_to_nan():
    case = soup_with_fields()
    values = np.full(len(case.mesh.points), np.nan)
    after = carried(case.with_fields(Field(QUANTITIES["pressure"], values)), repair(case.mesh))
    assert not [note for note in after.mesh.notes if "'pressure'" in note]


def test_new_facets_have_no_value():
    sphere = icosphere(3)
    mesh = Mesh(sphere.points, sphere.cells.take(np.arange(1, 1280)))
    after = carried(Case(mesh).with_fields(Field(Quantity("number", "n"), np.arange(1, 1280), "cell")), repair(mesh))
    values = after.fields["number"].values
    np.testing.assert_array_equal(values[:-1], np.arange(1, 1280))
    assert np.isnan(values[-1]) and any("'number' has no value on 1 new" in note for note in after.mesh.notes)


def test_a_sound_case_comes_back_itself():
    case = Case(icosphere(1)).with_fields(Field(QUANTITIES["pressure"], np.arange(42.0)))
    assert carried(case, repair(case.mesh)) is case


def test_a_repair_of_another_mesh_is_refused():
    with pytest.raises(InvalidMeshError, match="points"):
        carried(Case(icosphere(1)), repair(icosphere(2)))


def test_parts_take_their_fields_and_patches_along():
    a, b = icosphere(1), icosphere(2, 1.0, (5, 0, 0))
    cells = b.cells.renumbered(np.arange(162) + 42)
    mesh = Mesh(np.concatenate([a.points, b.points]), Cells.concatenate([a.cells, cells]), {"a": a.cells, "b": cells}, name="two")
    case = Case(mesh, wall=("a",)).with_fields(Field(QUANTITIES["pressure"], mesh.points[:, 0]), Field(Quantity("n", "n"), np.arange(400), "cell"))
    large, small = split(case)
    np.testing.assert_array_equal(large.fields["pressure"].values, b.points[:, 0])
    np.testing.assert_array_equal(small.fields["n"].values, np.arange(80))
    assert (small.wall, large.wall) == (("a",), None)
    assert split(Case(a))[0].mesh is a


def test_boundary_values_go_with_their_facets_and_points():
    sphere = icosphere(3)
    rows = np.concatenate([np.arange(1, 1280), [7, 9]])
    mesh = Mesh(np.concatenate([[[9.0, 9, 9]], sphere.points]), sphere.cells.take(rows).renumbered(np.arange(642) + 1))
    mesh = Mesh(mesh.points, mesh.cells, {"half": mesh.cells.take(np.arange(1000)[::-1]), "all": mesh.cells})
    half = {"n": Field(Quantity("n", "n"), np.arange(1000)[::-1], "facet"), "x": Field(Quantity("x", "x"), mesh.points[mesh.patch_points("half"), 0])}
    whole = {"n": Field(Quantity("n", "n"), np.arange(1281), "facet"), "U": Field(Quantity("U", "U"), np.array(2.0), "global")}
    after = carried(Case(mesh, boundary={"half": half, "all": whole}), repair(mesh))
    np.testing.assert_array_equal(after.boundary["half"]["n"].values, [*range(999, -1, -1), np.nan])  # around the hole lie facets of both
    np.testing.assert_array_equal(after.boundary["half"]["x"].values, after.mesh.points[after.mesh.patch_points("half"), 0])
    assert after.boundary["all"]["U"].values == 2.0
    got, patch = after.boundary["all"]["n"].values, after.mesh.patches["all"]
    assert len(got) == len(patch) == 1280 and np.isnan(got[-1])  # the facet that closes the hole
    np.testing.assert_array_equal(got[:1279], np.arange(1279))
    parts = split(Case(mesh, boundary={"half": half}))
    assert parts[0].boundary["half"]["n"] is half["n"]


def test_boundary_values_of_parts():
    a, b = icosphere(1), icosphere(2, 1.0, (5, 0, 0))
    cells = b.cells.renumbered(np.arange(162) + 42)
    mesh = Mesh(np.concatenate([a.points, b.points]), Cells.concatenate([a.cells, cells]), {"all": Cells.concatenate([cells, a.cells])})
    values = {"n": Field(Quantity("n", "n"), np.arange(400), "facet"), "x": Field(Quantity("x", "x"), mesh.points[:, 0])}
    large, small = split(Case(mesh, boundary={"all": values}))
    np.testing.assert_array_equal(large.boundary["all"]["n"].values, np.arange(320))
    np.testing.assert_array_equal(small.boundary["all"]["x"].values, a.points[:, 0])


def test_boundary_faces_of_a_volume_mesh_keep_their_values():
    cube = np.array([(i, j, k) for k in (0, 1) for j in (0, 1) for i in (0, 1)], dtype=float)[[0, 1, 3, 2, 4, 5, 7, 6]]
    points = np.concatenate([cube, cube + [1, 0, 0]])
    ends = Cells.of(quad=np.array([[0, 3, 7, 4], [9, 10, 14, 13]]))
    mesh = Mesh(points, Cells.of(hexahedron=np.arange(16).reshape(2, 8)), {"ends": ends})
    case = Case(mesh, boundary={"ends": {"n": Field(Quantity("n", "n"), np.array([4.0, 5.0]), "facet")}})
    after = carried(case, repair(mesh, tolerance=1e-9))
    assert len(after.mesh.points) == 12
    np.testing.assert_array_equal(after.boundary["ends"]["n"].values, [4.0, 5.0])
