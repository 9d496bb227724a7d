"""The variational mover: identity, holes and re-entrant corners, what stays where, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from fem_shapes import cube, square
from moving_shapes import interpolation_error, l_shape, plate, ring

import geoop
from geoop.errors import ConfigurationError, FieldError, InvalidMeshError
from geoop.interfaces.moving import Mover
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.solve.monitors import FunctionMonitor, hessian_monitor
from geoop.solve.movers.tangling import inverted_cells
from geoop.solve.movers.variational import Variational


@pytest.mark.parametrize("mesh", [square(9, seed=1), square(8, "quad"), l_shape(8), plate(8), cube(4)], ids=["square", "quads", "L", "hole", "cube"])
def test_a_constant_monitor_is_the_identity(mesh):
    moved = Variational().move(mesh, FunctionMonitor(lambda p: np.full(len(p), 7.0)))
    assert moved.outcome.status == "converged"
    assert np.abs(moved.mesh.points - mesh.points).max() <= 1e-10


@pytest.mark.parametrize("factor", [1e-3, 1e4])
def test_size_of_region_and_level_of_the_density_do_not_count(factor):
    mesh = plate(12)
    large = mesh.moved(mesh.points * factor)
    a = Variational().move(mesh, FunctionMonitor(lambda p: 1.0 + 4.0 * p[:, 0] ** 2)).mesh.points
    b = Variational().move(large, FunctionMonitor(lambda p: 30.0 + 120.0 * (p[:, 0] / factor) ** 2)).mesh.points
    np.testing.assert_allclose(b / factor, a, atol=1e-6)


@pytest.mark.parametrize(("mesh", "radius"), [(l_shape(48), 0.25), (plate(48), 0.35)], ids=["L", "hole"])
@pytest.mark.parametrize("width", [0.05, 0.03])
def test_rings_are_interpolated_better_and_no_cell_folds(mesh, radius, width):
    field = lambda p: ring(p, radius=radius, width=width)  # noqa: E731
    moved = Variational().move(mesh, hessian_monitor(mesh, field(mesh.points)))
    assert moved.outcome.status == "converged"
    assert not inverted_cells(mesh, moved.mesh.points).any()
    assert interpolation_error(mesh, field) / interpolation_error(moved.mesh, field) > 1.4


def test_points_stay_on_straight_and_curved_patches_and_corners_stay():
    mesh = plate(16)
    moved = Variational().move(mesh, FunctionMonitor(lambda p: 1.0 + 20.0 * np.exp(-20.0 * ((p - [0.5, 0.3]) ** 2).sum(axis=1)))).mesh
    outside, hole = mesh.patch_points("outside"), mesh.patch_points("hole")
    assert np.abs(np.abs(moved.points[outside] - 0.5).max(axis=1) - 0.5).max() < 1e-14
    corner = outside[(np.abs(mesh.points[outside] - 0.5) == 0.5).all(axis=1)]
    assert len(corner) == 4
    np.testing.assert_array_equal(moved.points[corner], mesh.points[corner])
    ends = mesh.points[mesh.patches["hole"].block("line")]
    step = ends[:, 1] - ends[:, 0]
    offset = moved.points[hole][:, None] - ends[None, :, 0]
    t = np.clip((offset * step).sum(axis=2) / (step**2).sum(axis=1), 0.0, 1.0)
    assert np.linalg.norm(offset - t[..., None] * step, axis=2).min(axis=1).max() < 1e-12
    assert np.abs(moved.points[hole] - mesh.points[hole]).max() > 1e-3


class Waves:
    """A smooth density with its slopes."""

    def at(self, points):
        return 2.0 + np.sin(5.0 * points[:, 0]) * np.cos(4.0 * points[:, 1])

    def with_gradient(self, points):
        x, y = 5.0 * points[:, 0], 4.0 * points[:, 1]
        return self.at(points), np.stack([5.0 * np.cos(x) * np.cos(y), -4.0 * np.sin(x) * np.sin(y)], axis=1)


def test_a_monitor_without_slopes_gives_what_one_with_slopes_gives():
    mesh = square(12)
    a, b = (Variational(tolerance=1e-4).move(mesh, monitor).mesh.points for monitor in (Waves(), FunctionMonitor(Waves().at)))
    assert np.abs(a - mesh.points).max() > 0.02
    assert np.abs(a - b).max() < 1e-4


def test_a_harsh_monitor_folds_nothing():
    """A thousandfold density in a spot smaller than a cell."""
    mesh = l_shape(16)
    moved = Variational().move(mesh, FunctionMonitor(lambda p: 1.0 + 1e3 * np.exp(-((p - 0.3) ** 2).sum(axis=1) / 0.02**2)))
    assert not inverted_cells(mesh, moved.mesh.points).any()
    assert moved.inverted == 0


@pytest.mark.parametrize("kind", ["hexahedron", "wedge", "pyramid", "mixed"])
def test_solids_move_to_the_density_and_do_not_fold(kind):
    mesh = cube(6, kind)
    moved = Variational().move(mesh, FunctionMonitor(lambda p: 1.0 + 8.0 * p[:, 0]))
    assert moved.outcome.ok
    assert not inverted_cells(mesh, moved.mesh.points).any()
    inner = (mesh.points[:, 0] > 0.01) & (mesh.points[:, 0] < 0.99)
    assert (moved.mesh.points[inner, 0] > mesh.points[inner, 0]).all()


def test_bad_input_is_named():
    mesh = square(4)
    with pytest.raises(FieldError, match="25 of 25 values are zero or negative"):
        Variational().move(mesh, FunctionMonitor(lambda p: np.zeros(len(p))))
    curved = Mesh(np.array([[0.0, 0], [1, 0], [0, 1], [0.5, 0], [0.5, 0.5], [0, 0.5]]), Cells.of(triangle6=np.arange(6)[None]))
    with pytest.raises(InvalidMeshError, match=r"(?s)linear cells.*but cells are triangle6.*remedy: straighten"):
        Variational().move(curved, FunctionMonitor(lambda p: np.ones(len(p))))
    with pytest.raises(ConfigurationError, match="tolerance 2"):
        Variational(tolerance=2.0)
    assert isinstance(Variational(), Mover)


def test_a_trailing_edge_is_a_corner_and_the_section_keeps_its_shape():
    """A loop with one corner: it was taken for a smooth one, and points slid over the edge and cut it off."""
    mesh = geoop.read(Path(__file__).resolve().parents[3] / "meshes" / "naca0012_ogrid.su2")
    wall = mesh.patch_points("wall")
    edge = wall[np.argmax(mesh.points[wall, 0])]
    moved = Variational(max_steps=5).move(mesh, hessian_monitor(mesh, np.tanh((mesh.points[:, 0] - 0.5) / 0.2))).mesh
    np.testing.assert_array_equal(moved.points[edge], mesh.points[edge])
    assert np.ptp(moved.points[wall], axis=0)[0] == pytest.approx(np.ptp(mesh.points[wall], axis=0)[0], rel=1e-3)
    assert np.abs(moved.points - mesh.points).max() > 1e-3
