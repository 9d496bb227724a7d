"""Repair undoes what was planted, says what it did, moves nothing that need not move, and is done after once."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.measure import cell_measures, enclosed_volume
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import box, capsule, circle, icosphere, naca4
from geoop.mesh.quality import mesh_report
from geoop.mesh.repair import Repaired, repair


def patched(mesh: Mesh) -> Mesh:
    """With the upper and lower half as patches, in another order than the cells."""
    z = mesh.points[np.stack([np.asarray(c)[:3] for c in mesh.cells]), 2].mean(axis=1)
    upper = np.flatnonzero(z > 0)[::-1]
    return Mesh(mesh.points, mesh.cells, {"upper": mesh.cells.take(upper), "lower": mesh.cells.take(z <= 0)}, name=mesh.name)


def spoiled(mesh: Mesh, seed: int) -> Mesh:
    """Points repeated per facet, facets turned and repeated, all in random order."""
    rng = np.random.default_rng(seed)
    m = len(mesh.cells)
    rows = rng.permutation(np.concatenate([np.arange(m), rng.integers(0, m, m // 5)]))
    cells = reversed_cells(mesh.cells.take(rows), rng.random(len(rows)) < 0.4)
    place = rng.permutation(len(cells.connectivity))
    points = np.empty((len(place), 3))
    points[place] = mesh.points[cells.connectivity]
    return Mesh(points, Cells(cells.types, cells.offsets, place), name="spoiled")


def facets(mesh: Mesh) -> list[tuple]:
    """Facets as coordinates, each from its lowest corner on: equal lists are equal surfaces up to numbering."""
    out = []
    for ring in mesh.cells:
        x = [tuple(p) for p in mesh.points[ring]]
        k = x.index(min(x))
        out.append(tuple(x[k:] + x[:k]))
    return sorted(out)


def same(a: Mesh, b: Mesh) -> bool:
    return (
        np.array_equal(a.points, b.points)
        and np.array_equal(a.cells.connectivity, b.cells.connectivity)
        and list(a.patches) == list(b.patches)
        and all(np.array_equal(a.patches[n].connectivity, b.patches[n].connectivity) for n in a.patches)
    )


def once(mesh: Mesh, **options) -> Repaired:
    """A repair, after checking that a second one finds nothing."""
    found = repair(mesh, **options)
    again = repair(found.mesh, **options)
    assert again.changes == () and again.mesh is found.mesh and again.moved == 0
    return found


SHAPES = {"sphere": icosphere(2), "box": box((0, 0, 0), (1, 2, 3), 2), "capsule": capsule(), "wing": icosphere(1, 2.0, (7, 0, 0))}


@pytest.mark.parametrize("name", SHAPES)
def test_nothing_wrong_comes_back_itself(name):
    found = repair(SHAPES[name])
    assert found.mesh is SHAPES[name] and found.changes == () and found.moved == 0 and found.parts == (SHAPES[name],)


@pytest.mark.parametrize("mesh", [circle(30), naca4("2412", 80)], ids=["circle", "naca"])
def test_a_sound_outline_comes_back_itself(mesh):
    assert repair(mesh).mesh is mesh


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_a_spoiled_surface_becomes_the_original_up_to_numbering(name, seed):
    mesh = SHAPES[name]
    found = once(spoiled(mesh, seed))
    assert facets(found.mesh) == facets(mesh)
    assert found.moved == 0
    np.testing.assert_allclose(enclosed_volume(found.mesh), enclosed_volume(mesh), rtol=1e-12)
    text = " ".join(found.changes)
    assert "exactly equal coordinates" in text and f"{len(mesh.cells) // 5} cells that repeat" in text and "turned" in text


def test_a_surface_turned_inside_out_is_said_to_be_flipped():
    sphere = icosphere(1)
    found = once(Mesh(sphere.points, reversed_cells(sphere.cells, np.ones(80, dtype=bool))))
    assert facets(found.mesh) == facets(sphere)
    assert found.changes == ("80 facets of 1 part faced the wrong way (into the body, or out of a cavity) and were turned",)
    left = repair(Mesh(sphere.points, reversed_cells(sphere.cells, np.ones(80, dtype=bool))), orient=False)
    assert left.changes == () and enclosed_volume(left.mesh) < 0


def test_a_cavity_keeps_its_normals_into_the_cavity():
    outer, inner = icosphere(2), icosphere(1, 0.4)
    turned = reversed_cells(inner.cells, np.ones(80, dtype=bool)).renumbered(np.arange(42) + 162)
    hollow = Mesh(np.concatenate([outer.points, inner.points]), Cells.concatenate([outer.cells, turned]))
    assert repair(hollow).mesh is hollow


def test_the_very_triangle_that_was_removed_comes_back():
    sphere = icosphere(3)
    for k in (0, 411, 1279):
        found = once(Mesh(sphere.points, sphere.cells.take(np.arange(1280) != k)))
        assert facets(found.mesh) == facets(sphere)
        assert found.changes == ("1 hole was closed with 1 new cell",)
        np.testing.assert_array_equal(found.cell_origin, [*range(1279), -1])


def test_a_removed_fan_is_closed_with_a_volume_error_of_second_order_in_the_hole():
    errors, sizes = [], []
    for level in (2, 3, 4):
        sphere = icosphere(level)
        star = (sphere.cells.block("triangle") == 12).any(axis=1)
        assert star.sum() in (5, 6)
        found = once(Mesh(sphere.points, sphere.cells.take(~star)), max_hole=0.5)
        assert mesh_report(found.mesh).closed and len(found.mesh.cells) == len(sphere.cells) - 2
        errors.append(abs(enclosed_volume(found.mesh) / enclosed_volume(sphere) - 1))
        sizes.append(0.5**level)
        assert (
            0 < found.moved <= mesh_report(Mesh(sphere.points, sphere.cells.take(~star))).largest_gap / 2
        )  # the new facets are that far from the rim
    orders = np.diff(np.log(errors)) / np.diff(np.log(sizes))
    assert orders.min() > 1.9


def test_holes_up_to_the_share_are_closed_and_no_others():
    sphere = icosphere(3)
    z = sphere.points[sphere.cells.block("triangle"), 2]
    wide = Mesh(sphere.points, sphere.cells.take((z.min(axis=1) <= 0.8) & (np.arange(1280) != np.argmin(z.sum(axis=1)))))
    some = once(wide)
    assert [hole.points > 3 for hole in mesh_report(some.mesh).holes] == [True]
    closed = once(wide, max_hole=0.6)
    assert mesh_report(closed.mesh).closed and mesh_report(closed.mesh).enclosed > 0
    assert once(wide, max_hole=0).mesh.cells is not None and len(mesh_report(once(wide, max_hole=0).mesh).holes) == 2


def test_an_open_sheet_is_not_doubled():
    axis = np.arange(5.0)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    number = np.arange(25).reshape(5, 5)
    quads = np.stack([number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]], axis=-1).reshape(-1, 4)
    sheet = Mesh(np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1), Cells.of(quad=quads))
    assert repair(sheet).mesh is sheet
    triangle = Mesh(np.eye(3), Cells.of(triangle=np.array([[0, 1, 2]])))
    assert repair(triangle, max_hole=10.0).mesh is triangle  # its own mirror image would close it


@pytest.mark.parametrize("width", [1e-7, 1e-3])
def test_a_crack_is_closed_by_a_tolerance_and_the_move_is_its_width(width):
    sphere = icosphere(3)
    upper = sphere.points[sphere.cells.block("triangle"), 2].mean(axis=1) > 0.1
    lifted = sphere.cells.take(upper).renumbered(np.arange(642) + 642)
    mesh = Mesh(np.concatenate([sphere.points, sphere.points + [0, 0, width]]), Cells.concatenate([sphere.cells.take(~upper), lifted]))
    finding = mesh_report(mesh).findings[0]
    tolerance = float(finding.split("--tolerance ")[1].split("`")[0])
    assert width < tolerance < 1.3 * width
    found = once(mesh, tolerance=tolerance)
    assert mesh_report(found.mesh).closed and len(found.mesh.cells) == 1280
    np.testing.assert_allclose(found.moved, width, rtol=0.3)
    assert found.moved <= width * (1 + 1e-6)


def test_facets_that_collapse_within_the_tolerance_leave_no_hole():
    sphere = icosphere(2)
    points = sphere.points.copy()
    a, b = sphere.cells.block("triangle")[100, :2]
    points[b] += 0.999 * (points[a] - points[b])
    found = once(Mesh(points, sphere.cells), tolerance=1e-2)
    assert mesh_report(found.mesh).closed
    assert len(found.mesh.cells) == 318 and "2 cells whose corners fell together were dropped" in found.changes


def test_quads_with_a_repeated_corner_become_triangles():
    cube = box((0, 0, 0), (1, 1, 1), 1)
    points = cube.points.copy()
    top = points[:, 2] == 1
    points[top] = [0.5, 0.5, 1]
    pyramid = once(Mesh(points, cube.cells, {"all": cube.cells})).mesh
    assert {name: len(pyramid.cells.where(name)) for name in pyramid.cells.names} == {"triangle": 4, "quad": 1}
    assert mesh_report(pyramid).closed and len(pyramid.patches["all"]) == 5
    np.testing.assert_allclose(enclosed_volume(pyramid), 1 / 3)


@pytest.mark.parametrize("kind", ["triangle", "quad"])
def test_slivers_with_a_corner_on_their_long_edge_are_taken_out_without_a_hole(kind):
    cube = box((0, 0, 0), (1, 1, 1), 1)
    quads = cube.cells.block("quad")
    n = len(cube.points)
    a, b = quads[0, :2]
    rows = {"triangle": np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])}["triangle"]
    other = next(k for k in range(12) if {a, b} <= set(rows[k]) and k != 0)
    points = np.concatenate([cube.points, [(cube.points[a] + cube.points[b]) / 2]])
    split = [[a, n, quads[0, 2]], [n, b, quads[0, 2]], [b, n, a]]  # the first triangle in two, and a sliver against its neighbour
    triangles = np.concatenate([np.delete(rows, 0, axis=0), split])
    assert other != 0
    cells = Cells.of(triangle=triangles)
    if kind == "quad":
        keep = [k for k in range(6) if not {a, b, quads[0, 2]} <= set(quads[k])]
        face = [[n, b, *[p for p in quads[0] if p not in (a, b)], a]]
        cells = Cells.concatenate(
            [Cells.of(quad=quads[keep]), Cells.ragged("polygon", [np.array(face[0])]), Cells.of(triangle=np.array([[b, n, a]]))]
        )
    broken = Mesh(points, cells)
    assert mesh_report(broken).degenerate_cells == 1 and mesh_report(broken).closed
    found = once(broken)
    report = mesh_report(found.mesh)
    assert report.closed and not report.findings
    np.testing.assert_allclose(report.enclosed, 1.0)
    assert found.moved < 1e-15 and len(found.mesh.points) == n + 1


def test_a_chain_of_slivers_along_one_edge():
    rng = np.random.default_rng(3)
    t = np.sort(rng.integers(1, 64, 5)) / 64
    t = np.unique(t)
    x = np.array([(0.0, 0, 0), (1, 0, 0), (0.5, 1, 0), (0.5, -1, 0), *[(s, 0, 0) for s in t]])
    order = [0, *range(4, 4 + len(t)), 1]
    upper = [[a, b, 2] for a, b in zip(order[:-1], order[1:], strict=True)]
    slivers = [[order[0], order[k + 1], order[k]] for k in range(1, len(order) - 1)]
    mesh = Mesh(x, Cells.of(triangle=np.array([*upper, *slivers, [1, 0, 3]])))
    assert mesh_report(mesh).degenerate_cells == len(slivers)
    found = once(mesh, max_hole=0)
    assert mesh_report(found.mesh).degenerate_cells == 0 and mesh_report(found.mesh).open_edges == 4
    np.testing.assert_allclose(cell_measures(found.mesh).sum(), 1.0)


def test_a_repeated_flap_is_dropped_and_a_single_one_kept():
    sphere = icosphere(2)
    a, b = sphere.cells.block("triangle")[7, :2]
    points = np.concatenate([sphere.points, [1.5 * (sphere.points[a] + sphere.points[b])]])
    flap = Cells.of(triangle=np.array([[a, b, 162]]))
    twice = Mesh(points, Cells.concatenate([sphere.cells, flap, flap]))
    assert facets(once(twice).mesh) == facets(sphere)
    single = Mesh(points, Cells.concatenate([sphere.cells, flap]))
    assert len(once(single).mesh.cells) == 321


def test_patches_keep_names_order_and_facets():
    sphere = patched(icosphere(2))
    k = int(np.argmax(sphere.points[sphere.cells.block("triangle"), 2].sum(axis=1)))
    name, other = "upper", "lower"
    patches = {name: _less(sphere, name, k), other: sphere.patches[other]}
    holed = Mesh(sphere.points, sphere.cells.take(np.arange(320) != k), patches)
    found = once(holed, max_hole=0.2)
    assert list(found.mesh.patches) == [name, other]
    assert {n: len(p) for n, p in found.mesh.patches.items()} == {n: len(p) for n, p in sphere.patches.items()}
    assert f"patch '{name}' got 1 of the cells that close holes" in found.changes
    kept = np.asarray(holed.patches[other].connectivity)
    np.testing.assert_array_equal(found.mesh.patches[other].connectivity, kept)


def _less(mesh: Mesh, name: str, cell: int) -> Cells:
    part = mesh.patches[name]
    gone = set(mesh.cells.block("triangle")[cell].tolist())
    return part.take(np.array([set(row.tolist()) != gone for row in part]))


def test_a_hole_between_patches_gets_a_patch_of_its_own():
    sphere = icosphere(2)
    triangles = sphere.cells.block("triangle")
    side = np.arange(320) % 2 == 0
    mesh = Mesh(sphere.points, sphere.cells.take(np.arange(1, 320)), {"even": sphere.cells.take(side & (np.arange(320) > 0))})
    found = once(mesh, max_hole=0.2)
    assert list(found.mesh.patches) == ["even", "closed_holes"] and "is new and holds 1" in " ".join(found.changes)
    assert set(np.asarray(found.mesh.patches["closed_holes"].connectivity).tolist()) == set(triangles[0].tolist())


def test_a_repeated_facet_in_two_patches_stays_in_the_first_and_it_is_said():
    sphere = icosphere(1)
    mesh = Mesh(
        sphere.points,
        Cells.concatenate([sphere.cells, sphere.cells.take([3, 4])]),
        {"body": sphere.cells, "decal": sphere.cells.take([3, 4])},
    )
    found = once(mesh)
    assert {name: len(part) for name, part in found.mesh.patches.items()} == {"body": 80, "decal": 0}
    assert "patch 'decal' lost 2 of 2 facets with them; its name is kept" in found.changes


def test_a_facet_in_two_patches_stays_in_both():
    sphere = icosphere(1)
    mesh = Mesh(sphere.points, sphere.cells, {"body": sphere.cells, "nose": sphere.cells.take([3, 4])})
    soup = Mesh(np.concatenate([mesh.points, [[9.0, 9, 9]]]), mesh.cells, mesh.patches)
    assert {n: len(p) for n, p in once(soup).mesh.patches.items()} == {"body": 80, "nose": 2}


def test_turned_facets_are_turned_in_their_patch_too():
    sphere = patched(icosphere(1))
    flipped = reversed_cells(sphere.cells, np.arange(80) % 3 == 0)
    lower = np.array([sphere.points[row, 2].mean() <= 0 for row in sphere.cells])
    found = once(Mesh(sphere.points, flipped, {"lower": flipped.take(lower)}))
    np.testing.assert_array_equal(found.mesh.patches["lower"].connectivity, found.mesh.cells.take(lower).connectivity)


def test_zones_follow_their_cells():
    sphere = icosphere(1)
    mesh = Mesh(sphere.points, Cells.concatenate([sphere.cells.take([5]), sphere.cells]), zones={"a": np.arange(1, 11), "b": np.array([6])})
    found = once(mesh)
    np.testing.assert_array_equal(found.cell_origin[found.mesh.zones["a"]], [k for k in range(1, 11) if k in found.cell_origin])


def test_two_parts_are_split_with_their_patches():
    a, b = icosphere(2), icosphere(1, 1.0, (5, 0, 0))
    cells = b.cells.renumbered(np.arange(42) + 162)
    both = Mesh(
        np.concatenate([a.points, b.points]), Cells.concatenate([cells, a.cells]), {"big": a.cells, "small": cells}, {"s": np.arange(80)}, name="both"
    )
    found = repair(both, split=True)
    assert [len(part.cells) for part in found.parts] == [320, 80]
    assert [list(part.patches) for part in found.parts] == [["big"], ["small"]]
    assert [part.name for part in found.parts] == ["both_1", "both_2"] and list(found.parts[1].zones) == ["s"]
    assert facets(found.parts[0]) == facets(a) and facets(found.parts[1]) == facets(b)
    assert repair(a, split=True).parts == (a,)


def test_an_outline_gets_its_gap_closed_and_its_segments_turned():
    ring = circle(40)
    broken = ring.cells.take(np.delete(np.arange(40), 11))
    mesh = Mesh(ring.points, reversed_cells(broken, np.arange(39) % 4 == 0), {"wall": broken})
    found = once(mesh)
    report = mesh_report(found.mesh)
    assert report.closed and report.enclosed == pytest.approx(mesh_report(ring).enclosed)
    assert len(found.mesh.patches["wall"]) == 40 and "1 hole was closed with 1 new cell" in found.changes
    assert facets(found.mesh) == facets(ring)


def test_a_repeated_first_point_of_a_section():
    ring = naca4("0012", 60)
    points = np.concatenate([ring.points, ring.points[:1]])
    open_chain = Mesh(points, Cells.of(line=np.stack([np.arange(60), np.arange(1, 61)], axis=1)))
    found = once(open_chain)
    assert len(found.mesh.points) == 60 and found.moved == 0 and facets(found.mesh) == facets(ring)


def test_a_wide_open_outline_stays_open():
    ring = circle(40)
    half = Mesh(ring.points[:21], Cells.of(line=np.stack([np.arange(20), np.arange(1, 21)], axis=1)))
    assert repair(half).changes == ()
    assert mesh_report(repair(half, max_hole=1.0).mesh).closed


def test_clouds_and_volumes_are_merged_but_not_reshaped():
    x = np.random.default_rng(0).random((10, 3))
    cloud = once(Mesh(np.concatenate([x, x[:3]])))
    assert len(cloud.mesh.points) == 10 and cloud.changes == ("3 points were merged with another one at exactly equal coordinates",)
    cube = np.array([(i, j, k) for k in (0, 1) for j in (0, 1) for i in (0, 1)], dtype=float)
    order = [0, 1, 3, 2, 4, 5, 7, 6]
    two = Mesh(np.concatenate([cube[order], cube[order] + [1, 0, 0]]), Cells.of(hexahedron=np.arange(16).reshape(2, 8)))
    assert repair(two).mesh is two  # points at one place may separate the sides of a thin wall
    glued = once(two, tolerance=1e-9)
    assert len(glued.mesh.points) == 12 and len(glued.mesh.cells) == 2 and glued.moved == 0


def test_polyhedra_are_merged_by_a_tolerance_that_does_not_reach_across_one():
    cube = np.array([(i, j, k) for k in (0, 1) for j in (0, 1) for i in (0, 1)], dtype=float)
    sides = np.array([(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)])
    one = Cells.polyhedra(np.array([0, 6]), 4 * np.arange(7), sides.ravel())
    two = Mesh(np.concatenate([cube, cube + [1, 0, 0]]), Cells.concatenate([one, one.renumbered(np.arange(8) + 8)]))
    glued = once(two, tolerance=1e-9)
    assert len(glued.mesh.points) == 12
    np.testing.assert_allclose(cell_measures(glued.mesh), 1.0)
    with pytest.raises(InvalidMeshError, match="one polyhedron"):
        repair(two, tolerance=1.5)


def test_unused_points_go():
    sphere = icosphere(1)
    found = once(Mesh(np.concatenate([[[9.0, 9, 9]], sphere.points]), sphere.cells.renumbered(np.arange(42) + 1)))
    assert found.changes == ("1 point that belongs to no cell was dropped",) and found.moved == 0
    np.testing.assert_array_equal(found.point_target, np.arange(43) - 1)
    np.testing.assert_array_equal(found.point_origin, np.arange(42) + 1)


def test_changes_are_noted_on_the_mesh():
    sphere = icosphere(1)
    found = repair(Mesh(sphere.points, sphere.cells.take(np.arange(1, 80)), notes=("first",)), max_hole=0.3)
    assert found.mesh.notes == ("first", "repair: 1 hole was closed with 1 new cell")


@pytest.mark.parametrize("options", [{"tolerance": -1.0}, {"max_hole": float("nan")}, {"tolerance": float("inf")}])
def test_impossible_options(options):
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        repair(icosphere(0), **options)


def test_both_impossible_options_are_in_one_message():
    with pytest.raises(ConfigurationError, match=r"tolerance is -1; max_hole is -2"):
        repair(icosphere(0), tolerance=-1, max_hole=-2)


def test_a_tolerance_that_swallows_the_body():
    with pytest.raises(InvalidMeshError, match="nothing would be left"):
        repair(icosphere(1), tolerance=10.0)


@pytest.mark.parametrize("seed", range(12))
def test_one_repair_is_enough_whatever_is_wrong(seed):
    """Random damage of every kind at once: a second repair finds nothing, and no count is worse than before."""
    rng = np.random.default_rng(seed)
    mesh = spoiled(icosphere(2), seed)
    points = mesh.points.copy()
    rows = mesh.cells.block("triangle")[rng.random(len(mesh.cells)) < 0.95]
    for row in rows[rng.integers(0, len(rows), 4)]:  # corners drawn together, onto an edge, and away
        points[row[0]] = points[row[1]]
    for row in rows[rng.integers(0, len(rows), 4)]:
        points[row[0]] = (points[row[1]] + points[row[2]]) / 2
    points += rng.choice([0.0, 1e-9], points.shape)
    junk = rng.integers(0, len(points), (6, 3))
    found = once(Mesh(points, Cells.of(triangle=np.concatenate([rows, junk]))), tolerance=1e-6, max_hole=float(rng.choice([0, 0.2, 2.0])))
    report = mesh_report(found.mesh, intersections=False)
    for count in ("duplicate_points", "unused_points", "degenerate_cells", "repeated_cells"):
        assert getattr(report, count) == 0


@pytest.mark.parametrize("name", ["bunny.ply", "teapot.stl", "soup.stl", "featuretype.STL", "multibody.stl", "chair_model.obj", "not_convex.obj"])
def test_real_surfaces_are_better_afterwards(shared_data, name):
    from geoop.io.reading import read

    mesh = read(shared_data / "geometry" / "trimesh" / name, unit="m")
    found = once(mesh)
    before, after = mesh_report(mesh), mesh_report(found.mesh)
    for count in ("duplicate_points", "unused_points", "degenerate_cells", "repeated_cells", "inconsistent_edges"):
        assert getattr(after, count) == 0
    assert after.non_manifold_edges <= before.non_manifold_edges and after.n_points <= before.n_points
    assert list(found.mesh.patches)[: len(mesh.patches)] == list(mesh.patches)
    extent = np.linalg.norm(np.ptp(mesh.bounds, axis=0))
    assert found.moved < 0.05 * extent
    if name == "featuretype.STL":  # cracked by rounding
        assert after.closed and after.self_intersections == 0 and found.moved < 1e-15 * extent
        np.testing.assert_allclose(after.enclosed, 11.6277, rtol=1e-5)


KEYHOLE = Mesh(
    np.array([[0, 0, 0], [3, 0, 0], [3, 3, 0], [0, 3, 0], [1, 1, 0], [1, 2, 0], [2, 2, 0], [2, 1, 0.0]]),
    Cells.ragged("polygon", [np.array([0, 1, 2, 3, 0, 4, 5, 6, 7, 4])]),
)


def test_a_face_with_a_keyhole_passes_two_points_twice_and_is_sound():
    found = repair(KEYHOLE)
    assert found.mesh is KEYHOLE and found.changes == ()


def test_beside_a_keyhole_a_cell_with_a_repeated_corner_is_counted_once():
    points = np.concatenate([KEYHOLE.points, [[0, 0, 1], [3, 0, 1], [3, 3, 1.0]]])
    cells = Cells.concatenate([KEYHOLE.cells, Cells.ragged("polygon", [np.array([8, 9, 9, 10])])])
    found = once(Mesh(points, cells), max_hole=0)
    assert found.changes == ("1 cell with a repeated corner was reduced to its other corners",)
    np.testing.assert_array_equal(found.mesh.cells.connectivity[:10], KEYHOLE.cells.connectivity)


@pytest.mark.parametrize("seed", [6, 7, 16, 39, 53])
def test_holes_are_not_filled_with_facets_that_are_there_as_polygons_of_three_corners(seed):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 4, size=(40, 3)).astype(float)
    found = once(Mesh(points, Cells.ragged("polygon", [rng.integers(0, 40, k) for k in rng.integers(3, 7, 25)])), max_hole=0.5)
    assert not any("repeat another one" in text or "stopped" in text for text in found.changes)


def test_a_repair_that_runs_in_circles_says_so(monkeypatch):
    import geoop.mesh.repair.repairing as repairing

    flip = np.zeros(80, dtype=bool)
    flip[0] = True
    monkeypatch.setattr(repairing, "_round", lambda draft, *_: repairing.turned(draft, flip).counted(turned=1))
    assert any("stopped after 20 rounds" in text for text in repair(icosphere(1)).changes)


def test_a_rim_of_many_points_is_closed_in_memory_of_its_length():
    import tracemalloc

    peaks = []
    for n in (1000, 4000):
        angle = 2 * np.pi * np.arange(n) / n
        rim = np.stack([np.cos(angle), np.sin(angle), np.zeros(n)], axis=1)
        fan = np.stack([np.arange(n), (np.arange(n) + 1) % n, np.full(n, n)], axis=1)[:, ::-1]
        tracemalloc.start()
        found = repair(Mesh(np.concatenate([rim, [[0, 0, -1.0]]]), Cells.of(triangle=fan)), max_hole=1.0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(found.mesh.cells) == 2 * n - 2
    assert peaks[1] < 6 * peaks[0]  # a matrix of all pairs would take 16 times as much


@pytest.mark.parametrize("nothing", [Cells.empty(), icosphere(1).cells.take(np.arange(0))], ids=["no cells", "no triangles"])
def test_a_patch_without_facets_keeps_its_name_and_gets_none(nothing):
    sphere = icosphere(1)
    opened = Mesh(sphere.points, sphere.cells.take(np.arange(1, 80)), {"empty": nothing, "all": sphere.cells.take(np.arange(1, 80))})
    found = once(opened, max_hole=1.0, split=True)
    assert {name: len(part) for name, part in found.mesh.patches.items()} == {"empty": 0, "all": 80}
    assert mesh_report(found.mesh).sound
