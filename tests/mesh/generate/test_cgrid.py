"""C-grids: every cell positive, areas exact, conforming, the wall on the section, for sharp, blunt, round and real sections."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, GeoopError, InvalidMeshError
from geoop.io.formats.airfoil import read_airfoil
from geoop.io.source import Source
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.generate.cgrid import cgrid
from geoop.mesh.generate.charge import channel_charge, isolated_charge
from geoop.mesh.measure import area_vectors, cell_measures, enclosed_volume, signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle, naca4, ring
from geoop.mesh.quality import mesh_report
from geoop.mesh.topology import edges, welded

SECTIONS = {
    "sharp": naca4("0012", 160),
    "blunt": naca4("4415", 121, closed_trailing_edge=False),
    "cambered": naca4("9410", 100),
    "thin": naca4("0003", 80),
    "coarse": naca4("2412", 30),
    "circle": circle(60, 0.5),
    "square": box((0, 0), (1, 1)),
    "wedge": ring(np.array([(0.0, 0), (0.5, -0.05), (1, -0.1), (1, 0.1)]), "wedge"),
    "narrow base": ring(np.array([(1.0, 1e-5), (0.5, 0.06), (0.1, 0.05), (0, 0), (0.1, -0.03), (0.5, -0.03), (1, -1e-5)]), "narrow"),
    "flap down": ring(np.array([(1.0, -0.2), (0.7, 0.05), (0.3, 0.08), (0.05, 0.04), (0, 0), (0.3, -0.03), (0.7, -0.02)]), "flap"),
}


def boundary_is_patches(grid: Mesh) -> bool:
    """Each edge has two cells or is exactly one line of one patch."""
    found = edges(grid.cells, welded(grid.points) if len(np.unique(grid.points, axis=0)) == len(grid.points) else np.arange(len(grid.points)))
    outer = {tuple(sorted(pair)) for pair in found.corners[found.counts[found.group] == 1].tolist()}
    lines = [tuple(sorted(row.tolist())) for part in grid.patches.values() for row in part]
    return found.counts.max() <= 2 and len(lines) == len(set(lines)) and set(lines) == outer


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_cells_are_positive_and_fill_the_channel_exactly(name):
    section = SECTIONS[name]
    grid = cgrid(section, n_wall=100, n_wake=30, n_normal=30)
    assert (signed_measures(grid) > 0).all()
    report = mesh_report(grid)
    assert report.sound, report.findings
    assert boundary_is_patches(grid)
    wall, far, outlet = (grid.patch(key) for key in ("wall", "farfield", "outlet"))
    assert np.abs(signed_distance(section, wall.points).distance).max() < 1e-12
    assert enclosed_volume(wall) > 0
    whole = grid.submesh(Cells.concatenate([grid.patches["farfield"], grid.patches["outlet"]]))
    np.testing.assert_allclose(cell_measures(grid).sum(), enclosed_volume(whole) - enclosed_volume(wall), rtol=1e-12)
    np.testing.assert_allclose(area_vectors(whole).sum(axis=0), 0.0, atol=1e-11)  # far field and outlet close each other
    assert len(far.cells) >= 130 and len(outlet.cells) >= 58


def test_the_far_field_is_where_it_was_ordered():
    grid = cgrid(naca4("0012", 160), n_wall=100, n_wake=30, n_normal=30, outer_radius=6.0, wake_length=4.0)
    far = grid.patch("farfield").points
    front = far[far[:, 0] < 0.5]
    np.testing.assert_allclose(np.linalg.norm(front - [0.5, 0.0], axis=1), 6.0, rtol=1e-9)
    np.testing.assert_allclose(np.abs(far[far[:, 0] >= 0.5, 1]), 6.0, rtol=1e-9)
    np.testing.assert_allclose(grid.patch("outlet").points[:, 0], 5.0, rtol=1e-12)
    assert len(front) > 50


def test_first_height_and_growth():
    grid = cgrid(naca4("2412", 300), n_wall=160, n_wake=50, n_normal=90, first_height=1e-5)
    n = 161 + 100
    corner = grid.cells.block("quad")  # quads run (wall, out, out, wall)
    layers = corner[: 89 * (n - 1)].reshape(89, n - 1, 4)
    steps = np.linalg.norm(grid.points[layers[:, :, 1]] - grid.points[layers[:, :, 0]], axis=2)
    assert len(grid.points) == 90 * n - 51  # the cut and the trailing edge are there once
    np.testing.assert_allclose(steps[0], 1e-5, rtol=2e-2)
    ratio = steps[1:] / steps[:-1]
    assert ratio[:-1].max() < 1.3
    wake = np.linalg.norm(np.diff(grid.points[layers[0, :51, 0]], axis=0), axis=1)[::-1]
    assert (wake[1:] / wake[:-1]).max() < 1.35


@pytest.mark.parametrize(("turn", "scale", "shift"), [(10.0, 1.0, 0.0), (-135.0, 1e-3, 0.2), (77.0, 4e3, -1e4)])
@pytest.mark.parametrize("name", ["cambered", "blunt"])
def test_rotated_scaled_and_shifted_sections_have_the_rotated_scaled_and_shifted_grid(name, turn, scale, shift):
    section = SECTIONS[name]
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    rotation = np.array([[c, -s], [s, c]])
    moved = section.moved(scale * section.points @ rotation.T + shift)
    grid, base = (cgrid(item, n_wall=80, n_wake=20, n_normal=20) for item in (moved, section))
    np.testing.assert_allclose((grid.points - shift) / scale @ rotation, base.points, atol=1e-6)


def test_direction_and_start_of_the_file_do_not_matter():
    section = SECTIONS["blunt"]
    base = cgrid(section, n_wall=80, n_wake=20, n_normal=20).points
    for points in (section.points[::-1], np.roll(section.points, 37, axis=0)):
        np.testing.assert_allclose(cgrid(ring(points, "other"), n_wall=80, n_wake=20, n_normal=20).points, base, atol=1e-9)


def test_a_symmetric_section_has_a_symmetric_grid():
    points = cgrid(naca4("0012", 160), n_wall=100, n_wake=20, n_normal=20).points
    mirrored = points * [1.0, -1.0]
    order = [np.lexsort(np.round(p, 6).T) for p in (points, mirrored)]
    np.testing.assert_allclose(points[order[0]], mirrored[order[1]], atol=1e-6)


def test_the_wake_turns_with_its_angle():
    straight, turned = (cgrid(naca4("0012", 160), n_wall=80, n_wake=20, n_normal=20, wake_angle=angle) for angle in (0.0, 8.0))
    way = [np.ptp(grid.patch("outlet").points, axis=0) for grid in (straight, turned)]
    np.testing.assert_allclose(way[0][0], 0.0, atol=1e-12)
    assert np.degrees(np.arctan2(way[1][0], way[1][1])) == pytest.approx(8.0, abs=1e-9)


def test_a_split_wake_has_its_points_twice_and_names_both_sides():
    section = naca4("0012", 160)
    shared, split = (cgrid(section, n_wall=80, n_wake=20, n_normal=20, split_wake=flag) for flag in (False, True))
    assert len(split.points) == len(shared.points) + 20
    upper, lower = split.patch("wake_upper"), split.patch("wake_lower")
    np.testing.assert_array_equal(np.unique(upper.points, axis=0), np.unique(lower.points, axis=0))
    np.testing.assert_allclose(area_vectors(upper).sum(axis=0) + area_vectors(lower).sum(axis=0), 0.0, atol=1e-12)
    assert boundary_is_patches(split)
    with pytest.raises(ConfigurationError, match="no cut"):
        cgrid(SECTIONS["blunt"], split_wake=True)


def test_a_blunt_base_has_cells_of_its_own():
    grid = cgrid(SECTIONS["blunt"], n_wall=120, n_wake=30, n_normal=20)
    wall = grid.patch("wall")
    base = np.linalg.norm(wall.points - [1.0, 0.0], axis=1) < 2e-3
    assert base.sum() >= 3
    assert enclosed_volume(wall) == pytest.approx(enclosed_volume(SECTIONS["blunt"]), rel=2e-3)


def test_charges_of_concentric_circles_give_the_logarithm():
    """Between circles of radius 1 and 4 the potential is log r / log 4: its gradient is 1 / (r log 4)."""
    quarter = np.exp(1j * np.linspace(np.pi / 2, 3 * np.pi / 2, 241))
    charge = channel_charge([quarter], 4 * quarter)
    at = np.array([2.0, -1.5 + 1.0j, 2.5j, 1.2 - 2.0j])
    np.testing.assert_allclose(charge.field(at), at / np.abs(at) ** 2 / np.log(4), rtol=2e-4)
    alone = isolated_charge(np.exp(2j * np.pi * np.arange(300) / 300))
    np.testing.assert_allclose(alone.field(at), at / np.abs(at) ** 2, rtol=2e-4)


@pytest.mark.parametrize("start", range(2))
def test_the_sections_of_the_uiuc_database(shared_data, tmp_path, start):
    """Real sections through geoop's reader, every sixtieth of 2174 in two halves."""
    import tarfile

    failed, tried = [], 0
    with tarfile.open(shared_data / "geometry" / "uiuc_airfoils.tar.gz") as files:
        members = sorted((m for m in files if m.name.endswith(".dat")), key=lambda m: m.name)
        for member in members[60 * start :: 120]:
            path = tmp_path / "section.dat"
            path.write_bytes(files.extractfile(member).read())
            tried += 1
            try:
                found = read_airfoil(Source.find(path))
                grid = cgrid(Mesh(found.points, found.cells, name=member.name), n_wall=80, n_wake=20, n_normal=20)
                if not (signed_measures(grid) > 0).all():
                    failed.append(member.name)
            except GeoopError as problem:
                failed.append(f"{member.name}: {problem.message}")
    assert tried > 15
    assert not failed, f"{len(failed)} of {tried}: {failed}"


@pytest.mark.parametrize("side", [1.0, -1.0], ids=["as it is", "mirrored"])
@pytest.mark.parametrize("n_wall", [80, 100, 150, 200])
def test_a_wide_base_with_one_rounded_corner_is_a_base(shared_data, tmp_path, n_wall, side):
    """The section of the database with the widest base: 23 % of the chord, the upper corner rounded."""
    import tarfile

    with tarfile.open(shared_data / "geometry" / "uiuc_airfoils.tar.gz") as files:
        member = next(m for m in files if m.name.endswith("ah93w480b.dat"))
        path = tmp_path / "section.dat"
        path.write_bytes(files.extractfile(member).read())
    found = read_airfoil(Source.find(path))
    grid = cgrid(Mesh(found.points * [1, side], found.cells), n_wall=n_wall, n_wake=20, n_normal=30)
    assert (signed_measures(grid) > 0).all()
    wall = grid.patch("wall").points
    assert ((wall[:, 0] > 0.9999) & (np.abs(wall[:, 1]) < 0.1)).sum() >= 2


def test_what_cannot_be_gridded_is_named():
    with pytest.raises(InvalidMeshError, match="crosses itself"):
        cgrid(ring(np.array([(0.0, 0), (1, 1), (1, 0), (0, 1)]), "bowtie"))
    opened = Mesh(naca4().points, naca4().cells.take(np.arange(150)))
    with pytest.raises(InvalidMeshError, match="open"):
        cgrid(opened)
    with pytest.raises(ConfigurationError) as caught:
        cgrid(naca4(), n_wall=5, n_wake=1, n_normal=1, outer_radius=0.1, wake_length=0.0, wake_angle=90.0, first_height=-1.0)
    for word in ("n_wall", "n_wake", "n_normal", "outer_radius", "wake_length", "wake_angle", "first_height"):
        assert word in str(caught.value)
    with pytest.raises(ConfigurationError, match="to clear the section"):
        cgrid(ring(np.array([(1.0, 0), (0, 0.577), (0, 0), (0, -0.577)]), "triangle"), outer_radius=0.6)
