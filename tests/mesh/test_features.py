"""Feature edges of shapes whose edges are known."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.features import feature_edges
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import box, circle, icosphere, naca4, wing


@pytest.mark.parametrize("dirt", ["clean", "flipped", "soup"])
def test_a_box_has_twelve_edges_in_twelve_lines(dirt):
    cube = box((0, 0, 0), (1, 2, 3), 4)
    if dirt == "flipped":
        cube = Mesh(cube.points, reversed_cells(cube.cells, np.random.default_rng(0).random(96) < 0.5))
    if dirt == "soup":
        cube = Mesh(cube.points[cube.cells.connectivity], Cells.of(quad=np.arange(96 * 4).reshape(-1, 4)))
    found = feature_edges(cube)
    assert len(found.corners) == 12 * 4
    assert (found.kind == 0).all()
    np.testing.assert_allclose(found.angle, 90.0)
    assert len(found.lines) == 12
    lengths = sorted(np.linalg.norm(cube.points[line.points[-1]] - cube.points[line.points[0]]) for line in found.lines)
    np.testing.assert_allclose(lengths, [1] * 4 + [2] * 4 + [3] * 4)
    for line in found.lines:
        assert not line.closed
        assert len(line.points) == 5
        assert len(np.unique(cube.points[line.points], axis=0)) == 5


def test_the_angle_decides():
    sphere = icosphere(2)
    assert len(feature_edges(sphere).corners) == 0
    assert len(feature_edges(sphere, 0.0).corners) == 480
    roof = Mesh([[0, 0, 0], [1, 0, 0], [0.5, 1, 0], [0.5, -np.cos(0.7), -np.sin(0.7)]], Cells.of(triangle=np.array([[0, 1, 2], [1, 0, 3]])))
    assert feature_edges(roof, 0.69 * 180 / np.pi).of_kind("sharp").tolist() == [[0, 1]]
    assert not len(feature_edges(roof, 0.71 * 180 / np.pi).of_kind("sharp"))


def test_rims_are_closed_lines():
    sphere = icosphere(3)
    holed = Mesh(sphere.points, sphere.cells.take(np.abs(sphere.points[sphere.cells.block("triangle")].mean(axis=1)[:, 2]) < 0.8))
    found = feature_edges(holed)
    assert (found.kind == 1).all()
    assert np.isnan(found.angle).all()
    assert [line.closed for line in found.lines] == [True, True]
    assert sum(len(line.points) for line in found.lines) == len(found.corners) == len(found.of_kind("boundary"))


def test_three_facets_at_an_edge():
    fins = [[0, 0, 0], [0, 0, 1], [1, 0, 0.5], [-1, 0, 0.5], [0, 1, 0.5]]
    found = feature_edges(Mesh(fins, Cells.of(triangle=np.array([[0, 1, 2], [0, 1, 3], [0, 1, 4]]))))
    assert found.of_kind("non-manifold").tolist() == [[0, 1]]
    assert len(found.of_kind("boundary")) == 6
    assert sorted(len(line.points) for line in found.lines) == [2, 3, 3, 3]


def test_the_edges_of_a_wing_are_its_trailing_edge_and_tips():
    found = feature_edges(wing(naca4("0012", 100), 2.0, n_span=10), 60.0)
    trailing = [line for line in found.lines if not line.closed and len(line.points) == 11]
    assert len(trailing) == 1
    assert sum(len(line.points) - (not line.closed) for line in found.lines) == len(found.corners) == 10 + 2 * 100


def test_bad_input_and_nothing_to_find():
    with pytest.raises(InvalidMeshError, match="3-D"):
        feature_edges(circle(9))
    with pytest.raises(ConfigurationError, match="angle"):
        feature_edges(icosphere(1), 200.0)
    assert feature_edges(icosphere(2)).lines == ()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("slivers", [1, 3])
def test_slivers_on_a_sharp_edge_do_not_hide_it(slivers, turned):
    """Two facets at right angles, one on the whole edge, the other side cut up, slivers between the two."""
    t = np.linspace(0, 1, slivers + 2)
    edge = np.stack([t, 0 * t, 0 * t], axis=1)
    n = len(t)
    points = np.concatenate([edge, [[0.5, 1, 0], [0.5, 0, 1]]])
    whole = [(0, n - 1, n)]
    between = [(0, k, k + 1)[:: -1 if turned else 1] for k in range(1, n - 1)]
    cut = [(n + 1, k + 1, k) for k in range(n - 1)]
    found = feature_edges(Mesh(points, Cells.of(triangle=np.array(whole + between + cut))), 80)
    assert sorted(found.of_kind("sharp").tolist()) == [[k, k + 1] for k in range(n - 1)]
    np.testing.assert_allclose(found.angle[found.kind == 0], 90.0)
    assert not len(found.of_kind("non-manifold"))


def test_facets_with_two_corners_at_one_place_are_no_facets():
    points = [[0, 0, 0], [1, 0, 0], [0.5, 1, 0], [0.5, 0, 1], [1, 0, 0]]
    found = feature_edges(Mesh(points, Cells.of(triangle=np.array([[0, 1, 2], [0, 3, 1], [0, 1, 4]]))), 80)
    assert found.of_kind("sharp").tolist() == [[0, 1]]
    assert not len(found.of_kind("non-manifold"))


def test_edges_that_bulge_and_edges_that_are_hollow():
    cube = box((0, 0, 0), (1, 2, 3), 2)
    assert not feature_edges(cube).hollow.any()
    inside_out = Mesh(cube.points, reversed_cells(cube.cells, np.ones(len(cube.cells), dtype=bool)))
    assert feature_edges(inside_out).hollow.all()
    step = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]]), Cells.of(quad=np.array([[0, 1, 2, 3], [0, 3, 4, 5]])))
    found = feature_edges(step)  # a floor and a wall that look at each other
    assert found.hollow[found.kind == 0].tolist() == [True]
    assert not found.hollow[found.kind == 1].any()
