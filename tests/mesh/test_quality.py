"""Every fault is planted, counted and comes with a remedy."""

import json

import numpy as np
import pytest

from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.outline import oriented
from geoop.mesh.primitives import box, circle, icosphere, naca4, ring
from geoop.mesh.quality import MeshReport, mesh_report
from tests.mesh.cell_zoo import UNIT_CELLS, cell_mesh


def only(mesh: Mesh, **expected: int | bool) -> MeshReport:
    """The report, after checking that exactly the expected faults are in it, each with one sentence and a remedy."""
    report = mesh_report(mesh)
    faults = ("open_edges", "non_manifold_edges", "inconsistent_edges", "inverted_cells", "unpatched_facets")
    faults += ("duplicate_points", "unused_points", "degenerate_cells", "repeated_cells", "self_intersections")
    found = {name: getattr(report, name) for name in faults if getattr(report, name)}
    assert found == expected
    assert len(report.findings) == len(expected)
    assert all(": " in sentence and sentence.endswith(".") for sentence in report.findings)
    return report


def test_holes_are_counted_by_their_open_edges():
    sphere = icosphere(2)
    assert only(sphere).closed
    holed = Mesh(sphere.points, sphere.cells.take(np.delete(np.arange(320), [3, 200])))
    report = only(holed, open_edges=6)
    assert not report.closed
    assert report.enclosed is None
    assert "6 edges" in report.findings[0]
    opened = Mesh(circle(9).points, circle(9).cells.take(np.arange(8)))
    assert "2 end points" in only(opened, open_edges=2).findings[0]


def test_facets_turned_round_are_counted_by_their_edges():
    sphere = icosphere(2)
    turned = np.zeros(320, dtype=bool)
    turned[[5, 100]] = True
    mixed = Mesh(sphere.points, reversed_cells(sphere.cells, turned))
    assert only(mixed, inconsistent_edges=6).oriented is False
    assert only(oriented(mixed)).oriented
    ring_ = circle(9)
    turned = np.arange(9) == 4
    assert only(Mesh(ring_.points, reversed_cells(ring_.cells, turned)), inconsistent_edges=2).oriented is False


def test_normals_that_point_inward_are_said():
    sphere = icosphere(1)
    back = Mesh(sphere.points, reversed_cells(sphere.cells, np.ones(80, dtype=bool)))
    report = mesh_report(back)
    assert report.enclosed < 0
    assert len(report.findings) == 1
    assert "into the body" in report.findings[0]


def test_a_wall_inside_a_body_is_not_manifold():
    cube = box((0, 0, 0), (1, 1, 1), 2)
    middle = np.flatnonzero(np.isclose(cube.points[:, 0], 0.5))
    around = middle[np.argsort(np.arctan2(cube.points[middle, 2] - 0.5, cube.points[middle, 1] - 0.5))]
    with_wall = Mesh(cube.points, Cells.concatenate([cube.cells, Cells.ragged("polygon", [around])]))
    report = only(with_wall, non_manifold_edges=8)
    assert not report.manifold
    touching = np.array([(0.0, 0), (1, 1), (1, -1), (-1, -1), (-1, 1)])
    lines = Cells.of(line=np.array([[0, 1], [1, 2], [2, 0], [0, 3], [3, 4], [4, 0]]))
    assert only(Mesh(touching, lines), non_manifold_edges=1).manifold is False


def test_repeated_points_cells_and_leftovers():
    sphere = icosphere(1)
    soup = Mesh(sphere.points[sphere.cells.connectivity], Cells.of(triangle=np.arange(240).reshape(-1, 3)))
    report = only(soup, duplicate_points=240 - 42)
    assert report.closed  # unmerged, but closed all the same
    assert report.components == 1
    extra = Mesh(np.concatenate([sphere.points, [[9.0, 9, 9]]]), sphere.cells)
    only(extra, unused_points=1)
    twice = Mesh(sphere.points, Cells.concatenate([sphere.cells, sphere.cells.take([7])]))
    assert mesh_report(twice).repeated_cells == 1
    near = Mesh(np.array([[0.0, 0], [1, 0], [1 + 1e-14, 0]]))
    assert only(near, duplicate_points=1).kind == "point cloud"


def test_degenerate_cells_but_not_thin_ones():
    points = np.array([(0.0, 0, 0), (1, 0, 0), (0.5, 0, 0), (0, 1, 0), (1e3, 1e3, 0), (1e3 + 1e-2, 1e3, 0), (1e3, 1e3 + 1e-7, 0)])
    assert mesh_report(Mesh(points, Cells.of(triangle=np.array([[0, 1, 2], [0, 1, 3], [4, 5, 6]])))).degenerate_cells == 1
    line = Mesh([[0, 0], [1, 0], [1, 0.0]], Cells.of(line=np.array([[0, 1], [1, 2]])))
    assert mesh_report(line).degenerate_cells == 1


def test_openings_are_placed_and_their_size_is_known():
    sphere = icosphere(3)
    z = sphere.points[sphere.cells.block("triangle"), 2]
    report = mesh_report(Mesh(sphere.points, sphere.cells.take((z.min(axis=1) <= 0.8) & (z.max(axis=1) > -0.95))))
    assert len(report.holes) == 2 and report.largest_gap == report.holes[0].size > report.holes[1].size
    assert report.holes[0].center[2] > 0.7 and report.holes[1].center[2] < -0.8
    assert sum(hole.points for hole in report.holes) == report.open_edges
    assert mesh_report(sphere).holes == () and mesh_report(sphere).largest_gap == 0


def test_bodies_that_cut_into_each_other_are_counted_unless_refused():
    a, b = icosphere(2), icosphere(2, 0.9, (1, 0, 0))
    both = Mesh(np.concatenate([a.points, b.points]), Cells.concatenate([a.cells, b.cells.renumbered(np.arange(162) + 162)]))
    report = mesh_report(both)
    assert report.self_intersections > 20 and "cut through each other" in report.findings[0]
    assert mesh_report(both, intersections=False).self_intersections is None and mesh_report(both, intersections=False).findings == ()
    quads = box((0, 0, 0), (2, 2, 2), 1)
    boxes = Mesh(np.concatenate([quads.points, quads.points + 1]), Cells.concatenate([quads.cells, quads.cells.renumbered(np.arange(8) + 8)]))
    assert mesh_report(boxes).self_intersections == 6  # each of three faces of one box is cut by two of the other: pairs of faces, not of triangles
    apart = boxes.moved(np.concatenate([quads.points, quads.points + 3]))
    assert mesh_report(apart).self_intersections == 0


def test_quality_is_in_the_report():
    cells = {(item.cells, item.measure): item for item in mesh_report(icosphere(1)).quality}
    angle = cells["triangle", "min angle [deg]"]
    assert 50 < angle.minimum <= angle.p1 <= angle.median <= angle.p99 <= angle.maximum < 60.001 and angle.worst == angle.minimum
    assert cells["triangle", "aspect ratio"].worst == cells["triangle", "aspect ratio"].maximum


def test_an_outline_that_crosses_itself():
    bowtie = ring(np.array([(0.0, 0), (1, 1), (1, 0), (0, 1)]), "bowtie")
    assert "cuts itself" in only(bowtie, self_intersections=1).findings[0]
    assert only(naca4("0008", 150)).self_intersections == 0


def test_volume_meshes_count_inverted_cells_and_nameless_boundaries():
    nodes = UNIT_CELLS["hexahedron"][0]
    points = np.concatenate([nodes, nodes[4:] + [0, 0, 1]])
    cells = Cells.of(hexahedron=np.array([range(8), [*range(8, 12), *range(4, 8)]]))  # the second is upside down
    report = only(Mesh(points, cells), inverted_cells=1, unpatched_facets=10)
    assert report.kind == "volume mesh"
    bottom = {"bottom": Cells.of(quad=np.array([[0, 3, 2, 1]]))}
    only(Mesh(points, cells, bottom), inverted_cells=1, unpatched_facets=9)


@pytest.mark.parametrize("name", ["wedge", "tetra", "pyramid"])
def test_a_mirrored_cell_is_inverted_unless_all_wedges_are(name):
    mesh = cell_mesh(name, UNIT_CELLS[name][0])
    mirrored = mesh.moved(mesh.points * [1, 1, -1])
    assert mesh_report(mesh).inverted_cells == 0
    assert mesh_report(mirrored).inverted_cells == (0 if name == "wedge" else 1)  # VTK and CGNS number wedges differently


def test_plane_meshes_with_mixed_winding():
    points = np.array([(0.0, 0), (1, 0), (1, 1), (0, 1)])
    edges = Cells.of(line=np.array([[0, 1], [1, 2], [2, 3], [3, 0]]))
    mesh = Mesh(points, Cells.of(triangle=np.array([[0, 1, 2], [0, 3, 2]])), {"rim": edges})
    assert only(mesh, inverted_cells=1).kind == "plane mesh"


def test_components_and_bounds():
    a, b = icosphere(1), icosphere(1, 1.0, (5, 0, 0))
    both = Mesh(np.concatenate([a.points, b.points]), Cells.concatenate([a.cells, b.cells.renumbered(np.arange(42) + 42)]))
    report = only(both)
    assert report.components == 2
    np.testing.assert_allclose(report.bounds[1][0], b.points[:, 0].max())


def test_report_is_plain_data():
    for mesh in (icosphere(0), circle(5), Mesh(np.random.default_rng(0).random((4, 3)))):
        data = json.loads(json.dumps(mesh_report(mesh).to_dict()))
        assert data["n_points"] == len(mesh.points)
        assert data["findings"] == []


def test_curved_segments_cross_along_their_middle_nodes():
    """Two arcs whose chords do not meet, but whose middle nodes reach over each other."""
    points = np.array([(0.0, 0), (2, 0), (1, 1), (0, 0.5), (2, 0.5), (1, -1)])
    bent = Mesh(points, Cells.of(line3=np.array([[0, 1, 2], [3, 4, 5]])))
    assert mesh_report(bent).self_intersections == 1
    assert mesh_report(Mesh(points, Cells.of(line=np.array([[0, 1], [3, 4]])))).self_intersections == 0


@pytest.mark.parametrize(
    ("radius", "center", "inside_out"), [(0.4, (0.0, 0.0, 0.0), False), (0.4, (0.0, 0.0, 0.0), True), (0.5, (3.0, 0.0, 0.0), True)]
)
def test_parts_that_face_the_wrong_way_are_counted(radius, center, inside_out):
    """A cavity must face in, a body beside another one out: whatever the sum of their volumes is."""
    outer, part = icosphere(2), icosphere(1, radius, center)
    cells = reversed_cells(part.cells, np.full(len(part.cells), inside_out))
    both = Mesh(
        np.concatenate([outer.points, part.points]),
        Cells.concatenate([outer.cells, cells.renumbered(np.arange(len(part.points)) + len(outer.points))]),
    )
    wrong = inside_out == (center[0] > 2)
    report = mesh_report(both)
    assert report.inward_facets == (len(part.cells) if wrong else 0)
    assert any("the wrong way" in item for item in report.findings) == wrong
