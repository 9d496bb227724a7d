"""Equidistribution along lines: against the analytic map, on bent and closed lines, and what is refused."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, FieldError, InvalidMeshError
from geoop.interfaces.moving import Mover
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle
from geoop.solve.monitors import FunctionMonitor
from geoop.solve.movers.equidistribution import Equidistribution


def line(n, *, way=(1.0, 0.0), grading=1.0):
    t = np.linspace(0.0, 1.0, n) ** grading
    return Mesh(t[:, None] * np.array(way), Cells.of(line=np.stack([np.arange(n - 1), np.arange(1, n)], axis=1)))


@pytest.mark.parametrize("way", [(1.0, 0.0), (0.6, 0.8), (2.0, -1.0, 2.0)])
def test_points_follow_the_analytic_map(way):
    """m = 1 + a x has the integral x + a x^2 / 2, whose inverse is a square root; x in shares of the length."""
    mesh, a = line(33, way=way), 7.0
    size = np.linalg.norm(way)
    moved = Equidistribution().move(mesh, FunctionMonitor(lambda p: 1.0 + a * (p @ np.array(way)) / size**2))
    share = np.linspace(0.0, 1.0, 33)
    exact = (np.sqrt(1.0 + 2.0 * a * share * (1.0 + a / 2.0)) - 1.0) / a
    assert moved.outcome.ok
    np.testing.assert_allclose(moved.mesh.points, exact[:, None] * np.array(way), atol=1e-13 * size)


def test_a_sharp_layer_is_shared_exactly():
    """m = 1 / (x + e) has a logarithm as integral: points lie in a geometric sequence, though m varies a thousandfold."""
    e, n = 1e-3, 41
    moved = Equidistribution().move(line(n), FunctionMonitor(lambda p: 1.0 / (p[:, 0] + e)))
    exact = e * ((1.0 + e) / e) ** np.linspace(0.0, 1.0, n) - e
    np.testing.assert_allclose(moved.mesh.points[:, 0], exact, atol=1e-12)


def test_a_constant_monitor_moves_nothing_even_on_a_graded_line():
    mesh = line(20, grading=2.0)
    moved = Equidistribution().move(mesh, FunctionMonitor(lambda p: np.full(len(p), 3.0)))
    np.testing.assert_allclose(moved.mesh.points, mesh.points, atol=1e-14)


def test_corners_patch_ends_and_branches_stay_and_points_stay_on_the_line():
    t = np.linspace(0.0, 1.0, 11)[:, None]
    points = np.concatenate([t * [1.0, 0.0], [1.0, 0.0] + t[1:] * [0.0, 1.0], [1.0, 0.0] + t[1:] * [1.0, 0.0]])
    edges = [*((i, i + 1) for i in range(20)), (10, 21), *((i, i + 1) for i in range(21, 30))]
    cells = Cells.of(line=np.array(edges))
    mesh = Mesh(points, cells, patches={"half": cells.take(np.arange(5))})
    moved = Equidistribution().move(mesh, FunctionMonitor(lambda p: 1.0 + 5.0 * p[:, 0] + p[:, 1])).mesh
    np.testing.assert_array_equal(moved.points[[0, 5, 10, 20, 30]], points[[0, 5, 10, 20, 30]])
    assert np.abs(moved.points[[3, 7, 15, 25]] - points[[3, 7, 15, 25]]).max(axis=1).min() > 1e-3
    on_line = np.minimum(np.abs(moved.points[:, 1]), np.abs(moved.points[:, 0] - 1.0))
    assert on_line.max() < 1e-14


def test_a_closed_line_keeps_its_first_point_and_its_order():
    mesh = circle(80)
    moved = Equidistribution().move(mesh, FunctionMonitor(lambda p: 2.0 + p[:, 1])).mesh
    angle = np.unwrap(np.arctan2(moved.points[:, 1], moved.points[:, 0]))
    np.testing.assert_array_equal(moved.points[0], mesh.points[0])
    assert (np.diff(angle) > 0.0).all() or (np.diff(angle) < 0.0).all()
    gap = np.linalg.norm(np.diff(moved.points, axis=0), axis=1) * (2.0 + 0.5 * (moved.points[1:, 1] + moved.points[:-1, 1]))
    assert gap.std() < 2e-3 * gap.mean()


def test_what_is_refused():
    triangle = Mesh(np.array([[0.0, 0], [1, 0], [0, 1]]), Cells.of(triangle=np.array([[0, 1, 2]])))
    even = FunctionMonitor(lambda p: np.ones(len(p)))
    with pytest.raises(InvalidMeshError, match=r"(?s)needs a mesh of line cells.*remedy.*Variational"):
        Equidistribution().move(triangle, even)
    with pytest.raises(InvalidMeshError, match="1 lines have no length"):
        Equidistribution().move(Mesh(np.zeros((2, 2)), Cells.of(line=np.array([[0, 1]]))), even)
    with pytest.raises(FieldError, match="zero or negative"):
        Equidistribution().move(line(5), FunctionMonitor(lambda p: p[:, 0] - 0.5))
    with pytest.raises(ConfigurationError, match="corner_angle 0"):
        Equidistribution(corner_angle=0.0)
    assert isinstance(Equidistribution(), Mover)
