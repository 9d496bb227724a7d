"""The C-grid for viscous flow: heights, spacings and aspect ratios as asked, nearly orthogonal, and closed round the section."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.measure import cell_centers, cell_measures, enclosed_volume
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import naca4
from geoop.mesh.topology import edges
from geoop.truth.openfoam.parabolic_grid import parabolic_cgrid

SECTION = naca4("0012", n_points=2000)


def grid(n: int = 96, **changes) -> Mesh:
    settings = {"n_side": n, "n_wake": 40, "n_normal": 72, "first_height": 2.4e-5, "nose_spacing": 1.6e-3, "tail_spacing": 1.6e-3, "aspect": 950.0}
    return parabolic_cgrid(SECTION, **{**settings, **changes})


def test_cells_fill_what_lies_between_the_section_and_the_far_field():
    mesh = grid()
    rim = mesh.submesh(mesh.patches["farfield"]).points
    assert rim[:, 0].min() == pytest.approx(-500, rel=1e-3)
    assert mesh.points[:, 0].max() == pytest.approx(501, rel=1e-3)
    assert enclosed_volume(mesh.patch("wall")) == pytest.approx(enclosed_volume(SECTION), rel=1e-3)
    assert (cell_measures(mesh) > 0).all()
    listed = edges(mesh.cells, np.arange(len(mesh.points)))
    assert listed.counts.max() == 2  # the two sides of the wake share their points
    assert (listed.counts == 1).sum() == sum(len(part) for part in mesh.patches.values())


def test_wall_cells_have_the_heights_and_lengths_that_were_asked_for():
    mesh = grid()
    wall = mesh.points[mesh.patches["wall"].block("line")]
    length = np.linalg.norm(wall[:, 1] - wall[:, 0], axis=1)
    assert length[[0, -1]] == pytest.approx([1.6e-3] * 2, rel=0.2)
    assert length[95:97] == pytest.approx([1.6e-3] * 2, rel=0.2)
    n = 2 * 96 + 2 * 40
    height = cell_measures(mesh)[40 : n - 40] / length
    assert height[0] == pytest.approx(2.4e-5, rel=0.05)
    assert height.max() <= 2.5e-5
    assert height[96] < 0.2 * height[0]  # thinner at the nose, where the layer is


def test_no_cell_beside_the_wall_or_the_wake_is_longer_than_asked():
    mesh = grid()
    quads = mesh.points[mesh.cells.block("quad")]
    side = np.linalg.norm(np.roll(quads, -1, axis=1) - quads, axis=2)
    assert (side.max(axis=1) / side.min(axis=1))[: 2 * 96 + 2 * 40].max() < 1.05 * 950 / 0.15  # a sliver of a cell is thinner at one end
    long = side.max(axis=1)
    assert (long**2 / cell_measures(mesh))[: 2 * 96 + 2 * 40].max() < 1100 / 0.15


def test_lines_between_centres_cross_edges_nearly_at_right_angles():
    mesh = grid()
    listed = edges(mesh.cells, np.arange(len(mesh.points)))
    first, second = listed.pairs()
    start, end = mesh.points[listed.corners[first]].transpose(1, 0, 2)
    normal = (end - start)[:, ::-1] * [1, -1]
    centre = cell_centers(mesh)
    link = centre[listed.owner[second]] - centre[listed.owner[first]]
    cosine = np.einsum("nk,nk->n", normal, link) / np.linalg.norm(normal, axis=1) / np.linalg.norm(link, axis=1)
    assert np.degrees(np.arccos(cosine.clip(-1, 1))).max() < 60


def test_the_grid_turns_and_scales_with_the_section():
    angle = np.radians(20)
    turn = 3.0 * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved = parabolic_cgrid(SECTION.moved(SECTION.points @ turn + [5, -2]), n_side=64, n_wake=20, n_normal=30, first_height=1e-3, reach=50)
    plain = parabolic_cgrid(SECTION, n_side=64, n_wake=20, n_normal=30, first_height=1e-3, reach=50)
    assert np.allclose(moved.points, plain.points @ turn + [5, -2], atol=1e-3)


def test_too_few_cells_for_the_aspect_ratio_say_how_many():
    with pytest.raises(ConfigurationError, match="times the first height") as caught:
        grid(first_height=1e-6)
    assert "n_side >=" in caught.value.remedy


def test_bad_sections_and_arguments_are_refused():
    with pytest.raises(InvalidMeshError, match="blunt"):
        parabolic_cgrid(naca4("0012", closed_trailing_edge=False))
    with pytest.raises(ConfigurationError, match=r"n_side is 2.*first_height is 0"):
        grid(2, first_height=0.0)
    with pytest.raises(ConfigurationError, match="do not fit"):
        grid(nose_spacing=0.05, tail_spacing=0.05)
