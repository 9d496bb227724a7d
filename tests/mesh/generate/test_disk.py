"""Disks and stars in rings: counts, areas, boundaries on their curves, cells of even shape."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.generate.disk import corners, disk, star
from geoop.mesh.measure import signed_measures


@pytest.mark.parametrize("rings", [1, 2, 9])
def test_disk_counts_area_and_edges(rings):
    mesh = disk(rings, radius=2.0, center=(1.0, -1.0))
    assert len(mesh.points) == 1 + 3 * rings * (rings + 1) and len(mesh.cells) == 6 * rings**2
    area = signed_measures(mesh)
    n = 6 * rings
    assert area.min() > 0 and area.sum() == pytest.approx(0.5 * n * 4.0 * np.sin(2 * np.pi / n), rel=1e-12)
    rows = mesh.points[mesh.cells.block("triangle")]
    length = np.linalg.norm(rows - np.roll(rows, 1, axis=1), axis=2)
    assert length.max() < 1.6 * length.min()
    rim = mesh.patches["boundary"].block("line")
    assert len(rim) == n and np.allclose(np.linalg.norm(mesh.points[rim] - [1.0, -1.0], axis=2), 2.0)
    x, y = mesh.points[rim[:, 0]], mesh.points[rim[:, 1]]
    assert 0.5 * (x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]).sum() == pytest.approx(area.sum(), rel=1e-12)  # the region on the left


def test_star_is_of_the_order_of_its_geometry():
    """Area of r = 1 + e cos k t is pi (1 + e^2/2); isoparametric quadratics find it at order 4 or better."""
    error = []
    for rings in (8, 16, 32):
        mesh = star(rings, lambda t: 1.0 + 0.2 * np.cos(3 * t), center=(5.0, 0.0))
        assert mesh.cells.names == ["triangle6"]
        error.append(abs(signed_measures(mesh).sum() - np.pi * 1.02))
        rim = mesh.points[mesh.patches["boundary"].block("line3")].reshape(-1, 2) - [5.0, 0.0]
        assert np.allclose(np.hypot(*rim.T), 1.0 + 0.2 * np.cos(3 * np.arctan2(rim[:, 1], rim[:, 0])), atol=1e-12)
    assert np.log2(error[0] / error[1]) > 3.5 and np.log2(error[1] / error[2]) > 3.5


def test_corners_undo_the_bending():
    mesh = star(5, np.ones_like)
    flat = corners(mesh)
    same = disk(5)
    assert np.array_equal(flat.points, same.points) and np.array_equal(flat.cells.block("triangle"), same.cells.block("triangle"))
    assert np.array_equal(flat.patches["boundary"].block("line"), same.patches["boundary"].block("line"))


def test_bad_input():
    with pytest.raises(ConfigurationError, match="0 rings"):
        disk(0)
    with pytest.raises(ConfigurationError, match="no corners"):
        corners(disk(2))
    with pytest.raises(InvalidMeshError):
        star(2, lambda t: 1.0 + 0.95 * np.cos(12 * t))
