"""Redistributed panels lie on the section, where they are wanted."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.measure import cell_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, naca4
from geoop.truth.exact.karman_trefftz import KarmanTrefftz
from geoop.truth.panels.repanel import repanel


@pytest.mark.parametrize("n", [20, 61, 200])
def test_count_start_and_direction(n):
    mesh = repanel(naca4("2412", 150), n)
    assert mesh.points.shape == (n, 2) and len(mesh.cells) == n
    assert mesh.points[0] == pytest.approx([1.0, 0.0], abs=1e-9) and mesh.points[1, 1] > mesh.points[-1, 1]
    assert list(mesh.patches) == ["wall"] and mesh.name == "naca2412"


def test_a_blunt_base_is_one_line_more():
    mesh = repanel(naca4("0012", 151, closed_trailing_edge=False), 100)
    assert len(mesh.points) == len(mesh.cells) == 101
    assert mesh.points[[0, -1]] == pytest.approx(np.array([[1.0, 0.00126], [1.0, -0.00126]]), abs=1e-6)


def test_clustered_at_both_edges():
    length = cell_measures(repanel(naca4("0012", 300), 100))
    middle = length[25]
    assert length[0] < 0.05 * middle and length[49] < 0.1 * middle and length[-1] < 0.05 * middle
    assert (np.abs(np.log(length[1:] / length[:-1])) < 1.2).all()


def test_new_points_lie_on_the_section():
    """Distance of the new points from the exact section, and its order in the spacing of the old points away from the edge."""
    section = KarmanTrefftz(-0.1, 0.05, 10.0)
    dense = section.points(section.circle(np.linspace(0, 2 * np.pi, 20001))) @ np.array([1, 1j])
    errors = []
    for n in (50, 100):
        z = repanel(section.outline(n), 60).points[5:-5] @ np.array([1, 1j])
        nearest = np.argmin(np.abs(dense[:, None] - z), axis=0)
        step = dense[nearest + 1] - dense[nearest - 1]
        errors.append(np.abs(((z - dense[nearest]) / step).imag * np.abs(step)).max())
    assert errors[1] < 2e-5 and errors[1] < errors[0] / 4


def test_corners_stay_points():
    outline = box((0.0, 0.0), (2.0, 1.0), 10)
    mesh = repanel(outline, 60)
    for corner in ([0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0]):
        assert np.linalg.norm(mesh.points - corner, axis=1).min() < 1e-12
    assert cell_measures(mesh).sum() == pytest.approx(6.0, abs=1e-12)


def test_the_only_patch_keeps_its_name():
    outline = naca4("0012", 50)
    named = Mesh(outline.points, outline.cells, {"AIRFOIL": outline.cells})
    assert list(repanel(named, 40).patches) == ["AIRFOIL"]


def test_too_few_panels():
    with pytest.raises(ConfigurationError, match=r"3 panels.*\n.*at least 20"):
        repanel(naca4("0012", 50), 3)
