"""Where a section begins and ends, and the smooth curve in between."""

import numpy as np
import pytest

from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle, naca4, ring
from geoop.truth.exact.karman_trefftz import KarmanTrefftz
from geoop.truth.panels.section_curve import section_curve


def test_sharp_edge_is_both_ends():
    curve = section_curve(naca4("2412", 100))
    assert curve.ring[0] == curve.ring[-1] == curve.edge and curve.edge == pytest.approx(1.0, abs=1e-12)
    assert curve.gap == 0.0 and not curve.smooth and len(curve.corners) == 0
    assert curve.chord == pytest.approx(1.0, abs=2e-3)


def test_blunt_base_is_not_part_of_the_curve():
    outline = naca4("0012", 101, closed_trailing_edge=False)
    curve = section_curve(outline)
    assert curve.gap == pytest.approx(0.00252, abs=1e-5)
    assert curve.ring[0].imag > 0 > curve.ring[-1].imag and len(curve.ring) == 101


@pytest.mark.parametrize("angle", [-30.0, 20.0, 60.0])
def test_edge_of_a_rotated_section(angle):
    a = np.radians(angle)
    outline = naca4("0012", 100)
    turned = outline.moved(outline.points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]))
    assert section_curve(turned).edge == pytest.approx(np.exp(1j * a), abs=1e-9)


def test_a_sharp_nose_is_no_trailing_edge():
    """A thin lens has two equal edges, and a blunt base behind a needle nose is still the rear end."""
    x = np.linspace(0, 1, 41)
    lens = ring(np.concatenate([np.stack([x[::-1], 0.3 * x[::-1] * (1 - x[::-1])], 1), np.stack([x, -0.3 * x * (1 - x)], 1)[1:-1]]), "lens")
    curve = section_curve(lens)
    assert curve.edge == pytest.approx(1.0) and curve.corners == pytest.approx([curve.length[-1] / 2])
    half = 0.1 * x * (1 - 0.7 * x)
    wedge = ring(np.concatenate([np.stack([x[::-1], half[::-1]], 1), np.stack([x, -half], 1)[1:]]), "needle")
    assert section_curve(wedge).gap == pytest.approx(0.06)


@pytest.mark.parametrize("tau", [5.0, 10.0, 20.0])
@pytest.mark.parametrize("n", [80, 200, 1000])
def test_edge_angle_of_karman_trefftz(tau, n):
    """Never below the true angle, so that 5 degrees are never refused, and not far above it."""
    for mu_x in (-0.15, -0.03):
        assert tau < section_curve(KarmanTrefftz(mu_x, 0.06, tau).outline(n)).edge_angle < tau + 1.8


def test_curve_passes_through_the_points_and_is_accurate_between():
    section = KarmanTrefftz(-0.1, 0.05, 10.0)
    curve = section_curve(section.outline(200))
    assert np.abs(curve.points(curve.length) - curve.ring).max() < 1e-14
    middle = section.points(section.circle(2 * np.pi * (np.arange(200) + 0.5) / 200))
    dense = curve.points(np.linspace(0, curve.length[-1], 200001))
    distance = [np.abs(dense - complex(*p)).min() for p in middle[5:-5:7]]
    assert max(distance) < 1e-5


def test_circle_is_periodic():
    curve = section_curve(circle(40))
    assert curve.smooth and curve.edge_angle == 180.0
    s = np.linspace(0, curve.length[-1], 1000)
    assert np.abs(np.abs(curve.points(s)) - 1).max() < 1e-5
    assert curve.tangents(s[:1], 1) == pytest.approx(curve.tangents(s[-1:], -1), abs=1e-9)


def test_corners_are_kept_and_coarse_noses_are_not_corners():
    t = np.linspace(0, 1, 21)[:-1, None]
    corners = np.array([[1.0, 0.0], [0.6, 0.2], [0.0, 0.15], [0.0, -0.15]])
    polygon = np.concatenate([a + t * (b - a) for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)])
    assert len(section_curve(ring(polygon, "wedge")).corners) == 3
    assert len(section_curve(naca4("0006", 24)).corners) == 0


def test_any_mesh_with_a_wall_patch():
    outline = naca4("0012", 60)
    square = np.array([[-2.0, -2], [3, -2], [3, 2], [-2, 2]])
    points = np.concatenate([outline.points, square])
    from geoop.mesh.cells import Cells

    triangles = Cells.of(triangle=np.array([[60, 61, 62], [60, 62, 63]]))
    far = Cells.of(line=np.array([[60, 61], [61, 62], [62, 63], [63, 60]]))
    mesh = Mesh(points, triangles, {"aerofoil": outline.cells, "farfield": far})
    assert len(section_curve(mesh).ring) == 61
