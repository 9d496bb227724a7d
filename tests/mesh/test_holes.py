"""Openings are found, measured and placed; cracks are told from holes."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.holes import crack_width, holes
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import circle, icosphere


def without(mesh: Mesh, which: np.ndarray) -> Mesh:
    return Mesh(mesh.points, mesh.cells.take(~which))


def caps_removed(level: int = 3) -> Mesh:
    """A sphere without its caps above 0.8 and below -0.9."""
    sphere = icosphere(level)
    z = sphere.points[sphere.cells.block("triangle"), 2]
    return without(sphere, (z.min(axis=1) > 0.8) | (z.max(axis=1) < -0.9))


def test_closed_shapes_have_none():
    assert holes(icosphere(2)) == []
    assert holes(circle(12)) == []


@pytest.mark.parametrize("moved", [0.0, 1e3])
def test_two_caps_of_a_sphere(moved):
    mesh = caps_removed()
    mesh = mesh.moved(mesh.points + moved)
    large, small = holes(mesh)
    assert large.closed and small.closed and large.size > small.size
    np.testing.assert_allclose(large.center[:2] - moved, 0, atol=0.05)
    assert large.center[2] - moved > 0.7 and small.center[2] - moved < -0.8
    radius = np.linalg.norm(mesh.points[large.points, :2] - moved, axis=1)
    assert 2 * np.pi * radius.min() < large.length < 1.3 * 2 * np.pi * radius.max()
    np.testing.assert_allclose(large.share, large.size / np.linalg.norm(np.ptp(mesh.points[np.unique(mesh.cells.connectivity)], axis=0)))


def test_rims_run_along_their_facets_whatever_the_order_of_the_facets():
    mesh = caps_removed(2)
    shuffled = Mesh(mesh.points, mesh.cells.take(np.random.default_rng(0).permutation(len(mesh.cells))))
    for one, two in zip(holes(mesh), holes(shuffled), strict=True):
        assert set(one.points.tolist()) == set(two.points.tolist())
        runs = {(a, b) for row in mesh.cells.block("triangle").tolist() for a, b in zip(row, row[1:] + row[:1], strict=True)}
        steps = list(zip(two.points.tolist(), np.roll(two.points, -1).tolist(), strict=True))
        assert all(step in runs for step in steps) or all(step[::-1] in runs for step in steps)


def test_rims_of_disagreeing_facets_close_all_the_same():
    mesh = caps_removed(2)
    turned = Mesh(mesh.points, reversed_cells(mesh.cells, np.random.default_rng(1).random(len(mesh.cells)) < 0.5))
    assert [(len(h.points), h.closed) for h in holes(turned)] == [(len(h.points), True) for h in holes(mesh)]


def test_holes_that_touch_in_a_point_are_two():
    sphere = icosphere(2)
    triangles = sphere.cells.block("triangle")
    around = np.flatnonzero((triangles == 20).any(axis=1))
    one = around[0]
    far = next(k for k in around if len(set(triangles[k]) & set(triangles[one])) == 1)
    mesh = without(sphere, np.isin(np.arange(len(triangles)), [one, far]))
    assert sorted(len(hole.points) for hole in holes(mesh)) == [3, 3]


def test_unmerged_corners_are_no_holes():
    sphere = icosphere(1)
    soup = Mesh(sphere.points[sphere.cells.connectivity], Cells.of(triangle=np.arange(240).reshape(-1, 3)))
    assert holes(soup) == []


def test_gaps_of_an_outline_are_the_nearest_loose_ends():
    ring = circle(40)
    broken = Mesh(ring.points, ring.cells.take(np.delete(np.arange(40), [3, 4, 20])))
    wide, narrow = holes(broken)
    assert set(wide.points.tolist()) == {3, 5} and set(narrow.points.tolist()) == {20, 21}
    np.testing.assert_allclose([wide.size, narrow.size], [2 * np.sin(np.pi / 20), 2 * np.sin(np.pi / 40)])
    assert holes(Mesh(ring.points, ring.cells.take([7]))) == []  # one segment alone has no gap to close


def test_loose_ends_at_one_distance_all_find_a_partner():
    x = np.array([(0.0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0)])
    mesh = Mesh(x, Cells.of(line=np.array([[0, 1], [2, 3], [4, 5]])))
    assert len(holes(mesh)) == 3


@pytest.mark.parametrize("width", [1e-9, 1e-4])
def test_a_crack_says_how_wide_it_is(width):
    sphere = icosphere(3)
    upper = sphere.points[sphere.cells.block("triangle"), 2].mean(axis=1) > 0.1
    points = np.concatenate([sphere.points, sphere.points + [0, 0, width]])
    n = len(sphere.points)
    lifted = sphere.cells.take(upper).renumbered(np.arange(n) + n)
    mesh = Mesh(points, Cells.concatenate([sphere.cells.take(~upper), lifted]))
    np.testing.assert_allclose(crack_width(mesh, holes(mesh)), width, rtol=1e-5)


def test_holes_are_no_cracks():
    mesh = caps_removed()
    assert crack_width(mesh, holes(mesh)) is None
    assert crack_width(mesh, []) is None


def test_only_surfaces_have_holes():
    with pytest.raises(InvalidMeshError, match="only surfaces"):
        holes(Mesh(np.random.default_rng(0).random((5, 3))))
