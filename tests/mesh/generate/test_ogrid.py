"""O-grids: no cell inverted, the wall on the section, for any section; lines of the field against the exact ones of a circle."""

import io
import tarfile

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.generate.field_lines import disk, field_lines
from geoop.mesh.generate.layers import geometric_spacing, inverted_quads
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.generate.wall_spacing import wall_points
from geoop.mesh.measure import cell_measures, enclosed_volume, facet_normals, signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle, naca4, ring
from geoop.mesh.quality import mesh_report

_ARC = np.linspace(0, 1, 40)
SECTIONS = {
    "sharp": naca4("0012", 160),
    "blunt": naca4("4415", 61, closed_trailing_edge=False),
    "thin": naca4("0003", 80),
    "cambered": naca4("9410", 100),
    "coarse": naca4("2412", 30),
    "fine": naca4("2412", 400),
    "thick": naca4("0040", 60),
    "circle": circle(50, 0.5),
    "square": box((0, 0), (1, 1)),
    "needle": ring(np.array([(0.0, 0), (1, 0), (1, 1e-4), (0, 1e-4)]), "needle"),
    "step": ring(np.array([(0.0, 0), (1, 0), (1, 0.05), (0.5, 0.05), (0.5, 0.2), (0, 0.2)]), "step"),
    "bent sheet": ring(
        np.concatenate([np.stack([_ARC, 0.4 * np.sin(np.pi * _ARC)], 1)[::-1], np.stack([_ARC, 0.39 * np.sin(np.pi * _ARC)], 1)[1:-1]]), "sheet"
    ),
}


def rings(grid: Mesh, n_wall: int) -> np.ndarray:
    return grid.points.reshape(-1, n_wall, 2)


def is_sound(grid: Mesh, n_wall: int) -> bool:
    points = rings(grid, n_wall)
    return not inverted_quads(points[..., 0] + 1j * points[..., 1]).any() and bool((signed_measures(grid) > 0).all())


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_no_cell_is_inverted_and_the_wall_lies_on_the_section(name):
    section = SECTIONS[name]
    grid = ogrid(section, n_wall=120, n_normal=50)
    assert is_sound(grid, 120)
    report = mesh_report(grid)
    assert report.sound, report.findings
    wall = grid.patch("wall")
    size = np.ptp(section.points)
    assert np.abs(signed_distance(section, wall.points).distance).max() < 1e-12 * size
    np.testing.assert_array_equal(rings(grid, 120)[0], wall.points)  # the first ring is the wall
    # every convex corner of the section is a point of the wall
    e = section.points[section.cells.block("line")]
    step = e[:, 1] - e[:, 0]
    turn = np.degrees(
        np.arctan2(np.roll(step, 1, 0)[:, 0] * step[:, 1] - np.roll(step, 1, 0)[:, 1] * step[:, 0], (np.roll(step, 1, 0) * step).sum(1))
    )
    for corner in e[np.abs(turn) > 31, 0]:
        assert np.linalg.norm(wall.points - corner, axis=1).min() < 1e-12 * size


def test_patches_and_cells_are_oriented():
    grid = ogrid(naca4("2412", 100), n_wall=100, n_normal=30, outer_radius=2.0)
    wall, far = grid.patch("wall"), grid.patch("farfield")
    assert enclosed_volume(wall) > 0
    outside = wall.points[wall.cells.block("line")].mean(axis=1) + 1e-6 * facet_normals(wall)
    assert (signed_distance(wall, outside).distance > 0).all()  # normals of the wall point into the fluid
    np.testing.assert_allclose(np.linalg.norm(far.points - [0.5, 0.0], axis=1), 2.0, rtol=1e-3)
    assert cell_measures(grid).sum() == pytest.approx(enclosed_volume(far) - enclosed_volume(wall), rel=1e-12)
    np.testing.assert_allclose(grid.points[0], [1, 0], atol=1e-15)  # the trailing edge first
    assert grid.points[10, 1] > 0  # then the upper side
    assert len(grid.cells) == 100 * 29


def test_first_height_and_growth():
    grid = ogrid(naca4("0012", 200), n_wall=160, n_normal=60, first_height=1e-4)
    points = rings(grid, 160)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=2)
    np.testing.assert_allclose(steps[0], 1e-4, rtol=2e-2)
    ratio = steps[1:-1] / steps[:-2]
    assert ratio.max() < 1.25
    distance = signed_distance(naca4("0012", 200), points[1]).distance
    assert np.median(distance) == pytest.approx(1e-4, rel=0.05)


def test_points_gather_at_the_nose_and_at_the_trailing_edge():
    wall = ogrid(naca4("0012", 200)).patch("wall").points
    spacing = np.linalg.norm(np.roll(wall, -1, axis=0) - wall, axis=1)
    nose = wall[:, 0].argmin()
    assert spacing[nose] < 0.2 * spacing.max()
    assert spacing[0] < 0.3 * spacing.max()
    ratio = np.maximum(spacing / np.roll(spacing, 1), np.roll(spacing, 1) / spacing)
    assert ratio.max() < 1.6


@pytest.mark.parametrize(("turn", "scale", "shift"), [(10.0, 1.0, 0.0), (-135.0, 1e-3, 0.2), (77.0, 4e3, -1e4)])
def test_rotated_scaled_and_shifted_sections_have_the_rotated_scaled_and_shifted_grid(turn, scale, shift):
    section = naca4("2412", 90)
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    rotation = np.array([[c, -s], [s, c]])
    moved = section.moved(scale * section.points @ rotation.T + shift)
    grid, base = ogrid(moved, n_wall=80, n_normal=20), ogrid(section, n_wall=80, n_normal=20)
    np.testing.assert_allclose((grid.points - shift) / scale @ rotation, base.points, atol=1e-7)


def test_direction_and_order_of_the_file_do_not_matter():
    section = naca4("2412", 90)
    back = ring(section.points[::-1], "back")
    order = np.random.default_rng(0).permutation(90)
    mixed = Mesh(section.points, section.cells.take(order))
    base = ogrid(section, n_wall=60, n_normal=20).points
    for other in (back, mixed):
        np.testing.assert_allclose(ogrid(other, n_wall=60, n_normal=20).points, base, atol=1e-9)


def test_smooth_wall_follows_the_spline_of_coarse_coordinates():
    coarse, fine = naca4("2412", 60), naca4("2412", 2000)
    wall, flat = (ogrid(coarse, n_wall=200, n_normal=10, smooth=smooth).patch("wall").points for smooth in (True, False))
    error, faceted = (np.abs(signed_distance(fine, w).distance).max() for w in (wall, flat))
    assert error < 0.2 * faceted


def test_field_lines_of_a_circle_are_radii_and_their_levels_logarithms():
    wall = circle(200).points
    lines = field_lines(wall, disk(0j, 4.0))
    angle = np.angle(lines.position * np.conj(wall[:, 0] + 1j * wall[:, 1]))
    assert np.abs(angle).max() < 1e-9
    r = np.abs(lines.position)
    np.testing.assert_allclose(lines.potential[5:], np.log(r[5:]), rtol=0.02, atol=2e-4)  # 15 % steps
    places = np.tile(np.array([[0.5], [1.0], [2.5]]), 200)
    np.testing.assert_allclose(np.abs(lines.at(places)), 1 + places, rtol=1e-6)
    np.testing.assert_allclose(lines.at_level(lines.level(places)), places, rtol=1e-9)
    np.testing.assert_allclose(lines.ends(disk(0j, 4.0)), 3.0, rtol=1e-9)


def test_field_lines_of_a_plate_are_the_hyperbolas_of_the_joukowski_map():
    plate = ring(np.array([(2.0, 0), (2, 1e-7), (-2, 1e-7), (-2, 0)]), "plate")
    x = 2 * np.cos(np.pi * (np.arange(200) + 0.5) / 200)
    wall = np.concatenate([np.stack([x, 0 * x + 1e-4], axis=1), np.stack([x[::-1], 0 * x - 1e-4], axis=1)])
    lines = field_lines(wall, disk(0j, 10.0))
    end = lines.at(lines.ends(disk(0j, 10.0))[None])[0]
    zeta = 0.5 * (end + np.where(end.real < 0, -1, 1) * np.sqrt(end**2 - 4))  # z = zeta + 1/zeta
    found = np.angle(zeta)
    exact = np.concatenate([np.arccos(x / 2), -np.arccos(x[::-1] / 2)])
    assert np.abs(np.sin((found - exact) / 2)).max() < 0.02
    assert plate.points[0, 0] == 2.0


def test_geometric_spacing_ends_where_it_must():
    for height in (1e-6, 1e-3, 0.05):
        places = geometric_spacing(np.array([1.0, 2.5]), 40, height)
        np.testing.assert_allclose(places[0], 0.0)
        np.testing.assert_allclose(places[-1], [1.0, 2.5])
        assert (np.diff(places, axis=0) > 0).all()
        if height * 39 < 1:
            np.testing.assert_allclose(places[1], height, rtol=1e-6)
            ratio = np.diff(places, axis=0)[1:] / np.diff(places, axis=0)[:-1]
            np.testing.assert_allclose(ratio / ratio[0], 1.0, rtol=1e-6)


def test_wall_points_keep_corners_and_give_a_base_its_cells():
    section = naca4("0012", 101, closed_trailing_edge=False)
    points, corner = wall_points(section.points, 150)
    assert len(points) == 150
    assert corner.sum() == 2
    np.testing.assert_allclose(points[corner], section.points[[0, -1]], atol=1e-15)
    base = np.flatnonzero(corner)[1]
    assert 150 - base >= 3  # cells across the base


def test_the_sections_of_the_uiuc_database(shared_data):
    """Real sections, coarse and ragged: every fortieth of 2174, blunt, cusped, reflexed, slotted."""
    failed, tried = [], 0
    for name, points in uiuc(shared_data / "geometry" / "uiuc_airfoils.tar.gz", every=40):
        tried += 1
        try:
            grid = ogrid(ring(points, name), n_wall=100, n_normal=30)
            if not is_sound(grid, 100):
                failed.append(name)
        except InvalidMeshError as problem:
            failed.append(f"{name}: {problem.message}")
    assert tried > 30
    assert not failed, f"{len(failed)} of {tried}: {failed}"


def uiuc(archive, every: int):
    """Names and rings of the sections whose file is plain Selig order (the reader of geoop has its own tests)."""
    with tarfile.open(archive) as files:
        members = sorted((m for m in files if m.name.endswith(".dat")), key=lambda m: m.name)
        for member in members[::every]:
            text = io.TextIOWrapper(files.extractfile(member), encoding="latin1").read()
            rows = [line.split() for line in text.splitlines()[1:]]
            try:
                points = np.array([[float(a), float(b)] for a, b in (row for row in rows if len(row) == 2)])
            except ValueError:
                continue
            if len(points) < 10 or points.max() > 1.5 or abs(points[0, 0] - 1) > 0.05 or abs(points[-1, 0] - 1) > 0.05:
                continue
            points = points[np.concatenate([[True], (np.diff(points, axis=0) != 0).any(axis=1)])]
            yield member.name, points[:-1] if (points[0] == points[-1]).all() else points


def test_what_cannot_be_gridded_is_named():
    deep = ring(np.array([(0.0, 0), (1, 0), (1, 1), (0.51, 1), (0.51, 0.05), (0.49, 0.05), (0.49, 1), (0, 1)]), "slot")
    with pytest.raises(InvalidMeshError, match="inverted") as caught:
        ogrid(deep, n_wall=80, n_normal=20)
    assert "cavit" in caught.value.remedy
    with pytest.raises(InvalidMeshError, match="crosses itself"):
        ogrid(ring(np.array([(0.0, 0), (1, 1), (1, 0), (0, 1)]), "bowtie"))
    opened = Mesh(naca4().points, naca4().cells.take(np.arange(150)))
    with pytest.raises(InvalidMeshError, match="open"):
        ogrid(opened)
    two = Mesh(
        np.concatenate([circle(9).points, circle(9).points + 5]), Cells.concatenate([circle(9).cells, circle(9).cells.renumbered(np.arange(9) + 9)])
    )
    with pytest.raises(InvalidMeshError, match="loops"):
        ogrid(two)
    gear = ring(np.where(np.arange(80) % 2, 1.0, 0.8)[:, None] * circle(80).points, "gear")
    with pytest.raises(InvalidMeshError, match="corners") as caught:
        ogrid(gear, n_wall=100)
    assert "n_wall" in caught.value.remedy


def test_impossible_numbers_are_named_together():
    with pytest.raises(ConfigurationError) as caught:
        ogrid(naca4(), n_wall=5, n_normal=1, outer_radius=0.1, first_height=-1.0)
    for word in ("n_wall", "n_normal", "outer_radius", "first_height"):
        assert word in str(caught.value)
    with pytest.raises(ConfigurationError, match="does not clear"):
        ogrid(ring(np.array([(1.0, 0), (0, 0.577), (0, 0), (0, -0.577)]), "triangle"), outer_radius=0.6)
