"""Graded triangles: exact areas, conforming patches, angles, sizes, invariances, and a finite-element solution of order 2 on them."""

import sys
import threading

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from geoop.errors import ConfigurationError, ConvergenceError, InvalidMeshError, MissingDependencyError
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.generate.gmsh_session import gmsh_session
from geoop.mesh.generate.rings import lipschitz
from geoop.mesh.generate.triangles import mesh_around, mesh_inside
from geoop.mesh.generate.wall_layers import Layers
from geoop.mesh.measure import cell_measures, enclosed_volume, signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle, naca4, ring
from geoop.mesh.quality import mesh_report
from geoop.mesh.topology import edges

pytest.importorskip("gmsh", reason="needs gmsh: pip install geoop[cad]")


def joined(**parts: Mesh) -> Mesh:
    """Several outlines as one, each a patch."""
    starts = np.cumsum([0] + [len(part.points) for part in parts.values()])
    cells = {name: part.cells.renumbered(np.arange(len(part.points)) + at) for (name, part), at in zip(parts.items(), starts[:-1], strict=True)}
    return Mesh(np.concatenate([part.points for part in parts.values()]), Cells.concatenate(list(cells.values())), cells, name="joined")


def placed(section: Mesh, scale: float, angle: float, at: tuple[float, float]) -> Mesh:
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return section.moved(scale * section.points @ np.array([[c, s], [-s, c]]) + at)


def three_elements() -> Mesh:
    slat, flap = placed(naca4("6410", 60), 0.2, 30, (-0.16, -0.14)), placed(naca4("4412", 80), 0.3, -30, (1.0, -0.04))
    return joined(slat=slat, main=naca4("4412", 120), flap=flap)


def smallest_angles(mesh: Mesh) -> np.ndarray:
    """(t,) smallest angle of every triangle [deg]."""
    x = mesh.points[mesh.cells.block("triangle")]
    u, v = np.roll(x, -1, axis=1) - x, np.roll(x, 1, axis=1) - x
    cosine = (u * v).sum(axis=2) / np.linalg.norm(u, axis=2) / np.linalg.norm(v, axis=2)
    return np.degrees(np.arccos(cosine)).min(axis=1)


def boundary_is_patches(mesh: Mesh) -> bool:
    """Each edge has two cells or is exactly one line of one patch, and runs along with its cell on the left."""
    found = edges(mesh.cells, np.arange(len(mesh.points)))
    outer = {tuple(pair) for pair in found.corners[found.counts[found.group] == 1].tolist()}
    lines = [tuple(row.tolist()) for part in mesh.patches.values() for row in part]
    either = outer | {(b, a) for a, b in outer}
    return found.counts.max() <= 2 and len(lines) == len(set(lines)) == len(outer) and set(lines) <= either


def area(outline: Mesh) -> float:
    return abs(enclosed_volume(outline))


BODIES = {
    "section": (naca4("2412", 120), {}),
    "blunt": (naca4("4415", 81, closed_trailing_edge=False), {"wall_size": 0.02}),
    "three elements": (three_elements(), {"wall_size": 0.02}),
    "square in a box": (box((0, 0), (1, 1)), {"far_shape": "box", "far_radius": 3.0, "growth": 0.4}),
    "two circles": (joined(left=circle(40, 0.5), right=circle(30, 0.3, (0.9, 0.0))), {"far_size": 1.0}),
    "layers": (naca4("0012", 120), {"layers": Layers(1e-4, 14, 1.25)}),
    "three elements with layers": (three_elements(), {"wall_size": 0.02, "layers": Layers(5e-4, 8, 1.3)}),
}


@pytest.mark.parametrize("name", sorted(BODIES))
def test_around_bodies_cells_are_positive_conforming_and_fill_the_region_exactly(name):
    outline, options = BODIES[name]
    mesh = mesh_around(outline, **options)
    assert (signed_measures(mesh) > 0).all()
    report = mesh_report(mesh)
    assert report.sound, report.findings
    assert boundary_is_patches(mesh)
    assert set(mesh.patches) == {*outline.patches, "farfield"}
    walls = sum(area(mesh.patch(key)) for key in outline.patches) if name != "square in a box" else 1.0
    np.testing.assert_allclose(walls, area(outline) if name != "square in a box" else 1.0, rtol=1e-13)
    np.testing.assert_allclose(cell_measures(mesh).sum(), enclosed_volume(mesh.patch("farfield")) - walls, rtol=1e-12)
    for key in outline.patches:
        on_wall = mesh.patch(key).points
        assert np.abs(signed_distance(outline, on_wall).distance).max() < 1e-13 * np.ptp(outline.points)
    for point in outline.points:  # no vertex is lost
        assert np.abs(mesh.points - point).max(axis=1).min() < 1e-14 * 10
    assert np.percentile(smallest_angles(mesh), 1) > 30.0
    assert smallest_angles(mesh).min() > 18.0


def test_inside_with_holes_and_islands_the_area_is_exact():
    outline = joined(
        outer=box((0, 0), (2, 1)), small=circle(30, 0.2, (0.5, 0.5)), large=circle(40, 0.3, (1.3, 0.5)), island=circle(12, 0.1, (1.3, 0.5))
    )
    mesh = mesh_inside(outline, size=0.1)
    parts = {key: area(outline.submesh(outline.patches[key])) for key in outline.patches}
    np.testing.assert_allclose(cell_measures(mesh).sum(), parts["outer"] - parts["small"] - parts["large"] + parts["island"], rtol=1e-13)
    assert boundary_is_patches(mesh)
    assert mesh_report(mesh).sound
    assert smallest_angles(mesh).min() > 25.0
    x = mesh.points[mesh.cells.block("triangle")]
    assert np.linalg.norm(np.roll(x, 1, axis=1) - x, axis=2).max() < 0.16
    assert enclosed_volume(mesh.patch("outer")) > 0 > enclosed_volume(mesh.patch("small"))  # normals out of the region


def test_edges_grow_with_the_distance_and_shrink_where_the_outline_bends():
    section = naca4("2412", 400)
    mesh = mesh_around(section, n_wall=100, growth=0.15)
    x = mesh.points[mesh.cells.block("triangle")]
    length = np.linalg.norm(np.roll(x, 1, axis=1) - x, axis=2).mean(axis=1)
    distance = signed_distance(section, x.mean(axis=1)).distance
    wall = mesh.patch("wall").points
    spacing = np.linalg.norm(np.roll(wall, -1, axis=0) - wall, axis=1)
    assert len(wall) <= 110  # 400 points of the file do not decide
    assert spacing[wall[:, 0].argmin()] < 0.3 * spacing.max()
    far = distance > 1.0
    assert np.abs(np.log(length[far] / (0.15 * distance[far]))).mean() < 0.35
    assert (length < 1.6 * (spacing.max() + 0.15 * distance)).all()


def test_more_growth_fewer_triangles_and_smaller_walls_more():
    section = naca4("0012", 60)
    counts = [len(mesh_around(section, growth=growth, wall_size=size).cells) for growth, size in ((0.1, None), (0.2, None), (0.2, 0.01))]
    assert counts[0] > 1.5 * counts[1]
    assert counts[2] > 1.3 * counts[1]


@pytest.mark.parametrize(("turn", "scale", "shift"), [(25.0, 1.0, 0.0), (-140.0, 1e-3, 0.7), (90.0, 300.0, -5e3)])
def test_rotated_scaled_and_shifted_bodies_have_the_rotated_scaled_and_shifted_mesh(turn, scale, shift):
    outline = three_elements()
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    rotation = np.array([[c, -s], [s, c]])
    moved = outline.moved(scale * outline.points @ rotation.T + shift)
    base, other = (mesh_around(item, wall_size=size) for item, size in ((outline, 0.03), (moved, 0.03 * scale)))
    np.testing.assert_allclose((other.points - shift) / scale @ rotation, base.points, atol=1e-8)
    np.testing.assert_array_equal(other.cells.connectivity, base.cells.connectivity)


def test_start_direction_and_order_of_the_file_do_not_matter():
    outline = three_elements()
    base = mesh_around(outline, wall_size=0.03)
    order = np.random.default_rng(0).permutation(len(outline.cells))
    flipped = outline.cells.take(order).connectivity.reshape(-1, 2)[:, ::-1]
    other = mesh_around(Mesh(outline.points, Cells.of(line=flipped), outline.patches), wall_size=0.03)
    np.testing.assert_allclose(other.points, base.points, atol=1e-12)
    np.testing.assert_array_equal(other.cells.connectivity, base.cells.connectivity)
    again = mesh_around(outline, wall_size=0.03)  # whatever was meshed in between
    np.testing.assert_array_equal(again.points, base.points)


def test_layers_have_their_height_and_their_growth():
    section = naca4("0012", 160)
    mesh = mesh_around(section, layers=Layers(2e-4, 8, 1.3))
    quads = mesh.cells.block("quad").reshape(8, -1, 4)
    steps = np.linalg.norm(mesh.points[quads[:, :, 1]] - mesh.points[quads[:, :, 0]], axis=2)
    np.testing.assert_allclose(np.median(steps[0]), 2e-4, rtol=1e-3)
    np.testing.assert_allclose(steps[1:] / steps[:-1], 1.3, rtol=0.02)
    assert steps[0].max() < 2.01e-4
    on_first = signed_distance(section, mesh.points[quads[0, :, 1]]).distance
    assert np.median(on_first) == pytest.approx(2e-4, rel=0.02)


def test_layers_thin_out_in_a_gap():
    gap = joined(one=box((0, 0), (1, 0.2)), two=box((0, 0.22), (1, 0.5)))
    mesh = mesh_around(gap, wall_size=0.02, layers=Layers(2e-3, 8, 1.2))
    assert (signed_measures(mesh) > 0).all()
    n = sum(len(part) for name, part in mesh.patches.items() if name != "farfield")
    middle = mesh.points[:n]  # the walls come first, then layer after layer
    height = np.linalg.norm(mesh.points[8 * n : 9 * n] - middle, axis=1)
    in_gap = (np.abs(middle[:, 1] - 0.21) < 0.011) & (np.abs(middle[:, 0] - 0.5) < 0.3)
    assert in_gap.sum() > 20
    assert height[in_gap].max() < 0.5 * 0.02
    assert height.max() > 0.03


def test_linear_elements_on_an_annulus_converge_with_order_two():
    """-div grad u = 0 with u = exp(x) cos(y) between radii 1 and 2: the error in the L2 norm falls by four with the size halved."""

    def exact(p):
        return np.exp(p[:, 0]) * np.cos(p[:, 1])

    sizes, errors = [], []
    for n in (24, 48, 96):
        outline = joined(outer=circle(2 * n, 2.0), inner=circle(n, 1.0))
        mesh = mesh_inside(outline, size=2 * np.pi / n)
        t, p = mesh.cells.block("triangle"), mesh.points
        doubled = 2 * signed_measures(mesh)
        edge = p[np.roll(t, -2, axis=1)] - p[np.roll(t, -1, axis=1)]
        local = np.einsum("tik,tjk->tij", edge, edge) / (2 * doubled[:, None, None])
        rows, columns = np.repeat(t, 3, axis=1).reshape(-1), np.tile(t, (1, 3)).reshape(-1)
        matrix = coo_array((local.reshape(-1), (rows, columns)), shape=(len(p), len(p))).tocsr()
        fixed = np.unique(np.concatenate([mesh.patch_points("outer"), mesh.patch_points("inner")]))
        free = np.setdiff1d(np.arange(len(p)), fixed)
        u = exact(p)
        u[free] = spsolve(matrix[free][:, free].tocsc(), -matrix[free][:, fixed] @ u[fixed])
        middles = [(0.5 * (u[t[:, i]] + u[t[:, i - 1]]) - exact(0.5 * (p[t[:, i]] + p[t[:, i - 1]]))) ** 2 for i in range(3)]
        errors.append(np.sqrt((0.5 * doubled * np.mean(middles, axis=0)).sum()))
        sizes.append(2 * np.pi / n)
    orders = np.diff(np.log(errors)) / np.diff(np.log(sizes))
    assert orders[-1] > 1.9, (orders, errors)


def test_bad_outlines_are_named_all_together():
    opened = Mesh(naca4().points, naca4().cells.take(np.arange(150)))
    crossing = ring(np.array([(3.0, 0), (4, 1), (4, 0), (3, 1)]), "bowtie")
    with pytest.raises(InvalidMeshError) as caught:
        mesh_around(joined(one=opened, two=crossing))
    assert "open" in str(caught.value)
    assert "no area" in str(caught.value) or "cross" in str(caught.value)
    with pytest.raises(InvalidMeshError, match="cross or overlap"):
        mesh_inside(joined(one=circle(20), two=circle(20, 1.0, (0.5, 0.0))))
    with pytest.raises(InvalidMeshError, match="outline of lines"):
        mesh_inside(box())
    with pytest.raises(ConfigurationError) as both:
        mesh_inside(circle(20), size=-1.0, growth=9.0, n_wall=2)
    for word in ("size", "growth", "n_wall"):
        assert word in str(both.value)
    with pytest.raises(ConfigurationError, match="far field"):
        mesh_around(circle(20), far_radius=0.5)
    with pytest.raises(ConfigurationError) as layers:
        Layers(-1.0, 0, 9.0)
    for word in ("first_height", "count", "growth"):
        assert word in str(layers.value)


def test_without_gmsh_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gmsh", None)
    with pytest.raises(MissingDependencyError, match=r"pip install geoop\[cad\]"):
        mesh_inside(circle(20))


def test_a_session_is_closed_after_an_error_and_silent(capfd):
    import gmsh

    def meshes_a_line_without_ends() -> None:
        with gmsh_session(ConvergenceError, where="here", remedy="none") as module:
            module.model.geo.addLine(1, 2)
            module.model.geo.synchronize()
            module.model.mesh.generate(3)
            raise RuntimeError("in case gmsh took that")

    with pytest.raises(ConvergenceError, match="gave up"):
        meshes_a_line_without_ends()
    assert not gmsh.isInitialized()
    mesh_inside(circle(20))
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_threads_take_turns():
    found = {}

    def work(n: int) -> None:
        found[n] = mesh_inside(circle(n))

    threads = [threading.Thread(target=work, args=(n,)) for n in (20, 30, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, mesh in found.items():
        np.testing.assert_array_equal(mesh.points, mesh_inside(circle(n)).points)
    assert len(found) == 3


@pytest.mark.parametrize("gap", [0.0, 1e-12, 1e-9, 5e-7])
@pytest.mark.parametrize("n_wall", [None, 40])
def test_loops_that_touch_or_nearly_do_are_refused_with_the_place(gap, n_wall):
    two = joined(left=circle(100), right=circle(100, 1.0, (2.0 + gap, 0.0)))
    with pytest.raises(InvalidMeshError, match=r"two loops come within .* near \(1, ") as caught:
        mesh_around(two, far_radius=3.0, n_wall=n_wall)
    assert "apart or make them one" in str(caught.value)


def test_a_corner_that_nearly_touches_a_side_is_found():
    tip = ring(np.array([(0.37, 1 + 1e-8), (1.0, 2.0), (-0.5, 2.0)]), "tip")
    with pytest.raises(InvalidMeshError, match=r"two loops come within 1e-08 .* near \(0.37, 1\)"):
        mesh_inside(joined(square=box((0, 0), (1, 1)), tip=tip))


@pytest.mark.parametrize("gap", [1e-5, 1e-3])
def test_narrow_gaps_are_filled_with_few_cells_that_fit(gap):
    two = joined(left=circle(60), right=circle(60, 1.0, (2.0 + gap, 0.0)))
    mesh = mesh_around(two, far_radius=3.0)
    assert (signed_measures(mesh) > 0).all()
    walls = 2 * area(circle(60))
    np.testing.assert_allclose(cell_measures(mesh).sum(), enclosed_volume(mesh.patch("farfield")) - walls, rtol=1e-12)
    assert len(mesh.cells) < 6000  # sizes grow geometrically out of the gap: a few points more for every power of ten
    assert boundary_is_patches(mesh)


@pytest.mark.parametrize("options", [{"wall_size": 1e-9}, {"far_size": 1e-9}, {"far_size": 1e-9, "far_shape": "box"}], ids=["wall", "far", "box"])
def test_more_points_than_memory_are_refused_before_they_are_asked_for(options):
    with pytest.raises(InvalidMeshError, match="boundaries would need") as caught:
        mesh_around(circle(40), **options)
    assert next(iter(options)) in str(caught.value)


@pytest.mark.parametrize("slope", [0.05, 1.0])
@pytest.mark.parametrize("n", [1, 2, 7, 400])
def test_the_lipschitz_function_is_the_lower_envelope_of_the_cones(n, slope):
    rng = np.random.default_rng(n)
    points, values = rng.normal(size=(n, 2)) + 1e3, rng.random(n) ** 4
    cones = values + slope * np.linalg.norm(points[:, None] - points[None], axis=2)
    np.testing.assert_allclose(lipschitz(points, values, slope), cones.min(axis=1), rtol=1e-12)
