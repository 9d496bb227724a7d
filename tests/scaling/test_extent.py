from __future__ import annotations

import numpy as np
import pytest

from geoop.mesh.primitives import box, icosphere
from geoop.scaling.extent import largest_extent


def test_the_largest_extent_is_the_largest_distance() -> None:
    rng = np.random.default_rng(0)
    for points in (rng.normal(size=(200, 2)), rng.normal(size=(300, 3)), rng.normal(size=(3, 3))):
        distances = np.linalg.norm(points[:, None] - points[None], axis=2)
        assert largest_extent(points) == pytest.approx(distances.max(), rel=1e-14)
    assert largest_extent(box((0, 0, 0), (3, 4, 12)).points) == pytest.approx(13.0)


def test_flat_and_straight_bodies_have_an_extent_too() -> None:
    x = np.linspace(0, 2, 50)
    assert largest_extent(np.stack([x, 0 * x, 3 * x], axis=1)) == pytest.approx(2 * np.sqrt(10))
    plate = np.stack(np.meshgrid([0.0, 1.0, 2.0], [0.0, 1.0], [5.0]), axis=-1).reshape(-1, 3)
    assert largest_extent(plate) == pytest.approx(np.sqrt(5))
    assert largest_extent(np.repeat([[1.0, 2.0]], 9, axis=0)) == 0.0


def test_a_finely_meshed_sphere_is_searched_from_corner_to_corner() -> None:
    points = icosphere(5).points
    assert len(points) > 4000
    assert largest_extent(points) == pytest.approx(2.0, rel=1e-6)
