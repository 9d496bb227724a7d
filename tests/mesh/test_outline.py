"""Loops in any order, orientation, and the chord line of rotated and scaled sections."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.measure import area_vectors, enclosed_volume, facet_normals
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.outline import chord_line, loops, oriented
from geoop.mesh.primitives import box, circle, icosphere, naca4, ring, wing


def shuffled(mesh: Mesh, seed: int = 0) -> Mesh:
    """The same surface, cells in random order, two in five turned round."""
    rng = np.random.default_rng(seed)
    cells = reversed_cells(mesh.cells, rng.random(len(mesh.cells)) < 0.4)
    return Mesh(mesh.points, cells.take(rng.permutation(len(cells))), name=mesh.name)


def joined(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0] + [len(m.points) for m in meshes])
    cells = [m.cells.renumbered(np.arange(len(m.points)) + start) for m, start in zip(meshes, starts[:-1], strict=True)]
    return Mesh(np.concatenate([m.points for m in meshes]), Cells.concatenate(cells))


def test_loop_is_found_in_any_order_and_direction():
    section = naca4("2412", 61)
    for seed in range(5):
        (loop,) = loops(shuffled(section, seed))
        assert loop.closed
        assert sorted(loop.points.tolist()) == list(range(61))
        steps = np.diff(np.append(loop.points, loop.points[0]))
        assert set(np.abs(steps).tolist()) == {1, 60}  # each point follows its neighbour


def test_loop_of_an_ordered_file_keeps_its_order():
    (loop,) = loops(naca4("0012", 40))
    np.testing.assert_array_equal(loop.points, np.arange(40))
    np.testing.assert_array_equal(loop.cells, np.arange(40))
    assert loop.forward.all()


def test_several_loops_and_open_chains_are_told_apart():
    mesh = joined(circle(30), circle(12, 0.2, (3, 0)))
    opened = Mesh(mesh.points, mesh.cells.take(np.delete(np.arange(42), [5, 9])))
    found = loops(opened)
    assert [loop.closed for loop in found] == [False, True, False]
    assert sorted(len(loop.points) for loop in found) == [4, 12, 26]


def test_repeated_first_point_closes_a_loop():
    points = circle(20).points
    points = np.concatenate([points, points[:1]])
    mesh = Mesh(points, Cells.of(line=np.stack([np.arange(20), np.arange(1, 21)], axis=1)))
    (loop,) = loops(mesh)
    assert loop.closed
    assert len(loop.points) == 20


def test_touching_loops_go_straight_on_and_use_every_cell_once():
    a = [(0, 0), (1, 1), (2, 0), (1, -1)]
    b = [(2, 0), (3, 1), (4, 0), (3, -1)]
    points = np.array(a + b[1:], dtype=float)
    index = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [2, 4], [4, 5], [5, 6], [6, 2]])
    found = loops(Mesh(points, Cells.of(line=index)))
    assert all(loop.closed for loop in found)
    assert sorted(np.concatenate([loop.cells for loop in found]).tolist()) == list(range(8))


def test_oriented_outlines_have_normals_out_of_the_body():
    body, hole, island = circle(40, 2.0), circle(30, 1.0), circle(20, 0.3)
    mesh = shuffled(joined(body, hole, island))
    turned = oriented(mesh)
    centers = turned.points[turned.cells.block("line")].mean(axis=1)
    radius = np.linalg.norm(centers, axis=1)
    outward = (facet_normals(turned) * centers).sum(axis=1) > 0
    np.testing.assert_array_equal(outward, (radius > 1.5) | (radius < 0.5))  # the hole's normals point into the hole
    np.testing.assert_array_equal(np.sort(turned.cells.block("line")), np.sort(mesh.cells.block("line")))  # facets keep their place


def test_patches_turn_along_with_the_facets():
    cube = box((0, 0, 0), (1, 1, 1), 2)
    back = Mesh(
        cube.points,
        reversed_cells(cube.cells, np.ones(24, dtype=bool)),
        {n: reversed_cells(p, np.ones(4, dtype=bool)) for n, p in cube.patches.items()},
    )
    turned = oriented(back)
    for name, part in cube.patches.items():
        np.testing.assert_allclose(
            area_vectors(Mesh(turned.points, turned.patches[name])).sum(axis=0), area_vectors(Mesh(cube.points, part)).sum(axis=0), atol=1e-15
        )


@pytest.mark.parametrize("mesh", [icosphere(3), box((0, 0, 0), (1, 2, 3), 4), wing(naca4("2412", 40))], ids=lambda m: m.name)
def test_surfaces_become_consistent_and_outward(mesh):
    turned = oriented(shuffled(mesh))
    assert enclosed_volume(turned) == pytest.approx(enclosed_volume(mesh), rel=1e-12)
    soup = Mesh(mesh.points[mesh.cells.connectivity], _soup(mesh))
    assert enclosed_volume(oriented(shuffled(soup))) == pytest.approx(enclosed_volume(mesh), rel=1e-12)


def _soup(mesh: Mesh) -> Cells:
    """Every facet with its own points, as STL files have them."""
    return Cells(mesh.cells.types, mesh.cells.offsets, np.arange(len(mesh.cells.connectivity)))


def test_a_shell_inside_another_is_a_cavity():
    outer, inner, separate = icosphere(3, 2.0), icosphere(2, 0.7), icosphere(2, 0.5, (6.0, 0.0, 0.0))
    turned = oriented(shuffled(joined(outer, inner, separate)))
    assert enclosed_volume(turned) == pytest.approx(enclosed_volume(outer) - enclosed_volume(inner) + enclosed_volume(separate), rel=1e-12)


def test_a_surface_with_a_small_hole_is_still_turned_outward():
    sphere = icosphere(3)
    holed = Mesh(sphere.points, sphere.cells.take(np.arange(7, 1280)))
    turned = oriented(Mesh(holed.points, reversed_cells(holed.cells, np.ones(1273, dtype=bool))))
    np.testing.assert_array_equal(turned.cells.connectivity.reshape(-1, 3).sum(axis=1), holed.cells.connectivity.reshape(-1, 3).sum(axis=1))
    assert (area_vectors(turned) * area_vectors(holed)).sum(axis=1).min() > 0


def test_a_moebius_strip_comes_back_unharmed():
    n = 12
    angle = 2 * np.pi * np.arange(n) / n
    sides = [
        np.stack([(1 + s * np.cos(angle / 2)) * np.cos(angle), (1 + s * np.cos(angle / 2)) * np.sin(angle), s * np.sin(angle / 2)], axis=1)
        for s in (-0.3, 0.3)
    ]
    quads = [[i, i + 1, n + i + 1, n + i] for i in range(n - 1)] + [[n - 1, n, 0, 2 * n - 1]]
    mesh = Mesh(np.concatenate(sides), Cells.of(quad=np.array(quads)))
    assert len(oriented(mesh).cells) == n


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("turn", [0.0, -7.0, 33.0, 180.0, -100.0])
@pytest.mark.parametrize(
    "section",
    [naca4("0012", 100), naca4("4415", 31), naca4("0004", 200), naca4("2412", 61, closed_trailing_edge=False)],
    ids=["12", "4415", "thin", "blunt"],
)
def test_chord_line_follows_rotation_and_scale(section, turn, scale):
    a = np.radians(turn)  # nose up positive: a point behind the nose goes down
    rotation = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    base = chord_line(section)
    moved = chord_line(section.moved(scale * section.points @ rotation.T + 3.0))
    assert moved.length == pytest.approx(scale * base.length, rel=1e-9)
    assert np.mod(moved.angle - base.angle - turn + 180.0, 360.0) == pytest.approx(180.0, abs=1e-6)
    assert moved.trailing_edge_angle == pytest.approx(base.trailing_edge_angle, abs=1e-5)
    np.testing.assert_allclose(moved.trailing_edge, scale * rotation @ base.trailing_edge + 3.0, atol=1e-9 * scale + 1e-12)


def test_chord_line_of_known_sections():
    sharp = chord_line(naca4("0012", 200))
    np.testing.assert_allclose(sharp.trailing_edge, [1, 0], atol=1e-14)
    np.testing.assert_allclose(sharp.leading_edge, [0, 0], atol=1e-14)
    slope = 5 * 0.12 * (0.2969 / 2 - 0.1260 - 2 * 0.3516 + 3 * 0.2843 - 4 * 0.1036)
    assert sharp.trailing_edge_angle == pytest.approx(2 * np.degrees(np.arctan(-slope)), abs=0.1)
    blunt = chord_line(naca4("0012", 200, closed_trailing_edge=False))
    np.testing.assert_allclose(blunt.trailing_edge, [1, 0], atol=1e-14)
    wedge = ring(np.array([(1, 0), (0, 0.2), (-0.2, 0), (0, -0.2)], dtype=float), "wedge")
    assert chord_line(wedge).trailing_edge_angle == pytest.approx(2 * np.degrees(np.arctan(0.2)), abs=1e-9)


def test_shapes_without_a_trailing_edge_are_cut_along_their_diameter():
    chord = chord_line(circle(60, 0.5))
    assert chord.length == pytest.approx(1.0)
    assert chord.trailing_edge_angle == 180.0
    ellipse = circle(100)
    chord = chord_line(ellipse.moved(ellipse.points * [2.0, 1.0]))
    assert chord.length == pytest.approx(4.0)
    np.testing.assert_allclose(chord.trailing_edge, [2, 0], atol=1e-12)


def test_chord_of_a_section_with_a_flap_is_that_of_the_main_element():
    flap = naca4("0012", 40, chord=0.25)
    assert chord_line(joined(naca4("2412", 80), flap.moved(flap.points + [1.02, -0.05]))).length == pytest.approx(1.0, abs=1e-3)


def test_bad_input_is_named():
    with pytest.raises(InvalidMeshError, match="no line cells"):
        loops(icosphere(0))
    with pytest.raises(InvalidMeshError, match="2-D"):
        chord_line(icosphere(0))
    with pytest.raises(InvalidMeshError, match="no area"):
        chord_line(Mesh([[0, 0], [1, 0], [2, 0.0]], Cells.of(line=np.array([[0, 1], [1, 2]]))))
    with pytest.raises(InvalidMeshError, match="dimension"):
        oriented(Mesh([[0, 0], [1, 0], [0, 1.0]], Cells.of(triangle=np.array([[0, 1, 2]]))))


@pytest.mark.parametrize("turn", [0.0, 90.0, 200.0])
def test_chord_of_shapes_that_mislead(turn):
    a = np.radians(turn)
    rotation = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    x = 0.5 * (1 - np.cos(np.linspace(0, np.pi, 40)))
    half = 0.24 * np.sqrt(x) * (1.4 - x)  # a nose of half a chord and a flat back of a fifth
    flatback = np.concatenate([np.stack([x, half], 1)[::-1], np.stack([x, -half], 1)[1:]])
    coarse_nose = np.array([(1, 0.002), (0.35, 0.05), (0, 0), (0.35, -0.04), (1, -0.002)], dtype=float)
    tail = np.pi * (np.arange(9) - 4) / 9
    rounded = np.concatenate(
        [
            np.stack([1 - 0.01 + 0.01 * np.cos(tail), 0.01 * np.sin(tail)], 1),
            [(0.3, 0.06), (0.1, 0.05), (0, 0.01), (0, -0.01), (0.1, -0.05), (0.3, -0.06)],
        ]
    )
    for points in (flatback, coarse_nose, rounded):
        chord = chord_line(ring(points @ rotation.T, "section"))
        np.testing.assert_allclose(chord.trailing_edge, rotation @ [1.0, 0.0], atol=2e-3)
        np.testing.assert_allclose(chord.leading_edge, rotation @ [0.0, 0.0], atol=0.011)


def test_every_section_of_the_uiuc_database_has_its_nose_in_front(shared_data, tmp_path):
    import tarfile

    from geoop.errors import GeoopError
    from geoop.io.reading import read

    wrong, tried = [], 0
    with tarfile.open(shared_data / "geometry" / "uiuc_airfoils.tar.gz") as files:
        for member in sorted((m for m in files if m.name.endswith(".dat")), key=lambda m: m.name)[::10]:
            path = tmp_path / member.name.split("/")[-1]
            path.write_bytes(files.extractfile(member).read())
            try:
                chord = chord_line(read(path))
            except GeoopError:
                continue  # the reader's business
            tried += 1
            if abs(chord.angle) > 10 or abs(chord.length - 1) > 0.05:
                wrong.append(path.name)
    assert tried > 150
    assert not wrong
