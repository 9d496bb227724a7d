"""Shapes that are formulas obey them."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.measure import area_vectors, cell_measures, enclosed_volume
from geoop.mesh.outline import oriented
from geoop.mesh.primitives import box, capsule, circle, icosphere, naca4, ring, torus, wing
from geoop.mesh.quality import mesh_report

SHAPES = [
    circle(9),
    naca4("2412", 77),
    naca4("0012", 50, closed_trailing_edge=False),
    icosphere(1),
    box(),
    box((0, 0), (1, 2), 3),
    wing(naca4(n_points=31), n_span=3),
    torus(12, 7),
    capsule(9),
]


@pytest.mark.parametrize("mesh", SHAPES, ids=lambda m: m.name)
def test_shapes_are_sound_and_outward(mesh):
    report = mesh_report(mesh)
    assert report.sound, report.findings
    assert report.closed
    assert report.components == 1
    assert report.enclosed > 0
    np.testing.assert_array_equal(oriented(mesh).cells.connectivity, mesh.cells.connectivity)
    patched = sum(len(part) for part in mesh.patches.values())
    assert patched == len(mesh.cells)


def test_areas_and_volumes():
    assert enclosed_volume(circle(1000, 2.0)) == pytest.approx(4 * np.pi, rel=1e-5)
    assert enclosed_volume(box((0, 0, 0), (1, 2, 3), 4)) == pytest.approx(6.0, rel=1e-14)
    assert enclosed_volume(icosphere(4, 3.0)) == pytest.approx(36 * np.pi, rel=3e-3)
    section = naca4("2412", 200)
    assert enclosed_volume(wing(section, 5.0)) == pytest.approx(5 * enclosed_volume(section), rel=1e-12)
    assert enclosed_volume(wing(section, 5.0, taper=0.5, n_span=40)) == pytest.approx(5 * enclosed_volume(section) * (1 + 0.5 + 0.25) / 3, rel=1e-3)


def test_patches_of_a_box_face_their_way():
    cube = box((0, 0, 0), (2, 3, 4), 2)
    for axis, name in enumerate("xyz"):
        for side, end in ((-1, "min"), (1, "max")):
            total = area_vectors(cube.patch(f"{name}_{end}")).sum(axis=0)
            np.testing.assert_allclose(total, side * 24 / (2, 3, 4)[axis] * np.eye(3)[axis], atol=1e-14)


def test_naca_thickness_and_camber():
    points = naca4("0012", 2000).points
    np.testing.assert_allclose(points[0], [1, 0], atol=1e-16)
    assert points[:, 1].max() == pytest.approx(0.0600, abs=2e-4)  # half of 12 % at 30 % chord
    assert points[points[:, 1].argmax(), 0] == pytest.approx(0.30, abs=0.01)
    np.testing.assert_allclose(points[1:], points[:0:-1] * [1, -1], atol=1e-15)  # symmetric
    cambered = naca4("4412", 2000).points
    upper, lower = cambered[:1000], cambered[1000:][::-1]
    x = np.linspace(0.05, 0.95, 50)
    middle = 0.5 * (np.interp(x, upper[::-1, 0], upper[::-1, 1]) + np.interp(x, lower[::-1, 0], lower[::-1, 1]))
    assert middle.max() == pytest.approx(0.04, abs=1e-3)
    blunt = naca4("0012", 101, closed_trailing_edge=False).points
    assert blunt[0, 1] - blunt[-1, 1] == pytest.approx(2 * 0.00126, rel=1e-6)  # the published base


def test_sphere_points_lie_on_the_sphere():
    for level in range(4):
        sphere = icosphere(level, 2.0, (1, 2, 3))
        assert len(sphere.cells) == 20 * 4**level
        np.testing.assert_allclose(np.linalg.norm(sphere.points - [1, 2, 3], axis=1), 2.0, rtol=1e-14)
    assert cell_measures(icosphere(0)).std() < 1e-15


EXACT = {  # meshes at two levels, area, volume
    "torus": (torus(40, 20, major=2.0, minor=0.5), torus(80, 40, major=2.0, minor=0.5), 4 * np.pi**2, 2 * np.pi**2 * 2 * 0.25),
    "capsule": (capsule(32, length=3.0), capsule(64, length=3.0), 3 * np.pi + np.pi, 0.75 * np.pi + np.pi / 6),
}


@pytest.mark.parametrize("name", sorted(EXACT))
def test_area_and_volume_converge_at_second_order(name):
    coarse, fine, area, volume = EXACT[name]
    for measure, exact in ((lambda m: cell_measures(m).sum(), area), (enclosed_volume, volume)):
        order = np.log2((exact - measure(coarse)) / (exact - measure(fine)))
        assert order == pytest.approx(2.0, abs=0.05)
    assert np.abs(area_vectors(fine).sum(axis=0)).max() < 1e-12


@pytest.mark.parametrize(
    "make",
    [
        lambda: circle(2),
        lambda: circle(10, -1.0),
        lambda: naca4("00"),
        lambda: naca4("0000"),
        lambda: naca4("0012", 4),
        lambda: naca4("0012", chord=0.0),
        lambda: icosphere(-1),
        lambda: icosphere(2, 0.0),
        lambda: box((0, 0, 0), (1, 1)),
        lambda: box((0, 0), (1, 0)),
        lambda: box(divisions=0),
        lambda: wing(naca4(), 0.0),
        lambda: torus(2),
        lambda: torus(minor=1.0),
        lambda: capsule(2),
        lambda: capsule(length=0.0),
        lambda: capsule(radius=-1.0),
    ],
)
def test_impossible_shapes_are_refused(make):
    with pytest.raises(ConfigurationError, match="does not describe") as caught:
        make()
    assert "give" in caught.value.remedy


def test_a_wing_is_outward_whichever_way_its_section_runs():
    section = naca4("2412", 40)
    back = ring(np.roll(section.points[::-1], 1, axis=0), "back")
    np.testing.assert_array_equal(wing(back).points, wing(section).points)
    assert enclosed_volume(wing(back)) == pytest.approx(enclosed_volume(wing(section)))
    assert enclosed_volume(wing(back)) > 0
